"""What stands in a file of events that start clocks (docs/retention.md).

CSV with the columns kind, subject, event, day and, if wanted, reason: ``policy;P-77;
contract-end;2026-03-31``. A file is taken whole or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from hotfolder.core.clocks import NewEvent
from hotfolder.core.csvlines import CsvLines, decode
from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.retention import SLUG, Subject
from hotfolder.core.spelling import clean_value

MAX_BYTES = 32 << 20
MAX_LINES = 200_000
LONGEST_SUBJECT = 255  # characters; a CHECK of the journal has it too
LONGEST_EVENT = 64
_LONGEST_REASON = 1000
_MOST_FAULTS = 100
_NEEDED = ("kind", "subject", "event", "day")
_CSV = CsvLines(code="events", columns=(*_NEEDED, "reason"), limit=MAX_LINES)
_KINDS = ", ".join(Subject)


def read_events(
    data: bytes, name: bytes, *, source: str, actor: str, known: Collection[str]
) -> list[NewEvent]:
    """The events of a file called ``name``; ``known`` are those that classes wait for.
    The ``source`` of each is that of the file and its line. Raises ``InputFault`` with
    every fault (a hundred at most), none of which quotes a value."""
    if not name.lower().endswith(b".csv"):
        raise _refused("events.name", "a file of events is a .csv file", "give it such a name")
    if len(data) > MAX_BYTES:
        raise _refused(
            "events.size", f"it is longer than {MAX_BYTES:,} bytes", "make several of it"
        )
    faults: list[Fault] = []
    found: list[NewEvent] = []
    for number, item in _CSV.read(decode(data, "events"), faults):
        if "subject" in item:
            item["subject"] = clean_value(item["subject"])
        wrong = list(_check(item, known))
        if not wrong:
            found.append(_event(item, f"{source}:{number}", actor))
        faults += [
            Fault(code=code, message=message, remedy=remedy, place=f"line {number}")
            for code, message, remedy in wrong
        ]
        if len(faults) >= _MOST_FAULTS:
            break
    if faults:
        raise InputFault(faults[:_MOST_FAULTS])
    if not found:
        raise _refused("events.empty", "there is no event in it", "write a line for each event")
    return found


def _check(item: dict[str, str], known: Collection[str]) -> Iterator[tuple[str, str, str]]:
    missing = [name for name in _NEEDED if name not in item]
    if missing:
        yield "events.missing", f"it has no {', '.join(missing)}", "fill it in"
        return
    if item["kind"].lower() not in tuple(Subject):
        yield "events.kind", "its kind is none that there is", f"use one of {_KINDS}"
    if len(item["subject"]) > LONGEST_SUBJECT or not item["subject"].isprintable():
        yield "events.subject", "its subject is no short text on one line", "correct it"
    if len(item["event"]) > LONGEST_EVENT or not SLUG.match(item["event"]):
        yield "events.event", "its event is no plain word", "write it like contract-end"
    elif item["event"] not in known:
        yield (
            "events.unknown",
            "no class waits for its event",
            f"use one of {', '.join(sorted(known))}" if known else "add it to a class first",
        )
    if not _is_day(item["day"]):
        yield "events.day", "its day is no day of the calendar", "write it like 2026-03-31"
    reason = item.get("reason", "")
    if len(reason) > _LONGEST_REASON or not reason.isprintable():
        yield "events.reason", "its reason is no short text on one line", "shorten it"


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2026-03-31") and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _event(item: dict[str, str], source: str, actor: str) -> NewEvent:
    return NewEvent(
        kind=Subject(item["kind"].lower()),
        subject=item["subject"],
        event=item["event"],
        day=date.fromisoformat(item["day"]),
        actor=actor,
        reason=item.get("reason", ""),
        source=source,
    )


def _refused(code: str, message: str, remedy: str) -> InputFault:
    return InputFault([Fault(code=code, message=message, remedy=remedy)])
