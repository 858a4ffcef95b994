"""Looks that are booked: names by the moment at which somebody wants to look at them.

A scan books all that it finds for the same moment, and 100,000 files may wait: names of
one moment share one entry.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable


class Bookings:
    """Names and moments. A booking that ``holds`` no longer (the name, the moment) has
    lapsed: it is passed over, and forgotten when its time comes."""

    def __init__(self, holds: Callable[[bytes, float], bool]) -> None:
        self._holds = holds
        self._moments: list[float] = []  # a heap
        # Mostly one name, which then stands there itself.
        self._names: dict[float, bytes | list[bytes]] = {}
        self._sorted: float | None = None  # the moment whose names are in order
        self._size = 0

    def __len__(self) -> int:
        """How many there are, those that have lapsed included."""
        return self._size

    def add(self, name: bytes, at: float) -> None:
        """Book a look at ``name`` at ``at``."""
        names = self._names.get(at)
        if names is None:
            heapq.heappush(self._moments, at)
            self._names[at] = name
        elif isinstance(names, bytes):
            self._names[at] = [names, name]
        else:
            names.append(name)
        self._size += 1

    def replace(self, bookings: Iterable[tuple[bytes, float]]) -> None:
        """Forget all but these."""
        self._moments.clear()
        self._names.clear()
        self._sorted = None
        self._size = 0
        for name, at in bookings:
            self.add(name, at)

    def next(self) -> float | None:
        """The earliest moment at which a booking holds; None if none does."""
        while self._moments:
            at = self._moments[0]
            names = self._names[at]
            if isinstance(names, bytes):
                if self._holds(names, at):
                    return at
                self._size -= 1
            else:
                self._order(names, at)
                while names:
                    if self._holds(names[-1], at):
                        return at
                    names.pop()
                    self._size -= 1
            del self._names[heapq.heappop(self._moments)]
        return None

    def pop(self, now: float) -> bytes | None:
        """The name that is longest overdue at ``now``, of one moment the first in order;
        None if none is due."""
        at = self.next()
        if at is None or at > now:
            return None
        self._size -= 1
        names = self._names[at]
        if isinstance(names, list):
            return names.pop()  # one that is empty now goes with the next look
        del self._names[heapq.heappop(self._moments)]
        return names

    def _order(self, names: list[bytes], at: float) -> None:
        # What a job has numbered is taken in its order.
        if self._sorted != at:
            self._sorted = at
            names.sort(reverse=True)
