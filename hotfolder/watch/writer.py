"""Does anybody hold this file open for writing? The kernel knows (fcntl(2), leases).

A read lease is granted only while nobody has the file open for writing, which
includes a mapping that outlives its descriptor. It is given back at once.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat

from hotfolder.core.records import Sighting

_F_SETSIG = getattr(fcntl, "F_SETSIG", 10)  # asm-generic/fcntl.h; not in every Python
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def has_writer(path: bytes, sighting: Sighting) -> bool | None:
    """True while the file at ``path`` is open for writing; None where that cannot be told.

    It cannot for files of other accounts without CAP_LEASE, on network file systems,
    or if the file is no longer the one of ``sighting``. A program that opens the file
    in the few microseconds of the question waits for their end.
    """
    try:
        fd = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_ino != sighting.inode:
            return None
        # An opener in between makes the kernel signal us. Its SIGIO would end the
        # process; SIGURG is ignored unless somebody asks for it.
        fcntl.fcntl(fd, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return True if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK) else None
    finally:
        os.close(fd)
    return False
