"""Looking into a hot folder: every entry, or one. Links are never followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hotfolder.core.records import Sighting

DEEPEST = 32  # folders inside folders; a deeper tree is somebody's mistake
# A folder inside that is gone, no folder any more, or closed to us: the rest goes on.
_NO_WAY = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES)
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class FolderLostError(Exception):
    """The hot folder is not there, or something else is in its place.

    It may be an unmounted share: nothing that was seen in it may be concluded gone.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Which directory a hot folder is."""

    device: int
    inode: int


class Folder:
    """An open hot folder. Close it, or use it as a context."""

    def __init__(self, path: bytes, name: str) -> None:
        """Raises ``FolderLostError`` if there is no such directory to read."""
        try:
            # The root may be a link: that is the operator's choice, not a name from outside.
            self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise FolderLostError(os.strerror(error.errno or 0)) from error
        found = os.fstat(self.fd)
        self.root = Root(device=found.st_dev, inode=found.st_ino)
        self._name = name

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self.fd)

    def holds(self, name: bytes) -> bool:
        """Whether the folder has an entry ``name``."""
        try:
            os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except OSError:
            return False
        return True

    def look(self, name: bytes, *, closed: bool = False, fresh: bool = False) -> Sighting | None:
        """One look at ``name``; None if it is not there.

        ``fresh`` opens a regular file, because a network file system may answer
        from its cache otherwise. Raises ``OSError`` if the folder cannot be read.
        """
        folders, _, base = name.rpartition(b"/")
        try:
            fd = self._descend(folders) if folders else self.fd
        except OSError as error:
            if error.errno in _NO_WAY:
                return None
            raise
        try:
            found = os.stat(base, dir_fd=fd, follow_symlinks=False)
            if fresh and stat.S_ISREG(found.st_mode):
                found = _stat_open(base, fd) or found
        except FileNotFoundError:
            return None
        finally:
            if fd != self.fd:
                os.close(fd)
        if stat.S_ISDIR(found.st_mode):
            return None
        return self._sighting(name, found, closed=closed)

    def scan(
        self,
        *,
        recursive: bool,
        hides: Callable[[bytes], bool],
        begin: bytes = b"",
        entered: Callable[[bytes], None] = lambda _: None,
    ) -> Iterator[Sighting]:
        """Every entry that is no directory, in the order of the file system.

        ``hides`` says which folders inside are left out; so are those on another
        device and those deeper than ``DEEPEST``. ``entered`` is told of each folder
        before it is read. ``begin`` is where to begin below the root. Raises
        ``OSError`` if the first folder cannot be read.
        """
        waiting = [begin]
        while waiting:
            path = waiting.pop()
            entered(path)
            try:
                for full, found in self._entries(path):
                    if not stat.S_ISDIR(found.st_mode):
                        yield self._sighting(full, found)
                    elif (
                        recursive
                        and found.st_dev == self.root.device
                        and full.count(b"/") < DEEPEST
                        and not hides(full)
                    ):
                        waiting.append(full)
            except OSError as error:
                if path == begin or error.errno not in _NO_WAY:
                    raise

    def _entries(self, path: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
        fd = self._descend(path) if path else os.open(b".", _DIRECTORY, dir_fd=self.fd)
        prefix = path + b"/" if path else b""
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue  # gone between the listing and the look
                    yield prefix + os.fsencode(entry.name), found
        finally:
            os.close(fd)

    def _descend(self, path: bytes) -> int:
        """Open the folder ``path`` below the root, part by part; no link is followed."""
        fd = self.fd
        for part in path.split(b"/"):
            try:
                inner = os.open(part, _DIRECTORY, dir_fd=fd)
            finally:
                if fd != self.fd:
                    os.close(fd)
            fd = inner
        return fd

    def _sighting(self, name: bytes, found: os.stat_result, *, closed: bool = False) -> Sighting:
        return Sighting(
            folder=self._name,
            name=name,
            size=found.st_size,
            mtime_ns=found.st_mtime_ns,
            inode=found.st_ino,
            # one number for all, not one each
            device=self.root.device if found.st_dev == self.root.device else found.st_dev,
            regular=stat.S_ISREG(found.st_mode),
            closed=closed,
        )


def _stat_open(base: bytes, fd: int) -> os.stat_result | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        file = os.open(base, flags, dir_fd=fd)
    except OSError:
        return None  # unreadable: whoever claims it says so
    try:
        return os.fstat(file)
    finally:
        os.close(file)
