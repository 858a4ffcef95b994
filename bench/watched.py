"""hotfolder's watcher for the parts of ``bench_watch``, and what claims its drops.

It imports nothing that the daemon would not, so that its memory is the daemon's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from hotfolder.core.profiles import Completion, CompletionRule, FolderProfile, SidecarFormat
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.files.content import open_regular
from hotfolder.files.layout import make_folders
from hotfolder.formats import inspect_trailer
from hotfolder.watch.watcher import FolderWatcher


def profile(root: Path) -> FolderProfile:
    """``root/hot``: a file is finished when it is renamed into place, or closed whole."""
    return FolderProfile(
        name="hot",
        path=str(root / "hot"),
        business_unit="BENCH",
        completion=Completion(rule=CompletionRule.RENAME),
        sidecar=SidecarFormat.NONE,
    )


def open_watcher(root: Path) -> FolderWatcher:
    """The watcher as the supervisor makes it, not yet started."""
    from hotfolder.service.parts import SystemClock  # noqa: PLC0415

    folder = profile(root)
    make_folders(os.fsencode(folder.path))

    def is_whole(sighting: Sighting) -> Inspection:
        with open_regular(os.path.join(os.fsencode(folder.path), sighting.name)) as stream:
            return inspect_trailer(stream, sighting.size, sighting.name)

    def emit(event: str, /, **fields: object) -> None:
        """Nobody listens."""

    return FolderWatcher(folder, clock=SystemClock(), is_whole=is_whole, emit=emit)


def open_intake(root: Path, journalled: Callable[[bytes], None]) -> Claims:
    """Intake of that folder with its journal and store."""
    return Claims(root, journalled)


class Claims:
    """Claims drops; ``journalled`` is told of each name when its row is durable."""

    def __init__(self, root: Path, journalled: Callable[[bytes], None]) -> None:
        from bench.works import open_works  # noqa: PLC0415
        from hotfolder.journal.journal import SqliteJournal  # noqa: PLC0415

        class Journal(SqliteJournal):
            def begin_claims(self, claims: Sequence[tuple[str, str, Drop]], now: float) -> None:
                super().begin_claims(claims, now)
                for _, _, drop in claims:
                    journalled(drop.spool.name)

        works = open_works(root, journal=Journal(os.fsencode(root / "journal.db")))
        folder = profile(root)
        works.intake.use_folders({folder.name: folder})
        self.claim = works.intake.claim
