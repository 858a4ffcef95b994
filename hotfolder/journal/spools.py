"""Spools: claims, readings, what stands aside. See ``core.ports.Journal`` for the contract."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import Document, Drop, Reading, ReadResult, StoredObject
from hotfolder.journal.connection import Connection
from hotfolder.journal.membership import deliver_if_complete, dissolve_planned_units
from hotfolder.journal.rows import (
    INSERT_DOCUMENT,
    document_values,
    dump_faults,
    dump_names,
    fit_inode,
    fit_time,
)


class Spools:
    """The journal's methods that move spools."""

    _db: Connection

    # -- claims -----------------------------------------------------------------
    def begin_claims(self, claims: Sequence[tuple[str, str, Drop]], now: float) -> None:
        """Journal the intent to claim."""
        if not claims:
            return
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
                        fit_time(drop.spool.mtime_ns),
                        fit_inode(drop.spool.inode),
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
        self._move(spool_ids, SpoolState.CLAIMING, SpoolState.CLAIMED, "", now)

    def abandon_claims(self, spool_ids: Sequence[str], reason: str, now: float) -> None:
        """CLAIMING to ABANDONED."""
        self._move(spool_ids, SpoolState.CLAIMING, SpoolState.ABANDONED, reason, now)

    def record_receipted(self, spool_ids: Sequence[str], now: float) -> None:
        """DELIVERED to DONE."""
        self._move(spool_ids, SpoolState.DELIVERED, SpoolState.DONE, "", now)

    def _move(
        self, spool_ids: Sequence[str], old: SpoolState, new: SpoolState, reason: str, now: float
    ) -> None:
        if not spool_ids:
            return
        with self._db.writing() as conn:
            moved = conn.executemany(
                "UPDATE spools SET state = ?, reason = ?, updated_at = ?, attempts = 0,"
                " next_at = NULL, last_error = NULL WHERE id = ? AND state = ?",
                [(new, reason, now, spool_id, old) for spool_id in spool_ids],
            ).rowcount
            if moved != len(spool_ids):
                _explain(conn, spool_ids, old, new)

    # -- reading and storing ------------------------------------------------------
    def record_readings(self, readings: Sequence[Reading], now: float) -> list[ReadResult]:
        """Journal documents and identities; decide duplicate and version.

        A document that is live in another spool, or comes twice in this one, is left
        out of this spool's documents; the others are journalled.
        """
        if not readings:
            return []
        with self._db.writing() as conn:
            return [self._record_reading(conn, reading, now) for reading in readings]

    def _record_reading(self, conn: sqlite3.Connection, reading: Reading, now: float) -> ReadResult:
        if not reading.documents:
            raise ValueError(f"the reading of spool {reading.spool_id} has no document")
        fresh, first = sort_out(conn, reading.documents)
        state = SpoolState.READ if fresh else SpoolState.DUPLICATE
        # READ and DUPLICATE both need the checksum, so it is set in the same statement.
        # From CLAIMED only: the table of moves lets a HELD spool become READ as well, but
        # that is for ``release``, not for a reading that was under way when it was held.
        spool = conn.execute(
            "UPDATE spools SET state = ?, reason = ?, updated_at = ?, sha256 = ?, size = ?,"
            " format_name = ?, pages = ?, first_spool_id = ?, attempts = 0, next_at = NULL,"
            " last_error = NULL WHERE id = ? AND state = 'CLAIMED' RETURNING number, business_unit",
            (
                state,
                "" if fresh else f"same bytes and key as {first}",
                now,
                reading.sha256,
                reading.size,
                reading.inspection.format_name,
                reading.inspection.pages,
                None if fresh else first,
                reading.spool_id,
            ),
        ).fetchone()
        if spool is None:
            _explain(conn, [reading.spool_id], SpoolState.CLAIMED, state)
        superseding: list[str] = []
        for document in fresh.values():
            numbered = number_version(conn, document)
            if numbered.supersedes is not None:
                superseding.append(document.identity)
            insert_document(conn, numbered, spool[0], spool[1])
        return ReadResult(
            spool_id=reading.spool_id,
            state=state,
            first_spool_id=None if fresh else first,
            superseding=tuple(superseding),
        )

    def record_stored(self, objects: Sequence[StoredObject], now: float) -> None:
        """READ to STORED; the documents wait for a unit."""
        if not objects:
            return
        with self._db.writing() as conn:
            for item in objects:
                # From READ only, for the reason given above.
                row = conn.execute(
                    "UPDATE spools SET state = 'STORED', reason = '', updated_at = ?, attempts = 0,"
                    " next_at = NULL, last_error = NULL WHERE id = ? AND sha256 = ?"
                    " AND state = 'READ' RETURNING number",
                    (now, item.spool_id, item.content_sha256),
                ).fetchone()
                if row is None:
                    _explain(conn, [item.spool_id], SpoolState.READ, SpoolState.STORED)
                waiting = conn.execute(
                    "UPDATE documents SET waiting = 1, stored_at = ?"
                    " WHERE spool = ? AND live = 1 AND record_uri IS NULL AND unit IS NULL",
                    (now, row[0]),
                ).rowcount
                if not waiting:  # all were found on the server before
                    deliver_if_complete(conn, [row[0]], now)

    # -- aside ----------------------------------------------------------------------
    def set_aside(
        self, spool_id: str, state: SpoolState, faults: Sequence[Fault], now: float
    ) -> None:
        """To REJECTED, HELD or CORRUPT."""
        if state not in (SpoolState.REJECTED, SpoolState.HELD, SpoolState.CORRUPT):
            raise ValueError(f"{state} is not aside")
        with self._db.writing() as conn:
            number, old, held_from = _find(conn, spool_id)
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
            if old != SpoolState.HELD:
                held_from = old
            conn.execute(
                "UPDATE spools SET state = ?, reason = ?, faults = ?, held_from = ?,"
                " updated_at = ?, next_at = NULL WHERE number = ?",
                (
                    state,
                    "; ".join(fault.code for fault in faults),
                    dump_faults(faults),
                    None if state is SpoolState.REJECTED else held_from,
                    now,
                    number,
                ),
            )
            dissolve_planned_units(conn, "d.spool = ?", number, "a member stands aside", now)
            # A corrupt copy must not make the producer's good copy a duplicate, but it may
            # be released, so its place among the versions is kept.
            conn.execute(
                "UPDATE documents SET waiting = 0, live = ?, kept = ? WHERE spool = ?",
                (state is SpoolState.HELD, state is not SpoolState.REJECTED, number),
            )

    def release(self, spool_id: str, reason: str, now: float) -> SpoolState:
        """HELD or CORRUPT back to the state it left; from DELIVERED on, to DELIVERED
        if all its documents are confirmed, else to STORED."""
        with self._db.writing() as conn:
            number, old, held_from = _find(conn, spool_id)
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
            _take_back_number(conn, number)
            conn.execute("UPDATE documents SET live = 1 WHERE spool = ?", (number,))
            if back is SpoolState.STORED:
                conn.execute(
                    "UPDATE documents SET waiting = 1"
                    " WHERE spool = ? AND unit IS NULL AND record_uri IS NULL",
                    (number,),
                )
                if deliver_if_complete(conn, [number], now):
                    return SpoolState.DELIVERED
            return back

    def defer_spools(
        self, spool_ids: Sequence[str], error: str, next_at: float, now: float
    ) -> None:
        """Count an attempt; the state stays. Spools that have been set aside or
        finished meanwhile are left alone."""
        with self._db.writing() as conn:
            conn.executemany(
                "UPDATE spools SET attempts = attempts + 1, last_error = ?, next_at = ?,"
                " updated_at = ? WHERE id = ?"
                " AND state IN ('CLAIMING', 'CLAIMED', 'READ', 'STORED', 'DELIVERED')",
                [(error, next_at, now, spool_id) for spool_id in spool_ids],
            )


