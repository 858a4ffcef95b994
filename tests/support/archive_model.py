"""ArchivesSpace as a few dictionaries: the ``Archive`` port with what the real server does.

A ``ModelServer`` outlives the daemons that talk to it; a ``ModelArchive`` is what one
daemon has of it. One import is one transaction; single POSTs are one each. The server
keeps unique what the real one does: the identity of a document, the ``ref_id`` of a
unit, the ``refid`` of an event. Troubles are given to it beforehand, one for each
request to come.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum

from hotfolder.core.errors import Corrupt, OperatorFault, Transient
from hotfolder.core.identity import unit_ref_id
from hotfolder.core.records import (
    ArchivedDocument,
    ArchivedUnit,
    CatalogueRow,
    UnitAnswer,
    UnitRequest,
)


class Trouble(Enum):
    """What becomes of one request."""

    NONE = "none"
    DOWN = "nobody answers: nothing was sent"
    CUT = "the server has not done it, and the answer is lost"
    LOST = "the server has done it, and the answer is lost"
    LATE = "no answer, and an import is done only some time later"
    PASSING = "refused for once: the database was busy"
    DENIED = "the operator has to act, while a series is prepared"
    KILLED_BEFORE = "the daemon dies before the server has it"
    KILLED_AFTER = "the daemon dies when the server has done it"


class ProcessKilledError(BaseException):
    """The daemon is dead. No ``except`` of the product catches it, and what its
    ``finally`` clauses do (closing descriptors) the kernel would do."""


@dataclass(slots=True, kw_only=True)
class ServerDocument:
    """A digital object."""

    identity: str
    uri: str
    sha256: str | None
    size: int | None


@dataclass(slots=True, kw_only=True)
class ServerUnit:
    """An archival object, the documents that it lists, and whether it has its event."""

    ref_id: str
    uri: str
    documents: list[str]
    event: bool


@dataclass(slots=True)
class Records:
    """What is in the database; a copy of it is a backup."""

    documents: dict[str, ServerDocument] = field(default_factory=dict)
    units: dict[str, ServerUnit] = field(default_factory=dict)
    last_uri: int = 0


class ModelServer:
    """The server. ``refuses`` gives its words about a document that it will not have;
    ``requests`` counts what was asked to be saved."""

    def __init__(self, refuses: Callable[[CatalogueRow], str | None] = lambda _row: None) -> None:
        self.records = Records()
        self.up = True
        self.troubles: deque[Trouble] = deque()
        self.late: list[UnitRequest] = []
        self.lost: set[str] = set()  # identities that it had once and has no more
        self.committed: set[str] = set()  # identities that it has had at any time
        self.requests = 0
        self.meanwhile: deque[Callable[[], None]] = deque()  # before each request to come
        self._refuses = refuses

    # -- what happens to it --------------------------------------------------------
    def back_up(self) -> Records:
        """A copy of everything, for ``restore``."""
        return deepcopy(self.records)

    def restore(self, backup: Records) -> None:
        """As it was then; uris are given again, and imports under way are gone."""
        before = set(self.records.documents)
        self.records = deepcopy(backup)
        self.late.clear()
        self.lost = (self.lost | before) - set(self.records.documents)

    def lose(self, identity: str) -> None:
        """Somebody deletes a document; no unit lists it any more."""
        del self.records.documents[identity]
        for unit in self.records.units.values():
            unit.documents = [name for name in unit.documents if name != identity]
        self.lost.add(identity)

    def commit_late(self) -> None:
        """The imports that nobody waits for any more are done now, or refused."""
        for request in self.late:
            self.save_import(request)
        self.late.clear()

    # -- saving --------------------------------------------------------------------
    def save_import(self, request: UnitRequest) -> str:
        """All of a unit or nothing; returns why not, or an empty text."""
        ref_id = request.unit.ref_id
        for row in request.documents:
            if row.document.identity in self.records.documents:
                return "digital_object_id: must be unique"
            words = self._refuses(row)
            if words is not None:
                return words
        if ref_id in self.records.units:
            return "ref_id: must be unique"
        for row in request.documents:
            self.save_document(row)
        self.save_unit(ref_id, [row.document.identity for row in request.documents])
        self.records.units[ref_id].event = True
        return ""

    def save_document(self, row: CatalogueRow) -> str | None:
        """One digital object; None if it was saved, else the server's words."""
        words = self._refuses(row)
        if words is not None:
            return words
        identity, place = row.document.identity, row.document.range
        if identity in self.records.documents:
            return "digital_object_id: must be unique"
        self.records.documents[identity] = ServerDocument(
            identity=identity,
            uri=self._next_uri("digital_objects"),
            sha256=place.sha256,
            size=place.length,
        )
        self.lost.discard(identity)
        self.committed.add(identity)
        return None

    def save_unit(self, ref_id: str, identities: Sequence[str]) -> str | None:
        """One archival object without its event; None if it was saved."""
        if ref_id in self.records.units:
            return "ref_id: must be unique"
        self.records.units[ref_id] = ServerUnit(
            ref_id=ref_id,
            uri=self._next_uri("archival_objects"),
            documents=list(identities),
            event=False,
        )
        return None

    def _next_uri(self, kind: str) -> str:
        self.records.last_uri += 1
        return f"/repositories/2/{kind}/{self.records.last_uri}"

    # -- looking -------------------------------------------------------------------
    def listing(self, identity: str) -> tuple[str, ...]:
        """The ``ref_id`` of every unit that lists a document."""
        return tuple(
            unit.ref_id for unit in self.records.units.values() if identity in unit.documents
        )

    def describe(self, identity: str) -> ArchivedDocument:
        """A document as the port shows it."""
        found = self.records.documents[identity]
        return ArchivedDocument(
            identity=identity,
            uri=found.uri,
            sha256=found.sha256,
            size=found.size,
            lock_version=0,
            unit_ref_ids=self.listing(identity),
        )

    def answer_to(self, request: UnitRequest) -> UnitAnswer:
        """What a confirmation of this unit says."""
        return UnitAnswer(
            outcome="confirmed",
            unit_uri=self.records.units[request.unit.ref_id].uri,
            uris={
                row.document.identity: self.records.documents[row.document.identity].uri
                for row in request.documents
            },
        )


