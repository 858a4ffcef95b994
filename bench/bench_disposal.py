"""How long the transaction that decides a disposal keeps other writers waiting.

    python -m bench.bench_disposal [--documents N] [--per-spool N] [--holds N]

Documents past their time, archived, in spools of their own or many in one; holds in force by
criteria that match none of them. Prints seconds of the proposal, of the decision, and of
recording one spool as destroyed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from hotfolder.core.disposals import DueFilter
from hotfolder.core.holds import Criteria, NewHold
from hotfolder.core.records import Document, DocumentMetadata, Inspection, Reading, StoredObject
from hotfolder.core.schedules import schedule_digest
from hotfolder.journal.journal import SqliteJournal
from tests.support.disposal import SCHEDULE, TODAY, moment
from tests.support.journals import PLACE, UNIT, claim, make_document, spool_id, uris


def _documents(spool: int, count: int) -> list[Document]:
    found = []
    for place in range(1, count + 1):
        metadata = DocumentMetadata(
            customer_id=f"C-{spool}-{place}",
            customer_name="Erika Mustermann",
            document_type="statement",
            issue_date=date(2020, 1, 31),
            retention_class="D",
        )
        document = make_document(f"k{spool}-{place}", ordinal=place, metadata=metadata)
        found.append(
            replace(
                document, class_version=1, cutoff=date(2020, 1, 31), retain_until=date(2021, 1, 31)
            )
        )
    return found


def fill(journal: SqliteJournal, documents: int, per_spool: int) -> None:
    """Archived and receipted spools."""
    journal.note_schedule(SCHEDULE, 1.0)
    while journal.compute_retention(SCHEDULE, 1000, 1.0) is not None:
        pass
    numbers = range(1, documents // per_spool + 1)
    for start in range(0, len(numbers), 500):
        chunk = numbers[start : start + 500]
        claim(journal, *chunk)
        digests = {number: hashlib.sha256(b"%d" % number).hexdigest() for number in chunk}
        journal.record_readings(
            [
                Reading(
                    spool_id=spool_id(number),
                    sha256=digests[number],
                    size=10,
                    inspection=Inspection(format_name="pdf"),
                    documents=tuple(_documents(number, per_spool)),
                )
                for number in chunk
            ],
            2.0,
        )
        journal.record_stored(
            [
                StoredObject(
                    spool_id=spool_id(number),
                    object_path="x",
                    content_sha256=digests[number],
                    content_size=10,
                )
                for number in chunk
            ],
            3.0,
        )
        while (unit := journal.plan_unit(*PLACE, 1000, 4.0)) is not None:
            journal.mark_sent(unit.ref_id, 5.0)
            journal.confirm_unit(unit.ref_id, f"/ao/{unit.ref_id}", uris(unit.identities), 6.0)
        journal.record_receipted([spool_id(number) for number in chunk], 8.0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--per-spool", type=int, default=1)
    parser.add_argument("--holds", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        journal = SqliteJournal(os.fsencode(Path(place) / "journal.db"))
        fill(journal, options.documents, options.per_spool)
        for number in range(options.holds):
            hold = NewHold(
                id=f"hold-{number:012d}",
                matter="m",
                actor="judge",
                criteria=Criteria(customer_id=f"nobody-{number}"),
            )
            journal.place_hold(hold, 9.0)
        now = moment(TODAY)
        began = time.perf_counter()
        (row,) = journal.propose_disposals(
            DueFilter(), {UNIT: "disposal-000000000001"}, TODAY, 1_000_000, "ada", "", now
        )
        proposed = time.perf_counter()
        journal.approve_disposal(row.id, "ben", "board", now)
        approved = time.perf_counter()
        journal.begin_disposal(row.id, schedule_digest(SCHEDULE), "cem", now)
        decided = time.perf_counter()
        journal.record_destroyed(row.id, spool_id(1), now)
        recorded = time.perf_counter()
        print(
            f"{row.documents} documents, {options.per_spool} in a spool, {options.holds} holds:"
            f" proposal {proposed - began:.2f} s, decision {decided - approved:.2f} s,"
            f" one spool recorded {recorded - decided:.3f} s"
        )
        journal.close()


if __name__ == "__main__":
    main()
