"""A new journal from what the store and the server have."""

from __future__ import annotations

from hotfolder.core.records import ArchivedUnit, Reading, SpoolRow, StoredObject
from hotfolder.journal.connection import Connection
from hotfolder.journal.membership import deliver_if_complete, record_uris
from hotfolder.journal.rows import dump_names
from hotfolder.journal.spools import insert_document


class Restoration:
    """The journal's methods for ``hotfolder rebuild``."""

    _db: Connection

    def restore_spool(
        self, spool: SpoolRow, reading: Reading, stored: StoredObject, now: float
    ) -> bool:
        """Insert a spool found in the store as STORED; False if it is already there."""
        if stored.content_sha256 != reading.sha256:
            raise ValueError("the inventory and the canonical metadata disagree on the checksum")
        with self._db.writing() as conn:
            if conn.execute("SELECT 1 FROM spools WHERE id = ?", (spool.id,)).fetchone():
                return False
            number = conn.execute(
                "INSERT INTO spools (id, folder, business_unit, name, sidecars, state, size,"
                " mtime_ns, inode, sha256, format_name, pages, settled_by, created_at, updated_at,"
                " reason) VALUES (?, ?, ?, ?, ?, 'STORED', ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)",
                (
                    spool.id,
                    spool.folder,
                    spool.business_unit,
                    spool.name,
                    dump_names(spool.sidecars),
                    reading.size,
                    spool.mtime_ns,
                    reading.sha256,
                    reading.inspection.format_name,
                    reading.inspection.pages,
                    spool.settled_by,
                    spool.created_at,
                    now,
                    "rebuilt from the store",
                ),
            ).lastrowid
            if number is None:
                raise ValueError("no spool was made")
            for document in reading.documents:
                insert_document(conn, document, number, spool.business_unit)
            conn.execute(
                "UPDATE documents SET waiting = 1, stored_at = ? WHERE spool = ?",
                (spool.created_at, number),
            )
        return True

    def restore_unit(
        self, unit: ArchivedUnit, business_unit: str, series: str, cycle: str, now: float
    ) -> list[str]:
        """Insert a unit found on the server, and confirm those of its documents that
        the journal has by now; call again as more spools are restored."""
        with self._db.writing() as conn:
            row = conn.execute(
                "SELECT number FROM units WHERE ref_id = ? AND state <> 'REFUSED'", (unit.ref_id,)
            ).fetchone()
            if row is None:
                number = conn.execute(
                    "INSERT INTO units (ref_id, business_unit, series, cycle, state, planned_at,"
                    " sent_at, confirmed_at, updated_at, archival_object_uri, reason)"
                    " VALUES (?, ?, ?, ?, 'CONFIRMED', ?, ?, ?, ?, ?, 'rebuilt from the server')",
                    (unit.ref_id, business_unit, series, cycle, now, now, now, now, unit.uri),
                ).lastrowid
            else:
                number = row[0]
            spools: list[int] = []
            for position, (identity, there) in enumerate(unit.documents.items()):
                joined = conn.execute(
                    "UPDATE documents SET waiting = 0, unit = ?, position = ?"
                    " WHERE identity = ? AND live = 1 AND record_uri IS NULL",
                    (number, position, identity),
                ).rowcount
                if joined:
                    spools += record_uris(conn, {identity: there.uri}, number, now)
            return deliver_if_complete(conn, spools, now)
