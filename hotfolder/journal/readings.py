"""What reading and storing yield. See ``core.ports.Journal`` for the contract.

A batch is looked up, decided and written with a handful of statements: intake hands
over thousands of spools a second.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import Document, Reading, ReadResult, Role, StoredObject
from hotfolder.journal.connection import Connection
from hotfolder.journal.encryption import note_encryption
from hotfolder.journal.holding import admit_newcomers
from hotfolder.journal.identities import Identities, insert_documents
from hotfolder.journal.links import append_links
from hotfolder.journal.membership import deliver_if_complete, parts_of
from hotfolder.journal.repeats import note_repeated
from hotfolder.journal.rows import dump_faults
from hotfolder.journal.spools import explain
from hotfolder.journal.templates import insert_template

_CHUNK = 1000  # documents that are looked up and written at once


class Readings:
    """The journal's methods about what was read and stored."""

    _db: Connection

    def record_readings(self, readings: Sequence[Reading], now: float) -> list[ReadResult]:
        """Journal documents and identities; decide duplicate and version.

        A document that is live in another spool, or comes twice in this one, is left
        out of this spool's documents; the others are journalled. However many there are,
        they are looked up and written a thousand at a time, in one transaction.
        """
        for reading in readings:
            if not len(reading.documents):
                raise ValueError(f"the reading of spool {reading.spool_id} has no document")
        if not readings:
            return []
        with self._db.writing() as conn:
            spools = _claimed_spools(conn, readings)
            found = {reading.spool_id: _Found() for reading in readings}
            for chunk in _chunks(readings):
                _admit(conn, chunk, spools, found)
            for reading in readings:
                if reading.template is not None and found[reading.spool_id].fresh:
                    insert_template(conn, reading.template, *spools[reading.spool_id])
                if reading.has_carrier and not found[reading.spool_id].carrier:
                    # The same bytes have a record already, under other keys: each for itself.
                    conn.execute(
                        "UPDATE documents SET role = 'own' WHERE spool = ?",
                        (spools[reading.spool_id][0],),
                    )
            results = [
                ReadResult(
                    spool_id=spool_id,
                    state=SpoolState.READ if item.fresh else SpoolState.DUPLICATE,
                    first_spool_id=None if item.fresh else item.first,
                    superseding=item.superseding,
                    documents=item.fresh,
                )
                for spool_id, item in found.items()
            ]
            _move_read(conn, readings, results, now)
            for reading, result in zip(readings, results, strict=True):
                if 0 < result.documents < len(reading.documents) - reading.has_carrier:
                    _note_repeated(conn, reading, spools[reading.spool_id][0], now)
            fresh = [spools[item.spool_id][0] for item in results if item.documents]
            admit_newcomers(conn, fresh, now)
            return results

    def record_stored(self, objects: Sequence[StoredObject], now: float) -> None:
        """READ to STORED, each with a link of the audit chain; the documents wait for a unit."""
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
            rows = conn.execute(
                "SELECT s.id, s.number, s.documents"
                " FROM json_each(?) AS j CROSS JOIN spools AS s ON s.id = j.value",
                (json.dumps(ids),),
            ).fetchall()
            note_encryption(conn, objects)
            numbers = [number for _, number, _ in rows]
            counts = {spool_id: documents for spool_id, _, documents in rows}
            append_links(
                conn,
                [
                    ("spool.stored", item.spool_id, stored_details(item, counts[item.spool_id]))
                    for item in objects
                ],
                now,
            )
            conn.executemany(
                "UPDATE documents SET waiting = 1, stored_at = ?"
                " WHERE spool = ? AND ordinal > ? AND ordinal <= ?"
                " AND live = 1 AND record_uri IS NULL AND unit IS NULL"
                " AND role IN ('own', 'carrier')",
                [(now, *part) for part in parts_of(conn, numbers)],
            )
            found_before = conn.execute(
                "SELECT s.number FROM json_each(?) AS j CROSS JOIN spools AS s ON s.id = j.value"
                " WHERE NOT EXISTS (SELECT 1 FROM documents AS d"
                "  WHERE d.spool = s.number AND d.record_uri IS NULL)",
                (json.dumps(ids),),
            ).fetchall()
            deliver_if_complete(conn, [number for (number,) in found_before], now)


def stored_details(item: StoredObject, documents: int) -> dict[str, object]:
    """What the audit chain says of a spool that was stored: its bytes, by the digest of
    its inventory everything else in its object, and each of many documents by the root of
    a tree over them: one can be shown without the others."""
    details: dict[str, object] = {
        "sha256": item.content_sha256,
        "size": item.content_size,
        "documents": documents,
    }
    if item.inventory_sha256:
        details["inventory_sha256"] = item.inventory_sha256
    if item.documents_root:
        details["documents_root"] = item.documents_root
    if item.encryption:
        details["encryption"] = str(item.encryption)
    return details


@dataclass(slots=True)
class _Found:
    """What the journal makes of one reading, as far as it has come."""

    fresh: int = 0  # documents without a carrier
    carrier: bool = False
    superseding: int = 0
    first: str | None = None


def _chunks(readings: Sequence[Reading]) -> Iterator[list[tuple[str, Document]]]:
    """All documents with their spools, ``_CHUNK`` at a time: those of many small spools
    together, those of a large one in many parts."""
    pairs = ((reading.spool_id, item) for reading in readings for item in reading.documents)
    while chunk := list(islice(pairs, _CHUNK)):
        yield chunk


def _note_repeated(conn: sqlite3.Connection, reading: Reading, spool: int, now: float) -> None:
    # Read once more: of a spool that turns out to be a duplicate nothing is to be noted.
    documents = iter(reading.documents)
    while chunk := list(islice(documents, _CHUNK)):
        note_repeated(conn, spool, reading.spool_id, chunk, now)


def _admit(
    conn: sqlite3.Connection,
    chunk: Sequence[tuple[str, Document]],
    spools: Mapping[str, tuple[int, str]],
    found: Mapping[str, _Found],
) -> None:
    known = Identities(conn, [document for _, document in chunk])
    admitted: list[tuple[Document, int, str]] = []
    for spool_id, group in groupby(chunk, key=lambda pair: pair[0]):
        counts = found[spool_id]
        fresh, first = known.sort_out([document for _, document in group], spool_id)
        counts.first = counts.first or first
        for document in fresh:
            if document.role is Role.CARRIER:
                if not counts.fresh:
                    continue  # there is nothing for it to stand for
                counts.carrier = True
            else:
                counts.fresh += 1
            item = known.admit(spool_id, document)
            counts.superseding += item.supersedes is not None
            admitted.append((item, *spools[spool_id]))
    insert_documents(conn, admitted)


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
        " format_name = ?, pages = ?, first_spool_id = ?, documents = ?, left_out = ?,"
        " skipped = ?, remarks = ?, attempts = 0, next_at = NULL, last_error = NULL"
        " WHERE id = ?",
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
                result.documents,
                len(reading.documents) - reading.has_carrier - result.documents,
                reading.skipped,
                dump_faults(reading.warnings),
                reading.spool_id,
            )
            for reading, result in zip(readings, results, strict=True)
        ],
    )
