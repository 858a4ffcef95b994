"""Documents that ArchivesSpace will not have, or has with other content.

A spool with one document stands aside with it. One of many is left out: the others may
have their records already, so their spool goes on, and says in its receipt which are not
described. Nothing that is on the server is ever overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping

from hotfolder.core.errors import Corrupt, Fault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.core.records import (
    ArchivedDocument,
    CatalogueRow,
    Role,
    SpoolRow,
    UnitRequest,
)
from hotfolder.flows.adopt import differs
from hotfolder.flows.aside import Aside

_UNCLEAR = Fault(
    code="archive.unclear",
    message="ArchivesSpace will neither take this document nor say why",
    remedy="look at its log for this time, then `hotfolder release`",
)
_DIFFERS = Fault(
    code="archive.differs",
    message="ArchivesSpace has a record under this identity with other content",
    remedy="compare both with `hotfolder show`; somebody edited or forged the record",
)


class Refusals:
    """Ends the delivery of single documents."""

    def __init__(self, *, journal: Journal, aside: Aside, clock: Clock, emit: Emit) -> None:
        self._journal = journal
        self._aside = aside
        self._clock = clock
        self._emit = emit

    def reject(self, request: UnitRequest, reason: str) -> None:
        """The lone document of a unit is refused, in the server's words ``reason``."""
        row = request.documents[0]
        spool = self._release(request, "archive.refused")
        fault = Fault(
            code="archive.refused",
            message=f"ArchivesSpace refuses this document: {reason}",
            remedy="correct the metadata named there and drop the file again",
        )
        if _is_one_of_many(row, spool):
            self._leave_out(
                row,
                Fault(
                    code=fault.code,
                    message=fault.message,
                    remedy=f"put right what it names, then `hotfolder retry {spool.id[:16]}`",
                    place=f"document {row.document.range.ordinal}",
                ),
            )
        else:
            self._aside.reject(spool, [fault])

    def hold(self, request: UnitRequest) -> None:
        """The server will neither take the lone document of a unit nor say why."""
        spool = self._release(request, _UNCLEAR.code)
        self._journal.set_aside(spool.id, SpoolState.HELD, [_UNCLEAR], self._clock.now())
        self._emit("spool.held", spool=spool.id, reason=_UNCLEAR.code)

    def set_differing_aside(
        self, request: UnitRequest, there: Mapping[str, ArchivedDocument], code: str
    ) -> bool:
        """Members that the server has with other content wait for a person, the others go
        on; False if there are none."""
        unit, now = request.unit, self._clock.now()
        wrong = [
            row
            for row in request.documents
            if row.document.identity in there and differs(row, there[row.document.identity])
        ]
        if not wrong:
            return False
        spools = {row.spool_id: self._spool(row) for row in request.documents}
        alone = {row.spool_id for row in wrong if not _is_one_of_many(row, spools[row.spool_id])}
        out = [row for row in wrong if row.spool_id not in alone]
        left = {row.document.identity for row in out}
        rest = tuple(
            row.document.identity
            for row in request.documents
            if row.spool_id not in alone and row.document.identity not in left
        )
        self._journal.plan_units_of((rest,) if rest else (), unit.ref_id, code, now)
        for spool_id in sorted(alone):
            self._journal.set_aside(spool_id, SpoolState.CORRUPT, [_DIFFERS], now)
            self._emit("spool.corrupt", spool=spool_id, reason=_DIFFERS.code)
        for row in out:
            self._leave_out(row, _DIFFERS)
        return True

    def _release(self, request: UnitRequest, code: str) -> SpoolRow:
        # In this order: killed after it, the unit is REFUSED and the document waits for a
        # new unit, which is refused in its turn. The other way round a SENT unit would have
        # a member that is no longer live.
        self._journal.plan_units_of((), request.unit.ref_id, code, self._clock.now())
        return self._spool(request.documents[0])

    def _spool(self, row: CatalogueRow) -> SpoolRow:
        spool = self._journal.get_spool(row.spool_id)
        if spool is None:
            raise Corrupt(f"spool {row.spool_id} has documents but no row", code="journal.spool")
        return spool

    def _leave_out(self, row: CatalogueRow, fault: Fault) -> None:
        delivered = self._journal.refuse_document(row.document.identity, fault, self._clock.now())
        self._emit(
            "spool.document_refused",
            spool=row.spool_id,
            reason=fault.code,
            delivered=len(delivered),
        )


def _is_one_of_many(row: CatalogueRow, spool: SpoolRow) -> bool:
    return row.document.role is Role.OWN and (spool.documents or 0) > 1
