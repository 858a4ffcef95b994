"""Aside: spools that do not go on (DESIGN section 4).

A rejected drop goes, untouched, to ``_failed/<date>/`` with a note for a person
beside it. The journal is written first; what remains to be moved is found again
by ``Finisher.recover``, so a kill at any point ends in the same place. A held or
corrupt spool stays in ``_working`` until somebody decides.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Fault, HotfolderError
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.notes import error_note
from hotfolder.core.ports import Clock, Emit, Journal, Store
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import SpoolRow
from hotfolder.files.aside import move_aside
from hotfolder.files.working import remove_working
from hotfolder.flows.endings import Endings


class Aside:
    """Rejects, holds, marks corrupt."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        folders: Mapping[str, FolderProfile],
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._journal = journal
        self._store = store
        self._folders = dict(folders)
        self._clock = clock
        self._emit = emit
        self.endings = Endings()

    def use_folders(self, folders: Mapping[str, FolderProfile]) -> None:
        """Replace the folder profiles (after SIGHUP)."""
        self._folders = dict(folders)

    def reject(self, row: SpoolRow, faults: Sequence[Fault]) -> None:
        """The drop is at fault: journal every fault, then move it to ``_failed``.

        When it returns, the drop and its note are there and synced. If that fails, the
        spool is among the ``endings``.
        """
        self._journal.set_aside(row.id, SpoolState.REJECTED, faults, self._clock.now())
        # survives: killed here, recovery finds the working copy of a REJECTED spool
        crashpoint("aside.recorded")
        self._emit("spool.rejected", spool=row.id, reason=faults[0].code, faults=len(faults))
        with self.endings.completing([row.id]):
            self.complete_rejection(row, faults)

    def complete_rejection(self, row: SpoolRow, faults: Sequence[Fault]) -> None:
        """Move what is still in ``_working`` of a REJECTED spool; harmless to repeat."""
        # A spool that ArchivesSpace refused was stored before; it was never archived.
        self._store.withdraw(row.id, faults[0].code if faults else "rejected")
        profile = self._folders.get(row.folder)
        if profile is None:
            self._emit("spool.left_in_working", spool=row.id, reason="folder.unknown")
            return
        rejected_at = datetime.fromtimestamp(self._clock.now(), UTC)
        move_aside(
            os.fsencode(profile.path),
            row.id,
            rejected_at.date().isoformat(),
            os.path.basename(row.name),
            error_note(row, faults, profile=profile, rejected_at=rejected_at).encode(),
        )
        remove_working(os.fsencode(profile.path), [row.id])

    def hold(self, row: SpoolRow, error: HotfolderError) -> None:
        """An operator must act first; the spool waits where it is."""
        fault = Fault(code=error.code, message=error.message, remedy=error.hint)
        self._journal.set_aside(row.id, SpoolState.HELD, [fault], self._clock.now())
        self._emit("spool.held", spool=row.id, reason=error.code)

    def mark_corrupt(self, row: SpoolRow, error: HotfolderError) -> None:
        """Bytes are not what they were; everything is kept for inspection."""
        fault = Fault(code=error.code, message=error.message, remedy=error.hint)
        self._journal.set_aside(row.id, SpoolState.CORRUPT, [fault], self._clock.now())
        self._emit("spool.corrupt", spool=row.id, reason=error.code)
