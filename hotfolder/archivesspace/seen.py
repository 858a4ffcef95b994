"""Records as archivists leave them: the server's JSON, reduced to what matters here.

Pure. Texts that archivists write (titles, notes) are not taken over: facts go to other
systems, and what stands in a note is nobody's business there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from hotfolder.archivesspace.calls import Record, text_of
from hotfolder.archivesspace.eventids import is_own_id, refid_of
from hotfolder.core.facts import SeenEvent, SeenObject, Statement

ROLES = ("requested", "source", "outcome")  # of what an event is about; context is not
MATTER = "matter"  # title of an external document whose location names a matter
_MAX = 255  # characters of an identifier that is remembered


def seen_object(record: Record, username: str) -> SeenObject:
    """A digital object. What has another shape than the server's counts as not there."""
    return SeenObject(
        uri=text_of(record, "uri"),
        identity=_text(record, "digital_object_id"),
        lock_version=_whole(record, "lock_version"),
        changed_at=seconds(record.get("user_mtime")),
        changed_by=_text(record, "last_modified_by"),
        ours=_is(record.get("last_modified_by"), username),
        statements=tuple(_statements(record)),
        suppressed=record.get("suppressed") is True,
    )


def seen_event(record: Record, known: Mapping[str, Iterable[str]], username: str) -> SeenEvent:
    """An event; ``known`` has our documents by the uri of a record that is one, or lists
    some."""
    ids = [
        _text(item, "external_id")
        for item in _records(record.get("external_ids"))
        if not is_own_id(item)
    ]
    papers = list(_records(record.get("external_documents")))
    matters = [*ids, *(_text(item, "location") for item in papers if _names_matter(item))]
    references = [refid_of(record), *matters, *(_text(item, "title") for item in papers)]
    return SeenEvent(
        uri=text_of(record, "uri"),
        event_type=_text(record, "event_type"),
        outcome=_text(record, "outcome"),
        references=tuple(dict.fromkeys(item for item in references if item)),
        matters=tuple(dict.fromkeys(item for item in matters if item)),
        lock_version=_whole(record, "lock_version"),
        changed_at=seconds(record.get("user_mtime")),
        changed_by=_text(record, "last_modified_by"),
        ours=_is(record.get("last_modified_by"), username),
        made=_is(record.get("created_by"), username) and bool(refid_of(record)),
        identities=tuple(
            dict.fromkeys(name for uri in linked(record) for name in known.get(uri, ()))
        ),
    )


def linked(record: Record) -> list[str]:
    """The uris of what an event is about."""
    return [
        _text(item, "ref")
        for item in _records(record.get("linked_records"))
        if item.get("role") in ROLES
    ]


def seconds(value: object) -> int:
    """A time of the server's, in whole seconds; 0 where there is none."""
    try:
        return int(datetime.fromisoformat(value).timestamp()) if isinstance(value, str) else 0
    except (ValueError, OverflowError):
        return 0


def _statements(record: Record) -> Iterable[Statement]:
    for item in _records(record.get("rights_statements")):
        acts = [
            act
            for act in _records(item.get("acts"))
            if act.get("act_type") == "delete" and act.get("restriction") == "disallow"
        ]
        # An act without an end binds although its statement has one, and the other way.
        ends = [_text(item, "end_date")] + [_text(act, "end_date") for act in acts]
        yield Statement(
            identifier=_text(item, "identifier")[:_MAX],
            keeps=bool(acts),
            end="" if all(not end for end in ends) else max(ends),
        )


def _names_matter(paper: Record) -> bool:
    return _text(paper, "title").strip().casefold() == MATTER


def _records(value: object) -> Iterable[Record]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _whole(record: Record, name: str) -> int:
    value = record.get(name)
    return value if type(value) is int else 0


def _is(author: object, username: str) -> bool:
    return isinstance(author, str) and author.casefold() == username.casefold()
