"""Names that come out the same however often they are made, and never for two things."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.identity import (
    business_key_of,
    cycle_ref_id,
    document_identity,
    import_uuid,
    source_of,
    unit_event_refid,
    unit_ref_id,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=5)


def test_they_do_not_change_from_release_to_release() -> None:
    """Records on servers carry them: another answer here would archive all of it twice."""
    source = source_of("RETAIL", "STMT")
    key = business_key_of([("customer_id", "C-1"), ("issue_date", "2026-06-30")])
    identity = document_identity(source, key, "ab" * 32)
    assert source == "RETAIL/STMT"
    assert key == "536f81a44eeda7838caba20ebf00c8272a2c42f45972a2e21c025604c515146a"
    assert identity == "hf-a9bbe24c26a35958083779aae5aa015d5359b988fb9933c86bcb4297b2009860"
    assert unit_ref_id([identity]) == "hf-unit-892fbd17f59e99add259d5335abf8976d07d2d8e"
    assert cycle_ref_id("STMT", "2026-06") == "hf-cycle-60c79ff613e30fa1c0030e98f5c3b42b49689eca"
    assert import_uuid("digital_object", identity) == "import_035bde3b-3209-5198-b594-f2a27c9f3fd3"
    assert unit_event_refid("hf-unit-1") == "hf:hf-unit-1:ingestion"


@given(PAIRS, PAIRS)
def test_keys_are_alike_only_for_the_same_values(
    one: list[tuple[str, str]], two: list[tuple[str, str]]
) -> None:
    assert (business_key_of(one) == business_key_of(two)) == (one == two)


@given(st.tuples(TEXT, TEXT, TEXT), st.tuples(TEXT, TEXT, TEXT))
def test_identities_are_alike_only_for_the_same_document(
    one: tuple[str, str, str], two: tuple[str, str, str]
) -> None:
    assert (document_identity(*one) == document_identity(*two)) == (one == two)


@given(st.lists(TEXT, min_size=1, max_size=6, unique=True), st.randoms())
def test_a_unit_is_its_members_in_any_order(members: list[str], choose: object) -> None:
    assert unit_ref_id(members) == unit_ref_id(sorted(members, reverse=True))
    assert unit_ref_id(members) != unit_ref_id([*members, "another\x00"])


@given(TEXT, TEXT)
def test_names_are_fit_for_the_server(kind: str, name: str) -> None:
    assert re.fullmatch(r"hf-[0-9a-f]{64}", document_identity(kind, name, "x"))
    assert re.fullmatch(r"hf-unit-[0-9a-f]{40}", unit_ref_id([name]))
    assert re.fullmatch(r"import_[a-f0-9-]+", import_uuid(kind, name))
