"""Which documents a hold holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.holds import (
    Criteria,
    HoldFacts,
    HoldIndex,
    HoldPhase,
    HoldRow,
    OpenHold,
    dump_criteria,
    dump_hold,
    load_criteria,
    load_hold,
)
from tests.support.holds import CRITERIA, FACTS, IDENTITIES

LETTER = HoldFacts(
    identity=IDENTITIES[0],
    business_unit="RETAIL",
    series="letters",
    number=7,
    spool_id="s1",
    customer_id="C-1",
    document_type="Letter",
    issue_date=date(2026, 6, 30),
    references=frozenset({("claim", "X-1")}),
)


@given(CRITERIA)
def test_criteria_come_back_from_the_journal_as_they_were(criteria: Criteria) -> None:
    assert load_criteria(dump_criteria(criteria)) == criteria


@given(CRITERIA, st.text())
def test_a_hold_comes_back_from_the_store(criteria: Criteria, matter: str) -> None:
    row = HoldRow(
        number=3,
        id="hold-000000000001",
        matter=matter,
        mandate="ZPO",
        originator="Legal",
        reason="why",
        criteria=criteria,
        source="archivesspace",
        placed_at=12.5,
        placed_by="anna",
        released_at=None,
        released_by=None,
        release_reason="",
        phase=HoldPhase.PLACED,
        documents=7,
        spools=2,
        acknowledged_at=13.0,
    )
    hold, placed_at = load_hold(dump_hold(row))
    assert placed_at == 12.5
    assert hold.criteria == replace(criteria, last_number=None)  # numbers are of one journal
    assert (hold.id, hold.matter, hold.actor, hold.source) == (
        row.id,
        matter,
        "anna",
        "archivesspace",
    )
    assert (hold.mandate, hold.originator, hold.reason) == ("ZPO", "Legal", "why")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"7", b'{"id":"x"}', b"\xff"])
def test_what_is_no_hold_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no hold|Expecting|utf-8"):
        load_hold(data)


@given(st.lists(CRITERIA, max_size=6), FACTS)
def test_the_index_finds_what_looking_at_each_hold_would_find(
    several: list[Criteria], facts: HoldFacts
) -> None:
    holds = tuple(
        OpenHold(number=number, id=f"hold-{number:012}", criteria=criteria)
        for number, criteria in enumerate(several, 1)
    )
    index = HoldIndex(holds)
    found = {hold.number for hold in index.fitting(facts)}
    assert found == {hold.number for hold in holds if hold.criteria.fits(facts)}
    assert bool(index) == any(criteria.selects for criteria in several)


@given(CRITERIA, CRITERIA, FACTS)
def test_more_criteria_never_hold_more(one: Criteria, other: Criteria, facts: HoldFacts) -> None:
    both = replace(
        one,
        customer_id=one.customer_id or other.customer_id,
        issued_from=one.issued_from or other.issued_from,
        issued_to=one.issued_to or other.issued_to,
    )
    if one.selects and both.fits(facts):
        assert one.fits(facts)


@pytest.mark.parametrize(
    ("criteria", "held"),
    [
        (Criteria(), False),  # nothing is asked for: only its members
        (Criteria(last_number=9), False),
        (Criteria(customer_id="C-1"), True),
        (Criteria(customer_id="C-1", last_number=7), True),
        (Criteria(customer_id="C-1", last_number=6), False),
        (Criteria(customer_id="c-1"), False),
        (Criteria(document_type="LETTER"), True),
        (Criteria(issued_from=date(2026, 6, 30), issued_to=date(2026, 6, 30)), True),
        (Criteria(issued_from=date(2026, 7, 1)), False),
        (Criteria(issued_to=date(2026, 6, 29)), False),
        (Criteria(case_ref="X-1"), True),
        (Criteria(case_ref="X-1", case_kind="case"), False),
        (Criteria(identities=IDENTITIES), True),
        (Criteria(identities=IDENTITIES[1:]), False),
        (Criteria(policy_number="P-1"), False),
        (Criteria(spool_id="s1", business_unit="CLAIMS"), False),
    ],
)
def test_all_that_is_given_must_be_true(criteria: Criteria, held: bool) -> None:
    assert criteria.fits(LETTER) is held


def test_a_document_without_a_day_is_in_no_period() -> None:
    assert not Criteria(issued_to=date(2026, 6, 30)).fits(replace(LETTER, issue_date=None))


@pytest.mark.parametrize(
    "text",
    ['{"colour":"red"}', "[]", '{"identity":"hf"}', '{"customer_id":7}', '{"issued_to":"x"}',
     '{"last_number":true}', "nonsense"],
)  # fmt: skip
def test_criteria_that_are_not_understood_are_not_taken_for_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"criteri|Expecting|isoformat"):
        load_criteria(text)
