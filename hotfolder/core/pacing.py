"""Pacing: how long to wait so that work goes no faster than it may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")
LONGEST_STEP = 30.0  # seconds, of a loop that could go on by itself for hours
_BURST = 1.0  # seconds of work that may be caught up with after a pause


def is_long(began: float, now: float) -> bool:
    """Whether a step that began then (monotonic) leaves the rest to the next one: in between
    its loop shows that it is alive, and can be stopped. One thing it does in any case."""
    return now - began >= LONGEST_STEP


def within_a_step(items: Iterable[_T], monotonic: Callable[[], float]) -> Iterator[_T]:
    """The items, until the step that goes through them ``is_long``; the first in any case."""
    began = monotonic()
    for number, item in enumerate(items):
        if number and is_long(began, monotonic()):
            return
        yield item


@dataclass(slots=True, kw_only=True)
class Pace:
    """A rate in bytes and files per second; 0 is as fast as it goes.

    Whoever works tells what was done and when, and waits as long as is answered.
    """

    bytes_rate: float = 0.0
    files_rate: float = 0.0
    _free_at: float | None = None  # when what was done is paid for

    def wait(self, now: float, *, read: int = 0, files: int = 0) -> float:
        """Seconds to wait after reading so many bytes or files by ``now`` (monotonic)."""
        costs = [0.0]
        if self.bytes_rate:
            costs.append(read / self.bytes_rate)
        if self.files_rate:
            costs.append(files / self.files_rate)
        earliest = now - _BURST
        start = now if self._free_at is None else max(self._free_at, earliest)
        self._free_at = start + max(costs)
        return max(0.0, self._free_at - now)
