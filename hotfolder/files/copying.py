"""Copies of files, made in the kernel and read back."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from hotfolder.files.content import FILE_MODE, hash_descriptor, open_descriptor, write_descriptor
from hotfolder.files.faults import os_errors
from hotfolder.files.syscalls import start_writeback

CHUNK = 8 << 20
_IN_USER_SPACE = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)


def _copy_some(source: int, target: int, count: int) -> int:
    """Copy up to ``count`` bytes onwards from where both descriptors stand."""
    if count == 0:
        return 0
    try:
        if copied := os.copy_file_range(source, target, count):
            return copied
    except OSError as error:
        if error.errno not in _IN_USER_SPACE:
            raise
    data = os.read(source, min(count, 1 << 20))
    write_descriptor(target, data)
    return len(data)


def _copy_on(
    source: int, target: int, size: int, copied: Callable[[int, int], None] | None = None
) -> int:
    # No further than the file reached when it was opened: a writer may still append to it,
    # for as long as it likes.
    total = 0
    while count := _copy_some(source, target, min(CHUNK, size - total)):
        if copied is not None:
            copied(total, count)
        total += count
    return total


def _create(path: bytes, mode: int, dir_fd: int | None = None) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, mode, dir_fd=dir_fd)


def copy_between(source_fd: int, source: bytes, target_fd: int, target: bytes) -> int:
    """Copy a regular file, as long as it is now, from one open folder to another,
    replacing ``target``; returns the bytes copied.

    Not synced, not atomic. Raises as ``open_descriptor`` does, and ``Transient`` for a
    full disk; a half-made copy is left for the caller to remove.
    """
    fd, found = open_descriptor(source, dir_fd=source_fd)
    try:
        with os_errors("copying a file"):
            with suppress(FileNotFoundError):
                os.unlink(target, dir_fd=target_fd)
            copy = _create(target, FILE_MODE, target_fd)
            try:
                return _copy_on(fd, copy, found.st_size)
            finally:
                os.close(copy)
    finally:
        os.close(fd)


def copy_and_hash(source: bytes, target: bytes, mode: int = FILE_MODE) -> tuple[str, int]:
    """Copy a regular file and return SHA-256 (hex) and size of the *copy*, read back.

    A small copy is not synced. One larger than 8 MiB is on disk when this returns
    (its directory entry is not): writing, reading back and hashing then go on side by
    side, in two threads and some 10 MiB of memory. Raises as ``copy_between`` does.
    """
    fd, found = open_descriptor(source)
    try:
        with os_errors("copying a file"):
            copy = _create(target, mode)
            try:
                if found.st_size > CHUNK:
                    return _copy_large(fd, copy, found.st_size)
                return _copy_small(fd, copy, found.st_size)
            finally:
                os.close(copy)
    finally:
        os.close(fd)


def _copy_small(fd: int, copy: int, size: int) -> tuple[str, int]:
    # One read and one write: for a few kilobytes copy_file_range only adds a call.
    left = size
    while left and (data := os.read(fd, left)):
        write_descriptor(copy, data)
        left -= len(data)
    os.lseek(copy, 0, os.SEEK_SET)
    return hash_descriptor(copy, size)


def _copy_large(fd: int, copy: int, size: int) -> tuple[str, int]:
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(1 << 20))
    steps: list[Future[None]] = []

    def read_back(offset: int, count: int) -> None:
        end = offset + count
        while offset < end:
            got = os.preadv(copy, [buffer[: min(len(buffer), end - offset)]], offset)
            if not got:
                raise OSError(errno.EIO, "a copy is shorter than what was written")
            digest.update(buffer[:got])
            offset += got

    def copied(offset: int, count: int) -> None:
        start_writeback(copy, offset, count)
        steps.append(reader.submit(read_back, offset, count))
        while len(steps) > 4:
            steps.pop(0).result()

    with ThreadPoolExecutor(1) as reader:
        total = _copy_on(fd, copy, size, copied)
        os.fsync(copy)
        for step in steps:
            step.result()
    return digest.hexdigest(), total
