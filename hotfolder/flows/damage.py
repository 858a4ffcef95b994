"""Damage: the store does not have a spool as it was taken. An alarm, and nothing is deleted."""

from __future__ import annotations

from collections.abc import Mapping

from hotfolder.core.errors import Corrupt, Fault
from hotfolder.core.lifecycle import SPOOL_MOVES, SpoolState
from hotfolder.core.ports import Emit, Journal

_REMEDY = (
    "nothing was deleted: restore the object from a backup, or from a copy of the store with"
    " `hotfolder fill`; then `hotfolder release`"
)


def mark_damaged(
    journal: Journal,
    spool_id: str,
    error: Corrupt,
    *,
    actor: str,
    now: float,
    emit: Emit,
    remedy: str = _REMEDY,
    details: Mapping[str, object] | None = None,
) -> bool:
    """The spool becomes CORRUPT, with a row on the audit chain and an alarm.

    False if it is that already, or cannot become it now: a document of it is on its way
    to ArchivesSpace, and the next look will find the damage again. The row is written
    before the state, so that no damage that was found is forgotten by a crash between.
    """
    spool = journal.get_spool(spool_id)
    if spool is None or spool.state is SpoolState.CORRUPT:
        return False
    journal.append_audit(
        actor, "spool.damaged", spool_id, {"code": error.code, **(details or {})}, now
    )
    if SpoolState.CORRUPT not in SPOOL_MOVES[spool.state]:
        return False
    fault = Fault(code=error.code, message=error.message, remedy=remedy)
    try:
        journal.set_aside(spool_id, SpoolState.CORRUPT, [fault], now)
    except ValueError:
        emit("spool.damage_noted", spool=spool_id, reason=error.code)
        return False
    emit("spool.corrupt", spool=spool_id, reason=error.code)
    return True


def mark_damaged_document(
    journal: Journal, identity: str, error: Corrupt, *, actor: str, now: float, emit: Emit
) -> bool:
    """As ``mark_damaged``, of the spool that holds ``identity``."""
    row = journal.get_document(identity)
    return row is not None and mark_damaged(
        journal, row.spool_id, error, actor=actor, now=now, emit=emit
    )
