"""Getting things onto the disk, cheaply for many.

After a failed sync the kernel may forget that pages were dirty, so a second sync
that succeeds proves nothing: whoever sees the error must write the files again from
their source. Nothing here retries.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from types import TracebackType

from hotfolder.files.faults import classify, os_errors
from hotfolder.files.syscalls import has_whole_sync, sync_file_system

# Measured on ext4 (bench/bench_store.py): one fsync after the other 0.2 ms a file, eight
# at a time 0.1 ms, one syncfs for all 0.02 ms. syncfs also waits for what others have
# written to the same disk, so a handful of files does not use it.
MANY = 24
_THREADS = 8


def _sync(path: bytes, flags: int) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | flags)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_each(paths: Sequence[bytes], flags: int) -> None:
    if len(paths) < 4:
        for path in paths:
            _sync(path, flags)
        return
    # In parallel, because fsyncs that wait together share one commit of the file
    # system's journal.
    with ThreadPoolExecutor(min(_THREADS, len(paths))) as pool:
        for result in [pool.submit(_sync, path, flags) for path in paths]:
            result.result()


def sync_files(paths: Sequence[bytes]) -> None:
    """fsync each file; their bytes and sizes are on disk when this returns.

    Raises ``Transient`` (the files must then be written again) or ``OperatorFault``.
    """
    with os_errors("writing files to disk"):
        _sync_each(paths, 0)


def sync_directories(paths: Sequence[bytes]) -> None:
    """fsync each directory once; renames, new and removed entries are on disk then."""
    with os_errors("writing directories to disk"):
        _sync_each(list(dict.fromkeys(paths)), os.O_DIRECTORY)


class SyncScope:
    """A file system under watch while a batch is written to it.

    Open it before the first write: a writeback error between then and ``sync`` is
    then reported by ``sync``, whoever caused the writeback.
    """

    def __init__(self, path: bytes) -> None:
        with os_errors("opening a folder"):
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._whole = has_whole_sync(self._fd)
        self._ahead: Thread | None = None
        self._ahead_error: OSError | None = None

    def start(self) -> None:
        """Begin to sync what has been written, in another thread, while more is written.

        A hint: it shortens the wait in ``sync``, which raises what went wrong.
        """
        running = self._ahead is not None and self._ahead.is_alive()
        if self._whole and not running and self._ahead_error is None:
            self._ahead = Thread(target=self._sync_ahead, name="sync", daemon=True)
            self._ahead.start()

    def _sync_ahead(self) -> None:
        try:
            sync_file_system(self._fd)
        except OSError as error:
            self._ahead_error = error

    def _wait(self) -> None:
        if self._ahead is not None:
            self._ahead.join()
            self._ahead = None

    def sync(self, files: Sequence[bytes], directories: Sequence[bytes]) -> None:
        """All of ``files`` and ``directories`` are on disk when this returns.

        All must lie on the file system of the scope. Few are synced one by one, many
        with one syncfs. Raises as ``sync_files`` does.
        """
        self._wait()
        if self._ahead_error is not None:
            raise classify(self._ahead_error, "writing a file system to disk")
        if self._whole and len(files) + len(directories) >= MANY:
            with os_errors("writing a file system to disk"):
                sync_file_system(self._fd)
            return
        sync_files(files)
        sync_directories(directories)

    def __enter__(self) -> SyncScope:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wait()
        os.close(self._fd)


def free_space(path: bytes) -> int:
    """Bytes that this account may still write on the file system of ``path``."""
    with os_errors("asking for free space"):
        found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
