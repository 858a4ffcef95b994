"""Retention arithmetic: calendar-exact, no clock.

A class of the schedule has versions; which of them governs a document, and until which day
it is kept, is decided here alone (``decide``). The terms are those of MoReq2010 and of
ISO 15489: a trigger starts the clock, the period runs, and the last day of it is the last
day of retention.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

_PERIOD = re.compile(r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?\Z")
PAST_LAST_YEAR = "its period would end past the year 9999"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")  # the name of an event


class RetentionTrigger(StrEnum):
    """What starts the clock."""

    ISSUE_DATE = "issue_date"
    EVENT = "event"  # no event, no clock
    PERMANENT = "permanent"


class Subject(StrEnum):
    """What an event happens to; the documents that have to do with it are meant."""

    POLICY = "policy"
    ACCOUNT = "account"
    CUSTOMER = "customer"
    CASE = "case"
    DOCUMENT = "document"  # by its identity


class Cutoff(StrEnum):
    """Where the clock starts, seen from the day of the trigger."""

    DAY = "day"
    MONTH_END = "month-end"
    YEAR_END = "year-end"

    def of(self, day: date) -> date:
        """``day`` itself, or the last day of its month or year."""
        if self is Cutoff.MONTH_END:
            return day.replace(day=calendar.monthrange(day.year, day.month)[1])
        return date(day.year, 12, 31) if self is Cutoff.YEAR_END else day


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A calendar period, as in ISO 8601: ``P7Y``, ``P18M``, ``P90D``, ``P1Y6M``."""

    years: int = 0
    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read ``text``; raises ``ValueError`` if it is no such period."""
        match = _PERIOD.match(text)
        if match is None:
            raise ValueError(f"not a period: {text!r} (write it like P7Y, P18M or P90D)")
        years, months, days = (int(group or 0) for group in match.groups())
        return cls(years=years, months=months, days=days)

    def after(self, start: date) -> date:
        """The day that lies this period after ``start``.

        Months first, clipped to the last day of the month (31 January + P1M is
        the last of February; 29 February + P1Y is 28 February), then days.
        Raises ``ValueError`` past the year 9999.
        """
        index = start.year * 12 + start.month - 1 + self.years * 12 + self.months
        year, month = divmod(index, 12)
        if year > 9999:
            raise ValueError(f"{start} plus this period lies past the year 9999")
        last = calendar.monthrange(year, month + 1)[1]
        try:
            return date(year, month + 1, min(start.day, last)) + timedelta(days=self.days)
        except OverflowError as error:
            raise ValueError(f"{start} plus this period lies past the year 9999") from error

    def covers(self, other: Period) -> bool:
        """Whether this ends no earlier than ``other``, whatever day both start on."""
        months, others = self.years * 12 + self.months, other.years * 12 + other.months
        return months >= others and self.days >= other.days

    def __str__(self) -> str:
        parts = ((self.years, "Y"), (self.months, "M"), (self.days, "D"))
        return "P" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0D")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassVersion:
    """What a class says from a day on, to all or to a business unit or a jurisdiction.

    It governs documents whose day (of the trigger; of issue, while there is none) is not
    before ``valid_from``; with ``reaches_back`` those before it as well, but it ends their
    retention earlier only if it says that it ``shortens``.
    """

    number: int
    trigger: RetentionTrigger
    period: Period | None  # None for permanent
    valid_from: date = date.min
    business_unit: str | None = None
    jurisdiction: str | None = None
    event: str = ""  # of trigger ``event``; empty: the trigger date in the metadata alone
    of: tuple[Subject, ...] = ()  # what the event happens to; empty: anything
    offset: Period = field(default_factory=Period)  # from the event to the start of the clock
    cutoff: Cutoff = Cutoff.DAY
    action: str = "review"
    reaches_back: bool = False
    shortens: bool = False

    @property
    def specificity(self) -> int:
        """How much it asks of a document; the most specific version governs."""
        return (self.business_unit is not None) + (self.jurisdiction is not None)

    def meant_for(self, business_unit: str, jurisdiction: str | None) -> bool:
        """Whether documents of this business unit and jurisdiction are meant."""
        return self.business_unit in (None, business_unit) and self.jurisdiction in (
            None,
            jurisdiction,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionClass:
    """One class of the retention schedule. Its own fields are its first version."""

    code: str
    title: str
    trigger: RetentionTrigger
    period: Period | None  # None for permanent
    mandate: str = ""
    action: str = "review"
    event: str = ""
    of: tuple[Subject, ...] = ()
    offset: Period = field(default_factory=Period)
    cutoff: Cutoff = Cutoff.DAY
    shortens: bool = False
    later: tuple[ClassVersion, ...] = ()

    @property
    def versions(self) -> tuple[ClassVersion, ...]:
        """All of them, the first first."""
        first = ClassVersion(
            number=1,
            trigger=self.trigger,
            period=self.period,
            event=self.event,
            of=self.of,
            offset=self.offset,
            cutoff=self.cutoff,
            action=self.action,
            shortens=self.shortens,
        )
        return (first, *self.later)

    def numbered(self, number: int | None) -> ClassVersion | None:
        """The version with this number, or None."""
        return next((item for item in self.versions if item.number == number), None)

    def retain_until(self, *, issue_date: date, event_date: date | None = None) -> date | None:
        """The last day of retention by the first version, or None while no clock runs."""
        facts = DocumentFacts(issue_date=issue_date, trigger_date=event_date)
        return _apply(self.versions[0], facts, {}).retain_until


Schedule = Mapping[str, RetentionClass]
Events = Mapping[tuple[Subject, str, str], date]  # subject, its name, event: the day in force


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """What retention depends on of a document."""

    retention_class: str | None = None
    issue_date: date | None = None
    business_unit: str = ""
    jurisdiction: str | None = None
    trigger_date: date | None = None  # as its metadata has it
    subjects: Mapping[Subject, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How long a document is kept. ``retain_until`` is the last day of retention, None if
    the document is never due; ``cutoff`` is the day on which the clock started."""

    retention_class: str | None = None
    version: int | None = None
    cutoff: date | None = None
    retain_until: date | None = None
    action: str | None = None
    why: str

    def is_due(self, today: date) -> bool:
        """Whether retention has ended: on the day after the last."""
        return self.retain_until is not None and self.retain_until < today


