"""What decides how long a document is kept: versions, events, scopes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.retention import (
    ClassVersion,
    Cutoff,
    DocumentFacts,
    Period,
    RetentionClass,
    RetentionTrigger,
    Subject,
    decide,
)
from hotfolder.core.schedules import (
    ambiguities,
    covers,
    dump_schedule,
    load_schedule,
    schedule_digest,
    undeclared,
)
from tests.support.retention import DAYS, EVENTS, FACTS, PERIODS, SCHEDULES, VERSIONS

ISSUED = date(2020, 5, 6)
TODAY = date(2026, 6, 30)


def klass(**changes: object) -> RetentionClass:
    known: dict[str, object] = {
        "code": "C",
        "title": "C",
        "trigger": RetentionTrigger.ISSUE_DATE,
        "period": Period(years=7),
    }
    return RetentionClass(**{**known, **changes})  # type: ignore[arg-type]


def later(number: int = 2, **changes: object) -> ClassVersion:
    known: dict[str, object] = {
        "number": number,
        "trigger": RetentionTrigger.ISSUE_DATE,
        "period": Period(years=10),
        "valid_from": date(2022, 1, 1),
    }
    return ClassVersion(**{**known, **changes})  # type: ignore[arg-type]


def facts(**changes: object) -> DocumentFacts:
    known: dict[str, object] = {
        "retention_class": "C",
        "issue_date": ISSUED,
        "business_unit": "RETAIL",
        "subjects": {Subject.POLICY: ("P-77",), Subject.CASE: ("C-1", "C-2")},
    }
    return DocumentFacts(**{**known, **changes})  # type: ignore[arg-type]


def until(found: RetentionClass, given_facts: DocumentFacts | None = None, **events: date) -> str:
    """The decision in short: version, and the last day."""
    known = {(Subject.POLICY, "P-77", name): day for name, day in events.items()}
    made = decide(given_facts or facts(), {"C": found}, known)
    return f"{made.version} {made.retain_until}"


@given(FACTS, SCHEDULES, EVENTS)
def test_it_is_total_and_never_before_the_issue_date(facts, schedule, events) -> None:  # type: ignore[no-untyped-def]
    made = decide(facts, schedule, events)
    assert made.why
    if made.retain_until is not None:
        assert facts.retention_class in schedule
        assert made.cutoff is not None
        assert facts.issue_date <= made.cutoff <= made.retain_until
        assert not made.is_due(made.retain_until)
    if facts.retention_class is None:
        assert not made.is_due(date.max)


@given(DAYS, DAYS, PERIODS, PERIODS, st.sampled_from(Cutoff))
def test_later_triggers_and_longer_periods_end_no_earlier(
    one: date, two: date, period: Period, more: Period, cutoff: Cutoff
) -> None:
    longer = Period(
        years=period.years + more.years,
        months=period.months + more.months,
        days=period.days + more.days,
    )

    def end(issued: date, chosen: Period) -> date:
        found = klass(period=chosen, cutoff=cutoff)
        made = decide(facts(issue_date=issued), {"C": found}, {}).retain_until
        assert made is not None
        return made

    early, late = sorted((one, two))
    assert end(early, period) <= end(late, period)
    assert end(early, period) <= end(early, longer)
    assert longer.covers(period)


@given(FACTS, SCHEDULES, EVENTS, DAYS)
def test_an_event_that_is_withdrawn_leaves_no_trace(facts, schedule, events, day) -> None:  # type: ignore[no-untyped-def]
    before = decide(facts, schedule, events)
    key = (Subject.POLICY, "P-1", "contract-end")
    without = {name: other for name, other in events.items() if name != key}
    decide(facts, schedule, {**without, key: day})
    assert decide(facts, schedule, events) == before


@given(SCHEDULES)
def test_a_schedule_is_read_back(schedule) -> None:  # type: ignore[no-untyped-def]
    found = load_schedule(dump_schedule(schedule))
    assert schedule_digest(found) == schedule_digest(schedule)
    assert {code: item.versions for code, item in found.items()} == {
        code: item.versions for code, item in schedule.items()
    }


@given(VERSIONS, VERSIONS, FACTS, EVENTS)
def test_what_covers_ends_no_earlier(one, two, facts, events) -> None:  # type: ignore[no-untyped-def]
    if not covers(one, two):
        return
    ends = []
    for version in (one, two):
        found = klass(
            trigger=version.trigger,
            period=version.period,
            event=version.event,
            of=version.of,
            offset=version.offset,
            cutoff=version.cutoff,
        )
        made = decide(replace(facts, retention_class="C"), {"C": found}, events)
        ends.append(made.retain_until or date.max)
    assert ends[0] >= ends[1]


@given(SCHEDULES, SCHEDULES, FACTS)
def test_nothing_is_shortened_unsaid(before, after, facts) -> None:  # type: ignore[no-untyped-def]
    """Of documents that had their day by today, by the issue date."""
    if facts.retention_class not in after or facts.issue_date > TODAY:
        return
    if undeclared(before, after, TODAY):
        return
    of_event = (
        any(
            version.trigger is RetentionTrigger.EVENT
            for schedule in (before, after)
            for version in schedule[facts.retention_class].versions
            if facts.retention_class in schedule
        )
        if facts.retention_class in before
        else True
    )
    if of_event or any(version.shortens for version in after[facts.retention_class].versions):
        return
    old = decide(facts, before, {}).retain_until or date.max
    assert (decide(facts, after, {}).retain_until or date.max) >= old


def test_year_end_and_offset() -> None:
    assert until(klass(cutoff=Cutoff.YEAR_END)) == "1 2027-12-31"
    assert until(klass(cutoff=Cutoff.MONTH_END)) == "1 2027-05-31"
    assert until(klass(offset=Period(months=8), cutoff=Cutoff.YEAR_END)) == "1 2028-12-31"
    leap = facts(issue_date=date(2024, 2, 29))
    assert until(klass(period=Period(years=1)), leap) == "1 2025-02-28"
    assert until(klass(cutoff=Cutoff.MONTH_END, period=Period(months=1)), leap) == "1 2024-03-29"


def test_the_version_in_force_on_the_day_of_the_trigger_governs() -> None:
    found = klass(later=(later(),))
    assert until(found) == "1 2027-05-06"
    assert until(found, facts(issue_date=date(2021, 12, 31))) == "1 2028-12-31"
    assert until(found, facts(issue_date=date(2022, 1, 1))) == "2 2032-01-01"


def test_what_reaches_back_shortens_only_if_it_says_so() -> None:
    assert until(klass(later=(later(reaches_back=True),))) == "2 2030-05-06"
    short = later(reaches_back=True, period=Period(years=1))
    assert until(klass(later=(short,))) == "1 2027-05-06"
    assert until(klass(later=(replace(short, shortens=True),))) == "2 2021-05-06"


def test_the_most_specific_version_governs() -> None:
    unit = later(2, business_unit="RETAIL", period=Period(years=3), valid_from=date(2019, 1, 1))
    both = later(
        3,
        business_unit="RETAIL",
        jurisdiction="DE",
        period=Period(years=4),
        valid_from=date(2019, 1, 1),
    )
    every = later(4, period=Period(years=5), valid_from=date(2020, 1, 1))
    found = klass(later=(unit, both, every))
    assert until(found) == "2 2023-05-06"
    assert until(found, facts(jurisdiction="DE")) == "3 2024-05-06"
    assert until(found, facts(business_unit="CLAIMS")) == "4 2025-05-06"
    assert until(found, facts(issue_date=date(2018, 1, 1))) == "1 2025-01-01"


def test_ambiguity_is_found() -> None:
    unit, law = later(2, business_unit="RETAIL"), later(3, jurisdiction="DE")
    assert len(ambiguities(klass(later=(unit, law)))) == 1
    both = later(4, business_unit="RETAIL", jurisdiction="DE")
    assert ambiguities(klass(later=(unit, law, both))) == []
    too_late = replace(both, valid_from=date(2023, 1, 1))
    assert len(ambiguities(klass(later=(unit, law, too_late)))) == 1
    assert len(ambiguities(klass(later=(later(2), later(3))))) == 1


def test_events_start_clocks() -> None:
    found = klass(trigger=RetentionTrigger.EVENT, event="end", period=Period(years=10))
    assert until(found) == "1 None"
    assert until(found, end=date(2026, 3, 31)) == "1 2036-03-31"
    assert until(found, other=date(2026, 3, 31)) == "1 None"
    # No clock starts before its document was issued.
    assert until(found, end=date(2010, 1, 1)) == "1 2030-05-06"
    of_case = replace(found, of=(Subject.CASE,))
    assert until(of_case, end=date(2026, 3, 31)) == "1 None"
    # What the metadata says holds until an event says otherwise.
    dated = facts(trigger_date=date(2022, 1, 1))
    assert until(found, dated) == "1 2032-01-01"
    assert until(found, dated, end=date(2021, 1, 1)) == "1 2031-01-01"


def test_every_case_must_be_closed() -> None:
    found = klass(trigger=RetentionTrigger.EVENT, event="closed", of=(Subject.CASE,))
    one = {(Subject.CASE, "C-1", "closed"): date(2024, 1, 1)}
    both = {**one, (Subject.CASE, "C-2", "closed"): date(2025, 1, 1)}
    assert decide(facts(), {"C": found}, one).retain_until is None
    assert decide(facts(), {"C": found}, both).retain_until == date(2032, 1, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"retention_class": None},
        {"retention_class": "D"},
        {"issue_date": None},
        {"issue_date": date(9999, 1, 1)},
    ],
)
def test_never_due(changes: dict[str, object]) -> None:
    made = decide(facts(**changes), {"C": klass()}, {})
    assert made.retain_until is None
    assert not made.is_due(date.max)
    assert made.why


def test_edits_that_shorten_are_named() -> None:
    seven = {"C": klass()}
    short = klass(period=Period(years=3))
    assert [item.new.number for item in undeclared(seven, {"C": short}, TODAY)] == [1]
    assert undeclared(seven, {"C": replace(short, shortens=True)}, TODAY) == []
    assert undeclared(seven, {"C": klass(period=Period(years=8))}, TODAY) == []
    assert undeclared(seven, {"C": klass(trigger=RetentionTrigger.PERMANENT)}, TODAY) == []
    assert undeclared({"C": klass(trigger=RetentionTrigger.PERMANENT)}, seven, TODAY)
    # A version that is valid from tomorrow shortens nothing that is archived.
    future = later(period=Period(years=1), valid_from=TODAY + timedelta(days=1))
    assert undeclared(seven, {"C": klass(later=(future,))}, TODAY) == []
    # One that is slipped in behind today does, and so does one that is taken away.
    past = replace(future, valid_from=date(2021, 1, 1))
    assert undeclared(seven, {"C": klass(later=(past,))}, TODAY)
    assert undeclared({"C": klass(later=(later(),))}, seven, TODAY)
