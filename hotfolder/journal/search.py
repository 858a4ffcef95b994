"""Finding documents: filters combined, newest first, a page at a time.

One filter leads: the one that leaves the fewest documents, each by an index of its own
that has them in the order of their days. The others are checked row by row, kept from
their indexes by a unary plus (sqlite.org/optoverview.html, 8.1), so that the way is the
same for every journal, whatever SQLite guesses about it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from hotfolder.core.query import COUNT_LIMIT, DocumentQuery
from hotfolder.core.records import CatalogueRow
from hotfolder.journal.connection import Connection
from hotfolder.journal.identities import WORDS
from hotfolder.journal.rows import DOCUMENT_COLUMNS, document_from
from hotfolder.journal.tokens import match_terms, tokenizing

_JOINED = " CROSS JOIN spools AS s ON s.number = d.spool LEFT JOIN units AS u ON u.number = d.unit"
_NEWEST = " ORDER BY d.issue_date DESC, d.number DESC LIMIT ?"
_FIRST_KIND = (
    " AND NOT EXISTS (SELECT 1 FROM document_references AS k WHERE k.reference = c.reference"
    " AND k.document = c.document AND k.kind < c.kind)"
)
_TEMPLATE, _VERSION = "d.template = ?", "d.template_version = ?"
_FOUND = "FROM documents AS d WHERE d.live = 1 AND d.role <> 'carrier'"
_DAY = DOCUMENT_COLUMNS.count(", ") + 1  # where the day and the number come in a row
# The newest documents, whose words are looked at without the index: a word that many
# have is found among them at once, and the index would list millions. More of them are
# looked at where some of the first had the words.
_LOOKED_AT = 500
_LOOKED_ON = 10 * _LOOKED_AT
_PROMISING = _LOOKED_AT // 100
# So many documents that have the words are looked up one by one; with more, it is quicker
# to go through all from the newest on.
_LISTED = 20_000


class Search:
    """The journal's methods that find documents by what is known of them."""

    _db: Connection

    def find_documents(self, query: DocumentQuery, limit: int) -> list[CatalogueRow]:
        """Up to ``limit`` live documents, newest issue date first, those without one
        last; of one day, what was taken in last comes first. ``KeyError`` if
        ``query.after`` is no document."""
        with self._db.reading() as conn:
            place = _place_of(conn, query.after)
            found = [_find(conn, one, place, limit) for one in _by_unit(query)]
        # Each is in order; of several the newest come first, those without a day last.
        merged = found[0] if len(found) == 1 else sorted(chain(*found), key=_order, reverse=True)
        return [document_from(row) for row in merged[:limit]]

    def count_documents(self, query: DocumentQuery) -> int:
        """How many there are on all pages; with ``words`` at most ``COUNT_LIMIT`` + 1."""
        query = replace(query, after=None)
        with self._db.reading() as conn:
            if query == DocumentQuery():
                counted = "SELECT count FROM counts WHERE kind = 'document' AND name = 'live'"
                return int(conn.execute(counted).fetchone()[0])
            count = _count_by_words if query.words else _count_all
            total = sum(count(conn, one) for one in _by_unit(query))
        return min(total, COUNT_LIMIT + 1) if query.words else total

    def business_units(self) -> list[str]:
        """Those of which there are documents that can be found."""
        with self._db.reading() as conn:
            # From each to the next by the index: there are few, and many documents.
            found = conn.execute(
                f"WITH RECURSIVE u(code) AS (SELECT min(d.business_unit) {_FOUND}"
                f" UNION ALL SELECT (SELECT min(d.business_unit) {_FOUND}"
                " AND d.business_unit > u.code) FROM u WHERE u.code IS NOT NULL)"
                " SELECT code FROM u WHERE code IS NOT NULL"
            ).fetchall()
        return [code for (code,) in found]


def _by_unit(query: DocumentQuery) -> list[DocumentQuery]:
    """A question for each business unit, where nothing else leads: no index has the days of
    several units in one order."""
    units = query.business_units
    leads = (query.case_ref, query.account_number, query.customer_id, query.spool_id,
             query.document_type, query.template, query.template_version)  # fmt: skip
    if units is None or len(units) < 2 or any(value is not None for value in leads):
        return [query]
    return [replace(query, business_units=(unit,)) for unit in dict.fromkeys(units)]


