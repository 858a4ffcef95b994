"""Requests as ArchivesSpace has them: events of type ``request`` that archivists make.

Pure. An event's JSON becomes an ``ArchiveRequest``, and an answer becomes the JSON that
replaces it. An update empties what it omits (reference 2.3), so an answer is the record
as it was read with two fields changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from hotfolder.archivesspace.calls import Record, as_records, text_of
from hotfolder.archivesspace.eventids import refid_of
from hotfolder.archivesspace.mapping import JsonRecord
from hotfolder.archivesspace.wording import add_note
from hotfolder.core.errors import OperatorFault
from hotfolder.core.records import ArchiveRequest

REQUEST = "request"
PENDING = "pending"
ROLES = ("requested", "source", "outcome")  # of what is asked for; context and transfer are not

# (list, value) of what requests and their answers carry
REQUEST_VALUES = frozenset(
    {
        ("event_event_type", REQUEST),
        ("event_outcome", PENDING),
        ("event_outcome", "fulfilled"),
        ("event_outcome", "fail"),
    }
)


def is_request(event: Record) -> bool:
    """Whether an event is a request, answered or not."""
    return event.get("event_type") == REQUEST


def is_pending(event: Record) -> bool:
    """Whether it still waits for an answer."""
    return is_request(event) and event.get("outcome") == PENDING


def is_own(event: Record, username: str) -> bool:
    """Whether hotfolder recorded it: by its account and with a ``refid``, which the
    staff interface never gives (people may share the account where it is tried out)."""
    return _is(event.get("created_by"), username) and bool(refid_of(event))


def is_changed_by(event: Record, username: str) -> bool:
    """Whether this account made the last change."""
    return _is(event.get("last_modified_by"), username)


def note_of(event: Record) -> str:
    """Its ``outcome_note``; empty without one."""
    note = event.get("outcome_note")
    return note if isinstance(note, str) else ""


def asked_for(event: Record) -> list[str]:
    """The uris of what is asked for, in order."""
    return list(
        dict.fromkeys(text_of(item, "ref") for item in _links(event) if item.get("role") in ROLES)
    )


def read_request(
    event: Record, business_unit: str, known: Mapping[str, Iterable[str]], username: str
) -> ArchiveRequest:
    """The request of ``event``; ``known`` has our documents by the uri of a record that
    is one or lists some, and whatever it lacks is a stranger."""
    asked = asked_for(event)
    outcome = event.get("outcome")
    lock_version = event.get("lock_version")
    return ArchiveRequest(
        uri=text_of(event, "uri"),
        business_unit=business_unit,
        outcome=outcome if isinstance(outcome, str) else "",
        note=note_of(event),
        identities=tuple(dict.fromkeys(name for uri in asked for name in known.get(uri, ()))),
        strangers=tuple(uri for uri in asked if uri not in known),
        lock_version=lock_version if type(lock_version) is int else 0,
        changed_at=_time(event.get("user_mtime")) or _time(event.get("system_mtime")),
        changed_by_us=is_changed_by(event, username),
    )


def answered(event: Record, outcome: str, note: str) -> JsonRecord:
    """``event`` with an answer: everything that was read goes back, the ``lock_version``
    included, with which the server refuses it if somebody was quicker.

    Raises ``OperatorFault`` for an event that shows a link but not to what: it would be
    lost (the server leaves out the records that are suppressed).
    """
    links = event.get("linked_records")
    if isinstance(links, list) and None in links:
        raise OperatorFault(
            "a request is linked to a suppressed record and cannot be changed without it",
            hint="let an archivist take the link off, or show the record again",
            code="archive.suppressed",
        )
    text = add_note(note_of(event), note)
    return {**event, "outcome": outcome, **({"outcome_note": text} if text else {})}


def _links(event: Record) -> list[Record]:
    links = event.get("linked_records")
    return as_records([item for item in links if item] if isinstance(links, list) else [])


def _is(author: object, username: str) -> bool:
    return isinstance(author, str) and author.casefold() == username.casefold()


def _time(value: object) -> float:
    """Seconds since the epoch; 0 where there is no time."""
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
