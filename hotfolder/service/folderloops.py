"""The loops of the hot folders: each watches its folder, and claims what has settled."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from hotfolder.core.errors import HotfolderError
from hotfolder.core.profiles import FolderKind, FolderProfile
from hotfolder.core.records import Inspection, Sighting
from hotfolder.files.content import open_regular
from hotfolder.files.layout import make_folders
from hotfolder.flows.packing import Packing
from hotfolder.formats import inspect_trailer
from hotfolder.service.composition import Works
from hotfolder.watch.watcher import FolderWatcher

_POLL = 0.5  # seconds in which a look at the folder waits for drops


class FolderLoop:
    """One hot folder: settled drops are claimed in the thread that saw them, so
    that nothing stands between a completion signal and the journal."""

    def __init__(self, profile: FolderProfile, works: Works, claimed: Callable[[], None]) -> None:
        self.profile = profile
        self._works = works
        self._claimed = claimed
        self._watcher = make_watcher(profile, works)
        # In a folder of templates a folder is a package.
        self._packing = (
            Packing(profile, clock=works.clock, emit=works.emit)
            if profile.kind is FolderKind.TEMPLATES
            else None
        )
        self._started = False
        self._unsettled = False  # a claim failed half-way
        self._losses: float = 0

    def step(self) -> float:
        """Wait for settled drops and claim them."""
        if not self._started:
            make_folders(os.fsencode(self.profile.path))
            self._watcher.start()
            self._started = True
        if self._unsettled:
            self._works.finisher.settle_claims(self.profile.name)
            self._unsettled = False
        drops = self._watcher.poll(_POLL)
        if drops:
            if (losses := self._watcher.describe()["losses"]) != self._losses:
                # It was away, and may be another folder now.
                make_folders(os.fsencode(self.profile.path))
                self._losses = losses
            try:
                self._works.intake.claim(drops)
            except HotfolderError:
                self._unsettled = True
                raise
            finally:
                # Claimed or not, they are to be seen afresh: a failed claim is tried again.
                self._watcher.forget([drop.spool.name for drop in drops])
            self._claimed()
        if self._packing is not None and self._watcher.healthy():
            self._packing.step()
        return 0.0

    def pending(self) -> bool:
        """Whether files are there that have not settled, or no full look was made yet."""
        told = self.describe()
        packing = self._packing is not None and self._packing.pending()
        return packing or not told["scans"] or told["waiting"] > 0

    def describe(self) -> Mapping[str, int | float | bool]:
        """What the watcher has counted since it started."""
        return self._watcher.describe()

    def stop(self) -> None:
        """Stop watching; the loop's thread has ended."""
        if self._started:
            self._watcher.stop()


def make_watcher(profile: FolderProfile, works: Works) -> FolderWatcher:
    """The watcher of one hot folder, with the questions it may ask about a file."""
    root = os.fsencode(profile.path)

    def is_whole(sighting: Sighting) -> Inspection:
        with open_regular(os.path.join(root, sighting.name)) as stream:
            return inspect_trailer(stream, sighting.size, sighting.name)

    return FolderWatcher(profile, clock=works.clock, is_whole=is_whole, emit=works.emit)
