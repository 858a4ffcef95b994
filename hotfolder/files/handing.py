"""Copies of what lies in an old archive, laid where intake can claim them.

Each drop has a folder of its own in ``_incoming`` of the inbox. Nobody but the one who
migrates looks there: what a kill leaves in it is thrown away, because the original is where
it was.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from hotfolder.core.legacy import OpenedItem, Part
from hotfolder.core.records import Drop, Sighting
from hotfolder.files.copying import copy_and_hash
from hotfolder.files.durability import SyncScope
from hotfolder.files.faults import os_errors
from hotfolder.files.layout import FOLDER_MODE
from hotfolder.files.names import check_spool_id
from hotfolder.files.tree import list_directory, remove_tree

INCOMING = b"_incoming"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A drop that was copied, and what the copy of its content is."""

    drop: Drop
    sha256: str
    size: int


class Handing:
    """The folder ``_incoming`` of one inbox; one process at a time."""

    def __init__(self, inbox: bytes, folder: str) -> None:
        """``folder`` is the name of the inbox's profile."""
        self._inbox = inbox
        self._folder = folder
        self._place = os.path.join(inbox, INCOMING)

    def clear(self) -> None:
        """Make it, and throw away what a kill has left."""
        with os_errors("making the folder for copies"), suppress(FileExistsError):
            os.mkdir(self._place, FOLDER_MODE)
        for name, _ in list_directory(self._place):
            remove_tree(os.path.join(self._place, name))

    def scope(self) -> SyncScope:
        """To be opened before the first copy of a batch."""
        return SyncScope(self._inbox)

    def copy(self, spool_id: str, opened: OpenedItem, mtime_ns: int) -> Handed:
        """Copy the files of an item; not synced. The content keeps its time, where it has
        one. Raises as ``copy_and_hash`` does, and has left nothing then."""
        name = check_spool_id(spool_id)
        place = os.path.join(self._place, name)
        with os_errors("making the folder for copies"):
            os.mkdir(place, FOLDER_MODE)
        try:
            sha256, size = copy_and_hash(
                opened.content.path, os.path.join(place, opened.content.name)
            )
            if mtime_ns:
                with os_errors("copying a file"):
                    os.utime(os.path.join(place, opened.content.name), ns=(mtime_ns, mtime_ns))
            for part in opened.sidecars:
                copy_and_hash(part.path, os.path.join(place, part.name))
            return Handed(
                drop=Drop(
                    folder=self._folder,
                    spool=self._look(name, opened.content),
                    sidecars=tuple(self._look(name, part) for part in opened.sidecars),
                    settled_by="migration",
                ),
                sha256=sha256,
                size=size,
            )
        except BaseException:
            remove_tree(place)
            raise

    def _look(self, folder: bytes, part: Part) -> Sighting:
        name = b"/".join((INCOMING, folder, part.name))
        with os_errors("looking at a copy"):
            found = os.lstat(os.path.join(self._inbox, name))
        return Sighting(
            folder=self._folder,
            name=name,
            size=found.st_size,
            mtime_ns=found.st_mtime_ns,
            inode=found.st_ino,
            device=found.st_dev,
        )

    def sync(self, scope: SyncScope, handed: Sequence[Handed]) -> None:
        """The copies of a batch are on disk when this returns."""
        files: list[bytes] = []
        folders: list[bytes] = [self._place]
        for item in handed:
            files += [
                os.path.join(self._inbox, sighting.name)
                for sighting in (item.drop.spool, *item.drop.sidecars)
            ]
            folders.append(os.path.dirname(files[-1]))
        scope.sync(files, folders)

    def sweep(self, handed: Sequence[Handed]) -> None:
        """Remove the folders of drops that were claimed, and what was left in them."""
        for item in handed:
            remove_tree(os.path.join(self._inbox, os.path.dirname(item.drop.spool.name)))
