"""``ArchivesSpaceDesk``: the ``Desk`` port of ``core.ports`` over the server's HTTP API.

Nothing here depends on the index: lists, ``id_set`` and ``find_by_id`` read the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from hotfolder.archivesspace.amending import RecordChanges
from hotfolder.archivesspace.answer import Unanswered
from hotfolder.archivesspace.calls import ID_SET, Calls, Record, Updated, number_of
from hotfolder.archivesspace.eventposts import ATTEMPTS, UNANSWERED, EventPosts
from hotfolder.archivesspace.lookup import Lookup
from hotfolder.archivesspace.pasted import read_pasted
from hotfolder.archivesspace.permissions import (
    READING,
    WRITING_EVENTS,
    WRITING_RECORDS,
    require_permissions,
)
from hotfolder.archivesspace.requestevents import (
    PENDING,
    answered,
    asked_for,
    is_changed_by,
    is_own,
    is_pending,
    is_request,
    note_of,
    read_request,
)
from hotfolder.archivesspace.series import Places
from hotfolder.archivesspace.vocabulary import Vocabulary
from hotfolder.archivesspace.watching import Watching
from hotfolder.core.changes import Amended, Amendment
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.facts import ChangeKind, ChangePage, Lost, SeenObject
from hotfolder.core.identity import is_document_identity
from hotfolder.core.profiles import ArchiveProfile, Rules
from hotfolder.core.records import ArchiveEvent, ArchiveRequest


class ArchivesSpaceDesk:
    """One server and account. Safe to use from several threads. ``doubt`` is called when
    an answer makes it doubtful that agent and lists are still as remembered."""

    def __init__(
        self,
        calls: Calls,
        places: Places,
        vocabulary: Vocabulary,
        lookup: Lookup,
        profile: ArchiveProfile,
        rules: Rules,
        *,
        doubt: Callable[[], None],
    ) -> None:
        self._calls = calls
        self._places = places
        self._vocabulary = vocabulary
        self._lookup = lookup
        self._profile = profile
        self._events = EventPosts(calls, places, vocabulary, doubt=doubt)
        self._changes = RecordChanges(calls, vocabulary, profile, rules, doubt=doubt)
        self._watching = Watching(calls, lookup, profile.username)

    # -- documents ----------------------------------------------------------------------
    def find_identities(self, business_unit: str, name: str) -> tuple[str, ...]:
        """The documents that ``name`` stands for in the repository of the unit; empty
        also where it names a record of another repository, or nothing at all."""
        repository = self._repository(business_unit, READING)
        pasted = read_pasted(name, repository)
        if pasted is None:
            return ()
        if pasted.ref_id:
            return self._lookup.find_listed(repository, pasted.ref_id)
        if pasted.identity:
            found = self._lookup.find_documents(repository, [pasted.identity])
            return tuple(found)
        return self._lookup.identities_at(repository, [pasted.uri]).get(pasted.uri, ())

    def read_records(self, business_unit: str, identity: str) -> Mapping[str, object] | None:
        """All that the server holds of a document, as it answers it."""
        repository = self._repository(business_unit, READING)
        if not is_document_identity(identity):
            return None
        return self._lookup.read_records(repository, identity)

    def amend_record(self, business_unit: str, amendment: Amendment) -> Amended:
        """Bring what there is to tell of a document into its record, keeping whatever
        else it says. Raises as ``RecordChanges.amend``."""
        return self._changes.amend(self._repository(business_unit, WRITING_RECORDS), amendment)

    # -- requests -----------------------------------------------------------------------
    def find_requests(self, business_unit: str, since: int) -> list[ArchiveRequest]:
        """Pending requests touched at or after ``since``, oldest first.

        The server sets times before it commits: ``since`` must reach back some minutes
        before the last look, and who calls knows which requests it has seen already
        (uri, lock_version, changed_at). ``since`` 0 reads every event that there is.
        """
        repository = self._repository(business_unit, READING)
        numbers = sorted(self._calls.list_ids(f"{repository}/events", modified_since=since))
        pending: list[Record] = []
        for first in range(0, len(numbers), ID_SET):
            chosen = [f"{repository}/events/{n}" for n in numbers[first : first + ID_SET]]
            pending += [
                event
                for event in self._calls.read_set(repository, "events", chosen)
                if is_pending(event) and not is_own(event, self._profile.username)
            ]
        return sorted(
            self._read_requests(business_unit, repository, pending),
            key=lambda request: (request.changed_at, number_of(request.uri)),
        )

    def read_request(self, business_unit: str, uri: str) -> ArchiveRequest | None:
        """A request as it stands now; None also for what is no request of the unit's."""
        repository = self._repository(business_unit, READING)
        event = self._read_event(repository, uri)
        if event is None:
            return None
        (request,) = self._read_requests(business_unit, repository, [event])
        return request

    def answer_request(self, business_unit: str, uri: str, outcome: str, note: str) -> bool:
        """Answer a request that is pending, once: the server takes a change only with the
        ``lock_version`` that was read, so an answer that arrives late changes nothing.

        Raises ``Transient`` if it may or may not be answered; repeating it is harmless.
        """
        if outcome == PENDING:
            raise ValueError("an answer leaves no request pending")
        repository = self._repository(business_unit, WRITING_EVENTS)
        self._vocabulary.require({("event_outcome", outcome)})
        sent: set[str] = set()  # notes of which nothing is known
        unanswered = 0
        for _ in range(ATTEMPTS):
            event = self._read_event(repository, uri)
            if event is None:
                return False
            if not is_pending(event):
                # The note alone does not tell: where there was no room, nothing was added.
                ours = note_of(event) in sent and is_changed_by(event, self._profile.username)
                return ours and event.get("outcome") == outcome
            if not event.get("linked_records"):
                # Its records were deleted, and their links with them. The server saves no
                # event without one (``minItems`` of the schema), whoever asks it to.
                return False
            if unanswered == UNANSWERED:
                break
            record = answered(event, outcome, note)
            try:
                answer = self._calls.update(uri, record)
            except Unanswered:
                sent.add(note_of(record))
                unanswered += 1
                continue  # the next look tells
            if isinstance(answer, Updated):
                return True
            if answer.fields:
                raise OperatorFault(
                    f"ArchivesSpace refuses to change {uri}: {', '.join(sorted(answer.fields))}",
                    hint="open the event in ArchivesSpace and save it: it says what is wrong",
                    code="archive.request",
                )
        raise Transient("a request could not be answered now", code="archive.request")

    # -- events -------------------------------------------------------------------------
    def record_event(self, business_unit: str, event: ArchiveEvent) -> str:
        """Record an event once; its uri. Raises as ``EventPosts.record``."""
        return self._events.record(self._repository(business_unit, WRITING_EVENTS), event)

    # -- changes ------------------------------------------------------------------------
    def find_changes(
        self, business_unit: str, kind: ChangeKind, since: int, after: int = 0
    ) -> Iterator[ChangePage]:
        """Pages of what was touched at or after ``since``; see ``Watching``."""
        repository = self._repository(business_unit, READING)
        return self._watching.changes(repository, kind, since, after)

    def look_at(
        self, business_unit: str, records: Mapping[str, str]
    ) -> tuple[list[SeenObject], list[Lost]]:
        """Records of ours, by uri, as they stand or where they went."""
        repository = self._repository(business_unit, READING)
        return self._watching.look_at(
            repository,
            records,
            lambda: [
                item.uri for item in self._calls.list_repositories() if item.uri != repository
            ],
        )

    def find_deleted(self, since: int) -> list[str] | None:
        """What the delete feed tells; None where the account may not read it."""
        return self._watching.deleted(since)

    # -- inside -------------------------------------------------------------------------
    def _repository(self, business_unit: str, needed: frozenset[str]) -> str:
        repository = self._places.find_repository(business_unit).uri
        require_permissions(self._calls.transport, repository, needed)
        return repository

    def _read_event(self, repository: str, uri: str) -> Record | None:
        """The event at ``uri``, if it is a request in this repository."""
        if not re.fullmatch(re.escape(repository) + r"/events/[0-9]{1,18}", uri):
            return None
        event = self._calls.read_record(uri)
        return event if event is not None and is_request(event) else None

    def _read_requests(
        self, business_unit: str, repository: str, events: Sequence[Record]
    ) -> list[ArchiveRequest]:
        asked = {uri for event in events for uri in asked_for(event)}
        known = self._lookup.identities_at(repository, asked, units_only=True)
        username = self._profile.username
        return [read_request(event, business_unit, known, username) for event in events]
