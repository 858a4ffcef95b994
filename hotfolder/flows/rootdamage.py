"""Damage in some roots of the store, or in all: which have the spool whole is said with the
alarm, and what is on the audit chain already is not written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hotfolder.core.errors import Corrupt
from hotfolder.core.fixity import FixityResult, FixityTarget, Outcome
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.flows.damage import mark_damaged

_CODES = {
    Outcome.DAMAGED: "store.fixity",
    Outcome.DIFFERS: "store.differs",
    Outcome.MISSING: "store.missing",
}


def mark_roots(
    journal: Journal,
    target: FixityTarget,
    results: Sequence[FixityResult],
    *,
    actor: str,
    clock: Clock,
    emit: Emit,
) -> None:
    """The spool becomes CORRUPT: ``results`` are of every root, and one of them is damage."""
    first = next(item for item in results if item.outcome.is_damage)
    whole = [item.root for item in results if item.outcome is Outcome.WHOLE]
    details: dict[str, object] = {
        "code": _CODES[first.outcome],
        "roots": {str(item.root): str(item.outcome) for item in results if item.outcome.is_damage},
    }
    if all(
        target.before.get(item.root) == item.outcome for item in results if item.outcome.is_damage
    ) or _is_on_record(journal, target.spool_id, details):
        return
    marked = mark_damaged(
        journal,
        target.spool_id,
        Corrupt(_words(results), hint="", code=_CODES[first.outcome]),
        actor=actor,
        now=clock.now(),
        emit=emit,
        remedy=_remedy(target.spool_id, whole),
        details=details,
    )
    # CORRUPT already: more of it is damaged now.
    if not marked and not _is_on_record(journal, target.spool_id, details):
        journal.append_audit(actor, "spool.damaged", target.spool_id, details, clock.now())


def _is_on_record(journal: Journal, spool_id: str, details: Mapping[str, object]) -> bool:
    rows = [
        row
        for row in journal.audit_of([spool_id])
        if row.action in ("spool.damaged", "spool.mended")
    ]
    return bool(rows) and rows[-1].action == "spool.damaged" and rows[-1].details == details


def _words(results: Sequence[FixityResult]) -> str:
    parts = [
        f"root {item.root} {item.outcome}" for item in results if item.outcome is not Outcome.WHOLE
    ]
    return "the store does not have the spool as it was taken: " + ", ".join(parts)


def _remedy(spool_id: str, whole: Sequence[int]) -> str:
    mend = f"`hotfolder verify --mend {spool_id}`"
    if whole:
        return f"root {whole[0]} has it whole; {mend} restores it from there"
    return f"restore the object from a backup, then {mend}; nothing was deleted"
