"""Looking at spools and histories. See ``core.ports.Journal`` for the contract."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import HistoryRow, SpoolRow
from hotfolder.journal.connection import Connection
from hotfolder.journal.rows import SPOOL_COLUMNS, spool_from

_SHORTEST_PREFIX = 6


class Lookups:
    """The journal's methods that look at spools."""

    _db: Connection

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
        """Spools in these states; none if ``after`` is no spool's id."""
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
            # One query for each state: each walks its part of the index in order and stops.
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
            number = find_subject(conn, "spools", "id", spool_id)
            if number is None:
                return None
            return spool_from(
                conn.execute(
                    f"SELECT {SPOOL_COLUMNS} FROM spools WHERE number = ?", (number,)
                ).fetchone()
            )

    def states_of(self, spool_ids: Sequence[str]) -> dict[str, SpoolState]:
        """The states of these spools, by whole id."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT s.id, s.state FROM json_each(?) AS wanted"
                " CROSS JOIN spools AS s ON s.id = wanted.value",
                (json.dumps(list(spool_ids)),),
            ).fetchall()
        return {spool_id: SpoolState(state) for spool_id, state in rows}

    def history(self, subject: str) -> list[HistoryRow]:
        """Every step of a spool or unit."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT at, old, new, reason FROM history WHERE kind = 'spool'"
                " AND subject = (SELECT number FROM spools WHERE id = ?) ORDER BY number",
                (subject,),
            ).fetchall()
            if not rows:
                # A ref_id that was refused may have been planned again: one story.
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


def find_subject(conn: sqlite3.Connection, table: str, column: str, text: str) -> int | None:
    """The number of the row called ``text``, or whose name alone begins with it (six
    characters at least); None if there is none or several."""
    row = conn.execute(
        f"SELECT number FROM {table} WHERE {column} = ? ORDER BY number DESC LIMIT 1", (text,)
    ).fetchone()
    if row is not None:
        return int(row[0])
    if len(text) < _SHORTEST_PREFIX:
        return None
    # GLOB and LIKE would give their signs a meaning; names are ASCII, which ends before this.
    rows = conn.execute(
        f"SELECT number FROM {table} WHERE {column} >= ? AND {column} < ? LIMIT 2",
        (text, text + "\x7f"),
    ).fetchall()
    return int(rows[0][0]) if len(rows) == 1 else None
