"""The audit chain: append-only, each row with the hash of the one before."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.errors import Corrupt
from hotfolder.core.records import AuditRow
from hotfolder.journal.connection import Connection

_START = "0" * 64
_PAGE = 1000


class Audit:
    """The journal's methods about the audit chain."""

    _db: Connection

    def append_audit(
        self, actor: str, action: str, subject: str, details: Mapping[str, object], now: float
    ) -> AuditRow:
        """Add a link to the chain."""
        with self._db.writing() as conn:
            return append_links(conn, [(action, subject, details)], now, actor)[0]

    def audit(self, *, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        """Links with a number greater than ``after``."""
        with self._db.reading() as conn:
            rows = _links(conn, after, limit)
        return [
            AuditRow(
                number=row[0],
                at=row[1],
                actor=row[2],
                action=row[3],
                subject=row[4],
                details=json.loads(row[5]),
                previous=row[6],
                digest=row[7],
            )
            for row in rows
        ]

    def verify_chain(self) -> int:
        """Recompute every link; returns how many there are. Raises ``Corrupt``.

        Shows a link that was changed, put in or taken out. Links cut off at the end are
        shown only by a backup or an export that still has them.
        """
        after, previous = 0, _START
        while True:
            with self._db.reading() as conn:
                rows = _links(conn, after, _PAGE)
            if not rows:
                return after
            for row in rows:
                number, at, actor, action, subject, details, before, digest = row
                expected = digest_of(number, at, actor, action, subject, details, previous)
                if number != after + 1 or before != previous or digest != expected:
                    raise Corrupt(
                        f"the audit chain is broken at link {number}",
                        hint="compare with a backup: somebody changed the journal by hand",
                        code="audit.broken",
                    )
                after, previous = number, digest


def append_links(
    conn: sqlite3.Connection,
    links: Sequence[tuple[str, str, Mapping[str, object]]],
    now: float,
    actor: str,
) -> list[AuditRow]:
    """Add links (action, subject, details) in a transaction that changes something else
    too: all of it or nothing."""
    at = float(now)  # as the column has it: 1 and 1.0 are not the same text
    last = conn.execute("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    number, previous = (0, _START) if last is None else last
    rows: list[AuditRow] = []
    for action, subject, details in links:
        number += 1
        text = dump(dict(details))
        digest = digest_of(number, at, actor, action, subject, text, previous)
        conn.execute(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (number, at, actor, action, subject, text, previous, digest),
        )
        rows.append(
            AuditRow(
                number=number,
                at=at,
                actor=actor,
                action=action,
                subject=subject,
                details=json.loads(text),
                previous=previous,
                digest=digest,
            )
        )
        previous = digest
    return rows


def _links(conn: sqlite3.Connection, after: int, limit: int) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT number, at, actor, action, subject, details, previous, digest FROM audit"
        " WHERE number > ? ORDER BY number LIMIT ?",
        (after, limit),
    ).fetchall()


def digest_of(
    number: int, at: float, actor: str, action: str, subject: str, details: str, previous: str
) -> str:
    """SHA-256 over the canonical JSON of a link, hex; ``details`` is the text as stored."""
    link = [number, at, actor, action, subject, details, previous]
    return hashlib.sha256(dump(link).encode()).hexdigest()
