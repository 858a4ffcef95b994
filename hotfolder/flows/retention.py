"""Dates that follow from schedule and events, computed anew when one of them changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from hotfolder.core.clocks import RetainedDocument
from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import OperatorFault
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.core.retention import Decision, Schedule, decide
from hotfolder.core.schedules import Shortening, load_schedule, undeclared

_PAGE = 2000  # documents in one transaction: others write in between
_IDLE = 5.0  # seconds


class Retaining:
    """Keeps the dates of archived documents what the schedule and the events say."""

    def __init__(
        self,
        *,
        journal: Journal,
        schedule: Schedule,
        clock: Clock,
        emit: Emit,
        page: int = _PAGE,
    ) -> None:
        self._journal = journal
        self._schedule = schedule
        self._clock = clock
        self._emit = emit
        self._page = page

    def adopt(self) -> bool:
        """Journal the schedule if it is another than the last; True if it is. Nothing is
        computed yet. Raises ``OperatorFault`` if it would let archived documents go earlier
        and does not say so."""
        now = self._clock.now()
        found = shortenings(self._journal, self._schedule, day_of(now))
        if found:
            raise refusal(found)
        changed = self._journal.note_schedule(self._schedule, now)
        crashpoint("schedule.noted")
        return changed

    def step(self) -> float:
        """Compute one page; seconds to the next step."""
        done = self._journal.compute_retention(self._schedule, self._page, self._clock.now())
        if done is None:
            return _IDLE
        # Survives a kill: the page and how far the work has come were one transaction.
        crashpoint("retention.computed")
        if done.changed:
            self._emit("retention.changed", documents=done.changed)
        return 0.0


def day_of(now: float) -> date:
    """The day of a moment, UTC."""
    return datetime.fromtimestamp(now, tz=UTC).date()


def shortenings(journal: Journal, schedule: Schedule, today: date) -> list[Shortening]:
    """What ``schedule`` shortens without saying so, against the last one that had each
    class: a class that was away for a time is not forgotten."""
    last: Schedule = {}
    for text in journal.noted_schedules():
        last = {**last, **load_schedule(text)}
    return undeclared(last, schedule, today)


def refusal(found: list[Shortening]) -> OperatorFault:
    """The error for a schedule that shortens unsaid."""
    first = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return OperatorFault(
        f"retention.{first.code}: version {first.new.number} may end the retention of archived"
        f" documents earlier than before{more}",
        hint="look at `hotfolder retention plan`; then write shortens = true in that version,"
        " or leave the old one and add a version that is valid from a later day",
        code="retention.shortens",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a schedule would make of one document."""

    document: RetainedDocument
    decision: Decision

    @property
    def changes(self) -> bool:
        """Whether its last day would be another."""
        return self.decision.retain_until != self.document.retain_until

    @property
    def shortened(self) -> bool:
        """Whether it might go earlier than now."""
        new, old = self.decision.retain_until, self.document.retain_until
        return new is not None and (old is None or new < old)


def plan(journal: Journal, schedule: Schedule, page: int = _PAGE) -> Iterator[Planned]:
    """What ``schedule`` would make of every document that is kept; nothing is changed."""
    after = -1
    reached = 0
    while reached != after:
        after = reached
        found, reached = journal.retained_documents(after, page)
        for document in found:
            decision = decide(document.facts, schedule, document.events)
            yield Planned(document=document, decision=decision)
