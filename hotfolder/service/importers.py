"""The importers: several series delivered side by side, one unit each at a time.

The step of the ``deliver`` loop hands out units; a thread each delivers them. While
the server is down nothing is handed out but one probe at a time. While a series waits
for the operator, its unit is tried again now and then, and the others go on.

The threads are daemons, and no pool: Python waits at its end for the threads of a pool,
and an import that a server does not answer would hold up the stop for its whole timeout.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from hotfolder.core.errors import ArchiveFault, HotfolderError, OperatorFault
from hotfolder.core.lifecycle import UnitState
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.core.records import UnitRow
from hotfolder.flows.deliver import Delivery
from hotfolder.flows.unexpected import last_frames

_IDLE = 1.0


class Importers:
    """Hands units to threads, so many at most, never two of one series at once."""

    def __init__(
        self,
        *,
        journal: Journal,
        delivery: Delivery,
        clock: Clock,
        emit: Emit,
        threads: int,
    ) -> None:
        self._journal = journal
        self._delivery = delivery
        self._clock = clock
        self._emit = emit
        self._threads = threads
        self._lock = threading.Condition()
        self._closed = False
        self._busy: set[tuple[str, str]] = set()
        self._stopped: dict[tuple[str, str], str] = {}  # series to its unit that waits
        self._when_done: tuple[Callable[[], None], ...] = ()

    def call_when_done(self, *calls: Callable[[], None]) -> None:
        """Call these whenever a unit has been dealt with and its series is free."""
        self._when_done = calls

    def step(self) -> float:
        """Hand out what may be delivered now; returns seconds until the next look."""
        failures, next_at, _ = self._journal.server_state()
        now = self._clock.now()
        if failures:
            if next_at is not None and next_at > now:
                return next_at - now
            with self._lock:
                if self._busy:
                    return _IDLE
            if not self._delivery.probe():
                return 0.0
        handed = self._hand_out_open(now) + self._hand_out_new()
        return 0.0 if handed else _IDLE

    def _hand_out_open(self, now: float) -> int:
        handed = 0
        due = self._journal.units([UnitState.PLANNED, UnitState.SENT], due_at=now)
        for unit in due:
            if self._take(unit.business_unit, unit.series):
                self._submit(unit)
                handed += 1
        return handed

    def _hand_out_new(self) -> int:
        handed = 0
        self._forget_stopped()
        for backlog in self._journal.backlogs():
            if (backlog.business_unit, backlog.series) in self._stopped:
                continue  # what stopped its unit would stop the next
            if not self._take(backlog.business_unit, backlog.series):
                continue
            unit = None
            try:
                unit = self._delivery.plan(backlog.business_unit, backlog.series, backlog.cycle)
            finally:
                if unit is None:
                    self._free(backlog.business_unit, backlog.series)
            if unit is not None:
                self._submit(unit)
                handed += 1
        return handed

    def _forget_stopped(self) -> None:
        """Units that have been delivered, refused or dissolved stop their series no more."""
        if self._stopped:
            waiting = {
                unit.ref_id for unit in self._journal.units([UnitState.PLANNED, UnitState.SENT])
            }
            with self._lock:
                self._stopped = {
                    series: ref_id for series, ref_id in self._stopped.items() if ref_id in waiting
                }

    def _take(self, business_unit: str, series: str) -> bool:
        with self._lock:
            taken = (business_unit, series) in self._busy
            if self._closed or taken or len(self._busy) >= self._threads:
                return False
            self._busy.add((business_unit, series))
            return True

    def _free(self, business_unit: str, series: str) -> None:
        with self._lock:
            self._busy.discard((business_unit, series))
            self._lock.notify_all()

    def _submit(self, unit: UnitRow) -> None:
        name = f"importer:{unit.series}"
        try:
            threading.Thread(target=self._deliver, args=(unit,), name=name, daemon=True).start()
        except RuntimeError:  # no thread can be made now; the unit is journalled and waits
            self._free(unit.business_unit, unit.series)
            raise

    def _deliver(self, unit: UnitRow) -> None:
        try:
            if not self._delivery.deliver(unit):
                self._delivery.note_failure("a unit got no usable answer")
            with self._lock:
                self._stopped.pop((unit.business_unit, unit.series), None)
        except HotfolderError as error:
            self._emit("unit.stopped", unit=unit.ref_id, reason=error.code, error=error.message)
            if isinstance(error, OperatorFault) and not isinstance(error, ArchiveFault):
                with self._lock:
                    self._stopped[unit.business_unit, unit.series] = unit.ref_id
            else:  # a login that fails now fails for every unit: wait as for an outage
                self._delivery.note_failure(error.message)
        except Exception:  # noqa: BLE001  an importer must hand its series back whatever happens
            self._emit("unit.failed", unit=unit.ref_id, error=last_frames())
            self._delivery.note_failure("an importer failed")
        finally:
            self._free(unit.business_unit, unit.series)
            for call in self._when_done:
                call()

    def idle(self) -> bool:
        """Whether nothing is being delivered at this moment."""
        with self._lock:
            return not self._busy

    def close(self, timeout: float) -> bool:
        """Hand out nothing more and wait for the units in hand, up to ``timeout`` seconds.

        False if one is still under way: it is journalled as SENT and is looked up after
        the next start, whatever becomes of it.
        """
        with self._lock:
            self._closed = True
            return self._lock.wait_for(lambda: not self._busy, timeout)
