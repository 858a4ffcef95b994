"""A new journal from what the store and the server have."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from itertools import islice

from hotfolder.core.errors import Corrupt
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.records import (
    ArchivedUnit,
    Document,
    Reading,
    Role,
    SpoolRow,
    StoredObject,
)
from hotfolder.journal.connection import Connection
from hotfolder.journal.encryption import note_encryption, restore_destroyed
from hotfolder.journal.holding import admit_newcomers
from hotfolder.journal.identities import Identities, insert_documents
from hotfolder.journal.links import append_links
from hotfolder.journal.membership import (
    confirmed_details,
    deliver_if_complete,
    dissolve_planned_units,
    parts_of,
    record_uris,
)
from hotfolder.journal.readings import stored_details
from hotfolder.journal.repeats import note_repeated
from hotfolder.journal.rows import dump_names, fit_time
from hotfolder.journal.templates import insert_template

_CHUNK = 1000  # documents that are looked up at once


class Restoration:
    """The journal's methods for ``hotfolder rebuild``."""

    _db: Connection

    def restore_spool(
        self, spool: SpoolRow, reading: Reading, stored: StoredObject, now: float
    ) -> bool:
        """Insert a spool found in the store as STORED; False if it is already there.

        Each document keeps its version; where another has that number (spools that
        were set aside stay in the store), it gets the next. A spool all of whose
        documents are live in others becomes a DUPLICATE. ``Corrupt`` if none is to be had
        from it: all were destroyed with another, or checksums disagree.
        """
        if stored.content_sha256 != reading.sha256 or not len(reading.documents):
            raise Corrupt(
                f"inventory and canonical metadata of spool {spool.id} disagree on the checksum,"
                " or it has no document",
                hint="look at the object in the store: one of the two was changed",
                code="store.disagrees",
            )
        with self._db.writing() as conn:
            if conn.execute("SELECT 1 FROM spools WHERE id = ?", (spool.id,)).fetchone():
                return False
            any_fresh, first = _look_ahead(conn, spool.id, reading)
            if not any_fresh and first is None:
                raise Corrupt(
                    f"all documents of spool {spool.id} were destroyed with another",
                    hint="it came back with a backup of the root: their tombstones say under"
                    " which disposal they went",
                    code="document.destroyed",
                )
            number = conn.execute(
                "INSERT INTO spools (id, folder, business_unit, name, sidecars, state, size,"
                " mtime_ns, inode, sha256, format_name, pages, settled_by, created_at, updated_at,"
                " first_spool_id, documents, reason)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (
                    spool.id,
                    spool.folder,
                    spool.business_unit,
                    spool.name,
                    dump_names(spool.sidecars),
                    SpoolState.STORED if any_fresh else SpoolState.DUPLICATE,
                    reading.size,
                    fit_time(spool.mtime_ns),
                    reading.sha256,
                    reading.inspection.format_name,
                    reading.inspection.pages,
                    spool.settled_by,
                    spool.created_at,
                    now,
                    None if any_fresh else first,
                    "rebuilt from the store",
                ),
            ).lastrowid
            if number is None:
                raise ValueError("no spool was made")
            if any_fresh:
                _insert_reading(conn, number, spool, reading, now)
            conn.executemany(
                "UPDATE documents SET stored_at = ?, waiting = role <> 'carried'"
                " WHERE spool = ? AND ordinal > ? AND ordinal <= ?",
                [(spool.created_at, *part) for part in parts_of(conn, [number])],
            )
            (count,) = conn.execute(
                "UPDATE spools SET documents = (SELECT count(*) FROM documents AS d"
                " WHERE d.spool = spools.number AND d.role <> 'carrier') WHERE number = ?"
                " RETURNING documents",
                (number,),
            ).fetchone()
            restore_destroyed(conn, number, stored.destroyed, now)
            admit_newcomers(conn, [number], now)
            details = {**stored_details(stored, count), "restored": True}
            append_links(conn, [("spool.stored", spool.id, details)], now)
            note_encryption(conn, [stored])
        return True

    def spools_with(self, reading: Reading) -> list[str]:
        """See ``core.ports.Journal``."""
        found: dict[str, None] = {}
        with self._db.reading() as conn:
            for chunk in _chunks(reading):
                rows = conn.execute(
                    "SELECT DISTINCT s.id FROM json_each(?) AS j CROSS JOIN documents AS d"
                    " ON d.identity = j.value AND d.live = 1 JOIN spools AS s ON s.number = d.spool"
                    " WHERE s.id <> ?",
                    (json.dumps([document.identity for document in chunk]), reading.spool_id),
                )
                found.update(dict.fromkeys(spool_id for (spool_id,) in rows))
        return list(found)

    def restore_unit(
        self, unit: ArchivedUnit, business_unit: str, series: str, cycle: str, now: float
    ) -> list[str]:
        """Insert a unit found on the server, and confirm those of its documents that
        the journal has by now; call again as more spools are restored. A unit that was
        under way is confirmed; a document in another unit that is SENT waits for the
        answer to that one."""
        with self._db.writing() as conn:
            number = self._confirmed_unit(conn, unit, (business_unit, series, cycle), now)
            spools: list[int] = []
            confirmed: dict[str, str] = {}
            for position, (identity, there) in enumerate(unit.documents.items()):
                dissolve_planned_units(
                    conn,
                    "d.identity = ? AND d.live = 1",
                    identity,
                    "a member is on the server already",
                    now,
                )
                joined = conn.execute(
                    "UPDATE documents SET waiting = 0, unit = ?, position = ?"
                    " WHERE identity = ? AND live = 1 AND record_uri IS NULL"
                    " AND (unit IS NULL OR unit = ?)",
                    (number, position, identity, number),
                ).rowcount
                if joined:
                    confirmed[identity] = there.uri
                    spools += record_uris(conn, {identity: there.uri}, number, now)
            if confirmed:
                details = {**confirmed_details(confirmed), "restored": True}
                append_links(conn, [("unit.confirmed", unit.ref_id, details)], now)
            return deliver_if_complete(conn, spools, now)

    @staticmethod
    def _confirmed_unit(
        conn: sqlite3.Connection, unit: ArchivedUnit, place: tuple[str, str, str], now: float
    ) -> int:
        row = conn.execute(
            "SELECT number, state FROM units WHERE ref_id = ? AND state <> 'REFUSED'",
            (unit.ref_id,),
        ).fetchone()
        if row is None:
            number = conn.execute(
                "INSERT INTO units (ref_id, business_unit, series, cycle, state, planned_at,"
                " sent_at, confirmed_at, updated_at, archival_object_uri, reason)"
                " VALUES (?, ?, ?, ?, 'CONFIRMED', ?, ?, ?, ?, ?, 'rebuilt from the server')",
                (unit.ref_id, *place, now, now, now, now, unit.uri),
            ).lastrowid
            if number is None:
                raise ValueError("no unit was made")
            return number
        if row[1] != UnitState.CONFIRMED:
            conn.execute(
                "UPDATE units SET state = 'CONFIRMED', reason = 'found on the server',"
                " confirmed_at = ?, updated_at = ?, next_at = NULL, last_error = NULL,"
                " archival_object_uri = ? WHERE number = ?",
                (now, now, unit.uri, row[0]),
            )
        return int(row[0])


