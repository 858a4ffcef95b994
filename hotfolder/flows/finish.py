"""Finish: receipts, the end of working copies, and recovery after a crash.

A receipt is written when every document of a spool is confirmed (or found to be
archived already); the working copy is removed last of all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import HotfolderError
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.notes import skipped_note
from hotfolder.core.ports import Clock, Emit, Journal, Store
from hotfolder.core.profiles import FolderKind, FolderProfile
from hotfolder.core.receipts import (
    MOST_INLINE,
    document_receipt,
    receipt_json,
    receipt_text,
)
from hotfolder.core.records import Role, SpoolRow
from hotfolder.files.aside import NOTE
from hotfolder.files.claim import recover_claims, return_claim
from hotfolder.files.content import write_all
from hotfolder.files.layout import folder_paths
from hotfolder.files.working import list_working, remove_working
from hotfolder.flows.aside import Aside
from hotfolder.flows.receipts import SUFFIX, choose_receipt
from hotfolder.sidecars.raw import display

BATCH = 256
_ASKED = 1000  # spools whose state is asked for at once

Guard = Callable[[str], AbstractContextManager[bool]]


def _nobody_else(_folder: str) -> AbstractContextManager[bool]:
    return nullcontext(True)


class Finisher:
    """Writes receipts and clears ``_working``; one thread at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        aside: Aside,
        folders: Mapping[str, FolderProfile],
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._journal = journal
        self._store = store
        self._aside = aside
        self._folders = dict(folders)
        self._clock = clock
        self._emit = emit
        self._stranded: dict[str, str] = {}  # folder by spool, of those that wait for one
        self._waiting = 0  # how many of them the last look at all has met

    def use_folders(self, folders: Mapping[str, FolderProfile]) -> None:
        """Replace the folder profiles (after SIGHUP)."""
        self._folders = dict(folders)
        self._stranded = {}
        self._waiting = 0

    def finish(self, limit: int = BATCH) -> int:
        """Receipt up to ``limit`` delivered spools and remove their working copies.

        Returns how many were finished. One with a document that the server has lost since
        waits until that has been sent again, one whose folder is not configured any more until
        it is: nobody knows where its working copy lies. The receipts are on disk before the
        journal says DONE, and the journal says DONE before a working copy goes. When there is
        nothing to receipt, what a fault has left in ``_working`` is brought to its end.
        """
        rows = self._confirmed(limit)
        for folder, group in _by_folder(rows).items():
            self._write_receipts(folder, group, outcome="archived")
            self._journal.record_receipted([row.id for row in group], self._clock.now())
            # survives: killed here, recovery removes the working copies
            crashpoint("receipt.recorded")
            with self._aside.endings.completing([row.id for row in group]):
                self._remove(folder, [row.id for row in group])
            self._emit("spool.done", folder=folder, count=len(group))
        if not rows:
            self._complete_endings()
        return len(rows)

    def unfinished(self) -> int:
        """How many spools have ended but for their files in ``_working``."""
        return len(self._aside.endings)

    def stranded(self) -> int:
        """How many delivered spools wait for a folder that is not configured any more."""
        return self._waiting

    def _complete_endings(self) -> None:
        failed: HotfolderError | None = None
        for _ in range(len(self._aside.endings)):
            if (spool_id := self._aside.endings.take()) is None:
                break
            try:
                with self._aside.endings.completing([spool_id]):
                    row = self._journal.get_spool(spool_id)
                    assert row is not None  # a spool is never deleted
                    self._complete(row.folder, [(row.id, row.state)])
            except HotfolderError as error:
                failed = error  # the others are not held up by it
        if failed is not None:
            raise failed

    def _confirmed(self, limit: int) -> list[SpoolRow]:
        """The oldest DELIVERED spools all of whose documents are confirmed still."""
        found: list[SpoolRow] = []
        waiting = 0
        after: str | None = None
        while len(found) < limit:
            page = self._journal.spools([SpoolState.DELIVERED], after=after, limit=limit)
            missing = self._journal.unconfirmed([row.id for row in page])
            whole = [row for row in page if not missing.get(row.id)]
            ready = [row for row in whole if not self._is_stranded(row)]
            waiting += len(whole) - len(ready)
            found += ready[: limit - len(found)]
            if len(page) < limit:
                self._waiting = waiting
                break
            after = page[-1].id
        return found

    def _is_stranded(self, row: SpoolRow) -> bool:
        """Whether it has a working copy in a folder that is not configured any more. One that
        was DONE before, or was rebuilt from the store, has none."""
        if row.folder in self._folders:
            return False
        if row.id not in self._stranded:
            steps = self._journal.history(row.id)
            if steps[0].new != SpoolState.CLAIMING or any(
                step.new == SpoolState.DONE for step in steps
            ):
                return False
            if row.folder not in self._stranded.values():
                self._emit("folder.missing", folder=row.folder, count=1)
            self._stranded[row.id] = row.folder
        return True

    def finish_duplicates(self, rows: Sequence[SpoolRow]) -> None:
        """Receipt duplicates and remove their working copies; harmless to repeat.

        The receipt names the record of the first; where that is still on its way,
        it says so.
        """
        for folder, group in _by_folder(rows).items():
            with self._aside.endings.completing([row.id for row in rows]):
                self._write_receipts(folder, group, outcome="duplicate")
                self._remove(folder, [row.id for row in group])
            self._emit("spool.done", folder=folder, count=len(group))

    def _clear_working(self) -> None:
        """Complete every spool that the journal has ended but that still has a
        working copy: the daemon was killed between the two."""
        for folder, profile in self._folders.items():
            known: list[tuple[str, SpoolState]] = []
            for spool_id, state in self._states_in_working(profile):
                if state is None:
                    self._return_unknown(profile, spool_id)
                else:
                    known.append((spool_id, state))
            self._complete(folder, known)

    def _complete(self, folder: str, spools: Iterable[tuple[str, SpoolState]]) -> None:
        """Bring those that the journal has ended to their end in ``_working``."""
        duplicates: list[SpoolRow] = []
        leftovers: list[str] = []
        for spool_id, state in spools:
            if state in (SpoolState.DONE, SpoolState.ABANDONED):
                leftovers.append(spool_id)
            elif state in (SpoolState.REJECTED, SpoolState.DUPLICATE):
                row = self._journal.get_spool(spool_id)
                assert row is not None  # a spool is never deleted
                if state is SpoolState.DUPLICATE:
                    duplicates.append(row)
                else:
                    self._aside.complete_rejection(row, row.faults)
        self.finish_duplicates(duplicates)
        if leftovers:
            self._remove(folder, leftovers)

    def _states_in_working(self, profile: FolderProfile) -> Iterator[tuple[str, SpoolState | None]]:
        # Asked by the thousand: after an outage all that wait for the server lie there.
        spool_ids = list_working(os.fsencode(profile.path))
        for start in range(0, len(spool_ids), _ASKED):
            asked = spool_ids[start : start + _ASKED]
            states = self._journal.states_of(asked)
            yield from ((spool_id, states.get(spool_id)) for spool_id in asked)

    def recover(self, guard: Guard = _nobody_else) -> None:
        """After a start: settle half-made claims, clean the store, finish what was
        under way. Call before any watcher runs. ``guard`` says of a folder, and keeps it
        so, that no other process claims in it."""
        claiming = self._journal.spools([SpoolState.CLAIMING], limit=1_000_000)
        for folder, rows in _by_folder(claiming).items():
            with guard(folder) as alone:
                if alone:
                    self._settle(folder, rows, "restart")
        removed = self._store.clean()
        if removed:
            self._emit("store.cleaned", count=removed)
        self._clear_working()

    def settle_claims(self, folder: str) -> None:
        """Decide claims that an error interrupted, by where the files are now. To be
        called by the thread that claims in this folder."""
        rows = self._journal.spools([SpoolState.CLAIMING], folder=folder, limit=1_000_000)
        if rows:
            self._settle(folder, rows, "the claim failed")

    def _settle(self, folder: str, rows: Sequence[SpoolRow], reason: str) -> None:
        profile = self._folders.get(folder)
        if profile is None:
            self._emit("folder.missing", folder=folder, count=len(rows))
            return
        outcomes = recover_claims(os.fsencode(profile.path), rows)
        claimed = [outcome.spool_id for outcome in outcomes if outcome.claimed]
        undone = [outcome.spool_id for outcome in outcomes if not outcome.claimed]
        self._journal.finish_claims(claimed, self._clock.now())
        self._journal.abandon_claims(undone, reason, self._clock.now())
        self._emit("claim.recovered", folder=folder, claimed=len(claimed), abandoned=len(undone))

    def _return_unknown(self, profile: FolderProfile, spool_id: str) -> None:
        """A working copy that the journal does not know (it was lost, and rebuilt from
        store and server, neither of which has this spool): the drop starts anew."""
        returned = return_claim(os.fsencode(profile.path), spool_id)
        self._emit("working.returned", folder=profile.name, spool=spool_id, count=returned)

    def _write_receipts(self, folder: str, rows: list[SpoolRow], *, outcome: str) -> None:
        profile = self._folders.get(folder)
        if profile is None:
            self._emit("folder.missing", folder=folder, count=len(rows))
            return
        if profile.kind is FolderKind.MIGRATION:
            return  # no producer waits for one: the reconciliation is what is given
        receipts = folder_paths(os.fsencode(profile.path)).receipts
        texts: list[tuple[bytes, bytes | Iterable[bytes]]] = []
        taken: set[bytes] = set()
        for row in rows:
            path = choose_receipt(receipts, row, taken)
            taken.add(path)
            texts += self._compose(path, row, profile, outcome)
        write_all(texts)
        # survives: killed here, the same receipts are written again
        crashpoint("receipt.written")

    def _compose(
        self, path: bytes, row: SpoolRow, profile: FolderProfile, outcome: str
    ) -> Iterator[tuple[bytes, bytes | Iterable[bytes]]]:
        """Everything that is written for one spool, by the path of its receipt."""
        owner = row
        if outcome == "duplicate" and row.first_spool_id is not None:
            owner = self._journal.get_spool(row.first_spool_id) or row
        listed = path + b".receipt.jsonl" if (owner.documents or 0) > MOST_INLINE else b""
        documents = [] if listed else self._journal.documents_of(owner.id)
        receipt = receipt_json(
            row,
            documents,
            outcome=outcome,
            at=self._clock.now(),
            documents_file=display(listed),
        )
        body = json.dumps(receipt, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        if listed:
            yield listed, self._list_documents(owner.id)
        if row.skipped or row.refused:
            archived_at = datetime.fromtimestamp(self._clock.now(), UTC)
            note = skipped_note(row, profile=profile, archived_at=archived_at)
            yield path + NOTE, note.encode()
        if profile.manual:
            text = receipt_text(row, documents, outcome=outcome, profile=profile)
            yield path + b".receipt.txt", text.encode()
        yield path + SUFFIX, body.encode()

    def _list_documents(self, spool_id: str) -> Iterator[bytes]:
        for item in self._journal.iterate_documents(spool_id):
            if item.document.role is not Role.CARRIER:
                line = json.dumps(
                    document_receipt(item, placed=True), ensure_ascii=False, sort_keys=True
                )
                yield line.encode() + b"\n"

    def _remove(self, folder: str, spool_ids: list[str]) -> None:
        profile = self._folders.get(folder)
        if profile is not None:
            remove_working(os.fsencode(profile.path), spool_ids)
            # survives: nothing is left to do
            crashpoint("working.removed")


def _by_folder(rows: Sequence[SpoolRow]) -> dict[str, list[SpoolRow]]:
    groups: dict[str, list[SpoolRow]] = {}
    for row in rows:
        groups.setdefault(row.folder, []).append(row)
    return groups
