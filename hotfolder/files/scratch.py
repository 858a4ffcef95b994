"""A folder for what is needed for a moment: never synced, gone when it is closed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
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
    """A directory of one's own below ``place``."""

    def __init__(self, place: bytes) -> None:
        """Raises ``Transient`` or ``OperatorFault``."""
        with os_errors("making a folder for what is needed for a moment"):
            self._path = tempfile.mkdtemp(prefix=b".hotfolder-scratch-", dir=place)

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

    def put(self, name: bytes, data: bytes) -> bytes:
        """Write a file, over what has the name; its path."""
        return self.put_pieces(name, [data])

    def put_pieces(
        self, name: bytes, pieces: Iterable[bytes], *, limit: int | None = None
    ) -> bytes:
        """The same from pieces. ``limit`` bytes are the most that may come; more raise
        ``InputFault`` (``file.longer``)."""
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
