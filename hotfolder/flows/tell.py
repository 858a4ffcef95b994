"""Tell: what waits in the outbox goes to ArchivesSpace, each event once.

The journal has an event before it is sent, and the server knows it by its ``refid``, so
it may be sent again after whatever happened in between.
"""

from __future__ import annotations

from collections.abc import Callable

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import ArchiveFault, HotfolderError, OperatorFault, Transient
from hotfolder.core.lifecycle import Backoff
from hotfolder.core.pacing import within_a_step
from hotfolder.core.ports import Clock, Desk, Emit, Journal
from hotfolder.core.records import OutboxRow

BATCH = 50  # events told in one step


class Tell:
    """Sends what waits; one thread at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        desk: Desk,
        clock: Clock,
        emit: Emit,
        jitter: Callable[[], float],
        backoff: Backoff | None = None,
    ) -> None:
        self._journal = journal
        self._desk = desk
        self._clock = clock
        self._emit = emit
        self._jitter = jitter
        self._backoff = backoff or Backoff()

    def step(self, limit: int = BATCH) -> int:
        """Send up to ``limit`` events that are due; returns how many the server has now.

        While the server is known to be down nothing is sent: the delivery probes it. An
        event that it will not have waits for its next turn and holds up no other.
        """
        if self._journal.server_state()[0]:
            return 0
        told = 0
        waiting = self._journal.waiting_events(due_at=self._clock.now(), limit=limit)
        for row in within_a_step(waiting, self._clock.monotonic):
            try:
                uri = self._desk.record_event(row.business_unit, row.event)
            except (Transient, OperatorFault) as error:
                self._defer(row, error)
                if isinstance(error, (Transient, ArchiveFault)):
                    break  # whatever comes next would fail alike
                continue
            # survives: killed here, the event is sent again and found by its refid
            crashpoint("event.told")
            self._journal.record_event_sent(row.number, uri, self._clock.now())
            told += 1
        if told:
            self._emit("event.told", count=told)
        return told

    def _defer(self, row: OutboxRow, error: HotfolderError) -> None:
        wait = self._backoff.wait(row.attempts + 1, self._jitter())
        self._journal.defer_event(row.number, error.code, self._clock.now() + wait)
        self._emit("event.deferred", reason=error.code, seconds=round(wait, 1))
