"""The parts of ``bench_migrate`` that are measured: plan, take, reconcile."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from bench.common import answer
from bench.journalling import fill, spool_id
from bench.multiplying import multiply
from bench.works import RULES, open_works
from hotfolder.core.legacy import (
    LegacyItem,
    MigrationProfile,
    NewItem,
    OpenedItem,
    Part,
    SourceKind,
)
from hotfolder.flows import migrating
from hotfolder.flows.reconciling import Reconciling
from hotfolder.flows.surveying import Surveying
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.surveys import Survey
from hotfolder.legacy.sources import open_source
from hotfolder.service.parts import SpoolIds, SystemClock

_BATCH = 5000
SEED = 20_000  # spools that the journal itself writes before they are multiplied
_CONTENT = b"x" * 2000


def _profile(root: Path, export: Path) -> MigrationProfile:
    return MigrationProfile(
        name="old",
        kind=SourceKind.FOLDER,
        path=str(export),
        inbox=str(root / "inbox"),
        business_unit="BENCH",
    )


def _nobody(_event: str, /, **_fields: object) -> None:
    """Nobody listens."""


def plan(root: Path, export: Path) -> None:
    """Survey the folder ``export`` with an empty journal."""
    journal = SqliteJournal(os.fsencode(root / "journal.db"))
    survey = Survey(os.fsencode(root / "survey.db"), "bench")
    profile = _profile(root, export)
    with open_source(profile, os.fsencode(root / "scratch"), survey) as source:
        done = Surveying(
            profile=profile,
            source=source,
            survey=survey,
            journal=journal,
            rules=RULES,
            clock=SystemClock(),
            emit=_nobody,
            scratch=os.fsencode(root),
            stopped=lambda: False,
        ).run()
    rejected = sum(count for name, count, _ in survey.counts("would_be") if name == "rejected")
    survey.close()
    journal.close()
    if rejected:
        raise SystemExit(f"{rejected} would be rejected")
    answer(seconds=done.seconds, items=done.read)


def take(root: Path, export: Path, count: int) -> None:
    """Migrate ``count`` files up to the store; ArchivesSpace is measured elsewhere."""
    (root / "hot").mkdir()
    works = open_works(root)
    profile = _profile(root, export)
    (root / "inbox").mkdir()
    for flow in (works.intake, works.aside, works.finisher):
        flow.use_folders({profile.folder.name: profile.folder})
    migrating.MOST_UNDELIVERED = count + 1
    survey = Survey(os.fsencode(root / "survey.db"), "bench")
    started = time.monotonic()

    def all_stored() -> bool:
        return works.journal.status().spools.get("STORED", 0) >= count

    with open_source(profile, os.fsencode(root / "scratch"), survey) as source:
        migrating.Migrating(
            profile=profile,
            source=source,
            journal=works.journal,
            intake=works.intake,
            finisher=works.finisher,
            clock=works.clock,
            emit=works.emit,
            new_id=SpoolIds(),
            minute_of_day=lambda: 0,
            pause=time.sleep,
            stopped=all_stored,
            drive=lambda: works.intake.advance() > 0,
        ).run()
    seconds = time.monotonic() - started
    stored = works.journal.status().spools.get("STORED", 0)
    survey.close()
    works.close()
    if stored != count:
        raise SystemExit(f"{stored} of {count} were stored")
    answer(seconds=seconds, spools=stored)


class _Million:
    """An export of many items that all have the bytes of one file."""

    def __init__(self, count: int, path: Path) -> None:
        self._count = count
        self._content = Part(name=b"x.txt", path=os.fsencode(path))
        self._size = path.stat().st_size

    def items(self) -> Iterator[LegacyItem]:
        for number in range(self._count):
            name = f"{number % 1000:03}/{number:08}.txt"
            yield LegacyItem(source_id=name, place=name, name=b"x.txt", size=self._size)

    @contextmanager
    def open(self, _item: LegacyItem) -> Iterator[OpenedItem]:
        yield OpenedItem(content=self._content)


def reconcile(root: Path, count: int) -> None:
    """Reconcile ``count`` items whose spools ``archive`` has made, one document in each."""
    path = root / "x.txt"
    path.write_bytes(_CONTENT)
    sha256 = hashlib.sha256(_CONTENT).hexdigest()
    journal = SqliteJournal(os.fsencode(root / "journal.db"))
    source = _Million(count, path)
    items = source.items()
    for first in range(0, count, _BATCH):
        taken = [
            NewItem(item=item, sha256=sha256, size=item.size, spool_id=spool_id(number))
            for number, item in enumerate(islice(items, _BATCH), first)
        ]
        journal.take_items("old", taken, 1.0)
    began = time.monotonic()
    while journal.settle_items("old", "bench", 2.0):
        pass
    settling = time.monotonic() - began
    survey = Survey(os.fsencode(root / "survey.db"), "bench")
    reconciling = Reconciling(
        profile=_profile(root, root),
        source=source,
        survey=survey,
        journal=journal,
        clock=SystemClock(),
        stopped=lambda: False,
    )
    started = time.monotonic()
    reconciling.read_source()
    read = time.monotonic()
    done = reconciling.compare().done
    compared = time.monotonic()
    survey.close()
    journal.close()
    if not done.proven or done.source.items != count:
        raise SystemExit("it is not proven")
    answer(
        items=count,
        seconds=compared - started,
        reading=read - started,
        comparing=compared - read,
        settling=settling,
    )


def archive(root: Path, count: int) -> None:
    """A journal of ``count`` spools that are done, all with the same bytes."""
    path = root / "journal.db"
    seed = min(count, SEED)
    fill(path, 0, seed, 1)
    if count > seed:
        multiply(path, count // seed)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("PRAGMA synchronous = OFF")
        sha256 = hashlib.sha256(_CONTENT).hexdigest()
        conn.execute("UPDATE spools SET sha256 = ?, size = ?", (sha256, len(_CONTENT)))


if __name__ == "__main__":
    kind, place, *rest = sys.argv[1:]
    if kind == "plan":
        plan(Path(place), Path(rest[0]))
    elif kind == "take":
        take(Path(place), Path(rest[0]), int(rest[1]))
    elif kind == "archive":
        archive(Path(place), int(rest[0]))
    else:
        reconcile(Path(place), int(rest[0]))
