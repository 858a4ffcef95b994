"""Events of ours, each at most once: ``refid`` is unique in the whole instance.

Whatever a POST is answered, the ``refid`` is looked for at the records that the event is
about (reference 3.5); there is no other way to find an event in the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from hotfolder.archivesspace.answer import Unanswered
from hotfolder.archivesspace.calls import (
    Calls,
    Created,
    as_record,
    as_records,
    text_of,
)
from hotfolder.archivesspace.eventids import own_id, refid_of
from hotfolder.archivesspace.mapping import JsonRecord
from hotfolder.archivesspace.series import Places
from hotfolder.archivesspace.vocabulary import Vocabulary
from hotfolder.archivesspace.wording import SHORT_LIMIT, clean_note
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.records import ArchiveEvent

TYPES = "event_event_type"
ATTEMPTS = 5  # linking the agent meets imports that do the same: 409, and nothing is saved
UNANSWERED = 2  # each may take the whole read timeout, and who calls has other things to do
_GONE = "Also about what is deleted or hidden here: {}"
_REFID = re.compile(rf"[!-~]{{1,{SHORT_LIMIT}}}")
_RECORD = r"/(digital_objects|archival_objects|resources|accessions)/[0-9]{1,18}"


class EventPosts:
    """Records events; keeps nothing between calls. ``doubt`` is called when an answer
    makes it doubtful that agent and lists are still as remembered."""

    def __init__(
        self,
        calls: Calls,
        places: Places,
        vocabulary: Vocabulary,
        *,
        doubt: Callable[[], None],
    ) -> None:
        self._calls = calls
        self._places = places
        self._vocabulary = vocabulary
        self._doubt = doubt

    def record(self, repository: str, event: ArchiveEvent) -> str:
        """Record ``event`` unless it is there; its uri. If some of its records are gone, it is
        about the others, and its note says so: nothing brings them back, and what happened to
        the others is to be told.

        Raises ``Transient`` if it may or may not be there (to be repeated as it is),
        ``OperatorFault`` for what the server will never take, ``ValueError`` for an event
        that is none of ours to begin with.
        """
        _check(repository, event)
        unanswered = 0
        for _ in range(ATTEMPTS):
            record = event_record(self._typed(event), self._places.find_agent())
            self._vocabulary.check([record])
            try:
                answer = self._calls.create(f"{repository}/events", record)
            except Unanswered:
                # It may be there, or be made yet. The next POST with this refid cannot double
                # it, and waits in the database for one that is under way.
                answer = None
                unanswered += 1
            if isinstance(answer, Created):
                return answer.uri
            if answer is not None and answer.status == 409:
                continue
            found = self._find(event)
            if found is not None:
                return found
            self._doubt()  # the agent may have been removed, a list changed
            if answer is not None and answer.fields:
                raise OperatorFault(
                    f"ArchivesSpace refuses an event: {', '.join(sorted(answer.fields))}",
                    hint="`hotfolder check` compares its lists with what is needed",
                    code="archive.event",
                )
            if answer is not None:
                event = self._about_what_is_there(repository, event)
            if unanswered == UNANSWERED:
                break
        raise Transient("ArchivesSpace did not take an event now", code="archive.event")

    def _typed(self, event: ArchiveEvent) -> ArchiveEvent:
        """The event with a type that the server's list has, if it has one of the two."""
        if not event.fallback or self._vocabulary.allows(TYPES, event.event_type):
            return event
        return replace(event, event_type=event.fallback)

    def _find(self, event: ArchiveEvent) -> str | None:
        """The uri of the event, if it is there. It is linked to all of its records, so
        the first that is still there will do."""
        for uri in event.record_uris:
            record = self._calls.read_record(uri, resolve="linked_events")
            if record is not None:
                for item in as_records(record.get("linked_events") or []):
                    resolved = as_record(item.get("_resolved") or {})
                    if refid_of(resolved) == event.refid:
                        return text_of(item, "ref")
                return None
        return None

    def _about_what_is_there(self, repository: str, event: ArchiveEvent) -> ArchiveEvent:
        """The event without the records that are gone. ``OperatorFault`` if all are."""
        there = {
            text_of(record, "uri")
            for kind in sorted({uri.split("/")[3] for uri in event.record_uris})
            for record in self._calls.read_set(repository, kind, event.record_uris)
        }
        left = tuple(uri for uri in event.record_uris if uri in there)
        gone = [uri for uri in event.record_uris if uri not in there]
        if not left:
            raise OperatorFault(
                f"ArchivesSpace has {gone[0]} no more, or does not show it",
                hint="look for a deleted or suppressed record",
                code="archive.record",
            )
        if not gone:
            return event
        # Before what the event says: where all of it has no room, the end is cut.
        note = "\n".join(filter(None, (_GONE.format(", ".join(gone)), event.note)))
        return replace(event, record_uris=left, note=note)


def event_record(event: ArchiveEvent, agent: str) -> JsonRecord:
    """``event`` as the server takes it."""
    note = clean_note(event.note)
    agents = [{"role": "executing_program" if event.agent else event.agent_role, "ref": agent}]
    if event.agent:
        agents.append({"role": event.agent_role, "ref": event.agent})
    return {
        "jsonmodel_type": "event",
        "refid": event.refid,
        "external_ids": [own_id(event.refid)],
        "event_type": event.event_type,
        "outcome": event.outcome,
        **({"outcome_note": note} if note else {}),
        "timestamp": datetime.fromtimestamp(int(event.at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "linked_agents": agents,
        "linked_records": [{"role": event.role, "ref": uri} for uri in event.record_uris],
    }


def _check(repository: str, event: ArchiveEvent) -> None:
    if not _REFID.fullmatch(event.refid):
        raise ValueError("the refid of an event is 1 to 255 printable ASCII characters")
    if not event.record_uris:
        raise ValueError("an event is about one record at least")
    for uri in event.record_uris:
        if not re.fullmatch(re.escape(repository) + _RECORD, uri):
            raise ValueError(f"no record of {repository}")
