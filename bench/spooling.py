"""The part of ``bench_spool`` that is measured: take one spool with many documents."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.common import answer
from bench.works import look, open_works, profile
from hotfolder.core.profiles import DocumentsProfile, IndexFormat
from hotfolder.core.records import Drop, Reading, ReadResult
from hotfolder.journal.journal import SqliteJournal

DOCUMENTS = DocumentsProfile(index=IndexFormat.AFP)


class Timed(SqliteJournal):
    """A journal that knows how long the last reading took to be journalled."""

    journalled = 0.0

    def record_readings(self, readings: Sequence[Reading], now: float) -> list[ReadResult]:
        started = time.monotonic()
        results = super().record_readings(readings, now)
        self.journalled = time.monotonic() - started
        return results


def take(root: Path) -> None:
    """Take ``root/hot/run.afp`` into a store and journal in ``root``."""
    path = root / "journal.db"
    journal = Timed(os.fsencode(path))
    works = open_works(root, journal=journal, documents=DOCUMENTS)
    folder = profile(root, DOCUMENTS)
    started = time.monotonic()
    works.intake.claim([Drop(folder=folder.name, spool=look(folder, b"run.afp"))])
    while works.intake.advance():
        pass
    seconds = time.monotonic() - started
    status = works.journal.status()
    if status.spools != {"STORED": 1}:
        raise SystemExit(f"it was not stored: {status.spools}")
    works.close()
    answer(seconds=seconds, journalled=journal.journalled, journal_bytes=path.stat().st_size)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
