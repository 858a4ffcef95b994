"""Retention arithmetic, against the calendar."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger

DAYS = st.dates(min_value=date(1600, 1, 1), max_value=date(2400, 12, 31))
YEARS = st.integers(0, 200)


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2024-02-29", "P4Y", "2028-02-29"),
        ("2023-01-31", "P1M", "2023-02-28"),
        ("2023-01-31", "P13M", "2024-02-29"),
        ("2023-12-31", "P90D", "2024-03-30"),
        ("2023-01-31", "P1M1D", "2023-03-01"),
        ("2100-02-28", "P4Y", "2104-02-28"),
        ("2026-06-30", "P7Y", "2033-06-30"),
        ("2026-06-30", "P0D", "2026-06-30"),
    ],
)
def test_known_days(start: str, period: str, end: str) -> None:
    assert Period.parse(period).after(date.fromisoformat(start)) == date.fromisoformat(end)


@given(DAYS, YEARS)
def test_years_keep_the_day_or_end_the_month(start: date, years: int) -> None:
    end = Period(years=years).after(start)
    assert (end.year, end.month) == (start.year + years, start.month)
    assert end.day == min(start.day, calendar.monthrange(end.year, end.month)[1])


@given(DAYS, st.integers(0, 5000))
def test_days_are_days(start: date, days: int) -> None:
    assert Period(days=days).after(start) == start + timedelta(days=days)


@given(DAYS, DAYS, st.integers(0, 50), st.integers(0, 30), st.integers(0, 400))
def test_who_begins_earlier_ends_no_later(
    one: date, two: date, years: int, months: int, days: int
) -> None:
    period = Period(years=years, months=months, days=days)
    first, second = sorted((one, two))
    assert period.after(first) <= period.after(second)


@given(DAYS, YEARS)
def test_twelve_months_are_a_year(start: date, years: int) -> None:
    assert Period(months=12 * years).after(start) == Period(years=years).after(start)


@pytest.mark.parametrize(
    "text", ["", "P", "7Y", "P7", "P-7Y", "P7Y ", "P1.5Y", "PT7H", "P7y", "P1D1Y", "P10000Y"]
)
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="not a period"):
        Period.parse(text)


@pytest.mark.parametrize("period", ["P9999Y", "P8000Y", "P99999D", "P9999M"])
def test_past_the_last_year_is_an_error_and_no_other(period: str) -> None:
    with pytest.raises(ValueError, match="past the year 9999"):
        Period.parse(period).after(date(9990, 12, 31))


def test_an_event_class_has_no_clock_without_its_event() -> None:
    on_event = RetentionClass(
        code="P", title="P", trigger=RetentionTrigger.EVENT, period=Period(years=10)
    )
    issued, ended = date(2020, 1, 1), date(2026, 5, 31)
    assert on_event.retain_until(issue_date=issued) is None
    assert on_event.retain_until(issue_date=issued, event_date=ended) == date(2036, 5, 31)
    for_ever = RetentionClass(
        code="R", title="R", trigger=RetentionTrigger.PERMANENT, period=Period(years=1)
    )
    assert for_ever.retain_until(issue_date=issued, event_date=ended) is None
