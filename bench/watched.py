"""hotfolder's watcher for the parts of ``bench_watch``, and what takes its drops.

It imports nothing that the daemon would not, so that its memory is the daemon's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hotfolder.core.profiles import Completion, CompletionRule, FolderProfile, SidecarFormat
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.files.content import open_regular
from hotfolder.files.layout import make_folders
from hotfolder.formats import inspect_trailer
from hotfolder.watch.watcher import FolderWatcher

Take = Callable[[Sequence[Drop]], object]


class _Clock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def _emit(event: str, /, **fields: object) -> None:
    """Nobody listens."""


def open_watcher(root: Path, *, journalled: bool) -> tuple[FolderWatcher, Take]:
    """A watcher of ``root/hot`` whose files count when they are renamed into place, and
    what takes its drops: a plain rename, or a claim with its durable row."""
    profile = FolderProfile(
        name="hot",
        path=str(root / "hot"),
        business_unit="BENCH",
        completion=Completion(rule=CompletionRule.RENAME),
        sidecar=SidecarFormat.NONE,
    )
    make_folders(os.fsencode(profile.path))

    def is_whole(sighting: Sighting) -> Inspection:
        with open_regular(os.path.join(os.fsencode(profile.path), sighting.name)) as stream:
            return inspect_trailer(stream, sighting.size, sighting.name)

    watcher = FolderWatcher(profile, clock=_Clock(), is_whole=is_whole, emit=_emit)
    return watcher, _claim(root, profile) if journalled else _move(profile)


def _claim(root: Path, profile: FolderProfile) -> Take:
    from bench.works import open_works  # noqa: PLC0415  the bare watcher needs no journal

    works = open_works(root)
    works.intake.use_folders({profile.name: replace(profile)})
    return works.intake.claim


def _move(profile: FolderProfile) -> Take:
    hot = os.fsencode(profile.path)
    away = os.path.join(hot, b"_working")

    def move(drops: Sequence[Drop]) -> None:
        for drop in drops:
            os.rename(os.path.join(hot, drop.spool.name), os.path.join(away, drop.spool.name))

    return move
