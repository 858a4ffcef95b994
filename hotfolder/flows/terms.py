"""Terms: what must be said before a document leaves the archive, and what is on the record
when it does not leave."""

from __future__ import annotations

from hotfolder.core.errors import Corrupt, HotfolderError, OperatorFault
from hotfolder.core.ports import Emit, Journal
from hotfolder.core.profiles import RetrieveProfile
from hotfolder.flows.damage import mark_damaged_document


def require_reason(profile: RetrieveProfile, reason: str) -> None:
    """Raise ``OperatorFault`` if a reason must be given and is not."""
    if profile.reason_required and not reason.strip():
        raise OperatorFault(
            "no document is given without a reason",
            hint="say it with --reason; it goes on the audit chain",
            code="retrieve.reason",
        )


def record_refusal(
    journal: Journal,
    identity: str,
    error: HotfolderError,
    *,
    actor: str,
    reason: str,
    form: str,
    now: float,
    emit: Emit,
) -> None:
    """On the audit chain when this returns: ``identity`` was asked for and not given. If its
    bytes are damaged, the spool is marked so."""
    details = {"code": error.code, "form": form, "reason": reason}
    journal.append_audit(actor, "retrieval.refused", identity, details, now)
    if isinstance(error, Corrupt):
        mark_damaged_document(journal, identity, error, actor=actor, now=now, emit=emit)
