"""Finding documents: filters combined, newest first, a page at a time."""

from __future__ import annotations

import sqlite3

from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import CatalogueRow
from hotfolder.journal.connection import Connection
from hotfolder.journal.rows import DOCUMENT_COLUMNS, DOCUMENTS_JOINED, document_from


class Search:
    """The journal's methods that find documents by what is known of them."""

    _db: Connection

    def find_documents(self, query: DocumentQuery, limit: int) -> list[CatalogueRow]:
        """Up to ``limit`` live documents, newest issue date first; of one day, what was
        taken in last comes first. ``KeyError`` if ``query.after`` is no document."""
        with self._db.reading() as conn:
            where, values = _conditions(query)
            if query.after is not None:
                issued, number = _place_of(conn, query.after)
                where += " AND (d.issue_date, d.number) < (?, ?)"
                values += [issued, number]
            rows = conn.execute(
                f"SELECT {DOCUMENT_COLUMNS} FROM {DOCUMENTS_JOINED} WHERE {where}"
                " ORDER BY d.issue_date DESC, d.number DESC LIMIT ?",
                [*values, limit],
            ).fetchall()
        return [document_from(row) for row in rows]

    def count_documents(self, query: DocumentQuery) -> int:
        """How many there are on all pages."""
        where, values = _conditions(query)
        with self._db.reading() as conn:
            row = conn.execute(
                f"SELECT count(*) FROM documents AS d WHERE {where}", values
            ).fetchone()
        return int(row[0])


def _conditions(query: DocumentQuery) -> tuple[str, list[object]]:
    terms = ["d.live = 1"]
    values: list[object] = []
    for column, value in (
        ("customer_id", query.customer_id),
        ("account_number", query.account_number),
    ):
        if value is not None:
            terms.append(f"d.{column} = ?")
            values.append(value)
    if query.document_type is not None:
        terms.append("d.document_type = ? COLLATE NOCASE")
        values.append(query.document_type)
    if query.issued_from is not None:
        terms.append("d.issue_date >= ?")
        values.append(query.issued_from.isoformat())
    if query.issued_to is not None:
        terms.append("d.issue_date <= ?")
        values.append(query.issued_to.isoformat())
    if query.case_ref is not None:
        terms.append("d.number IN (SELECT document FROM case_references WHERE reference = ?)")
        values.append(query.case_ref)
    for word in query.words:
        terms.append("d.title LIKE ? ESCAPE '\\'")
        values.append(f"%{_escape(word)}%")
    if query.spool_id is not None:
        terms.append("d.spool = (SELECT number FROM spools WHERE id = ?)")
        values.append(query.spool_id)
    return " AND ".join(terms), values


def _escape(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _place_of(conn: sqlite3.Connection, identity: str) -> tuple[str, int]:
    row = conn.execute(
        "SELECT issue_date, number FROM documents WHERE identity = ? AND live = 1", (identity,)
    ).fetchone()
    if row is None:
        raise KeyError(identity)
    return row[0], row[1]
