"""What is left of what was destroyed. See ``core.disposalport``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

from hotfolder.core.disposals import DisposalState, Tombstone
from hotfolder.core.receipts import instant
from hotfolder.core.tombstones import tombstone_bytes
from hotfolder.journal.connection import Connection
from hotfolder.journal.disposals import find_disposal
from hotfolder.journal.links import append_links

_COLUMNS = (
    "t.identity, t.disposal, t.spool_id, t.business_unit, t.sha256, t.retention_class,"
    " t.class_version, t.cutoff, t.retain_until, t.begun_on, d.certificate_sha256, t.by_key"
)
_JOINED = "tombstones AS t LEFT JOIN disposals AS d ON d.id = t.disposal"


class Tombstones:
    """The journal's methods about what was destroyed."""

    _db: Connection

    def tombstone_of(self, spool_id: str) -> bytes:
        """What the store keeps of a spool that is being destroyed: the same at every call."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM {_JOINED} WHERE t.spool_id = ? AND t.by_key = 0"
                " ORDER BY t.identity",
                (spool_id,),
            ).fetchall()
            return _bytes(conn, spool_id, [_from(row) for row in rows])

    def part_tombstone_of(self, disposal: str, spool_id: str) -> tuple[bytes, list[int]]:
        """What the store keeps of documents that go by their keys, and their ordinals."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS}, o.ordinal FROM {_JOINED}"
                " JOIN spools AS s ON s.id = t.spool_id"
                " JOIN documents AS o ON o.identity = t.identity AND o.spool = s.number"
                " WHERE t.disposal = ? AND t.spool_id = ? AND t.by_key = 1 ORDER BY t.identity",
                (disposal, spool_id),
            ).fetchall()
            found = [_from(row[:-1], row[-1]) for row in rows]
            return _bytes(conn, spool_id, found), sorted(row[-1] for row in rows)

    def destroyed_document(self, identity: str) -> Tombstone | None:
        """What is left of a document; None if it was not destroyed."""
        found = self.destroyed_among([identity])
        return found[0] if found else None

    def is_partly_withheld(self, spool_id: str) -> bool:
        """Whether a document of the spool is withheld."""
        with self._db.reading() as conn:
            row = conn.execute(
                "SELECT 1 FROM documents WHERE spool = (SELECT number FROM spools WHERE id = ?)"
                " AND disposition = 'withheld' AND role <> 'carrier' LIMIT 1",
                (spool_id,),
            ).fetchone()
        return row is not None

    def destroyed_among(self, identities: Sequence[str]) -> list[Tombstone]:
        """Those of these documents that were destroyed, or are being."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_COLUMNS} FROM json_each(?) AS j CROSS JOIN {_JOINED}"
                " WHERE t.identity = j.value ORDER BY t.identity",
                (json.dumps(list(identities)),),
            ).fetchall()
        return [_from(row) for row in rows]

    def find_buried(self, spool_ids: Sequence[str]) -> dict[str, frozenset[int] | None]:
        """See ``core.keepingport``. A disposal that only the store remembers was certified,
        or is completed by the rebuild that found it."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT t.spool_id, CASE t.by_key WHEN 1 THEN o.ordinal END"
                f" FROM json_each(?) AS j CROSS JOIN {_JOINED}"
                " LEFT JOIN spools AS s ON t.by_key = 1 AND s.id = t.spool_id"
                " LEFT JOIN documents AS o ON o.identity = t.identity AND o.spool = s.number"
                " WHERE t.spool_id = j.value AND coalesce(d.state, 'DONE') = 'DONE'",
                (json.dumps(list(spool_ids)),),
            ).fetchall()
        found: dict[str, frozenset[int] | None] = {}
        for spool_id, ordinal in rows:
            before = found.get(spool_id, frozenset())
            found[spool_id] = None if ordinal is None or before is None else before | {ordinal}
        return found

    def restore_tombstones(self, tombstones: Sequence[Tombstone], now: float) -> int:
        """Journal what the store says was destroyed; how many are new."""
        with self._db.writing() as conn:
            new = [item for item in tombstones if _insert(conn, item)]
            conn.executemany(
                "UPDATE documents SET live = 0, waiting = 0"
                " WHERE identity = ? AND live = 1 AND disposition = 'destroyed'",
                [(item.identity,) for item in new],
            )
            append_links(
                conn,
                [
                    (
                        "document.destroyed",
                        item.identity,
                        {"disposal": item.disposal, "sha256": item.sha256, "restored": True},
                    )
                    for item in new
                ],
                now,
            )
        return len(new)


def _bytes(conn: sqlite3.Connection, spool_id: str, found: Sequence[Tombstone]) -> bytes:
    if not found:
        raise KeyError(spool_id)
    disposal = find_disposal(conn, found[0].disposal, DisposalState.EXECUTING, DisposalState.DONE)
    sha256, size, created_at = conn.execute(
        "SELECT sha256, size, created_at FROM spools WHERE id = ?", (spool_id,)
    ).fetchone()
    # Up to the decision: what is added later must not make another tombstone.
    events = conn.execute(
        "SELECT number, action, digest FROM audit WHERE subject IN (?, ?)"
        " AND number <= (SELECT max(number) FROM audit WHERE subject = ?"
        "  AND action = 'disposal.begun') ORDER BY number",
        (spool_id, disposal.id, disposal.id),
    ).fetchall()
    spool = {"id": spool_id, "sha256": sha256, "size": size, "taken": instant(created_at)}
    return tombstone_bytes(spool, found, disposal, events)


def _insert(conn: sqlite3.Connection, item: Tombstone) -> bool:
    return bool(
        conn.execute(
            "INSERT INTO tombstones (identity, disposal, spool_id, business_unit, sha256,"
            " retention_class, class_version, cutoff, retain_until, begun_on, by_key)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (identity) DO NOTHING",
            (
                item.identity,
                item.disposal,
                item.spool_id,
                item.business_unit,
                item.sha256,
                item.retention_class,
                item.class_version,
                item.cutoff.isoformat() if item.cutoff else None,
                item.retain_until.isoformat() if item.retain_until else None,
                item.begun_on.isoformat(),
                item.by_key,
            ),
        ).rowcount
    )


def _from(row: Sequence[Any], ordinal: int | None = None) -> Tombstone:
    return Tombstone(
        identity=row[0],
        disposal=row[1],
        spool_id=row[2],
        business_unit=row[3],
        sha256=row[4],
        retention_class=row[5],
        class_version=row[6],
        cutoff=_day(row[7]),
        retain_until=_day(row[8]),
        begun_on=date.fromisoformat(row[9]),
        certificate_sha256=row[10],
        by_key=bool(row[11]),
        ordinal=ordinal,
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