@dataclass(frozen=True, slots=True, kw_only=True)
class _Applied:
    version: ClassVersion
    day: date | None  # of the trigger
    cutoff: date | None
    retain_until: date | None
    why: str


def decide(facts: DocumentFacts, schedule: Schedule, events: Events) -> Decision:
    """How long the document of these facts is kept. Total: a document without a class, of a
    class that the schedule has no more, without issue date, or whose period would end past
    the year 9999, is never due."""
    if facts.retention_class is None:
        return Decision(why="it has no class")
    found = schedule.get(facts.retention_class)
    if found is None:
        return Decision(
            retention_class=facts.retention_class, why="its class is not in the schedule"
        )
    if facts.issue_date is None:
        return Decision(retention_class=found.code, why="it has no issue date")
    chosen = _choose(found, facts, events)
    return Decision(
        retention_class=found.code,
        version=chosen.version.number,
        cutoff=chosen.cutoff,
        retain_until=chosen.retain_until,
        action=chosen.version.action,
        why=chosen.why,
    )


def _choose(found: RetentionClass, facts: DocumentFacts, events: Events) -> _Applied:
    meant = sorted(
        (
            version
            for version in found.versions
            if version.meant_for(facts.business_unit, facts.jurisdiction)
        ),
        key=lambda version: (version.specificity, version.valid_from, version.number),
    )
    applied = [_apply(version, facts, events) for version in meant]
    in_force = [
        place
        for place, item in enumerate(applied)
        if (item.day or facts.issue_date or date.max) >= item.version.valid_from
    ]
    base = in_force[-1]  # the first version is in force always
    chosen = applied[base]
    for item in applied[base + 1 :]:
        if item.version.reaches_back and (item.version.shortens or not _sooner(item, chosen)):
            chosen = item
    return chosen


def _sooner(one: _Applied, other: _Applied) -> bool:
    return (one.retain_until or date.max) < (other.retain_until or date.max)


def _apply(version: ClassVersion, facts: DocumentFacts, events: Events) -> _Applied:
    """What one version says. No clock starts before its document was issued."""
    if version.trigger is RetentionTrigger.PERMANENT or version.period is None:
        return _Applied(version=version, day=None, cutoff=None, retain_until=None, why="permanent")
    if version.trigger is RetentionTrigger.EVENT:
        day, why = _day_of_event(version, facts, events)
    else:
        day, why = facts.issue_date, "issued"
    if day is None or facts.issue_date is None:
        return _Applied(version=version, day=None, cutoff=None, retain_until=None, why=why)
    day = max(day, facts.issue_date)
    try:
        cutoff = version.cutoff.of(version.offset.after(day))
        end = version.period.after(cutoff)
    except ValueError:
        return _Applied(
            version=version, day=day, cutoff=None, retain_until=None, why=PAST_LAST_YEAR
        )
    return _Applied(version=version, day=day, cutoff=cutoff, retain_until=end, why=f"{why} {day}")


def _day_of_event(
    version: ClassVersion, facts: DocumentFacts, events: Events
) -> tuple[date | None, str]:
    """The latest day of the event among all that the document has to do with. Of several
    cases each must have had it: the document is needed as long as one is open."""
    days: list[date] = []
    waits = False
    for kind in version.of or tuple(Subject):
        names = facts.subjects.get(kind, ())
        found = [events.get((kind, name, version.event)) for name in names]
        known = [day for day in found if day is not None]
        waits = waits or 0 < len(known) < len(found)
        days += known
    if waits:
        return None, f"waits for {version.event} of another case"
    if days:
        return max(days), version.event
    if facts.trigger_date is not None:
        return facts.trigger_date, "trigger date of the metadata"
    return None, f"waits for {version.event or 'its trigger date'}"
