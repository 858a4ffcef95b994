"""What reading and storing yield. See ``core.ports.Journal`` for the contract.

A batch is looked up, decided and written with a handful of statements: intake hands
over thousands of spools a second.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import Document, Reading, ReadResult, StoredObject
from hotfolder.journal.connection import Connection
from hotfolder.journal.identities import Identities, insert_documents
from hotfolder.journal.membership import deliver_if_complete
from hotfolder.journal.spools import explain


class Readings:
    """The journal's methods about what was read and stored."""

    _db: Connection

    def record_readings(self, readings: Sequence[Reading], now: float) -> list[ReadResult]:
        """Journal documents and identities; decide duplicate and version.

        A document that is live in another spool, or comes twice in this one, is left
        out of this spool's documents; the others are journalled.
        """
        for reading in readings:
            if not reading.documents:
                raise ValueError(f"the reading of spool {reading.spool_id} has no document")
        if not readings:
            return []
        with self._db.writing() as conn:
            spools = _claimed_spools(conn, readings)
            known = Identities(conn, [item for reading in readings for item in reading.documents])
            results: list[ReadResult] = []
            documents: list[tuple[Document, int, str]] = []
            for reading in readings:
                fresh, first = known.sort_out(reading.documents)
                admitted = [known.admit(reading.spool_id, document) for document in fresh]
                documents += [(item, *spools[reading.spool_id]) for item in admitted]
                results.append(
                    ReadResult(
                        spool_id=reading.spool_id,
                        state=SpoolState.READ if fresh else SpoolState.DUPLICATE,
                        first_spool_id=None if fresh else first,
                        superseding=tuple(
                            item.identity for item in admitted if item.supersedes is not None
                        ),
                    )
                )
            _move_read(conn, readings, results, now)
            insert_documents(conn, documents)
            return results

    def record_stored(self, objects: Sequence[StoredObject], now: float) -> None:
        """READ to STORED; the documents wait for a unit."""
        if not objects:
            return
        ids = [item.spool_id for item in objects]
        with self._db.writing() as conn:
            # From READ only, for the reason given below.
            stored = conn.executemany(
                "UPDATE spools SET state = 'STORED', reason = '', updated_at = ?, attempts = 0,"
                " next_at = NULL, last_error = NULL WHERE id = ? AND sha256 = ?"
                " AND state = 'READ'",
                [(now, item.spool_id, item.content_sha256) for item in objects],
            ).rowcount
            if stored != len(ids):
                explain(conn, ids, SpoolState.READ, SpoolState.STORED)
            conn.executemany(
                "UPDATE documents SET waiting = 1, stored_at = ?"
                " WHERE spool = (SELECT number FROM spools WHERE id = ?)"
                " AND live = 1 AND record_uri IS NULL AND unit IS NULL",
                [(now, spool_id) for spool_id in ids],
            )
            found_before = conn.execute(
                "SELECT s.number FROM json_each(?) AS j CROSS JOIN spools AS s ON s.id = j.value"
                " WHERE NOT EXISTS (SELECT 1 FROM documents AS d"
                "  WHERE d.spool = s.number AND d.record_uri IS NULL)",
                (json.dumps(ids),),
            ).fetchall()
            deliver_if_complete(conn, [number for (number,) in found_before], now)


def _claimed_spools(
    conn: sqlite3.Connection, readings: Sequence[Reading]
) -> dict[str, tuple[int, str]]:
    """Number and business unit of the spools, all of which must be CLAIMED.

    The table of moves lets a HELD spool become READ as well, but that is for ``release``,
    not for a reading that was under way when somebody held the spool.
    """
    ids = [reading.spool_id for reading in readings]
    found = {
        spool_id: (number, business_unit)
        for spool_id, number, business_unit in conn.execute(
            "SELECT s.id, s.number, s.business_unit FROM json_each(?) AS j"
            " CROSS JOIN spools AS s ON s.id = j.value WHERE s.state = 'CLAIMED'",
            (json.dumps(ids),),
        )
    }
    if len(found) != len(ids):
        explain(conn, ids, SpoolState.CLAIMED, SpoolState.READ)
    return found


def _move_read(
    conn: sqlite3.Connection,
    readings: Sequence[Reading],
    results: Sequence[ReadResult],
    now: float,
) -> None:
    # READ and DUPLICATE both need the checksum, so it is set in the same statement.
    conn.executemany(
        "UPDATE spools SET state = ?, reason = ?, updated_at = ?, sha256 = ?, size = ?,"
        " format_name = ?, pages = ?, first_spool_id = ?, attempts = 0, next_at = NULL,"
        " last_error = NULL WHERE id = ?",
        [
            (
                result.state,
                f"same bytes and key as {result.first_spool_id}" if result.first_spool_id else "",
                now,
                reading.sha256,
                reading.size,
                reading.inspection.format_name,
                reading.inspection.pages,
                result.first_spool_id,
                reading.spool_id,
            )
            for reading, result in zip(readings, results, strict=True)
        ],
    )
