"""What a bag of evidence does not show, and who checked what it does show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hotfolder.core.receipts import instant
from hotfolder.flows.custody import AuditExtract
from hotfolder.flows.exhibits import Exhibits
from hotfolder.flows.testimony import Testimony


def details_of_storing(extract: AuditExtract, spool_id: str) -> dict[str, Any] | None:
    """What the audit chain says of the spool as it was stored; None if nothing."""
    for row in extract.rows:
        if row["action"] == "spool.stored" and row["subject"] == spool_id:
            details = json.loads(row["details"])
            return details if isinstance(details, dict) else None
    return None


def find_gaps(
    exhibits: Exhibits,
    told: Testimony,
    extract: AuditExtract,
    stored: Mapping[str, Any] | None,
) -> set[str]:
    """The codes of what the bag does not show; verify.py comes to the same by itself."""
    found = {
        "pages": exhibits.row.document.range.by_pages,
        "audit": not extract.rows,
        "signature": not all(row["proofs"] for row in extract.rows),
        "spool-row": stored is None,
        "inventory": stored is not None and "inventory_sha256" not in stored,
        "documents-root": exhibits.needs_proof
        and (stored is None or "documents_root" not in stored),
        "archivesspace": not told.found,
    }
    return {code for code, missing in found.items() if missing}


def checks(
    steps: Sequence[Mapping[str, Any]], extract: AuditExtract, told: Testimony, made_at: float
) -> list[str]:
    """Who checked what and when, in sentences."""
    words = {
        ("spool", "STORED"): "hotfolder had stored the file, read it back and compared it",
        ("unit", "CONFIRMED"): "ArchivesSpace had confirmed the record of the document",
    }
    found = [
        f"{step['at']}: {words[step['kind'], step['to']]}."
        for step in steps
        if (step["kind"], step["to"]) in words
    ]
    found += [
        f"{instant(row['at'])}: a fixity check of the stored file ended with {row['action']}."
        for row in extract.rows
        if row["action"] in ("spool.verified", "spool.damaged")
    ]
    found.append(
        f"{instant(made_at)}: hotfolder read the stored file again for this bag; it has the"
        " SHA-256 that it had when it was stored."
    )
    found.append(f"{instant(made_at)}: ArchivesSpace was {told.words}.")
    return found
