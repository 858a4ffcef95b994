"""Spools: claims, readings, what stands aside. See ``core.ports.Journal`` for the contract."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import (
    Document,
    Drop,
    HistoryRow,
    Reading,
    ReadResult,
    SpoolRow,
    StoredObject,
)
from hotfolder.journal.connection import Connection
from hotfolder.journal.membership import deliver_if_complete, dissolve_planned_units
from hotfolder.journal.rows import (
    INSERT_DOCUMENT,
    SPOOL_COLUMNS,
    document_values,
    dump_faults,
    dump_names,
    spool_from,
)

_SHORTEST_PREFIX = 6


class Spools:
    """The journal's methods about spools."""

    _db: Connection

    # -- claims -----------------------------------------------------------------
    def begin_claims(self, claims: Sequence[tuple[str, str, Drop]], now: float) -> None:
        """Journal the intent to claim."""
        with self._db.writing() as conn:
            conn.executemany(
                "INSERT INTO spools (id, folder, business_unit, name, sidecars, trigger_name,"
                " shared, state, size, mtime_ns, inode, settled_by, created_at, updated_at, faults)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 'CLAIMING', ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        spool_id,
                        drop.folder,
                        business_unit,
                        drop.spool.name,
                        dump_names([item.name for item in drop.sidecars]),
                        drop.trigger.name if drop.trigger else None,
                        dump_names(drop.shared),
                        drop.spool.size,
                        drop.spool.mtime_ns,
                        drop.spool.inode,
                        drop.settled_by,
                        now,
                        now,
                        dump_faults(drop.faults),
                    )
                    for spool_id, business_unit, drop in claims
                ],
            )

    def finish_claims(self, spool_ids: Sequence[str], now: float) -> None:
        """CLAIMING to CLAIMED."""
        self._move(spool_ids, SpoolState.CLAIMED, "", now)

    def abandon_claims(self, spool_ids: Sequence[str], reason: str, now: float) -> None:
        """CLAIMING to ABANDONED."""
        self._move(spool_ids, SpoolState.ABANDONED, reason, now)

    def record_receipted(self, spool_ids: Sequence[str], now: float) -> None:
        """DELIVERED to DONE."""
        self._move(spool_ids, SpoolState.DONE, "", now)

    def _move(self, spool_ids: Sequence[str], state: SpoolState, reason: str, now: float) -> None:
        if not spool_ids:
            return
        with self._db.writing() as conn:
            for spool_id in spool_ids:
                changed = conn.execute(
                    "UPDATE spools SET state = ?, reason = ?, updated_at = ?, attempts = 0,"
                    " next_at = NULL, last_error = NULL WHERE id = ?",
                    (state, reason, now, spool_id),
                ).rowcount
                if changed != 1:
                    raise ValueError(f"no spool {spool_id}")

    # -- reading and storing ------------------------------------------------------
    def record_readings(self, readings: Sequence[Reading], now: float) -> list[ReadResult]:
        """Journal documents and identities; decide duplicate and version."""
        if not readings:
            return []
        with self._db.writing() as conn:
            return [self._record_reading(conn, reading, now) for reading in readings]

    def _record_reading(self, conn: sqlite3.Connection, reading: Reading, now: float) -> ReadResult:
        spool = conn.execute(
            "SELECT number, business_unit, state FROM spools WHERE id = ?", (reading.spool_id,)
        ).fetchone()
        if spool is None:
            raise ValueError(f"no spool {reading.spool_id}")
        owners = [_owner(conn, document.identity) for document in reading.documents]
        duplicate = all(owner is not None for owner in owners)
        first = owners[0] if duplicate else None
        inspection = reading.inspection
        # READ and DUPLICATE both need the checksum, so it is set in the same statement.
        conn.execute(
            "UPDATE spools SET state = ?, reason = ?, updated_at = ?, sha256 = ?, size = ?,"
            " format_name = ?, pages = ?, first_spool_id = ?, attempts = 0, next_at = NULL,"
            " last_error = NULL WHERE number = ?",
            (
                SpoolState.DUPLICATE if duplicate else SpoolState.READ,
                f"same bytes and key as {first}" if duplicate else "",
                now,
                reading.sha256,
                reading.size,
                inspection.format_name,
                inspection.pages,
                first,
                spool[0],
            ),
        )
        if duplicate:
            return ReadResult(
                spool_id=reading.spool_id, state=SpoolState.DUPLICATE, first_spool_id=first
            )
        superseding: list[str] = []
        for document, owner in zip(reading.documents, owners, strict=True):
            if owner is not None:
                continue  # this one of many is archived already; the others are new
            numbered = _number_version(conn, document)
            if numbered.supersedes is not None:
                superseding.append(document.identity)
            insert_document(conn, numbered, spool[0], spool[1])
        return ReadResult(
            spool_id=reading.spool_id, state=SpoolState.READ, superseding=tuple(superseding)
        )

    def record_stored(self, objects: Sequence[StoredObject], now: float) -> None:
        """READ to STORED; the documents wait for a unit."""
        if not objects:
            return
        with self._db.writing() as conn:
            for item in objects:
                row = conn.execute(
                    "UPDATE spools SET state = 'STORED', reason = '', updated_at = ?, attempts = 0,"
                    " next_at = NULL, last_error = NULL WHERE id = ? AND sha256 = ?"
                    " RETURNING number",
                    (now, item.spool_id, item.content_sha256),
                ).fetchone()
                if row is None:
                    raise ValueError(f"no spool {item.spool_id} with this checksum")
                conn.execute(
                    "UPDATE documents SET waiting = 1, stored_at = ?"
                    " WHERE spool = ? AND live = 1 AND record_uri IS NULL AND unit IS NULL",
                    (now, row[0]),
                )

    # -- aside ----------------------------------------------------------------------
    def set_aside(
        self, spool_id: str, state: SpoolState, faults: Sequence[Fault], now: float
    ) -> None:
        """To REJECTED, HELD or CORRUPT."""
        if state not in (SpoolState.REJECTED, SpoolState.HELD, SpoolState.CORRUPT):
            raise ValueError(f"{state} is not aside")
        with self._db.writing() as conn:
            row = conn.execute(
                "SELECT number, state, held_from FROM spools WHERE id = ?", (spool_id,)
            ).fetchone()
            if row is None:
                raise ValueError(f"no spool {spool_id}")
            number, old, held_from = row
            in_flight = conn.execute(
                "SELECT u.ref_id FROM documents AS d JOIN units AS u ON u.number = d.unit"
                " WHERE d.spool = ? AND u.state = 'SENT' LIMIT 1",
                (number,),
            ).fetchone()
            if in_flight is not None:
                raise ValueError(
                    f"a document of it is on its way in unit {in_flight[0]}: try again when"
                    " ArchivesSpace has answered"
                )
            conn.execute(
                "UPDATE spools SET state = ?, reason = ?, faults = ?, held_from = ?,"
                " updated_at = ?, next_at = NULL WHERE number = ?",
                (
                    state,
                    "; ".join(fault.code for fault in faults),
                    dump_faults(faults),
                    held_from if old == SpoolState.HELD else old,
                    now,
                    number,
                ),
            )
            dissolve_planned_units(conn, number, now)
            # A corrupt copy must not make the producer's good copy a duplicate.
            live = state is SpoolState.HELD
            conn.execute(
                "UPDATE documents SET waiting = 0, live = ? WHERE spool = ?", (live, number)
            )

    def release(self, spool_id: str, reason: str, now: float) -> SpoolState:
        """HELD or CORRUPT back to the state it left."""
        with self._db.writing() as conn:
            row = conn.execute(
                "SELECT number, state, held_from FROM spools WHERE id = ?", (spool_id,)
            ).fetchone()
            if row is None:
                raise ValueError(f"no spool {spool_id}")
            number, old, held_from = row
            if old not in (SpoolState.HELD, SpoolState.CORRUPT):
                raise ValueError(f"it is {old}, neither held nor corrupt")
            back = SpoolState(held_from)
            if back in (SpoolState.DELIVERED, SpoolState.DONE):
                back = SpoolState.STORED
            taken = conn.execute(
                "SELECT s.id FROM documents AS d JOIN documents AS o ON o.identity = d.identity"
                " AND o.live = 1 AND o.number <> d.number JOIN spools AS s ON s.number = o.spool"
                " WHERE d.spool = ? LIMIT 1",
                (number,),
            ).fetchone()
            if taken is not None:
                raise ValueError(f"its document has been taken since with spool {taken[0]}")
            conn.execute(
                "UPDATE spools SET state = ?, reason = ?, faults = '[]', held_from = NULL,"
                " updated_at = ?, attempts = 0, next_at = NULL, last_error = NULL"
                " WHERE number = ?",
                (back, reason, now, number),
            )
            conn.execute("UPDATE documents SET live = 1 WHERE spool = ?", (number,))
            if back is SpoolState.STORED:
                conn.execute(
                    "UPDATE documents SET waiting = 1"
                    " WHERE spool = ? AND unit IS NULL AND record_uri IS NULL",
                    (number,),
                )
                deliver_if_complete(conn, [number], now)
            return back

    def defer_spools(
        self, spool_ids: Sequence[str], error: str, next_at: float, now: float
    ) -> None:
        """Count an attempt; the state stays."""
        with self._db.writing() as conn:
            conn.executemany(
                "UPDATE spools SET attempts = attempts + 1, last_error = ?, next_at = ?,"
                " updated_at = ? WHERE id = ?",
                [(error, next_at, now, spool_id) for spool_id in spool_ids],
            )

    # -- looking --------------------------------------------------------------------
    def spools(
        self,
        states: Sequence[SpoolState],
        *,
        folder: str | None = None,
        due_at: float | None = None,
        after: str | None = None,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> list[SpoolRow]:
        """Spools in these states."""
        order, beyond = ("DESC", "<") if newest_first else ("ASC", ">")
        conditions: list[str] = []
        values: list[object] = []
        if folder is not None:
            conditions.append("folder = ?")
            values.append(folder)
        if due_at is not None:
            conditions.append("(next_at IS NULL OR next_at <= ?)")
            values.append(due_at)
        with self._db.reading() as conn:
            if after is not None:
                place = conn.execute("SELECT number FROM spools WHERE id = ?", (after,)).fetchone()
                if place is None:
                    return []
                conditions.append(f"number {beyond} ?")
                values.append(place[0])
            found: list[tuple[object, ...]] = []
            for state in dict.fromkeys(states) or [None]:
                terms = list(conditions)
                if state is not None:
                    # Written out, so that SQLite can prove that the partial index applies.
                    terms.append(f"state = '{state}'")
                    if state is not SpoolState.DONE:
                        terms.append("state <> 'DONE'")
                where = f"WHERE {' AND '.join(terms)}" if terms else ""
                found += conn.execute(
                    f"SELECT {SPOOL_COLUMNS} FROM spools {where} ORDER BY number {order} LIMIT ?",
                    [*values, limit],
                ).fetchall()
        found.sort(key=lambda row: int(str(row[0])), reverse=newest_first)
        return [spool_from(row) for row in found[:limit]]

    def get_spool(self, spool_id: str) -> SpoolRow | None:
        """One spool, by its id or a unique prefix of it."""
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT {SPOOL_COLUMNS} FROM spools WHERE id = ?",
                (spool_id,),
            ).fetchone()
            if row is None and len(spool_id) >= _SHORTEST_PREFIX and spool_id.isalnum():
                rows = conn.execute(
                    f"SELECT {SPOOL_COLUMNS} FROM spools WHERE id >= ? AND id < ? LIMIT 2",
                    (spool_id, spool_id + "~"),
                ).fetchall()
                row = rows[0] if len(rows) == 1 else None
        return spool_from(row) if row is not None else None

    def history(self, subject: str) -> list[HistoryRow]:
        """Every step of a spool or unit."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT at, old, new, reason FROM history WHERE kind = 'spool'"
                " AND subject = (SELECT number FROM spools WHERE id = ?) ORDER BY number",
                (subject,),
            ).fetchall()
            if not rows:
                rows = conn.execute(
                    "SELECT h.at, h.old, h.new, h.reason FROM units AS u JOIN history AS h"
                    " ON h.kind = 'unit' AND h.subject = u.number WHERE u.ref_id = ?"
                    " ORDER BY h.number",
                    (subject,),
                ).fetchall()
        return [
            HistoryRow(at=at, subject=subject, old=old, new=new, reason=reason)
            for at, old, new, reason in rows
        ]


def _owner(conn: sqlite3.Connection, identity: str) -> str | None:
    row = conn.execute(
        "SELECT s.id FROM documents AS d JOIN spools AS s ON s.number = d.spool"
        " WHERE d.identity = ? AND d.live = 1",
        (identity,),
    ).fetchone()
    return None if row is None else str(row[0])


def _number_version(conn: sqlite3.Connection, document: Document) -> Document:
    latest = conn.execute(
        "SELECT version, identity FROM documents WHERE source = ? AND business_key = ?"
        " AND live = 1 ORDER BY version DESC LIMIT 1",
        (document.source, document.business_key),
    ).fetchone()
    if latest is None:
        return document
    return replace(document, version=latest[0] + 1, supersedes=latest[1])


def insert_document(
    conn: sqlite3.Connection, document: Document, spool: int, business_unit: str
) -> None:
    number = conn.execute(
        INSERT_DOCUMENT, document_values(document, spool, business_unit)
    ).lastrowid
    for reference in dict.fromkeys(document.metadata.case_refs):
        conn.execute("INSERT INTO case_references VALUES (?, ?)", (reference, number))
