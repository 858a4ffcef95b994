"""Folders into which files are put that are no spools: requests, events."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Protocol

from hotfolder.core.errors import HotfolderError
from hotfolder.core.profiles import EventFolder, FolderProfile, RequestFolder, SidecarFormat
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.files.content import open_regular
from hotfolder.files.layout import make_folders
from hotfolder.service.composition import Works
from hotfolder.watch.watcher import FolderWatcher

_POLL = 0.5


class DropFolderFlow(Protocol):
    """What is done with the files of such folders."""

    def recover(self, name: str) -> None:
        """After a start: settle what a crash left."""

    def settle_claims(self, name: str) -> None:
        """Decide claims that were perhaps made."""

    def claim(self, name: str, drops: Sequence[Drop]) -> int:
        """Take settled files out of the folder."""

    def advance(self, name: str) -> int:
        """Do what is due with those that were taken."""


class DropFolderLoop:
    """One folder: watches, claims and does what is due in one thread. ``whole`` says
    whether a file shows by itself that it is whole."""

    def __init__(
        self,
        name: str,
        profile: RequestFolder | EventFolder,
        flow: DropFolderFlow,
        works: Works,
        *,
        whole: Callable[[Sighting, BinaryIO], Inspection],
    ) -> None:
        self.name = name
        self._profile = profile
        self._flow = flow
        self._whole = whole
        self._watcher = FolderWatcher(
            _as_folder(name, profile), clock=works.clock, is_whole=self._is_whole, emit=works.emit
        )
        self._started = False
        self._unsettled = False  # a claim failed half-way

    def step(self) -> float:
        """Wait for settled files, claim them, do what is due."""
        name = self._profile.name
        if not self._started:
            make_folders(os.fsencode(self._profile.path))
            self._flow.recover(name)
            self._watcher.start()
            self._started = True
        if self._unsettled:
            self._flow.settle_claims(name)
            self._unsettled = False
        drops = self._watcher.poll(_POLL)
        try:
            self._flow.claim(name, drops)
        except HotfolderError:
            self._unsettled = True
            raise
        finally:
            self._watcher.forget([drop.spool.name for drop in drops])
        self._flow.advance(name)
        return 0.0

    def pending(self) -> bool:
        """Whether files are there that have not settled, or no full look was made yet."""
        told = self.describe()
        return not told["scans"] or told["waiting"] > 0

    def describe(self) -> Mapping[str, int | float | bool]:
        """What the watcher has counted since it started."""
        return self._watcher.describe()

    def stop(self) -> None:
        """Stop watching; the loop's thread has ended."""
        if self._started:
            self._watcher.stop()

    def _is_whole(self, sighting: Sighting) -> Inspection:
        path = os.path.join(os.fsencode(self._profile.path), sighting.name)
        with open_regular(path) as stream:
            return self._whole(sighting, stream)


def _as_folder(name: str, profile: RequestFolder | EventFolder) -> FolderProfile:
    """Such a folder as the watcher takes it: every file is one, and nothing beside it."""
    return FolderProfile(
        name=name,
        path=profile.path,
        business_unit="",
        completion=profile.completion,
        network=profile.network,
        poll=profile.poll,
        rescan=profile.rescan,
        sidecar=SidecarFormat.NONE,
        sidecar_required=False,
    )
