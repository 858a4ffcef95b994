"""Legal holds: placed, gathered, released. See ``core.holdingport``; how far one has come
is in ``holdprogress``.

A hold is in force with the transaction that journals it. Its members are written down
afterwards, a page in each transaction, because there may be millions of them; until then
its criteria hold them (``holding.holds_upon``).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hotfolder.core.errors import OperatorFault
from hotfolder.core.holds import (
    Coverage,
    Criteria,
    HoldPhase,
    HoldRow,
    NewHold,
    dump_criteria,
)
from hotfolder.journal.connection import Connection
from hotfolder.journal.holdcandidates import GONE, NAMED, candidates
from hotfolder.journal.holding import join_hold, read_criteria
from hotfolder.journal.links import append_links
from hotfolder.journal.rows import OF_IDENTITY

_COLUMNS = (
    "h.number, h.id, h.matter, h.mandate, h.originator, h.reason, h.criteria, h.source,"
    " h.placed_at, h.placed_by, h.released_at, h.released_by, h.release_reason,"
    " p.phase, p.documents, p.spools, p.acknowledged_at"
)
HOLDS_JOINED = "holds AS h JOIN hold_progress AS p ON p.hold = h.number"


class Holds:
    """The journal's methods about legal holds."""

    _db: Connection

    def place_hold(self, hold: NewHold, now: float) -> HoldRow:
        """See ``core.holdingport``."""
        with self._db.writing() as conn:
            known = find_hold(conn, hold.id)
            if known is not None:
                return known
            wanted = _with_carried(conn, hold.criteria)
            criteria = dump_criteria(wanted)
            _refuse_too_late(conn, wanted.identities)
            conn.execute(
                "INSERT INTO holds (id, matter, mandate, originator, reason, criteria, source,"
                " placed_at, placed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    hold.id,
                    hold.matter,
                    hold.mandate,
                    hold.originator,
                    hold.reason,
                    criteria,
                    hold.source,
                    now,
                    hold.actor,
                ),
            )
            # What the criteria say may be a customer's number; that they were these can be
            # shown by their digest.
            details = {
                "matter": hold.matter,
                "mandate": hold.mandate,
                "source": hold.source,
                "criteria": sorted(json.loads(criteria)),
                "criteria_sha256": hashlib.sha256(criteria.encode()).hexdigest(),
            }
            append_links(conn, [("hold.placed", hold.id, details)], now, hold.actor)
            return hold_of(conn, hold.id)

    def release_hold(self, hold_id: str, actor: str, reason: str, now: float) -> HoldRow | None:
        """See ``core.holdingport``."""
        with self._db.writing() as conn:
            changed = conn.execute(
                "UPDATE holds SET released_at = ?, released_by = ?, release_reason = ?"
                " WHERE id = ? AND released_at IS NULL",
                (now, actor, reason, hold_id),
            ).rowcount
            row = find_hold(conn, hold_id)
            if changed and row is not None:
                details = {"matter": row.matter, "documents": row.documents, "spools": row.spools}
                append_links(conn, [("hold.released", hold_id, details)], now, actor)
            return row

    # -- looking ----------------------------------------------------------------------
    def get_hold(self, hold_id: str) -> HoldRow | None:
        """See ``core.holdingport``."""
        with self._db.reading() as conn:
            return find_hold(conn, hold_id)

    def holds(self, *, released: bool = False, after: int = 0, limit: int = 1000) -> list[HoldRow]:
        """See ``core.holdingport``."""
        which = "" if released else " AND h.released_at IS NULL"
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM {HOLDS_JOINED} WHERE h.number > ?{which}"
                " ORDER BY h.number LIMIT ?",
                (after, limit),
            ).fetchall()
        return [_row_from(row) for row in rows]

    def unfinished_holds(self, limit: int = 100) -> list[HoldRow]:
        """See ``core.holdingport``."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM {HOLDS_JOINED} WHERE h.number IN ("
                " SELECT hold FROM hold_progress WHERE phase NOT IN ('PLACED', 'LIFTED')"
                " UNION SELECT hold FROM hold_spools WHERE state = 'MARKING')"
                " ORDER BY h.number LIMIT ?",
                (limit,),
            ).fetchall()
        return [_row_from(row) for row in rows]

    def holds_of(self, identity: str, *, released: bool = False) -> list[HoldRow]:
        """See ``core.holdingport``."""
        which = "" if released else " AND h.released_at IS NULL"
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM {HOLDS_JOINED} WHERE h.number IN ("
                f" SELECT m.hold FROM hold_members AS m WHERE m.document IN ({OF_IDENTITY}))"
                f"{which} ORDER BY h.number",
                {"identity": identity},
            ).fetchall()
        return [_row_from(row) for row in rows]

    def holds_upon_documents(self, identities: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """See ``core.holdingport``."""
        names = json.dumps(list(identities))
        found: dict[str, list[str]] = {}
        with self._db.reading() as conn:
            for identity, hold in conn.execute(
                "SELECT d.identity, h.id FROM documents AS d CROSS JOIN hold_members AS m"
                " ON m.document = d.number CROSS JOIN holds AS h ON h.number = m.hold"
                f" WHERE {NAMED} AND h.released_at IS NULL ORDER BY h.number",
                (names, names),
            ):
                found.setdefault(identity, []).append(hold)
        return {identity: tuple(dict.fromkeys(holds)) for identity, holds in found.items()}

    def held_documents(self, hold_id: str, *, after: int = 0, limit: int = 100) -> list[str]:
        """See ``core.holdingport``."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT d.identity FROM holds AS h CROSS JOIN hold_members AS m"
                " ON m.hold = h.number CROSS JOIN documents AS d ON d.number = m.document"
                " WHERE h.id = ? AND d.role <> 'carrier' ORDER BY m.document LIMIT ? OFFSET ?",
                (hold_id, limit, after),
            ).fetchall()
        return [identity for (identity,) in rows]

    def last_document(self) -> int:
        """See ``core.holdingport``."""
        with self._db.reading() as conn:
            return int(conn.execute("SELECT coalesce(max(number), 0) FROM documents").fetchone()[0])

    # -- members ----------------------------------------------------------------------
    def hold_coverage(self, criteria: Criteria) -> Coverage:
        """See ``core.holdingport``."""
        documents = too_late = 0
        with self._db.apart() as conn:
            # Of its own connection: so many numbers, and none twice.
            conn.execute("CREATE TEMP TABLE held_spools (spool INTEGER PRIMARY KEY)")
            for page in candidates(conn, criteria, 1000):
                kept = [spool for _, spool, gone in page if not gone]
                documents += len(kept)
                too_late += len(page) - len(kept)
                conn.executemany(
                    "INSERT OR IGNORE INTO held_spools VALUES (?)", [(spool,) for spool in kept]
                )
            (spools,) = conn.execute("SELECT count(*) FROM held_spools").fetchone()
        return Coverage(documents=documents, spools=spools, too_late=too_late)

    def hold_candidates(self, hold_id: str, page: int) -> Iterator[list[int]]:
        """See ``core.holdingport``."""
        with self._db.apart() as conn:
            row = find_hold(conn, hold_id)
            if row is None or not row.in_force:
                return
            for found in candidates(conn, row.criteria, page):
                yield [number for number, _, gone in found if not gone]

    def add_members(self, hold_id: str, numbers: Sequence[int], now: float) -> int:
        """See ``core.holdingport``."""
        with self._db.writing() as conn:
            row = find_hold(conn, hold_id)
            if row is None or not row.in_force:
                return 0
            return join_hold(conn, row.number, numbers, now)


