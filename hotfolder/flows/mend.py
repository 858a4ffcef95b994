"""Mend: a damaged object is made again from a root that has it whole.

The damaged one is kept in ``<root>.damaged``. The audit chain says so before it is done: a
row without the deed is an attempt that was cut short and may be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt
from hotfolder.core.fixity import FixityResult, FixityTarget, Outcome
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.ports import Clock, Emit, Journal, StoreRoot
from hotfolder.core.records import SpoolRow, StoredObject

# Faults of the store; what is CORRUPT for another reason stays so.
_OURS = ("store.", "retrieve.fixity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What was done for one spool."""

    source: int  # number of the root that had it whole
    mended: tuple[int, ...]  # numbers of the roots that got it from there
    state: SpoolState  # of the spool now


def mend(
    journal: Journal,
    roots: Sequence[StoreRoot],
    row: SpoolRow,
    *,
    actor: str,
    clock: Clock,
    emit: Emit,
) -> Mended:
    """Give every root the object of a spool, whole and as journalled, and release the spool
    if it was CORRUPT for that. On disk when this returns; harmless to repeat.

    Raises ``KeyError`` if the store has not to have it, ``Corrupt`` if no root has it
    whole, ``ValueError`` as ``Journal.release`` does.
    """
    targets = journal.fixity_chosen(spool_id=row.id, limit=1)
    if not targets:
        raise KeyError(row.id)
    (target,) = targets
    expected = [
        str(link.details["inventory_sha256"])
        for link in journal.audit_of([row.id])
        if link.action == "spool.stored" and link.details.get("inventory_sha256")
    ]
    looked = [_look(root, target, expected[-1] if expected else "") for root in roots]
    source, good = _first_whole(looked)
    mended = tuple(number for number, found in enumerate(looked, 1) if found is None)
    for number in mended:
        details = {
            "root": number,
            "from": source,
            "sha256": good.content_sha256,
            "inventory_sha256": good.inventory_sha256,
        }
        journal.append_audit(actor, "spool.mended", row.id, details, clock.now())
        # survives: killed here, the object is as it was and is mended again
        crashpoint("mend.recorded")
        roots[number - 1].take_over(row.id, roots[source - 1].place_of(row.id), replacing=True)
        emit("fixity.mended", spool=row.id, copy=number)
        # survives: killed here, this root is whole, the spool CORRUPT still
        crashpoint("mend.copied")
    journal.record_fixity(
        [
            FixityResult(
                spool=target.number,
                spool_id=row.id,
                root=number,
                outcome=Outcome.WHOLE,
                at=clock.now(),
                inventory_sha256=good.inventory_sha256,
            )
            for number in range(1, len(roots) + 1)
        ]
    )
    # survives: killed here, all roots are whole, and mending again releases the spool
    crashpoint("mend.verified")
    state = row.state
    if state is SpoolState.CORRUPT and _may_go_on(journal, row):
        state = journal.release(row.id, "mended from a whole object", clock.now(), actor=actor)
    return Mended(source=source, mended=mended, state=state)


def _look(root: StoreRoot, target: FixityTarget, inventory_sha256: str) -> StoredObject | None:
    """The object, if it is whole and what was journalled."""
    try:
        found = root.verify(target.spool_id)
    except (KeyError, Corrupt):
        return None
    if found.content_sha256 != target.sha256 or (
        inventory_sha256 and found.inventory_sha256 != inventory_sha256
    ):
        return None
    return found


def _first_whole(looked: Sequence[StoredObject | None]) -> tuple[int, StoredObject]:
    for number, found in enumerate(looked, 1):
        if found is not None:
            return number, found
    raise Corrupt(
        "no root of the store has the spool whole and as it was journalled",
        hint="restore its object in one root from a backup, then mend again",
        code="store.no_whole_copy",
    )


def _may_go_on(journal: Journal, row: SpoolRow) -> bool:
    """Not what is CORRUPT for another reason, nor what an operator had held before."""
    ours = bool(row.faults) and all(fault.code.startswith(_OURS) for fault in row.faults)
    left = [step.old for step in journal.history(row.id) if step.new == SpoolState.CORRUPT]
    return ours and left[-1:] != [SpoolState.HELD]
