"""Schedules, facts and events for Hypothesis."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from hotfolder.core.retention import (
    ClassVersion,
    Cutoff,
    DocumentFacts,
    Period,
    RetentionClass,
    RetentionTrigger,
    Schedule,
    Subject,
)

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2040, 12, 31))
PERIODS = st.builds(
    Period, years=st.integers(0, 30), months=st.integers(0, 30), days=st.integers(0, 400)
)
UNITS = ("RETAIL", "CLAIMS")
LAWS = ("DE", "FR")
SLUGS = ("contract-end", "closed")
NAMES = ("P-1", "P-2")
_OFFSETS = st.one_of(st.just(Period()), st.builds(Period, days=st.integers(0, 60)))


@st.composite
def _versions(draw: st.DrawFn, number: int = 2, *, first: bool = False) -> ClassVersion:
    trigger = draw(st.sampled_from(RetentionTrigger))
    on_event = trigger is RetentionTrigger.EVENT
    return ClassVersion(
        number=number,
        trigger=trigger,
        period=None if trigger is RetentionTrigger.PERMANENT else draw(PERIODS),
        event=draw(st.sampled_from(SLUGS)) if on_event else "",
        of=(draw(st.sampled_from(Subject)),) if on_event and draw(st.booleans()) else (),
        offset=draw(_OFFSETS),
        cutoff=draw(st.sampled_from(Cutoff)),
        shortens=draw(st.booleans()),
        valid_from=date.min if first else draw(DAYS),
        business_unit=None if first else draw(st.sampled_from((None, *UNITS))),
        jurisdiction=None if first else draw(st.sampled_from((None, *LAWS))),
        reaches_back=not first and draw(st.booleans()),
    )


VERSIONS = _versions()


@st.composite
def classes(draw: st.DrawFn, code: str) -> RetentionClass:
    """A class with some versions, as a person might write it, or worse."""
    first = draw(_versions(1, first=True))
    return RetentionClass(
        code=code,
        title=code,
        trigger=first.trigger,
        period=first.period,
        event=first.event,
        of=first.of,
        offset=first.offset,
        cutoff=first.cutoff,
        shortens=first.shortens,
        later=tuple(draw(_versions(number)) for number in range(2, 2 + draw(st.integers(0, 3)))),
    )


@st.composite
def _schedules(draw: st.DrawFn) -> Schedule:
    codes = draw(st.sets(st.sampled_from(("A", "B"))))
    return {code: draw(classes(code)) for code in sorted(codes)}


SCHEDULES = _schedules()
EVENTS = st.dictionaries(
    st.tuples(st.sampled_from(Subject), st.sampled_from(NAMES), st.sampled_from(SLUGS)), DAYS
)
FACTS = st.builds(
    DocumentFacts,
    retention_class=st.sampled_from((None, "A", "B")),
    issue_date=DAYS,
    business_unit=st.sampled_from(UNITS),
    jurisdiction=st.sampled_from((None, *LAWS)),
    trigger_date=st.one_of(st.none(), DAYS),
    subjects=st.dictionaries(
        st.sampled_from(Subject), st.lists(st.sampled_from(NAMES), unique=True).map(tuple)
    ),
)
