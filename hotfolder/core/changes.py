"""Records about what ArchivesSpace is told of a document after it was delivered: how long
it is kept, what holds are on it, that it was destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hotfolder.core.holdmark import HoldMark
from hotfolder.core.records import ArchiveEvent, CatalogueRow

CONTENDED = "archive.contended"  # code: the server answers, and does not take a change now


class Change(StrEnum):
    """What there is to tell; the kinds of the table ``updates``."""

    RETENTION = "retention"
    HOLD = "hold"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionEnd:
    """What was decided of a document's retention."""

    retention_class: str | None
    class_version: int | None = None
    retain_until: date | None  # the last day of retention, None if no end is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """How the record of a document is to be changed; what is None or empty is left alone.

    ``sent`` is every end that ArchivesSpace may have of us: another one that is found
    there is an archivist's.
    """

    row: CatalogueRow
    retention: RetentionEnd | None = None
    sent: tuple[RetentionEnd, ...] = ()
    holds: tuple[HoldMark, ...] = ()
    held: bool = False  # whether any hold is on it now
    destroyed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """What became of an ``Amendment``.

    ``changed``: the record says so now. ``unchanged``: it did already.
    ``gone``: there is no such record, or it is not shown.
    ``refused``: the server will not have it; ``reason`` in its words, which may quote the
    record: for the journal, never for a log.
    ``conflicts`` says where an archivist's edit was kept against ours, without values.
    """

    outcome: str
    conflicts: tuple[str, ...] = ()
    reason: str = ""
    uri: str | None = None  # where the record was found


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTell:
    """One row of ``updates``: what happened, for the event that says so."""

    number: int
    kind: Change
    subject: str  # id of the hold or disposal; class and version
    released: bool = False  # of a hold
    digest: str = ""  # of the certificate, of what was destroyed
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChanges:
    """All that waits to be told of one record, oldest first, as one amendment."""

    business_unit: str
    uri: str
    rows: tuple[ToTell, ...]
    attempts: int
    amendment: Amendment

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of its rows."""
        return tuple(row.number for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChanges:
    """What ArchivesSpace has now of one or more documents: rows that are done, each with
    its outcome, and the event that says so of all of them."""

    business_unit: str
    subject: str  # of the link of the audit chain
    details: dict[str, object]
    outcomes: tuple[tuple[int, str], ...]  # (number of the row, what came of it)
    event: ArchiveEvent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsideChanges:
    """A document whose record could not be changed and is left until somebody acts."""

    identity: str
    business_unit: str
    reason: str
    since: float
