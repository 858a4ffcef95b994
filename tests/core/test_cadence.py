"""Gaps are told of what comes regularly, and of nothing else."""

from __future__ import annotations

from datetime import date, timedelta

from hotfolder.core.cadence import gaps


def working_days(first: date, count: int) -> list[date]:
    days = (first + timedelta(days=number) for number in range(count))
    return [day for day in days if day.weekday() < 5]


def test_a_month_that_is_missing() -> None:
    days = [date(2020 + number // 12, number % 12 + 1, 15) for number in range(24)]
    days.remove(date(2021, 3, 15))
    assert gaps(days) == ("month", ["2021-03"])


def test_a_working_day_that_is_missing() -> None:
    days = working_days(date(2024, 1, 1), 60)
    days.remove(date(2024, 1, 17))
    assert gaps(days) == ("day", ["2024-01-17"])


def test_weekends_are_no_gaps() -> None:
    assert gaps(working_days(date(2024, 1, 1), 60)) == ("day", [])


def test_what_comes_now_and_then_has_no_gaps() -> None:
    assert gaps([date(2020, 1, 1), date(2022, 6, 1), date(2024, 1, 1)]) == ("", [])
    assert gaps([]) == ("", [])
    assert gaps([date(2020, 1, 1), date(2020, 2, 1), date(2020, 4, 1)]) == ("", [])
