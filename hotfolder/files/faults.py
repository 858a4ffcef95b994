"""What an ``OSError`` means, decided once (core/errors.py has the kinds).

Messages name what was being done and the system's words, never the file: its name
may carry a customer's number.
"""

from __future__ import annotations

import errno
import os
from types import TracebackType

from hotfolder.core.errors import HotfolderError, OperatorFault, Transient

_TRANSIENT = {
    errno.ENOSPC: ("disk.full", "make room on the file system"),
    errno.EDQUOT: ("disk.full", "raise the quota, or make room"),
    errno.EIO: ("disk.io", "look at the kernel's log: the disk or the share reports errors"),
    errno.EROFS: (
        "disk.readonly",
        "the file system is mounted read-only; look at the kernel's log",
    ),
    errno.EMFILE: ("system.files", "raise LimitNOFILE of the service"),
    errno.ENFILE: ("system.files", "raise fs.file-max of the machine"),
}
_OPERATOR = {
    errno.EACCES: (
        "file.permission",
        "give the service's account read, write and search permission there",
    ),
    errno.EPERM: (
        "file.permission",
        "the account may not do this; look for another owner, a sticky or an immutable bit",
    ),
    errno.EXDEV: (
        "folder.mounts",
        (
            "both places must lie on one mount: under systemd grant the common parent in "
            "ReadWritePaths, because each entry becomes a bind mount of its own, and no rename "
            "crosses two of them"
        ),
    ),
    errno.ENOENT: ("file.missing", "put it back, or find out who removed it"),
    errno.ENOTDIR: ("file.missing", "a folder has been replaced by something else; put it back"),
    errno.ELOOP: ("file.link", "replace the symbolic link by what it points to"),
    errno.ENAMETOOLONG: ("file.name_too_long", "shorten the path of the folder"),
}


def classify(error: OSError, doing: str) -> HotfolderError:
    """The error to raise for ``error``, which happened while ``doing``.

    Full, failing or read-only disks and whatever is unknown are ``Transient``;
    permissions, mounts, missing files and links are an ``OperatorFault``.
    """
    number = error.errno or 0
    message = f"{doing}: {os.strerror(number) if number else type(error).__name__}"
    if number in _OPERATOR:
        code, hint = _OPERATOR[number]
        return OperatorFault(message, hint=hint, code=code)
    code, hint = _TRANSIENT.get(number, ("system.error", "it is tried again"))
    return Transient(message, hint=hint, code=code)


class _Classifying:
    """What ``os_errors`` returns; a class, because it stands around single system calls."""

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise classify(error, self._doing) from error


def os_errors(doing: str) -> _Classifying:
    """Turn an ``OSError`` inside the block into the error that ``classify`` names."""
    return _Classifying(doing)