def _chunks(reading: Reading) -> Iterator[list[Document]]:
    documents = iter(reading.documents)
    while chunk := list(islice(documents, _CHUNK)):
        yield chunk


def _insert_reading(
    conn: sqlite3.Connection, number: int, spool: SpoolRow, reading: Reading, now: float
) -> None:
    for chunk in _not_destroyed(conn, reading):
        for document in Identities(conn, chunk).sort_out(chunk, spool.id)[0]:
            free = _with_free_version(conn, spool.id, document)
            insert_documents(conn, [(free, number, spool.business_unit)])
    if reading.template is not None:
        insert_template(conn, reading.template, number, spool.business_unit)
    for chunk in _chunks(reading):
        note_repeated(conn, number, spool.id, chunk, now)


def _not_destroyed(conn: sqlite3.Connection, reading: Reading) -> Iterator[list[Document]]:
    """Its documents without those that were destroyed with another spool: they do not rise
    because this one came back. Those that it lost itself are buried after it."""
    for chunk in _chunks(reading):
        destroyed = {
            identity
            for (identity,) in conn.execute(
                "SELECT t.identity FROM json_each(?) AS j CROSS JOIN tombstones AS t"
                " ON t.identity = j.value",
                (json.dumps([document.identity for document in chunk]),),
            )
        }
        yield [document for document in chunk if document.identity not in destroyed]


def _look_ahead(
    conn: sqlite3.Connection, spool_id: str, reading: Reading
) -> tuple[bool, str | None]:
    """Whether any document is live nowhere yet, and where the first is that is live."""
    first: str | None = None
    for chunk in _not_destroyed(conn, reading):
        fresh, owner = Identities(conn, chunk).sort_out(chunk, spool_id)
        first = first or owner
        if any(document.role is not Role.CARRIER for document in fresh):
            return True, first
    return False, first


def _with_free_version(conn: sqlite3.Connection, spool_id: str, document: Document) -> Document:
    taken = conn.execute(
        "SELECT 1 FROM documents WHERE source = ? AND business_key = ? AND version = ?"
        " AND kept = 1",
        (document.source, document.business_key, document.version),
    ).fetchone()
    if taken is None:
        return document
    return Identities(conn, [document]).admit(spool_id, document)
