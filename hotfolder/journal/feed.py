"""What goes downstream: our own facts, gathered from what the journal has anyway, and the
files into which facts are put, each fact into one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.facts import FactKind, FeedFact, FeedFile, FileState
from hotfolder.core.feedlines import REFERENCES
from hotfolder.journal.connection import Connection
from hotfolder.journal.facts import (
    FACT_COLUMNS,
    FACT_WIDTH,
    FACTS_JOINED,
    NEXT_NUMBER,
    fact_from,
    note_position,
    position_of,
)

_FILE_COLUMNS = (
    "number, state, facts, fields, created_at, folder, sha256, written_at, posted_at, attempts,"
    " next_at, last_error"
)
_HOLD = "(SELECT hold FROM seen_holds WHERE placed = f.number OR released = f.number)"
_PAGE = 500  # facts that are read at a time
_CHANGES, _DUE = "changes", "due"  # names of positions
_ACTOR = "hotfolder"
_DOCUMENT = {
    name: f"d.{name}" if inside is None else f"json_extract(d.metadata, '$.{inside}')"
    for name, inside in REFERENCES.items()
}


class Feed:
    """The journal's methods about the feed."""

    _db: Connection

    # -- our own facts -------------------------------------------------------------------
    def collect_changes(self, limit: int, now: float) -> int:
        """Turn a page of the history of dates and dispositions into facts; returns how
        many rows were looked at. A destruction waits for its certificate."""
        looked = 0
        with self._db.writing() as conn:
            after = position_of(conn, _CHANGES).get("after", 0)
            rows = conn.execute(
                "SELECT c.number, c.document, c.at, c.field, c.old, c.new, d.business_unit,"
                " d.identity FROM retention_changes AS c JOIN documents AS d"
                " ON d.number = c.document WHERE c.number > ? ORDER BY c.number LIMIT ?",
                (after, limit),
            ).fetchall()
            for number, document, at, name, old, new, unit, identity in rows:
                told = _told_by(conn, document, name, old, new)
                if told is not None:
                    kind, body = told
                    if body is None:
                        break  # its disposal goes on
                    key = f"{kind}|{identity}|{number}"
                    _insert_own(conn, key, kind, (unit, document), at, body, now)
                after = number
                looked += 1
            if looked:
                note_position(conn, _CHANGES, {"after": after})
        return looked

    def collect_due(self, today: date, limit: int, now: float) -> int:
        """Turn a page of what is due into facts; returns how many documents it had. A day
        that was gone through is gone through again on the next, from the beginning: a
        document may come to be due long after its day."""
        day = today.toordinal()
        with self._db.writing() as conn:
            position = position_of(conn, _DUE)
            if position.get("day", 0) > day or (
                position.get("day") == day and position.get("done")
            ):
                return 0
            begun = position.get("day") == day
            until = date.fromordinal(position["until"]).isoformat() if begun else ""
            after = position["after"] if begun else 0
            rows = conn.execute(
                "SELECT number, retain_until, business_unit, identity FROM documents"
                " WHERE disposition = 'kept' AND retain_until IS NOT NULL AND retain_until < ?"
                " AND (retain_until, number) > (?, ?) AND live = 1"
                " ORDER BY retain_until, number LIMIT ?",
                (today.isoformat(), until, after, limit),
            ).fetchall()
            for number, ends, unit, identity in rows:
                key = f"{FactKind.DOCUMENT_DUE}|{identity}|{ends}"
                body = {"retain_until": ends}
                _insert_own(conn, key, FactKind.DOCUMENT_DUE, (unit, number), now, body, now)
            last = rows[-1] if rows else None
            note_position(
                conn,
                _DUE,
                {
                    "day": day,
                    "until": date.fromisoformat(last[1]).toordinal() if last else 1,
                    "after": last[0] if last else 0,
                    "done": int(len(rows) < limit),
                },
            )
        return len(rows)

    # -- files ---------------------------------------------------------------------------
    def plan_feed_file(
        self, kinds: Collection[str], fields: Sequence[str], limit: int, now: float
    ) -> FeedFile | None:
        """Choose the oldest facts that are in no file for the next one; None if there are
        none. Those of other kinds are passed over for good."""
        with self._db.writing() as conn:
            if kinds:
                conn.execute(
                    "UPDATE facts SET file = 0 WHERE file IS NULL AND state <> 'WAITING'"
                    " AND kind NOT IN (SELECT value FROM json_each(?))",
                    (json.dumps(sorted(kinds)),),
                )
            chosen = conn.execute(
                "SELECT number FROM facts WHERE file IS NULL AND state <> 'WAITING'"
                " ORDER BY number LIMIT ?",
                (limit,),
            ).fetchall()
            if not chosen:
                return None
            (number,) = conn.execute(
                "INSERT INTO feed_files (number, facts, fields, created_at)"
                " SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM feed_files RETURNING number",
                (len(chosen), dump(list(fields)), now),
            ).fetchone()
            conn.executemany(
                "UPDATE facts SET file = ? WHERE number = ?",
                [(number, fact) for (fact,) in chosen],
            )
            return _file(conn, "number = ?", number)

    def has_unfed_facts(self) -> bool:
        """Whether a fact that is at its end is in no file, or a file is not written."""
        with self._db.reading() as conn:
            return (
                conn.execute(
                    "SELECT 1 FROM facts WHERE file IS NULL AND state <> 'WAITING' UNION ALL"
                    " SELECT 1 FROM feed_files WHERE state <> 'WRITTEN' LIMIT 1"
                ).fetchone()
                is not None
            )

    def unwritten_feed_file(self) -> FeedFile | None:
        """The file that is not written, if there is one."""
        with self._db.reading() as conn:
            return _file(conn, "state <> 'WRITTEN' ORDER BY number LIMIT 1")

    def feed_file(self, number: int) -> FeedFile | None:
        """One file."""
        with self._db.reading() as conn:
            return _file(conn, "number = ?", number)

    def feed_files(self, *, after: int = 0, limit: int = 100) -> list[FeedFile]:
        """Files, by number."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_FILE_COLUMNS} FROM feed_files WHERE number > ? ORDER BY number LIMIT ?",
                (after, limit),
            ).fetchall()
        return [_file_from(row) for row in rows]

    def feed_facts(self, number: int) -> Iterator[FeedFact]:
        """The facts of a file in order, in flat memory."""
        columns = ", ".join(f"{text} AS {name}" for name, text in _DOCUMENT.items())
        after = 0
        while True:
            with self._db.reading() as conn:
                rows = conn.execute(
                    f"SELECT {FACT_COLUMNS}, {_HOLD}, {columns} FROM {FACTS_JOINED}"
                    " WHERE f.file = ? AND f.number > ? ORDER BY f.number LIMIT ?",
                    (number, after, _PAGE),
                ).fetchall()
            for row in rows:
                yield FeedFact(
                    fact=fact_from(row[:FACT_WIDTH]),
                    hold=row[FACT_WIDTH] or "",
                    references={
                        name: str(value)
                        for name, value in zip(_DOCUMENT, row[FACT_WIDTH + 1 :], strict=True)
                        if value is not None
                    },
                )
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def stage_feed_file(self, number: int, sha256: str, folder: tuple[int, int]) -> None:
        """It is on disk under temporary names in this folder (device, inode)."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE feed_files SET state = 'STAGED', sha256 = ?, folder = ?"
                " WHERE number = ? AND state <> 'WRITTEN'",
                (sha256, json.dumps(list(folder)), number),
            )

    def record_feed_file(self, number: int, now: float) -> None:
        """It has its names. Harmless to repeat."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE feed_files SET state = 'WRITTEN', written_at = ?"
                " WHERE number = ? AND state = 'STAGED'",
                (now, number),
            )

    # -- the callback --------------------------------------------------------------------
    def unposted_feed_file(self) -> FeedFile | None:
        """The oldest written file that the callback has not taken."""
        with self._db.reading() as conn:
            return _file(conn, "posted_at IS NULL AND state = 'WRITTEN' ORDER BY number LIMIT 1")

    def record_posted(self, number: int, now: float) -> None:
        """The callback has taken it. Harmless to repeat."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE feed_files SET posted_at = ?, next_at = NULL, last_error = NULL"
                " WHERE number = ? AND posted_at IS NULL AND state = 'WRITTEN'",
                (now, number),
            )

    def defer_post(self, number: int, error: str, next_at: float) -> None:
        """Count an attempt and note when to try again."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE feed_files SET attempts = attempts + 1, last_error = ?, next_at = ?"
                " WHERE number = ? AND posted_at IS NULL",
                (error, next_at, number),
            )

    def hasten_posts(self, now: float) -> int:
        """Let what waits for another attempt be posted at once; returns how many."""
        with self._db.writing() as conn:
            return conn.execute(
                "UPDATE feed_files SET next_at = ? WHERE posted_at IS NULL AND next_at > ?",
                (now, now),
            ).rowcount


def _told_by(
    conn: sqlite3.Connection, document: int, name: str, old: str | None, new: str | None
) -> tuple[FactKind, Mapping[str, object] | None] | None:
    """The fact that a row of the history is, and its body; None as body if it is to wait."""
    if name == "cutoff" and new is not None:
        return FactKind.CLOCK_STARTED, {"old": old or "", "new": new}
    if name == "retain_until":
        return FactKind.DATE_CHANGED, {"old": old or "", "new": new or ""}
    if name == "disposition" and new == "withheld":
        return FactKind.DOCUMENT_WITHHELD, _disposal_of(conn, document, finished=False)
    if name == "disposition" and new == "destroyed":
        return FactKind.DOCUMENT_DESTROYED, _disposal_of(conn, document, finished=True)
    return None


def _disposal_of(
    conn: sqlite3.Connection, document: int, *, finished: bool
) -> Mapping[str, object] | None:
    """Which disposal it was, and the digest of the certificate; None if that is to come."""
    row = conn.execute(
        "SELECT d.id, d.certificate_sha256 FROM disposal_members AS m JOIN disposals AS d"
        " ON d.number = m.disposal WHERE m.document = ? AND d.state IN ('EXECUTING', 'DONE')"
        " ORDER BY d.number DESC LIMIT 1",
        (document,),
    ).fetchone()
    if row is None:
        return {}
    if not finished:
        return {"disposal": row[0]}
    return None if row[1] is None else {"disposal": row[0], "certificate_sha256": row[1]}


def _insert_own(
    conn: sqlite3.Connection,
    key: str,
    kind: FactKind,
    document: tuple[str, int],
    at: float,
    body: Mapping[str, object],
    now: float,
) -> None:
    conn.execute(
        "INSERT INTO facts (number, key, kind, source, business_unit, document, actor, at,"
        f" recorded_at, body, updated_at) SELECT {NEXT_NUMBER}, ?, ?, 'hotfolder', ?, ?, ?, ?,"
        " ?, ?, ? WHERE true ON CONFLICT (key) DO NOTHING",
        (key, kind, *document, _ACTOR, at, now, dump(dict(body)), now),
    )


def _file(conn: sqlite3.Connection, where: str, *values: object) -> FeedFile | None:
    row = conn.execute(f"SELECT {_FILE_COLUMNS} FROM feed_files WHERE {where}", values).fetchone()
    return None if row is None else _file_from(row)


def _file_from(row: Sequence[Any]) -> FeedFile:
    folder = json.loads(row[5]) if row[5] else None
    return FeedFile(
        number=row[0],
        state=FileState(row[1]),
        facts=row[2],
        fields=tuple(json.loads(row[3])),
        created_at=row[4],
        folder=(folder[0], folder[1]) if folder else None,
        sha256=row[6] or "",
        written_at=row[7],
        posted_at=row[8],
        attempts=row[9],
        next_at=row[10],
        last_error=row[11] or "",
    )
