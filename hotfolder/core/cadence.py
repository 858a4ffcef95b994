"""Gaps in a series whose documents come regularly.

Kept simple: a series is monthly if it has documents in at least four of five months of half
a year or more, and daily if it has them on at least four of five working days (Monday to
Friday) of six weeks or more. What is missing of a daily series are working days, of a
monthly one months. Public holidays are not known here and look like gaps.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

_SHARE = 0.8
_LEAST_DAYS = 30  # working days
_LEAST_MONTHS = 6
_FRIDAY = 4


def gaps(days: Collection[date]) -> tuple[str, list[str]]:
    """(``day``, ``month`` or empty, what is missing in order) for the days of a series."""
    if not days:
        return "", []
    first, last = min(days), max(days)
    working = [day for day in _days(first, last) if day.weekday() <= _FRIDAY]
    there = set(days)
    have = sum(day in there for day in working)
    if len(working) >= _LEAST_DAYS and have >= _SHARE * len(working):
        return "day", [day.isoformat() for day in working if day not in there]
    months = _months(first, last)
    found = {f"{day.year:04}-{day.month:02}" for day in days}
    if len(months) >= _LEAST_MONTHS and len(found) >= _SHARE * len(months):
        return "month", [month for month in months if month not in found]
    return "", []


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _months(first: date, last: date) -> list[str]:
    start, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(start, end + 1)]
