"""The store against the floor: the same bytes copied, hashed and fsynced, nothing more.

    python -m bench.bench_store --dir /somewhere/on/the/disk [--files 20000] [--large 2048]

Small files: the floor is ``floor.c`` (OpenSSL's SHA-256); where it cannot be built, the
coreutils ``cp``, ``sha256sum`` and ``sync FILE``, file by file. The large file: those
coreutils. Rounds of both alternate, so that what else the machine does hits both.
Everything lies in the page cache beforehand. The last line is JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hotfolder.core.records import StoreRequest
from hotfolder.store.ocfl import OcflStore

BARS = {"small": 0.5, "large": 0.85, "memory_mb": 120.0}


class Clock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def build_floor(place: Path) -> Path | None:
    """The compiled floor, or None where there is no compiler or no OpenSSL."""
    program = place / "floor"
    source = Path(__file__).parent / "floor.c"
    command = ["cc", "-O2", "-o", str(program), str(source), "-lcrypto"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return program


def run_floor(program: Path | None, sources: list[Path], target: Path) -> float:
    """Seconds that the floor takes for these files."""
    target.mkdir()
    started = time.perf_counter()
    if program is not None:
        names = "".join(f"{source}\n" for source in sources)
        subprocess.run(
            [program, target], input=names, text=True, check=True, stdout=subprocess.DEVNULL
        )
    else:
        for number, source in enumerate(sources):
            run_coreutils(source, target / str(number))
    return time.perf_counter() - started


def run_coreutils(source: Path, target: Path) -> None:
    """Copy, hash and sync one file."""
    subprocess.run(["cp", source, target], check=True)
    subprocess.run(["sha256sum", target], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["sync", target], check=True)


def make_requests(
    place: Path, first: int, count: int, size: int, *, sidecars: bool
) -> tuple[list[StoreRequest], list[Path]]:
    """Small PDFs of about ``size`` bytes, and every file there is to copy."""
    place.mkdir()
    chance = random.Random(first)
    requests, files = [], []
    for number in range(first, first + count):
        data = b"%PDF-1.7\n" + chance.randbytes(chance.randrange(size // 2, size * 3 // 2))
        content, sidecar = place / f"{number}.pdf", place / f"{number}.pdf.json"
        content.write_bytes(data)
        files.append(content)
        if sidecars:
            sidecar.write_bytes(chance.randbytes(300).hex().encode())
            files.append(sidecar)
        requests.append(
            StoreRequest(
                spool_id=f"{number:032x}",
                content_path=os.fsencode(content),
                content_name=os.fsencode(content.name),
                sha256=hashlib.sha256(data).hexdigest(),
                size=len(data),
                sidecar_paths=(os.fsencode(sidecar),) if sidecars else (),
                metadata=chance.randbytes(750).hex().encode(),
                created_at=time.time(),
            )
        )
    return requests, files


def measure_small(
    place: Path, program: Path | None, files: int, size: int, *, sidecars: bool
) -> dict[str, float]:
    """Seconds for store and floor, and their ratio (floor / store: 1 is as fast)."""
    kind = "with" if sidecars else "without"
    store = OcflStore(os.fsencode(place / f"store-{kind}"), clock=Clock())
    store.initialise()
    took = {"store": 0.0, "floor": 0.0}
    step = 2048
    for first in range(0, files, step):
        count = min(step, files - first)
        requests, sources = make_requests(
            place / f"in-{kind}-{first}", first, count, size, sidecars=sidecars
        )
        os.sync()
        started = time.perf_counter()
        for at in range(0, count, 256):  # as intake does
            store.write_spools(requests[at : at + 256])
        took["store"] += time.perf_counter() - started
        took["floor"] += run_floor(program, sources, place / f"out-{kind}-{first}")
    return {
        "files": files,
        "store_s": round(took["store"], 3),
        "floor_s": round(took["floor"], 3),
        "store_per_s": round(files / took["store"], 1),
        "ratio": round(took["floor"] / took["store"], 3),
    }


def measure_large(place: Path, megabytes: int, rounds: int = 2) -> dict[str, float]:
    """The same for one large file."""
    source = place / "large.afp"
    digest = hashlib.sha256()
    chance = random.Random(1)
    with source.open("wb") as stream:
        for _ in range(megabytes):
            data = chance.randbytes(1 << 20)
            digest.update(data)
            stream.write(data)
    store = OcflStore(os.fsencode(place / "store-large"), clock=Clock())
    store.initialise()
    took = {"store": 0.0, "floor": 0.0}
    for number in range(rounds):
        os.sync()
        started = time.perf_counter()
        store.write_spools(
            [
                StoreRequest(
                    spool_id=f"{number:032x}",
                    content_path=os.fsencode(source),
                    content_name=b"large.afp",
                    sha256=digest.hexdigest(),
                    size=megabytes << 20,
                    sidecar_paths=(),
                    metadata=b"{}",
                    created_at=time.time(),
                )
            ]
        )
        took["store"] += time.perf_counter() - started
        store.withdraw(f"{number:032x}", "measured")
        os.sync()
        started = time.perf_counter()
        run_coreutils(source, place / "large.copy")
        took["floor"] += time.perf_counter() - started
        (place / "large.copy").unlink()
    return {
        "megabytes": megabytes,
        "store_s": round(took["store"] / rounds, 3),
        "floor_s": round(took["floor"] / rounds, 3),
        "ratio": round(took["floor"] / took["store"], 3),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=None, help="where to write (on a real disk)")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=30_000, help="bytes of a small PDF, on average")
    parser.add_argument("--large", type=int, default=2048, help="MiB of the large file; 0: none")
    options = parser.parse_args(arguments)
    place = Path(tempfile.mkdtemp(prefix="bench-store-", dir=options.dir))
    found: dict[str, object] = {}
    try:
        program = build_floor(place)
        found["floor"] = "C with OpenSSL" if program else "coreutils"
        if options.files:
            for sidecars in (False, True):
                name = "small_with_sidecars" if sidecars else "small"
                found[name] = measure_small(
                    place, program, options.files, options.size, sidecars=sidecars
                )
                print(f"{name}: {found[name]} (bar {BARS['small']})")
        if options.large:
            found["large"] = measure_large(place, options.large)
            print(f"large: {found['large']} (bar {BARS['large']}, floor: coreutils)")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found["memory_mb"] = round(memory, 1)
        print(f"peak memory: {memory:.1f} MiB (bar {BARS['memory_mb']:.0f})")
        print(json.dumps(found))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