def _find(conn: sqlite3.Connection, spool_id: str) -> tuple[int, str, str]:
    row = conn.execute(
        "SELECT number, state, held_from FROM spools WHERE id = ?", (spool_id,)
    ).fetchone()
    if row is None:
        raise ValueError(f"no spool {spool_id}")
    return row[0], row[1], row[2] or ""


def _explain(
    conn: sqlite3.Connection, spool_ids: Sequence[str], old: SpoolState, new: SpoolState
) -> NoReturn:
    """Raise ``ValueError`` that says why not all of these could move from ``old`` to ``new``."""
    for spool_id in spool_ids:
        found = _find(conn, spool_id)[1]
        if found not in (old, new):
            raise ValueError(f"spool {spool_id} is {found} and may not become {new}")
    raise ValueError(f"of {spool_ids} one is {new} already, comes twice, or has another checksum")


def sort_out(
    conn: sqlite3.Connection, documents: Sequence[Document]
) -> tuple[dict[str, Document], str | None]:
    """The documents that are live nowhere, each once, and the spool of the first that is."""
    fresh: dict[str, Document] = {}
    first: str | None = None
    for document in documents:
        owner = conn.execute(
            "SELECT s.id FROM documents AS d JOIN spools AS s ON s.number = d.spool"
            " WHERE d.identity = ? AND d.live = 1",
            (document.identity,),
        ).fetchone()
        if owner is None:
            fresh.setdefault(document.identity, document)
        elif first is None:
            first = owner[0]
    return fresh, first


