"""Disposals: batches of documents that are destroyed together, and their states."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from hotfolder.core.canonical import dump

# Documents of one disposal: all of them are decided in one transaction, and other writers
# wait for it. One spool with more of them is a disposal of its own.
MOST = 5_000
# So many days may lie between two days that the clock shows: a long weekend. More of them
# at once are believed when a person says so.
LONGEST_GAP = timedelta(days=4)


class DisposalState(StrEnum):
    """Where a disposal is on its way."""

    PROPOSED = "PROPOSED"  # a list that somebody else is to approve
    APPROVED = "APPROVED"
    EXECUTING = "EXECUTING"  # its documents are being destroyed; it always comes to DONE
    DONE = "DONE"  # certified
    WITHDRAWN = "WITHDRAWN"


DISPOSAL_MOVES: Mapping[DisposalState, frozenset[DisposalState]] = {
    DisposalState.PROPOSED: frozenset({DisposalState.APPROVED, DisposalState.WITHDRAWN}),
    DisposalState.APPROVED: frozenset({DisposalState.EXECUTING, DisposalState.WITHDRAWN}),
    DisposalState.EXECUTING: frozenset({DisposalState.DONE}),
    DisposalState.DONE: frozenset(),
    DisposalState.WITHDRAWN: frozenset(),
}
OPEN_DISPOSALS = (DisposalState.PROPOSED, DisposalState.APPROVED, DisposalState.EXECUTING)


class Standing(StrEnum):
    """What may be done with a document whose retention has ended."""

    DUE = "due"  # it may go, with its whole spool or by its key
    PENDING = "pending"  # others of its spool are not due, or are held
    WITHHELD = "withheld"  # as pending, and given to nobody any more
    LISTED = "listed"  # on the list of an open disposal
    HELD = "held"
    KEPT = "kept"  # its class says that it is looked at and kept
    BLOCKED = "blocked"  # something else is in the way; see ``why``

    @property
    def may_be_proposed(self) -> bool:
        """Whether it may be put on a list."""
        return self in (Standing.DUE, Standing.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueFilter:
    """Which documents are asked for; all that are given must match."""

    retention_class: str | None = None
    business_unit: str | None = None
    series: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDocument:
    """A document whose retention has ended, and what stands in the way of its end."""

    number: int
    identity: str
    spool_id: str
    business_unit: str
    series: str
    sha256: str
    retention_class: str
    class_version: int | None
    cutoff: date | None
    retain_until: date
    action: str
    standing: Standing
    why: str = ""  # of what stands in the way: hold-…, disposal-…, or words


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalRow:
    """A disposal as the journal has it."""

    id: str
    business_unit: str
    state: DisposalState
    proposed_by: str
    approved_by: str | None
    executed_by: str | None
    authority: str
    reason: str
    created_at: float
    approved_at: float | None
    executed_at: float | None
    done_at: float | None
    list_sha256: str
    certificate_sha256: str | None
    documents: int
    to_review: int  # whose class asks for a review: the approval must name an authority
    outcomes: Mapping[str, int]  # destroyed, withheld, excluded; of one that was begun
    today: date | None  # on which it was decided


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalMember:
    """A document on the list of a disposal, as the list was frozen."""

    identity: str
    spool_id: str
    series: str
    sha256: str
    retention_class: str | None
    class_version: int | None
    cutoff: date | None
    retain_until: date | None
    action: str
    outcome: str | None
    reason: str
    by_key: bool = False  # destroyed by destroying its key; its spool stayed


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What is left of a document."""

    identity: str
    disposal: str
    spool_id: str
    business_unit: str
    sha256: str
    retention_class: str | None
    class_version: int | None
    cutoff: date | None
    retain_until: date | None
    begun_on: date
    certificate_sha256: str | None = None  # None while its destruction is under way
    by_key: bool = False  # by destroying its key; its spool stayed
    ordinal: int | None = None  # in its spool; of one that goes by its key, told by the store


@dataclass(frozen=True, slots=True, kw_only=True)
class DoomedSpool:
    """A spool that is being destroyed, or documents of which are."""

    number: int
    spool_id: str
    folder: str
    by_key: bool = False  # its documents go by their keys, and it stays


def list_line(
    identity: str, sha256: str, retention_class: str | None, version: int | None, until: str | None
) -> bytes:
    """A document as a line of the list over which ``list_digest`` goes: canonical JSON of
    [identity, SHA-256, class, its version, last day of retention], and a line feed."""
    return dump([identity, sha256, retention_class, version, until]).encode() + b"\n"


def list_digest(lines: Iterable[bytes]) -> str:
    """SHA-256 of the lines of a list, by identity."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest()


def is_believed(day: date, last_believed: date | None) -> bool:
    """Whether a day that the clock shows is believed: not if it lies further from the last
    believed one than ``LONGEST_GAP``. A day before that one is."""
    return last_believed is None or day - last_believed <= LONGEST_GAP
