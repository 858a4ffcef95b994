"""Running in the background, for hosts without systemd (PEP 3143, python-daemon).

Everything is explicit, because python-daemon's defaults are for another time: umask
0, output to nowhere, SIGTERM exits 1. It happens before any thread, socket or
database exists: the context forks and closes every descriptor.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import BinaryIO, NoReturn

from daemon import DaemonContext

from hotfolder.core.errors import EX_OK, OperatorFault
from hotfolder.service.terminal import open_missing_streams

UMASK = 0o027
_WORKING_DIRECTORY = "/"  # keeps no mount busy; paths must be absolute by then


def run_in_background(pid_path: str, log_path: str, run: Callable[[], int]) -> int:
    """Detach, call ``run`` in the background process and return there what it returns.

    The calling process exits with 0 as soon as the child has been made. Relative paths
    are taken from the present directory; ``run`` starts in ``/``. Standard output and
    error are appended to ``log_path``. ``pid_path`` holds the process id while it runs;
    a file that a crash left behind does no harm, because a kernel lock decides.

    Raises ``OperatorFault`` before anything is detached: a daemon with this PID file
    runs already, or one of the files cannot be written.
    """
    pid_file = PidFile(os.path.abspath(pid_path))
    pid_file.check_free()
    log = _open_log(os.path.abspath(log_path))
    open_missing_streams()  # the context replaces them
    sys.stdout.flush()
    sys.stderr.flush()
    context = DaemonContext(
        detach_process=True,
        working_directory=_WORKING_DIRECTORY,
        umask=UMASK,
        uid=os.getuid(),
        gid=os.getgid(),
        initgroups=False,
        prevent_core=True,  # a core file would hold the password
        files_preserve=[],
        pidfile=pid_file,
        stdin=None,
        stdout=log,
        stderr=log,
        signal_map={
            signal.SIGTERM: _stop_early,  # until the supervisor puts its own handlers in
            signal.SIGINT: _stop_early,
            signal.SIGHUP: None,
            signal.SIGTSTP: None,
            signal.SIGTTIN: None,
            signal.SIGTTOU: None,
        },
    )
    with context:
        return run()


def _stop_early(_number: int, _frame: FrameType | None) -> NoReturn:
    # Whatever was being opened is crash-proof; leaving removes the PID file.
    raise SystemExit(EX_OK)


def _open_log(path: str) -> BinaryIO:
    # Appending: after logrotate's copytruncate the next line begins at the new end.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise OperatorFault(
            f"the log file {path} cannot be written: {error.strerror}",
            hint="name another with --log-file, or let this user write it",
            code="background.log",
        ) from error
    return os.fdopen(descriptor, "ab", buffering=0)


class PidFile:
    """A file with our process id, locked while we live. Taken by ``with``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None

    def check_free(self) -> None:
        """Raise ``OperatorFault`` if a living process has it or it cannot be written."""
        descriptor = self._lock()
        os.close(descriptor)

    def __enter__(self) -> PidFile:
        descriptor = self._lock()
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            # Removed while still locked: nobody else's file can be hit.
            os.unlink(self._path)
            os.close(self._descriptor)
            self._descriptor = None

    def _lock(self) -> int:
        """An open, locked file that is still the one at the path."""
        while True:
            try:
                descriptor = os.open(
                    self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
                )
            except OSError as error:
                raise OperatorFault(
                    f"the PID file {self._path} cannot be written: {error.strerror}",
                    hint="name another with --pid-file, or let this user write it",
                    code="background.pid",
                ) from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
                os.close(descriptor)
                raise OperatorFault(
                    f"a daemon with the PID file {self._path} runs already (process {owner})",
                    hint=f"stop it with `kill {owner}`, or name another PID file",
                    code="background.running",
                ) from error
            if self._is_ours(descriptor):
                return descriptor
            os.close(descriptor)  # its last owner removed it between our open and our lock

    def _is_ours(self, descriptor: int) -> bool:
        try:
            there = os.stat(self._path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(descriptor))
