"""The correspondence of a case: every document that has its reference, oldest first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from hotfolder.core.records import CorrespondenceRow
from hotfolder.journal.connection import Connection
from hotfolder.journal.rows import DOCUMENT_COLUMNS, document_from

_OF_CASE = (
    "SELECT d.number, d.issue_date FROM document_references AS c CROSS JOIN documents AS d"
    " ON d.number = c.document WHERE c.reference = :reference"
    " AND (:kind IS NULL OR c.kind = :kind) AND d.live = 1 AND d.role <> 'carrier'"
    " AND (:customer IS NULL OR d.customer_id = :customer)"
    " AND (:unit IS NULL OR d.business_unit = :unit)"
    " AND (:units IS NULL OR d.business_unit IN (SELECT value FROM json_each(:units)))"
)
# Documents without a day come first: nothing is older than what nobody dated.
_AFTER = (
    " AND (:number IS NULL OR coalesce(d.issue_date, '') > coalesce(:day, '')"
    "  OR (coalesce(d.issue_date, '') = coalesce(:day, '') AND d.number > :number))"
)
_NEXT_VERSION = (
    "(SELECT n.identity FROM documents AS n WHERE n.source = d.source"
    " AND n.business_key = d.business_key AND n.kept = 1 AND n.version > d.version"
    " ORDER BY n.version LIMIT 1)"
)


class Correspondence:
    """The journal's methods about cases."""

    _db: Connection

    def correspondence(
        self,
        reference: str,
        *,
        kind: str | None = None,
        customer_id: str | None = None,
        business_unit: str | None = None,
        business_units: Sequence[str] | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> list[CorrespondenceRow]:
        """Up to ``limit`` live documents that have ``reference``, as ``kind`` or as any, by
        issue date, those of one day as they came in. ``KeyError`` if ``after`` is no
        document."""
        with self._db.reading() as conn:
            day, number = _place_of(conn, after)
            asked = {
                "reference": reference,
                "kind": kind,
                "customer": customer_id,
                "unit": business_unit,
                "units": None if business_units is None else json.dumps(list(business_units)),
                "day": day,
                "number": number,
                "limit": limit,
            }
            # Sorted with nothing but day and number in hand, however much there is.
            rows = conn.execute(
                f"SELECT {DOCUMENT_COLUMNS}, {_NEXT_VERSION},"
                " (SELECT json_group_array(k.kind) FROM document_references AS k"
                "  WHERE k.reference = :reference AND k.document = d.number)"
                f" FROM (SELECT DISTINCT number, issue_date FROM ({_OF_CASE}{_AFTER})"
                "  ORDER BY issue_date, number LIMIT :limit) AS p"
                " CROSS JOIN documents AS d ON d.number = p.number"
                " CROSS JOIN spools AS s ON s.number = d.spool"
                " LEFT JOIN units AS u ON u.number = d.unit ORDER BY d.issue_date, d.number",
                asked,
            ).fetchall()
        return [
            CorrespondenceRow(
                row=document_from(row),
                superseded_by=row[-2],
                kinds=tuple(json.loads(row[-1])),
            )
            for row in rows
        ]

    def correspondents(
        self, reference: str, *, kind: str | None = None
    ) -> list[tuple[str, str | None, int]]:
        """(business unit, customer, documents) of all who have ``reference``: one reference
        may stand for cases of several."""
        with self._db.reading() as conn:
            return conn.execute(
                "SELECT business_unit, customer_id, count(*) FROM documents WHERE number IN"
                f" (SELECT number FROM ({_OF_CASE})) GROUP BY 1, 2 ORDER BY 1, 2",
                {
                    "reference": reference,
                    "kind": kind,
                    "customer": None,
                    "unit": None,
                    "units": None,
                },
            ).fetchall()


def _place_of(conn: sqlite3.Connection, identity: str | None) -> tuple[str | None, int | None]:
    if identity is None:
        return None, None
    row = conn.execute(
        "SELECT issue_date, number FROM documents WHERE identity = ?"
        " ORDER BY live DESC, number DESC LIMIT 1",
        (identity,),
    ).fetchone()
    if row is None:
        raise KeyError(identity)
    return row[0], row[1]
