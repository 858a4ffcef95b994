"""Documents whose bytes lie in a spool that does not count them: they are live in another, or
come twice in it.

The audit chain says which they are, with a link for each, and is what is asked: as long as
such a spool is in the store, nobody could certify that they are destroyed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from hotfolder.core.records import Document, Role
from hotfolder.journal.links import append_links

REPEATED = "document.repeated"


def note_repeated(
    conn: sqlite3.Connection, spool: int, spool_id: str, documents: Sequence[Document], now: float
) -> None:
    """Add a link for each of these documents of a reading that is no row of its spool; within
    a transaction of the caller, after the others were journalled."""
    own = {
        ordinal
        for (ordinal,) in conn.execute(
            "SELECT d.ordinal FROM json_each(?) AS j CROSS JOIN documents AS d"
            " ON d.spool = ? AND d.ordinal = j.value",
            (json.dumps([document.range.ordinal for document in documents]), spool),
        )
    }
    repeated = [
        item.identity
        for item in documents
        if item.role is not Role.CARRIER and item.range.ordinal not in own
    ]
    append_links(conn, [(REPEATED, name, {"spool": spool_id}) for name in repeated], now)


def elsewhere(conn: sqlite3.Connection, wanted: str) -> dict[int, str]:
    """Of these documents (JSON of their numbers) those whose bytes lie in another spool that
    the store has still, each with the id of one."""
    rows = conn.execute(
        "SELECT d.number, s.id FROM json_each(?) AS j CROSS JOIN documents AS d"
        " ON d.number = j.value CROSS JOIN audit AS a ON a.subject = d.identity"
        " JOIN spools AS s ON s.id = json_extract(a.details, '$.spool')"
        f" WHERE a.action = '{REPEATED}' AND s.number <> d.spool AND s.state <> 'REJECTED'"
        # Decided is not gone: it is while something of it is recorded as being destroyed.
        " AND (s.disposed_at IS NULL OR EXISTS (SELECT 1 FROM documents AS o"
        "  WHERE o.spool = s.number AND o.disposition = 'destroying'))",
        (wanted,),
    )
    return dict(rows.fetchall())


def has_twice(conn: sqlite3.Connection, spool: int) -> bool:
    """Whether a document lies in this spool (``spools.number``) more than once: there its
    bytes have no key of their own."""
    row = conn.execute(
        "SELECT 1 FROM documents AS d CROSS JOIN audit AS a ON a.subject = d.identity"
        " JOIN spools AS s ON s.number = d.spool"
        f" WHERE d.spool = ? AND s.left_out > 0 AND a.action = '{REPEATED}'"
        " AND json_extract(a.details, '$.spool') = s.id LIMIT 1",
        (spool,),
    ).fetchone()
    return row is not None
