"""One place that says what an ``OSError`` means."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from hotfolder.core.errors import HotfolderError, OperatorFault, Transient

_FULL = {errno.ENOSPC, errno.EDQUOT}
_PASSING = {errno.EIO, errno.EAGAIN, errno.EBUSY, errno.ETIMEDOUT, errno.ESTALE, errno.ENOTCONN}
_PASSING |= {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EHOSTDOWN}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


def classify(error: OSError, doing: str) -> HotfolderError:
    """The error of ours for ``error`` while ``doing`` something (words without a
    customer's name in them)."""
    number, text = error.errno, error.strerror or type(error).__name__
    if number in _FULL:
        return Transient(
            f"{doing}: the disk is full",
            hint="free space on that file system; work resumes by itself",
            code="disk.full",
        )
    if number == errno.EROFS:
        return Transient(
            f"{doing}: the file system has become read-only",
            hint="look at the kernel's log; remount it once the disk is sound",
            code="disk.read_only",
        )
    if number in _FORBIDDEN:
        return OperatorFault(
            f"{doing}: {text}",
            hint="give the user that runs hotfolder read and write access to the hot folder",
            code="disk.permission",
        )
    if number == errno.EXDEV:
        return OperatorFault(
            f"{doing}: the two folders are not on one mount",
            hint="under systemd grant the common parent in one ReadWritePaths entry:"
            " each entry is a mount of its own, and a rename cannot cross two",
            code="disk.mount",
        )
    code = "disk.io" if number in _PASSING else "disk.error"
    return Transient(f"{doing}: {text}", hint="tried again later", code=code)


@contextmanager
def classified(doing: str) -> Iterator[None]:
    """Turn any ``OSError`` raised inside into an error of ours."""
    try:
        yield
    except OSError as error:
        raise classify(error, doing) from error
