"""Storing and reading an encrypted spool, against the same without encryption.

    python -m bench.bench_encryption [--mib 2048] [--documents 40000] [--place FOLDER]

Each step runs in a process of its own, whose largest memory is taken from the kernel.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.common import Bar, Report, arguments, place_for, settle_disk

MEMORY_BAR = 150.0  # MB
_STEP = """
import json, os, resource, sys, time
from dataclasses import replace
from pathlib import Path
from bench.bench_encryption import open_store, request_of
place, act, encrypted = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "1"
store = open_store(place, encrypted)
request = replace(request_of(place), encrypted=encrypted)
began, used = time.perf_counter(), time.process_time()
if act == "store":
    store.write_spools([request])
elif act == "read":
    with store.open_content(request.spool_id, sha256=request.sha256) as stream:
        while stream.read(1 << 20):
            pass
elif act == "verify":
    store.verify(request.spool_id)
elif act == "destroy":
    store.destroy_parts(request.spool_id, range(1, 101))
seconds, used = time.perf_counter() - began, time.process_time() - used
print(json.dumps([seconds, used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def open_store(place: Path, encrypted: bool) -> Any:
    """A store beside the spool."""
    from hotfolder.service.parts import SystemClock  # noqa: PLC0415  in the step alone
    from hotfolder.store.keyring import Keyring, MasterKey  # noqa: PLC0415
    from hotfolder.store.ocfl import OcflStore  # noqa: PLC0415

    keyring = Keyring(MasterKey(b"m" * 32)) if encrypted else None
    name = "sealed" if encrypted else "plain"
    store = OcflStore(os.fsencode(place / name), clock=SystemClock(), keyring=keyring)
    store.initialise()
    return store


def request_of(place: Path) -> Any:
    """The spool that ``make_spool`` has made."""
    from hotfolder.core.records import StoreRequest  # noqa: PLC0415

    known = json.loads((place / "spool.json").read_text())
    lines = place / "documents.jsonl"
    return StoreRequest(
        spool_id="0" * 31 + "1",
        content_path=os.fsencode(place / "spool.afp"),
        content_name=b"spool.afp",
        sha256=known["sha256"],
        size=known["size"],
        sidecar_paths=(),
        metadata=b'{"format":"hotfolder-spool/2"}\n',
        created_at=1.0,
        documents=lambda: iter(lines.open("rb")),
    )


def make_spool(place: Path, size: int, documents: int) -> None:
    """A spool of random bytes, its documents side by side, and their lines."""
    from hotfolder.core.canonical import document_line  # noqa: PLC0415
    from hotfolder.core.records import Document, DocumentMetadata, DocumentRange  # noqa: PLC0415

    length = size // documents
    whole = hashlib.sha256()
    data = os.urandom(1 << 20) * (length // (1 << 20) + 2)
    with (
        (place / "spool.afp").open("wb") as spool,
        (place / "documents.jsonl").open("wb") as lines,
    ):
        for number in range(documents):
            piece = data[number % 4096 : number % 4096 + length]
            spool.write(piece)
            whole.update(piece)
            digest = hashlib.sha256(piece).hexdigest()
            document = Document(
                identity=f"hf-{hashlib.sha256(b'%d' % number).hexdigest()}",
                source="RETAIL/STATEMENTS",
                business_key=f"C{number:08}",
                series="STATEMENTS",
                cycle="2026-06",
                range=DocumentRange(
                    ordinal=number + 1, offset=number * length, length=length, sha256=digest
                ),
                metadata=DocumentMetadata(
                    customer_id=f"C{number:08}",
                    customer_name="Somebody Or Other",
                    account_number=f"A{number:010}",
                    document_type="statement",
                    channel="PRINT",
                    retention_class="STATEMENT-10Y",
                ),
                title="Account statement",
            )
            lines.write(document_line(document))
    known = {"sha256": whole.hexdigest(), "size": length * documents}
    (place / "spool.json").write_text(json.dumps(known))


def main(arguments_: list[str]) -> int:
    parser = arguments("encrypted spools against plain ones")
    parser.add_argument("--mib", type=int, default=2048, help="size of the spool")
    parser.add_argument("--documents", type=int, default=40_000, help="documents in it")
    options = parser.parse_args(arguments_)
    report = Report(name="encryption")
    with place_for(options.place) as place:
        make_spool(place, options.mib << 20, options.documents)
        for act in ("store", "read", "verify"):
            settle_disk()
            plain, plain_cpu, _ = _step(place, act, "0")
            settle_disk()
            sealed, sealed_cpu, memory = _step(place, act, "1")
            for what, took in (("plain", plain), ("encrypted", sealed)):
                rate = options.mib / took
                report.add(f"{act}, {what}", rate, f"{rate:,.0f} MiB/s")
            ratio = sealed / plain
            report.add(f"{act}, encrypted to plain", ratio, f"{ratio:.2f} times as long")
            ratio = sealed_cpu / plain_cpu
            report.add(f"{act}, processor time", ratio, f"{ratio:.2f} times as much")
            used = f"{1e6 * (sealed_cpu - plain_cpu) / options.documents:,.0f} µs"
            report.add(f"{act}, processor time for a document more", sealed_cpu, used)
            what = f"{act}, encrypted: memory in MB"
            report.bars.append(Bar(what=what, value=memory, limit=MEMORY_BAR, at_most=True))
        seconds, _, _ = _step(place, "destroy", "1")
        report.add("destroy 100 documents", seconds, f"{1000 * seconds:.1f} ms")
    return report.finish(options.output)


def _step(place: Path, act: str, encrypted: str) -> tuple[float, float, float]:
    done = subprocess.run(
        [sys.executable, "-c", _STEP, str(place), act, encrypted],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, used, memory = json.loads(done.stdout)
    return seconds, used, memory


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
