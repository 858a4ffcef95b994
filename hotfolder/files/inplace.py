"""Files that are changed where they lie: written over, so that what was there is gone.

Writing over reaches the old bytes only where the file system writes in place (ext4, XFS);
one that copies on write, and the flash below any of them, may keep them for a time.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hotfolder.files.content import BUFFER, write_descriptor
from hotfolder.files.faults import os_errors

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def locked(folder: bytes) -> Iterator[None]:
    """No other thread or process that asks has this folder until the block ends."""
    with os_errors("locking a folder"):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os_errors("locking a folder"):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def write_over(path: bytes, pieces: Sequence[tuple[int, bytes]]) -> None:
    """Write each (offset, bytes) over what is there. On disk when this returns; after a
    crash before that each piece may be old or new, and is whole if it lies in one sector.

    Raises ``Transient`` or ``OperatorFault``.
    """
    with os_errors("writing over a file"):
        fd = os.open(path, _FLAGS)
        try:
            for offset, data in pieces:
                if os.pwrite(fd, data, offset) != len(data):
                    raise OSError(errno.EIO, "a file was not written over")
            os.fsync(fd)
        finally:
            os.close(fd)


def shred(path: bytes) -> bool:
    """Write zeros over a whole file, on disk, and remove it; False if there is none. The
    removal is not synced."""
    with os_errors("writing over a file"):
        try:
            fd = os.open(path, _FLAGS)
        except FileNotFoundError:
            return False
        try:
            left = os.fstat(fd).st_size
            while left > 0:
                write_descriptor(fd, bytes(min(left, BUFFER)))
                left -= BUFFER
            os.fsync(fd)
        finally:
            os.close(fd)
        os.unlink(path)
    return True
