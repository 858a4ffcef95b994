"""Events of the kernel as hints where to look. None is a proof, and any may be lost.

Of watchdog only the reader of inotify is used (``InotifyFD``). Its emitter holds back
every event behind a rename out of the folder for half a second, waiting for the other
half, and each claim of ours is such a rename; in a recursive folder it would also
watch ``_working``. Both would cost more than the events save.
"""

from __future__ import annotations

import os
import queue
from typing import NamedTuple

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

CAPACITY = 65_536  # hints that may wait (10 MB); beyond it the folder is scanned instead
# Created: hard links and directories have no other event. What is not listed here
# (modified, opened, moved out) says nothing about an end, and would only fill the queue.
_MASK = Mask(
    InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
)
_GONE = (
    InotifyConstants.IN_UNMOUNT | InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF
)
_CALLBACK = CallbackId(0)


class Hint(NamedTuple):
    """Something happened to ``name``, relative to the hot folder. The empty name is
    the folder itself: look at all of it."""

    name: bytes
    closed: bool = False  # closed after writing, or renamed into place
    moved: bool = False  # renamed into place
    directory: bool = False


EVERYTHING = Hint(b"")


class Events:
    """The watch on one hot folder. The reader's thread only puts hints into a bounded
    queue; everything else happens in the thread that takes them out."""

    def __init__(
        self, path: bytes, hints: queue.SimpleQueue[Hint], before: Events | None = None
    ) -> None:
        """Start the reader; nothing is watched yet. ``before`` is a dead one whose
        counts go on. Raises ``OSError`` if the kernel has no more inotify instances for
        this account."""
        self._path = path
        self._hints = hints
        self._folders: dict[WatchDescriptor, bytes] = {}
        self._watched: dict[tuple[int, int], WatchDescriptor] = {}
        self._full = False
        self._rooted = False
        self.received: int = 0 if before is None else before.received  # events read
        self.overflows: int = 0 if before is None else before.overflows  # times events were lost
        self._reader = InotifyFD()
        self._reader.start()

    def watch(self, folder: bytes = b"") -> None:
        """Watch the hot folder, or a folder inside it; harmless if it is watched.
        Raises ``OSError`` (limits of inotify, permission, gone)."""
        path = os.path.join(self._path, folder) if folder else self._path
        found = os.stat(path, follow_symlinks=not folder)
        key = (found.st_dev, found.st_ino)
        known = self._watched.get(key)
        if known is None or known not in self._folders:
            # Adding it twice would make watchdog warn, and it may have been renamed.
            known = self._reader.add_callback(path, _MASK, self, _CALLBACK)
            if known < 0:  # watchdog keeps quiet about a missing permission
                raise PermissionError("the folder may not be watched")
            self._watched[key] = known
        self._folders[known] = folder
        if not folder:
            self._rooted = True

    def unwatch(self) -> None:
        """Watch nothing any more, until ``watch``."""
        watches = [(watch, _CALLBACK) for watch in list(self._folders)]
        self._rooted = False
        self._folders.clear()
        self._watched.clear()
        self._reader.remove_callbacks(watches)

    def alive(self) -> bool:
        """Whether hints can come: the thread runs and the hot folder is watched."""
        return self._rooted and self._reader.is_alive()

    def running(self) -> bool:
        """Whether the reader's thread runs."""
        return self._reader.is_alive()

    def stop(self) -> None:
        """End the watch and its thread."""
        self._rooted = False
        self._reader.stop()
        self._reader.join()

    # -- called by the reader's thread ------------------------------------------------
    def on_event(self, event: InotifyEvent) -> None:
        """Turn an event into a hint and nothing else."""
        self.received += 1
        folder = self._folders.get(event.wd)
        if folder is None:
            return  # its folder is being scanned at this moment, or is gone
        mask = event.mask
        if mask & _GONE:
            if not folder:
                self._lose_root()
        elif self._hints.qsize() >= CAPACITY:
            self.on_queue_overflow()
        else:
            self._full = False
            moved = bool(mask & InotifyConstants.IN_MOVED_TO)
            self._hints.put(
                Hint(
                    folder + b"/" + event.name if folder else event.name,
                    closed=moved or bool(mask & InotifyConstants.IN_CLOSE_WRITE),
                    moved=moved,
                    directory=bool(mask & InotifyConstants.IN_ISDIR),
                )
            )

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """The kernel has dropped a watch: its folder is gone."""
        if self._folders.pop(wd, None) == b"":
            self._lose_root()

    def on_queue_overflow(self) -> None:
        """Events are lost, by the kernel or by us: ask for a scan, once until hints flow."""
        if not self._full:
            self._full = True
            self.overflows += 1
            self._hints.put(EVERYTHING)

    def _lose_root(self) -> None:
        self._rooted = False
        self._hints.put(EVERYTHING)
