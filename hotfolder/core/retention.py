"""Retention arithmetic: calendar-exact, no clock."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_PERIOD = re.compile(r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?\Z")


class RetentionTrigger(StrEnum):
    """What starts the clock."""

    ISSUE_DATE = "issue_date"
    EVENT = "event"  # no event, no clock
    PERMANENT = "permanent"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionClass:
    """One class of the retention schedule."""

    code: str
    title: str
    trigger: RetentionTrigger
    period: Period | None  # None for permanent
    mandate: str = ""
    action: str = "review"

    def retain_until(self, *, issue_date: date, event_date: date | None = None) -> date | None:
        """The last day of retention, or None while no clock runs."""
        if self.trigger is RetentionTrigger.PERMANENT or self.period is None:
            return None
        if self.trigger is RetentionTrigger.EVENT:
            return None if event_date is None else self.period.after(event_date)
        return self.period.after(issue_date)
