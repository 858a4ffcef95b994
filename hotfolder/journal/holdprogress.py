"""How far a hold has come: marked in every store, told when released, lifted again. See
``core.holdingport``.

What a step has done is journalled before the next, so that a hold that a kill cut short goes
on where it was.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from hotfolder.core.holds import HoldPhase
from hotfolder.journal.connection import Connection
from hotfolder.journal.holding import tell
from hotfolder.journal.holds import HOLDS_JOINED, find_hold, hold_of
from hotfolder.journal.links import append_links

_BEFORE = {
    HoldPhase.MARKING: HoldPhase.GATHERING,
    HoldPhase.PLACED: HoldPhase.MARKING,
    HoldPhase.LIFTING: HoldPhase.TELLING,
    HoldPhase.LIFTED: HoldPhase.LIFTING,
}


class HoldProgress:
    """The journal's methods about the phases of a hold, and the marks in the stores."""

    _db: Connection

    def advance_hold(self, hold_id: str, phase: HoldPhase, now: float) -> bool:
        """See ``core.holdingport``."""
        with self._db.writing() as conn:
            number, at, _ = _progress(conn, hold_id)
            if _BEFORE.get(phase) != at:
                return False
            if phase is HoldPhase.PLACED and _spools(conn, number, "state = 'MARKING'", 1):
                return False
            if phase is HoldPhase.LIFTED and _spools(conn, number, "state <> 'LIFTED'", 1):
                return False
            done = phase in (HoldPhase.PLACED, HoldPhase.LIFTED)
            conn.execute(
                "UPDATE hold_progress SET phase = ?, acknowledged_at = ?, position = 0"
                " WHERE hold = ?",
                (phase, now if done else None, number),
            )
            if done:
                row = hold_of(conn, hold_id)
                action = "hold.applied" if phase is HoldPhase.PLACED else "hold.lifted"
                details = {"documents": row.documents, "spools": row.spools}
                append_links(conn, [(action, hold_id, details)], now)
            return True

    def spools_to_mark(self, hold_id: str, limit: int) -> list[str]:
        """See ``core.holdingport``."""
        with self._db.reading() as conn:
            row = find_hold(conn, hold_id)
            if row is None or not row.in_force:
                return []
            return _spools(conn, row.number, "state = 'MARKING'", limit)

    def record_marked(self, hold_id: str, spool_ids: Sequence[str]) -> bool:
        """See ``core.holdingport``."""
        with self._db.writing() as conn:
            row = find_hold(conn, hold_id)
            if row is None:
                return False
            # Whoever releases it meanwhile may have taken the marks away already.
            state = "MARKED" if row.in_force else "MARKING"
            _set_state(conn, row.number, spool_ids, state)
            return row.in_force

    def tell_released(self, hold_id: str, limit: int, now: float) -> bool:
        """See ``core.holdingport``."""
        with self._db.writing() as conn:
            number, phase, position = _progress(conn, hold_id)
            if phase != HoldPhase.TELLING:
                return True
            rows = conn.execute(
                "SELECT m.document, d.role FROM hold_members AS m CROSS JOIN documents AS d"
                " ON d.number = m.document WHERE m.hold = ? AND m.document > ?"
                " ORDER BY m.document LIMIT ?",
                (number, position, limit),
            ).fetchall()
            tell(conn, number, [doc for doc, role in rows if role in ("own", "carrier")], now)
            if rows:
                conn.execute(
                    "UPDATE hold_progress SET position = ? WHERE hold = ?", (rows[-1][0], number)
                )
            return len(rows) < limit

    def spools_to_lift(self, hold_id: str, limit: int) -> list[str]:
        """See ``core.holdingport``."""
        with self._db.reading() as conn:
            row = find_hold(conn, hold_id)
            if row is None or row.in_force:
                return []
            # First those that were marked while the others were being lifted.
            late = _spools(conn, row.number, "state = 'MARKING'", limit)
            position = _progress(conn, hold_id)[2] if row.phase is HoldPhase.LIFTING else 0
            return (
                late
                or _spools(conn, row.number, f"spool > {position} AND h.state <> 'LIFTED'", limit)
                # Two that release it at once may have recorded the same late ones, and so
                # gone past others.
                or _spools(conn, row.number, "state <> 'LIFTED'", limit)
            )

    def spools_of_hold(self, hold_id: str, after: int, limit: int) -> list[tuple[int, str]]:
        """See ``core.holdingport``."""
        with self._db.reading() as conn:
            return conn.execute(
                "SELECT s.number, s.id FROM holds AS g CROSS JOIN hold_spools AS h"
                " ON h.hold = g.number CROSS JOIN spools AS s ON s.number = h.spool"
                " WHERE g.id = ? AND h.spool > ? ORDER BY h.spool LIMIT ?",
                (hold_id, after, limit),
            ).fetchall()

    def record_lifted(self, hold_id: str, spool_ids: Sequence[str]) -> None:
        """See ``core.holdingport``."""
        with self._db.writing() as conn:
            row = find_hold(conn, hold_id)
            if row is not None and not row.in_force:
                # Late ones come before their turn: those before them are still to be lifted.
                conn.execute(
                    "UPDATE hold_progress SET position = max(position, (SELECT max(s.number)"
                    "  FROM json_each(:ids) AS j CROSS JOIN spools AS s ON s.id = j.value))"
                    " WHERE hold = :hold AND phase = 'LIFTING' AND NOT EXISTS (SELECT 1"
                    "  FROM json_each(:ids) AS j CROSS JOIN spools AS s ON s.id = j.value"
                    "  JOIN hold_spools AS h ON h.hold = :hold AND h.spool = s.number"
                    "  WHERE h.state = 'MARKING')",
                    {"ids": json.dumps(list(spool_ids)), "hold": row.number},
                )
                _set_state(conn, row.number, spool_ids, "LIFTED")


def _progress(conn: sqlite3.Connection, hold_id: str) -> tuple[int, HoldPhase, int]:
    row = conn.execute(
        f"SELECT h.number, p.phase, p.position FROM {HOLDS_JOINED} WHERE h.id = ?", (hold_id,)
    ).fetchone()
    if row is None:
        raise KeyError(hold_id)
    return row[0], HoldPhase(row[1]), row[2]


def _spools(conn: sqlite3.Connection, hold: int, condition: str, limit: int) -> list[str]:
    rows = conn.execute(
        "SELECT s.id FROM hold_spools AS h CROSS JOIN spools AS s ON s.number = h.spool"
        f" WHERE h.hold = ? AND h.{condition} ORDER BY h.spool LIMIT ?",
        (hold, limit),
    ).fetchall()
    return [spool_id for (spool_id,) in rows]


def _set_state(conn: sqlite3.Connection, hold: int, spool_ids: Sequence[str], state: str) -> None:
    conn.execute(
        "UPDATE hold_spools SET state = ? WHERE hold = ? AND spool IN ("
        " SELECT s.number FROM json_each(?) AS j CROSS JOIN spools AS s ON s.id = j.value)",
        (state, hold, json.dumps(list(spool_ids))),
    )
