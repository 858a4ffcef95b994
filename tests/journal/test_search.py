"""Finding documents: the same as going through all of them, and quicker."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import Document, DocumentMetadata
from hotfolder.journal import search
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import FAULT, make_document, spool_id, store

_FIRST = date(2026, 1, 1)
_CUSTOMERS = ("C-1", "C-2", "c-1", "C-10", None)
_ACCOUNTS = ("A-1", "A-2", None)
_TYPES = ("statement", "bill", None)
_CASES = ("CASE-1", "CASE-2")
_WORDS = ("annual", "100%", "a_b", "Überweisung", "back\\slash")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(os.fsencode(tmp_path_factory.mktemp("search") / "j.db"))
    for number in range(1, 61):
        documents = [_document(number, ordinal) for ordinal in (1, 2, 3)]
        store(journal, number, *documents)
    journal.set_aside(spool_id(7), SpoolState.REJECTED, [FAULT], 9)
    yield journal
    journal.close()


def _document(number: int, ordinal: int) -> Document:
    seed = number * 3 + ordinal
    metadata = DocumentMetadata(
        customer_id=_CUSTOMERS[seed % 5],
        account_number=_ACCOUNTS[seed % 3],
        document_type=_TYPES[seed % 7 % 3],
        issue_date=_FIRST + timedelta(days=seed * 7 % 31),
        case_refs=tuple(case for index, case in enumerate(_CASES) if seed % (4 + index) == 0),
    )
    made = make_document(f"k{number}", str(ordinal), ordinal=ordinal, metadata=metadata)
    return replace(made, title=f"{_WORDS[seed % 5]} {_WORDS[seed % 4]} {number}")


def _holds(query: DocumentQuery, spool: str, document: Document) -> bool:
    metadata = document.metadata
    issued = metadata.issue_date or _FIRST
    kind = (metadata.document_type or "").casefold()
    return (
        query.customer_id in (None, metadata.customer_id)
        and query.account_number in (None, metadata.account_number)
        and (query.document_type is None or query.document_type.casefold() == kind)
        and (query.issued_from is None or issued >= query.issued_from)
        and (query.issued_to is None or issued <= query.issued_to)
        and (query.case_ref is None or query.case_ref in metadata.case_refs)
        and all(word.lower() in document.title.lower() for word in query.words)
        and query.spool_id in (None, spool)
    )


_DAYS = st.none() | st.dates(_FIRST, _FIRST + timedelta(days=31))
QUERIES = st.builds(
    DocumentQuery,
    customer_id=st.none() | st.sampled_from(["C-1", "C-2", "c-1", "nobody"]),
    account_number=st.none() | st.sampled_from(["A-1", "A-2"]),
    document_type=st.none() | st.sampled_from(["statement", "BILL", "letter"]),
    issued_from=_DAYS,
    issued_to=_DAYS,
    case_ref=st.none() | st.sampled_from(["CASE-1", "CASE-9"]),
    words=st.lists(st.sampled_from(["annual", "100%", "A_B", "%", "_", "\\"]), max_size=2).map(
        tuple
    ),
    spool_id=st.none() | st.sampled_from([spool_id(3), spool_id(7), spool_id(99)]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUERIES, st.integers(1, 50))
def test_it_finds_what_going_through_all_would(
    filled: SqliteJournal, query: DocumentQuery, size: int
) -> None:
    everything = [
        (spool_id(number), item.document, place)
        for number in range(1, 61)
        if number != 7
        for place, item in enumerate(filled.documents_of(spool_id(number)))
    ]
    wanted = [
        document.identity
        for spool, document, _ in sorted(
            everything,
            key=lambda item: (item[1].metadata.issue_date, item[0], item[1].range.ordinal),
            reverse=True,
        )
        if _holds(query, spool, document)
    ]
    found: list[str] = []
    page = query
    while rows := filled.find_documents(page, size):
        assert len(rows) <= size
        found += [row.document.identity for row in rows]
        page = replace(query, after=found[-1])
    assert found == wanted
    assert filled.count_documents(query) == len(wanted)


def test_a_page_after_nothing_is_told(filled: SqliteJournal) -> None:
    with pytest.raises(KeyError):
        filled.find_documents(DocumentQuery(after="hf-" + "0" * 64), 10)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (DocumentQuery(customer_id="C-1", issued_from=_FIRST), "documents_customer"),
        (DocumentQuery(account_number="A-1"), "documents_account"),
        (DocumentQuery(document_type="bill", issued_from=_FIRST), "documents_issued"),
        (DocumentQuery(), "documents_issued"),
    ],
)
def test_no_question_sorts_or_walks_over_everything(
    filled: SqliteJournal, tmp_path: Path, query: DocumentQuery, index: str
) -> None:
    where, values = search._conditions(query)
    conn = sqlite3.connect(":memory:")
    with filled._db.reading() as source:
        for (statement,) in source.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"):
            if re.match(r"CREATE (TABLE|INDEX|UNIQUE)", statement) and "sqlite_" not in statement:
                conn.execute(statement)
    plan = " ".join(
        row[3]
        for row in conn.execute(
            f"EXPLAIN QUERY PLAN SELECT 1 FROM documents AS d WHERE {where}"
            " ORDER BY d.issue_date DESC, d.number DESC LIMIT 10",
            values,
        )
    )
    conn.close()
    assert index in plan
    assert "TEMP B-TREE" not in plan
