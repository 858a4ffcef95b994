"""Where things lie in a hot folder."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hotfolder.files.durability import sync_directory
from hotfolder.files.faults import classified

OWN_NAMES = (b"_working", b"_failed", b"_receipts")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPaths:
    """A hot folder's own sub-folders; on the same mount, so that renames are atomic."""

    root: bytes
    working: bytes
    failed: bytes
    receipts: bytes


def folder_paths(root: bytes) -> FolderPaths:
    """The sub-folders of the hot folder ``root``."""
    working, failed, receipts = (os.path.join(root, name) for name in OWN_NAMES)
    return FolderPaths(root=root, working=working, failed=failed, receipts=receipts)


def working_folder(root: bytes, spool_id: str) -> bytes:
    """Where a claimed drop lies: ``_working/<id>``."""
    if not spool_id.isalnum():
        raise ValueError("a spool id is letters and digits")
    return os.path.join(folder_paths(root).working, spool_id.encode("ascii"))


def make_folders(root: bytes) -> FolderPaths:
    """Make the sub-folders that are missing (mode 0750); synced when it returns.

    Raises ``OperatorFault`` where that is not allowed.
    """
    paths = folder_paths(root)
    with classified("making the hot folder's own folders"):
        made = False
        for path in (paths.working, paths.failed, paths.receipts):
            try:
                os.mkdir(path, 0o750)
                made = True
            except FileExistsError:
                continue
        if made:
            sync_directory(root)
    return paths
