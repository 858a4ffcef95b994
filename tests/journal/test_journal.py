"""The journal in SQLite passes the suite of the port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.journal.journal import SqliteJournal
from tests.conformance.journal_suite import JournalSuite, Reopen


class TestSqliteJournal(JournalSuite):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Iterator[Reopen]:
        current: list[SqliteJournal] = []

        def reopen() -> SqliteJournal:
            while current:
                current.pop().close()
            current.append(SqliteJournal(os.fsencode(tmp_path / "journal.db")))
            return current[0]

        yield reopen
        faults = current[0].check()
        current[0].close()
        assert faults == []