def find_hold(conn: sqlite3.Connection, hold_id: str) -> HoldRow | None:
    """The hold, or None."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM {HOLDS_JOINED} WHERE h.id = ?", (hold_id,)
    ).fetchone()
    return None if row is None else _row_from(row)


def hold_of(conn: sqlite3.Connection, hold_id: str) -> HoldRow:
    """The hold; ``KeyError`` if there is none."""
    row = find_hold(conn, hold_id)
    if row is None:
        raise KeyError(hold_id)
    return row


def _row_from(row: Sequence[Any]) -> HoldRow:
    return HoldRow(
        number=row[0],
        id=row[1],
        matter=row[2],
        mandate=row[3],
        originator=row[4],
        reason=row[5],
        criteria=read_criteria(row[1], row[6]),
        source=row[7],
        placed_at=row[8],
        placed_by=row[9],
        released_at=row[10],
        released_by=row[11],
        release_reason=row[12],
        phase=HoldPhase(row[13]),
        documents=row[14],
        spools=row[15],
        acknowledged_at=row[16],
    )


def _with_carried(conn: sqlite3.Connection, criteria: Criteria) -> Criteria:
    """What stands for a whole spool names the documents in it, too."""
    names = json.dumps(list(criteria.identities))
    rows = conn.execute(
        "SELECT c.identity FROM documents AS d CROSS JOIN documents AS c ON c.spool = d.spool"
        f" WHERE {NAMED} AND d.role = 'carrier' AND c.role = 'carried'"
        " AND c.disposition NOT IN (?, ?) ORDER BY c.number",
        (names, names, *GONE),
    ).fetchall()
    found = dict.fromkeys([*criteria.identities, *(name for (name,) in rows)])
    return replace(criteria, identities=tuple(found))


def _refuse_too_late(conn: sqlite3.Connection, identities: Sequence[str]) -> None:
    row = conn.execute(
        "SELECT d.identity, (SELECT s.id FROM disposal_members AS m JOIN disposals AS s"
        "  ON s.number = m.disposal WHERE m.document = d.number ORDER BY m.disposal DESC LIMIT 1)"
        f" FROM documents AS d WHERE {NAMED} AND d.disposition IN (?, ?) LIMIT 1",
        (*[json.dumps(list(identities))] * 2, *GONE),
    ).fetchone()
    if row is not None:
        identity, disposal = row
        raise OperatorFault(
            f"too late: {identity} is being destroyed, or was, under {disposal}",
            hint="leave it out, and place the hold on the others",
            code="hold.too_late",
        )
