"""What the journal remembers of changes that ArchivesSpace is to be told: a part of
``core.ports.Journal``, whose rules hold here too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hotfolder.core.changes import AsideChanges, DocumentChanges, ToldChanges


class ChangesJournal(Protocol):
    """What ArchivesSpace is to be told of documents, in order, each once."""

    def add_changes(
        self, rows: Sequence[tuple[int, str, Mapping[str, object]]], now: float
    ) -> None:
        """Let these wait: (number of the document, kind, body)."""

    def waiting_changes(
        self, *, after: int, limit: int, due_at: float
    ) -> tuple[list[DocumentChanges], int]:
        """What is due of up to ``limit`` documents that ArchivesSpace has, looking at the
        rows behind number ``after``; and how far was looked, 0 at the end. A document comes
        with all that waits for it, what was set aside too."""

    def record_told(self, told: Sequence[ToldChanges], now: float) -> None:
        """These rows are done. Their events wait in the outbox and the audit chain says so
        (``archive.told``) from the same moment. A row that was done before stays."""

    def defer_changes(self, numbers: Sequence[int], error: str, next_at: float) -> None:
        """Count an attempt of these rows and note when to try again."""

    def set_changes_aside(self, numbers: Sequence[int], reason: str, now: float) -> None:
        """Try these rows no more until somebody acts, or more happens to the document."""

    def readmit_changes(self, now: float) -> int:
        """What was set aside or waits for another attempt is due now; returns how many
        rows."""

    def tell_again(self, since: float) -> int:
        """What the server was told at or after ``since`` (changes of records, and events)
        waits once more; returns how many rows. To be told what it knows changes nothing
        there. Interrupted, a part of it waits."""

    def count_changes(self) -> tuple[int, int]:
        """How many rows wait, of documents that are not delivered yet too, and how many
        are set aside."""

    def has_changes_due(self, due_at: float) -> bool:
        """Whether something can be told now."""

    def changes_aside(self, limit: int = 100) -> list[AsideChanges]:
        """Documents whose record could not be changed, the longest ago first."""
