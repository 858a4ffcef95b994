"""Deliver: units of documents into ArchivesSpace, each exactly once (DESIGN section 6).

At least once, plus keys that the server enforces. The membership of a unit is
journalled before it is sent; after any answer that cannot be trusted, the unit is
looked up by its ``ref_id`` before anything else happens to it.

One call of ``deliver`` makes one step with one unit. The caller sees to it that
only one importer works on a series at a time: concurrent imports into one resource
wait for each other's locks in the server (reference/archivesspace.md 2.6).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import ArchiveFault, Corrupt, OperatorFault, Transient
from hotfolder.core.lifecycle import Backoff, UnitState
from hotfolder.core.ports import Archive, Clock, Emit, Journal
from hotfolder.core.records import ArchivedDocument, UnitRequest, UnitRow
from hotfolder.core.templates import is_template_series
from hotfolder.flows.adopt import compare_document, sort_present
from hotfolder.flows.aside import Aside
from hotfolder.flows.refusals import Refusals

UNCLEAR_ATTEMPTS = 8  # a lone document refused without reason that often is an operator's matter


class Delivery:
    """Plans units and delivers them. Safe to use from several threads, as long as
    no two of them work on the same unit."""

    def __init__(
        self,
        *,
        journal: Journal,
        archive: Archive,
        aside: Aside,
        clock: Clock,
        emit: Emit,
        jitter: Callable[[], float],
        unit_size: int,
        backoff: Backoff | None = None,
    ) -> None:
        self._journal = journal
        self._archive = archive
        self._refusals = Refusals(journal=journal, aside=aside, clock=clock, emit=emit)
        self._clock = clock
        self._emit = emit
        self._jitter = jitter
        self._unit_size = unit_size
        self._backoff = backoff or Backoff()
        self._refused_once: set[str] = set()
        self._health = threading.Lock()

    # -- planning -------------------------------------------------------------
    def plan(self, business_unit: str, series: str, cycle: str) -> UnitRow | None:
        """Journal the next unit of this series and cycle, as large as its backlog
        allows; None if nothing waits. The unit is on disk when this returns."""
        # A version of a template has an archival object to itself.
        limit = 1 if is_template_series(series) else self._unit_size
        unit = self._journal.plan_unit(business_unit, series, cycle, limit, self._clock.now())
        if unit is not None:
            # survives: killed here, the unit is found PLANNED and sent
            crashpoint("unit.planned")
            self._emit("unit.planned", unit=unit.ref_id, documents=len(unit.identities))
        return unit

    # -- one step -------------------------------------------------------------
    def deliver(self, unit: UnitRow) -> bool:
        """Take ``unit`` one step further; True if the server answered.

        False means that the server could not be reached or gave no usable answer:
        the attempt is journalled with the time of the next one. So it is before an
        ``OperatorFault`` of this unit is raised (a permission, a value that a list
        lacks, its series); an ``ArchiveFault`` (login, address) is raised as it is.
        """
        request = self._journal.unit_request(unit.ref_id)
        if request.unit.state not in (UnitState.PLANNED, UnitState.SENT):
            return True  # another importer was quicker than the list that named this unit
        try:
            try:
                return self._step(request)
            except Corrupt as error:
                self._refuse_corrupt(request, error)
                return True
        except Transient as error:
            self._defer(unit, error.message)
            return False
        except ArchiveFault:
            raise
        except OperatorFault as error:
            self._put_off(unit, error.message)
            raise

    def _step(self, request: UnitRequest) -> bool:
        unit = request.unit
        if unit.state is UnitState.SENT and self._adopt_if_there(request):
            return True
        self._archive.prepare_series(unit.business_unit, unit.series, unit.cycle)
        if not self._mark_sent(unit):
            return True
        # survives: killed here, the unit is SENT and is looked up before it is sent again
        crashpoint("unit.marked_sent")
        started = self._clock.monotonic()
        answer = self._archive.send_unit(request)
        # survives: killed here, the server may have it; looked up as above
        crashpoint("unit.answered")
        if answer.outcome == "confirmed":
            self._confirm(request, answer.unit_uri, answer.uris, started)
        elif answer.outcome == "refused":
            self._settle_refusal(request)
        else:
            self._defer(unit, answer.reason or "the answer was lost")
            return False
        return True

    def _mark_sent(self, unit: UnitRow) -> bool:
        """False if the unit is no more: an operator has held one of its spools while the
        series was being prepared, and the others wait for another unit."""
        try:
            self._journal.mark_sent(unit.ref_id, self._clock.now())
        except ValueError:
            found = self._journal.get_unit(unit.ref_id)
            if found is None or found.state is not UnitState.REFUSED:
                raise
            return False
        return True

    # -- what a unit may turn out to be ----------------------------------------
    def _adopt_if_there(self, request: UnitRequest) -> bool:
        """Look the unit up; confirm it if the server has it. Finding the archival
        object proves all of the import, but every checksum is compared all the same."""
        unit = request.unit
        found = self._archive.find_units(unit.business_unit, [unit.ref_id]).get(unit.ref_id)
        if found is None:
            return False
        uris: dict[str, str] = {}
        missing: list[str] = []
        for row in request.documents:
            there = found.documents.get(row.document.identity)
            if there is None:
                missing.append(row.document.identity)
            else:
                compare_document(row, there)
                uris[row.document.identity] = there.uri
        if missing:
            # The unit never grows, so a member that it does not list was removed by somebody.
            self._journal.confirm_unit(unit.ref_id, found.uri, uris, self._clock.now())
            self._journal.lose_documents(missing)
            self._emit("unit.incomplete", unit=unit.ref_id, missing=len(missing))
            return True
        self._confirm(request, found.uri, uris, None)
        self._emit("unit.adopted", unit=unit.ref_id, documents=len(uris))
        return True

    def _confirm(
        self,
        request: UnitRequest,
        unit_uri: str | None,
        uris: Mapping[str, str],
        started: float | None,
    ) -> None:
        unit = request.unit
        delivered = self._journal.confirm_unit(unit.ref_id, unit_uri, uris, self._clock.now())
        # survives: killed here, the spools are DELIVERED and get their receipts at the next start
        crashpoint("unit.confirmed")
        self._refused_once.discard(unit.ref_id)
        self._emit(
            "unit.confirmed",
            unit=unit.ref_id,
            documents=len(uris),
            spools=len(delivered),
            seconds=None if started is None else round(self._clock.monotonic() - started, 3),
        )

    def _settle_refusal(self, request: UnitRequest) -> None:
        """The server says that it saved nothing. Look first: "must be unique" may
        speak of our own earlier import. Then narrow it to the record at fault."""
        unit = request.unit
        if self._adopt_if_there(request):
            return
        present = self._archive.find_documents(unit.business_unit, unit.identities)
        if present and self._adopt_documents(request, present):
            return
        if len(request.documents) == 1:
            self._settle_single(request)
            return
        if unit.ref_id not in self._refused_once:
            # A refusal may be a passing one (a lock, a lost database): once more before halving.
            self._refused_once.add(unit.ref_id)
            self._defer(unit, "refused as a whole; to be sent once more before it is halved")
            return
        self._refused_once.discard(unit.ref_id)
        middle = len(unit.identities) // 2
        halves = (unit.identities[:middle], unit.identities[middle:])
        children = self._journal.plan_units_of(
            halves, unit.ref_id, "refused as a whole: halved", self._clock.now()
        )
        self._refused_once.update(child.ref_id for child in children)
        self._emit("unit.halved", unit=unit.ref_id, documents=len(unit.identities))

    def _adopt_documents(
        self, request: UnitRequest, present: Mapping[str, ArchivedDocument]
    ) -> bool:
        """Some members are on the server in other units (an import that was halved and
        then came through, a journal restored from a backup): compare and adopt them with
        those units, plan the others anew. False if no other unit has any of them."""
        unit = request.unit
        for row in request.documents:
            there = present.get(row.document.identity)
            if there is not None:
                compare_document(row, there)
        found = sort_present(self._archive, unit.business_unit, present)
        groups = [names for names in found.begun if set(names) != set(unit.identities)]
        if not found.units and not groups:
            return False
        adopted = {name for there in found.units for name in there.documents}
        taken = adopted.union(*groups)
        rest = tuple(name for name in unit.identities if name not in taken)
        now = self._clock.now()
        self._journal.plan_units_of(
            [*groups, rest] if rest else groups,
            unit.ref_id,
            "some documents were on the server already: adopted",
            now,
        )
        # Killed in between, those to be adopted wait again and come back to here.
        for there_unit in found.units:
            self._journal.restore_unit(there_unit, unit.business_unit, unit.series, unit.cycle, now)
        self._emit("unit.documents_adopted", unit=unit.ref_id, documents=len(adopted))
        return True

    def _settle_single(self, request: UnitRequest) -> None:
        """One document, by single POSTs: their refusal has the server's own words."""
        unit = request.unit
        answer = self._archive.send_document(request)
        if answer.outcome == "confirmed":
            self._confirm(request, answer.unit_uri, answer.uris, None)
            return
        if answer.outcome == "refused":
            self._refusals.reject(request, answer.reason)
            return
        if unit.attempts >= UNCLEAR_ATTEMPTS:
            self._refusals.hold(request)
            return
        self._defer(unit, answer.reason or "the answer was lost")

    def _refuse_corrupt(self, request: UnitRequest, error: Corrupt) -> None:
        """A record under our key has other content."""
        unit = request.unit
        there = self._archive.find_documents(unit.business_unit, unit.identities)
        if not self._refusals.set_differing_aside(request, there, error.code):
            self._defer(unit, error.message)

    def _put_off(self, unit: UnitRow, reason: str) -> float:
        now = self._clock.now()
        wait = self._backoff.wait(unit.attempts + 1, self._jitter())
        self._journal.defer_unit(unit.ref_id, reason, now + wait, now)
        return wait

    def _defer(self, unit: UnitRow, reason: str) -> None:
        wait = self._put_off(unit, reason)
        self._emit("unit.deferred", unit=unit.ref_id, reason=reason, seconds=round(wait, 1))

    # -- the server's health ----------------------------------------------------
    def note_failure(self, reason: str) -> float:
        """Journal that the server failed; returns when to probe it (epoch seconds).

        Importers that were under way when it went down all come here: until the next
        probe is due, they tell nothing new.
        """
        with self._health:
            failures, next_at, _ = self._journal.server_state()
            now = self._clock.now()
            if failures and next_at is not None and next_at > now:
                return next_at
            next_at = now + self._backoff.wait(failures + 1, self._jitter())
            self._journal.record_server(failures + 1, next_at, reason, now)
        if failures == 0:
            self._emit("server.lost", reason=reason)
        return next_at

    def probe(self) -> bool:
        """One request to see whether the server is back; True if it is. The caller
        sends nothing else meanwhile. Deferred units become due at once."""
        failures, _, _ = self._journal.server_state()
        try:
            self._archive.probe()
        except (Transient, OperatorFault) as error:
            self.note_failure(error.message)
            return False
        if failures:
            now = self._clock.now()
            self._journal.record_server(0, None, None, now)
            open_units = self._journal.units([UnitState.PLANNED, UnitState.SENT])
            self._journal.hasten([unit.ref_id for unit in open_units], now)
            self._emit("server.returned", failures=failures)
        return True
