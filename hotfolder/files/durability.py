"""What makes bytes and names survive a power cut.

``fsync`` of a file makes its bytes durable, ``fsync`` of a directory the names in
it. Many files are synced by a few threads at once: the file system's journal
commits are shared then, where one thread would pay for each. ``syncfs`` was not
chosen: it would also wait for whatever Exstream is writing on the same disk.

A sync that failed must not be repeated and believed: the kernel may have marked
the pages clean (the "fsyncgate" of 2018). It raises, and the caller writes anew.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

_THREADS = 16
_ALONE = 3  # up to so many, starting threads costs more than it shares

_pool: ThreadPoolExecutor | None = None
_pool_owner = 0


def sync_directory(path: bytes) -> None:
    """Make the names in a directory durable. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: bytes) -> None:
    """Make a file's bytes durable. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(files: Sequence[bytes], directories: Sequence[bytes]) -> None:
    """Make all of these durable; the first ``OSError`` is raised after all were tried."""
    work = [(sync_file, path) for path in files]
    work += [(sync_directory, path) for path in dict.fromkeys(directories)]
    if len(work) <= _ALONE:
        for sync, path in work:
            sync(path)
        return
    pending = [_threads().submit(sync, path) for sync, path in work]
    errors = [error for error in (future.exception() for future in pending) if error]
    if errors:
        raise errors[0]


def _threads() -> ThreadPoolExecutor:
    """The pool, made on first use; a forked child makes its own."""
    global _pool, _pool_owner  # noqa: PLW0603  one pool for the process
    if _pool is None or _pool_owner != os.getpid():
        _pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="sync")
        _pool_owner = os.getpid()
    return _pool


def free_bytes(path: bytes) -> int:
    """Bytes that an ordinary user may still write to the file system of ``path``."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
