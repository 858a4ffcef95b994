"""Moving a rejected drop to ``_failed/<date>/``, with a note for a person beside it.

The names it will have there are written down first, beside its working folder. So a
second attempt after a crash, even on another day, continues the first.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt
from hotfolder.files.content import write_atomically
from hotfolder.files.durability import sync_directories
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import FOLDER_MODE, folder_paths, working_folder
from hotfolder.files.names import belongs, with_suffix
from hotfolder.files.places import free_names, look
from hotfolder.files.syscalls import rename_new
from hotfolder.files.working import PLAN, list_files

NOTE = b".ERROR.txt"
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What goes where: the day's folder, new names by old, the note's name and the spool's."""

    date: str
    moves: tuple[tuple[bytes, bytes], ...]
    note: bytes
    spool: bytes

    def dump(self) -> bytes:
        moves = [[old.hex(), new.hex()] for old, new in self.moves]
        found = {
            "date": self.date,
            "moves": moves,
            "note": self.note.hex(),
            "spool": self.spool.hex(),
        }
        return json.dumps(found).encode()

    @classmethod
    def load(cls, data: bytes) -> _Plan:
        try:
            found = json.loads(data)
            return cls(
                date=found["date"],
                moves=tuple((bytes.fromhex(o), bytes.fromhex(n)) for o, n in found["moves"]),
                note=bytes.fromhex(found["note"]),
                spool=bytes.fromhex(found["spool"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(
                "the plan for moving a rejected drop cannot be read",
                hint="remove the file *.aside in _working; the move is then planned anew",
                code="aside.plan",
            ) from error


def move_aside(root: bytes, spool_id: str, date: str, name: bytes, note: bytes) -> bytes | None:
    """Move everything in ``_working/<id>/`` to ``_failed/<date>/``, the note first.

    ``date`` is YYYY-MM-DD and ``name`` the spool's last part. Nothing is overwritten:
    if one of the names is taken, all files of the drop get the same number. Returns
    the spool's new path relative to ``root``, or None if nothing was left to move.
    Drop and note are on disk on return; repeating it after a crash is harmless and
    gives the same place. The empty working folder stays, for ``remove_working``.
    Raises ``Transient``, ``OperatorFault`` or ``Corrupt`` (a damaged plan).
    """
    if os.path.basename(name) != name or not _DATE.match(date):
        raise ValueError("a spool's last part and a plain date are needed")
    plan_path = working_folder(root, spool_id) + PLAN
    with os_errors("moving a rejected drop to _failed"):
        try:
            with open(plan_path, "rb") as stream:
                plan = _Plan.load(stream.read())
        except FileNotFoundError:
            names = list_files(root, spool_id)
            if not names:
                return None
            plan = _make_plan(root, date, name, names)
            # survives: killed from here on, the same names are used again
            write_atomically(plan_path, plan.dump())
        folder = _make_day(root, plan.date)
        if list_files(root, spool_id):
            # Once all has moved, a clerk may have taken drop and note out of there again.
            write_atomically(os.path.join(folder, plan.note), note)
        # survives: killed here, the note is written again and the drop follows it
        crashpoint("aside.note_written")
        spool = _carry_out(root, spool_id, folder, plan)
        # survives: killed here, nothing is found to move and the plan is removed
        crashpoint("aside.moved")
        with suppress(FileNotFoundError):
            os.unlink(plan_path)
        sync_directories([folder_paths(root).working])
    return os.path.join(b"_failed", plan.date.encode(), spool)


def _make_day(root: bytes, date: str) -> bytes:
    failed = folder_paths(root).failed
    folder = os.path.join(failed, date.encode())
    for path in (failed, folder):
        with suppress(FileExistsError):
            os.mkdir(path, FOLDER_MODE)
            sync_directories([os.path.dirname(path)])
    return folder


def _make_plan(root: bytes, date: str, name: bytes, names: list[bytes]) -> _Plan:
    # The note and what is named after the spool are numbered together, so that they
    # are found together; a shared index keeps its name apart from them.
    family = [other for other in names if belongs(other, name)]
    fd = os.open(_make_day(root, date), _DIRECTORY)
    try:
        *new, note = free_names([*family, with_suffix(name, NOTE)], name, [fd])
        given = dict(zip(family, new, strict=True))
        for other in names:
            if other not in given:
                given[other] = free_names([other], other, [fd])[0]
    finally:
        os.close(fd)
    return _Plan(
        date=date,
        moves=tuple(given.items()),
        note=note,
        spool=given.get(name, next(iter(given.values()))),
    )


def _carry_out(root: bytes, spool_id: str, folder: bytes, plan: _Plan) -> bytes:
    """Move what is still there as planned; returns the name that the spool got."""
    place = working_folder(root, spool_id)
    spool = plan.spool
    source = os.open(place, _DIRECTORY)
    try:
        target = os.open(folder, _DIRECTORY)
        try:
            for old, new in plan.moves:
                if look(source, old) is None:
                    continue  # moved by an attempt that a crash ended
                given = _move(source, old, target, new)
                spool = given if new == plan.spool else spool
        finally:
            os.close(target)
    finally:
        os.close(source)
    sync_directories([folder, place])
    return spool


def _move(source: int, old: bytes, target: int, new: bytes) -> bytes:
    try:
        rename_new(source, old, target, new)
    except FileExistsError:
        # Somebody has put a file of this name there since the plan was made.
        new = free_names([new], new, [target])[0]
        rename_new(source, old, target, new)
    return new
