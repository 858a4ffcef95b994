"""A folder for what is needed for a moment: never synced, gone when it is closed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import BinaryIO

from hotfolder.core.errors import Fault, InputFault
from hotfolder.files.content import FILE_MODE, write_descriptor
from hotfolder.files.faults import os_errors
from hotfolder.files.tree import remove_tree

_TOO_MUCH = Fault(
    code="file.longer",
    message="it is longer than its package says",
    remedy="make the package again; until then nothing in it can be believed",
)
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class Scratch:
    """A directory of one's own."""

    def __init__(self, path: bytes) -> None:
        """Nobody else uses ``path``: what lies there was left by a process that was killed,
        and goes. Raises ``Transient`` or ``OperatorFault``."""
        remove_tree(path)
        with os_errors("making a folder for what is needed for a moment"):
            os.mkdir(path, 0o700)
        self._path = path

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        remove_tree(self._path)

    def path(self, name: bytes) -> bytes:
        """Where ``name``, one part, lies."""
        return os.path.join(self._path, os.path.basename(name))

    def writer(self, name: bytes) -> BinaryIO:
        """A file that is open for writing, over what has the name."""
        with os_errors("writing what is needed for a moment"):
            return os.fdopen(os.open(self.path(name), _FLAGS, FILE_MODE), "wb")

    @contextmanager
    def holding(self, name: bytes, data: bytes) -> Iterator[bytes]:
        """The path of a file with ``data``, over what has the name, until the block ends."""
        path = self.put_pieces(name, [data])
        try:
            yield path
        finally:
            with suppress(FileNotFoundError), os_errors("removing what was needed"):
                os.unlink(path)

    def put_pieces(
        self, name: bytes, pieces: Iterable[bytes], *, limit: int | None = None
    ) -> bytes:
        """Write a file from pieces, over what has the name; its path. ``limit`` bytes are the
        most that may come; more raise ``InputFault`` (``file.longer``)."""
        path = self.path(name)
        with os_errors("writing what is needed for a moment"):
            fd = os.open(path, _FLAGS, FILE_MODE)
            try:
                written = 0
                for piece in pieces:
                    written += len(piece)
                    if limit is not None and written > limit:
                        raise InputFault([_TOO_MUCH])
                    write_descriptor(fd, piece)
            finally:
                os.close(fd)
        return path
