"""The bytes of files: open without following, hash, write so that it lasts."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import BinaryIO

from hotfolder.core.errors import Fault, InputFault, OperatorFault
from hotfolder.files.durability import SyncScope
from hotfolder.files.faults import classify, os_errors

BUFFER = 1 << 20
FILE_MODE = 0o640
TEMPORARY = b".hotfolder-"  # begins the name of a file that is not whole yet


def _not_regular() -> InputFault:
    return InputFault(
        [
            Fault(
                code="file.not_regular",
                message="this is not a plain file",
                remedy="drop the file itself, not a link, a pipe or a device",
            )
        ]
    )


def open_descriptor(path: bytes, dir_fd: int | None = None) -> tuple[int, os.stat_result]:
    """A descriptor for reading a regular file, and what it is; the caller closes it.

    Neither a link nor the opening of a fifo is followed or waited for. Raises
    ``InputFault`` (``file.not_regular``), ``OperatorFault`` (``file.missing``,
    ``file.permission``) or ``Transient``.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        fd = os.open(path, flags, dir_fd=dir_fd)
    except OSError as error:
        fault = classify(error, "opening a file")
        raise (_not_regular() if fault.code == "file.link" else fault) from error
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise _not_regular()
    return fd, found


def open_regular(path: bytes) -> BinaryIO:
    """Open a regular file for reading, buffered; raises as ``open_descriptor`` does."""
    return os.fdopen(open_descriptor(path)[0], "rb")


def hash_descriptor(
    fd: int, size: int, reached: Callable[[int], None] | None = None
) -> tuple[str, int]:
    """SHA-256 (hex) and number of bytes from the descriptor's place to its end.

    ``size`` is a guess that sizes the buffer. Memory: 1 MiB at most. ``reached`` is told of
    the bytes of each piece, and may take its time.
    """
    digest = hashlib.sha256()
    total = 0
    buffer = memoryview(bytearray(min(BUFFER, size + 1)))
    while count := os.readv(fd, [buffer]):
        digest.update(buffer[:count])
        total += count
        if reached is not None:
            reached(count)
    return digest.hexdigest(), total


def hash_file(path: bytes, reached: Callable[[int], None] | None = None) -> tuple[str, int]:
    """SHA-256 (hex) and size of a regular file; raises as ``open_descriptor`` does.

    With ``reached``, which is told of the bytes of each piece, it is read from the disk,
    not from the kernel's memory of it.
    """
    fd, found = open_descriptor(path)
    try:
        with os_errors("reading a file"):
            if found.st_size > BUFFER:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            if reached is not None:
                # Only pages that are written are dropped; those of others stay in use.
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            try:
                return hash_descriptor(fd, found.st_size, reached)
            finally:
                if reached is not None:
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def size_of(path: bytes) -> int:
    """Bytes in a file, not followed; 0 if it is gone."""
    with os_errors("looking at a file"), suppress(FileNotFoundError):
        return os.lstat(path).st_size
    return 0


def write_descriptor(fd: int, data: bytes | memoryview) -> None:
    """Write all of ``data``; raises ``OSError``."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def write_new(path: bytes, data: bytes, mode: int = FILE_MODE) -> None:
    """Make a file that must not exist, write it, read it back and compare.

    Not synced. Raises ``OSError``, also (EIO) if what is read back differs.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path, flags, mode)
    try:
        write_descriptor(fd, data)
        if os.pread(fd, len(data) + 1, 0) != data:
            raise OSError(errno.EIO, "a file reads back otherwise than it was written")
    finally:
        os.close(fd)


def write_stream(path: bytes, chunks: Iterable[bytes], mode: int = FILE_MODE) -> str:
    """``write_new`` for what is too much for memory; returns the SHA-256 (hex). What is
    read back may come from the kernel's cache."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    digest = hashlib.sha256()
    fd = os.open(path, flags, mode)
    try:
        pending = bytearray()
        for chunk in chunks:
            pending += chunk
            if len(pending) >= BUFFER:
                digest.update(pending)
                write_descriptor(fd, memoryview(bytes(pending)))
                pending.clear()
        digest.update(pending)
        write_descriptor(fd, memoryview(bytes(pending)))
        size = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, 0, os.SEEK_SET)
        if hash_descriptor(fd, size) != (digest.hexdigest(), size):
            raise OSError(errno.EIO, "a file reads back otherwise than it was written")
    finally:
        os.close(fd)
    return digest.hexdigest()


def new_file(path: bytes, mode: int = FILE_MODE) -> BinaryIO:
    """A file that must not exist, open for writing. Raises ``OperatorFault`` or ``Transient``."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.fdopen(os.open(path, flags, mode), "wb")
    except FileExistsError as error:
        raise OperatorFault(
            "the file is there already",
            hint="name a file that is not there yet",
            code="file.exists",
        ) from error
    except OSError as error:
        raise classify(error, "making a file") from error


def temporary_name(path: bytes) -> bytes:
    """The name beside ``path`` under which it is written before it is whole."""
    # A function of the name, so that a second attempt removes what a crash left.
    folder, name = os.path.split(path)
    return os.path.join(folder, TEMPORARY + hashlib.sha256(name).hexdigest()[:24].encode())


def write_all(
    texts: Sequence[tuple[bytes, bytes | Iterable[bytes]]], mode: int = FILE_MODE
) -> None:
    """Write files, each whole or not at all, replacing what has the name.

    ``texts`` are (path, bytes), or (path, pieces) for what is too much for memory, in
    folders of one file system. All are on disk when
    this returns; after a crash before that, some may be new and the others old.
    Raises ``Transient`` or ``OperatorFault``.
    """
    if not texts:
        return
    temporaries = [temporary_name(path) for path, _ in texts]
    folders = list(dict.fromkeys(os.path.dirname(path) for path, _ in texts))
    with SyncScope(folders[0]) as scope, os_errors("writing a file"):
        try:
            for temporary, (_, data) in zip(temporaries, texts, strict=True):
                _discard(temporary)
                if isinstance(data, bytes):
                    write_new(temporary, data, mode)
                else:
                    write_stream(temporary, data, mode)
            scope.sync(temporaries, ())
            for temporary, (path, _) in zip(temporaries, texts, strict=True):
                os.rename(temporary, path)
            scope.sync((), folders)
        finally:
            for temporary in temporaries:
                _discard(temporary)


def _discard(path: bytes) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def write_atomically(path: bytes, data: bytes, mode: int = FILE_MODE) -> None:
    """``write_all`` for one file."""
    write_all([(path, data)], mode)
