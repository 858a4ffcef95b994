"""Controlled values are counted a piece of the catalogue at a time."""

from __future__ import annotations

import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from hotfolder.core.records import DocumentMetadata
from hotfolder.journal import census
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import make_document, store


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_every_document_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(census, "_PIECE", piece)
    journal = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    assert journal.count_values() == []
    wanted: Counter[tuple[str, str | None]] = Counter()
    for number in range(1, 12):
        kind, channel = ("letter", "notice")[number % 2], (None, "print", "email")[number % 3]
        wanted[kind, channel] += 1
        metadata = DocumentMetadata(
            document_type=kind, channel=channel, issue_date=date(2026, 1, number)
        )
        store(journal, number, make_document(f"k{number}", metadata=metadata))
    found = journal.count_values()
    journal.close()
    counted = {(item.facts["document_type"], item.facts["channel"]): item.count for item in found}
    assert counted == wanted
    assert len(found) == len(counted)
