"""Which spools are stored encrypted, and what the store told of destroyed documents."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from hotfolder.core.records import Encryption, StoredObject
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import append_links
from hotfolder.journal.reasons import because


class Encrypted:
    """The journal's methods about encrypted spools."""

    _db: Connection

    def encryption_of(self, spool_ids: Sequence[str]) -> Mapping[str, Encryption]:
        """What of each of these spools is destroyed by destroying a key; those unknown are
        left out."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT s.id, s.encryption FROM json_each(?) AS j"
                " CROSS JOIN spools AS s ON s.id = j.value",
                (json.dumps(list(spool_ids)),),
            ).fetchall()
        return {spool_id: Encryption(found) for spool_id, found in rows}


def note_encryption(conn: sqlite3.Connection, objects: Sequence[StoredObject]) -> None:
    """The store has these spools encrypted."""
    conn.executemany(
        "UPDATE spools SET encryption = ? WHERE id = ?",
        [(item.encryption, item.spool_id) for item in objects if item.encryption],
    )


def restore_destroyed(
    conn: sqlite3.Connection, number: int, ordinals: Sequence[int], now: float
) -> None:
    """Documents of a restored spool whose keys the store has destroyed: they are known by
    their identity, and wait for nothing."""
    if not ordinals:
        return
    of_these = "WHERE spool = ? AND ordinal IN (SELECT value FROM json_each(?))"
    chosen = (number, json.dumps(list(ordinals)))
    with because(conn, "rebuilt from the store", now):
        conn.execute(
            f"UPDATE documents SET disposition = 'destroying', waiting = 0 {of_these}", chosen
        )
        rows = conn.execute(
            "UPDATE documents SET disposition = 'destroyed', disposed_at = ?"
            f" {of_these} RETURNING identity",
            (now, *chosen),
        ).fetchall()
    append_links(
        conn,
        [("document.destroyed", identity, {"restored": True}) for (identity,) in sorted(rows)],
        now,
    )
