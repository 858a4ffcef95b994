"""Marks of legal holds in a storage root: an empty file for each hold and spool.

They lie under ``extensions/hotfolder-holds``, outside the objects, which never change;
the path to a spool is that to its object (``naming.Layout``). What is marked is not
purged, whatever the journal says or has lost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from hotfolder.files.marks import make_marks, remove_marks
from hotfolder.files.names import check_spool_id
from hotfolder.files.tree import list_directory
from hotfolder.store.naming import Layout, object_id

FOLDER = b"extensions/hotfolder-holds"
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

    def on(self, spool_id: str) -> tuple[str, ...]:
        """The holds upon a spool, sorted."""
        names = (name.decode("ascii", "replace") for name, _ in list_directory(self._at(spool_id)))
        # Whatever else lies there may be a mark of a later release: it holds as well.
        return tuple(sorted(names))

    def _at(self, spool_id: str) -> bytes:
        folder = os.path.dirname(self._layout.path(object_id(spool_id)))
        return os.path.join(self._root, FOLDER, folder.encode(), check_spool_id(spool_id))

    def _mark(self, spool_id: str, hold_id: str) -> bytes:
        if not _HOLD_ID.match(hold_id):
            raise ValueError(f"not a hold id: {hold_id!r}")
        return os.path.join(self._at(spool_id), hold_id.encode())
