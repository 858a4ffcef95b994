"""What the store keeps of a spool that was destroyed: canonical JSON, nothing personal.

Identities, digests, classes and dates of its documents, under which disposal they went, by
whom and on what authority, and the links of the audit chain that led to it. The same spool
gives the same bytes at every attempt. docs/disposal.md has the format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.disposals import DisposalRow, Tombstone
from hotfolder.core.errors import Corrupt
from hotfolder.core.receipts import instant

FORMAT = "hotfolder-tombstone/1"
_KEYS = "keys"


def tombstone_bytes(
    spool: Mapping[str, object],
    documents: Sequence[Tombstone],
    disposal: DisposalRow,
    events: Sequence[tuple[int, str, str]],
) -> bytes:
    """The tombstone of a spool, or of documents that go by their keys out of one that
    stays: it says so, and has their ordinals. ``spool`` has its id, SHA-256, size and when it was
    taken; ``events`` are (number, action, digest) of links of the audit chain."""
    value: dict[str, Any] = {
        "format": FORMAT,
        "spool": dict(spool),
        "disposal": {
            "id": disposal.id,
            "business_unit": disposal.business_unit,
            "authority": disposal.authority,
            "proposed_by": disposal.proposed_by,
            "proposed": instant(disposal.created_at),
            "approved_by": disposal.approved_by,
            "approved": instant(disposal.approved_at),
            "executed_by": disposal.executed_by,
            "executed": instant(disposal.executed_at),
            "today": disposal.today.isoformat() if disposal.today else None,
            "list_sha256": disposal.list_sha256,
        },
        "documents": [_document(item) for item in documents],
        "events": [
            {"number": number, "action": action, "digest": digest}
            for number, action, digest in events
        ],
    }
    if documents[0].by_key:
        value["method"] = _KEYS
    return (dump(value) + "\n").encode()


def _document(item: Tombstone) -> dict[str, Any]:
    place = {"ordinal": item.ordinal} if item.by_key else {}
    return place | {
        "identity": item.identity,
        "sha256": item.sha256,
        "retention_class": item.retention_class,
        "class_version": item.class_version,
        "cutoff": item.cutoff.isoformat() if item.cutoff else None,
        "retain_until": item.retain_until.isoformat() if item.retain_until else None,
    }


def read_tombstone(data: bytes) -> list[Tombstone]:
    """The documents of a tombstone; ``Corrupt`` if it is none."""
    try:
        found = json.loads(data)
        if found["format"] != FORMAT:
            raise _unreadable()
        disposal, spool = found["disposal"], found["spool"]
        by_key = found.get("method") == _KEYS
        if by_key and not found["documents"]:
            raise _unreadable()
        return [
            Tombstone(
                identity=item["identity"],
                disposal=disposal["id"],
                spool_id=spool["id"],
                business_unit=disposal["business_unit"],
                sha256=item["sha256"],
                retention_class=item["retention_class"],
                class_version=item["class_version"],
                cutoff=_day(item["cutoff"]),
                retain_until=_day(item["retain_until"]),
                begun_on=date.fromisoformat(disposal["today"]),
                by_key=by_key,
                ordinal=int(item["ordinal"]) if by_key else None,
            )
            for item in found["documents"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _unreadable() from error


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _unreadable() -> Corrupt:
    return Corrupt(
        "a tombstone in the store cannot be read",
        hint="restore it from another root of the store, or from a backup",
        code="store.tombstone",
    )
