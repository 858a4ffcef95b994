"""Faults of the network and of the server, to be met by requests of one's choosing."""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What happens to a request."""

    REFUSE = "refuse"  # no answer; all connections end, and no new one is let in for a time
    CLOSE = "close"  # the connection ends in order, without an answer
    RESET = "reset"  # the connection is reset, without an answer
    DELAY = "delay"  # nothing happens for a time; the request is carried out all the same
    STATUS = "status"  # another status than the request's own
    CUT = "cut"  # a part of an answer, then a reset
    EXPIRE = "expire_sessions"  # all sessions have rested too long: 412 SESSION_EXPIRED
    FORGET = "forget_sessions"  # no session is known: 412 SESSION_GONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An action, and the requests that meet it.

    ``path`` is a regular expression searched for in the path (without the query),
    ``method`` any if None. Of the requests that match from now on, those from the
    ``nth``, ``count`` of them (None: all from there), meet the fault. ``committed``:
    the request is carried out first; otherwise it is not (only DELAY carries it out all
    the same), and REFUSE and RESET strike before its body is read. ``seconds`` belongs
    to REFUSE and DELAY, ``status`` to STATUS.
    """

    action: Action
    method: str | None = None
    path: str = ""
    nth: int = 1
    count: int | None = 1
    committed: bool = False
    seconds: float = 0.0
    status: int = 500

    def __post_init__(self) -> None:
        re.compile(self.path)
        if self.nth < 1 or (self.count is not None and self.count < 1) or self.seconds < 0:
            raise ValueError("nth and count begin at 1, seconds at 0")
        if self.committed and self.action in {Action.EXPIRE, Action.FORGET}:
            raise ValueError("sessions end before a request, not after it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that arrived, faults or not."""

    method: str
    path: str


class Faults:
    """The faults that are set, and the requests seen. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set: list[tuple[Fault, list[int]]] = []
        self._seen: list[Seen] = []

    def add(self, fault: Fault) -> None:
        """Let requests meet a fault from now on."""
        with self._lock:
            self._set.append((fault, [0]))

    def clear(self) -> None:
        """Take all faults away and forget the requests seen."""
        with self._lock:
            self._set.clear()
            self._seen.clear()

    def seen(self) -> list[Seen]:
        """The requests since the start or the last ``clear``, in order of arrival."""
        with self._lock:
            return list(self._seen)

    def waiting(self) -> list[Fault]:
        """The faults that have not struck as often as they should."""
        with self._lock:
            return [
                fault
                for fault, (matched,) in self._set
                if fault.count is None or matched < fault.nth + fault.count - 1
            ]

    def strike(self, method: str, path: str) -> list[Fault]:
        """Note a request and return the faults that it meets."""
        with self._lock:
            self._seen.append(Seen(method=method, path=path))
            return [fault for fault, count in self._set if _meets(fault, count, method, path)]


def _meets(fault: Fault, count: list[int], method: str, path: str) -> bool:
    if fault.method not in {None, method} or re.search(fault.path, path) is None:
        return False
    count[0] += 1
    if count[0] < fault.nth:
        return False
    return fault.count is None or count[0] < fault.nth + fault.count


def to_json(fault: Fault) -> dict[str, Any]:
    """A fault as the control path shows it."""
    return {**asdict(fault), "action": fault.action.value}


def from_json(value: dict[str, Any]) -> Fault:
    """A fault as posted to the control path. Raises ``ValueError`` on anything odd."""
    names = {field.name for field in fields(Fault)}
    unknown = value.keys() - names
    if unknown or "action" not in value:
        raise ValueError(f"a fault has an action and some of {sorted(names)}")
    try:
        return Fault(**{**value, "action": Action(value["action"])})
    except (TypeError, re.error) as error:
        raise ValueError(str(error)) from error
