"""Finding documents: the same as going through all of them, and quicker."""

from __future__ import annotations

import os
import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.query import COUNT_LIMIT, DocumentQuery
from hotfolder.core.records import Document, DocumentMetadata, Role
from hotfolder.core.references import references_of
from hotfolder.journal import search, tokens
from hotfolder.journal.identities import WORDS
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import FAULT, UNIT, claim, make_document, make_reading, spool_id, store

_FIRST = date(2026, 1, 1)
_CUSTOMERS = ("C-1", "C-2", "c-1", "C-10", None)
_ACCOUNTS = ("A-1", "A-2", None)
_TYPES = ("statement", "bill", None)
_CASES = ("CASE-1", "CASE-2")
_WORDS = ("annual", "100%", "a_b", "Überweisung", "back\\slash")
_UNITS = {
    spool_id(number): ("life", UNIT, UNIT, "auto", UNIT)[number % 5] for number in range(1, 61)
}
_REJECTED, _CARRIED = 7, 8
# How the words are found: among the newest, by a list of numbers, by going through all.
_WAYS = {"newest": (500, 20_000), "listed": (4, 20_000), "walked": (4, 3)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A journal, and what it should find, in the order in which it should."""

    journal: SqliteJournal
    path: Path
    live: tuple[tuple[str, Document], ...]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    path = tmp_path_factory.mktemp("search") / "j.db"
    journal = SqliteJournal(os.fsencode(path))
    for number in range(1, 61):
        documents = [_document(number, ordinal) for ordinal in (1, 2, 3)]
        if number == _CARRIED:
            _store_carried(journal, number, documents)
        else:
            store(journal, number, *documents, unit=_UNITS[spool_id(number)])
    journal.set_aside(spool_id(_REJECTED), SpoolState.REJECTED, [FAULT], 9)
    live = [
        (spool_id(number), item.document)
        for number in range(1, 61)
        if number != _REJECTED
        for item in journal.documents_of(spool_id(number))
        if item.document.role is not Role.CARRIER
    ]
    live.reverse()
    live.sort(key=lambda item: item[1].metadata.issue_date or date.min, reverse=True)
    yield Filled(journal=journal, path=path, live=tuple(live))
    journal.close()


def _store_carried(journal: SqliteJournal, number: int, documents: list[Document]) -> None:
    carrier = replace(make_document(f"s{number}", ordinal=4), role=Role.CARRIER)
    carried = [replace(item, role=Role.CARRIED) for item in documents]
    claim(journal, number, unit=_UNITS[spool_id(number)])
    reading = make_reading(number, *carried, carrier)
    journal.record_readings([replace(reading, has_carrier=True)], 2.0)


def _document(number: int, ordinal: int) -> Document:
    seed = number * 3 + ordinal
    metadata = DocumentMetadata(
        customer_id=_CUSTOMERS[seed % 5],
        account_number=_ACCOUNTS[seed % 3],
        document_type=_TYPES[seed % 7 % 3],
        issue_date=_FIRST + timedelta(days=seed * 7 % 13) if seed % 6 else None,
        case_refs=tuple(case for index, case in enumerate(_CASES) if seed % (4 + index) == 0),
        claim_refs=("CASE-1",)
        if seed % 8 == 0
        else ("CLAIM-5", "CLAIM-5")
        if seed % 5 == 0
        else (),
        dispute_refs=("CASE-1",) if seed % 7 == 0 else (),
        change_refs=("CLAIM-5",) if seed % 6 == 0 else (),
        customer_name=("José Álvarez", "Ann Annuals", None)[seed % 4 % 3],
        extra={"Region": ("North",)} if seed % 2 else {},
    )
    made = make_document(f"k{number}", str(ordinal), ordinal=ordinal, metadata=metadata)
    return replace(made, title=f"{_WORDS[seed % 5]} {_WORDS[seed % 4]} {number}")


def _tokens(text: str) -> set[str]:
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", text.lower())
        if unicodedata.category(letter) != "Mn"
    )
    return set(re.findall(r"[^\W_]+", plain))


def _has_words(words: tuple[str, ...], document: Document) -> bool:
    found = document.metadata
    extra = " ".join(f"{key} {' '.join(texts)}" for key, texts in found.extra.items())
    there = _tokens(f"{document.title} {found.customer_name or ''} {extra}")
    wanted = _tokens(" ".join(words))
    return bool(wanted) and all(any(one.startswith(word) for one in there) for word in wanted)


def _holds(query: DocumentQuery, spool: str, document: Document) -> bool:
    metadata = document.metadata
    issued = metadata.issue_date
    kind = (metadata.document_type or "").casefold()
    return (
        query.customer_id in (None, metadata.customer_id)
        and query.account_number in (None, metadata.account_number)
        and (query.document_type is None or query.document_type.casefold() == kind)
        and (query.issued_from is None or (issued is not None and issued >= query.issued_from))
        and (query.issued_to is None or (issued is not None and issued <= query.issued_to))
        and (
            query.case_ref is None
            or any(
                reference == query.case_ref and query.case_kind in (None, kind)
                for kind, reference in references_of(metadata)
            )
        )
        and (not query.words or _has_words(query.words, document))
        and (query.business_units is None or _UNITS[spool] in query.business_units)
        and query.spool_id in (None, spool)
    )


_DAYS = st.none() | st.dates(_FIRST, _FIRST + timedelta(days=14))
QUERIES = st.builds(
    DocumentQuery,
    customer_id=st.none() | st.sampled_from(["C-1", "C-2", "c-1", "nobody"]),
    account_number=st.none() | st.sampled_from(["A-1", "A-2"]),
    document_type=st.none() | st.sampled_from(["statement", "BILL", "letter"]),
    business_units=st.none()
    | st.lists(st.sampled_from([UNIT, "life", "auto", "nobody"]), max_size=4).map(tuple),
    issued_from=_DAYS,
    issued_to=_DAYS,
    case_ref=st.none() | st.sampled_from(["CASE-1", "CASE-9", "CLAIM-5"]),
    case_kind=st.none() | st.sampled_from(["case", "claim", "dispute", "change"]),
    words=st.lists(
        st.sampled_from(
            [
                "annual",
                "ann",
                "100%",
                "A_B",
                "%",
                "uberw",
                "ÜBERW",
                "jose",
                "alva",
                "north",
                '"',
                "5",
            ]
        ),
        max_size=2,
    ).map(tuple),
    spool_id=st.none()
    | st.sampled_from([spool_id(3), spool_id(_REJECTED), spool_id(_CARRIED), spool_id(99)]),
)


@pytest.mark.parametrize("way", _WAYS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, size=st.integers(1, 50))
def test_it_finds_what_going_through_all_would(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, way: str, query: DocumentQuery, size: int
) -> None:
    monkeypatch.setattr(search, "_LOOKED_AT", _WAYS[way][0])
    monkeypatch.setattr(search, "_LISTED", _WAYS[way][1])
    wanted = [item.identity for spool, item in filled.live if _holds(query, spool, item)]
    found: list[str] = []
    page = query
    while rows := filled.journal.find_documents(page, size):
        assert len(rows) <= size
        found += [row.document.identity for row in rows]
        assert found == wanted[: len(found)]  # else a page that repeats has no end
        page = replace(query, after=found[-1])
    assert found == wanted
    assert filled.journal.count_documents(query) == len(wanted)
    assert filled.journal.count_documents(page) == len(wanted)


_FILTERS = {
    "": DocumentQuery(),
    "customer": DocumentQuery(customer_id="C-1"),
    "account": DocumentQuery(account_number="A-1"),
    "type": DocumentQuery(document_type="bill"),
    "case": DocumentQuery(case_ref="CASE-1"),
    "spool": DocumentQuery(spool_id=spool_id(3)),
    "unit": DocumentQuery(business_units=("life",)),
    "units": DocumentQuery(business_units=("life", UNIT)),
    "words": DocumentQuery(words=("annual",)),
    "days": DocumentQuery(issued_from=_FIRST, issued_to=_FIRST + timedelta(days=9)),
}


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("name", _FILTERS)
def test_a_page_begins_with_the_one_after_the_last(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    """After each document, the next: of the same day, of an earlier one, without a day."""
    monkeypatch.setattr(search, "_LOOKED_AT", _WAYS[way][0])
    monkeypatch.setattr(search, "_LISTED", _WAYS[way][1])
    query = _FILTERS[name]
    wanted = [item for spool, item in filled.live if _holds(query, spool, item)]
    days = [item.metadata.issue_date for item in wanted]
    assert len(set(days)) > 1
    assert (None in days) is (name != "days")
    for last, following in zip(wanted, [*wanted[1:], None], strict=True):
        page = filled.journal.find_documents(replace(query, after=last.identity), 1)
        assert [row.document for row in page] == ([following] if following else [])


def test_a_page_after_nothing_is_told(filled: Filled) -> None:
    with pytest.raises(KeyError):
        filled.journal.find_documents(DocumentQuery(after="hf-" + "0" * 64), 10)


def test_a_page_goes_on_after_a_document_that_has_been_rejected(filled: Filled) -> None:
    """Between two pages anything may happen to the last one that was shown."""
    rejected = filled.journal.documents_of(spool_id(_REJECTED))[1].document
    assert rejected.metadata.issue_date is not None
    newer = [
        item.identity
        for spool, item in filled.live
        if (item.metadata.issue_date or date.min, spool)
        > (rejected.metadata.issue_date, spool_id(_REJECTED))
    ]
    found = filled.journal.find_documents(DocumentQuery(after=rejected.identity), 1)
    assert found[0].document.identity == filled.live[len(newer)][1].identity


@pytest.mark.parametrize("most", [0, 1, 100])
@pytest.mark.parametrize("asked", ["ann", "annual", "annuals", "a", "uberw", "100", "2", "none"])
def test_the_terms_of_the_index_match_as_the_beginnings_do(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, asked: str, most: int
) -> None:
    monkeypatch.setattr(tokens, "_MOST_TERMS", most)
    matched = "SELECT rowid FROM words WHERE words MATCH ?"
    with filled.journal._db.reading() as conn:
        for wanted in ([asked], [asked, "north"]):
            by_terms = conn.execute(matched, (tokens.match_terms(conn, wanted),)).fetchall()
            beginnings = conn.execute(matched, (tokens.match_beginnings(wanted),)).fetchall()
            assert by_terms == beginnings
        terms = tokens.match_terms(conn, ["ann"])
    assert terms == ('("ann" OR "annual" OR "annuals")' if most == 100 else '"ann"*')


def test_a_count_of_words_ends_somewhere(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    assert COUNT_LIMIT >= 10_000
    monkeypatch.setattr(search, "_LOOKED_AT", 4)
    monkeypatch.setattr(search, "_LISTED", 3)
    monkeypatch.setattr(search, "COUNT_LIMIT", 5)
    assert filled.journal.count_documents(DocumentQuery(words=("north",))) == 6


@pytest.mark.parametrize(
    "text",
    [
        "Überweisung, 2026-06-30",
        "Straße İstanbul ﬁn ΑΒΓ ß",
        "one\x00two \U0001f600three 三四 ١٢",
        "a" * 5000 + " b",
        "",
        "e\u0301te\u0301 \u200bwide",
    ],
)
def test_a_text_by_itself_has_the_tokens_of_the_index(filled: Filled, text: str) -> None:
    """Whatever the tokenizer makes of a text, it makes it of the same text in the index."""
    conn = sqlite3.connect(":memory:")
    with filled.journal._db.reading() as reader:
        declared = "SELECT sql FROM sqlite_schema WHERE name = 'words'"
        (statement,) = reader.execute(declared).fetchone()
    assert tokens.TOKENIZER in statement
    conn.execute(statement)
    conn.execute("INSERT INTO words (rowid, text) VALUES (1, ?)", (text,))
    with tokens.tokenizing() as tokenizer:
        for word in tokenizer.of(text):
            for start in {word, word[:1], word[: len(word) // 2 + 1]}:
                asked = (tokens.match_beginnings([start]),)
                rows = conn.execute("SELECT rowid FROM words WHERE words MATCH ?", asked)
                assert rows.fetchall() == [(1,)]
                assert tokenizer.begin_in(text, [start])
        assert not tokenizer.begin_in(text, ["unheardof"])
    conn.close()


_LEADERS = {
    "case_ref": r"SEARCH c USING PRIMARY KEY \(reference=\?\)",
    "account_number": r"SEARCH d USING INDEX documents_account \(account_number=\?",
    "customer_id": r"SEARCH d USING INDEX documents_customer \(customer_id=\?",
    "spool_id": r"SEARCH d USING (COVERING )?INDEX documents_spool \(spool=\?",
    "document_type": r"SEARCH d USING (COVERING )?INDEX documents_type \(document_type=\?",
    "business_units": r"SEARCH d USING (COVERING )?INDEX documents_unit_issued \(business_unit=\?",
    "issued_from": r"SEARCH d USING (COVERING )?INDEX documents_issued \(issue_date",
    "issued_to": r"SEARCH d USING (COVERING )?INDEX documents_issued \(issue_date",
    "": r"(SEARCH|SCAN) d USING (COVERING )?INDEX documents_issued",
}
_GIVEN = {
    "case_ref": "CASE-1",
    "account_number": "A-1",
    "customer_id": "C-1",
    "spool_id": spool_id(3),
    "document_type": "bill",
    "business_units": (UNIT, "life"),
    "issued_from": _FIRST,
    "issued_to": _FIRST + timedelta(days=9),
}
_SORTED = {"case_ref"}  # there is no index with the days of these


@pytest.mark.parametrize("way", ["none", *_WAYS])
def test_no_question_goes_through_everything(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Every combination of filters, first page and next, is led by the index of the
    narrowest, in the order of the answer; what is asked for is what SQLite was told."""
    monkeypatch.setattr(search, "_LOOKED_AT", _WAYS.get(way, (4, 3))[0])
    monkeypatch.setattr(search, "_LISTED", _WAYS.get(way, (4, 3))[1])
    undated = next(item for _, item in filled.live if item.metadata.issue_date is None)
    words = () if way == "none" else ("north",)
    for chosen in product((False, True), repeat=len(_GIVEN)):
        given = {name: value for name, value in _GIVEN.items() if chosen[list(_GIVEN).index(name)]}
        leader = next((name for name in _LEADERS if name in given), "")
        for after in (None, filled.live[20][1].identity, undated.identity):
            query = DocumentQuery(words=words, after=after, **given)  # type: ignore[arg-type]
            plans = _plans(filled, query)
            for plan in plans:
                _judge(plan, leader, listed=" AS n CROSS JOIN" in plan[0])
            assert plans


def _plans(filled: Filled, query: DocumentQuery) -> list[tuple[str, str]]:
    """The statements that finding and counting ran on documents, with SQLite's plans."""
    told: list[str] = []
    reader = filled.journal._db._reader
    reader.set_trace_callback(told.append)
    try:
        filled.journal.find_documents(query, 10)
        filled.journal.count_documents(query)
    finally:
        reader.set_trace_callback(None)
    # Their limits were parameters, which SQLite does not look at when it plans.
    asked = [re.sub(r"LIMIT -?\d+", "LIMIT ?", one) for one in told if "documents AS d" in one]
    return [
        (
            statement,
            "\n".join(row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {statement}", limit)),
        )
        for statement in asked
        for limit in [(9,) if "LIMIT" in statement else ()]
    ]


def _judge(plan: tuple[str, str], leader: str, *, listed: bool) -> None:
    statement, told = plan
    steps = [step for step in told.splitlines() if re.match("(SEARCH|SCAN) [cdnsu]\\b", step)]
    if listed:
        assert steps[0].startswith("SCAN n VIRTUAL TABLE"), (statement, told)
        assert steps[1] == "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)", (statement, told)
    else:
        assert re.match(_LEADERS[leader], steps[0]), (statement, told)
        assert leader in _SORTED or "TEMP B-TREE" not in told, (statement, told)
    assert not [step for step in steps[1:] if step.startswith("SCAN")], (statement, told)


def test_the_words_that_are_looked_at_are_those_of_the_index(filled: Filled) -> None:
    with filled.journal._db.reading() as conn:
        rows = conn.execute(f"SELECT number, {WORDS} FROM documents").fetchall()
        with tokens.tokenizing() as tokenizer:
            for number, text in rows:
                asked = tokens.match_beginnings(tokenizer.of(text))
                found = conn.execute(
                    "SELECT rowid FROM words WHERE words MATCH ? AND rowid = ?", (asked, number)
                )
                assert found.fetchall() == [(number,)]


def test_a_template_and_its_version_lead_together(tmp_path: Path) -> None:
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    made = []
    for number in range(1, 9):
        metadata = DocumentMetadata(
            issue_date=_FIRST + timedelta(days=number % 3),
            template="letter" if number < 7 else "other",
            template_version=str(number % 2 + 1) if number != 6 else None,
        )
        document = make_document(f"k{number}", metadata=metadata)
        store(journal, number, document)
        made.append(document)
    filled = Filled(journal=journal, path=tmp_path, live=())

    def found(**given: Any) -> list[str]:
        query = DocumentQuery(template="letter", **given)
        rows = journal.find_documents(query, 100)
        assert journal.count_documents(query) == len(rows)
        pages: list[str] = []
        while page := journal.find_documents(replace(query, after=pages[-1] if pages else None), 2):
            pages += [row.document.identity for row in page]
        assert pages == [row.document.identity for row in rows]
        return sorted(pages)

    def named(*numbers: int) -> list[str]:
        return sorted(made[number - 1].identity for number in numbers)

    assert found() == named(1, 2, 3, 4, 5, 6)
    assert found(template_version="2") == named(1, 3, 5)
    assert found(template_version="2", business_units=(UNIT,)) == named(1, 3, 5)
    assert found(template_version="2", business_units=("OTHER",)) == []
    assert found(template_version="1", issued_to=_FIRST + timedelta(days=1)) == named(4)
    query = DocumentQuery(template="letter", template_version="2", after=made[2].identity)
    for statement, plan in _plans(filled, query):
        assert re.search(r"INDEX documents_template \(template=\? AND template_version=\?", plan), (
            statement,
            plan,
        )
        assert "TEMP B-TREE" not in plan, (statement, plan)
    assert journal.template_documents_days(UNIT, "letter", "2") == (
        3,
        _FIRST,
        _FIRST + timedelta(days=2),
    )
    assert journal.template_documents_days("OTHER", "letter", "2") == (0, None, None)
    journal.close()


def test_the_units_that_have_documents(filled: Filled) -> None:
    assert filled.journal.business_units() == sorted(set(_UNITS.values()))
