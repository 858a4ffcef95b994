"""One object from one storage root to another, byte for byte, its inventory too."""

from __future__ import annotations

import os
from threading import Lock

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt, HotfolderError, InputFault, OperatorFault
from hotfolder.files.copying import copy_and_hash
from hotfolder.files.durability import SyncScope
from hotfolder.files.names import check_spool_id
from hotfolder.files.tree import (
    exists,
    make_directory,
    make_parents,
    move_directory,
    remove_tree,
    seal_directory,
    walk_files,
)
from hotfolder.store.reading import changed, inventory_of, verify_object
from hotfolder.store.writing import READ_ONLY


def copy_object(
    source: bytes,
    spool_id: str,
    *,
    root: bytes,
    staging: bytes,
    object_path: str,
    lock: Lock,
    aside: bytes | None = None,
) -> None:
    """Copy the object at ``source`` to ``object_path`` below ``root``; see
    ``OcflStore.take_over``. An object that is there already is left as it is, or goes to
    ``aside``, a name that is free."""
    # Not the name that intake uses: both may be at work on the same spool.
    staged = os.path.join(staging, check_spool_id(spool_id) + b"-copied")
    place = os.path.join(root, object_path.encode())
    inventory = inventory_of(source, spool_id)
    with SyncScope(staging) as scope:
        try:
            remove_tree(staged)  # a crash left it
            files, folders = _copy_all(source, staged)
            # Everything is read back and compared with the inventory that came with it.
            if verify_object(staged, spool_id, object_path)[1] != inventory:
                raise changed("an object")
            scope.sync(files, [*folders, staging])
            # survives: killed here, the copy is removed and made again
            crashpoint("copy.staged")
            with lock:
                if aside is not None and exists(place):
                    move_directory(place, aside)
                    scope.sync((), [os.path.dirname(place), os.path.dirname(aside)])
                    # survives: killed here, the root lacks the object and is mended again
                    crashpoint("mend.set_aside")
                make_parents(os.path.dirname(place), root)
                taken = not move_directory(staged, place)
            if not taken:
                seal_directory(place)
            scope.sync((), [*_up_to(place, root), staging])
        except HotfolderError:
            remove_tree(staged)
            raise
        if taken:
            remove_tree(staged)


def _copy_all(source: bytes, staged: bytes) -> tuple[list[bytes], list[bytes]]:
    """The files that were made, and the directories, innermost first."""
    make_directory(staged)
    files: list[bytes] = []
    folders: set[bytes] = {staged}
    for name in walk_files(source):
        target = os.path.join(staged, name)
        make_parents(os.path.dirname(target), staged)
        folders.update(_up_to(os.path.dirname(target), staged))
        try:
            copy_and_hash(os.path.join(source, name), target, READ_ONLY)
        except InputFault as error:
            raise changed("a file") from error
        except OperatorFault as error:
            if error.code == "file.missing":
                raise changed("the set of files") from error
            raise
        files.append(target)
    if not files:
        raise Corrupt(
            "an object in the store has no files",
            hint="restore the object from a backup",
            code="store.fixity",
        )
    ordered = sorted(folders, key=len, reverse=True)
    for folder in ordered[:-1]:
        seal_directory(folder)
    return files, ordered


def _up_to(path: bytes, top: bytes) -> list[bytes]:
    found = [path]
    while path != top:
        path = os.path.dirname(path)
        found.append(path)
    return found
