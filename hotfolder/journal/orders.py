"""Orders to give a document back, and their ends. See ``core.ports.Journal``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.orders import Fate, NewOrder, OrderRow, OrderState, Staged
from hotfolder.core.records import HistoryRow
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import append_links
from hotfolder.journal.lookups import find_subject

ORDER_COLUMNS = (
    "o.id, o.identity, o.profile, o.why, o.actor,"
    " (SELECT r.id FROM requests AS r WHERE r.number = o.request), o.state, o.staged, o.fate,"
    " o.unknown, o.created_at, o.updated_at, o.attempts, o.next_at, o.last_error"
)
_STILL_OPEN = "state IN ('ORDERED', 'STAGED')"  # as the partial index has it
_LONGEST_ERROR = 2000  # characters


class Orders:
    """The journal's methods about orders."""

    _db: Connection

    def add_order(self, order: NewOrder, now: float) -> None:
        """A new order, ORDERED."""
        with self._db.writing() as conn:
            insert_order(conn, order, None, now)

    def stage_order(self, order_id: str, staged: Staged, now: float) -> None:
        """ORDERED to STAGED: its files are durable under their temporary names."""
        with self._db.writing() as conn:
            _move(conn, order_id, OrderState.STAGED, "", now, staged=dump(asdict(staged)))

    def give_order(self, order_id: str, reason: str, now: float) -> None:
        """STAGED to GIVEN, with its link on the audit chain."""
        with self._db.writing() as conn:
            _move(conn, order_id, OrderState.GIVEN, reason, now, fate=Fate.GIVEN)
            row = _get(conn, order_id)
            assert row.staged is not None
            details: dict[str, object] = {
                "to": row.to,
                "order": row.id,
                "sha256": row.staged.sha256,
                "form": row.staged.form,
                "derived": row.staged.derived,
                "reason": row.reason,
            }
            if row.request is not None:
                details["request"] = row.request
            append_links(conn, [("document.returned", row.identity, details)], now, row.actor)

    def fail_order(self, order_id: str, fate: Fate, reason: str, now: float) -> None:
        """An open order to FAILED, with its link on the audit chain."""
        with self._db.writing() as conn:
            _move(conn, order_id, OrderState.FAILED, reason, now, fate=fate)
            row = _get(conn, order_id)
            details = {"code": str(fate), "to": row.to, "order": row.id}
            append_links(conn, [("retrieval.refused", row.identity, details)], now, row.actor)

    def defer_order(
        self, order_id: str, error: str, next_at: float, now: float, *, unknown: bool = False
    ) -> None:
        """Count an attempt of an open order and note when to try again; ``unknown`` says
        that the receiver may have it."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE orders SET attempts = attempts + 1, unknown = unknown + ?,"
                " last_error = ?, next_at = ?, updated_at = ?"
                f" WHERE id = ? AND {_STILL_OPEN}",
                (int(unknown), error[:_LONGEST_ERROR], next_at, now, order_id),
            )

    def hasten_orders(self, now: float) -> int:
        """Make every open order due now; returns how many had waited."""
        with self._db.writing() as conn:
            return conn.execute(
                "UPDATE orders SET next_at = NULL, updated_at = ?"
                f" WHERE {_STILL_OPEN} AND next_at IS NOT NULL",
                (now,),
            ).rowcount

    # -- looking --------------------------------------------------------------------
    def open_orders(self, *, due_at: float | None = None, limit: int = 1000) -> list[OrderRow]:
        """Orders that are ORDERED or STAGED, oldest first; with ``due_at`` only those
        whose time has come."""
        due = " AND (o.next_at IS NULL OR o.next_at <= :due)" if due_at is not None else ""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {ORDER_COLUMNS} FROM orders AS o WHERE o.{_STILL_OPEN}{due}"
                " ORDER BY o.number LIMIT :limit",
                {"due": due_at, "limit": limit},
            ).fetchall()
        return [order_from(row) for row in rows]

    def orders(
        self, *, request: str | None = None, identity: str | None = None, limit: int = 1000
    ) -> list[OrderRow]:
        """Orders of a request or of a document, oldest first; of all, the newest first."""
        conditions, values, order = ["1 = 1"], [], "DESC"
        if request is not None:
            conditions.append("o.request = (SELECT number FROM requests WHERE id = ?)")
            values.append(request)
            order = "ASC"
        if identity is not None:
            conditions.append("o.identity = ?")
            values.append(identity)
            order = "ASC"
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {ORDER_COLUMNS} FROM orders AS o WHERE {' AND '.join(conditions)}"
                f" ORDER BY o.number {order} LIMIT ?",
                [*values, limit],
            ).fetchall()
        return [order_from(row) for row in rows]

    def get_order(self, order_id: str) -> OrderRow | None:
        """One order, by its id or a unique prefix of it, or None."""
        with self._db.reading() as conn:
            number = find_subject(conn, "orders", "id", order_id)
            if number is None:
                return None
            return order_from(
                conn.execute(
                    f"SELECT {ORDER_COLUMNS} FROM orders AS o WHERE o.number = ?", (number,)
                ).fetchone()
            )

    def steps(self, subject: str) -> list[HistoryRow]:
        """Every step of an order or a request (by whole id), oldest first."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT s.at, s.old, s.new, s.reason FROM steps AS s"
                " WHERE (s.kind, s.subject) IN ("
                "  SELECT 'order', number FROM orders WHERE id = :id UNION ALL"
                "  SELECT 'request', number FROM requests WHERE id = :id) ORDER BY s.number",
                {"id": subject},
            ).fetchall()
        return [
            HistoryRow(at=at, subject=subject, old=old, new=new, reason=reason)
            for at, old, new, reason in rows
        ]


