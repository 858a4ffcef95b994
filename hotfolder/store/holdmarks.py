"""Marks of legal holds in a storage root: an empty file for each hold and spool.

They lie under ``extensions/hotfolder-holds``, outside the objects, which never change;
the path to a spool is that to its object (``naming.Layout``). What is marked is not
purged, whatever the journal says or has lost. What each hold is lies beside them, in
``holds``, so that a new journal can be made that knows it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from hotfolder.files.content import TEMPORARY, write_atomically
from hotfolder.files.durability import sync_directories
from hotfolder.files.marks import make_marks, parents, remove_marks
from hotfolder.files.names import check_spool_id
from hotfolder.files.tree import exists, list_directory, make_parents, remove_tree
from hotfolder.store.naming import Layout, object_id
from hotfolder.store.reading import read_small

FOLDER = b"extensions/hotfolder-holds"
_RECORDS = b"holds"  # no hash path begins so
_SUFFIX = b".json"
_MODE = 0o440
_HOLD_ID = re.compile(r"hold-[0-9a-z]{12}\Z")


class HoldMarks:
    """The marks of one storage root."""

    def __init__(self, root: bytes, layout: Layout) -> None:
        self._root = root
        self._layout = layout

    def place(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """See ``core.holdingport.HoldingStore``."""
        make_marks([self._mark(spool_id, hold_id) for spool_id in spool_ids], self._root)

    def lift(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """See ``core.holdingport.HoldingStore``."""
        remove_marks([self._mark(spool_id, hold_id) for spool_id in spool_ids], self._root)

    def keep(self, hold_id: str, record: bytes) -> None:
        """See ``core.holdingport.HoldingStore``."""
        place = self._record(hold_id)
        make_parents(os.path.dirname(place), self._root)
        write_atomically(place, record, _MODE)
        sync_directories([os.path.dirname(place), *parents(os.path.dirname(place), self._root)])

    def drop(self, hold_id: str) -> None:
        """See ``core.holdingport.HoldingStore``."""
        place = self._record(hold_id)
        folder = os.path.dirname(place)
        if exists(place):
            remove_tree(place)
            sync_directories([folder])

    def kept(self) -> dict[str, bytes]:
        """Each hold that is kept, by id."""
        folder = os.path.join(self._root, FOLDER, _RECORDS)
        names = [name for name, _ in list_directory(folder) if name.endswith(_SUFFIX)]
        return {
            name.removesuffix(_SUFFIX).decode("ascii", "replace"): read_small(
                os.path.join(folder, name)
            )
            for name in names
            if not name.startswith(TEMPORARY)
        }

    def on(self, spool_id: str) -> tuple[str, ...]:
        """The holds upon a spool, sorted."""
        names = (name.decode("ascii", "replace") for name, _ in list_directory(self._at(spool_id)))
        # Whatever else lies there may be a mark of a later release: it holds as well.
        return tuple(sorted(names))

    def _at(self, spool_id: str) -> bytes:
        folder = os.path.dirname(self._layout.path(object_id(spool_id)))
        return os.path.join(self._root, FOLDER, folder.encode(), check_spool_id(spool_id))

    def _mark(self, spool_id: str, hold_id: str) -> bytes:
        return os.path.join(self._at(spool_id), _check(hold_id))

    def _record(self, hold_id: str) -> bytes:
        return os.path.join(self._root, FOLDER, _RECORDS, _check(hold_id) + _SUFFIX)


def _check(hold_id: str) -> bytes:
    if not _HOLD_ID.match(hold_id):
        raise ValueError(f"not a hold id: {hold_id!r}")
    return hold_id.encode()
