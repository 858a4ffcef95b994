"""Hours of the day in which something may be done: ``20:00-06:00``."""

from __future__ import annotations

import re
from dataclasses import dataclass

DAY = 24 * 60  # minutes
_PATTERN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """From one minute of the day to another; over midnight where the end comes first."""

    start: int
    end: int

    @classmethod
    def read(cls, text: str) -> Hours:
        """``ValueError`` if it is not written like 20:00-06:00, or empty."""
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise ValueError("not written like 20:00-06:00")
        start = int(match[1]) * 60 + int(match[2])
        end = int(match[3]) * 60 + int(match[4])
        if end > DAY or start == end:
            raise ValueError("it begins where it ends, or ends after 24:00")
        return cls(start, end)

    def has(self, minute: int) -> bool:
        """Whether a minute of the day lies in it."""
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    @property
    def minutes(self) -> int:
        """How long it is."""
        return (self.end - self.start) % DAY or DAY

    def __str__(self) -> str:
        def shown(minute: int) -> str:
            return f"{minute // 60:02}:{minute % 60:02}"

        return f"{shown(self.start)}-{shown(self.end)}"


def is_open(hours: tuple[Hours, ...], minute: int) -> bool:
    """Whether one of them has this minute; none at all is always."""
    return not hours or any(item.has(minute) for item in hours)


def share_of_day(hours: tuple[Hours, ...]) -> float:
    """The part of a day that they cover, those that overlap counted once."""
    if not hours:
        return 1.0
    return sum(any(item.has(minute) for item in hours) for minute in range(DAY)) / DAY
