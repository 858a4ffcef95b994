"""Documents by other names are found by an index, however many there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import confirm, plan, store_many


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda journal: journal.documents_by_record("/digital_objects/5", 9), "documents_record"),
        (
            lambda journal: journal.documents_by_record("/repositories/2/archival_objects/5", 9),
            "units_record",
        ),
        (lambda journal: journal.documents_by_prefix("hf-123", 2), "documents_live"),
        (lambda journal: journal.documents_of_unit("hf-unit-1", 2), "units_"),
        (lambda journal: journal.correspondence("K-1"), "PRIMARY KEY (reference=?)"),
        (lambda journal: journal.correspondents("K-1"), "PRIMARY KEY (reference=?)"),
        (lambda journal: journal.waiting_events(due_at=5), "outbox_waiting"),
        (lambda journal: journal.count_waiting_events(), "outbox_waiting"),
    ],
)
def test_nothing_goes_through_everything(tmp_path: Path, ask: object, index: str) -> None:
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    store_many(journal, range(50))
    confirm(journal, plan(journal))
    told: list[str] = []
    reader = journal._db._reader
    reader.set_trace_callback(told.append)
    ask(journal)  # type: ignore[operator]
    reader.set_trace_callback(None)
    plans = [
        "\n".join(row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {one}"))
        for one in told
        if one.startswith("SELECT")
    ]
    assert any(index in plan for plan in plans), plans
    scans = [
        line
        for plan in plans
        for line in plan.splitlines()
        if line.startswith("SCAN ") and "outbox_waiting" not in line
    ]
    # json_each: the business units that are asked about, a few.
    few = ("SCAN p", "SCAN (", "SCAN json_each ")
    assert [line for line in scans if not line.startswith(few)] == []
    journal.close()
