"""Disposing: documents whose retention has ended are listed, approved, and destroyed.

What may go is decided by one transaction of the journal (``begin``); everything behind it
is carried out here, again and again until it is done: a spool is purged from every root, or
keys of its documents are destroyed there, then recorded; behind the last the certificate is
written, then journalled. Killed anywhere, the next run goes on: ``step`` completes what has
begun and begins nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from hotfolder.core.certificates import (
    Circumstances,
    certificate_body,
    certificate_json,
    certified_bytes,
)
from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.disposals import MOST, DisposalRow, DisposalState, DueFilter
from hotfolder.core.errors import HotfolderError, OperatorFault
from hotfolder.core.ports import Clock, Emit, Journal, Store
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import Encryption
from hotfolder.core.retention import Schedule
from hotfolder.core.schedules import named_after, schedule_digest
from hotfolder.files.content import write_all
from hotfolder.files.durability import sync_directories
from hotfolder.files.tree import exists, make_directory
from hotfolder.files.working import remove_working
from hotfolder.flows.retention import day_of

_IDLE = 5.0  # seconds
_AT_ONCE = 50  # spools that are destroyed in one step


class Certifier(Protocol):
    """What makes certificates of what was destroyed."""

    def sign(self, data: bytes) -> Mapping[str, str] | None:
        """The signature of these bytes; None if there is no key."""

    def render(self, certificate: bytes) -> bytes:
        """The certificate as a PDF, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where disposal takes place."""

    folder: bytes  # of the certificates; empty: the journal alone has them
    roots: int  # of the store
    version: str  # of hotfolder
    event: str = "appraisal"  # type of the event that asks ArchivesSpace; empty: it is not asked
    most: int = MOST  # documents of one disposal
    page: int = 2000  # documents that are recorded in one transaction


class Disposing:
    """Lists, decides, destroys. ``step`` and ``complete`` in one process at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        schedule: Schedule,
        folders: Mapping[str, FolderProfile],
        surroundings: Surroundings,
        certifier: Certifier,
        clock: Clock,
        emit: Emit,
        new_id: Callable[[], str],
    ) -> None:
        """``new_id`` gives twelve characters that no other disposal has."""
        self._journal = journal
        self._store = store
        self._schedule = schedule
        self._folders = dict(folders)
        self._where = surroundings
        self._certifier = certifier
        self._clock = clock
        self._emit = emit
        self._new_id = new_id
        self._noted: date | None = None
        self._log_waits = False  # somebody read in the journal's WAL when it was to be emptied
        self.waits = False  # what has begun could not go on when ``step`` tried last

    # -- by people -------------------------------------------------------------------
    def propose(
        self, wanted: DueFilter, business_units: Collection[str], *, actor: str, reason: str = ""
    ) -> list[DisposalRow]:
        """A list for each business unit that has something due, whole spools, oldest first.
        Journalled when this returns, with the event that asks ArchivesSpace."""
        now = self._clock.now()
        made = self._journal.propose_disposals(
            wanted,
            {unit: f"disposal-{self._new_id()}" for unit in business_units},
            day_of(now),
            self._where.most,
            actor,
            reason,
            now,
            self._where.event,
        )
        crashpoint("disposal.proposed")
        for row in made:
            self._emit("disposal.proposed", disposal=row.id, documents=row.documents)
        return made

    def approve(self, disposal: str, *, actor: str, authority: str = "") -> None:
        """Another person than the proposer approves. See ``Journal.approve_disposal``. What
        is refused to the proposer is on the audit chain then."""
        now = self._clock.now()
        try:
            self._journal.approve_disposal(disposal, actor, authority, now)
        except OperatorFault as error:
            if error.code == "disposal.same_person":
                details = {"duty": "approve", "disposal": disposal}
                self._journal.append_audit(actor, "access.refused", actor, details, now)
            raise
        crashpoint("disposal.approved")
        self._emit("disposal.approved", disposal=disposal)

    def withdraw(self, disposal: str, *, actor: str, reason: str = "") -> None:
        """It is not carried out. See ``Journal.withdraw_disposal``."""
        self._journal.withdraw_disposal(disposal, actor, reason, self._clock.now())
        self._emit("disposal.withdrawn", disposal=disposal)

    def vouch(self, day: date, *, actor: str) -> None:
        """A person says that today is ``day``. ``OperatorFault`` if the clock does not."""
        now = self._clock.now()
        if day != day_of(now):
            raise OperatorFault(
                f"the clock shows {day_of(now)}, not {day}",
                hint="put the clock right; nothing was destroyed",
                code="disposal.clock",
            )
        self._journal.note_day(day, actor, now, vouched=True)

    def begin(self, disposal: str, *, actor: str) -> DisposalRow:
        """Decide: from here on it is completed, whatever happens. See
        ``Journal.begin_disposal``."""
        spools = {item.spool_id for item in self._journal.disposal_members(disposal)}
        marked = {
            spool_id: holds
            for spool_id in sorted(spools)
            if (holds := self._store.holds_on(spool_id))
        }
        for spool_id, copy in self._journal.rebuilt_copies(sorted(spools)):
            if holds := self._store.holds_on(copy):
                marked[spool_id] = (*marked.get(spool_id, ()), *holds)
        kinds = self._journal.encryption_of(sorted(spools))
        divisible = {
            spool_id
            for spool_id, kind in kinds.items()
            if kind is Encryption.DOCUMENTS and self._store.can_destroy_parts(spool_id)
        }
        row = self._journal.begin_disposal(
            disposal,
            schedule_digest(self._schedule),
            actor,
            self._clock.now(),
            marked=marked,
            divisible=divisible,
        )
        # survives: the decision is journalled, and whoever looks next carries it out
        crashpoint("disposal.begun")
        self._emit("disposal.begun", disposal=row.id, documents=row.documents)
        return row

    # -- by itself -------------------------------------------------------------------
    def step(self) -> float:
        """Note the day, and complete what has begun; seconds to the next step. One that
        cannot go on now holds up no other."""
        now = self._clock.now()
        if (today := day_of(now)) != self._noted:
            if not self._journal.note_day(today, "hotfolder", now):
                self._emit("clock.doubted", day=today.isoformat())
            self._noted = today
        busy = False
        failed: HotfolderError | None = None
        for row in reversed(self._journal.disposals([DisposalState.EXECUTING])):
            try:
                busy = not self._advance(row.id) or busy
            except HotfolderError as error:
                self._emit(
                    "disposal.waits", disposal=row.id, reason=error.code, error=error.message
                )
                failed = error
        if self._log_waits:
            self._log_waits = not self._journal.empty_log()
        self.waits = failed is not None
        if busy:
            return 0.0
        if failed is not None:
            raise failed
        return _IDLE

    def complete(self, disposal: str) -> DisposalRow:
        """Carry out a disposal that has begun. All of it is destroyed, certified and
        journalled when this returns; harmless to repeat.

        Raises what ``Store.purge`` and the disk raise; what was done by then is done.
        ``KeyError`` if there is none.
        """
        while not self._advance(disposal):
            pass
        return self._get(disposal)

    def _advance(self, disposal: str) -> bool:
        """Destroy some spools, or certify that all are; True at the end."""
        spools = self._journal.doomed_spools(disposal, _AT_ONCE)
        copies: dict[str, list[str]] = {}
        whole = [spool.spool_id for spool in spools if not spool.by_key]
        for spool_id, copy in self._journal.rebuilt_copies(whole):
            copies.setdefault(spool_id, []).append(copy)
        for spool in spools:
            if spool.by_key:
                self._destroy_keys(disposal, spool.spool_id)
            else:
                self._store.purge(spool.spool_id, self._journal.tombstone_of(spool.spool_id))
                for copy in copies.get(spool.spool_id, ()):
                    # The same bytes: whatever is in it is destroyed with this one.
                    self._store.discard(copy)
            profile = self._folders.get(spool.folder)
            if profile is not None:
                remove_working(os.fsencode(profile.path), [spool.spool_id])
            # survives: killed here, there is nothing left to purge, and it is recorded
            crashpoint("disposal.purged")
            while not self._journal.record_destroyed(
                disposal, spool.spool_id, self._clock.now(), self._where.page
            ):
                crashpoint("disposal.recorded")
            # survives: killed here, the rest of it is recorded, then the next spool is purged
            crashpoint("disposal.recorded")
        if spools:
            return False
        row = self._get(disposal)
        if row.state is DisposalState.EXECUTING:
            self._journal.forget_destroyed(disposal, self._clock.now())
            self._log_waits = not self._journal.empty_log()
            # survives: killed here, all of it is forgotten once more
            crashpoint("disposal.forgotten")
            self._certify(row)
        return True

    def _destroy_keys(self, disposal: str, spool_id: str) -> int:
        tombstone, ordinals = self._journal.part_tombstone_of(disposal, spool_id)
        return self._store.purge_parts(spool_id, disposal, ordinals, tombstone)

    def repeat(self, disposal: str) -> int:
        """Destroy once more what a backup of a storage root may have brought back, of a
        disposal that is DONE; returns how many objects and keys there were."""
        spools = {
            (item.spool_id, item.by_key)
            for item in self._journal.disposal_members(disposal)
            if item.outcome == "destroyed"
        }
        found = sum(
            self._destroy_keys(disposal, spool_id)
            if by_key
            else self._store.purge(spool_id, self._journal.tombstone_of(spool_id))
            for spool_id, by_key in sorted(spools)
        )
        whole = [spool_id for spool_id, by_key in sorted(spools) if not by_key]
        return found + sum(
            self._store.discard(copy) for _, copy in self._journal.rebuilt_copies(whole)
        )

    def write_certificate(self, disposal: str, folder: bytes) -> list[bytes]:
        """Write the certificate, JSON and PDF, into ``folder``; paths, on disk on return.
        ``KeyError`` if there is none yet."""
        data = self._journal.disposal_certificate(disposal)
        if data is None:
            raise KeyError(disposal)
        return self._write(disposal, data, folder)

    def _certify(self, row: DisposalRow) -> None:
        now = self._clock.now()
        links = self._journal.audit_size()
        # The configuration may be another since it was decided.
        digest, schedule = self._journal.deciding_schedule(row.id)
        body = certificate_body(
            row,
            self._journal.disposal_members(row.id),
            named_after(schedule, self._schedule),
            digest,
            Circumstances(
                completed_at=now,
                roots=self._where.roots,
                log=self._journal.log_id(),
                links=links,
                root=self._journal.tree_root(links).hex(),
                version=self._where.version,
            ),
        )
        data = certificate_json(body, self._certifier.sign(certified_bytes(body)))
        if folder := self._where.folder:
            if not exists(folder) and make_directory(folder):
                sync_directories([os.path.dirname(folder)])
            self._write(row.id, data, folder)
        # survives: killed here, it is made again, and these files are replaced
        crashpoint("certificate.written")
        self._journal.finish_disposal(row.id, data, now)
        # survives: nothing is left to do
        crashpoint("disposal.done")
        self._emit("disposal.done", disposal=row.id, documents=body["counts"]["destroyed"])

    def _write(self, disposal: str, data: bytes, folder: bytes) -> list[bytes]:
        path = os.path.join(folder, disposal.encode())
        texts = [(path + b".json", data), (path + b".pdf", self._certifier.render(data))]
        write_all(texts)
        return [name for name, _ in texts]

    def _get(self, disposal: str) -> DisposalRow:
        row = self._journal.get_disposal(disposal)
        if row is None:
            raise KeyError(disposal)
        return row
