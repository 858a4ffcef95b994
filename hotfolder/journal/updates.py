"""Updates: what ArchivesSpace is to be told of documents after their delivery. See
``core.ports.Journal``.

A row is there from the transaction that made the fact, whether ArchivesSpace has the
document yet or not; it waits until it has. A document that is described by the record of
its spool is told of there. Of one record everything that waits is told at once: the newest
retention, each hold as it stands now. So a row that is told again changes nothing. Long,
because what is told, what waits and what is set aside are states of the same rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from hotfolder.core.canonical import dump
from hotfolder.core.changes import (
    Amendment,
    AsideChanges,
    Change,
    DocumentChanges,
    RetentionEnd,
    ToldChanges,
    ToTell,
)
from hotfolder.core.holdmark import HoldMark
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import append_links
from hotfolder.journal.outbox import insert_events
from hotfolder.journal.rows import DOCUMENT_COLUMNS, DOCUMENTS_JOINED, document_from

_SCAN = 500  # rows looked at in one read
_AGAIN = 2000  # rows in one transaction: others write in between
# Documents that the record of ``:target`` is about: itself, and those that it carries.
_ABOUT = (
    "SELECT :target UNION ALL SELECT c.number FROM documents AS t JOIN documents AS c"
    " ON c.spool = t.spool AND c.role = 'carried' WHERE t.number = :target AND t.role = 'carrier'"
)


class _Row(NamedTuple):
    number: int
    document: int
    kind: str
    body: dict[str, Any]
    attempts: int
    next_at: float | None
    created_at: float


class Updates:
    """The journal's methods about what ArchivesSpace is to be told of documents."""

    _db: Connection

    def add_changes(
        self, rows: Sequence[tuple[int, str, Mapping[str, object]]], now: float
    ) -> None:
        """Let these wait: (number of the document, kind, body)."""
        with self._db.writing() as conn:
            add_updates(conn, rows, now)

    def waiting_changes(
        self, *, after: int, limit: int, due_at: float
    ) -> tuple[list[DocumentChanges], int]:
        """What is due of up to ``limit`` documents behind row ``after``, and how far was
        looked; 0 at the end."""
        found: list[DocumentChanges] = []
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT u.number, d.record_uri IS NOT NULL AND u.aside_at IS NULL"
                "  AND (u.next_at IS NULL OR u.next_at <= ?),"
                " CASE WHEN d.role <> 'carried' THEN d.number ELSE (SELECT c.number"
                "  FROM documents AS c WHERE c.spool = d.spool AND c.role = 'carrier') END"
                " FROM updates AS u JOIN documents AS d ON d.number = u.document"
                " WHERE u.state = 'WAITING' AND u.number > ? ORDER BY u.number LIMIT ?",
                (due_at, after, _SCAN),
            ).fetchall()
            seen: set[int] = set()
            for number, is_due, target in rows:
                if is_due and target is not None and target not in seen:
                    if len(seen) == limit:
                        return found, after
                    seen.add(target)
                    changes = _changes(conn, target, due_at)
                    if changes is not None:
                        found.append(changes)
                after = number
        return found, after if len(rows) == _SCAN else 0

    def record_told(self, told: Sequence[ToldChanges], now: float) -> None:
        """These rows are done, their events wait, and the audit chain says so."""
        with self._db.writing() as conn:
            for item in told:
                done = sum(
                    conn.execute(
                        "UPDATE updates SET state = 'SENT', sent_at = ?, outcome = ?,"
                        " next_at = NULL, last_error = NULL, aside_at = NULL"
                        " WHERE number = ? AND state = 'WAITING'",
                        (now, outcome, number),
                    ).rowcount
                    for number, outcome in item.outcomes
                )
                if not done:
                    continue
                if item.event is not None:
                    insert_events(conn, item.business_unit, [item.event], now)
                append_links(conn, [("archive.told", item.subject, item.details)], now)

    def defer_changes(self, numbers: Sequence[int], error: str, next_at: float) -> None:
        """Count an attempt of these rows and note when to try again."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE updates SET attempts = attempts + 1, last_error = ?, next_at = ?"
                " WHERE number IN (SELECT j.value FROM json_each(?) AS j) AND state = 'WAITING'",
                (error, next_at, json.dumps(list(numbers))),
            )

    def set_changes_aside(self, numbers: Sequence[int], reason: str, now: float) -> None:
        """Try these rows no more until somebody acts, or more happens to the document."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE updates SET attempts = attempts + 1, last_error = ?, next_at = NULL,"
                " aside_at = ?"
                " WHERE number IN (SELECT j.value FROM json_each(?) AS j) AND state = 'WAITING'",
                (reason, now, json.dumps(list(numbers))),
            )

    def readmit_changes(self, now: float) -> int:
        """What was set aside or waits for another attempt is due now; how many rows."""
        with self._db.writing() as conn:
            return conn.execute(
                "UPDATE updates SET attempts = 0, next_at = NULL, last_error = NULL,"
                " aside_at = NULL WHERE state = 'WAITING'"
                " AND (aside_at IS NOT NULL OR next_at > ?)",
                (now,),
            ).rowcount

    def tell_again(self, since: float) -> int:
        """See ``core.changesport``."""
        return sum(self._wait_again(table, since) for table in ("updates", "outbox"))

    def _wait_again(self, table: str, since: float) -> int:
        found, after = 0, 0
        again = "state = 'WAITING', sent_at = NULL, attempts = 0, last_error = NULL"
        while True:
            with self._db.writing() as conn:
                numbers = conn.execute(
                    f"UPDATE {table} SET {again} WHERE number IN (SELECT number FROM {table}"
                    " WHERE state = 'SENT' AND sent_at >= ? AND number > ?"
                    " ORDER BY number LIMIT ?) RETURNING number",
                    (since, after, _AGAIN),
                ).fetchall()
            found += len(numbers)
            if len(numbers) < _AGAIN:
                return found
            after = max(number for (number,) in numbers)

    def count_changes(self) -> tuple[int, int]:
        """How many rows wait, of documents that are not delivered yet too, and how many
        are set aside."""
        with self._db.reading() as conn:
            waiting, aside = conn.execute(
                "SELECT (SELECT count(*) FROM updates WHERE state = 'WAITING'),"
                " (SELECT count(*) FROM updates WHERE aside_at IS NOT NULL)"
            ).fetchone()
        return int(waiting) - int(aside), int(aside)

    def has_changes_due(self, due_at: float) -> bool:
        """Whether something can be told now."""
        with self._db.reading() as conn:
            row = conn.execute(
                "SELECT 1 FROM updates AS u JOIN documents AS d ON d.number = u.document"
                " WHERE u.state = 'WAITING' AND u.aside_at IS NULL AND d.record_uri IS NOT NULL"
                " AND NOT EXISTS (SELECT 1 FROM updates AS o WHERE o.document = u.document"
                "  AND o.state = 'WAITING' AND o.next_at > ?) LIMIT 1",
                (due_at,),
            ).fetchone()
        return row is not None

    def changes_aside(self, limit: int = 100) -> list[AsideChanges]:
        """Documents whose record could not be changed, the longest ago first."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT d.identity, d.business_unit, coalesce(u.last_error, ''), min(u.aside_at)"
                " FROM updates AS u JOIN documents AS d ON d.number = u.document"
                " WHERE u.aside_at IS NOT NULL GROUP BY d.number ORDER BY min(u.number) LIMIT ?",
                (limit,),
            ).fetchall()
        return [
            AsideChanges(identity=identity, business_unit=unit, reason=reason, since=since)
            for identity, unit, reason, since in rows
        ]


def add_updates(
    conn: sqlite3.Connection,
    rows: Iterable[tuple[int, str, Mapping[str, object]]],
    now: float,
) -> None:
    """Let ArchivesSpace be told: (number of the document, kind, body), within a transaction
    of the caller. Whether it has the document yet does not matter: a row waits for it."""
    conn.executemany(
        "INSERT INTO updates (document, kind, body, created_at) VALUES (?, ?, ?, ?)",
        [(document, kind, dump(body), now) for document, kind, body in rows],
    )


def holds_of(conn: sqlite3.Connection, document: int) -> tuple[HoldMark, ...]:
    """The holds that are on a document now, or on one that its record carries."""
    rows = conn.execute(
        "SELECT DISTINCT h.number, h.id, h.matter, h.placed_at, h.source FROM hold_members AS m"
        f" JOIN holds AS h ON h.number = m.hold WHERE m.document IN ({_ABOUT})"
        " AND h.released_at IS NULL ORDER BY h.number",
        {"target": document},
    )
    return tuple(
        HoldMark(
            hold=name,
            matter=matter,
            placed_on=datetime.fromtimestamp(placed_at, UTC).date(),
            from_archive=source == "archivesspace",
        )
        for _, name, matter, placed_at, source in rows
    )


def holds_in(conn: sqlite3.Connection, unit: int) -> dict[str, tuple[HoldMark, ...]]:
    """The holds on the documents of a unit, by identity; of those alone that have any."""
    if conn.execute("SELECT 1 FROM holds WHERE released_at IS NULL LIMIT 1").fetchone() is None:
        return {}
    members = conn.execute("SELECT identity, number FROM documents WHERE unit = ?", (unit,))
    found = {identity: holds_of(conn, number) for identity, number in members.fetchall()}
    return {identity: marks for identity, marks in found.items() if marks}


def _changes(conn: sqlite3.Connection, target: int, due_at: float) -> DocumentChanges | None:
    """All that waits for a document and those that it carries; None if some of it waits
    for another attempt: nothing is told out of order."""
    rows = [
        _Row(number, document, kind, json.loads(body), attempts, next_at, created_at)
        for number, document, kind, body, attempts, next_at, created_at in conn.execute(
            "SELECT number, document, kind, body, attempts, next_at, created_at FROM updates"
            f" WHERE document IN ({_ABOUT}) AND state = 'WAITING' ORDER BY number",
            {"target": target},
        )
    ]
    if any(row.next_at is not None and row.next_at > due_at for row in rows):
        return None
    found = document_from(
        conn.execute(
            f"SELECT {DOCUMENT_COLUMNS} FROM {DOCUMENTS_JOINED} WHERE d.number = ?", (target,)
        ).fetchone()
    )
    own = [row for row in rows if row.document == target]
    ends = [_end_from(row.body) for row in own if row.kind == Change.RETENTION]
    return DocumentChanges(
        business_unit=found.business_unit,
        uri=found.record_uri or "",
        rows=tuple(_to_tell(row) for row in rows),
        attempts=max(row.attempts for row in rows),
        amendment=Amendment(
            row=found,
            retention=ends[-1] if ends else None,
            # Those before the newest may have been sent, and the answer lost.
            sent=(*_sent(conn, target), *ends[:-1]),
            holds=_marks(conn, rows),
            held=bool(holds_of(conn, target)),
            destroyed=any(row.kind == Change.DESTROYED for row in own),
        ),
    )


def _sent(conn: sqlite3.Connection, document: int) -> tuple[RetentionEnd, ...]:
    """What ArchivesSpace has of us: what was told last or, since the delivery, what the
    document was delivered with, which is a date that it had until it was confirmed."""
    archived_at, code, until = conn.execute(
        "SELECT archived_at, retention_class, retain_until FROM documents WHERE number = ?",
        (document,),
    ).fetchone()
    told = conn.execute(
        "SELECT body FROM updates WHERE document = ? AND kind = 'retention' AND state = 'SENT'"
        " AND sent_at >= coalesce(?, sent_at) ORDER BY number DESC LIMIT 1",
        (document, archived_at),
    ).fetchone()
    if told is not None:
        return (_end_from(json.loads(told[0])),)
    changes = conn.execute(
        "SELECT old, new, at FROM retention_changes WHERE document = ? AND field = 'retain_until'"
        " ORDER BY number",
        (document,),
    ).fetchall()
    days = [changes[0][0] if changes else until]
    days += [new for _, new, at in changes if archived_at is None or at <= archived_at]
    return tuple(
        RetentionEnd(retention_class=code, retain_until=_day(day)) for day in dict.fromkeys(days)
    )


def _marks(conn: sqlite3.Connection, rows: Sequence[_Row]) -> tuple[HoldMark, ...]:
    """Each hold that rows speak of, as the last of them has it."""
    last = {row.body["hold"]: row.body for row in rows if row.kind == Change.HOLD}
    placed = {
        row.body["hold"] for row in rows if row.kind == Change.HOLD and not row.body["released_on"]
    }
    sources = dict(
        conn.execute(
            "SELECT id, source FROM holds WHERE id IN (SELECT j.value FROM json_each(?) AS j)",
            (json.dumps(list(last)),),
        )
    )
    return tuple(
        HoldMark(
            hold=name,
            matter=str(body["matter"]),
            placed_on=date.fromisoformat(body["placed_on"]),
            released_on=_day(body["released_on"]),
            is_new=name in placed,
            from_archive=sources.get(name) == "archivesspace",
        )
        for name, body in last.items()
    )


def _to_tell(row: _Row) -> ToTell:
    body, kind = row.body, Change(row.kind)
    if kind is Change.HOLD:
        subject = str(body["hold"])
    elif kind is Change.DESTROYED:
        subject = str(body["disposal"])
    else:
        subject = f"{body['retention_class']} version {body['class_version']}"
    return ToTell(
        number=row.number,
        kind=kind,
        subject=subject,
        released=bool(body.get("released_on")),
        digest=str(body.get("certificate_sha256") or ""),
        created_at=row.created_at,
    )


def _end_from(body: Mapping[str, Any]) -> RetentionEnd:
    return RetentionEnd(
        retention_class=body["retention_class"],
        class_version=body["class_version"],
        retain_until=_day(body["retain_until"]),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
