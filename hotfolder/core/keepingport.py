"""What the journal remembers of documents while they are kept: a part of
``core.ports.Journal``, whose rules hold here too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from hotfolder.core.clocks import (
    EventRow,
    NewEvent,
    RetainedDocument,
    RetentionChange,
    WorkDone,
)
from hotfolder.core.fixity import FixityResult, FixityRound, FixityTarget
from hotfolder.core.records import (
    ArchiveEvent,
    AuditRow,
    RecomputedChain,
    SignedHead,
)
from hotfolder.core.retention import Schedule, Subject


class KeepingJournal(Protocol):
    """How long documents are kept, what was done, and whether every byte is there."""

    # -- retention ------------------------------------------------------------
    def record_events(self, events: Sequence[NewEvent], now: float) -> list[int]:
        """Journal what happened; their numbers. One with a source comes once."""

    def withdraw_event(self, number: int, actor: str, reason: str, now: float) -> EventRow | None:
        """The event counts no more; None if there is none of this number. One that was
        withdrawn before stays as it is."""

    def retention_events(
        self, *, subject: tuple[Subject, str] | None = None, after: int = 0, limit: int = 1000
    ) -> list[EventRow]:
        """Events, withdrawn ones too, in order; all, or those of one policy, case …"""

    def note_schedule(self, schedule: Schedule, now: float) -> bool:
        """Journal the schedule, unless it decides as the last one did; True if it is
        another, whose dates are then to be computed."""

    def noted_schedules(self) -> list[str]:
        """Every schedule that was in force, as ``core.schedules.dump_schedule`` wrote it,
        oldest first."""

    def compute_retention(self, schedule: Schedule, limit: int, now: float) -> WorkDone | None:
        """Compute a page of what is to be computed, ``limit`` documents and pieces of work at
        most; None if nothing is. All of it is one transaction."""

    def retention_backlog(self) -> int:
        """How many pieces of work are not done."""

    def retained_documents(self, after: int, limit: int) -> tuple[list[RetainedDocument], int]:
        """A page of the documents with a class that are kept, and the number after which
        the next page begins; that of the last page is ``after``."""

    def retained_document(self, identity: str) -> RetainedDocument | None:
        """What retention depends on of one document, with the events in force."""

    def retention_changes(self, identity: str) -> list[RetentionChange]:
        """Every change of a document's class, dates and disposition, in order."""

    # -- audit ----------------------------------------------------------------
    def append_audit(
        self, actor: str, action: str, subject: str, details: Mapping[str, object], now: float
    ) -> AuditRow:
        """Add a link to the chain."""

    def audit(self, *, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        """Links with a number greater than ``after``."""

    def audit_of(self, subjects: Sequence[str]) -> list[AuditRow]:
        """All links about these subjects, in order."""

    def audit_size(self) -> int:
        """How many links there are."""

    def audit_entry(self, number: int) -> bytes:
        """The bytes that a link's leaf is the hash of. ``KeyError`` if there is no such link."""

    def recompute_chain(
        self,
        sizes: Collection[int] = (),
        *,
        after: int = 0,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> RecomputedChain:
        """Recompute every link and node (behind ``after``), and the roots at ``sizes``.
        ``BrokenChain`` with the first link that is wrong."""

    # -- the Merkle tree over it (``core.merkle``); one proof never reads the whole chain ------
    def log_id(self) -> str:
        """What this log is called in its heads: made at random with the journal."""

    def tree_root(self, size: int) -> bytes:
        """The root over the first ``size`` links. ``BrokenChain`` if one is missing."""

    def inclusion_proof(self, number: int, size: int) -> list[bytes]:
        """That link ``number`` (from 1) is in the tree of ``size`` links."""

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """That the tree of ``new`` links begins with that of ``old``."""

    def add_tree_head(self, signed: SignedHead, now: float, *, actor: str = "hotfolder") -> bool:
        """Keep a signed head, and add the link ``tree.signed``; False, and nothing changed,
        if there is one of that size. ``ValueError`` if it is not of this log as it is, or
        smaller than the last."""

    def tree_heads(self, *, after: int = 0, limit: int = 1000) -> list[SignedHead]:
        """Heads of more than ``after`` links, smallest first."""

    def last_tree_head(self) -> SignedHead | None:
        """The newest head, or None."""

    # -- fixity -------------------------------------------------------------------
    def open_round(self) -> FixityRound | None:
        """The round of the scrub that is not at its end, if there is one."""

    def begin_round(self, now: float) -> FixityRound:
        """A new round over all that is stored now; one that was open ends unfinished."""

    def fixity_fresh(self, number: int, *, after: int, limit: int) -> list[FixityTarget]:
        """Spools of a round that were never verified, by number; page with ``after``."""

    def fixity_stale(self, number: int, *, limit: int) -> list[FixityTarget]:
        """Spools that were verified in earlier rounds and not in this one, the longest ago
        first."""

    def fixity_left(self, number: int) -> int:
        """How many spools a round has still to verify."""

    def fixity_chosen(
        self,
        *,
        spool_id: str | None = None,
        folder: str | None = None,
        since: float | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[FixityTarget]:
        """Spools of the store that were asked for, by number; page with ``after``."""

    def is_in_store(self, spool_id: str) -> bool:
        """Whether the store has to have this spool now."""

    def find_buried(self, spool_ids: Sequence[str]) -> Mapping[str, frozenset[int] | None]:
        """Those of these spools of which a certified disposal destroyed something: None for
        all of it, else the ordinals of the documents whose keys it destroyed."""

    def record_fixity(self, results: Sequence[FixityResult]) -> None:
        """Results of the open round (or of the last, if none is), each in the place of the
        one before; what is not whole goes into a history that is only added to."""

    def record_walk(
        self, number: int, root: int, position: str, found: Sequence[FixityResult]
    ) -> None:
        """The walk for objects that are not to be there has come to ``position`` in a root."""

    def round_totals(self, number: int) -> dict[str, object]:
        """What a round found, with the SHA-256 over all results."""

    def units_verified(self, number: int) -> Iterator[tuple[str, str, bool]]:
        """(business unit, uri, passed) of every confirmed unit whose spools a round has
        verified."""

    def finish_round(
        self,
        number: int,
        totals: Mapping[str, object],
        events: Mapping[str, Sequence[ArchiveEvent]],
        now: float,
        actor: str,
    ) -> None:
        """The round is at its end, with its link of the audit chain and the events that
        ArchivesSpace is to be told. ``ValueError`` if it had ended already."""
