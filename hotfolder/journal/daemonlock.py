"""The lock beside a journal: one daemon at a time works on it."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress

from hotfolder.core.errors import OperatorFault
from hotfolder.journal.connection import not_opened


class DaemonLock:
    """Held by the one daemon of a journal, until it is released or the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another daemon in."""
        os.close(self._descriptor)


def acquire_daemon_lock(journal_path: bytes) -> DaemonLock:
    """Take the lock beside the journal (``<journal>.lock``).

    An advisory lock of the kernel: it ends with its process, however that ends, so
    nothing stale is ever left. Raises ``OperatorFault`` naming the holder's process.
    """
    try:
        descriptor = os.open(journal_path + b".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise not_opened(error, "the journal's lock", "journal.lock") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise OperatorFault(
                f"the journal cannot be locked: {error.strerror}",
                hint="keep the journal on a local file system",
                code="journal.lock",
            ) from error
        raise OperatorFault(
            f"another hotfolder works on this journal (process {holder})",
            hint="stop it first; two daemons on one journal are refused",
            code="journal.in_use",
        ) from error
    with suppress(OSError):  # only told to whoever is refused; the disk may be full
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return DaemonLock(descriptor)
