"""Replay: compare confirmed units with the server and send again what it lost.

For the morning after a server was restored from yesterday's backup. Only units
that the server does not have go back to PLANNED; they are then sent like any
other, under the same keys, so nothing can be doubled. May be interrupted at any
time and run again: what was found lost is journalled at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.ports import Archive, Clock, Emit, Journal
from hotfolder.core.records import ArchivedUnit, Disposition, UnitRow
from hotfolder.flows.adopt import differs

CHUNK = 50  # ref_ids in one look-up


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What a replay found; all counts."""

    units: int
    units_lost: int
    documents_lost: int  # their unit is there, they are not
    documents_corrupt: int
    told_again: int  # changes of records, and events, that wait once more


class Replay:
    """Compares the journal with the server, one business unit at a time."""

    def __init__(self, *, journal: Journal, archive: Archive, clock: Clock, emit: Emit) -> None:
        self._journal = journal
        self._archive = archive
        self._clock = clock
        self._emit = emit

    def compare(
        self,
        *,
        since: float | None = None,
        folder: str | None = None,
        verify: bool = False,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> ReplayReport:
        """Look every confirmed unit up (since a time, of a folder); with ``verify``
        compare every document's checksum too. With a time alone, what the server was told since
        of records that it has (dates, holds, destructions, events) is told again.

        ``progress`` is called with the number of units looked at so far. What is
        lost has been journalled as PLANNED when this returns. Raises ``Transient``
        or ``OperatorFault`` if the server cannot be asked.
        """
        self._archive.forget()
        units = lost = gone = corrupt = 0
        confirmed = self._journal.iterate_units(UnitState.CONFIRMED, since=since, folder=folder)
        for business_unit, chunk in chunks_by_business_unit(confirmed):
            there = self._archive.find_units(business_unit, [unit.ref_id for unit in chunk])
            for unit in chunk:
                found = there.get(unit.ref_id)
                if found is None:
                    self._journal.lose_unit(unit.ref_id, "not on the server", self._clock.now())
                    self._emit("unit.lost", unit=unit.ref_id, documents=len(unit.identities))
                    lost += 1
                elif verify:
                    missing, differing = self._verify(unit, found)
                    gone += missing
                    corrupt += differing
            units += len(chunk)
            progress(units)
        return ReplayReport(
            units=units,
            units_lost=lost,
            documents_lost=gone,
            documents_corrupt=corrupt,
            told_again=(
                self._journal.tell_again(since) if since is not None and folder is None else 0
            ),
        )

    def _verify(self, unit: UnitRow, found: ArchivedUnit) -> tuple[int, int]:
        request = self._journal.unit_request(unit.ref_id)
        missing = [name for name in unit.identities if name not in found.documents]
        # A document taken out of its unit's list may still be a record: then it is not lost.
        elsewhere = self._archive.find_documents(unit.business_unit, missing) if missing else {}
        lost = [name for name in missing if name not in elsewhere]
        now = self._clock.now()
        if lost:
            self._journal.lose_documents(lost)
            self._emit("unit.incomplete", unit=unit.ref_id, missing=len(lost))
        there = {**found.documents, **elsewhere}
        differing = [
            row
            for row in request.documents
            if row.document.identity in there
            and row.disposition in (Disposition.KEPT, Disposition.WITHHELD)  # else it is empty
            and differs(row, there[row.document.identity])
        ]
        for spool_id in sorted({row.spool_id for row in differing}):
            fault = Fault(
                code="archive.differs",
                message="the record in ArchivesSpace no longer has this document's checksum",
                remedy="compare both with `hotfolder show`; somebody edited or forged the record",
            )
            spool = self._journal.get_spool(spool_id)
            if spool is not None and (spool.documents or 0) > 1:
                # The others are sound, and must be found.
                self._journal.add_remark(spool_id, fault, now)
                self._emit("spool.differs", spool=spool_id, reason=fault.code)
                continue
            if spool is not None and spool.state is not SpoolState.CORRUPT:
                self._journal.set_aside(spool_id, SpoolState.CORRUPT, [fault], now)
            self._emit("spool.corrupt", spool=spool_id, reason=fault.code)
        return len(lost), len(differing)


def chunks_by_business_unit(
    units: Iterator[UnitRow], size: int = CHUNK
) -> Iterator[tuple[str, list[UnitRow]]]:
    """Runs of units of one business unit, at most ``size`` long, in the given order."""
    for business_unit, run in groupby(units, key=lambda unit: unit.business_unit):
        while chunk := list(islice(run, size)):
            yield business_unit, chunk
