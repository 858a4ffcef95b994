"""The directories of a hot folder, held open while files move between them.

Everything goes by descriptor, so that a folder swapped for a symbolic link after
the look cannot lead a rename astray.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType

from hotfolder.files.faults import os_errors
from hotfolder.files.layout import FOLDER_MODE, folder_paths
from hotfolder.files.names import check_spool_id, numbered, split_name
from hotfolder.files.syscalls import rename_new

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = 256  # folders held open at most, but for one drop's own
_NUMBERS = 10_000  # names tried for a file that may not overwrite another


class Places:
    """Open descriptors of a hot folder, of ``_working`` and of folders inside both."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._open: dict[bytes, int] = {}
        self._seen: dict[bytes, None] = {}
        with os_errors("opening the hot folder"):
            # The root may be a link: it is the operator's choice, not a name from outside.
            self.root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self.working_fd = os.open(b"_working", _DIRECTORY, dir_fd=self.root_fd)
            except OSError:
                os.close(self.root_fd)
                raise

    def __enter__(self) -> Places:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for fd in (*self._open.values(), self.working_fd, self.root_fd):
            os.close(fd)
        self._open.clear()

    def parent(self, name: bytes) -> tuple[int, bytes]:
        """The open folder that holds ``name`` (relative to the root), and its last part.

        Raises ``OSError`` if a folder on the way is gone or has become a link,
        ``ValueError`` for a name that leads away.
        """
        folders, base = split_name(name)
        fd = self.root_fd
        path = b""
        for part in folders:
            path = os.path.join(path, part)
            if path not in self._open:
                self._open[path] = os.open(part, _DIRECTORY, dir_fd=fd)
                self._seen[path] = None
            fd = self._open[path]
        return fd, base

    def home(self, name: bytes) -> tuple[int, bytes]:
        """As ``parent``; the root itself where the folder has gone meanwhile."""
        try:
            return self.parent(name)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return self.root_fd, os.path.basename(name)

    def folders(self) -> list[bytes]:
        """Paths of the folders opened so far, with root and ``_working``."""
        paths = folder_paths(self._root)
        return [paths.root, paths.working, *(os.path.join(self._root, path) for path in self._seen)]

    def trim(self) -> None:
        """Close folders below the root if many are open; none may be in use."""
        if len(self._open) > _OPEN:
            for fd in self._open.values():
                os.close(fd)
            self._open.clear()

    def make_working(self, spool_id: str) -> int:
        """Make (or find) ``_working/<id>``; the caller closes the descriptor."""
        name = check_spool_id(spool_id)
        with suppress(FileExistsError):
            os.mkdir(name, FOLDER_MODE, dir_fd=self.working_fd)
        return os.open(name, _DIRECTORY, dir_fd=self.working_fd)

    def open_working(self, spool_id: str) -> int | None:
        """``_working/<id>``, or None if there is none; the caller closes it."""
        try:
            return os.open(check_spool_id(spool_id), _DIRECTORY, dir_fd=self.working_fd)
        except FileNotFoundError:
            return None

    def remove_working(self, spool_id: str) -> None:
        """Remove the empty ``_working/<id>``."""
        os.rmdir(check_spool_id(spool_id), dir_fd=self.working_fd)


def look(fd: int, name: bytes) -> os.stat_result | None:
    """What ``name`` is in the open folder ``fd``, not followed; None if it is not there."""
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None


def is_file(fd: int, name: bytes) -> bool:
    """Whether ``name`` is a regular file in the open folder ``fd``."""
    found = look(fd, name)
    return found is not None and stat.S_ISREG(found.st_mode)


def free_names(names: Sequence[bytes], spool: bytes, taken: Iterable[int]) -> list[bytes]:
    """The first numbering of ``names`` of which none exists in the open folders ``taken``."""
    folders = tuple(dict.fromkeys(taken))
    for number in range(_NUMBERS):
        found = numbered(names, spool, number)
        if len(set(found)) == len(found) and not any(
            look(fd, name) is not None for fd in folders for name in found
        ):
            return found
    raise FileExistsError(errno.EEXIST, "no free name")


def put_back(fd: int, spool: bytes, moves: Sequence[tuple[bytes, int]]) -> int:
    """Move files (name, target folder) out of the open working folder ``fd``.

    Nothing is overwritten: where a newer file has a name, all get a number. Returns
    how many moved. Raises ``OSError``.
    """
    here = [(name, target) for name, target in moves if look(fd, name) is not None]
    if not here:
        return 0
    names = free_names([name for name, _ in here], spool, [target for _, target in here])
    for (name, target), new in zip(here, names, strict=True):
        rename_new(fd, name, target, new)
    return len(here)
