"""Which governance file is in force: its digest, on the audit chain."""

from __future__ import annotations

from hotfolder.core.governance import Governance
from hotfolder.core.ports import Clock, Journal

SUBJECT = "governance"
ADOPTED = "governance.adopted"


def adopt_governance(journal: Journal, governance: Governance, clock: Clock) -> bool:
    """Put the digest of the file on the chain if it is another than the last; True if it
    was. Durable when it returns: what is taken in afterwards was judged by this file."""
    links = [link for link in journal.audit_of([SUBJECT]) if link.action == ADOPTED]
    last = str(links[-1].details.get("sha256") or "") if links else ""
    if last == governance.digest:
        return False
    journal.append_audit(
        "hotfolder",
        ADOPTED,
        SUBJECT,
        {
            "sha256": governance.digest or None,
            "before": last or None,
            "rules": len(governance.rules),
        },
        clock.now(),
    )
    return True
