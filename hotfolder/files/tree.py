"""Whole directories: make, seal, move, remove. Nothing here follows a link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from hotfolder.files.faults import os_errors
from hotfolder.files.layout import FOLDER_MODE

SEALED_MODE = 0o550


def make_directory(path: bytes) -> bool:
    """Make one directory; False if it is there. Not synced. Raises as ``classify`` says."""
    with os_errors("making a directory"):
        try:
            os.mkdir(path, FOLDER_MODE)
        except FileExistsError:
            return False
    return True


def make_parents(path: bytes, top: bytes) -> None:
    """Make what is missing of the directories below ``top`` down to ``path``. Not synced."""
    missing = []
    while path != top and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        make_directory(directory)


def seal_directory(path: bytes) -> None:
    """Take write permission from a directory that is complete."""
    with os_errors("sealing a directory"):
        os.chmod(path, SEALED_MODE)


def exists(path: bytes) -> bool:
    """Whether anything, a dangling link too, has this name."""
    return os.path.lexists(path)


def move_directory(source: bytes, target: bytes) -> bool:
    """Rename a directory; False if a directory with entries has the name already.

    The source gets write permission first, without which its ``..`` could not change
    (rename(2)). Not synced.
    """
    with os_errors("moving a directory"):
        os.chmod(source, FOLDER_MODE)
        try:
            os.rename(source, target)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
    return True


def remove_tree(path: bytes) -> None:
    """Remove a directory with all in it, sealed or not; nothing if it is gone. Not synced.

    Anything else that has the name, a link above all, is removed itself.
    """
    with os_errors("removing a directory"):
        _remove_tree(path)


def _remove_tree(path: bytes) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    with os.scandir(path) as entries:
        inside = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for inner, is_directory in inside:
        if is_directory:
            _remove_tree(inner)
        else:
            os.unlink(inner)
    os.rmdir(path)


def remove_empty(path: bytes, top: bytes) -> bytes:
    """Remove ``path`` and the directories above it, below ``top``, while they are empty.

    Returns the lowest directory that stays. Not synced.
    """
    with os_errors("removing empty directories"):
        while path != top:
            try:
                os.rmdir(path)
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    return path
                raise
            path = os.path.dirname(path)
    return top


def list_directory(path: bytes) -> list[tuple[bytes, bool]]:
    """(name, is a directory) of each entry, sorted; empty if there is no such directory."""
    with os_errors("reading a directory"), suppress(FileNotFoundError), os.scandir(path) as entries:
        return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    return []


def walk_files(path: bytes, prefix: bytes = b"") -> Iterator[bytes]:
    """Every file (link, fifo, ...) below ``path``, relative to it, in flat memory."""
    for name, is_directory in list_directory(path):
        if is_directory:
            yield from walk_files(os.path.join(path, name), prefix + name + b"/")
        else:
            yield prefix + name
