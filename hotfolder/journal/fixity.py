"""Fixity: rounds of the scrub, the last result of each spool, and damage for ever.

Results are small: one row for each spool and root, replaced by the next. What was damaged
stays in a table that is only added to.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hotfolder.core.canonical import dump
from hotfolder.core.fixity import (
    FixityResult,
    FixityRound,
    FixityStatus,
    FixityTarget,
    Outcome,
    ResultsDigest,
)
from hotfolder.core.records import ArchiveEvent
from hotfolder.journal.connection import Connection
from hotfolder.journal.links import append_links
from hotfolder.journal.outbox import insert_events

_ROUND = "number, began_at, upto, root, position, ended_at, finished, totals"
_TARGET = "s.number, s.id, s.folder, s.sha256, s.size"
# What the store has to have; what stands aside is there if it was stored before that.
_IN_STORE = (
    "s.sha256 IS NOT NULL AND s.disposed_at IS NULL AND (s.state IN ('STORED', 'DELIVERED', 'DONE')"
    " OR (s.state IN ('HELD', 'CORRUPT') AND s.held_from IN ('STORED', 'DELIVERED', 'DONE')))"
)
_PAGE = 1000


class Fixity:
    """The journal's methods about the scrub."""

    _db: Connection

    # -- rounds ------------------------------------------------------------------
    def open_round(self) -> FixityRound | None:
        """The round that is not at its end, if there is one."""
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT {_ROUND} FROM fixity_rounds WHERE ended_at IS NULL"
            ).fetchone()
        return None if row is None else _round(row)

    def begin_round(self, now: float) -> FixityRound:
        """A new round over all that is stored now; one that was open ends unfinished."""
        with self._db.writing() as conn:
            conn.execute("UPDATE fixity_rounds SET ended_at = ? WHERE ended_at IS NULL", (now,))
            row = conn.execute(
                "INSERT INTO fixity_rounds (began_at, upto)"
                f" SELECT ?, coalesce(max(number), 0) FROM spools RETURNING {_ROUND}",
                (now,),
            ).fetchone()
        return _round(row)

    def fixity_fresh(self, number: int, *, after: int, limit: int) -> list[FixityTarget]:
        """Up to ``limit`` spools of a round that were never verified, by number, those with
        a number greater than ``after``."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_TARGET} FROM spools AS s WHERE s.number > :after AND s.number <="
                " (SELECT upto FROM fixity_rounds WHERE number = :round)"
                f" AND ({_IN_STORE})"
                " AND NOT EXISTS (SELECT 1 FROM fixity_results AS r WHERE r.spool = s.number)"
                " ORDER BY s.number LIMIT :limit",
                {"after": after, "round": number, "limit": limit},
            ).fetchall()
            return [_target(conn, row) for row in rows]

    def fixity_stale(self, number: int, *, limit: int) -> list[FixityTarget]:
        """Up to ``limit`` spools that were verified in earlier rounds and not in this one,
        the longest ago first."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_TARGET} FROM fixity_results AS r INDEXED BY fixity_results_oldest"
                " CROSS JOIN spools AS s ON s.number = r.spool"
                " WHERE r.root = 1 AND r.round <> :round AND r.spool <="
                f" (SELECT upto FROM fixity_rounds WHERE number = :round) AND ({_IN_STORE})"
                " ORDER BY r.last_at, r.spool LIMIT :limit",
                {"round": number, "limit": limit},
            ).fetchall()
            return [_target(conn, row) for row in rows]

    def fixity_left(self, number: int) -> int:
        """How many spools a round has still to verify."""
        with self._db.reading() as conn:
            return int(
                conn.execute(
                    f"SELECT count(*) FROM spools AS s WHERE ({_IN_STORE}) AND s.number <="
                    " (SELECT upto FROM fixity_rounds WHERE number = :round)"
                    " AND NOT EXISTS (SELECT 1 FROM fixity_results AS r"
                    " WHERE r.spool = s.number AND r.root = 1 AND r.round = :round)",
                    {"round": number},
                ).fetchone()[0]
            )

    def fixity_chosen(
        self,
        *,
        spool_id: str | None = None,
        folder: str | None = None,
        since: float | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[FixityTarget]:
        """Spools of the store that were asked for, by number; page with ``after``."""
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT {_TARGET} FROM spools AS s WHERE s.number > :after AND ({_IN_STORE})"
                " AND (:id IS NULL OR s.id = :id) AND (:folder IS NULL OR s.folder = :folder)"
                " AND (:since IS NULL OR s.created_at >= :since) ORDER BY s.number LIMIT :limit",
                {"after": after, "id": spool_id, "folder": folder, "since": since, "limit": limit},
            ).fetchall()
            return [_target(conn, row) for row in rows]

    def is_in_store(self, spool_id: str) -> bool:
        """Whether the store has to have this spool now."""
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT 1 FROM spools AS s WHERE s.id = ? AND ({_IN_STORE})", (spool_id,)
            ).fetchone()
        return row is not None

    # -- results -----------------------------------------------------------------
    def record_fixity(self, results: Sequence[FixityResult]) -> None:
        """Results, each in the place of the one before, as of the open round (or of the
        last, so that the next looks again); what is not whole goes into the history."""
        with self._db.writing() as conn:
            (number,) = conn.execute(
                "SELECT coalesce(max(number), 0) FROM fixity_rounds"
            ).fetchone()
            conn.executemany(
                "INSERT INTO fixity_results SELECT s.number, ?, ?, ?, ?, ? FROM spools AS s"
                f" WHERE s.number = ? AND ({_IN_STORE})"  # it may have been rejected meanwhile
                " ON CONFLICT (spool, root) DO UPDATE SET round = excluded.round,"
                " last_at = excluded.last_at, outcome = excluded.outcome,"
                " inventory_sha256 = excluded.inventory_sha256",
                [
                    (item.root, number, item.at, item.outcome, item.inventory_sha256, item.spool)
                    for item in results
                ],
            )
            _keep(conn, number, results)

    def record_walk(
        self, number: int, root: int, position: str, found: Sequence[FixityResult]
    ) -> None:
        """The walk for objects that are not to be there has come so far, and found these."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE fixity_rounds SET root = ?, position = ? WHERE number = ?",
                (root, position, number),
            )
            _keep(conn, number, found)

    def fixity_damage(self, *, round_number: int) -> list[tuple[str, int, str]]:
        """(spool id, root, outcome) of all that a round found not whole, or not to be there."""
        with self._db.reading() as conn:
            return conn.execute(
                "SELECT spool_id, root, outcome FROM fixity_damage WHERE round = ? ORDER BY number",
                (round_number,),
            ).fetchall()

    # -- the end of a round --------------------------------------------------------
    def round_totals(self, number: int) -> dict[str, object]:
        """What a round found: spools, outcomes by root and object, and the SHA-256 over
        all results (``ResultsDigest``)."""
        digest = ResultsDigest()
        counts: dict[str, int] = {}
        spools = 0
        for row in self._results(number):
            spools += row[1] == 1
            counts[row[2]] = counts.get(row[2], 0) + 1
            digest.add(*row)
        with self._db.reading() as conn:
            walked: dict[str, int] = dict(
                conn.execute(
                    "SELECT outcome, count(*) FROM fixity_damage WHERE round = ?"
                    " AND outcome IN ('unknown', 'destroyed') GROUP BY outcome",
                    (number,),
                ).fetchall()
            )
        return {
            "spools": spools,
            "objects": {**counts, "unknown": 0, **walked},
            "results_sha256": digest.hexdigest(),
        }

    def _results(self, number: int) -> Iterator[tuple[str, int, str, str]]:
        spool, root = 0, 0
        while True:
            with self._db.reading() as conn:
                page = conn.execute(
                    "SELECT s.id, r.root, r.outcome, r.inventory_sha256, r.spool"
                    " FROM fixity_results AS r JOIN spools AS s ON s.number = r.spool"
                    " WHERE r.round = ? AND (r.spool, r.root) > (?, ?)"
                    " ORDER BY r.spool, r.root LIMIT ?",
                    (number, spool, root, _PAGE),
                ).fetchall()
            yield from (row[:4] for row in page)
            if len(page) < _PAGE:
                return
            spool, root = page[-1][4], page[-1][1]

    def units_verified(self, number: int) -> Iterator[tuple[str, str, bool]]:
        """(business unit, uri, passed) of every confirmed unit all of whose spools a round
        has verified, by business unit and as they were planned."""
        business_unit, unit = "", 0
        while True:
            with self._db.reading() as conn:
                page = conn.execute(
                    "SELECT u.business_unit, u.archival_object_uri, u.number,"
                    " (SELECT min(coalesce(r.round = :round, 0)) FROM documents AS d"
                    "  LEFT JOIN fixity_results AS r ON r.spool = d.spool AND r.root = 1"
                    "  WHERE d.unit = u.number),"
                    " NOT EXISTS (SELECT 1 FROM documents AS d JOIN fixity_results AS r"
                    "  ON r.spool = d.spool WHERE d.unit = u.number AND r.round = :round"
                    "  AND r.outcome <> 'whole')"
                    " FROM units AS u WHERE u.state = 'CONFIRMED'"
                    " AND u.archival_object_uri IS NOT NULL"
                    " AND (u.business_unit, u.number) > (:business_unit, :unit)"
                    " ORDER BY u.business_unit, u.number LIMIT :limit",
                    {
                        "round": number,
                        "business_unit": business_unit,
                        "unit": unit,
                        "limit": _PAGE,
                    },
                ).fetchall()
            yield from ((row[0], row[1], bool(row[4])) for row in page if row[3])
            if len(page) < _PAGE:
                return
            business_unit, unit = page[-1][0], page[-1][2]

    def finish_round(
        self,
        number: int,
        totals: Mapping[str, object],
        events: Mapping[str, Sequence[ArchiveEvent]],
        now: float,
        actor: str,
    ) -> None:
        """The round is at its end: with its link ``round.verified`` of the audit chain, and
        what ArchivesSpace is to be told. ``ValueError`` if it had ended already."""
        with self._db.writing() as conn:
            ended = conn.execute(
                "UPDATE fixity_rounds SET ended_at = ?, finished = 1, totals = ?"
                " WHERE number = ? AND ended_at IS NULL",
                (now, dump(totals), number),
            ).rowcount
            if not ended:
                raise ValueError(f"round {number} is not open")
            append_links(conn, [("round.verified", f"round-{number}", totals)], now, actor)
            for business_unit, told in events.items():
                insert_events(conn, business_unit, told, now)

    # -- looking -------------------------------------------------------------------
    def oldest_verified_at(self) -> float | None:
        """When the spool was verified that was looked at longest ago; by an index."""
        with self._db.reading() as conn:
            found = conn.execute("SELECT min(last_at) FROM fixity_results").fetchone()[0]
        return None if found is None else float(found)

    def count_damaged(self) -> int:
        """How many spools were not whole when they were last verified; by an index."""
        with self._db.reading() as conn:
            return int(
                conn.execute(
                    "SELECT count(DISTINCT spool) FROM fixity_results WHERE outcome <> 'whole'"
                ).fetchone()[0]
            )

    def last_round(self) -> FixityRound | None:
        """The newest round that was finished."""
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT {_ROUND} FROM fixity_rounds WHERE finished = 1"
                " ORDER BY number DESC LIMIT 1"
            ).fetchone()
        return None if row is None else _round(row)

    def fixity_status(self, since: float) -> FixityStatus:
        """How the scrub stands; about a second for a million spools."""
        last, current, oldest = self.last_round(), self.open_round(), self.oldest_verified_at()
        with self._db.reading() as conn:
            (verified,) = conn.execute(
                "SELECT count(*) FROM fixity_results WHERE root = 1 AND last_at >= ?", (since,)
            ).fetchone()
            never, oldest_never = conn.execute(
                f"SELECT count(*), min(s.created_at) FROM spools AS s WHERE ({_IN_STORE})"
                " AND NOT EXISTS (SELECT 1 FROM fixity_results AS r WHERE r.spool = s.number)"
            ).fetchone()
        return FixityStatus(
            open_round=current,
            last_round=last,
            verified=verified,
            damaged=self.count_damaged(),
            oldest_at=oldest,
            never=never,
            oldest_never_at=oldest_never,
        )


def _keep(conn: sqlite3.Connection, number: int, results: Sequence[FixityResult]) -> None:
    conn.executemany(
        "INSERT INTO fixity_damage (at, round, spool_id, root, outcome) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [
            (item.at, number, item.spool_id, item.root, item.outcome)
            for item in results
            if item.outcome is not Outcome.WHOLE
        ],
    )


def _target(conn: sqlite3.Connection, row: Sequence[Any]) -> FixityTarget:
    number, spool_id, folder, sha256, size = row
    before = conn.execute(
        "SELECT root, outcome FROM fixity_results WHERE spool = ?", (number,)
    ).fetchall()
    return FixityTarget(
        number=number,
        spool_id=spool_id,
        folder=folder,
        sha256=sha256,
        size=size,
        before=dict(before),
    )


def _round(row: Sequence[Any]) -> FixityRound:
    number, began_at, upto, root, position, ended_at, finished, totals = row
    return FixityRound(
        number=number,
        began_at=began_at,
        upto=upto,
        root=root,
        position=position,
        ended_at=ended_at,
        finished=bool(finished),
        totals=json.loads(totals),
    )
