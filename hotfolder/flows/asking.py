"""Requests that archivists make in ArchivesSpace: an event of type ``request``, outcome
``pending``, linked to digital objects.

Each is journalled once, by its uri, together with its orders; an event that is pending
again after its answer is a new wish. The orders are carried out as all others are
(``flows.returning``). When all are at their end the answer is
journalled, and then given: outcome ``fulfilled``, or ``fail`` with a note that names each
document and why. A kill at any point goes on where it was; an answer is harmless to
repeat.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from hotfolder.core.answers import answer_mark, answer_note
from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import HotfolderError, OperatorFault, Transient
from hotfolder.core.lifecycle import Backoff
from hotfolder.core.orders import (
    Fate,
    Fated,
    NewAsked,
    NewOrder,
    OrderRow,
    RequestRow,
    RequestState,
)
from hotfolder.core.pacing import within_a_step
from hotfolder.core.ports import Clock, Desk, Emit, Journal
from hotfolder.core.profiles import AskedProfile
from hotfolder.core.records import ArchiveRequest
from hotfolder.core.requestfile import RequestLine
from hotfolder.flows.fates import judge

_TO = re.compile(r"^[ \t]*to:[ \t]*(\S+)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_PENDING = "pending"
_ACTOR = "hotfolder"


class Asking:
    """Finds requests, and answers them when their orders are at their end. One thread."""

    def __init__(
        self,
        *,
        journal: Journal,
        desk: Desk,
        profile: AskedProfile,
        business_units: Sequence[str],
        clock: Clock,
        emit: Emit,
        new_id: Callable[[], str],
        jitter: Callable[[], float],
        backoff: Backoff | None = None,
    ) -> None:
        self._journal = journal
        self._desk = desk
        self.profile = profile
        self._units = tuple(business_units)
        self._clock = clock
        self._emit = emit
        self._new_id = new_id
        self._jitter = jitter
        self._backoff = backoff or Backoff()

    def poll(self) -> int:
        """Ask the server for requests; returns how many are new. What ``desk`` raises is
        raised when every unit has been asked."""
        return sum(self.look())

    def look(self) -> Iterator[int]:
        """As ``poll``, one business unit after the other: how many are new in each."""
        failure: HotfolderError | None = None
        for unit in self._units:
            # By our clock, before the question: what is changed during it is found by the
            # next look, which goes back by the overlap. So much the clocks may differ.
            began = int(self._clock.now())
            since = max(0, self._journal.asked_until(unit) - self.profile.overlap)
            try:
                found = self._desk.find_requests(unit, since)
            except (Transient, OperatorFault) as error:
                failure = failure or error
                yield 0
                continue
            taken = sum(self._receive(request) for request in found)
            self._journal.record_asked(unit, began)
            yield taken
        if failure is not None:
            raise failure

    def _receive(self, request: ArchiveRequest) -> bool:
        if request.outcome != _PENDING:
            return False
        asked = self._plan(request)
        if not self._journal.ask_request(asked, self._clock.now()):
            return False
        # survives: killed here, the orders are carried out and the request is answered
        crashpoint("asked.recorded")
        self._emit("request.received", request=asked.id, kind="archivesspace")
        return True

    def _plan(self, request: ArchiveRequest) -> NewAsked:
        to, fault = self._profile_of(request.note)
        fates: list[Fated] = []
        orders: list[NewOrder] = []
        request_id = self._new_id()
        names = list(dict.fromkeys(request.identities))
        for number, identity in enumerate(names, 1):
            line = RequestLine(number=number, id=identity, asked=identity)
            found = judge(self._journal, identity, [request.business_unit], line)
            if isinstance(found, Fated):
                fates.append(found)
            elif fault:
                fates.append(_fated(number, identity, Fate.FORBIDDEN, fault, identity=identity))
            else:
                orders.append(
                    NewOrder(
                        id=self._new_id(),
                        identity=found.row.document.identity,
                        to=to,
                        reason=f"request {request.uri}",
                        actor=_ACTOR,
                        request=request_id,
                    )
                )
        fates += [
            _fated(number, uri, Fate.UNKNOWN, "this record is no document of hotfolder's")
            for number, uri in enumerate(request.strangers, len(names) + 1)
        ]
        if not fates and not orders:
            fates.append(_fated(1, "", Fate.UNKNOWN, "the request is linked to no document"))
        return NewAsked(
            id=request_id,
            business_unit=request.business_unit,
            uri=request.uri,
            note=request.note,
            to=to,
            fates=tuple(fates),
            orders=tuple(orders),
            version=request.lock_version,
        )

    def _profile_of(self, note: str) -> tuple[str, str]:
        """The return profile that a note names, or the default; and what is wrong with it."""
        named = _TO.search(note)
        if named is None or named[1] == self.profile.to:
            return self.profile.to, ""
        if named[1] in self.profile.allowed:
            return named[1], ""
        known = ", ".join(dict.fromkeys([self.profile.to, *self.profile.allowed]))
        return self.profile.to, f"it may not be given to the profile that is named; to: {known}"

    # -- answers ------------------------------------------------------------------------
    def advance(self) -> int:
        """Answer the requests whose orders are at their end; returns how many."""
        answered = 0
        due = self._journal.open_requests("", due_at=self._clock.now())
        for row in within_a_step(due, self._clock.monotonic):
            try:
                answered += self._advance(row)
            except (Transient, OperatorFault) as error:
                self._defer(row, error)
        return answered

    def _advance(self, row: RequestRow) -> bool:
        if row.state is RequestState.RECEIVED:
            orders = self._journal.orders(request=row.id, limit=1_000_000)
            if any(order.fate is None for order in orders):
                return False
            row = self._decide(row, orders)
        outcome, note = json.loads(row.answer)
        done = self._desk.answer_request(row.business_unit, str(row.uri), outcome, note)
        # survives: killed here, the same answer is given again, which changes nothing
        crashpoint("asked.answered")
        self._close(row, "" if done else self._who_answered(row, outcome))
        return True

    def _decide(self, row: RequestRow, orders: Sequence[OrderRow]) -> RequestRow:
        fates = (*row.fates, *(_of_order(len(row.fates) + n, o) for n, o in enumerate(orders, 1)))
        answer = json.dumps(answer_note(fates, row.to, row.id))
        self._journal.stage_request(row.id, fates, answer, self._clock.now())
        # survives: killed here, this answer is given
        crashpoint("asked.decided")
        return replace(row, state=RequestState.STAGED, fates=fates, answer=answer)

    def _who_answered(self, row: RequestRow, outcome: str) -> str:
        """The request was pending no more: by an attempt of ours, or somebody else's hand."""
        found = self._desk.read_request(row.business_unit, str(row.uri))
        if found is None:
            return "the event is no more"
        if found.outcome == _PENDING and not (found.identities or found.strangers):
            return "its records are no more, and ArchivesSpace saves no event without one"
        # The field may have had no room for our note, or for its end: the mark is at its
        # beginning, and where that is not, the last change must be ours.
        ours = answer_mark(row.id) in found.note or found.changed_by_us
        if found.outcome == outcome and ours:
            return ""
        return "somebody else has answered it, or changed the answer"

    def _close(self, row: RequestRow, reason: str) -> None:
        self._journal.close_request(row.id, reason, self._clock.now())
        # survives: killed here, nothing is left to do
        crashpoint("asked.closed")
        given = sum(item.fate is Fate.GIVEN for item in row.fates)
        self._emit("request.answered", request=row.id, given=given, lines=len(row.fates))

    def _defer(self, row: RequestRow, error: HotfolderError) -> None:
        wait = self._backoff.wait(row.attempts + 1, self._jitter())
        now = self._clock.now()
        self._journal.defer_request(row.id, str(error), now + wait, now)
        self._emit("request.deferred", request=row.id, reason=error.code)


def _fated(line: int, asked: str, fate: Fate, why: str, identity: str = "") -> Fated:
    return Fated(line=line, asked=asked, fate=fate, identity=identity, why=why)


def _of_order(line: int, order: OrderRow) -> Fated:
    """What became of an order, as its request tells it."""
    staged = order.staged
    assert order.fate is not None
    return Fated(
        line=line,
        asked=order.identity,
        fate=order.fate,
        identity=order.identity,
        files=() if staged is None else tuple(final for _, final in staged.files),
        sha256="" if staged is None else staged.sha256,
        size=0 if staged is None else staged.size,
        derived=staged is not None and staged.derived,
        form="" if staged is None else staged.form,
        why=order.last_error or "",
    )
