"""Documents by other names: those of their records in ArchivesSpace, that of their unit,
the beginning of their identity."""

from __future__ import annotations

import re
import sqlite3

from hotfolder.journal.connection import Connection

# What follows /repositories/N/: unique in a whole instance, and all that the staff
# interface shows. Word for word as the indexes of the fourth migration have it.
RECORD = "substr({0}, 15 + instr(substr({0}, 15), '/'))"
_URI = re.compile(r"(?P<repository>/repositories/\d+)?/(?P<record>[a-z_]+/\d+)\Z")


class Naming:
    """The journal's methods that find documents by names of others."""

    _db: Connection

    def documents_by_record(self, uri: str, limit: int) -> list[str]:
        """The identities of up to ``limit`` live documents that are described by the
        record ``uri`` or listed by it: ``/repositories/2/digital_objects/5``, or without
        the repository (``/digital_objects/5``), as the staff interface shows it."""
        match = _URI.match(uri)
        if match is None:
            return []
        record, whole = match["record"], uri if match["repository"] else None
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT d.identity FROM documents AS d WHERE {RECORD.format('record_uri')} = ?"
                " AND record_uri IS NOT NULL AND (? IS NULL OR record_uri = ?)"
                " AND d.live = 1 AND d.role <> 'carrier' LIMIT ?",
                (record, whole, whole, limit),
            ).fetchall()
            if rows:
                return [identity for (identity,) in rows]
            unit = conn.execute(
                f"SELECT number FROM units WHERE {RECORD.format('archival_object_uri')} = ?"
                " AND archival_object_uri IS NOT NULL AND (? IS NULL OR archival_object_uri = ?)"
                " AND state <> 'REFUSED' ORDER BY number DESC LIMIT 1",
                (record, whole, whole),
            ).fetchone()
            return [] if unit is None else _members(conn, unit[0], limit)

    def documents_by_prefix(self, prefix: str, limit: int) -> list[str]:
        """Up to ``limit`` identities that begin like this: of live documents, or else of
        those of CORRUPT spools."""
        with self._db.reading() as conn:
            for live in (1, 0):  # one index each
                rows = conn.execute(
                    "SELECT DISTINCT identity FROM documents WHERE identity >= ?"
                    f" AND identity < ? AND live = {live} AND kept = 1 ORDER BY identity LIMIT ?",
                    (prefix, prefix + "\x7f", limit),
                ).fetchall()
                if rows:
                    return [identity for (identity,) in rows]
        return []

    def documents_of_unit(self, ref_id: str, limit: int) -> list[str]:
        """The identities of up to ``limit`` documents that a unit lists, in its order;
        those that its members carry in their stead. Of a REFUSED one none."""
        with self._db.reading() as conn:
            unit = conn.execute(
                "SELECT number FROM units WHERE ref_id = ? AND state <> 'REFUSED'", (ref_id,)
            ).fetchone()
            return [] if unit is None else _members(conn, unit[0], limit)


def _members(conn: sqlite3.Connection, unit: int, limit: int) -> list[str]:
    found: list[str] = []
    for identity, role, spool in conn.execute(
        "SELECT identity, role, spool FROM documents WHERE unit = ? ORDER BY position LIMIT ?",
        (unit, limit),
    ).fetchall():
        if role != "carrier":
            found.append(identity)
            continue
        rows = conn.execute(
            "SELECT identity FROM documents WHERE spool = ? AND role = 'carried'"
            " ORDER BY ordinal LIMIT ?",
            (spool, limit - len(found)),
        )
        found += [carried for (carried,) in rows]
    return found[:limit]
