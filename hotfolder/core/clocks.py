"""Records about retention that pass between rooms: events, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hotfolder.core.retention import DocumentFacts, Events, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """Something that starts a clock and is not journalled yet."""

    kind: Subject
    subject: str
    event: str  # a slug such as contract-end
    day: date
    actor: str
    reason: str = ""
    source: str | None = None  # of one that came in a file: what makes it come once


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event as the journal has it. Never changed, but for being withdrawn."""

    number: int
    kind: Subject
    subject: str
    event: str
    day: date
    reason: str
    recorded_at: float
    recorded_by: str
    withdrawn_at: float | None
    withdrawn_by: str | None
    withdrawal_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainedDocument:
    """What a document's retention depends on, and what was decided of it."""

    identity: str
    facts: DocumentFacts
    events: Events  # in force, of all that it has to do with
    version: int | None
    cutoff: date | None
    retain_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionChange:
    """A change of a document's class, dates or disposition, written by a trigger."""

    at: float
    field: str
    old: str | None
    new: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDone:
    """A page of dates that were computed."""

    examined: int
    changed: int
    done: bool  # with the last piece of work that it came to
