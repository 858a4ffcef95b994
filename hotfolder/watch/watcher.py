"""Watching one hot folder: looks in, settled drops out."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Sequence
from contextlib import suppress

from hotfolder.core.assembly import Assembly
from hotfolder.core.manifest import LIMIT
from hotfolder.core.ports import Clock, Emit
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.core.roles import Role, hides
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import folder_paths
from hotfolder.sidecars.pairing import pairing_of
from hotfolder.watch.events import Events, Hint
from hotfolder.watch.scan import Folder, FolderLostError, Root
from hotfolder.watch.writer import has_writer

BATCH = 256  # drops given out, and booked looks made, at a time
_HINTS = 4096  # hints taken in between two looks at what is settled
_WORKING = folder_paths(b"").working
_RETRY = 1.0  # seconds between attempts to find a folder or a watch again


class FolderWatcher:
    """The watcher of one hot folder. One thread calls it; the kernel's events come from
    another, through a queue.

    The scan every ``rescan`` seconds (``poll`` on a network share) is what guarantees
    that nothing is missed; events only make it quick. Whatever may have lost events
    (an overflow, a dead reader, a folder that went away) leads to a scan at once.
    """

    def __init__(
        self,
        profile: FolderProfile,
        *,
        clock: Clock,
        is_whole: Callable[[Sighting], Inspection],
        emit: Emit,
    ) -> None:
        self.profile = profile
        self._path = os.fsencode(profile.path)
        self._clock = clock
        self._emit = emit
        self._ask_whole = is_whole
        self._assembly = Assembly(
            profile,
            pairing=pairing_of(profile),
            is_whole=self._is_whole,
            has_writer=self._has_writer,
            read=self._read_manifest,
        )
        self._hints: queue.SimpleQueue[Hint] = queue.SimpleQueue()
        self._events: Events | None = None
        self._root: Root | None = None  # which directory it was when it was last there
        self._had_working = False  # our working folder has been seen in it
        self._started = False
        self._lost = False
        self._first: Hint | None = None  # the hint that ended the last wait
        self._blind = False  # no watch could be set; told once
        self._next_scan = 0.0
        self._next_try = 0.0  # to find the folder or to set its watch
        self._scanned_until = 0.0
        self._mark = 0
        self._beat = 0.0
        self._counts = dict.fromkeys(
            ("overflows", "scans", "drops", "losses", "rewatched", "irregular"), 0
        )

    # -- life ---------------------------------------------------------------------
    def start(self) -> None:
        """Begin: the watch is set before the first scan, so nothing falls between.
        A folder that is missing is waited for."""
        self._started = True
        self._beat = self._clock.monotonic()
        folder = self._open(self._beat)
        if folder is not None:
            folder.close()
            self._watch(self._beat)

    def stop(self) -> None:
        """End the watch; a new start scans again."""
        self._started = False
        if self._events is not None:
            self._events.stop()
            self._events = None

    def poll(self, timeout: float) -> list[Drop]:
        """Settled drops, at most ``BATCH``; waits for the first up to ``timeout`` seconds.

        A drop is given out once, until ``forget``. The files may change after their
        last look: whoever claims them compares. Raises nothing for what is found in
        the folder, and nothing if it is away.
        """
        if not self._started:
            raise RuntimeError("the watcher has not been started")
        end = self._clock.monotonic() + timeout
        while True:
            now = self._beat = self._clock.monotonic()
            drops = self._step(now)
            if drops or now >= end:
                self._counts["drops"] += len(drops)
                return drops
            self._wait(min(end, self._next(now)) - self._clock.monotonic())

    def forget(self, names: Sequence[bytes]) -> None:
        """The drops with these spools have been claimed or given up; their files, and
        what has taken their names, are seen afresh."""
        self._assembly.forget(names)

    def healthy(self) -> bool:
        """Whether the folder is there and, on a local one, its events flow."""
        if not self._started or self._lost:
            return False
        return self.profile.network or (self._events is not None and self._events.alive())

    def describe(self) -> dict[str, int | float | bool]:
        """Counts since the start: events read, overflows, scans, drops, losses of the
        folder, watches set; links, fifos and the like at the last scan; files waiting,
        and those that nobody has announced for ``sidecar_wait``; the moment of the
        last beat on the monotonic clock."""
        events = self._events  # another thread may ask while this one stops
        return {
            **self._counts,
            "events": 0 if events is None else events.received,
            "waiting": self._assembly.unfinished(),
            "overdue": len(self._assembly.overdue),
            "healthy": self.healthy(),
            "last_beat": self._beat,
        }

    # -- one step -------------------------------------------------------------------
    def _step(self, now: float) -> list[Drop]:
        folder = self._open(now)
        if folder is None:
            return []
        # Not kept open: that would hide the folder's end from the kernel's events and
        # keep an operator from unmounting it.
        with folder:
            if not self._watching() and now >= self._next_try:
                self._watch(now)
            try:
                self._look_around(folder, now)
            except OSError as error:
                # It went away under us, or its disk fails: what was seen is kept.
                self._lose(_words(error), now)
                return []
            return self._assembly.collect(now, BATCH)

    def _look_around(self, folder: Folder, now: float) -> None:
        first, self._first = self._first, None
        if first is not None:
            self._take(folder, first, now)
        for _ in range(min(self._hints.qsize(), _HINTS)):
            if self._assembly.busy():
                break
            self._take(folder, self._hints.get(), now)
        if now >= self._next_scan:
            self._scan(folder, now)
        for name in self._assembly.due(now, BATCH):
            self._look(folder, name, now)

    def _next(self, now: float) -> float:
        if self._lost:
            return self._next_try
        look = self._assembly.next_look(now)
        return self._next_scan if look is None else min(look, self._next_scan)

    def _wait(self, seconds: float) -> None:
        """Sleep until a hint comes, at most ``seconds``."""
        if seconds <= 0:
            return
        try:
            hint = self._hints.get(timeout=seconds)
        except queue.Empty:
            return
        self._first = hint

    def _take(self, folder: Folder, hint: Hint, now: float) -> None:
        if not hint.name:
            # Scans that follow one another leave as much time for other work.
            self._next_scan = min(self._next_scan, max(now, self._scanned_until))
        elif not hint.directory:
            if self._assembly.roles.of(hint.name) is not Role.IGNORED:
                self._look(folder, hint.name, now, closed=hint.closed, moved=hint.moved)
        elif self.profile.recursive and not hides(hint.name):
            with suppress(FileNotFoundError):  # moved on already
                self._look_inside(folder, now, begin=hint.name)

    def _look(
        self, folder: Folder, name: bytes, now: float, *, closed: bool = False, moved: bool = False
    ) -> None:
        sighting = folder.look(name, closed=closed, fresh=self.profile.network)
        if sighting is None:
            self._assembly.lose(name)
        else:
            self._assembly.see(sighting, now, moved=moved)

    def _look_inside(self, folder: Folder, now: float, begin: bytes = b"", mark: int = 0) -> int:
        irregular = 0
        for sighting in folder.scan(
            recursive=self.profile.recursive, hides=hides, begin=begin, entered=self._enter
        ):
            self._assembly.see(sighting, now, mark=mark)
            irregular += not sighting.regular
        return irregular

    def _scan(self, folder: Folder, now: float) -> None:
        self._mark += 1
        self._counts["irregular"] = self._look_inside(folder, now, mark=self._mark)
        for name in self._assembly.settling.unmarked(self._mark):
            # Made while the listing ran, or gone: only a look can tell.
            self._look(folder, name, now)
        self._counts["scans"] += 1
        end = self._clock.monotonic()
        self._scanned_until = end + (end - now)
        self._next_scan = end + (self.profile.rescan if self._watching() else self.profile.poll)

    # -- folder and watch -------------------------------------------------------------
    def _open(self, now: float) -> Folder | None:
        """The folder, if it is there; tells when it is lost or comes back."""
        if self._lost and now < self._next_try:
            return None
        try:
            folder = Folder(self._path, self.profile.name)
        except FolderLostError as error:
            self._lose(str(error), now)
            return None
        if folder.root != self._root and not self._accept(folder, now):
            folder.close()
            self._lose("another file system is in its place", now)
            return None
        if self._lost:
            self._lost = False
            self._next_scan = self._next_try = now
            self._emit("folder.returned", folder=self.profile.name)
        return folder

    def _accept(self, folder: Folder, now: float) -> bool:
        """Whether a directory that is not the one we know is the hot folder all the same."""
        known, working = self._root, folder.holds(_WORKING)
        elsewhere = known is not None and folder.root.device != known.device
        if elsewhere and self._had_working and not working:
            # Another device without our folders: the mount point of a share that is away.
            return False
        self._root, self._had_working = folder.root, working
        if known is not None:
            self._lose("another folder is in its place", now)
        return True

    def _lose(self, reason: str, now: float) -> None:
        self._next_try = now + _RETRY
        if self._events is not None:
            self._events.unwatch()
        if not self._lost:
            self._lost = True
            self._counts["losses"] += 1
            self._emit("folder.lost", folder=self.profile.name, reason=reason)

    def _watching(self) -> bool:
        """Whether events flow, or none are wanted; tells of those that were lost."""
        if self._events is None:
            return False
        lost = self._events.overflows - self._counts["overflows"]
        if lost > 0:
            self._counts["overflows"] += lost
            self._emit("folder.overflowed", folder=self.profile.name, times=lost)
        return self._events.alive()

    def _watch(self, now: float) -> None:
        """Set the watch, before the scan that this asks for; without one, poll."""
        self._next_try = now + _RETRY
        if self.profile.network:
            return
        try:
            if self._events is None or not self._events.running():
                self._events = Events(self._path, self._hints, self._events)
            self._events.watch()
        except OSError as error:
            if not self._blind:
                self._blind = True
                self._emit("folder.not_watched", folder=self.profile.name, reason=_words(error))
            self._next_try = now + max(_RETRY, self.profile.poll)
            self._next_scan = min(self._next_scan, now + self.profile.poll)
            return
        self._blind = False
        self._counts["rewatched"] += 1
        self._next_scan = now

    def _enter(self, folder: bytes) -> None:
        """Watch a folder inside before it is read, so that nothing falls between."""
        if not folder or self._events is None or not self._events.alive():
            return
        try:
            self._events.watch(folder)
        except OSError as error:
            if not self._blind:
                self._blind = True
                self._emit("folder.not_watched", folder=self.profile.name, reason=_words(error))

    # -- questions ----------------------------------------------------------------------
    def _is_whole(self, sighting: Sighting) -> Inspection:
        with os_errors("reading the end of a file"):
            return self._ask_whole(sighting)

    def _read_manifest(self, sighting: Sighting) -> bytes:
        with (
            open_regular(os.path.join(self._path, sighting.name)) as stream,
            os_errors("reading a manifest"),
        ):
            return stream.read(LIMIT + 1)

    def _has_writer(self, sighting: Sighting) -> bool | None:
        if self.profile.network:
            return None
        return has_writer(os.path.join(self._path, sighting.name), sighting)


def _words(error: OSError) -> str:
    """What went wrong, without the path: it may carry a customer's number."""
    return error.strerror or type(error).__name__
