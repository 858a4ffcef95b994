"""What could be wrong with a store, tried for real (``hotfolder check``)."""

from __future__ import annotations

import os

from hotfolder.core.errors import Fault, HotfolderError
from hotfolder.files.content import write_atomically
from hotfolder.files.durability import free_space, sync_directories
from hotfolder.files.ownership import describe_owner
from hotfolder.files.tree import make_directory, move_directory, remove_tree

LOW_WATER = 1 << 30  # bytes; less is reported
_PROBE = b"hotfolder-probe"


def diagnose_root(root: bytes, staging: bytes) -> list[Fault]:
    """Every fault found; empty if the store can be written to.

    A probe is written to the staging folder, synced, renamed into the root's
    ``extensions`` folder (the one place where OCFL allows others' folders) and removed.
    """
    faults = [
        Fault(code="store.owner", message=f"{what}: {complaint}", remedy=remedy)
        for what, path in (("the store", root), ("its staging folder", staging))
        for complaint, remedy in describe_owner(path)
    ]
    if faults:
        return faults
    try:
        room = free_space(root)
        if room < LOW_WATER:
            faults.append(
                Fault(
                    code="store.space",
                    message=f"the store has {room >> 20} MiB left",
                    remedy="make room, or move the store to a larger file system",
                )
            )
        _try(root, staging)
    except HotfolderError as error:
        faults.append(Fault(code=error.code, message=error.message, remedy=error.hint))
    return faults


def _try(root: bytes, staging: bytes) -> None:
    probe = os.path.join(staging, _PROBE)
    extensions = os.path.join(root, b"extensions")
    target = os.path.join(extensions, _PROBE)
    remove_tree(target)
    remove_tree(probe)
    make_directory(probe)
    try:
        write_atomically(os.path.join(probe, b"probe"), b"hotfolder was here\n")
        move_directory(probe, target)
        sync_directories([extensions, staging])
    finally:
        remove_tree(probe)
        remove_tree(target)
        sync_directories([extensions, staging])
