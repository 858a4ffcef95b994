"""What one daemon has of a ``ModelServer``: the ``Archive`` port, with what the real one does.

One import is one request; single POSTs are one each, and each meets the trouble that is
next in the server's row.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from hotfolder.core.errors import Corrupt, OperatorFault, Transient
from hotfolder.core.identity import unit_ref_id
from hotfolder.core.records import (
    ArchivedDocument,
    ArchivedUnit,
    CatalogueRow,
    UnitAnswer,
    UnitRequest,
)
from tests.support.server_model import ModelServer, ProcessKilledError, Trouble


class NoAnswerError(Exception):
    """Something was sent and nothing that can be trusted came back."""


class _RefTakenError(NoAnswerError):
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
            except NoAnswerError as error:
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
            raise NoAnswerError(trouble.value)
        self._server.requests += 1
        if trouble is Trouble.KILLED_BEFORE:
            raise ProcessKilledError
        if trouble in (Trouble.CUT, Trouble.DENIED):
            raise NoAnswerError(trouble.value)
        if trouble is Trouble.LATE:
            self._server.late.append(request)
            raise NoAnswerError(trouble.value)
        if trouble is Trouble.PASSING:
            return "the database was busy"
        problem = self._server.save_import(request)
        if trouble is Trouble.KILLED_AFTER:
            raise ProcessKilledError
        if trouble is Trouble.LOST:
            raise NoAnswerError(trouble.value)
        return problem

    def _post(self, save: Callable[[], str | None]) -> str | None:
        """One POST: None if it was saved, else the server's words."""
        trouble = self._next()
        if trouble is Trouble.DOWN:
            raise NoAnswerError(trouble.value)
        self._server.requests += 1
        if trouble is Trouble.KILLED_BEFORE:
            raise ProcessKilledError
        if trouble in (Trouble.CUT, Trouble.PASSING, Trouble.DENIED):
            raise NoAnswerError(trouble.value)
        words = save()
        if trouble is Trouble.KILLED_AFTER:
            raise ProcessKilledError
        if trouble in (Trouble.LOST, Trouble.LATE):
            raise NoAnswerError(trouble.value)
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
        except NoAnswerError as error:
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
