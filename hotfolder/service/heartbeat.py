"""Signs of life: each loop beats, and the watchdog is fed only while none is late."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from hotfolder.core.ports import Clock

ALLOWANCE = 300.0  # seconds between two beats
# Copying, hashing and reading back one large spool is one step of the intake.
ALLOWANCES: Mapping[str, float] = {"intake": 3600.0}

_ANSWERS = 2  # that a step may wait for once it is long: a login of another loop, and its own


def allowance_of(name: str, answer: float | None = None) -> float:
    """Seconds between two beats of the loop ``name``, each of whose steps waits for answers
    of somebody else; for one of them up to ``answer`` seconds, None if it does not."""
    return ALLOWANCES.get(name, ALLOWANCE) + (0.0 if answer is None else _ANSWERS * answer)


class Beats:
    """When each named loop was last seen alive. Safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._allowances: dict[str, float] = {}

    def expect(self, name: str, allowance: float | None = None) -> None:
        """Begin to expect beats of ``name``, at least every ``allowance`` seconds."""
        with self._lock:
            self._seen[name] = self._clock.monotonic()
            self._allowances[name] = allowance_of(name) if allowance is None else allowance

    def beat(self, name: str) -> None:
        """``name`` is alive. A beat of a loop that is not expected counts for nothing."""
        with self._lock:
            if name in self._seen:
                self._seen[name] = self._clock.monotonic()

    def forget(self, name: str) -> None:
        """``name`` has ended and is expected no more."""
        with self._lock:
            self._seen.pop(name, None)
            self._allowances.pop(name, None)

    def late(self) -> list[str]:
        """The loops whose last beat lies further back than their allowance, by name."""
        with self._lock:
            now = self._clock.monotonic()
            return sorted(
                name for name, seen in self._seen.items() if now - seen > self._allowances[name]
            )

    def ages(self) -> dict[str, float]:
        """Seconds since the last beat of each loop."""
        with self._lock:
            now = self._clock.monotonic()
            return {name: now - seen for name, seen in self._seen.items()}
