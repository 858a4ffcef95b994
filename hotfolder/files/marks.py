"""Marks: empty files that say something by being there. Made and removed by the batch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from hotfolder.files.durability import SyncScope
from hotfolder.files.faults import os_errors
from hotfolder.files.tree import make_parents, remove_empty

_MODE = 0o440
_TRIES = 5  # another process may remove a folder, empty for a moment, while it is filled


def make_marks(paths: Sequence[bytes], top: bytes) -> None:
    """Make these files, and the directories below ``top`` that they lie in; on disk on
    return, also what was there already. Raises as ``classify`` says."""
    with SyncScope(top) as scope:
        for path in paths:
            _make(path, top)
        above = {directory for path in paths for directory in parents(path, top)}
        scope.sync((), sorted(above))


def remove_marks(paths: Sequence[bytes], top: bytes) -> None:
    """Remove these files and the folders that are empty then; gone from the disk on return.
    Those that are not there are left. The folders above them stay."""
    with SyncScope(top) as scope:
        changed = set()
        for path in paths:
            folder = os.path.dirname(path)
            with os_errors("removing a mark"), suppress(FileNotFoundError):
                os.unlink(path)
            above = os.path.dirname(folder)
            if os.path.isdir(above):
                changed.add(remove_empty(folder, above))
        scope.sync((), sorted(path for path in changed if os.path.isdir(path)))


def _make(path: bytes, top: bytes) -> None:
    # Opened for reading: a mark that is there already may not be written.
    flags = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    for left in reversed(range(_TRIES)):
        make_parents(os.path.dirname(path), top)
        with os_errors("making a mark"):
            try:
                os.close(os.open(path, flags, _MODE))
            except FileNotFoundError:
                if not left:
                    raise
            else:
                return


def parents(path: bytes, top: bytes) -> list[bytes]:
    """The directories above ``path``, the nearest first, ``top`` the last."""
    found = []
    while path != top:
        path = os.path.dirname(path)
        found.append(path)
    return found
