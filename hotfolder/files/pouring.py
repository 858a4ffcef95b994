"""A new file that is written piece by piece, while others are."""

from __future__ import annotations

import errno
import hashlib
import os
from types import TracebackType

from hotfolder.files.content import BUFFER, FILE_MODE, hash_descriptor, write_descriptor
from hotfolder.files.faults import os_errors
from hotfolder.files.syscalls import start_writeback


class NewFile:
    """A file that must not exist yet. Memory: 1 MiB at most.

    Not synced. Every method raises ``Transient`` or ``OperatorFault``, ``finish`` also if
    what is read back (maybe from the kernel's cache) differs.
    """

    def __init__(self, path: bytes, mode: int = FILE_MODE) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with os_errors("writing a file"):
            self._fd = os.open(path, flags, mode)
        self._digest = hashlib.sha256()
        self._pending = bytearray()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Some more of it."""
        self._pending += data
        if len(self._pending) >= BUFFER:
            self._flush()

    def _flush(self) -> None:
        data = bytes(self._pending)
        self._pending.clear()
        self._digest.update(data)
        with os_errors("writing a file"):
            write_descriptor(self._fd, data)
            start_writeback(self._fd, self._size, len(data))
        self._size += len(data)

    def finish(self, *, read_back: bool = True) -> str:
        """The SHA-256 (hex) of it. It is read back, unless the caller does that."""
        self._flush()
        if not read_back:
            return self._digest.hexdigest()
        with os_errors("reading a file back"):
            os.lseek(self._fd, 0, os.SEEK_SET)
            if hash_descriptor(self._fd, self._size) != (self._digest.hexdigest(), self._size):
                raise OSError(errno.EIO, "a file reads back otherwise than it was written")
        return self._digest.hexdigest()

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._fd)
