"""Feedback: what archivists decide in ArchivesSpace comes back, each decision once.

A look at a list is paged and journalled page by page, with the facts that it gave and how
far it has come; it goes on there after a kill. Its times are the server's: the next look
begins where the server's clock certainly stood when the last one was listed, less the
overlap. That moment is known from the newest time that was read, less the seconds that
passed here since; no clock of this machine is compared with the server's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.duties import Duty
from hotfolder.core.errors import HotfolderError, OperatorFault, Transient
from hotfolder.core.facts import (
    ChangeKind,
    ChangePage,
    FactRow,
    FactState,
    FeedbackProfile,
    SeenEvent,
    SeenObject,
    Sight,
)
from hotfolder.core.feedback import compare_event, compare_lost, compare_object, disposals_in
from hotfolder.core.lifecycle import Backoff
from hotfolder.core.ports import Clock, Desk, Emit, Journal
from hotfolder.flows.effects import Decisions, Holds, apply, is_refusal

_IDLE = 1.0
_PAGE = 250  # records in one look of the sweep: the server's limit
_SWEEP_PAGES = 8  # in one round, so that the lists are looked at in between
_DELETED = "deleted"
_EFFECTS = 50


class Feedback:
    """Looks, compares, journals, and carries out. One thread."""

    def __init__(
        self,
        *,
        journal: Journal,
        desk: Desk,
        profile: FeedbackProfile,
        business_units: Sequence[str],
        holds: Holds,
        decisions: Decisions | None,
        may: Callable[[Duty, str, str], None],
        clock: Clock,
        emit: Emit,
        jitter: Callable[[], float],
        backoff: Backoff | None = None,
    ) -> None:
        self._journal = journal
        self._desk = desk
        self.profile = profile
        self._units = tuple(business_units)
        self._holds = holds
        self._decisions = decisions
        self._may = may
        self._clock = clock
        self._emit = emit
        self._jitter = jitter
        self._backoff = backoff or Backoff()
        self._round: Iterator[None] | None = None
        self._next = 0.0  # monotonic
        self._tried = False  # a whole round
        self._listed: dict[str, float] = {}  # when a list was asked for last, monotonic

    def step(self) -> float:
        """Carry out what waits, then a page of the round in hand, or a list that cannot be
        had; or begin a round when it is time. Seconds to the next step. What the desk raises
        is raised when every list has been tried."""
        carried = self.carry_out()
        if self._round is None and self._clock.monotonic() >= self._next:
            # Told before the question: a server that is down is asked at the same pace.
            self._next = self._clock.monotonic() + self.profile.poll
            self._round = self._look_round()
        if self._round is None:
            return 0.0 if carried else _IDLE
        try:
            next(self._round)
        except StopIteration:
            self._round, self._tried = None, True
        except HotfolderError:
            self._round, self._tried = None, True
            raise
        return 0.0

    def pending(self) -> bool:
        """Whether something can be done now: a round in hand, or not one tried yet; a fact
        whose time has come."""
        if self._round is not None or not self._tried:
            return True
        return bool(self._journal.waiting_facts(due_at=self._clock.now(), limit=1))

    def waiting(self) -> bool:
        """Whether a fact is not at its end."""
        return bool(self._journal.waiting_facts(limit=1))

    def poll(self) -> None:
        """A whole round, and what it asks for."""
        for _ in self._look_round():
            pass
        while self.carry_out():
            pass

    # -- looking ------------------------------------------------------------------------
    def _look_round(self) -> Iterator[None]:
        failure: HotfolderError | None = None
        kinds = (ChangeKind.OBJECTS, ChangeKind.EVENTS)
        looks = [self._look(unit, kind) for unit in self._units for kind in kinds]
        looks.append(self._look_for_deleted())
        looks += [self._sweep(unit) for unit in self._units]
        for look in looks:
            try:
                yield from look
            except (Transient, OperatorFault) as error:
                failure = failure or error
                # A server that is silent is waited for in each list, and that is a step each.
                yield
        if failure is not None:
            raise failure

    def _look(self, unit: str, kind: ChangeKind) -> Iterator[None]:
        """One list, from where the last look at it was; resumed where it was cut off."""
        name = f"{kind}:{unit}"
        before = self._journal.look_position(name)
        at = before.get("at", 0)
        resumed = "after" in before
        since = before["since"] if resumed else max(0, at - self.profile.overlap) if at else 0
        floor = before.get("floor", 0)
        noted: Mapping[str, int] = before or {"at": 0}
        began, listed = self._clock.now(), self._clock.monotonic()
        for page in self._desk.find_changes(unit, kind, since, before.get("after", 0)):
            if not resumed:
                # The server's clock stood at least here when the list was asked for.
                passed = ceil(self._clock.monotonic() - listed)
                floor = max(floor, page.newest - passed)
            position = {"at": at, "since": since, "after": page.reached, "floor": floor}
            self._take(name, unit, page, noted, position, began)
            noted = position
            # survives: killed here, the look goes on behind this page
            crashpoint("look.recorded")
            yield
        if name in self._listed and not resumed:
            floor = max(floor, at + int(listed - self._listed[name]) if at else 0)
        if not resumed:
            self._listed[name] = listed
        self._journal.record_look(name, {"at": max(at, floor)}, self._clock.now())

    def _take(
        self,
        name: str,
        unit: str,
        page: ChangePage,
        before: Mapping[str, int],
        position: Mapping[str, int],
        began: float,
    ) -> None:
        sights = self._sights(unit, page.objects, began)
        events = self._journal.unseen_events(page.events)
        types = self.profile.types
        wanted = types.placed | types.released | types.decisions
        new = 0
        # One after the other: a release is compared with what was placed before it.
        for event in sorted(events, key=lambda event: event.changed_at):
            if event.event_type in wanted:
                new += self._take_event(name, unit, event, before)
        new += self._journal.record_look(
            name, position, self._clock.now(), sights=sights, events=events
        )
        if new:
            self._emit("feedback.received", facts=new, unit=unit)

    def _take_event(self, name: str, unit: str, event: SeenEvent, before: Mapping[str, int]) -> int:
        known = self._journal.known_records(event.identities, self._clock.now())
        here = [
            name for name in event.identities if name in known and known[name].business_unit == unit
        ]
        # A record stays when its document is destroyed, and keeps no hold from the others.
        gone = {item.identity for item in self._journal.destroyed_among(here)}
        kept = [name for name in here if name not in gone]
        event = replace(event, identities=tuple(kept or here))
        facts = compare_event(
            event,
            self.profile.types,
            unit,
            self._journal.known_disposals(disposals_in(event)),
            self._journal.holds_by_events(event.identities),
            self._journal.asked_before(event.uri),
        )
        return self._journal.record_look(
            name, before, self._clock.now(), events=[event], facts=facts
        )

    def _sights(self, unit: str, objects: Sequence[SeenObject], began: float) -> list[Sight]:
        known = self._journal.known_records([item.identity for item in objects], began)
        return [
            compare_object(known[item.identity], item)
            for item in objects
            if item.identity in known
            and known[item.identity].business_unit == unit
            and (
                known[item.identity].version != (item.lock_version, item.changed_at)
                or known[item.identity].absent is not None
                or item.suppressed
                # A transfer saves the repository alone: version and time stay as they were.
                or item.uri != (known[item.identity].seen_at or known[item.identity].uri)
            )
        ]

    def _look_for_deleted(self) -> Iterator[None]:
        """What the delete feed tells, where the account may read it."""
        at = max(
            (self._journal.look_position(f"{kind}:{unit}").get("at", 0)
             for kind in ChangeKind for unit in self._units),
            default=0,
        )  # fmt: skip
        before = self._journal.look_position(_DELETED).get("at", 0)
        uris = self._desk.find_deleted(max(0, before - self.profile.overlap))
        if uris is None:
            return
        for first in range(0, len(uris), _PAGE):
            by_unit = self._journal.records_at(uris[first : first + _PAGE])
            for unit, records in by_unit.items():
                if unit in self._units:
                    self._look_at(_DELETED, unit, records, {"at": before})
                    yield
        self._journal.record_look(_DELETED, {"at": at}, self._clock.now())

    def _sweep(self, unit: str) -> Iterator[None]:
        """Every record of ours, a few pages a round: what is gone is not in any list, and
        what a server with its clock set back has hidden is found too."""
        name = f"sweep:{unit}"
        position = dict(self._journal.look_position(name))
        now = self._clock.now()
        if not self.profile.sweep or (
            not position.get("after") and abs(now - position.get("begun", 0)) < self.profile.sweep
        ):
            return
        after = position.get("after", 0)
        begun = position["begun"] if after else int(now)
        for _ in range(_SWEEP_PAGES):
            records, after = self._journal.records_after(unit, after, _PAGE)
            if not records:
                self._journal.record_look(name, {"begun": begun}, self._clock.now())
                return
            self._look_at(name, unit, records, {"begun": begun, "after": after})
            yield

    def _look_at(
        self, name: str, unit: str, records: Mapping[str, str], position: Mapping[str, int]
    ) -> None:
        began = self._clock.now()
        seen, lost = self._desk.look_at(unit, records)
        sights = self._sights(unit, seen, began)
        known = self._journal.known_records([item.identity for item in lost], began)
        sights += [compare_lost(known[item.identity], item) for item in lost
                   if item.identity in known]  # fmt: skip
        new = self._journal.record_look(name, position, self._clock.now(), sights=sights)
        # survives: killed here, the look goes on behind these records
        crashpoint("look.recorded")
        if new:
            self._emit("feedback.received", facts=new, unit=unit)

    # -- carrying out --------------------------------------------------------------------
    def carry_out(self) -> int:
        """Do what facts ask for, those that are due; returns how many are at their end."""
        done = 0
        for fact in self._journal.waiting_facts(due_at=self._clock.now(), limit=_EFFECTS):
            try:
                state, reason, hold = apply(
                    fact,
                    journal=self._journal,
                    holds=self._holds,
                    decisions=self._decisions,
                    may=self._may,
                )
            except (Transient, OperatorFault) as error:
                if not is_refusal(error):
                    self._defer(fact, error)
                    continue
                state, reason, hold = FactState.REFUSED, str(error), ""
            # survives: killed here, it is done again, which changes nothing
            crashpoint("fact.applied")
            self._journal.settle_fact(
                fact.number, state, self._clock.now(), reason=reason, hold=hold
            )
            # survives: killed here, nothing is left to do
            crashpoint("fact.settled")
            self._emit("feedback.carried_out", fact=fact.number, kind=fact.kind, state=state)
            done += 1
        return done

    def _defer(self, fact: FactRow, error: HotfolderError) -> None:
        wait = self._backoff.wait(fact.attempts + 1, self._jitter())
        self._journal.defer_fact(fact.number, str(error), self._clock.now() + wait)
        self._emit("feedback.deferred", fact=fact.number, kind=fact.kind, reason=error.code)
