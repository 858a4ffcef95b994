"""Which documents are in which unit, and what follows when all are confirmed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from hotfolder.core.canonical import dump
from hotfolder.core.identity import unit_ref_id

_PART = 5000  # documents changed by one statement


def members_of(conn: sqlite3.Connection, unit: int) -> list[str]:
    """Identities of the documents in a unit now, in order."""
    return [
        row[0]
        for row in conn.execute(
            "SELECT identity FROM documents WHERE unit = ? ORDER BY position", (unit,)
        )
    ]


def refuse_unit(conn: sqlite3.Connection, unit: int, reason: str, now: float) -> None:
    """To REFUSED; its members are remembered in it and leave it."""
    conn.execute(
        "UPDATE units SET state = 'REFUSED', reason = ?, last_error = ?, members = ?,"
        " updated_at = ?, next_at = NULL WHERE number = ?",
        (reason, reason, json.dumps(members_of(conn, unit)), now, unit),
    )
    conn.execute("UPDATE documents SET unit = NULL, position = NULL WHERE unit = ?", (unit,))


def insert_unit(
    conn: sqlite3.Connection,
    place: tuple[str, str, str],
    numbers: Sequence[int],
    now: float,
    reason: str = "",
) -> int:
    """A PLANNED unit of these documents (by number), in order; returns its number."""
    identities = [
        conn.execute("SELECT identity FROM documents WHERE number = ?", (number,)).fetchone()[0]
        for number in numbers
    ]
    unit = conn.execute(
        "INSERT INTO units (ref_id, business_unit, series, cycle, state, planned_at, updated_at,"
        " reason) VALUES (?, ?, ?, ?, 'PLANNED', ?, ?, ?)",
        (_free_ref_id(conn, identities), *place, now, now, reason),
    ).lastrowid
    if unit is None:
        raise ValueError("no unit was made")
    conn.executemany(
        "UPDATE documents SET waiting = 0, unit = ?, position = ? WHERE number = ?",
        [(unit, position, number) for position, number in enumerate(numbers)],
    )
    return unit


def _free_ref_id(conn: sqlite3.Connection, identities: Sequence[str]) -> str:
    """The ref_id of these members. Where the server lost every document of a unit but
    has its archival object still, that ref_id is taken for good: then one that is a
    function of the members and of the ref_ids before it."""
    names = list(identities)
    while True:
        ref_id = unit_ref_id(names)
        if not conn.execute(
            "SELECT 1 FROM units WHERE ref_id = ? AND state <> 'REFUSED'", (ref_id,)
        ).fetchone():
            return ref_id
        names.append(ref_id)


def let_wait(conn: sqlite3.Connection, document: int) -> None:
    """A document waits (again) for a unit, if it is live, stored, in no unit and
    unconfirmed."""
    conn.execute(
        "UPDATE documents SET waiting = 1 WHERE number = ? AND live = 1 AND waiting = 0"
        " AND unit IS NULL AND record_uri IS NULL AND role IN ('own', 'carrier')"
        " AND EXISTS (SELECT 1 FROM spools AS s"
        "  WHERE s.number = spool AND s.state IN ('STORED', 'DELIVERED', 'DONE'))",
        (document,),
    )


def dissolve_unit(conn: sqlite3.Connection, unit: int, reason: str, now: float) -> None:
    """A unit of which nothing is on the server is REFUSED; its members wait again, as
    far as they may."""
    numbers = conn.execute("SELECT number FROM documents WHERE unit = ?", (unit,)).fetchall()
    refuse_unit(conn, unit, reason, now)
    for (number,) in numbers:
        let_wait(conn, number)


def dissolve_planned_units(
    conn: sqlite3.Connection, where: str, value: object, reason: str, now: float
) -> None:
    """Dissolve the PLANNED units of the documents ``d`` for which ``where`` (SQL of
    ours) is true: their ref_id is a function of all members, so none may leave."""
    for (unit,) in conn.execute(
        "SELECT DISTINCT u.number FROM documents AS d JOIN units AS u ON u.number = d.unit"
        f" WHERE {where} AND u.state = 'PLANNED'",
        (value,),
    ).fetchall():
        dissolve_unit(conn, unit, reason, now)


def parts_of(conn: sqlite3.Connection, spools: Iterable[int]) -> list[tuple[int, int, int]]:
    """Spools (by number) in parts: (spool, ordinals above, up to).

    One statement that changes a hundred thousand rows would keep what they were in
    memory until it ends (sqlite.org/tempfiles.html, 2.3 statement journals)."""
    rows = conn.execute(
        "SELECT j.value, (SELECT max(ordinal) FROM documents WHERE spool = j.value)"
        " FROM json_each(?) AS j",
        (json.dumps(list(spools)),),
    ).fetchall()
    return [
        (spool, start, start + _PART)
        for spool, last in rows
        for start in range(0, last or 0, _PART)
    ]


def record_uris(
    conn: sqlite3.Connection, uris: Mapping[str, str], unit: int | None, now: float
) -> list[int]:
    """Note the records of documents; with ``unit`` only of its members, else of live
    ones. Returns the numbers of their spools."""
    if unit is None:
        rows = conn.execute(
            "SELECT d.identity, d.number, d.spool FROM json_each(?) AS j CROSS JOIN documents AS d"
            " ON d.identity = j.value AND d.live = 1",
            (json.dumps(list(uris)),),
        )
    else:
        rows = conn.execute("SELECT identity, number, spool FROM documents WHERE unit = ?", (unit,))
    known = {identity: (number, spool) for identity, number, spool in rows}
    strangers = [identity for identity in uris if identity not in known]
    if strangers:
        raise ValueError(f"{strangers[0]} is not a member")
    conn.executemany(
        "UPDATE documents SET waiting = 0, record_uri = ?, archived_at = ? WHERE number = ?",
        [(uri, now, known[identity][0]) for identity, uri in uris.items()],
    )
    carriers = dict(
        conn.execute(
            "SELECT d.spool, d.record_uri FROM json_each(?) AS j CROSS JOIN documents AS d"
            " ON d.number = j.value WHERE d.role = 'carrier'",
            (json.dumps([known[identity][0] for identity in uris]),),
        )
    )
    conn.executemany(
        # Those that the record of their spool describes have it, too.
        "UPDATE documents SET record_uri = ?, archived_at = ? WHERE spool = ? AND ordinal > ?"
        " AND ordinal <= ? AND role = 'carried'",
        [(carriers[part[0]], now, *part) for part in parts_of(conn, carriers)],
    )
    return [known[identity][1] for identity in uris]


def confirmed_details(uris: Mapping[str, str]) -> dict[str, object]:
    """What the audit chain says of documents that have records: how many, and the SHA-256
    of the canonical JSON of their identities and uris, sorted."""
    members = dump(sorted([identity, uri] for identity, uri in uris.items()))
    return {
        "documents": len(uris),
        "members_sha256": hashlib.sha256(members.encode()).hexdigest(),
    }


def lose_record(conn: sqlite3.Connection, document: int) -> None:
    """A document has no record any more, nor have those that it carried."""
    (spool, role) = conn.execute(
        "UPDATE documents SET record_uri = NULL, archived_at = NULL WHERE number = ?"
        " RETURNING spool, role",
        (document,),
    ).fetchone()
    if role == "carrier":
        conn.executemany(
            "UPDATE documents SET record_uri = NULL, archived_at = NULL WHERE spool = ?"
            " AND ordinal > ? AND ordinal <= ? AND role = 'carried'",
            parts_of(conn, [spool]),
        )


def deliver_if_complete(conn: sqlite3.Connection, spools: Sequence[int], now: float) -> list[str]:
    """STORED to DELIVERED for those of these spools whose documents are all confirmed."""
    delivered: list[str] = []
    for number in dict.fromkeys(spools):
        row = conn.execute(
            "UPDATE spools SET state = 'DELIVERED', reason = '', updated_at = ?, attempts = 0,"
            " next_at = NULL, last_error = NULL WHERE number = ? AND state = 'STORED'"
            " AND NOT EXISTS (SELECT 1 FROM documents WHERE spool = ? AND record_uri IS NULL"
            # What was destroyed is not sent again where the server has lost its record.
            "  AND role <> 'refused' AND disposition NOT IN ('destroying', 'destroyed'))"
            " RETURNING id",
            (now, number, number),
        ).fetchone()
        if row is not None:
            delivered.append(row[0])
    return delivered
