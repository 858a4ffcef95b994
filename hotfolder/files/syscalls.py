"""Three calls of Linux that Python does not offer.

Each falls back to what is portable where the kernel or the file system lacks it;
the fallbacks are slower or, for ``rename_new``, leave a short race.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

_libc = ctypes.CDLL(None, use_errno=True)
_renameat2 = getattr(_libc, "renameat2", None)
_sync_file_range = getattr(_libc, "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
_NOREPLACE = 1  # RENAME_NOREPLACE, linux/fs.h
_WRITE = 2  # SYNC_FILE_RANGE_WRITE, linux/fs.h
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)

# statfs f_type (linux/magic.h) of file systems whose syncfs writes everything and
# reports what went wrong. FUSE is not one of them: its syncfs never reaches the server.
_WHOLE_SYNC = frozenset({0xEF53, 0x58465342, 0x9123683E, 0xF2F52010, 0x01021994})


def _fail() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def rename_new(source_fd: int, source: bytes, target_fd: int, target: bytes) -> None:
    """Rename between two open directories; ``FileExistsError`` if ``target`` is there.

    Atomic with renameat2(2). Where that is missing (old NFS, FUSE) the target is
    looked for first, and a file made in between would be replaced.
    """
    if _renameat2 is not None:
        if _renameat2(source_fd, source, target_fd, target, _NOREPLACE) == 0:
            return
        error = _fail()
        if error.errno not in _UNSUPPORTED:
            raise error
    try:
        os.stat(target, dir_fd=target_fd, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(source, target, src_dir_fd=source_fd, dst_dir_fd=target_fd)
        return
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def start_writeback(fd: int, offset: int, length: int) -> None:
    """Ask the kernel to begin writing a range; a hint, not a promise of anything."""
    if _sync_file_range is not None:
        _sync_file_range(fd, offset, length, _WRITE)


def has_whole_sync(fd: int) -> bool:
    """Whether ``sync_file_system`` may be trusted for the file system of ``fd``.

    The kernel reports writeback errors from syncfs(2) since Linux 5.8.
    """
    release = os.uname().release.split(".")
    if (int(release[0]), int(release[1])) < (5, 8):
        return False
    buffer = ctypes.create_string_buffer(512)
    if _libc.fstatfs(fd, buffer) != 0:
        raise _fail()
    return int.from_bytes(buffer.raw[:4], sys.byteorder) in _WHOLE_SYNC


def sync_file_system(fd: int) -> None:
    """syncfs(2): everything written to the file system of ``fd`` is on disk.

    Raises ``OSError`` for any writeback error since ``fd`` was opened.
    """
    if _libc.syncfs(fd) != 0:
        raise _fail()
