"""What the journal and the store remember of legal holds: parts of ``core.ports.Journal``
and of ``core.ports.Store``, whose rules hold here too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from hotfolder.core.holds import Coverage, Criteria, HoldPhase, HoldRow, NewHold


class HoldingJournal(Protocol):
    """Holds, their members, and how far each has come."""

    def place_hold(self, hold: NewHold, now: float) -> HoldRow:
        """Journal a hold; from then on nothing that it holds is destroyed. One whose id is
        there already is left as it is, and given back.

        Raises ``OperatorFault`` (``hold.too_late``) if a document that it names by its
        identity is being destroyed, or was."""

    def release_hold(self, hold_id: str, actor: str, reason: str, now: float) -> HoldRow | None:
        """The hold stops nothing any more; None if there is none of this id. One that was
        released before stays as it is."""

    def get_hold(self, hold_id: str) -> HoldRow | None:
        """One hold, or None."""

    def holds(self, *, released: bool = False, after: int = 0, limit: int = 1000) -> list[HoldRow]:
        """Holds in force, oldest first, with ``released`` the others too; page with the
        number of the last."""

    def unfinished_holds(self, limit: int = 100) -> list[HoldRow]:
        """Holds that are not acknowledged, and those in force whose spools are not all
        marked, oldest first."""

    def last_document(self) -> int:
        """The number of the document that was journalled last; 0 before the first. Criteria
        that end at it catch no newcomers."""

    def hold_coverage(self, criteria: Criteria) -> Coverage:
        """What these criteria would hold now. Takes a look at each document that might be
        meant; nobody waits for it."""

    def hold_candidates(self, hold_id: str, page: int) -> Iterator[list[int]]:
        """The documents (``documents.number``) that a hold in force holds by its criteria,
        as of one moment, in flat memory; nobody waits for it."""

    def add_members(self, hold_id: str, numbers: Sequence[int], now: float) -> int:
        """Make documents members, with what ArchivesSpace is to be told of it; returns how
        many are new. Nothing is changed once the hold is released."""

    def tell_released(self, hold_id: str, limit: int, now: float) -> bool:
        """Write down what ArchivesSpace is to be told of the next members of a hold that
        was released; True if that were the last."""

    def advance_hold(self, hold_id: str, phase: HoldPhase, now: float) -> bool:
        """The hold has come to this phase; with ``PLACED`` and ``LIFTED`` it is acknowledged,
        on the audit chain. False, and nothing changed, if it has gone another way meanwhile,
        or a spool of it is not marked."""

    def spools_to_mark(self, hold_id: str, limit: int) -> list[str]:
        """Spools of a hold in force that are not marked in the store yet."""

    def record_marked(self, hold_id: str, spool_ids: Sequence[str]) -> bool:
        """They are marked; False if the hold was released meanwhile: their marks are then
        to be taken away (again)."""

    def spools_to_lift(self, hold_id: str, limit: int) -> list[str]:
        """Spools of a released hold whose marks are not taken away yet."""

    def spools_of_hold(self, hold_id: str, after: int, limit: int) -> list[tuple[int, str]]:
        """(number, id) of the spools that it holds, or held, after a number, in order."""

    def record_lifted(self, hold_id: str, spool_ids: Sequence[str]) -> None:
        """Their marks are taken away. Harmless to repeat."""

    def holds_of(self, identity: str, *, released: bool = False) -> list[HoldRow]:
        """The holds upon a document, oldest first; those that were released too if asked."""

    def holds_upon_documents(self, identities: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The ids of the holds in force of which these documents are members; those of none
        are left out."""

    def held_documents(self, hold_id: str, *, after: int = 0, limit: int = 100) -> list[str]:
        """Identities of the members of a hold, from the one ``after`` many on."""


class HoldingStore(Protocol):
    """Marks of holds, beside the objects, which are immutable. Durable on return, in every
    copy."""

    def place_hold(self, spool_id: str, hold_id: str) -> None:
        """Mark that a hold is upon a spool, whose object need not be there yet. Harmless to
        repeat. Raises ``Transient`` or ``OperatorFault``; it may be marked in some copies
        then."""

    def lift_hold(self, spool_id: str, hold_id: str) -> None:
        """Take the mark away; nothing if there is none. Raises as ``place_hold``."""

    def place_holds(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """``place_hold`` for many, with their syncs shared."""

    def lift_holds(self, spool_ids: Sequence[str], hold_id: str) -> None:
        """``lift_hold`` for many, with their syncs shared."""

    def keep_hold(self, hold_id: str, record: bytes) -> None:
        """Keep what a hold is, for a journal that is lost; in the place of what was kept."""

    def drop_hold(self, hold_id: str) -> None:
        """Keep it no more; nothing if it is not there."""

    def kept_holds(self) -> Iterator[bytes]:
        """What is kept of each hold, by id; of one that several copies have, once."""

    def holds_on(self, spool_id: str) -> tuple[str, ...]:
        """The ids of the holds that any copy has upon a spool, sorted."""