class _NoAnswerError(Exception):
    """Something was sent and nothing that can be trusted came back."""


class _RefTakenError(_NoAnswerError):
    """A unit has the ``ref_id`` and does not list all documents."""


class ModelArchive:
    """``core.ports.Archive`` for one daemon. Safe to use from several threads."""

    def __init__(self, server: ModelServer, *, least_privilege: bool = False) -> None:
        self._server = server
        self._least_privilege = least_privilege
        self._prepared: set[tuple[str, str, str]] = set()
        self._lock = threading.RLock()

    def close(self) -> None:
        """There is no connection to close."""

    # -- the port --------------------------------------------------------------------
    def prepare_series(self, business_unit: str, series: str, cycle: str) -> None:
        """Ask once, and remember."""
        place = (business_unit, series, cycle)
        with self._lock:
            if place not in self._prepared:
                self._look()
                self._prepared.add(place)

    def forget(self) -> None:
        """Ask again."""
        with self._lock:
            self._prepared.clear()

    def probe(self) -> None:
        """Whether it answers."""
        with self._lock:
            self._look()

    def find_units(self, business_unit: str, ref_ids: Sequence[str]) -> Mapping[str, ArchivedUnit]:
        """Only those that have their event: without it a unit is to be sent again."""
        with self._lock:
            self._look()
            units = self._server.records.units
            return {
                name: self._unit(name) for name in ref_ids if name in units and units[name].event
            }

    def find_documents(
        self, business_unit: str, identities: Sequence[str]
    ) -> Mapping[str, ArchivedDocument]:
        """As they are now."""
        with self._lock:
            self._look()
            return self._present(identities)

    def send_unit(self, request: UnitRequest) -> UnitAnswer:
        """One import; or single POSTs under ``least_privilege``, and where all but the
        event of this unit is there."""
        unit = request.unit
        with self._lock:
            self.prepare_series(unit.business_unit, unit.series, unit.cycle)
            if self._least_privilege:
                return self._post_all(request)
            try:
                problem = self._import(request)
            except _NoAnswerError as error:
                self.forget()
                return UnitAnswer(outcome="unknown", reason=str(error))
            if not problem:
                return self._server.answer_to(request)
            self.forget()
            there = self._server.records.units.get(unit.ref_id)
            if there is not None and set(there.documents) == set(unit.identities):
                try:
                    return self._post_all(request)
                except (Transient, OperatorFault) as error:
                    return UnitAnswer(outcome="unknown", reason=error.message)
            return UnitAnswer(outcome="refused", reason=problem)

    def send_document(self, request: UnitRequest) -> UnitAnswer:
        """Single POSTs for a unit of one."""
        if len(request.documents) != 1:
            raise ValueError(f"one document, not {len(request.documents)}")
        unit = request.unit
        with self._lock:
            self.prepare_series(unit.business_unit, unit.series, unit.cycle)
            return self._post_all(request)

    # -- requests --------------------------------------------------------------------
    def _next(self) -> Trouble:
        if self._server.meanwhile:
            self._server.meanwhile.popleft()()
        if not self._server.up:
            return Trouble.DOWN
        return self._server.troubles.popleft() if self._server.troubles else Trouble.NONE

    def _look(self) -> None:
        """A request that changes nothing: every trouble is the same to it, but two."""
        trouble = self._next()
        if trouble in (Trouble.KILLED_BEFORE, Trouble.KILLED_AFTER):
            raise ProcessKilledError
        if trouble is Trouble.DENIED:
            raise OperatorFault("a list value is missing", hint="add it", code="archive.list")
        if trouble is not Trouble.NONE:
            raise Transient(f"looking: {trouble.value}")

    def _import(self, request: UnitRequest) -> str:
        """Why it was refused, or an empty text."""
        trouble = self._next()
        if trouble is Trouble.DOWN:
            raise _NoAnswerError(trouble.value)
        self._server.requests += 1
        if trouble is Trouble.KILLED_BEFORE:
            raise ProcessKilledError
        if trouble in (Trouble.CUT, Trouble.DENIED):
            raise _NoAnswerError(trouble.value)
        if trouble is Trouble.LATE:
            self._server.late.append(request)
            raise _NoAnswerError(trouble.value)
        if trouble is Trouble.PASSING:
            return "the database was busy"
        problem = self._server.save_import(request)
        if trouble is Trouble.KILLED_AFTER:
            raise ProcessKilledError
        if trouble is Trouble.LOST:
            raise _NoAnswerError(trouble.value)
        return problem

    def _post(self, save: Callable[[], str | None]) -> str | None:
        """One POST: None if it was saved, else the server's words."""
        trouble = self._next()
        if trouble is Trouble.DOWN:
            raise _NoAnswerError(trouble.value)
        self._server.requests += 1
        if trouble is Trouble.KILLED_BEFORE:
            raise ProcessKilledError
        if trouble in (Trouble.CUT, Trouble.PASSING, Trouble.DENIED):
            raise _NoAnswerError(trouble.value)
        words = save()
        if trouble is Trouble.KILLED_AFTER:
            raise ProcessKilledError
        if trouble in (Trouble.LOST, Trouble.LATE):
            raise _NoAnswerError(trouble.value)
        return words

    def _post_all(self, request: UnitRequest) -> UnitAnswer:
        """Documents, archival object, event, each once; see ``archivesspace.singles``."""
        self._look()
        present = self._present(row.document.identity for row in request.documents)
        for row in request.documents:
            _compare(row, present.get(row.document.identity))
        listed = {name for name, there in present.items() if there.unit_ref_ids}
        listing = {ref_id for there in present.values() for ref_id in there.unit_ref_ids}
        if len(request.documents) > 1 and listing - {request.unit.ref_id}:
            return UnitAnswer(outcome="refused", reason="a document is in another unit already")
        try:
            return self._post_missing(request, set(present), listed)
        except _NoAnswerError as error:
            self.forget()
            return UnitAnswer(outcome="unknown", reason=str(error))

    def _post_missing(self, request: UnitRequest, saved: set[str], listed: set[str]) -> UnitAnswer:
        refusals: list[str] = []
        for row in request.documents:
            if row.document.identity in saved:
                continue
            words = self._post(lambda row=row: self._server.save_document(row))  # type: ignore[misc]
            if words is None:
                saved.add(row.document.identity)
            else:
                refusals.append(words)
        in_order = [row.document.identity for row in request.documents]
        if not refusals:
            self._post_unit(request.unit.ref_id, in_order)
            return self._server.answer_to(request)
        unlisted = [name for name in in_order if name in saved and name not in listed]
        if unlisted:
            with suppress(_RefTakenError):
                self._post_unit(unit_ref_id(unlisted), unlisted)
        return UnitAnswer(outcome="refused", reason=refusals[0])

    def _post_unit(self, ref_id: str, identities: Sequence[str]) -> None:
        self._post(lambda: self._server.save_unit(ref_id, identities))
        unit = self._server.records.units[ref_id]
        if not unit.event:
            self._post(lambda: self._record_event(unit.ref_id))
        if not set(unit.documents).issuperset(identities):
            raise _RefTakenError("the unit is there and lacks documents")

    def _record_event(self, ref_id: str) -> str | None:
        self._server.records.units[ref_id].event = True
        return None

    # -- what is there ---------------------------------------------------------------
    def _present(self, identities: Iterable[str]) -> dict[str, ArchivedDocument]:
        return {
            name: self._server.describe(name)
            for name in identities
            if name in self._server.records.documents
        }

    def _unit(self, ref_id: str) -> ArchivedUnit:
        found = self._server.records.units[ref_id]
        return ArchivedUnit(
            ref_id=ref_id,
            uri=found.uri,
            documents={name: self._server.describe(name) for name in found.documents},
        )


def _compare(row: CatalogueRow, there: ArchivedDocument | None) -> None:
    place = row.document.range
    if there is not None and (there.sha256, there.size) != (place.sha256, place.length):
        raise Corrupt("another document has this identity", code="archive.differs")
