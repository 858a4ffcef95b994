"""Watching one hot folder: looks in, settled drops out."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Sequence
from functools import partial

from hotfolder.core.assembly import Assembly
from hotfolder.core.ports import Clock, Emit
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import Drop, Inspection, Sighting
from hotfolder.core.roles import Pairing, Role, hides
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import folder_paths
from hotfolder.sidecars.pairing import may_be_sidecar, shared_sidecar_name, sidecar_names
from hotfolder.watch.events import Events, Hint
from hotfolder.watch.scan import Folder, FolderLostError, Root
from hotfolder.watch.writer import has_writer

BATCH = 256  # drops given out, and booked looks made, at a time
_HINTS = 4096  # hints taken in between two looks at what is settled
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
            pairing=Pairing(
                sidecars_of=partial(sidecar_names, sidecar_format=profile.sidecar),
                shared_of=partial(shared_sidecar_name, sidecar_format=profile.sidecar),
                may_be_sidecar=partial(may_be_sidecar, sidecar_format=profile.sidecar),
            ),
            is_whole=self._is_whole,
            has_writer=self._has_writer,
        )
        self._hints: queue.SimpleQueue[Hint] = queue.SimpleQueue()
        self._events: Events | None = None
        self._folder: Folder | None = None
        self._root: Root | None = None
        self._had_working = False
        self._lost = False
        self._started = False
        self._next_scan = 0.0
        self._next_watch = 0.0
        self._mark = 0
        self._beat = 0.0
        self._counts = dict.fromkeys(
            ("events", "overflows", "scans", "drops", "losses", "rewatched", "irregular"), 0
        )

    # -- life ---------------------------------------------------------------------
    def start(self) -> None:
        """Begin: the watch is set before the first scan, so nothing falls between.
        A folder that is missing is waited for."""
        self._started = True
        self._beat = self._clock.monotonic()
        self._open()

    def stop(self) -> None:
        """End the watch. What was seen is forgotten; a new start scans again."""
        self._started = False
        self._unwatch()
        self._close()

    def poll(self, timeout: float) -> list[Drop]:
        """Settled drops, at most ``BATCH``; waits for the first up to ``timeout`` seconds.

        A drop is given out once, until ``forget``. The files may change after their
        last look: whoever claims them compares. Never raises for what is found in
        the folder.
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
        if not self._started or self._folder is None:
            return False
        return self.profile.network or (self._events is not None and self._events.alive())

    def describe(self) -> dict[str, int | float | bool]:
        """Counts since the start, how many files wait, and the moment of the last beat."""
        return {
            **self._counts,
            "waiting": len(self._assembly.settling),
            "healthy": self.healthy(),
            "last_beat": self._beat,
        }

    # -- one step -------------------------------------------------------------------
    def _step(self, now: float) -> list[Drop]:
        if not self._ensure(now):
            return []
        try:
            self._take_hints(now)
            if now >= self._next_scan:
                self._scan(now)
            for name in self._assembly.due(now, BATCH):
                self._look(name, now)
        except OSError as error:
            # The folder went away under us, or its disk fails: what was seen is kept.
            self._lose(str(error.strerror), now)
            return []
        return self._assembly.collect(now, BATCH)

    def _next(self, now: float) -> float:
        if self._folder is None:
            return now + _RETRY
        look = self._assembly.next_look(now)
        return self._next_scan if look is None else min(look, self._next_scan)

    def _wait(self, seconds: float) -> None:
        """Sleep until a hint comes, at most ``seconds``; the hint is taken in."""
        if seconds <= 0:
            return
        try:
            hint = self._hints.get(timeout=seconds)
        except queue.Empty:
            return
        try:
            self._take(hint, self._clock.monotonic())
        except OSError as error:
            self._lose(str(error.strerror), self._clock.monotonic())

    def _take_hints(self, now: float) -> None:
        for _ in range(min(self._hints.qsize(), _HINTS)):
            self._take(self._hints.get(), now)

    def _take(self, hint: Hint, now: float) -> None:
        if self._folder is None:
            return
        if not hint.name:
            self._next_scan = now
        elif not hint.directory:
            self._look(hint.name, now, closed=hint.closed, moved=hint.moved)
        elif self.profile.recursive and not hides(hint.name):
            try:
                self._look_inside(hint.name, now)
            except FileNotFoundError:
                return  # moved on already

    def _look(self, name: bytes, now: float, *, closed: bool = False, moved: bool = False) -> None:
        if self._folder is None:
            return
        sighting = self._folder.look(name, closed=closed, fresh=self.profile.network)
        if sighting is None:
            self._assembly.lose(name)
        else:
            self._assembly.see(sighting, now, moved=moved)

    def _look_inside(self, begin: bytes, now: float, mark: int = 0) -> None:
        if self._folder is None:
            return
        entered = self._watch_inside if self.profile.recursive else _pass
        for sighting in self._folder.scan(
            recursive=self.profile.recursive, hides=hides, begin=begin, entered=entered
        ):
            role = self._assembly.see(sighting, now, mark=mark)
            if role is Role.IGNORED and not sighting.regular:
                self._counts["irregular"] += 1

    def _scan(self, now: float) -> None:
        self._mark += 1
        self._look_inside(b"", now, self._mark)
        for name in self._assembly.settling.unmarked(self._mark):
            # Made while the listing ran, or gone: only a look can tell.
            self._look(name, now)
        self._counts["scans"] += 1
        every = self.profile.rescan if self._watching() else self.profile.poll
        self._next_scan = self._clock.monotonic() + every

    # -- folder and watch -------------------------------------------------------------
    def _ensure(self, now: float) -> bool:
        """Whether the folder is the one we know; finds it, and its watch, again."""
        if self._folder is not None and now >= self._next_scan and not self._same_folder():
            self._lose("it has been replaced", now)
        if self._folder is None and now >= self._next_watch:
            self._open()
        if self._folder is None:
            return False
        if not self.profile.network and not self._watching() and now >= self._next_watch:
            self._unwatch()
            self._watch()
        return True

    def _same_folder(self) -> bool:
        try:
            with Folder(self._path, self.profile.name) as found:
                return found.root == self._root
        except FolderLostError:
            return False

    def _open(self) -> None:
        now = self._clock.monotonic()
        self._next_watch = now + _RETRY
        try:
            folder = Folder(self._path, self.profile.name)
        except FolderLostError as error:
            self._lose(str(error), now)
            return
        working = folder.holds(os.path.basename(folder_paths(b"").working))
        moved = self._root is not None and folder.root.device != self._root.device
        if moved and self._had_working and not working:
            # Another device without our folders: the mount point of a share that is away.
            folder.close()
            self._lose("another file system is in its place", now)
            return
        self._folder, self._root = folder, folder.root
        self._had_working = working
        self._next_scan = now
        if self._lost:
            self._lost = False
            self._emit("folder.returned", folder=self.profile.name)
        if not self.profile.network:
            self._watch()

    def _lose(self, reason: str, now: float) -> None:
        self._unwatch()
        self._close()
        self._next_watch = now + _RETRY
        if not self._lost:
            self._lost = True
            self._counts["losses"] += 1
            self._emit("folder.lost", folder=self.profile.name, reason=reason)

    def _close(self) -> None:
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def _watching(self) -> bool:
        events = self._events
        if events is None:
            return False
        if events.overflows:
            self._counts["overflows"] += events.overflows
            self._emit("folder.overflowed", folder=self.profile.name, times=events.overflows)
            events.overflows = 0
        return events.alive()

    def _watch(self) -> None:
        self._next_watch = self._clock.monotonic() + _RETRY
        try:
            self._events = Events(self._path, self._hints)
        except OSError as error:
            self._emit(
                "folder.not_watched", folder=self.profile.name, reason=str(error.strerror or error)
            )
            self._next_watch += self.profile.rescan
            self._next_scan = min(self._next_scan, self._clock.monotonic() + self.profile.poll)
            return
        self._counts["rewatched"] += 1
        self._next_scan = self._clock.monotonic()

    def _watch_inside(self, folder: bytes) -> None:
        if not folder or self._events is None:
            return
        try:
            self._events.watch(folder)
        except OSError as error:
            self._emit(
                "folder.not_watched", folder=self.profile.name, reason=str(error.strerror or error)
            )

    def _unwatch(self) -> None:
        if self._events is not None:
            self._counts["events"] += self._events.received
            self._events.stop()
            self._events = None

    # -- questions ----------------------------------------------------------------------
    def _is_whole(self, sighting: Sighting) -> Inspection:
        with os_errors("reading the end of a file"):
            return self._ask_whole(sighting)

    def _has_writer(self, sighting: Sighting) -> bool | None:
        if self.profile.network:
            return None
        return has_writer(os.path.join(self._path, sighting.name), sighting)


def _pass(_: bytes) -> None:
    """No events are wanted."""
