"""A unit by single POSTs: its documents, the archival object that lists them, the event.

For accounts that may not import, and for a lone document whose refusal must come in
the server's own words. Each step has a key of its own that the server keeps unique
(``digital_object_id``, ``ref_id``, ``refid``), so each can be repeated: whatever a
POST is answered, the key is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from hotfolder.archivesspace.answer import Unanswered
from hotfolder.archivesspace.calls import Calls, Created, Record, Refusal
from hotfolder.archivesspace.lookup import Lookup
from hotfolder.archivesspace.mapping import (
    Place,
    UnitRecords,
    event_fields,
    event_refids,
    unit_fields,
    unit_title,
)
from hotfolder.core.errors import Corrupt, OperatorFault, Transient
from hotfolder.core.identity import unit_ref_id
from hotfolder.core.records import ArchivedDocument, CatalogueRow, UnitAnswer, UnitRequest

_NOT_THE_DOCUMENT = frozenset({"repo_id"})  # complaints about the place, not the record


class SinglePosts:
    """Delivers one unit; keeps nothing between calls.

    ``doubt`` is called when an answer makes it doubtful that the series, the cycle, the
    agent and the lists are still as remembered; ``check`` raises ``OperatorFault`` if
    a record has a controlled value that the server lacks.
    """

    def __init__(
        self,
        calls: Calls,
        lookup: Lookup,
        *,
        doubt: Callable[[], None],
        check: Callable[[Iterable[Record]], None],
    ) -> None:
        self._calls = calls
        self._lookup = lookup
        self._doubt = doubt
        self._check = check

    def deliver(self, request: UnitRequest, place: Place, records: UnitRecords) -> UnitAnswer:
        """Send what the server does not have yet.

        Raises ``Transient`` or ``OperatorFault`` only before anything was sent, and
        ``Corrupt`` when a document is there with another checksum or size. A unit some
        of whose documents are refused is refused; the others have then been saved, in
        an archival object of their own. So is one with a document that another unit
        lists: nothing is saved then.
        """
        attempt = _Attempt(
            calls=self._calls,
            lookup=self._lookup,
            doubt=self._doubt,
            check=self._check,
            place=place,
            request=request,
            title=unit_title(request.unit, records.documents),
        )
        attempt.adopt_present()
        if len(request.documents) > 1 and attempt.in_another_unit():
            return UnitAnswer(outcome="refused", reason="a document is in another unit already")
        try:
            return attempt.deliver(records)
        except (Transient, OperatorFault) as error:
            if not attempt.begun and not isinstance(error, Unanswered):
                raise
            self._doubt()
            return UnitAnswer(outcome="unknown", reason=error.message)


class _RefTakenError(Unanswered):
    """An archival object has the ``ref_id`` and does not list all documents."""


class _Attempt:
    """One attempt at one unit."""

    def __init__(
        self,
        *,
        calls: Calls,
        lookup: Lookup,
        doubt: Callable[[], None],
        check: Callable[[Iterable[Record]], None],
        place: Place,
        request: UnitRequest,
        title: str,
    ) -> None:
        self._calls = calls
        self._lookup = lookup
        self._doubt = doubt
        self._check = check
        self._place = place
        self._unit = request.unit
        self._title = title
        self._rows = {row.document.identity: row for row in request.documents}
        self._uris: dict[str, str] = {}
        self._listed: set[str] = set()  # by some unit
        self._listing: set[str] = set()  # the ref_ids of those
        self.begun = False  # a POST was answered

    def adopt_present(self) -> None:
        """Compare and take over what an earlier attempt saved."""
        found = self._lookup.find_documents(self._place.repository, tuple(self._rows))
        self._uris = {name: adopt(self._rows[name], there) for name, there in found.items()}
        self._listed = {name for name, there in found.items() if there.unit_ref_ids}
        self._listing = {ref_id for there in found.values() for ref_id in there.unit_ref_ids}

    def in_another_unit(self) -> bool:
        """Whether a document that is there is listed elsewhere than in this unit."""
        return bool(self._listing - {self._unit.ref_id})

    def deliver(self, records: UnitRecords) -> UnitAnswer:
        """Documents, archival object, event."""
        refusals: list[Refusal] = []
        for identity, record in records.documents.items():
            if identity not in self._uris:
                refusal = self._send_document(identity, record)
                if refusal is not None:
                    refusals.append(refusal)
        saved = [name for name in self._rows if name in self._uris]
        if not refusals:
            unit_uri = self._list(saved, self._unit.ref_id)
            return UnitAnswer(outcome="confirmed", unit_uri=unit_uri, uris=dict(self._uris))
        unlisted = [name for name in saved if name not in self._listed]
        if unlisted:
            # The refused ones will be dealt with one by one. What was saved gets an archival
            # object and an event of its own, so that no document is without them.
            with suppress(_RefTakenError):  # listed when they are sent without the refused ones
                self._list(unlisted, unit_ref_id(unlisted))
        return UnitAnswer(outcome="refused", reason=refusals[0].words)

    def _send_document(self, identity: str, record: Record) -> Refusal | None:
        """None once it is there; the refusal if it is the document's fault."""
        alone = {key: value for key, value in record.items() if key != "uri"}
        answer = self._calls.create(f"{self._place.repository}/digital_objects", alone)
        self.begun = True
        if isinstance(answer, Created):
            self._uris[identity] = answer.uri
            return None
        found = self._lookup.find_documents(self._place.repository, [identity]).get(identity)
        if found is not None:
            self._uris[identity] = adopt(self._rows[identity], found)
            return None
        # Lists change while we run; a value taken out of one is the operator's matter.
        self._doubt()
        self._check([alone])
        if answer.fields - _NOT_THE_DOCUMENT:
            return answer
        # 400 db_error and 409 say that nothing was saved now, but not why: another client may
        # have been quicker, or the database busy. Never a reason to reject a document.
        raise Unanswered(
            f"ArchivesSpace did not take a document and gave no reason (status {answer.status})"
        )

    def _list(self, names: Sequence[str], ref_id: str) -> str:
        """Find or make the archival object that lists these, and its event; its uri."""
        repository = self._place.repository
        uris = [self._uris[name] for name in names]
        fields = unit_fields(self._unit, self._place, uris, ref_id=ref_id, title=self._title)
        answer = self._calls.create(
            f"{repository}/archival_objects", {"jsonmodel_type": "archival_object", **fields}
        )
        self.begun = True
        if isinstance(answer, Created):
            self._record_event(answer.uri, ref_id)
            return answer.uri
        found = self._lookup.find_units(repository, [ref_id], finished=False).get(ref_id)
        if found is None:
            raise Unanswered(f"ArchivesSpace did not take a unit (status {answer.status})")
        if not self._lookup.has_event(repository, ref_id, found.uri):
            self._record_event(found.uri, ref_id)
        if not {item.uri for item in found.documents.values()}.issuperset(uris):
            # Somebody deleted a document of it. With its event it is found when it is looked
            # up, which tells what it lacks; those are then listed under another ref_id.
            raise _RefTakenError("the unit is there and lacks documents")
        return found.uri

    def _record_event(self, unit_uri: str, ref_id: str) -> None:
        repository = self._place.repository
        for refid in event_refids(ref_id):
            fields = event_fields(self._unit, self._place, unit_uri, refid=refid)
            record = {"jsonmodel_type": "event", **fields}
            answer = self._calls.create(f"{repository}/events", record)
            if isinstance(answer, Created):
                return
            if self._lookup.has_event(repository, ref_id, unit_uri):
                return
            if answer.status != 400 or answer.fields - {"refid"}:
                break  # not for want of another refid: repeated as it is, later
        raise Unanswered("ArchivesSpace did not take the ingestion event of a unit")


def adopt(row: CatalogueRow, found: ArchivedDocument) -> str:
    """The uri of a record that is this document; ``Corrupt`` if it is another."""
    place = row.document.range
    if found.sha256 != place.sha256 or found.size != place.length:
        raise Corrupt(
            f"{found.uri} has the identity {found.identity} but another checksum or size",
            hint="the record is neither adopted nor overwritten",
            code="archive.differs",
        )
    return found.uri
