"""Items of old archives: taken once, and what became of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hotfolder.core.legacy import (
    FOLDER_PREFIX,
    MigrationCounts,
    NewItem,
    Outcome,
    TakenItem,
    migration_event,
)
from hotfolder.core.lifecycle import SpoolState
from hotfolder.journal.connection import Connection
from hotfolder.journal.outbox import insert_events
from hotfolder.journal.rows import dump_faults, load_faults

_PAGE = 1000
_CHUNK = 500  # ids in one question
_LATELY = 2000  # items whose rate is told
_FEW = 20
# A spool that was abandoned took nothing: its item is taken again.
_COLUMNS = (
    "i.source_id, i.place, i.size, i.sha256, i.documents, i.spool_id, i.outcome, i.faults,"
    " s.state, s.sha256, s.size,"
    " coalesce(s.documents, 0) + coalesce(s.left_out, 0) + coalesce(s.skipped, 0),"
    " coalesce(s.skipped, 0), f.state,"
    " (SELECT min(t.disposal) FROM tombstones AS t"
    "  WHERE t.spool_id = coalesce(s.first_spool_id, s.id) AND t.by_key = 0),"
    " (SELECT count(*) FROM tombstones AS t WHERE t.spool_id = s.id AND t.by_key = 1)"
)
_JOINED = (
    "migration_items AS i LEFT JOIN spools AS s ON s.id = i.spool_id"
    " LEFT JOIN spools AS f ON f.id = s.first_spool_id"
)
# What is the same as one that was rejected since is in the archive as little as that.
_ENDED = (
    "SELECT i.number, i.spool_id, s.number, iif(f.state = 'REJECTED', f.state, s.state),"
    " iif(f.state = 'REJECTED', f.faults, s.faults) FROM migration_items AS i"
    " JOIN spools AS s ON s.id = i.spool_id"
    " LEFT JOIN spools AS f ON s.state = 'DUPLICATE' AND f.id = s.first_spool_id"
    " WHERE i.migration = ? AND i.outcome IS NULL AND (s.state IN ('DONE',"
    " 'REJECTED') OR f.state IN ('DELIVERED', 'DONE', 'REJECTED')) ORDER BY i.number LIMIT ?"
)


class Migrating:
    """The journal's methods about old archives; ``core.migrationport`` has the contract."""

    _db: Connection

    def taken_items(self, migration: str, source_ids: Sequence[str]) -> Mapping[str, TakenItem]:
        """Those of these items that are known."""
        found: dict[str, TakenItem] = {}
        with self._db.reading() as conn:
            for start in range(0, len(source_ids), _CHUNK):
                some = source_ids[start : start + _CHUNK]
                marks = ", ".join("?" * len(some))
                for row in conn.execute(
                    f"SELECT {_COLUMNS}, 0 FROM {_JOINED} WHERE i.migration = ?"
                    f" AND i.source_id IN ({marks})",
                    (migration, *some),
                ):
                    found[row[0]] = _item(row)
        return found

    def take_items(self, migration: str, items: Sequence[NewItem], now: float) -> None:
        """Journal items before their spools are."""
        if not items:
            return
        with self._db.writing() as conn:
            conn.executemany(
                "INSERT INTO migration_items (migration, source_id, place, size, sha256,"
                " documents, spool_id, outcome, faults, taken_at, settled_at)"
                " VALUES (:migration, :id, :place, :size, :sha256, :documents, :spool, :outcome,"
                " :faults, :now, :settled) ON CONFLICT (migration, source_id) DO UPDATE SET"
                " place = :place, size = :size, sha256 = :sha256, documents = :documents,"
                " spool_id = :spool, outcome = :outcome, faults = :faults, taken_at = :now,"
                " settled_at = :settled",
                [
                    {
                        "migration": migration,
                        "id": new.item.source_id,
                        "place": new.item.place,
                        "size": new.size,
                        "sha256": new.sha256,
                        "documents": new.item.documents,
                        "spool": new.spool_id,
                        "outcome": Outcome.REJECTED if new.faults else None,
                        "faults": dump_faults(new.faults),
                        "now": now,
                        "settled": now if new.faults else None,
                    }
                    for new in items
                ],
            )

    def settle_items(
        self, migration: str, old_archive: str, now: float, *, limit: int = 500
    ) -> int:
        """Items whose spools have come to an end get their outcomes."""
        with self._db.writing() as conn:
            ended = conn.execute(_ENDED, (migration, limit)).fetchall()
            for number, _, spool, state, faults in ended:
                outcome = Outcome.ARCHIVED
                if state == SpoolState.REJECTED:
                    outcome = Outcome.REJECTED
                elif state == SpoolState.DUPLICATE:
                    outcome = Outcome.DUPLICATE
                else:
                    _tell_units(conn, spool, migration, old_archive, now)
                conn.execute(
                    "UPDATE migration_items SET outcome = ?, faults = ?, settled_at = ?"
                    " WHERE number = ?",
                    (outcome, faults if outcome is Outcome.REJECTED else "[]", now, number),
                )
            return len(ended)

    def iterate_items(self, migration: str) -> Iterator[TakenItem]:
        """All of them, by source id."""
        after = ""
        while True:
            with self._db.reading() as conn:
                rows = conn.execute(
                    f"SELECT {_COLUMNS}, CASE WHEN i.outcome = 'archived' THEN"
                    " (SELECT count(*) FROM documents AS d WHERE d.spool = s.number"
                    " AND d.live = 1 AND d.record_uri IS NULL AND d.role IN ('own', 'carrier'))"
                    f" ELSE 0 END FROM {_JOINED} WHERE i.migration = ? AND i.source_id > ?"
                    " ORDER BY i.source_id LIMIT ?",
                    (migration, after, _PAGE),
                ).fetchall()
            yield from map(_item, rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def migration_counts(self, migration: str) -> MigrationCounts:
        """How far a migration is."""
        with self._db.reading() as conn:
            rows = conn.execute(
                "SELECT outcome, items, size, documents FROM migration_counts"
                " WHERE migration = ? AND items > 0",
                (migration,),
            ).fetchall()
            states = conn.execute(
                # What is the same as another waits for that one.
                "SELECT coalesce(iif(s.state = 'DUPLICATE', f.state, s.state), 'ABANDONED'),"
                f" count(*) FROM {_JOINED}"
                " WHERE i.migration = ? AND i.outcome IS NULL GROUP BY 1",
                (migration,),
            ).fetchall()
        return MigrationCounts(
            items={row[0]: row[1] for row in rows},
            size={row[0]: row[2] for row in rows},
            documents={row[0]: row[3] for row in rows},
            states=dict(states),
        )

    def migration_rate(self, migration: str) -> float | None:
        """Documents a second that came to an end lately."""
        with self._db.reading() as conn:
            documents, first, last = conn.execute(
                "SELECT sum(documents), min(taken_at), max(settled_at) FROM (SELECT documents,"
                " taken_at, settled_at FROM migration_items WHERE migration = ?"
                " AND outcome = 'archived' ORDER BY number DESC LIMIT ?)",
                (migration, _LATELY),
            ).fetchone()
        if not documents or documents < _FEW or last <= first:
            return None
        return float(documents / (last - first))

    def live_intake_waits(self, now: float) -> bool:
        """Whether a spool of a hot folder waits to be read or stored."""
        with self._db.reading() as conn:
            return bool(
                conn.execute(
                    "SELECT EXISTS (SELECT 1 FROM spools WHERE state IN ('CLAIMED', 'READ')"
                    " AND state <> 'DONE' AND (next_at IS NULL OR next_at <= ?)"
                    " AND substr(folder, 1, ?) <> ?)",
                    (now, len(FOLDER_PREFIX), FOLDER_PREFIX),
                ).fetchone()[0]
            )

    def archived_among(self, identities: Sequence[str]) -> set[str]:
        """Which of these documents are live."""
        found: set[str] = set()
        with self._db.reading() as conn:
            for start in range(0, len(identities), _CHUNK):
                some = identities[start : start + _CHUNK]
                marks = ", ".join("?" * len(some))
                found.update(
                    row[0]
                    for row in conn.execute(
                        f"SELECT identity FROM documents WHERE live = 1 AND identity IN ({marks})",
                        tuple(some),
                    )
                )
        return found


def _tell_units(
    conn: sqlite3.Connection, spool: int, migration: str, old_archive: str, now: float
) -> None:
    units = conn.execute(
        "SELECT DISTINCT u.ref_id, u.business_unit, u.archival_object_uri FROM documents AS d"
        " JOIN units AS u ON u.number = d.unit WHERE d.spool = ? AND u.state = 'CONFIRMED'"
        " AND u.archival_object_uri IS NOT NULL",
        (spool,),
    ).fetchall()
    for ref_id, business_unit, uri in units:
        event = migration_event(ref_id, uri, migration, old_archive, now)
        insert_events(conn, business_unit, [event], now)


def _item(row: Sequence[Any]) -> TakenItem:
    return TakenItem(
        source_id=row[0],
        place=row[1],
        size=row[2],
        sha256=row[3],
        documents=row[4],
        spool_id=row[5],
        outcome=None if row[6] is None else Outcome(row[6]),
        faults=load_faults(row[7]),
        spool_state=None if row[8] is None else SpoolState(row[8]),
        spool_sha256=row[9],
        spool_size=row[10] or 0,
        spool_documents=row[11],
        skipped=row[12],
        first_state=None if row[13] is None else SpoolState(row[13]),
        disposal=row[14] or "",
        destroyed=row[15],
        unconfirmed=row[16],
    )