def _find(
    conn: sqlite3.Connection,
    query: DocumentQuery,
    place: tuple[str | None, int | None],
    limit: int,
) -> list[Any]:
    parts = _parts_after(query, *place)
    columns = f"{DOCUMENT_COLUMNS}, d.issue_date, d.number"
    if query.words:
        return _find_by_words(conn, query, parts, limit, columns)
    return _page(conn, _plan(query), parts, columns, limit)


def _order(row: Sequence[Any]) -> tuple[str, int]:
    return row[_DAY] or "", row[_DAY + 1]


def _count_all(conn: sqlite3.Connection, query: DocumentQuery) -> int:
    return _count(conn, query, _plan(query))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Tables and conditions, with the values in them. ``plus`` keeps conditions on day
    and number from an index that would lead instead."""

    source: str
    where: str
    values: list[object]
    plus: str

    def within(self, part: _Part) -> str:
        """The conditions with those of a part of the order."""
        return "".join([self.where, *(f" AND {self.plus}{term}" for term in part.terms)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the order, newest first: conditions on day and number only."""

    terms: tuple[str, ...]
    values: tuple[object, ...] = ()


def _plan(
    query: DocumentQuery, *, numbers: Sequence[int] | None = None, matching: str | None = None
) -> _Plan:
    """``numbers``: only of these, which then lead. ``matching``: what to ask the index of
    words, as one more condition."""
    source, values = "documents AS d", list[object]()
    kind = "" if query.case_kind is None else " AND c.kind = ?"
    asked = tuple(value for value in (query.case_ref, query.case_kind) if value is not None)
    case = (
        f"d.number IN (SELECT c.document FROM document_references AS c WHERE c.reference = ?{kind})"
    )
    if numbers is not None:
        source = "json_each(?) AS n CROSS JOIN documents AS d ON d.number = n.value"
        values.append(json.dumps(list(numbers)))
    elif query.case_ref is not None:
        source = "document_references AS c CROSS JOIN documents AS d ON d.number = c.document"
        # A document that has the reference twice, as a case and as a claim, comes once.
        case = f"c.reference = ?{kind or _FIRST_KIND}"
    terms = ["d.live = 1", "d.role <> 'carrier'"]
    leader = None if numbers is None else "n"
    for term, value in (
        (case, query.case_ref),
        ("d.account_number = ?", query.account_number),
        ("d.customer_id = ?", query.customer_id),
        (_TEMPLATE, query.template),
        (_VERSION, query.template_version),
        ("d.spool = (SELECT number FROM spools WHERE id = ?)", query.spool_id),
        ("d.document_type = ? COLLATE NOCASE", query.document_type),
        _unit_term(query),
    ):
        if value is not None:
            # Template and version are two columns of one index.
            together = leader == _TEMPLATE and term == _VERSION
            terms.append(f"+{term}" if leader and not together else term)
            values += asked if term == case else (value,)
            leader = leader or term
    if matching is not None:
        terms.append("+d.number IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(matching)
    return _Plan(
        source=source,
        where=" AND ".join(terms),
        values=values,
        plus="+" if (leader or "").startswith(("n", "c.")) else "",
    )


def _unit_term(query: DocumentQuery) -> tuple[str, str | None]:
    units = query.business_units
    if units is None:
        return "", None
    if len(units) == 1:
        return "d.business_unit = ?", units[0]
    return "d.business_unit IN (SELECT value FROM json_each(?))", json.dumps(list(units))


def _place_of(conn: sqlite3.Connection, identity: str | None) -> tuple[str | None, int | None]:
    """Day and number of a document; nothing of none."""
    if identity is None:
        return None, None
    # Rejected since the page before was shown, it is a place still.
    for live in (1, 0):  # one index each
        row = conn.execute(
            f"SELECT issue_date, number FROM documents WHERE identity = ? AND live = {live}"
            " ORDER BY number DESC LIMIT 1",
            (identity,),
        ).fetchone()
        if row is not None:
            return row[0], row[1]
    raise KeyError(identity)


def _parts_after(query: DocumentQuery, issued: str | None, number: int | None) -> list[_Part]:
    """What is left of the order after this place (None: all), within the days that are
    asked for. In parts that each are one range of an index: SQLite makes one of neither
    "of that day and before that number, or earlier" nor two ways of saying which day."""
    first = query.issued_from.isoformat() if query.issued_from else None
    last = query.issued_to.isoformat() if query.issued_to else None
    undated = "d.issue_date IS NULL"
    if number is None:
        return [_days(first, last)]
    if issued is None:
        within = first is None and last is None
        return [_Part(terms=(undated, "d.number < ?"), values=(number,))] if within else []
    parts = []
    if (first is None or first <= issued) and (last is None or issued <= last):
        parts.append(_Part(terms=("d.issue_date = ?", "d.number < ?"), values=(issued, number)))
    if last is not None and last < issued:
        parts.append(_days(first, last))
    else:
        parts.append(_days(first, issued, before="<"))
    if first is None and last is None:
        parts.append(_Part(terms=(undated,)))
    return parts


def _days(first: str | None, last: str | None, *, before: str = "<=") -> _Part:
    given = (("d.issue_date >= ?", first), (f"d.issue_date {before} ?", last))
    return _Part(
        terms=tuple(term for term, day in given if day is not None),
        values=tuple(day for _, day in given if day is not None),
    )


def _page(
    conn: sqlite3.Connection, plan: _Plan, parts: Sequence[_Part], columns: str, limit: int
) -> list[Any]:
    """The first rows, in order."""
    found: list[Any] = []
    for part in parts:
        if len(found) < limit:
            found += conn.execute(
                f"SELECT {columns} FROM {plan.source}{_JOINED} WHERE {plan.within(part)}{_NEWEST}",
                [*plan.values, *part.values, limit - len(found)],
            )
    return found


def _count(
    conn: sqlite3.Connection, query: DocumentQuery, plan: _Plan, limit: int | None = None
) -> int:
    (part,) = _parts_after(query, None, None)
    counted = f"{plan.source} WHERE {plan.within(part)}"
    values = [*plan.values, *part.values]
    if limit is not None:
        # With the order, because it names the index that leads.
        counted = f"(SELECT 1 FROM {counted}{_NEWEST})"
        values.append(limit)
    return int(conn.execute(f"SELECT count(*) FROM {counted}", values).fetchone()[0])


def _find_by_words(
    conn: sqlite3.Connection,
    query: DocumentQuery,
    parts: Sequence[_Part],
    limit: int,
    columns: str,
) -> list[Any]:
    wanted: list[str] = []
    for looked_at in (_LOOKED_AT, _LOOKED_ON):
        wanted, found, all_seen = _look_at_newest(conn, query, parts, columns, looked_at)
        if all_seen or len(found) >= limit:
            return found[:limit]
        if len(found) < _PROMISING:
            break
    return _page(conn, _plan_with_words(conn, query, wanted), parts, columns, limit)


def _count_by_words(conn: sqlite3.Connection, query: DocumentQuery) -> int:
    parts = _parts_after(query, None, None)
    wanted, found, all_seen = _look_at_newest(conn, query, parts, "d.number", _LOOKED_AT)
    if all_seen:
        return len(found)
    return _count(conn, query, _plan_with_words(conn, query, wanted), COUNT_LIMIT + 1)


def _look_at_newest(
    conn: sqlite3.Connection,
    query: DocumentQuery,
    parts: Sequence[_Part],
    columns: str,
    looked_at: int,
) -> tuple[list[str], list[Any], bool]:
    """The tokens to find; those of the newest documents that have them; whether there are
    no others to look at."""
    with tokenizing() as tokens:
        wanted = tokens.of(" ".join(query.words))
        if not wanted:
            return [], [], True
        newest = _page(conn, _plan(query), parts, f"{columns}, {WORDS}", looked_at)
        found = [row for row in newest if tokens.begin_in(row[-1], wanted)]
    return wanted, found, len(newest) < looked_at


def _plan_with_words(
    conn: sqlite3.Connection, query: DocumentQuery, wanted: Sequence[str]
) -> _Plan:
    matching = match_terms(conn, wanted)
    numbers = [
        number
        for (number,) in conn.execute(
            "SELECT rowid FROM words WHERE words MATCH ? LIMIT ?", (matching, _LISTED + 1)
        )
    ]
    if len(numbers) <= _LISTED:
        return _plan(query, numbers=numbers)
    return _plan(query, matching=matching)
