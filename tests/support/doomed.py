"""Documents that are being destroyed, for tests of what else knows them."""

from __future__ import annotations

import sqlite3


def doom(conn: sqlite3.Connection, *numbers: int, disposal: str = "disposal-0123456789ab") -> None:
    """Name these documents on an approved list, and begin their destruction."""
    (number,) = conn.execute(
        "INSERT INTO disposals (id, state, proposed_by, approved_by, created_at, updated_at)"
        " VALUES (?, 'PROPOSED', 'me', 'you', 1, 1) RETURNING number",
        (disposal,),
    ).fetchone()
    for document in numbers:
        conn.execute(
            "UPDATE documents SET retain_until = coalesce(retain_until, '2000-01-01')"
            " WHERE number = ?",
            (document,),
        )
        conn.execute(
            "INSERT INTO disposal_members (disposal, document, retain_until)"
            " SELECT ?, number, retain_until FROM documents WHERE number = ?",
            (number, document),
        )
    for state in ("APPROVED", "EXECUTING"):
        conn.execute(
            "UPDATE disposals SET state = ?, today = '9999-12-31' WHERE number = ?",
            (state, number),
        )
    for document in numbers:
        conn.execute(
            "UPDATE documents SET disposition = 'destroying', live = 0, waiting = 0"
            " WHERE number = ?",
            (document,),
        )
