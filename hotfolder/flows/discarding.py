"""Discard: a CORRUPT spool whose documents came again, and are whole there, is ended.

Its object leaves every root of the store, and the spool is REJECTED: until then it forbids
that its documents are destroyed (docs/disposal.md). Nothing is asked back: what it held is
in the other spools, byte for byte. The audit chain says so before it is done: a row without
the deed is an attempt that was cut short and may be repeated.
"""

from __future__ import annotations

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.errors import Corrupt
from hotfolder.core.ports import Clock, Emit, Journal, Store


def discard(
    journal: Journal,
    store: Store,
    spool_id: str,
    *,
    actor: str,
    reason: str,
    clock: Clock,
    emit: Emit,
) -> tuple[str, ...]:
    """End a CORRUPT spool; the spools that have its documents. Durable when it returns;
    harmless to repeat.

    Raises ``ValueError`` if it is not CORRUPT, a document of it is live in no other spool that
    is DONE, or is under a legal hold; ``Corrupt`` if one of those is not whole in every root;
    ``OperatorFault``: ``store.held`` if a hold is marked on it, ``store.copy_missing`` if a
    root is away.
    """
    copies = journal.whole_copies(spool_id)
    for copy in copies:
        try:
            store.verify(copy)
        except KeyError:
            raise Corrupt(
                f"the store has lost spool {copy}, which has its documents",
                hint="restore that one first; nothing was discarded",
                code="store.missing",
            ) from None
    details = {"copies": list(copies), "reason": reason}
    journal.append_audit(actor, "spool.discarded", spool_id, details, clock.now())
    # survives: killed here, the object is in its place, and it is discarded again
    crashpoint("discard.recorded")
    store.discard(spool_id)
    # survives: killed here, no root has it, the spool is CORRUPT and is discarded again
    crashpoint("discard.removed")
    journal.end_corrupt(spool_id, reason, clock.now(), actor=actor)
    emit("spool.discarded", spool=spool_id, count=len(copies))
    return copies
