"""What the journal remembers of disposals: a part of ``core.ports.Journal``, whose rules
hold here too."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from hotfolder.core.disposals import (
    DisposalMember,
    DisposalRow,
    DisposalState,
    DoomedSpool,
    DueDocument,
    DueFilter,
    Tombstone,
)
from hotfolder.core.retention import Schedule


class DisposalJournal(Protocol):
    """What may go, what was decided of it, and what was destroyed."""

    # -- today ---------------------------------------------------------------------
    def note_day(self, day: date, actor: str, now: float, *, vouched: bool = False) -> bool:
        """The clock shows ``day``; whether it is believed. With ``vouched`` a person says
        that it is right, which is on the audit chain."""

    # -- before ----------------------------------------------------------------------
    def due_documents(
        self, wanted: DueFilter, today: date, *, after: tuple[str, int] = ("", 0), limit: int = 500
    ) -> tuple[list[DueDocument], tuple[str, int] | None]:
        """A page of the documents whose retention ended before ``today``, oldest end first,
        and where the next page begins; None behind the last."""

    def propose_disposals(
        self,
        wanted: DueFilter,
        ids: Mapping[str, str],
        today: date,
        limit: int,
        actor: str,
        reason: str,
        now: float,
        event_type: str = "appraisal",
    ) -> list[DisposalRow]:
        """Freeze a list for each business unit, by ``ids`` (business unit to the id of the
        disposal), of up to ``limit`` documents that may be proposed; a spool is on a list
        with all its documents that may be, or not. PROPOSED, audit ``disposal.proposed``
        and the event for ArchivesSpace in one transaction."""

    def approve_disposal(self, disposal: str, actor: str, authority: str, now: float) -> None:
        """PROPOSED to APPROVED. ``KeyError``; ``OperatorFault`` if the actor proposed it,
        if it is no longer PROPOSED, or if a document of it is to be reviewed and no
        authority is named."""

    def withdraw_disposal(self, disposal: str, actor: str, reason: str, now: float) -> None:
        """PROPOSED or APPROVED to WITHDRAWN; its documents may be proposed again."""

    # -- destroying ----------------------------------------------------------------
    def begin_disposal(
        self,
        disposal: str,
        schedule: str,
        actor: str,
        now: float,
        *,
        marked: Mapping[str, Sequence[str]] | None = None,
        divisible: Collection[str] = (),
    ) -> DisposalRow:
        """APPROVED to EXECUTING: every document of the list is looked at again, and in the
        same transaction becomes ``destroying``, ``withheld`` or excluded, with the reason.
        ``schedule`` is the digest of the schedule that the caller has. ``marked`` are spools
        that the store has marks of holds on, with the holds: they stay. Out of those in
        ``divisible``, which can destroy the key of one document, documents go by themselves
        if others stay; marks do not stop that if the journal knows each of these holds, and
        so whether it is upon the document.

        ``KeyError``; ``OperatorFault`` if it is not APPROVED, if today is not believed or
        the schedule is another than the one noted last; ``Transient`` while dates are
        being computed. Nothing has changed then."""

    def doomed_spools(self, disposal: str, limit: int = 100) -> list[DoomedSpool]:
        """Spools of a disposal that are not recorded as destroyed."""

    def rebuilt_copies(self, spool_ids: Sequence[str]) -> list[tuple[str, str]]:
        """(spool, another) of these spools: a rebuild found another with the same bytes in
        the store, with an object of its own. It is a DUPLICATE since."""

    def part_tombstone_of(self, disposal: str, spool_id: str) -> tuple[bytes, list[int]]:
        """What the store keeps of the documents of a spool that go by their keys under a
        disposal, the same at every call, and their ordinals. ``KeyError`` if none does."""

    def tombstone_of(self, spool_id: str) -> bytes:
        """What the store keeps of a spool that is being destroyed: the same at every call."""

    def record_destroyed(self, disposal: str, spool_id: str, now: float, limit: int = 2000) -> bool:
        """The store has nothing of the spool any more, or no key of these documents: the
        next ``limit`` that the disposal named are ``destroyed``, what is personal leaves the
        catalogue, audit ``document.destroyed`` of each. True when that were the last.
        Harmless to repeat."""

    def resume_disposals(self, actor: str, reason: str, now: float) -> bool:
        """Somebody has seen to what a rebuilt journal lacks: until then ``begin_disposal``
        raises ``OperatorFault`` (``disposal.rebuilt``). Audit ``disposal.resumed``; False if
        nothing was in the way."""

    def forget_destroyed(self, disposal: str, now: float) -> None:
        """What stayed of them where rows have no place: their words leave the index for
        good, drops that were the same as a spool that went lose their names, and rows of
        the same documents from when they were rejected what is personal. A part of it in
        each transaction; harmless to repeat."""

    def empty_log(self) -> bool:
        """What was deleted stands no more in what the journal writes ahead of its file;
        False while somebody reads there, to be tried again."""

    def finish_disposal(self, disposal: str, certificate: bytes, now: float) -> None:
        """EXECUTING to DONE with its certificate (JSON), audit ``disposal.done``, and the
        updates for ArchivesSpace. ``ValueError`` while a spool of it is not recorded."""

    # -- looking ---------------------------------------------------------------------
    def disposals(
        self, states: Sequence[DisposalState] = (), *, limit: int = 1000
    ) -> list[DisposalRow]:
        """Disposals, newest first; in these states, or all."""

    def get_disposal(self, disposal: str) -> DisposalRow | None:
        """One, by its id or a unique prefix of it."""

    def disposal_members(self, disposal: str) -> Iterator[DisposalMember]:
        """Its list, by identity, in flat memory."""

    def deciding_schedule(self, disposal: str) -> tuple[str, Schedule]:
        """Digest of the schedule by which a disposal was decided, and the schedule, without
        titles and mandates."""

    def disposal_certificate(self, disposal: str) -> bytes | None:
        """The certificate of one that is DONE, byte for byte."""

    def destroyed_document(self, identity: str) -> Tombstone | None:
        """What is left of a document whose destruction was begun; None if it was not."""

    def is_partly_withheld(self, spool_id: str) -> bool:
        """Whether a document of the spool is withheld."""

    def destroyed_among(self, identities: Sequence[str]) -> list[Tombstone]:
        """Those of these documents that were destroyed, or are being."""

    def restore_tombstones(self, tombstones: Sequence[Tombstone], now: float) -> int:
        """Journal what the store says was destroyed, after the journal was lost; how many
        are new. A document that a rebuild found destroyed lives no more from then on."""
