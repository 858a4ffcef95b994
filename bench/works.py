"""A hotfolder without its loops, for the parts that are measured.

It imports nothing that the daemon would not, so that its memory is the daemon's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core.profiles import (
    ArchiveProfile,
    BusinessUnit,
    DocumentsProfile,
    FolderProfile,
    Rules,
    SeriesProfile,
)
from hotfolder.core.records import Drop, Sighting
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger
from hotfolder.files.layout import make_folders
from hotfolder.flows.intake import BATCH
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.composition import Works, connect
from hotfolder.service.parts import SystemClock
from hotfolder.store.ocfl import OcflStore

REPOSITORY = "BENCH"
_TYPES = ("statement", "bill", "policy", "notice", "letter")
_CLASSES = ("FIN-7Y", "POL-10Y", "REG-PERM", "CORR-6Y")
RULES = Rules(
    series=tuple(
        SeriesProfile(code=kind.upper(), title=kind.capitalize(), document_types=(kind,))
        for kind in _TYPES
    ),
    business_units=(BusinessUnit(code="BENCH", name="Bench", repository=REPOSITORY),),
    retention_classes={
        code: RetentionClass(
            code=code, title=code, trigger=RetentionTrigger.ISSUE_DATE, period=Period(years=7)
        )
        for code in _CLASSES
    },
)


def open_works(
    root: Path,
    url: str = "http://127.0.0.1:9",
    unit_size: int = 200,
    *,
    journal: SqliteJournal | None = None,
    documents: DocumentsProfile | None = None,
) -> Works:
    """Journal and store in ``root``, the hot folder ``root/hot``; nothing is sent yet."""

    def emit(event: str, /, **fields: object) -> None:
        """Nobody listens."""

    folder = profile(root, documents)
    make_folders(os.fsencode(folder.path))
    clock = SystemClock()
    store = OcflStore(os.fsencode(root / "store"), clock=clock)
    store.initialise()
    archive = ArchiveProfile(url=url, username="admin", unit_size=unit_size)
    return connect(
        journal=journal or SqliteJournal(os.fsencode(root / "journal.db")),
        store=store,
        archive=ArchivesSpace(archive, "admin", RULES, clock=clock, version="0", on_event=emit),
        clock=clock,
        emit=emit,
        folders={folder.name: folder},
        rules=RULES,
        unit_size=unit_size,
        scratch=os.fsencode(root),
    )


def profile(root: Path, documents: DocumentsProfile | None = None) -> FolderProfile:
    """The one hot folder."""
    return FolderProfile(
        name="hot",
        path=str(root / "hot"),
        business_unit="BENCH",
        documents=documents or DocumentsProfile(),
        sidecar_required=documents is None,
    )


def take_all(works: Works, root: Path) -> int:
    """Claim, read and store everything in the hot folder; returns how many spools.
    ``SystemExit`` if one of them was not stored."""
    claimed = 0
    for batch in _drops(profile(root)):
        claimed += works.intake.claim(batch)
        while works.intake.advance():
            pass
    stored = works.journal.status().spools.get("STORED", 0)
    if stored != claimed:
        raise SystemExit(f"{claimed} were claimed, {stored} stored")
    return stored


def _drops(folder: FolderProfile) -> Iterator[list[Drop]]:
    """Batches of finished drops; what settling costs is measured elsewhere."""
    names = sorted(
        os.fsencode(entry.name) for entry in os.scandir(folder.path) if entry.name.endswith(".pdf")
    )
    for start in range(0, len(names), BATCH):
        yield [
            Drop(
                folder=folder.name,
                spool=look(folder, name),
                sidecars=(look(folder, name + b".json"),),
            )
            for name in names[start : start + BATCH]
        ]


def look(folder: FolderProfile, name: bytes) -> Sighting:
    """What a finished file in the hot folder looks like."""
    found = os.lstat(os.path.join(os.fsencode(folder.path), name))
    return Sighting(
        folder=folder.name,
        name=name,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        inode=found.st_ino,
        device=found.st_dev,
    )
