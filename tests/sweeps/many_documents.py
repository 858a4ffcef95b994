"""The kill sweep of one spool with many documents, whole:

    python -m tests.sweeps.many_documents

Two hundred customers in one AFP spool, delivered in ten units; the line is killed at every
point of every one of them, and at every point of the spool itself, and run to the end.
Then each document is once on the server with its own checksum, the spool once in the
store, delivered and receipted. The same where the spool has one record for all.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from pathlib import Path

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.profiles import Describe
from hotfolder.core.records import Role
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.exstream import Output, make_run
from hotfolder.sandbox.writers import put_file
from tests.support.line import Line, build_line, many, run_line
from tests.support.serving import server_documents, server_events, server_units, serving
from tests.sweeps.kill_points import KILLED, run_process

CUSTOMERS = 200
UNIT_SIZE = 20
_OF_THE_SPOOL = (
    "claim.journalled", "claim.renamed", "claim.recorded", "read.recorded",
    "store.content_written", "store.object_written", "store.object_renamed", "store.recorded",
    "receipt.written", "receipt.recorded", "working.removed",
)  # fmt: skip
_OF_A_UNIT = ("unit.planned", "unit.marked_sent", "unit.answered", "unit.confirmed")


def kills_of(describe: Describe) -> list[tuple[str, int]]:
    """Every point and occurrence that one delivery comes to."""
    units = CUSTOMERS // UNIT_SIZE if describe is Describe.DOCUMENTS else 1
    found = [(point, 1) for point in _OF_THE_SPOOL]
    return found + [(point, number) for point in _OF_A_UNIT for number in range(1, units + 1)]


def write_run(hot: Path) -> Output:
    """The spool, finished."""
    communications = [
        make_communication(3, number, document_type="statement") for number in range(CUSTOMERS)
    ]
    run = make_run(communications, b"RUN.afp")
    put_file(os.fsencode(hot), run.name, run.data)
    return run


def kill_and_check(root: Path, describe: Describe, point: str, occurrence: int) -> None:
    """Run with one kill, then to the end. ``AssertionError`` if anything is not as said."""
    arguments = ("--describe", describe, "--unit-size", str(UNIT_SIZE))
    with serving() as sandbox:
        (root / "hot").mkdir()
        run = write_run(root / "hot")
        crash = ("--crash", point, "--occurrence", str(occurrence))
        assert run_process(root, sandbox.url, *crash, *arguments) == KILLED, "never reached"
        line = build_line(root, sandbox.url, unit_size=UNIT_SIZE, documents=many(describe))
        try:
            assert run_line(line), "something is still waiting"
            _check(line, root, sandbox.url, run, describe)
        finally:
            line.works.close()


def _check(line: Line, root: Path, url: str, run: Output, describe: Describe) -> None:
    journal = line.works.journal
    (spool,) = [row for row in journal.spools([]) if row.state is not SpoolState.ABANDONED]
    assert (spool.state, spool.documents) == (SpoolState.DONE, CUSTOMERS)
    rows = list(journal.iterate_documents(spool.id))
    described = [row for row in rows if row.document.role is not Role.CARRIED]
    assert len(described) == (CUSTOMERS if describe is Describe.DOCUMENTS else 1)
    there = server_documents(url)
    assert Counter(item["sha256"] for item in there) == Counter(
        row.file_fixity[0] for row in described
    )
    assert {item["identity"] for item in there} == {row.document.identity for row in described}
    uris = {item["uri"] for item in there}
    assert all(row.record_uri in uris for row in rows)
    units = server_units(url)
    assert Counter(uri for unit in units for uri in unit["documents"]) == Counter(uris)
    assert Counter(item["refid"] for item in server_events(url)) == Counter(
        f"hf:{unit['ref_id']}:ingestion" for unit in units
    )
    (stored,) = line.works.store.iterate()
    assert stored.content_sha256 == run.expected.sha256
    line.works.store.verify(spool.id)
    hot = root / "hot"
    assert [name for name in os.listdir(hot) if not name.startswith("_")] == []
    assert os.listdir(hot / "_working") == []
    (receipt,) = [json.loads(path.read_text()) for path in (hot / "_receipts").glob("*.json")]
    assert receipt["counts"]["archived"] == CUSTOMERS
    assert all(item["confirmed"] for item in receipt["documents"])


def main() -> None:
    kills = [(describe, *kill) for describe in (Describe.DOCUMENTS, Describe.SPOOL)
             for kill in kills_of(describe)]  # fmt: skip
    for number, (describe, point, occurrence) in enumerate(kills, 1):
        with tempfile.TemporaryDirectory() as place:
            kill_and_check(Path(place), describe, point, occurrence)
        print(f"{number}/{len(kills)} {describe} {point} {occurrence}", flush=True)
    print(f"{len(kills)} kills tried and reached, nothing lost, nothing twice")


if __name__ == "__main__":
    main()
