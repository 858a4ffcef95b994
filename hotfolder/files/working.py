"""The working copies: listed, and removed last of all."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hotfolder.files.durability import sync_all
from hotfolder.files.faults import classified
from hotfolder.files.layout import folder_paths, working_folder


def list_working(root: bytes) -> list[str]:
    """The ids of the spools that have a working copy, in order."""
    with classified("listing the working copies"):
        try:
            with os.scandir(folder_paths(root).working) as entries:
                return sorted(
                    entry.name.decode("ascii")
                    for entry in entries
                    if entry.name.isalnum() and entry.is_dir(follow_symlinks=False)
                )
        except FileNotFoundError:
            return []


def remove_working(root: bytes, spool_ids: Sequence[str]) -> None:
    """Remove working copies; those already gone are passed over.

    The names are durably gone when it returns. A kill in between leaves folders
    with fewer files, which the next call removes.
    """
    working = folder_paths(root).working
    with classified("removing a working copy"):
        for spool_id in spool_ids:
            place = working_folder(root, spool_id)
            try:
                names = os.listdir(place)
            except FileNotFoundError:
                continue
            for name in names:
                os.unlink(os.path.join(place, name))
            os.rmdir(place)
        if os.path.isdir(working):
            sync_all([], [working])
