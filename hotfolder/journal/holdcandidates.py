"""Which documents the criteria of a hold hold, found without looking at all there are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from hotfolder.core.holds import Criteria
from hotfolder.journal.holdfacts import Matcher, columns, facts_from
from hotfolder.journal.identities import WORDS

GONE = ("destroying", "destroyed")
NAMED = (
    "d.number IN (SELECT n.number FROM json_each(?) AS j CROSS JOIN documents AS n"
    " ON n.identity = j.value AND n.live = 1 UNION ALL"
    " SELECT n.number FROM json_each(?) AS j CROSS JOIN documents AS n"
    " ON n.identity = j.value AND n.live = 0)"
)


def candidates(
    conn: sqlite3.Connection, criteria: Criteria, page: int
) -> Iterator[list[tuple[int, int, bool]]]:
    """(number, spool, whether it is too late) of the documents that the criteria hold, in
    pages. One criterion leads by an index; the others are looked at row by row."""
    if not criteria.selects:
        return
    where, values = _narrowed(criteria)
    reading = columns(references=criteria.case_ref is not None)
    words = f", {WORDS}" if criteria.words else ""
    cursor = conn.execute(
        f"SELECT d.spool, d.disposition{words}, {reading} FROM documents AS d"
        f" JOIN spools AS s ON s.number = d.spool WHERE {where}",
        values,
    )
    first = 3 if words else 2
    with Matcher() as matcher:
        while rows := cursor.fetchmany(page):
            found = []
            for row in rows:
                facts = facts_from(row[first:])
                if criteria.fits(facts) and (
                    not words or matcher.has_words(row[2], criteria.words)
                ):
                    found.append((facts.number, row[0], row[1] in GONE))
            if found:
                yield found


def _narrowed(criteria: Criteria) -> tuple[str, list[object]]:
    """Conditions that all documents meet that the criteria hold, with their values; the
    first leads, the others are kept from their indexes by a unary plus."""
    names = json.dumps(list(criteria.identities))
    of_kind = "" if criteria.case_kind is None else " AND c.kind = ?"
    refers = "document_references AS c WHERE c.reference = ?"
    reference = [item for item in (criteria.case_ref, criteria.case_kind) if item is not None]
    issued = [
        day.isoformat() if day else None for day in (criteria.issued_from, criteria.issued_to)
    ]
    possible: list[tuple[str, list[object], object]] = [
        (NAMED, [names, names], criteria.identities or None),
        (
            f"d.number IN (SELECT c.document FROM {refers}{of_kind})",
            list(reference),
            criteria.case_ref,
        ),
        ("d.policy_number = ?", [criteria.policy_number], criteria.policy_number),
        ("d.account_number = ?", [criteria.account_number], criteria.account_number),
        ("d.customer_id = ?", [criteria.customer_id], criteria.customer_id),
        (
            "d.spool = (SELECT number FROM spools WHERE id = ?)",
            [criteria.spool_id],
            criteria.spool_id,
        ),
        ("d.issue_date >= ?", [issued[0]], issued[0]),
        ("d.issue_date <= ?", [issued[1]], issued[1]),
        ("d.retention_class = ?", [criteria.retention_class], criteria.retention_class),
        ("d.series = ?", [criteria.series], criteria.series),
        ("d.business_unit = ?", [criteria.business_unit], criteria.business_unit),
        (
            "d.document_type = ? COLLATE NOCASE",
            [criteria.document_type],
            criteria.document_type,
        ),
        ("d.number <= ?", [criteria.last_number], criteria.last_number),
    ]
    terms: list[str] = []
    values: list[object] = []
    for term, needed, given in possible:
        if given is not None:
            leads = not terms or (term.startswith("d.issue_date <=") and len(terms) == 1)
            terms.append(term if leads else f"+{term}")
            values += needed
    terms += ["+d.kept = 1", "+d.role <> 'carrier'"]
    return " AND ".join(terms), values
