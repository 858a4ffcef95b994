"""Units: planned, sent, confirmed, refused, lost. See ``core.ports.Journal``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from hotfolder.core.identity import unit_ref_id
from hotfolder.core.lifecycle import UnitState
from hotfolder.core.records import Backlog, UnitRequest, UnitRow
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import append_links
from hotfolder.journal.membership import (
    confirmed_details,
    deliver_if_complete,
    dissolve_planned_units,
    dissolve_unit,
    insert_unit,
    let_wait,
    lose_record,
    members_of,
    record_uris,
    refuse_unit,
)
from hotfolder.journal.rows import (
    DOCUMENT_COLUMNS,
    DOCUMENTS_JOINED,
    UNIT_COLUMNS,
    document_from,
    unit_from,
)
from hotfolder.journal.updates import holds_in

_PAGE = 200


class Units:
    """The journal's methods about units."""

    _db: Connection

    def backlogs(self) -> list[Backlog]:
        """Series and cycles with documents that wait, oldest first."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT b.business_unit, b.series, b.cycle, b.waiting,"
                " (SELECT d.stored_at FROM documents AS d WHERE d.waiting = 1"
                "  AND d.business_unit = b.business_unit AND d.series = b.series"
                "  AND d.cycle = b.cycle ORDER BY d.number LIMIT 1) AS oldest"
                " FROM backlog AS b ORDER BY oldest"
            ).fetchall()
        return [
            Backlog(business_unit=unit, series=series, cycle=cycle, waiting=waiting, oldest_at=at)
            for unit, series, cycle, waiting, at in rows
        ]

    def plan_unit(
        self, business_unit: str, series: str, cycle: str, limit: int, now: float
    ) -> UnitRow | None:
        """Take up to ``limit`` waiting documents into a new PLANNED unit."""
        if limit < 1:
            raise ValueError("a unit has at least one document")
        place = (business_unit, series, cycle)
        with self._db.writing() as conn:
            numbers = [
                row[0]
                for row in conn.execute(
                    "SELECT number FROM documents WHERE waiting = 1 AND business_unit = ?"
                    " AND series = ? AND cycle = ? ORDER BY number LIMIT ?",
                    (*place, limit),
                )
            ]
            if not numbers:
                return None
            return _load(conn, insert_unit(conn, place, numbers, now))

    def plan_units_of(
        self, groups: Sequence[Sequence[str]], refused: str, reason: str, now: float
    ) -> list[UnitRow]:
        """Refuse a unit and plan one for each group of its identities."""
        with self._db.writing() as conn:
            unit, place = _find(conn, refused)
            numbers = dict(
                conn.execute(
                    "SELECT identity, number FROM documents WHERE unit = ? AND record_uri IS NULL",
                    (unit,),
                )
            )
            wanted = [identity for group in groups for identity in group]
            if len(set(wanted)) != len(wanted) or not all(groups):
                raise ValueError("the groups overlap, or one is empty")
            strangers = [identity for identity in wanted if identity not in numbers]
            if strangers:
                raise ValueError(f"{strangers[0]} waits in no unit {refused}")
            refuse_unit(conn, unit, reason, now)
            planned = [
                insert_unit(
                    conn, place, [numbers[identity] for identity in group], now, f"from {refused}"
                )
                for group in groups
            ]
            for number in numbers.values():
                let_wait(conn, number)
            return [_load(conn, number) for number in planned]

    def mark_sent(self, ref_id: str, now: float) -> None:
        """PLANNED to SENT, or one more attempt of a SENT unit."""
        with self._db.writing() as conn:
            unit, _ = _find(conn, ref_id)
            moved = conn.execute(
                "UPDATE units SET state = 'SENT', reason = '', sent_at = ?, updated_at = ?"
                " WHERE number = ? AND state <> 'SENT'",
                (now, now, unit),
            ).rowcount
            if not moved:
                conn.execute(
                    "UPDATE units SET sent_at = ?, updated_at = ? WHERE number = ?",
                    (now, now, unit),
                )

    def confirm_unit(
        self, ref_id: str, unit_uri: str | None, uris: Mapping[str, str], now: float
    ) -> list[str]:
        """To CONFIRMED; complete spools become DELIVERED. Members that ``uris`` does not
        name leave the unit and wait for another."""
        with self._db.writing() as conn:
            unit, _ = _find(conn, ref_id)
            conn.execute(
                "UPDATE units SET state = 'CONFIRMED', reason = '', confirmed_at = ?,"
                " updated_at = ?, next_at = NULL, last_error = NULL, archival_object_uri = ?"
                " WHERE number = ?",
                (now, now, unit_uri, unit),
            )
            spools = record_uris(conn, uris, unit, now)
            append_links(conn, [("unit.confirmed", ref_id, confirmed_details(uris))], now)
            left = conn.execute(
                "UPDATE documents SET unit = NULL, position = NULL"
                " WHERE unit = ? AND record_uri IS NULL RETURNING number",
                (unit,),
            ).fetchall()
            for (number,) in left:
                let_wait(conn, number)
            return deliver_if_complete(conn, spools, now)

    def confirm_documents(self, uris: Mapping[str, str], now: float) -> list[str]:
        """Documents found on the server outside any unit of ours.

        A PLANNED unit with one of them is REFUSED, for its ref_id is a function of all
        members, and the others wait again; a SENT one keeps them until it is answered. The
        audit chain names them by the ref_id that a unit of them would have.
        """
        if not uris:
            return []
        with self._db.writing() as conn:
            spools = record_uris(conn, uris, None, now)
            subject = unit_ref_id(list(uris))
            append_links(conn, [("unit.confirmed", subject, confirmed_details(uris))], now)
            for identity in uris:
                dissolve_planned_units(
                    conn,
                    "d.identity = ? AND d.live = 1",
                    identity,
                    "a member is on the server already",
                    now,
                )
            return deliver_if_complete(conn, spools, now)

    def lose_unit(self, ref_id: str, reason: str, now: float) -> None:
        """CONFIRMED to PLANNED.

        At once REFUSED, its members waiting again, where it cannot be sent as it was:
        a member stands aside, or has left it, and the ref_id is a function of all.
        """
        with self._db.writing() as conn:
            unit, _ = _find(conn, ref_id)
            conn.execute(
                "UPDATE units SET state = 'PLANNED', reason = ?, updated_at = ?, sent_at = NULL,"
                " confirmed_at = NULL, archival_object_uri = NULL, attempts = 0, next_at = NULL,"
                " last_error = NULL WHERE number = ?",
                (reason, now, unit),
            )
            for (number,) in conn.execute(
                "SELECT number FROM documents WHERE unit = ?", (unit,)
            ).fetchall():
                lose_record(conn, number)
            aside = conn.execute(
                "SELECT 1 FROM documents AS d JOIN spools AS s ON s.number = d.spool"
                " WHERE d.unit = ? AND (s.state NOT IN ('STORED', 'DELIVERED', 'DONE')"
                "  OR d.disposition IN ('destroying', 'destroyed')) LIMIT 1",
                (unit,),
            ).fetchone()
            if aside is not None or unit_ref_id(members_of(conn, unit)) != ref_id:
                dissolve_unit(conn, unit, "its members are to be planned anew", now)

    def lose_documents(self, identities: Sequence[str]) -> None:
        """They leave their unit, lose their uri and wait for another. Those that wait
        already, or are in a unit that is under way, are left alone."""
        with self._db.writing() as conn:
            for identity in identities:
                row = conn.execute(
                    "UPDATE documents SET unit = NULL, position = NULL"
                    " WHERE identity = ? AND live = 1 AND record_uri IS NOT NULL"
                    " AND NOT EXISTS (SELECT 1 FROM units AS u WHERE u.number = unit"
                    "  AND u.state IN ('PLANNED', 'SENT')) RETURNING number",
                    (identity,),
                ).fetchone()
                if row is not None:
                    lose_record(conn, row[0])
                    let_wait(conn, row[0])

    def defer_unit(self, ref_id: str, error: str, next_at: float, now: float) -> None:
        """Count an attempt of a unit; one that is no longer open is left alone."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE units SET attempts = attempts + 1, last_error = ?, next_at = ?,"
                " updated_at = ? WHERE ref_id = ? AND state IN ('PLANNED', 'SENT')",
                (error, next_at, now, ref_id),
            )

    # -- looking --------------------------------------------------------------------
    def units(
        self, states: Sequence[UnitState], *, due_at: float | None = None, limit: int = 1000
    ) -> list[UnitRow]:
        """Units in these states, oldest first."""
        wanted = ", ".join(f"'{state}'" for state in states)
        # The open states are written as the partial index has them, so that it applies.
        still_open = {UnitState.PLANNED, UnitState.SENT}
        guard = "state IN ('PLANNED', 'SENT') AND " if set(states) <= still_open else ""
        due = " AND (next_at IS NULL OR next_at <= :due)" if due_at is not None else ""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {UNIT_COLUMNS} FROM units WHERE {guard}state IN ({wanted}){due}"
                " ORDER BY number LIMIT :limit",
                {"due": due_at, "limit": limit},
            ).fetchall()
            return [unit_from(row, members_of(conn, row[0])) for row in rows]

    def iterate_units(
        self, state: UnitState, *, since: float | None = None, folder: str | None = None
    ) -> Iterator[UnitRow]:
        """All units in ``state``, a page at a time."""
        after = 0
        while True:
            with self._db.reading() as conn:
                rows = conn.execute(
                    f"SELECT {UNIT_COLUMNS} FROM units AS u WHERE number > :after"
                    " AND state = :state AND (:since IS NULL OR confirmed_at >= :since)"
                    " AND (:folder IS NULL OR EXISTS (SELECT 1 FROM documents AS d"
                    "  JOIN spools AS s ON s.number = d.spool"
                    "  WHERE d.unit = u.number AND s.folder = :folder))"
                    " ORDER BY number LIMIT :page",
                    {
                        "after": after,
                        "state": state,
                        "since": since,
                        "folder": folder,
                        "page": _PAGE,
                    },
                ).fetchall()
                page = [unit_from(row, members_of(conn, row[0])) for row in rows]
            if not rows:
                return
            after = rows[-1][0]
            yield from page

    def get_unit(self, ref_id: str) -> UnitRow | None:
        """The newest unit with this ref_id, or None."""
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT {UNIT_COLUMNS} FROM units WHERE ref_id = ? ORDER BY number DESC LIMIT 1",
                (ref_id,),
            ).fetchone()
            return None if row is None else unit_from(row, members_of(conn, row[0]))

    def unit_request(self, ref_id: str) -> UnitRequest:
        """The unit with its documents."""
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT {UNIT_COLUMNS} FROM units WHERE ref_id = ? ORDER BY number DESC LIMIT 1",
                (ref_id,),
            ).fetchone()
            if row is None:
                raise KeyError(ref_id)
            documents = conn.execute(
                f"SELECT {DOCUMENT_COLUMNS} FROM {DOCUMENTS_JOINED}"
                " WHERE d.unit = ? ORDER BY d.position",
                (row[0],),
            ).fetchall()
            return UnitRequest(
                unit=unit_from(row, members_of(conn, row[0])),
                documents=tuple(document_from(item) for item in documents),
                holds=holds_in(conn, row[0]),
            )


def _find(conn: sqlite3.Connection, ref_id: str) -> tuple[int, tuple[str, str, str]]:
    row = conn.execute(
        "SELECT number, business_unit, series, cycle FROM units"
        " WHERE ref_id = ? AND state <> 'REFUSED'",
        (ref_id,),
    ).fetchone()
    if row is None:
        raise ValueError(f"no unit {ref_id} that is not refused")
    return row[0], (row[1], row[2], row[3])


def _load(conn: sqlite3.Connection, unit: int) -> UnitRow:
    row = conn.execute(
        f"SELECT {UNIT_COLUMNS} FROM units WHERE number = ?",
        (unit,),
    ).fetchone()
    return unit_from(row, members_of(conn, unit))
