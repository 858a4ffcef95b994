"""Somebody else's folder, opened to be read and for nothing else.

Every directory on the way is opened by descriptor and never through a link, and files are
reached through the descriptor of their directory (``/proc/self/fd``, proc(5)): what is
swapped while it is read leads nowhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hotfolder.core.errors import OperatorFault
from hotfolder.core.legacy import name_id
from hotfolder.files.faults import os_errors
from hotfolder.files.names import split_name

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEEPEST = 64


class Entry(NamedTuple):
    """A directory entry that is no directory."""

    name: bytes  # without folders
    size: int
    mtime_ns: int
    regular: bool


class LegacyTree:
    """The files below a folder."""

    def __init__(self, root: bytes) -> None:
        """The root may be a link: it is the operator's choice. Raises ``OperatorFault``."""
        with os_errors("opening the old archive's export"):
            self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._root)

    def folders(self) -> Iterator[tuple[bytes, list[Entry]]]:
        """(folder relative to the root, its entries in order), for each folder that has
        any; the entries of one folder at a time are in memory. A folder that is a link is
        an entry that is not regular."""
        yield from self._folders(self._root, b"", 0)

    def _folders(
        self, parent: int, prefix: bytes, depth: int
    ) -> Iterator[tuple[bytes, list[Entry]]]:
        if depth > _DEEPEST:
            raise OperatorFault(
                f"the export has folders that lie deeper than {_DEEPEST}",
                hint="name a folder further down, or look for a loop of mounts",
                code="migration.depth",
            )
        inner: list[bytes] = []
        entries: list[Entry] = []
        # Named, because among thousands nobody finds it: they are the export's own names.
        with (
            os_errors(f"reading folder {name_id(prefix) or '.'} of the export"),
            os.scandir(parent) as found,
        ):
            for item in found:
                name = os.fsencode(item.name)
                if item.is_dir(follow_symlinks=False):
                    inner.append(name)
                    continue
                told = item.stat(follow_symlinks=False)
                entries.append(
                    Entry(name, told.st_size, told.st_mtime_ns, stat.S_ISREG(told.st_mode))
                )
        if entries:
            yield prefix, sorted(entries)
        del entries
        for name in sorted(inner):
            with os_errors(f"opening folder {name_id(prefix + name)} of the export"):
                fd = os.open(name, _DIRECTORY, dir_fd=parent)
            try:
                yield from self._folders(fd, prefix + name + b"/", depth + 1)
            finally:
                os.close(fd)

    @contextmanager
    def path_of(self, name: bytes) -> Iterator[bytes]:
        """A path at which the file ``name``, relative to the root, can be opened until the
        block ends. ``ValueError`` for a name that leads away; ``OperatorFault`` if a folder
        on the way is gone or is a link."""
        folders, base = split_name(name)
        fd = os.dup(self._root)
        try:
            with os_errors("opening a folder of the export"):
                for part in folders:
                    inner = os.open(part, _DIRECTORY, dir_fd=fd)
                    os.close(fd)
                    fd = inner
            yield b"/proc/self/fd/%d/%s" % (fd, base)
        finally:
            os.close(fd)

    def look(self, name: bytes) -> Entry | None:
        """What lies there; None if nothing does, or a link is on the way. ``ValueError``
        for a name that leads away."""
        try:
            with self.path_of(name) as path, os_errors("looking at a file of the export"):
                told = os.lstat(path)
        except OperatorFault as error:
            if error.code in ("file.missing", "file.link"):
                return None
            raise
        regular = stat.S_ISREG(told.st_mode)
        return Entry(os.path.basename(name), told.st_size, told.st_mtime_ns, regular)
