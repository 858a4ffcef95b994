"""The folders that hotfolder keeps inside a hot folder."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hotfolder.files.durability import sync_directories
from hotfolder.files.faults import os_errors
from hotfolder.files.names import check_spool_id

FOLDER_MODE = 0o750


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPaths:
    """Where things lie under the root of one hot folder."""

    root: bytes
    working: bytes  # claimed drops, one folder per spool id
    failed: bytes  # rejected drops and their notes, one folder per day
    receipts: bytes


def folder_paths(root: bytes) -> FolderPaths:
    """The folders under ``root``; nothing is touched."""
    return FolderPaths(
        root=root,
        working=os.path.join(root, b"_working"),
        failed=os.path.join(root, b"_failed"),
        receipts=os.path.join(root, b"_receipts"),
    )


def working_folder(root: bytes, spool_id: str) -> bytes:
    """Where the claimed drop ``spool_id`` lies. ``ValueError`` if that is no spool id."""
    return os.path.join(root, b"_working", check_spool_id(spool_id))


def make_folders(root: bytes) -> None:
    """Make what is missing of the folders under ``root``; they are on disk on return.

    The root itself must exist: one that is missing may be an unmounted share.
    Raises ``OperatorFault`` if it does not, or if something else has the name.
    """
    paths = folder_paths(root)
    made = []
    for path in (paths.working, paths.failed, paths.receipts):
        with os_errors("making the folders of a hot folder"):
            try:
                os.mkdir(path, FOLDER_MODE)
            except FileExistsError:
                os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))
            else:
                made.append(path)
    if made:
        sync_directories([*made, root])
