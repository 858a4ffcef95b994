"""A certificate of destruction: what went, why it might, who decided it, and how.

Canonical JSON. What is signed are the bytes of ``certificate`` in it (``certified_bytes``),
so that a person with the public key needs nothing of hotfolder to check it; docs/disposal.md
has every field. Nothing personal but the names of those who decided is in it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.disposals import DisposalMember, DisposalRow
from hotfolder.core.receipts import instant
from hotfolder.core.retention import RetentionTrigger, Schedule

FORMAT = "hotfolder-certificate-of-destruction/1"
METHOD = (
    "The object of each spool was taken out of every storage root by one rename, and its files"
    " were removed. A tombstone was on disk in every root before that. What the catalogue had of"
    " persons was deleted and overwritten. Backups outside the storage roots are not covered."
)
METHOD_BY_KEY = (
    'Documents marked "key": key destroyed (cryptographic erasure), NIST SP 800-88r2. The key'
    " under which the document alone was encrypted was written over in every storage root; its"
    " spool stayed. A tombstone was on disk in every root before that. Backups of key files"
    " outside the storage roots are covered when the master key that wraps them is destroyed."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a certificate says besides the list."""

    completed_at: float
    roots: int
    log: str  # id of the audit log
    links: int  # of the audit chain
    root: str  # over these links, hex
    version: str  # of hotfolder


def certificate_body(
    row: DisposalRow,
    members: Iterable[DisposalMember],
    schedule: Schedule,
    schedule_sha256: str,
    found: Circumstances,
) -> dict[str, Any]:
    """What is certified of a disposal all of whose documents are destroyed."""
    destroyed: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    classes: Counter[tuple[str, int | None]] = Counter()
    spools: dict[bool, set[str]] = {False: set(), True: set()}
    for item in members:
        if item.outcome == "destroyed":
            destroyed.append(_document(item))
            classes[item.retention_class or "", item.class_version] += 1
            spools[item.by_key].add(item.spool_id)
        else:
            others.append(
                {"identity": item.identity, "outcome": item.outcome, "reason": item.reason}
            )
    return {
        "format": FORMAT,
        "disposal": row.id,
        "business_unit": row.business_unit,
        "authority": row.authority,
        "reason": row.reason,
        "proposed": {"by": row.proposed_by, "at": instant(row.created_at)},
        "approved": {"by": row.approved_by, "at": instant(row.approved_at)},
        "executed": {
            "by": row.executed_by,
            "at": instant(row.executed_at),
            "today": row.today.isoformat() if row.today else None,
        },
        "completed": instant(found.completed_at),
        "method": " ".join(
            text
            for text, applies in (
                (METHOD, spools[False] or not spools[True]),
                (METHOD_BY_KEY, spools[True]),
            )
            if applies
        ),
        "storage_roots": found.roots,
        "hotfolder": found.version,
        "schedule": {
            "sha256": schedule_sha256,
            "classes": [
                {**_class(code, version, schedule), "documents": count}
                for (code, version), count in sorted(
                    classes.items(), key=lambda pair: (pair[0][0], pair[0][1] or 0)
                )
            ],
        },
        "list_sha256": row.list_sha256,
        "counts": {
            "listed": len(destroyed) + len(others),
            "destroyed": len(destroyed),
            "destroyed_by_key": sum(item["destroyed_by"] == "key" for item in destroyed),
            "withheld": sum(item["outcome"] == "withheld" for item in others),
            "excluded": sum(item["outcome"] == "excluded" for item in others),
            "spools": len(spools[False]),
            "spools_that_stayed": len(spools[True]),
        },
        "audit": {"log": found.log, "links": found.links, "root": found.root},
        "destroyed": destroyed,
        "not_destroyed": others,
    }


def certified_bytes(body: Mapping[str, Any]) -> bytes:
    """The bytes that are signed."""
    return dump(body).encode()


def certificate_json(body: Mapping[str, Any], signature: Mapping[str, str] | None) -> bytes:
    """The file: the body and its signature (null without a key), and a line feed."""
    return (dump({"certificate": body, "signature": signature}) + "\n").encode()


def read_certificate(data: bytes) -> tuple[dict[str, Any], dict[str, str] | None]:
    """Body and signature of a certificate of ours."""
    found = json.loads(data)
    return found["certificate"], found["signature"]


def _document(item: DisposalMember) -> dict[str, Any]:
    return {
        "identity": item.identity,
        "sha256": item.sha256,
        "spool": item.spool_id,
        "series": item.series,
        "retention_class": item.retention_class,
        "class_version": item.class_version,
        "cutoff": item.cutoff.isoformat() if item.cutoff else None,
        "retain_until": item.retain_until.isoformat() if item.retain_until else None,
        "action": item.action,
        "destroyed_by": "key" if item.by_key else "object",
    }


def _class(code: str, number: int | None, schedule: Schedule) -> dict[str, Any]:
    found = schedule.get(code)
    version = found and found.numbered(number)
    said: dict[str, Any] = {"class": code, "version": number}
    if found is not None and version is not None:
        said |= {
            "title": found.title,
            "mandate": found.mandate,
            "trigger": version.event
            if version.trigger is RetentionTrigger.EVENT
            else version.trigger.value,
            "period": str(version.period) if version.period else None,
            "action": version.action,
        }
    return said