def number_version(conn: sqlite3.Connection, document: Document) -> Document:
    """``document`` with the next number of its key, superseding the latest; as it is
    if its key is new.

    A rejected version frees its number, and whatever superseded it keeps saying so. A
    corrupt one keeps its number, until the same document comes again and takes it over.
    """
    corrupt = conn.execute(
        "UPDATE documents SET kept = 0 WHERE identity = ? AND kept = 1 AND live = 0"
        " RETURNING version, supersedes",
        (document.identity,),
    ).fetchone()
    if corrupt is not None:
        return replace(document, version=corrupt[0], supersedes=corrupt[1])
    latest = conn.execute(
        "SELECT version, identity FROM documents WHERE source = ? AND business_key = ?"
        " AND kept = 1 ORDER BY version DESC LIMIT 1",
        (document.source, document.business_key),
    ).fetchone()
    if latest is None:
        return document
    return replace(document, version=latest[0] + 1, supersedes=latest[1])


def _take_back_number(conn: sqlite3.Connection, spool: int) -> None:
    """Documents of a released spool whose number had been taken over and may be in use:
    the same one if it is free, else one after the last."""
    conn.execute(
        "UPDATE documents AS d SET kept = 1, version = CASE WHEN EXISTS (SELECT 1"
        " FROM documents AS o WHERE o.source = d.source AND o.business_key = d.business_key"
        "  AND o.kept = 1 AND o.version = d.version)"
        " THEN (SELECT max(version) + 1 FROM documents AS o WHERE o.source = d.source"
        "  AND o.business_key = d.business_key AND o.kept = 1)"
        " ELSE d.version END WHERE d.spool = ? AND d.kept = 0",
        (spool,),
    )


def insert_document(
    conn: sqlite3.Connection, document: Document, spool: int, business_unit: str
) -> None:
    """Journal a document of a spool, with its case references."""
    number = conn.execute(
        INSERT_DOCUMENT, document_values(document, spool, business_unit)
    ).lastrowid
    conn.executemany(
        "INSERT INTO case_references VALUES (?, ?)",
        [(reference, number) for reference in dict.fromkeys(document.metadata.case_refs)],
    )
