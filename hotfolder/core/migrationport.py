"""The journal's part about old archives that are moved in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from hotfolder.core.legacy import MigrationCounts, NewItem, TakenItem


class MigrationJournal(Protocol):
    """What was taken out of which source, and what became of it."""

    def taken_items(self, migration: str, source_ids: Sequence[str]) -> Mapping[str, TakenItem]:
        """Those of these items that are known, by their ids."""

    def take_items(self, migration: str, items: Sequence[NewItem], now: float) -> None:
        """Journal items before their spools are; those with faults are refused, and are
        REJECTED with that. One that is known is taken anew, with its new spool."""

    def settle_items(
        self, migration: str, old_archive: str, now: float, *, limit: int = 500
    ) -> int:
        """Items whose spools have come to an end get their outcomes; returns how many. Each
        unit that one of them is in gets its event ``migration`` in the same transaction."""

    def iterate_items(self, migration: str) -> Iterator[TakenItem]:
        """All of them with their spools as they are, by source id, in flat memory; each
        page is of one moment."""

    def migration_counts(self, migration: str) -> MigrationCounts:
        """How far a migration is."""

    def migration_rate(self, migration: str) -> float | None:
        """Documents a second that came to an end lately; None if too few did."""

    def live_intake_waits(self, now: float) -> bool:
        """Whether a claimed spool of a hot folder, that is due, has not been stored yet."""

    def archived_among(self, identities: Sequence[str]) -> set[str]:
        """Which of these documents are live."""
