"""The outbox: events that ArchivesSpace is to be told of, each once.

What is journalled here is told sooner or later, whatever happens to the server in the
meantime; the server's unique ``refid`` makes a repetition harmless.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.records import ArchiveEvent, OutboxRow
from hotfolder.journal.connection import Connection

_COLUMNS = "number, business_unit, event, created_at, attempts, next_at, last_error"


class Outbox:
    """The journal's methods about the outbox."""

    _db: Connection

    def add_events(self, business_unit: str, events: Sequence[ArchiveEvent], now: float) -> int:
        """Let these events wait for the server; returns how many are new. One whose
        ``refid`` is there already, told or not, is left as it is."""
        with self._db.writing() as conn:
            return insert_events(conn, business_unit, events, now)

    def waiting_events(self, *, due_at: float | None = None, limit: int = 100) -> list[OutboxRow]:
        """Events that wait, oldest first; with ``due_at`` only those whose time has come."""
        due = "" if due_at is None else " AND (next_at IS NULL OR next_at <= :due)"
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM outbox WHERE state = 'WAITING'{due}"
                " ORDER BY number LIMIT :limit",
                {"due": due_at, "limit": limit},
            ).fetchall()
        return [_row_from(row) for row in rows]

    def count_waiting_events(self) -> int:
        """How many events wait."""
        with self._db.reading() as conn:
            return int(
                conn.execute("SELECT count(*) FROM outbox WHERE state = 'WAITING'").fetchone()[0]
            )

    def record_event_sent(self, number: int, record_uri: str, now: float) -> None:
        """The server has it, as ``record_uri``. Harmless to repeat."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE outbox SET state = 'SENT', sent_at = ?, record_uri = ?, next_at = NULL,"
                " last_error = NULL WHERE number = ? AND state = 'WAITING'",
                (now, record_uri, number),
            )

    def defer_event(self, number: int, error: str, next_at: float) -> None:
        """Count an attempt and note when to try again."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE outbox SET attempts = attempts + 1, last_error = ?, next_at = ?"
                " WHERE number = ? AND state = 'WAITING'",
                (error, next_at, number),
            )


def insert_events(
    conn: sqlite3.Connection, business_unit: str, events: Iterable[ArchiveEvent], now: float
) -> int:
    """Let events wait, within a transaction of the caller; how many are new."""
    return sum(
        conn.execute(
            "INSERT INTO outbox (refid, business_unit, event, created_at)"
            " VALUES (?, ?, ?, ?) ON CONFLICT (refid) DO NOTHING",
            (event.refid, business_unit, dump(asdict(event)), now),
        ).rowcount
        for event in events
    )


def _row_from(row: Sequence[Any]) -> OutboxRow:
    number, business_unit, event, created_at, attempts, next_at, last_error = row
    found = json.loads(event)
    return OutboxRow(
        number=number,
        business_unit=business_unit,
        event=ArchiveEvent(**{**found, "record_uris": tuple(found["record_uris"])}),
        created_at=created_at,
        attempts=attempts,
        next_at=next_at,
        last_error=last_error,
    )