def insert_order(
    conn: sqlite3.Connection, order: NewOrder, request: int | None, now: float
) -> None:
    """Insert an order in a transaction of the caller's."""
    conn.execute(
        "INSERT INTO orders (id, identity, profile, why, actor, request, state, created_at,"
        " updated_at) VALUES (?, ?, ?, ?, ?, ?, 'ORDERED', ?, ?)",
        (order.id, order.identity, order.to, order.reason, order.actor, request, now, now),
    )


def order_from(row: Sequence[Any]) -> OrderRow:
    """An ``OrderRow`` from ``ORDER_COLUMNS``."""
    return OrderRow(
        id=row[0],
        identity=row[1],
        to=row[2],
        reason=row[3],
        actor=row[4],
        request=row[5],
        state=OrderState(row[6]),
        staged=None if row[7] is None else _staged_from(json.loads(row[7])),
        fate=None if row[8] is None else Fate(row[8]),
        unknown=row[9],
        created_at=row[10],
        updated_at=row[11],
        attempts=row[12],
        next_at=row[13],
        last_error=row[14],
    )


def _staged_from(found: Mapping[str, Any]) -> Staged:
    files = tuple((temporary, final) for temporary, final in found["files"])
    return Staged(**{**found, "files": files})


def _move(
    conn: sqlite3.Connection,
    order_id: str,
    new: OrderState,
    reason: str,
    now: float,
    *,
    staged: str | None = None,
    fate: Fate | None = None,
) -> None:
    changed = conn.execute(
        "UPDATE orders SET state = ?, reason = ?, updated_at = ?, fate = ?,"
        " staged = coalesce(?, staged), attempts = 0, next_at = NULL,"
        " last_error = CASE WHEN ? = 'FAILED' THEN ? END WHERE id = ?",
        (new, reason[:_LONGEST_ERROR], now, fate, staged, new, reason[:_LONGEST_ERROR], order_id),
    ).rowcount
    if not changed:
        raise ValueError(f"no order {order_id}")


def _get(conn: sqlite3.Connection, order_id: str) -> OrderRow:
    return order_from(
        conn.execute(
            f"SELECT {ORDER_COLUMNS} FROM orders AS o WHERE o.id = ?", (order_id,)
        ).fetchone()
    )
