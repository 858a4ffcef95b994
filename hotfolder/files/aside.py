"""Move a rejected drop to ``_failed/<date>/``, with a note for a person beside it."""

from __future__ import annotations

import os

from hotfolder.core.crashpoints import crashpoint
from hotfolder.files.content import read_small, write_all
from hotfolder.files.durability import sync_all
from hotfolder.files.faults import classified
from hotfolder.files.layout import folder_paths, working_folder

_NOTE = b".ERROR.txt"
_LONGEST = 255


def move_aside(root: bytes, spool_id: str, day: str, name: bytes, note: bytes) -> bytes:
    """Move what is in ``_working/<id>/`` to ``_failed/<day>/`` and return that place.

    ``name`` is the spool's own name; the note stands beside it as
    ``<name>.ERROR.txt`` and must contain the spool's id, by which a repeated call knows
    its own work. Nothing is ever overwritten: where a name is taken by an
    earlier drop, all of this drop goes into a sub-folder with its id. Everything is
    synced when it returns; interrupted at any point, the same call completes it.
    """
    place = working_folder(root, spool_id)
    failed = folder_paths(root).failed
    with classified("moving a rejected drop"):
        try:
            members = sorted(os.listdir(place))
        except FileNotFoundError:
            members = []
        target = os.path.join(failed, day.encode("ascii"))
        own = os.path.join(target, spool_id.encode("ascii"))
        os.makedirs(target, 0o750, exist_ok=True)
        note_name = name[: _LONGEST - len(_NOTE)] + _NOTE
        theirs = read_small(os.path.join(target, note_name))
        if (theirs is not None and spool_id.encode("ascii") not in theirs) or any(
            os.path.lexists(os.path.join(target, item)) for item in members
        ):
            os.makedirs(own, 0o750, exist_ok=True)
            sync_all([], [target])
            target = own
        elif os.path.isdir(own):
            target = own  # begun there before a crash
    write_all([(os.path.join(target, note_name), note)])
    # survives: killed here, the note is replaced and the drop moved
    crashpoint("aside.note_written")
    with classified("moving a rejected drop"):
        for item in members:
            os.rename(os.path.join(place, item), os.path.join(target, item))
        sync_all([], [target, failed, place] if members else [target, failed])
    # survives: killed here, only the empty working folder is left to remove
    crashpoint("aside.moved")
    return target
