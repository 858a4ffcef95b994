"""The chain of custody of a document: what the journal says of it, its spool and its unit,
and what the audit chain can prove."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hotfolder.core.errors import BrokenChain, OperatorFault
from hotfolder.core.ports import Journal
from hotfolder.core.receipts import instant
from hotfolder.core.records import AuditRow, CatalogueRow, SignedHead
from hotfolder.core.treeheads import head_to_dict

COLUMNS = ("at", "kind", "subject", "from", "to", "reason")
_PAGE = 1000
_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, before the 32 bytes of a key
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # with these, a table's cell is worked out


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditExtract:
    """Audit rows, each with its proofs, and the signed heads to which these lead."""

    rows: Sequence[Mapping[str, Any]]
    heads: Sequence[Mapping[str, Any]]
    unsigned: str = ""  # why no head was signed that has all rows


def history_of(journal: Journal, row: CatalogueRow) -> list[dict[str, Any]]:
    """Every step of the document's spool and unit, oldest first."""
    subjects = [("spool", row.spool_id)]
    if row.unit_ref_id is not None:
        subjects.append(("unit", row.unit_ref_id))
    steps = [
        (step.at, place, kind, step)
        for place, (kind, subject) in enumerate(subjects)
        for step in journal.history(subject)
    ]
    steps.sort(key=lambda item: item[:2])
    return [
        {
            "at": instant(at),
            "kind": kind,
            "subject": step.subject,
            "from": step.old,
            "to": step.new,
            "reason": step.reason,
        }
        for at, _, kind, step in steps
    ]


def history_table(steps: Sequence[Mapping[str, Any]]) -> bytes:
    """The same as CSV (RFC 4180, UTF-8). A text that a spreadsheet would work out as a
    formula gets an apostrophe before it."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows([_cell(step[name]) for name in COLUMNS] for step in steps)
    return text.getvalue().encode()


def _cell(value: str | None) -> str:
    text = value or ""
    return "'" + text if text.startswith(_FORMULAS) else text


def audit_extract(
    journal: Journal, row: CatalogueRow, sign: Callable[[], object] | None
) -> AuditExtract:
    """Every audit row about the document, its spool and its unit, each proved to be in the
    first signed tree that has it, and in the latest.

    ``sign`` is called, if given, when a row is in no signed tree yet. A row that stays in
    none has no proofs. Raises ``BrokenChain`` if a row is not what its digest says.
    """
    unit = [row.unit_ref_id] if row.unit_ref_id else []
    found = journal.audit_of([row.document.identity, row.spool_id, *unit])
    known = _heads(journal)
    unsigned = ""
    if found and (not known or known[-1].head.tree_size < found[-1].number):
        unsigned = _try_to_sign(sign)
        known = _heads(journal)
    chosen: list[SignedHead] = []
    rows = []
    for item in found:
        proofs = []
        for head in _covering(known, item.number):
            if head not in chosen:
                chosen.append(head)
            path = journal.inclusion_proof(item.number, head.head.tree_size)
            proofs.append({"head": chosen.index(head), "path": [step.hex() for step in path]})
        rows.append({**_row_data(item, journal.audit_entry(item.number)), "proofs": proofs})
    return AuditExtract(rows=rows, heads=[head_to_dict(head) for head in chosen], unsigned=unsigned)


def _try_to_sign(sign: Callable[[], object] | None) -> str:
    """Why the tree could not be signed; empty if it could."""
    if sign is None:
        return "no signing key is configured"
    try:
        sign()
    except OperatorFault as error:
        # Whoever makes evidence need not be able to read the key.
        return error.message
    return ""


def _heads(journal: Journal) -> list[SignedHead]:
    """All signed heads, by size; a few for each day."""
    heads: list[SignedHead] = []
    while page := journal.tree_heads(limit=_PAGE, after=heads[-1].head.tree_size if heads else 0):
        heads += page
    return heads


def _covering(heads: Sequence[SignedHead], number: int) -> list[SignedHead]:
    first = bisect_left(heads, number, key=lambda item: item.head.tree_size)
    return [heads[first], *heads[max(first + 1, len(heads) - 1) :]] if first < len(heads) else []


def _row_data(row: AuditRow, entry: bytes) -> dict[str, Any]:
    if hashlib.sha256(entry).hexdigest() != row.digest:
        raise BrokenChain(f"audit row {row.number} is not what its digest says", row.number)
    return {
        "number": row.number,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "details": json.loads(entry)[5],  # the text of which the digest is made
        "previous": row.previous,
        "digest": row.digest,
    }


def key_texts(heads: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """The public keys of these heads as PEM (RFC 8410), by the beginning of their
    fingerprint."""
    texts = {}
    for head in heads:
        raw = _ED25519 + base64.b64decode(head["public_key"])
        text = base64.b64encode(raw).decode()
        pem = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
        texts[head["key"][:16]] = pem.encode()
    return texts
