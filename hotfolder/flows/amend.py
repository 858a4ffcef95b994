"""Amend: what happened to archived documents is brought into their records, once.

The journal has every change before it is sent and marks it when the record says so. A
record that says so already is left alone, so a change may be sent again after whatever
happened in between; the event that tells of it waits from the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable

from hotfolder.core.changes import CONTENDED, Amended, DocumentChanges
from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import ArchiveFault, HotfolderError, OperatorFault, Transient
from hotfolder.core.lifecycle import Backoff
from hotfolder.core.pacing import Pace, is_long
from hotfolder.core.ports import Clock, Desk, Emit, Journal
from hotfolder.core.profiles import ChangesProfile
from hotfolder.core.telling import compose

BATCH = 50  # records changed before the journal is told; as many are linked to an event
_TRIES = 12  # of a record that the server answers for and never takes: about an hour
_IDLE = 5.0  # seconds


class Amend:
    """Sends what waits; one thread at a time."""

    def __init__(
        self,
        *,
        journal: Journal,
        desk: Desk,
        profile: ChangesProfile,
        clock: Clock,
        emit: Emit,
        jitter: Callable[[], float],
        backoff: Backoff | None = None,
    ) -> None:
        self._journal = journal
        self._desk = desk
        self._profile = profile
        self._clock = clock
        self._emit = emit
        self._jitter = jitter
        self._backoff = backoff or Backoff()
        self._pace = Pace(files_rate=profile.rate)
        self._after = 0  # rows up to this number were looked at in this round

    def step(self, limit: int = BATCH) -> float:
        """Change up to ``limit`` records that are due; seconds to the next step.

        While the server is known to be down nothing is sent: the delivery probes it.
        """
        if self._journal.server_state()[0]:
            return _IDLE
        before = self._after
        found, self._after = self._journal.waiting_changes(
            after=before, limit=limit, due_at=self._clock.now()
        )
        if not found:
            return 0.0 if self._after else _IDLE
        done: list[tuple[DocumentChanges, Amended]] = []
        began = self._clock.monotonic()
        for number, changes in enumerate(found):
            if number and is_long(began, self._clock.monotonic()):
                self._after = before
                break
            try:
                amended = self._desk.amend_record(changes.business_unit, changes.amendment)
            except (Transient, OperatorFault) as error:
                if self._put_off(changes, error):
                    continue
                self._after = before
                break  # whatever comes next would fail alike
            if amended.outcome in ("gone", "refused"):
                self._set_aside(changes, amended.outcome, amended.reason)
                continue
            # survives: killed here, the record is read again and says so already
            crashpoint("record.amended")
            done.append((changes, amended))
        self._journalise(done)
        return self._pace.wait(self._clock.monotonic(), files=len(found))

    def _journalise(self, done: list[tuple[DocumentChanges, Amended]]) -> None:
        if not done:
            return
        self._journal.record_told(compose(done, self._profile), self._clock.now())
        # survives: the rows are done and their events wait, both or neither
        crashpoint("records.told")
        self._emit("record.amended", count=len(done))
        edited = sum(bool(amended.conflicts) for _, amended in done)
        if edited:
            self._emit("record.edited", count=edited)

    def _put_off(self, changes: DocumentChanges, error: HotfolderError) -> bool:
        """Wait with these; True if others can still be tried."""
        if error.code == CONTENDED and changes.attempts + 1 >= _TRIES:
            self._set_aside(changes, "contended", error.message)
            return True
        wait = self._backoff.wait(changes.attempts + 1, self._jitter())
        self._journal.defer_changes(changes.numbers, error.code, self._clock.now() + wait)
        self._emit("record.deferred", reason=error.code, seconds=round(wait, 1))
        return error.code == CONTENDED or not isinstance(error, (Transient, ArchiveFault))

    def _set_aside(self, changes: DocumentChanges, why: str, reason: str) -> None:
        """Leave it until somebody acts. The server's words may quote the record: they go
        into the journal, and no further."""
        self._journal.set_changes_aside(changes.numbers, f"{why}: {reason}", self._clock.now())
        self._emit("record.aside", reason=why, business_unit=changes.business_unit)
