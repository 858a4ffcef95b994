"""Events of the kernel as hints where to look. None is a proof, and any may be lost.

Of watchdog only the reader of inotify is used (``InotifyFD``). Its emitter holds back
every event behind a rename out of the folder for half a second, waiting for the other
half, and each claim of ours is such a rename; in a recursive folder it would also
watch ``_working``. Both would cost more than the events save.
"""

from __future__ import annotations

import logging
import os
import queue
from dataclasses import dataclass

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

CAPACITY = 65_536  # hints that may wait; beyond it the folder is scanned instead
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
_ROOT_GONE = InotifyConstants.IN_UNMOUNT | InotifyConstants.IN_DELETE_SELF
_CALLBACK = CallbackId(0)


@dataclass(frozen=True, slots=True)
class Hint:
    """Something happened to ``name``, relative to the hot folder.

    The empty name is the folder itself: look at all of it.
    """

    name: bytes
    closed: bool = False  # closed after writing, or renamed into place
    moved: bool = False  # renamed into place
    directory: bool = False


class Events:
    """The watch on one hot folder. The reader's thread only puts hints into a bounded
    queue; everything else happens in the thread that takes them out."""

    def __init__(self, path: bytes, hints: queue.SimpleQueue[Hint]) -> None:
        """Begin to watch ``path``. Raises ``OSError`` if the kernel will not (limits
        of inotify, permissions, not a directory)."""
        self._path = path
        self._hints = hints
        self._folders: dict[WatchDescriptor, bytes] = {}
        self.received = 0
        self.overflows = 0
        self.lost_root = False
        self._full = False
        self._stopping = False
        self._reader = InotifyFD()
        self._reader.daemon = True
        self._handler = _OverflowLog(self)
        logger = logging.getLogger("watchdog.observers.inotify_c")
        logger.addHandler(self._handler)
        self._reader.start()
        try:
            self.watch(b"")
        except OSError:
            self.stop()
            raise

    def watch(self, folder: bytes) -> None:
        """Watch a folder inside the hot folder too (once is enough). Raises ``OSError``."""
        path = os.path.join(self._path, folder) if folder else self._path
        found = self._reader.add_callback(path, _MASK, self, _CALLBACK)
        if found < 0:  # watchdog keeps quiet about a missing permission
            raise PermissionError("the folder may not be watched")
        self._folders[found] = folder

    def alive(self) -> bool:
        """Whether hints can still come: the thread runs and the folder is still there."""
        return self._reader.is_alive() and not self.lost_root

    def stop(self) -> None:
        """End the watch and its thread."""
        self._stopping = True
        logging.getLogger("watchdog.observers.inotify_c").removeHandler(self._handler)
        self._reader.stop()
        self._reader.join()

    def reader(self) -> int | None:
        """The reader's thread, as log records name it."""
        return self._reader.ident

    # -- called by the reader's thread ------------------------------------------------
    def on_event(self, event: InotifyEvent) -> None:
        """Turn an event into a hint and nothing else."""
        self.received += 1
        folder = self._folders.get(event.wd)
        if event.mask & _ROOT_GONE or event.is_move_self:
            if folder == b"":
                self.lost_root = True
                self._hints.put(_EVERYTHING)
            return
        if folder is None:
            # An event of a folder that was watched a moment ago and is not yet noted.
            self.overflow()
            return
        if self._hints.qsize() >= CAPACITY:
            self.overflow()
            return
        self._full = False
        moved = event.is_moved_to
        self._hints.put(
            Hint(
                folder + b"/" + event.name if folder else event.name,
                closed=moved or event.is_close_write,
                moved=moved,
                directory=bool(event.mask & InotifyConstants.IN_ISDIR),
            )
        )

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """The kernel has dropped a watch: its folder is gone."""
        if self._folders.pop(wd, None) == b"" and not self._stopping:
            self.lost_root = True
            self._hints.put(_EVERYTHING)

    def on_queue_overflow(self) -> None:
        """The kernel has dropped events; ``_OverflowLog`` has told already."""

    def overflow(self) -> None:
        """Events are lost: ask for a scan, once until hints flow again."""
        if not self._full:
            self._full = True
            self.overflows += 1
            self._hints.put(_EVERYTHING)


class _OverflowLog(logging.Handler):
    """Hears watchdog say that the kernel's queue overflowed."""

    def __init__(self, events: Events) -> None:
        super().__init__(logging.WARNING)
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler``; the record of another folder's reader is not ours."""
        if record.thread == self._events.reader() and "overflow" in record.getMessage():
            self._events.overflow()


_EVERYTHING = Hint(b"")
