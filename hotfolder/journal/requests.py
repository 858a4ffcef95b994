"""Requests for documents, from folders and from ArchivesSpace. See ``core.ports.Journal``."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.orders import (
    OPEN_REQUESTS,
    Fate,
    Fated,
    NewAsked,
    RequestRow,
    RequestState,
)
from hotfolder.core.records import Drop
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import append_links
from hotfolder.journal.lookups import find_subject
from hotfolder.journal.orders import insert_order
from hotfolder.journal.rows import fit_inode, fit_time, unfit_inode, unfit_time

_COLUMNS = (
    "id, source, business_unit, uri, name, size, mtime_ns, inode, state, note, profile, fates,"
    " answer, created_at, updated_at, attempts, next_at, last_error"
)
_STILL_OPEN = "state IN ('CLAIMING', 'RECEIVED', 'STAGED')"  # as the partial index has it
_LONGEST_ERROR = 2000  # characters
# The column ``uri`` is unique and names a wish: an event's uri, and the ``lock_version`` in
# which the event was read. Early journals have the uri alone.
_VERSION = "#"
_ACTOR = "hotfolder"  # who asked is known to the folder's owner, or to ArchivesSpace


class Requests:
    """The journal's methods about requests."""

    _db: Connection

    # -- from a folder ----------------------------------------------------------------
    def begin_requests(self, source: str, claims: Sequence[tuple[str, Drop]], now: float) -> None:
        """Journal the intent to claim request files: (request id, drop). CLAIMING."""
        with self._db.writing() as conn:
            conn.executemany(
                "INSERT INTO requests (id, source, business_unit, name, size, mtime_ns, inode,"
                " state, created_at, updated_at) VALUES (?, ?, '', ?, ?, ?, ?, 'CLAIMING', ?, ?)",
                [
                    (
                        request_id,
                        source,
                        drop.spool.name,
                        drop.spool.size,
                        fit_time(drop.spool.mtime_ns),
                        fit_inode(drop.spool.inode),
                        now,
                        now,
                    )
                    for request_id, drop in claims
                ],
            )

    def receive_request(self, request_id: str, now: float) -> None:
        """CLAIMING to RECEIVED, with its link on the audit chain."""
        with self._db.writing() as conn:
            _move(conn, request_id, RequestState.RECEIVED, "", now)
            source = conn.execute(
                "SELECT source FROM requests WHERE id = ?", (request_id,)
            ).fetchone()[0]
            details = {"source": f"requests.{source}"}
            append_links(conn, [("request.received", request_id, details)], now, _ACTOR)

    def abandon_request(self, request_id: str, reason: str, now: float) -> None:
        """CLAIMING to ABANDONED."""
        with self._db.writing() as conn:
            _move(conn, request_id, RequestState.ABANDONED, reason, now)

    def reject_request(self, request_id: str, reason: str, now: float) -> None:
        """RECEIVED to REJECTED: the file is no request."""
        with self._db.writing() as conn:
            _move(conn, request_id, RequestState.REJECTED, reason, now)
            details = {"outcome": "rejected"}
            append_links(conn, [("request.answered", request_id, details)], now, _ACTOR)

    # -- from ArchivesSpace -------------------------------------------------------------
    def ask_request(self, asked: NewAsked, now: float) -> bool:
        """A request with its orders, RECEIVED, in one transaction; False if its event is
        known already and was not changed since its answer."""
        with self._db.writing() as conn:
            known = _get_wish(conn, asked.uri)
            if known is not None and (known[1] in OPEN_REQUESTS or asked.version <= known[0]):
                return False
            number = conn.execute(
                "INSERT INTO requests (id, source, business_unit, uri, name, size, mtime_ns,"
                " inode, state, note, profile, fates, created_at, updated_at)"
                " VALUES (?, '', ?, ?, x'', 0, 0, 0, 'RECEIVED', ?, ?, ?, ?, ?)"
                " RETURNING number",
                (
                    asked.id,
                    asked.business_unit,
                    f"{asked.uri}{_VERSION}{asked.version}",
                    asked.note,
                    asked.to,
                    _dump_fates(asked.fates),
                    now,
                    now,
                ),
            ).fetchone()
            for order in asked.orders:
                insert_order(conn, order, number[0], now)
            details = {"source": "archivesspace", "uri": asked.uri, "orders": len(asked.orders)}
            append_links(conn, [("request.received", asked.id, details)], now, _ACTOR)
            return True

    def asked_until(self, business_unit: str) -> int:
        """How far the server has been asked for requests of a unit; 0 if never."""
        with self._db.reading() as conn:
            row = conn.execute(
                "SELECT until FROM asked WHERE business_unit = ?", (business_unit,)
            ).fetchone()
        return 0 if row is None else int(row[0])

    def record_asked(self, business_unit: str, until: int) -> None:
        """Journal how far; never back."""
        with self._db.writing() as conn:
            conn.execute(
                "INSERT INTO asked VALUES (?, ?) ON CONFLICT (business_unit)"
                " DO UPDATE SET until = max(until, excluded.until)",
                (business_unit, until),
            )

    # -- both ---------------------------------------------------------------------------
    def stage_request(
        self, request_id: str, fates: Sequence[Fated], answer: str, now: float, *, note: str = ""
    ) -> None:
        """RECEIVED to STAGED: the answer is decided, and of a file it is durable. ``note``
        is the reason that a file gives."""
        with self._db.writing() as conn:
            _move(conn, request_id, RequestState.STAGED, "", now)
            conn.execute(
                "UPDATE requests SET fates = ?, answer = ?,"
                " note = CASE WHEN source = '' THEN note ELSE ? END WHERE id = ?",
                (_dump_fates(fates), answer, note, request_id),
            )

    def close_request(self, request_id: str, reason: str, now: float) -> None:
        """STAGED to ANSWERED. On the audit chain, in the same transaction: what an answer
        folder gave, document by document, and that the request was answered."""
        with self._db.writing() as conn:
            _move(conn, request_id, RequestState.ANSWERED, reason, now)
            row = _get(conn, request_id)
            if row.source:
                given = {item.identity: item for item in row.fates if item.fate is Fate.GIVEN}
                for identity, item in given.items():
                    details: dict[str, object] = {
                        "to": f"requests.{row.source}",
                        "order": row.id,
                        "reason": row.note,
                        "sha256": item.sha256,
                        "form": item.form,
                        "derived": item.derived,
                    }
                    append_links(conn, [("document.returned", identity, details)], now, _ACTOR)
            counts = Counter(str(item.fate) for item in row.fates)
            append_links(conn, [("request.answered", row.id, dict(counts))], now, _ACTOR)

    def defer_request(self, request_id: str, error: str, next_at: float, now: float) -> None:
        """Count an attempt of an open request and note when to try again."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE requests SET attempts = attempts + 1, last_error = ?, next_at = ?,"
                f" updated_at = ? WHERE id = ? AND {_STILL_OPEN}",
                (error[:_LONGEST_ERROR], next_at, now, request_id),
            )

    # -- looking --------------------------------------------------------------------
    def open_requests(
        self, source: str | None = None, *, due_at: float | None = None, limit: int = 1000
    ) -> list[RequestRow]:
        """Requests that are not at their end, oldest first; of one request folder, or of
        ArchivesSpace (empty); with ``due_at`` those whose time has come."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM requests WHERE {_STILL_OPEN}"
                " AND (:source IS NULL OR source = :source)"
                " AND (:due IS NULL OR next_at IS NULL OR next_at <= :due)"
                " ORDER BY number LIMIT :limit",
                {"source": source, "due": due_at, "limit": limit},
            ).fetchall()
        return [_request_from(row) for row in rows]

    def requests(self, *, limit: int = 1000) -> list[RequestRow]:
        """Requests, newest first."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM requests ORDER BY number DESC LIMIT ?", (limit,)
            ).fetchall()
        return [_request_from(row) for row in rows]

    def get_request(self, request_id: str) -> RequestRow | None:
        """One request, by its id, a unique prefix of it, or its event's uri (its last
        request); or None."""
        with self._db.reading() as conn:
            number = _number_of_event(conn, request_id)
            if number is None:
                number = find_subject(conn, "requests", "id", request_id)
            if number is None:
                return None
            return _request_from(
                conn.execute(
                    f"SELECT {_COLUMNS} FROM requests WHERE number = ?", (number,)
                ).fetchone()
            )

    def is_destroyed(self, identity: str) -> bool:
        """Whether this document was destroyed, or is being: the audit chain or its
        tombstone says so."""
        with self._db.reading() as conn:
            row = conn.execute(
                "SELECT 1 FROM audit WHERE subject = :identity AND action = 'document.destroyed'"
                " UNION ALL SELECT 1 FROM tombstones WHERE identity = :identity LIMIT 1",
                {"identity": identity},
            ).fetchone()
        return row is not None


def _number_of_event(conn: sqlite3.Connection, uri: str) -> int | None:
    """The last request that the event made."""
    row = conn.execute(
        "SELECT number FROM requests WHERE uri = :uri OR (uri >= :first AND uri < :behind)"
        " ORDER BY number DESC LIMIT 1",
        {"uri": uri, "first": uri + _VERSION, "behind": uri + chr(ord(_VERSION) + 1)},
    ).fetchone()
    return None if row is None else int(row[0])


def _get_wish(conn: sqlite3.Connection, uri: str) -> tuple[int, RequestState] | None:
    """The version of the event that made the last request, and how far that is."""
    number = _number_of_event(conn, uri)
    if number is None:
        return None
    key, state = conn.execute(
        "SELECT uri, state FROM requests WHERE number = ?", (number,)
    ).fetchone()
    return int(key.partition(_VERSION)[2] or 0), RequestState(state)


def _dump_fates(fates: Sequence[Fated]) -> str:
    return dump([asdict(item) for item in fates])


def _fate_from(found: Mapping[str, Any]) -> Fated:
    return Fated(**{**found, "fate": Fate(found["fate"]), "files": tuple(found["files"])})


def _request_from(row: Sequence[Any]) -> RequestRow:
    return RequestRow(
        id=row[0],
        source=row[1],
        business_unit=row[2],
        uri=None if row[3] is None else row[3].partition(_VERSION)[0],
        name=row[4],
        size=row[5],
        mtime_ns=unfit_time(row[6]),
        inode=unfit_inode(row[7]),
        state=RequestState(row[8]),
        note=row[9],
        to=row[10],
        fates=tuple(_fate_from(item) for item in json.loads(row[11])),
        answer=row[12],
        created_at=row[13],
        updated_at=row[14],
        attempts=row[15],
        next_at=row[16],
        last_error=row[17],
    )


def _get(conn: sqlite3.Connection, request_id: str) -> RequestRow:
    return _request_from(
        conn.execute(f"SELECT {_COLUMNS} FROM requests WHERE id = ?", (request_id,)).fetchone()
    )


def _move(
    conn: sqlite3.Connection, request_id: str, new: RequestState, reason: str, now: float
) -> None:
    changed = conn.execute(
        "UPDATE requests SET state = ?, reason = ?, updated_at = ?, attempts = 0,"
        " next_at = NULL, last_error = NULL WHERE id = ?",
        (new, reason[:_LONGEST_ERROR], now, request_id),
    ).rowcount
    if not changed:
        raise ValueError(f"no request {request_id}")
