"""The catalogue: documents, and the numbers that sum everything up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from hotfolder.core.records import CatalogueRow, JournalStatus
from hotfolder.journal.connection import Connection
from hotfolder.journal.rows import DOCUMENT_COLUMNS, DOCUMENTS_JOINED, document_from

_PAGE = 500  # documents


class Catalogue:
    """The journal's methods about documents."""

    _db: Connection

    def documents_of(self, spool_id: str) -> list[CatalogueRow]:
        """The documents of a spool, by ordinal."""
        return list(self.iterate_documents(spool_id))

    def iterate_documents(self, spool_id: str) -> Iterator[CatalogueRow]:
        """The same, a page at a time; each page is of one moment."""
        after = 0
        while True:
            with self._db.reading() as conn:
                rows = conn.execute(
                    f"SELECT {DOCUMENT_COLUMNS} FROM {DOCUMENTS_JOINED}"
                    " WHERE s.id = ? AND d.ordinal > ? ORDER BY d.ordinal LIMIT ?",
                    (spool_id, after, _PAGE),
                ).fetchall()
            page = [document_from(row) for row in rows]
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].document.range.ordinal

    def unconfirmed(self, spool_ids: Sequence[str]) -> dict[str, int]:
        """How many documents of each have no record yet; those that were destroyed get none."""
        with self._db.reading() as conn:
            return dict(
                conn.execute(
                    "SELECT j.value, (SELECT count(*) FROM documents AS d"
                    "  WHERE d.spool = s.number AND d.record_uri IS NULL"
                    "  AND d.role IN ('own', 'carried')"
                    "  AND d.disposition NOT IN ('destroying', 'destroyed'))"
                    " FROM json_each(?) AS j CROSS JOIN spools AS s ON s.id = j.value",
                    (json.dumps(list(spool_ids)),),
                ).fetchall()
            )

    def get_document(self, identity: str) -> CatalogueRow | None:
        """The live document with this identity; failing that, one of a CORRUPT spool."""
        with self._db.reading() as conn:
            for live in (1, 0):  # one index each
                row = conn.execute(
                    f"SELECT {DOCUMENT_COLUMNS} FROM {DOCUMENTS_JOINED}"
                    f" WHERE d.identity = ? AND d.live = {live} AND d.kept = 1"
                    " AND d.disposition IN ('kept', 'withheld')"
                    " ORDER BY d.number DESC LIMIT 1",
                    (identity,),
                ).fetchone()
                if row is not None:
                    return document_from(row)
        return None

    def status(self) -> JournalStatus:
        """Counts, from the counters that triggers keep."""
        with self._db.reading() as conn:
            counts = {
                (kind, name): count
                for kind, name, count in conn.execute("SELECT kind, name, count FROM counts")
            }
            oldest = conn.execute(
                "SELECT min(stored_at) FROM (SELECT d.stored_at FROM backlog AS b, documents AS d"
                " WHERE d.number = (SELECT min(number) FROM documents AS w WHERE w.waiting = 1"
                "  AND w.business_unit = b.business_unit AND w.series = b.series"
                "  AND w.cycle = b.cycle)"
                " UNION ALL SELECT min(d.stored_at) FROM units AS u JOIN documents AS d"
                "  ON d.unit = u.number WHERE u.state IN ('PLANNED', 'SENT'))"
            ).fetchone()[0]
            deferred = conn.execute(
                "SELECT (SELECT count(*) FROM spools WHERE next_at IS NOT NULL)"
                " + (SELECT count(*) FROM units WHERE next_at IS NOT NULL)"
            ).fetchone()[0]
        return JournalStatus(
            spools={name: n for (kind, name), n in counts.items() if kind == "spool" and n},
            units={name: n for (kind, name), n in counts.items() if kind == "unit" and n},
            documents=counts.get(("document", "live"), 0),
            documents_confirmed=counts.get(("document", "confirmed"), 0),
            oldest_waiting_at=oldest,
            deferred=deferred,
            rejected_by_reason={
                name: n for (kind, name), n in counts.items() if kind == "rejected"
            },
        )

    def server_state(self) -> tuple[int, float | None, str | None]:
        """(failures in a row, when to probe next, last error)."""
        with self._db.reading() as conn:
            row = conn.execute("SELECT failures, next_at, error FROM server").fetchone()
        return row[0], row[1], row[2]

    def record_server(
        self, failures: int, next_at: float | None, error: str | None, now: float
    ) -> None:
        """Journal the server's health."""
        with self._db.writing() as conn:
            conn.execute(
                "UPDATE server SET failures = ?, next_at = ?, error = ?, updated_at = ?",
                (failures, next_at, error, now),
            )
