"""Holds in the journal: which documents they are upon, now and later."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.core.holds import Criteria, HoldFacts, HoldPhase, NewHold
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import Document, DocumentMetadata, Role
from hotfolder.journal.holding import holds_upon, holds_upon_spool
from hotfolder.journal.journal import SqliteJournal
from tests.support.doomed import doom
from tests.support.holds import CRITERIA
from tests.support.journals import (
    FAULT,
    claim,
    make_document,
    make_object,
    make_reading,
    make_row,
    read,
    spool_id,
    store,
)

DAY = date(2026, 6, 30)

_NEITHER = r"legal hold|may not be destroyed"


def hold(number: int, criteria: Criteria, *, actor: str = "anna") -> NewHold:
    return NewHold(
        id=f"hold-{number:012}",
        matter=f"M-{number}",
        actor=actor,
        criteria=criteria,
        mandate="ZPO",
    )


def of(customer: str, **more: object) -> DocumentMetadata:
    return replace(DocumentMetadata(customer_id=customer, issue_date=DAY), **more)  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    yield journal
    assert journal.check() == []
    journal.close()


def upon(journal: SqliteJournal, *numbers: int) -> dict[int, tuple[str, ...]]:
    with journal._db.reading() as conn:
        return holds_upon(conn, numbers)


def members(journal: SqliteJournal, number: int = 1) -> set[int]:
    with journal._db.reading() as conn:
        rows = conn.execute("SELECT document FROM hold_members WHERE hold = ?", (number,))
        return {document for (document,) in rows}


def told(journal: SqliteJournal) -> list[tuple[int, str | None]]:
    """(document, day of the release) of what ArchivesSpace is to be told of holds."""
    with journal._db.reading() as conn:
        rows = conn.execute(
            "SELECT document, body FROM updates WHERE kind = 'hold' ORDER BY number"
        ).fetchall()
    return [(document, json.loads(body)["released_on"]) for document, body in rows]


def gather(journal: SqliteJournal, number: int = 1, page: int = 2) -> None:
    name = f"hold-{number:012}"
    for numbers in journal.hold_candidates(name, page):
        journal.add_members(name, numbers, 20)
    assert journal.advance_hold(name, HoldPhase.MARKING, 20)


def test_a_hold_is_in_force_before_its_members_are_written_down(journal: SqliteJournal) -> None:
    store(journal, 1, make_document("a"))
    store(journal, 2, make_document("b"))
    row = journal.place_hold(hold(1, Criteria(customer_id="C-a")), 10)
    assert (row.phase, row.documents) == (HoldPhase.GATHERING, 0)
    assert upon(journal, 1, 2, 99) == {1: ("hold-000000000001",)}
    gather(journal)
    assert upon(journal, 1, 2) == {1: ("hold-000000000001",)}
    assert members(journal) == {1}
    found = journal.get_hold(row.id)
    assert found is not None
    assert (found.documents, found.spools) == (1, 1)
    assert journal.spools_to_mark(row.id, 9) == [spool_id(1)]
    assert told(journal) == [(1, None)]


def test_the_same_order_is_placed_once(journal: SqliteJournal) -> None:
    first = journal.place_hold(hold(1, Criteria(customer_id="C-a")), 10)
    again = journal.place_hold(hold(1, Criteria(customer_id="C-b"), actor="ben"), 11)
    assert again == first
    placed = [row for row in journal.audit() if row.action == "hold.placed"]
    assert [(row.subject, row.actor) for row in placed] == [(first.id, "anna")]
    # A customer's number is in no link of the chain.
    assert "C-a" not in json.dumps(placed[0].details)


def test_a_document_that_comes_later_is_a_member_at_once(journal: SqliteJournal) -> None:
    journal.place_hold(hold(1, Criteria(customer_id="C-a")), 10)
    journal.place_hold(hold(2, Criteria(customer_id="C-a", last_number=0)), 10)
    journal.place_hold(hold(3, Criteria(words=("annual",))), 10)
    gather(journal)
    read(journal, 1, make_document("a"), at=11)
    assert members(journal) == {1}
    assert members(journal, 2) == members(journal, 3) == set()
    titled = replace(make_document("b"), title="Résumé of the ANNUALS")
    read(journal, 2, titled, at=12)
    assert members(journal, 3) == {2}
    assert journal.spools_to_mark("hold-000000000001", 9) == [spool_id(1)]
    assert told(journal) == [(1, None), (2, None)]
    # A duplicate brings no document.
    read(journal, 3, make_document("a"), at=13)
    assert members(journal) == {1}


def test_a_document_that_is_restored_is_a_member_at_once(journal: SqliteJournal) -> None:
    journal.place_hold(hold(1, Criteria(customer_id="C-a")), 10)
    journal.restore_spool(make_row(1), make_reading(1, make_document("a")), make_object(1), 11)
    assert members(journal) == {1}


def test_a_hold_upon_a_carried_document_is_upon_its_carrier(journal: SqliteJournal) -> None:
    def carried(number: int) -> Document:
        metadata = of(f"C-{number}")
        document = make_document(f"k{number}", ordinal=number, metadata=metadata)
        return replace(document, role=Role.CARRIED)

    carrier = replace(
        make_document("spool", ordinal=3, metadata=DocumentMetadata()), role=Role.CARRIER
    )
    claim(journal, 1)
    reading = replace(make_reading(1, carried(1), carried(2), carrier), has_carrier=True)
    journal.record_readings([reading], 2)
    row = journal.place_hold(hold(1, Criteria(customer_id="C-2")), 10)
    expected = {2: (row.id,), 3: (row.id,)}
    assert upon(journal, 1, 2, 3) == expected
    gather(journal)
    assert upon(journal, 1, 2, 3) == expected
    found = journal.get_hold(row.id)
    assert found is not None
    assert (found.documents, found.spools) == (1, 1)
    # ArchivesSpace has the carrier only.
    assert told(journal) == [(3, None)]
    assert journal.held_documents(row.id) == [carried(2).identity]
    with journal._db.reading() as conn:
        assert holds_upon_spool(conn, 1) == (row.id,)


def test_what_is_being_destroyed_is_held_no_more(journal: SqliteJournal) -> None:
    (identity,) = store(journal, 1, make_document("a"))
    store(journal, 2, make_document("c", metadata=of("C-a")))
    doom(journal._db._writer, 1)
    with pytest.raises(OperatorFault, match="under disposal-0123456789ab") as refused:
        journal.place_hold(hold(1, Criteria(identities=(identity,))), 10)
    assert refused.value.code == "hold.too_late"
    assert journal.holds(released=True) == []
    criteria = Criteria(customer_id="C-a")
    covered = journal.hold_coverage(criteria)
    assert (covered.documents, covered.spools, covered.too_late) == (1, 1, 1)
    journal.place_hold(hold(1, criteria), 10)
    gather(journal)
    assert members(journal) == {2}


def test_what_is_held_is_neither_destroyed_nor_withheld(journal: SqliteJournal) -> None:
    store(journal, 1, make_document("a"))
    journal._db._writer.execute("UPDATE documents SET disposition = 'withheld', disposed_at = 5")
    row = journal.place_hold(hold(1, Criteria(customer_id="C-a")), 10)
    gather(journal)

    def disposition() -> str:
        (found,) = journal._db._writer.execute("SELECT disposition FROM documents").fetchone()
        return str(found)

    assert disposition() == "kept"  # whoever asked for the hold will ask for it
    for wanted in ("withheld", "destroying"):
        with pytest.raises(ValueError, match=_NEITHER), journal._db.writing() as conn:
            conn.execute("UPDATE documents SET disposition = ?", (wanted,))
    journal.release_hold(row.id, "ben", "settled", 30)
    assert upon(journal, 1) == {}
    doom(journal._db._writer, 1)
    assert disposition() == "destroying"


def test_a_rejected_document_is_not_held_until_it_comes_again(journal: SqliteJournal) -> None:
    store(journal, 1, make_document("a"))
    journal.set_aside(spool_id(1), SpoolState.REJECTED, [FAULT], 10)
    store(journal, 2, make_document("b"))
    journal.set_aside(spool_id(2), SpoolState.CORRUPT, [FAULT], 10)
    journal.place_hold(hold(1, Criteria(issued_from=DAY.replace(day=1))), 11)
    gather(journal)
    assert members(journal) == {2}  # what is damaged is held as it is
    store(journal, 3, make_document("a"))
    assert members(journal) == {2, 3}


def test_a_release_is_told_once_for_each_member(journal: SqliteJournal) -> None:
    for number in range(1, 6):
        store(journal, number, make_document(f"k{number}", metadata=of("C")))
    row = journal.place_hold(hold(1, Criteria(customer_id="C")), 10)
    gather(journal)
    released = journal.release_hold(row.id, "ben", "settled", 86_400 * 2)
    assert released is not None
    assert (released.released_by, released.release_reason) == ("ben", "settled")
    again = journal.release_hold(row.id, "eve", "no", 86_400 * 3)
    assert again is not None
    assert again.released_by == "ben"
    while not journal.tell_released(row.id, 2, 86_400 * 2):
        pass
    assert told(journal)[5:] == [(number, "1970-01-03") for number in range(1, 6)]
    assert journal.advance_hold(row.id, HoldPhase.LIFTING, 30)
    assert journal.tell_released(row.id, 2, 30)
    assert len(told(journal)) == 10
    assert not journal.advance_hold(row.id, HoldPhase.LIFTED, 30)  # a mark may be there
    journal.record_lifted(row.id, journal.spools_to_lift(row.id, 9))
    assert journal.advance_hold(row.id, HoldPhase.LIFTED, 30)
    # No document joins what was released, and no mark is made for it.
    assert journal.add_members(row.id, [1], 31) == 0
    assert journal.spools_to_mark(row.id, 9) == []
    assert journal.unfinished_holds() == []
    assert journal.release_hold("hold-unknown", "ben", "x", 1) is None


def test_a_mark_that_was_made_after_the_release_is_to_be_taken_away(
    journal: SqliteJournal,
) -> None:
    store(journal, 1, make_document("a"))
    row = journal.place_hold(hold(1, Criteria(customer_id="C-a")), 10)
    gather(journal)
    marking = journal.spools_to_mark(row.id, 9)
    journal.release_hold(row.id, "ben", "settled", 30)
    assert journal.tell_released(row.id, 9, 30)
    journal.advance_hold(row.id, HoldPhase.LIFTING, 30)
    journal.record_lifted(row.id, journal.spools_to_lift(row.id, 9))
    assert journal.advance_hold(row.id, HoldPhase.LIFTED, 30)
    assert not journal.record_marked(row.id, marking)
    assert journal.spools_to_lift(row.id, 9) == marking
    assert [found.id for found in journal.unfinished_holds()] == [row.id]


def test_a_hold_that_was_rolled_back_is_upon_nothing(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    store(journal, 1, make_document("a"))
    placed = hold(1, Criteria(customer_id="C-a"))
    conn = journal._db._writer
    conn.execute("BEGIN IMMEDIATE")
    conn.execute(
        "INSERT INTO holds (id, matter, criteria, source, placed_at, placed_by)"
        """ VALUES (?, 'm', '{"customer_id":"C-a"}', 'hotfolder', 1, 'me')""",
        (placed.id,),
    )
    assert holds_upon(conn, [1]) == {1: (placed.id,)}
    conn.execute("ROLLBACK")
    assert upon(journal, 1) == {}
    other = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    other.place_hold(hold(2, Criteria(customer_id="C-a")), 10)
    other.close()
    assert upon(journal, 1) == {1: ("hold-000000000002",)}


def test_criteria_of_a_later_release_are_not_taken_for_none(tmp_path: Path) -> None:
    journal = SqliteJournal(os.fsencode(tmp_path / "later.db"))
    store(journal, 1, make_document("a"))
    journal._db._writer.execute(
        "INSERT INTO holds (id, matter, criteria, source, placed_at, placed_by) VALUES"
        """ ('hold-000000000001', 'm', '{"colour":"red"}', 'hotfolder', 1, 'me')"""
    )
    with pytest.raises(Corrupt, match="hold-000000000001"):
        upon(journal, 1)
    with pytest.raises(Corrupt, match="not understood"):
        read(journal, 2, make_document("b"))
    journal.close()


_DOCUMENTS = [
    make_document(
        f"k{number}",
        metadata=DocumentMetadata(
            customer_id=f"C-{number % 3}",
            account_number=f"A-{number % 4}" if number % 2 else None,
            policy_number=f"P-{number % 5}",
            document_type=("Statement", "letter", "Letter")[number % 3],
            retention_class=("R1", None)[number % 2],
            issue_date=date(2026, 6, 27 + number % 4) if number % 7 else None,
            case_refs=(f"X-{number % 3}",),
            claim_refs=("X-1",) if number % 2 else (),
        ),
        series=("statements", "letters")[number % 2],
    )
    for number in range(1, 25)
]
_TITLES = ("Statement of Müller", "A final letter", "STATEMENT, final")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(os.fsencode(tmp_path_factory.mktemp("full") / "j.db"))
    for number, document in enumerate(_DOCUMENTS, 1):
        store(journal, number, replace(document, title=_TITLES[number % 3]))
    yield journal
    journal.close()


def _has(title: str, words: tuple[str, ...]) -> bool:
    plain = title.lower().replace("ü", "u").replace(",", "").split()
    return all(
        any(word.startswith(wanted.lower().replace("ü", "u")) for word in plain) for wanted in words
    )


def _expected(criteria: Criteria) -> set[int]:
    found = set()
    for number, document in enumerate(_DOCUMENTS, 1):
        known = document.metadata
        facts = HoldFacts(
            identity=document.identity,
            business_unit="retail",
            series=document.series,
            number=number,
            spool_id=spool_id(number),
            customer_id=known.customer_id,
            account_number=known.account_number,
            policy_number=known.policy_number,
            document_type=known.document_type,
            retention_class=known.retention_class,
            issue_date=known.issue_date,
            references=frozenset(
                [("case", item) for item in known.case_refs]
                + [("claim", item) for item in known.claim_refs]
            ),
        )
        if criteria.fits(facts) and _has(_TITLES[number % 3], criteria.words):
            found.add(number)
    return found


@settings(deadline=None, max_examples=60)
@given(CRITERIA, st.data())
def test_the_journal_holds_what_the_criteria_say(
    full: SqliteJournal, criteria: Criteria, data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from(_DOCUMENTS)).identity
    criteria = replace(
        criteria,
        identities=(chosen,) if criteria.identities else (),
        spool_id=spool_id(7) if criteria.spool_id else None,
        business_unit="retail" if criteria.business_unit == "RETAIL" else criteria.business_unit,
        last_number=criteria.last_number and criteria.last_number * 8,
    )
    expected = _expected(criteria)
    name = (
        f"hold-{full.holds(released=True)[-1].number + 1 if full.holds(released=True) else 1:012}"
    )
    full.place_hold(replace(hold(1, criteria), id=name), 10)
    try:
        found = [number for page in full.hold_candidates(name, 3) for number in page]
        assert sorted(found) == sorted(expected)
        covered = full.hold_coverage(criteria)
        assert (covered.documents, covered.spools) == (len(expected), len(expected))
        assert set(upon(full, *range(1, len(_DOCUMENTS) + 1))) == expected
    finally:
        full.release_hold(name, "ben", "done", 11)
