"""Marks of legal holds in a storage root: an empty file for each hold and spool.

They lie under ``extensions/hotfolder-holds``, outside the objects, which never change;
the path to a spool is that to its object (``naming.Layout``). What is marked is not
purged, whatever the journal says or has lost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from hotfolder.core.errors import OperatorFault
from hotfolder.files.marks import make_marks, remove_marks
from hotfolder.files.names import check_spool_id
from hotfolder.files.tree import exists, list_directory
from hotfolder.store.naming import Layout, object_id

FOLDER = b"extensions/hotfolder-holds"
_DECLARATION = b"0=ocfl_1.1"
_HOLD_ID = re.compile(r"hold-[0-9a-z]{12}\Z")


class HoldMarks:
    """The marks of one storage root."""

    def __init__(self, root: bytes, layout: Layout) -> None:
        self._root = root
        self._layout = layout

    def place(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """See ``core.holdingport.HoldingStore``."""
        self._check_root()
        make_marks([self._mark(spool_id, hold_id) for spool_id in spool_ids], self._root)

    def lift(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """See ``core.holdingport.HoldingStore``."""
        self._check_root()
        remove_marks([self._mark(spool_id, hold_id) for spool_id in spool_ids], self._root)

    def on(self, spool_id: str) -> tuple[str, ...]:
        """The holds upon a spool, sorted. ``OperatorFault`` if the root is not there: a disk
        that is not mounted says nothing of holds."""
        self._check_root()
        names = (name.decode("ascii", "replace") for name, _ in list_directory(self._at(spool_id)))
        # Whatever else lies there may be a mark of a later release: it holds as well.
        return tuple(sorted(names))

    def _check_root(self) -> None:
        if not exists(os.path.join(self._root, _DECLARATION)):
            raise OperatorFault(
                "a storage root of the store is not there",
                hint="mount its disk; a hold is in the journal, and marked as soon as it is there",
                code="store.root_missing",
            )

    def _at(self, spool_id: str) -> bytes:
        folder = os.path.dirname(self._layout.path(object_id(spool_id)))
        return os.path.join(self._root, FOLDER, folder.encode(), check_spool_id(spool_id))

    def _mark(self, spool_id: str, hold_id: str) -> bytes:
        if not _HOLD_ID.match(hold_id):
            raise ValueError(f"not a hold id: {hold_id!r}")
        return os.path.join(self._at(spool_id), hold_id.encode())
