"""Figures are those of the documents that are there, counted one by one."""

from __future__ import annotations

import os
import sqlite3
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.figures import BY, FigureRow, Figures, place, retention_report, summarise
from hotfolder.core.records import DocumentMetadata
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger
from hotfolder.journal.journal import SqliteJournal
from tests.support.doomed import doom
from tests.support.journals import make_document, store

TODAY = date(2026, 6, 30)
SCHEDULE = {
    "FIN": RetentionClass(
        code="FIN", title="F", trigger=RetentionTrigger.ISSUE_DATE, period=Period(years=7)
    ),
    "POL": RetentionClass(
        code="POL", title="P", trigger=RetentionTrigger.EVENT, event="end", period=Period(years=1)
    ),
    "STAY": RetentionClass(
        code="STAY",
        title="S",
        trigger=RetentionTrigger.ISSUE_DATE,
        period=Period(years=1),
        action="keep",
    ),
    "EVER": RetentionClass(code="EVER", title="E", trigger=RetentionTrigger.PERMANENT, period=None),
}
# Class, last day (days from today), held, disposition, and what it has to count as.
CASES = [
    ("FIN", 0, False, "kept", "in_time"),
    ("FIN", -1, False, "kept", "due"),
    ("FIN", -90, False, "kept", "due"),
    ("FIN", -91, False, "kept", "overdue"),
    ("FIN", -91, True, "kept", "held_due"),
    ("FIN", 5, True, "kept", "in_time"),
    ("STAY", 5, False, "kept", "in_time"),
    ("STAY", -91, False, "kept", "kept_on"),
    ("STAY", -1, True, "kept", "kept_on"),
    ("POL", None, False, "kept", "waiting"),
    ("EVER", None, True, "kept", "permanent"),
    (None, None, False, "kept", "without_class"),
    ("GONE", -5, False, "kept", "unknown_class"),
    ("FIN", -5, False, "withheld", "withheld"),
    ("FIN", -5, False, "destroyed", "destroyed"),
]


def made(path: Path) -> SqliteJournal:
    """A journal with a document for each case."""
    journal = SqliteJournal(os.fsencode(path))
    for number, (code, *_) in enumerate(CASES, 1):
        metadata = DocumentMetadata(retention_class=code, issue_date=date(2019, 1, number))
        store(journal, number, make_document(f"k{number}", metadata=metadata))
    conn = sqlite3.connect(path)
    conn.execute(
        "INSERT INTO holds (id, matter, source, placed_at, placed_by)"
        " VALUES ('hold-0123456789ab', 'M', 'hotfolder', 1, 'me')"
    )
    for number, (code, days, held, disposition, _) in enumerate(CASES, 1):
        last = None if days is None else (TODAY + timedelta(days=days)).isoformat()
        conn.execute(
            "UPDATE documents SET retain_until = ?, class_version = ? WHERE number = ?",
            (last, 1 if code in SCHEDULE else None, number),
        )
        if disposition == "destroyed":
            doom(conn, number, disposal=f"disposal-{number:012}")
        conn.execute("UPDATE documents SET disposition = ? WHERE number = ?", (disposition, number))
        if held:
            conn.execute("INSERT INTO hold_members VALUES (1, ?, 1)", (number,))
    conn.commit()
    conn.close()
    return journal


def test_every_document_counts_once_and_where_it_stands(tmp_path: Path) -> None:
    journal = made(tmp_path / "journal.db")
    rows = journal.retention_figures(TODAY, 90)
    expected = Figures()
    for *_, name in CASES:
        expected += Figures(**{name: 1})
    for by in BY:
        groups = summarise(rows, SCHEDULE, by)
        assert sum((item for item, _, _ in groups.values()), Figures()) == expected
        assert sum(held for _, held, _ in groups.values()) == 4
        assert sum(size for _, _, size in groups.values()) == 10 * (len(CASES) - 1)
    assert set(summarise(rows, SCHEDULE, "class")) == {
        "FIN",
        "STAY",
        "POL",
        "EVER",
        "GONE",
        "(none)",
    }
    assert journal.last_days() == [("2026", 10)]
    # A released hold holds nothing.
    conn = sqlite3.connect(tmp_path / "journal.db")
    conn.execute("UPDATE holds SET released_at = 2, released_by = 'me'")
    conn.commit()
    conn.close()
    figures, held, _ = summarise(journal.retention_figures(TODAY, 90), SCHEDULE, "unit")["retail"]
    assert (figures.overdue, figures.held_due, held) == (2, 0, 0)


def test_the_report_says_the_same_everywhere(tmp_path: Path) -> None:
    journal = made(tmp_path / "journal.db")
    report = retention_report(
        journal.retention_figures(TODAY, 90),
        journal.last_days(),
        SCHEDULE,
        by="unit",
        at="2026-06-30T00:00:00Z",
        today=TODAY,
        overdue_after=90,
    )
    totals = dict(report.totals)
    assert totals["documents"] == 14
    assert (totals["due"], totals["of them overdue"], totals["due, but held"]) == (3, 1, 1)
    assert totals["without class"] == 2
    (row,) = report.sheets[0].rows
    ((_, values),) = report.charts[0].bars
    assert row[1:-2] == values


@settings(max_examples=50)
@given(
    st.builds(
        FigureRow,
        business_unit=st.just("u"),
        series=st.just("s"),
        year=st.just("2020"),
        retention_class=st.sampled_from([None, "FIN", "STAY", "POL", "EVER", "GONE"]),
        class_version=st.sampled_from([None, 1, 2]),
        disposition=st.sampled_from(["kept", "withheld", "destroying", "destroyed"]),
        term=st.sampled_from(["open", "in-time", "due", "overdue"]),
        held=st.booleans(),
        documents=st.just(1),
        size=st.just(1),
    )
)
def test_nothing_is_due_that_may_not_go(row: FigureRow) -> None:
    if place(row, SCHEDULE) in ("due", "overdue"):
        assert row.retention_class in SCHEDULE
        assert (row.retention_class, row.class_version) != ("STAY", 1)
        assert not row.held
        assert row.disposition == "kept"
        assert row.term in ("due", "overdue")
