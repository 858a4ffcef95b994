"""Volumes are those of the spools and documents that are there, counted one by one."""

from __future__ import annotations

import os
import sqlite3
from datetime import date
from pathlib import Path

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import DocumentMetadata
from hotfolder.core.volumes import VOLUMES_BY, Volumes, sum_up, volumes_report
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import FAULT, UNIT, claim, confirm, make_document, plan, spool_id, store

JUNE, JULY = 1_780_272_000.0, 1_782_864_000.0  # the first day of each month of 2026


def made(path: Path) -> SqliteJournal:
    """Three spools of June in ArchivesSpace, two of July waiting, one of them held, one
    rejected."""
    journal = SqliteJournal(os.fsencode(path))
    for number in range(1, 4):
        metadata = DocumentMetadata(retention_class="FIN", issue_date=date(2026, 6, number))
        store(journal, number, make_document(f"k{number}", metadata=metadata))
    confirm(journal, plan(journal))
    for number in (4, 5):
        store(journal, number, make_document(f"k{number}", series="letters"))
    claim(journal, 6)
    journal.set_aside(spool_id(6), SpoolState.REJECTED, [FAULT], JULY)
    conn = sqlite3.connect(path)
    conn.execute("UPDATE spools SET created_at = ? WHERE number <= 3", (JUNE,))
    conn.execute("UPDATE spools SET created_at = ? WHERE number > 3", (JULY,))
    conn.execute(
        "INSERT INTO holds (id, matter, source, placed_at, placed_by)"
        " VALUES ('hold-0123456789ab', 'M', 'hotfolder', 1, 'me')"
    )
    conn.execute("INSERT INTO hold_members VALUES (1, 4, 1)")
    conn.commit()
    conn.close()
    return journal


def test_every_document_counts_once(tmp_path: Path) -> None:
    journal = made(tmp_path / "journal.db")
    rows = journal.volume_figures([UNIT])
    everything = Volumes(documents=5, archived=3, waiting=2, held=1, size=50)
    for name_of in VOLUMES_BY.values():
        assert sum(sum_up(rows, name_of).values(), Volumes()) == everything
    months = sum_up(rows, VOLUMES_BY["month"])
    assert {name: found.documents for name, found in months.items()} == {
        "2026-06": 3,
        "2026-07": 2,
    }
    assert sum_up(rows, VOLUMES_BY["series"])[f"{UNIT} letters"].waiting == 2
    assert set(sum_up(rows, VOLUMES_BY["class"])) == {"FIN", "(none)"}


def test_other_units_are_left_out(tmp_path: Path) -> None:
    journal = made(tmp_path / "journal.db")
    assert journal.volume_figures(["other"]) == []
    assert journal.spool_counts(["other"]) == []


def test_the_report(tmp_path: Path) -> None:
    journal = made(tmp_path / "journal.db")
    report = volumes_report(
        journal.volume_figures([UNIT]),
        journal.spool_counts([UNIT]),
        journal.status().rejected_by_reason,
        by="month",
        at="2026-07-01T00:00:00Z",
        business_units=[UNIT],
    )
    assert dict(report.totals) == {
        "documents": 5,
        "archived": 3,
        "backlog": 2,
        "held": 1,
        "rejected spools": 1,
        "spools to look at": 0,
    }
    assert report.sheets[1].rows == (
        (UNIT, "2026-06", 3, 0, 0, 0, 0),
        (UNIT, "2026-07", 3, 1, 0, 0, 0),
    )
    assert report.sheets[2].rows == ((FAULT.code, 1),)
    assert report.charts[0].bars == (("2026-06", (3,)), ("2026-07", (2,)))
