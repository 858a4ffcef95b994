"""Bytes of files: opened without following links, hashed, copied, written atomically."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO

from hotfolder.core.errors import Corrupt
from hotfolder.files.durability import sync_all
from hotfolder.files.faults import classified

BUFFER = 1024 * 1024
_COPY_STEP = 64 * 1024 * 1024


def open_regular(path: bytes) -> BinaryIO:
    """Open a regular file for reading; never a link, fifo or device.

    Raises ``Corrupt`` if it is missing or something else (a claimed file was
    tampered with), ``Transient`` or ``OperatorFault`` for what the disk says.
    """
    try:
        # O_NONBLOCK: the open of a fifo without writer would wait forever
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.ENOTDIR):
            raise Corrupt(
                "a file that hotfolder had claimed is gone or has become a link",
                hint="find out who works in _working; only hotfolder may",
                code="working.missing",
            ) from error
        with classified("opening a file"):
            raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Corrupt(
            "a file that hotfolder had claimed is no regular file",
            hint="find out who works in _working; only hotfolder may",
            code="working.irregular",
        )
    return os.fdopen(descriptor, "rb", buffering=0)


def hash_stream(stream: BinaryIO) -> tuple[str, int]:
    """SHA-256 (hex) and length of what is left of ``stream``, in flat memory."""
    digest = hashlib.sha256()
    size = 0
    buffer = bytearray(BUFFER)
    view = memoryview(buffer)
    read = getattr(stream, "readinto", None)
    if read is None:
        raise TypeError("a raw or buffered binary stream is needed")
    while count := read(buffer):
        digest.update(view[:count])
        size += count
    return digest.hexdigest(), size


def hash_file(path: bytes) -> tuple[str, int]:
    """SHA-256 (hex) and size of a regular file. Raises as ``open_regular`` does."""
    with classified("reading a file"), open_regular(path) as stream:
        return hash_stream(stream)


def copy_file(source: bytes, target: bytes, mode: int = 0o640) -> int:
    """Copy a regular file to a new name; returns the number of bytes. Not synced.

    The kernel copies (and shares the blocks where the file system can). Raises
    ``FileExistsError`` if ``target`` is there, errors of ours otherwise.
    """
    with open_regular(source) as stream:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with classified("copying a file"):
                return _copy(stream.fileno(), descriptor)
        finally:
            os.close(descriptor)


def _copy(source: int, target: int) -> int:
    copied = 0
    try:
        while count := os.copy_file_range(source, target, _COPY_STEP):
            copied += count
        return copied
    except OSError as error:
        # Between file systems, or on one that cannot: copied by hand from where it stopped.
        if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
    while data := os.read(source, BUFFER):
        view = memoryview(data)
        while view:
            written = os.write(target, view)
            view = view[written:]
        copied += len(data)
    return copied


def write_new(path: bytes, data: bytes, mode: int = 0o640) -> None:
    """Write a file that must not be there yet. Not synced. Raises ``OSError``."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def write_all(items: Sequence[tuple[bytes, bytes]], mode: int = 0o640) -> None:
    """Write or replace files so that each is seen whole or not at all.

    When it returns, contents and names are synced. Interrupted, it may leave
    temporary names (``.hf-…``) behind; the next call replaces them. Raises
    ``Transient`` or ``OperatorFault``; nothing of what failed is visible then.
    """
    with classified("writing a file"):
        pairs: list[tuple[bytes, bytes]] = []
        for path, data in items:
            # By hash, not by appending: the name may already be as long as a name can be.
            mark = hashlib.sha256(os.path.basename(path)).hexdigest()[:24].encode()
            temporary = os.path.join(os.path.dirname(path), b".hf-" + mark)
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            write_new(temporary, data, mode)
            pairs.append((temporary, path))
        sync_all([temporary for temporary, _ in pairs], [])
        for temporary, path in pairs:
            os.rename(temporary, path)
        sync_all([], [os.path.dirname(path) for _, path in pairs])


def read_small(path: bytes, limit: int = BUFFER) -> bytes | None:
    """The bytes of a small regular file, or None if it is not there."""
    with classified("reading a file"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read(limit)
