"""Pseudonyms, and what may be read in a text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.records import Role
from hotfolder.core.shielding import IDENTIFIERS, Shield, pseudonym, shows_any
from tests.support.units import METADATA, make_row

KEY, OTHER = "k" * 64, "o" * 64


def test_a_pseudonym_is_the_same_in_a_unit_and_another_elsewhere() -> None:
    made = pseudonym(KEY, "RETAIL", "customer_id", "C-1")
    assert made.startswith("ps-")
    assert len(made) == 35
    others = {
        pseudonym(OTHER, "RETAIL", "customer_id", "C-1"),
        pseudonym(KEY, "LIFE", "customer_id", "C-1"),
        pseudonym(KEY, "RETAIL", "account_number", "C-1"),
        pseudonym(KEY, "RETAIL", "customer_id", "C-2"),
    }
    assert len(others | {made}) == 5


@given(st.lists(st.text(max_size=6), min_size=6, max_size=6))
def test_no_two_things_have_one_message(parts: list[str]) -> None:
    one, other = tuple(parts[:3]), tuple(parts[3:])
    assert (pseudonym(KEY, *one) == pseudonym(KEY, *other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("for C0100002", "c-0100-002", True),
        ("for C-0100-002", "C0100002", True),
        ("page 12 of 4", "12", True),
        ("page 123 of 4", "12", False),
        ("2026-06-30", "0630", True),
        ("anything", "--", False),
        ("", "C-1", False),
        ("\uff23\uff35\uff33\uff34\uff11\uff12", "cust12", True),
    ],
)
def test_what_is_read_in_a_text(text: str, value: str, shown: bool) -> None:
    assert shows_any(text, [value]) is shown


VALUE = st.text(st.characters(categories=("L", "N")), min_size=4, max_size=12)


@given(
    VALUE,
    st.sampled_from([name for name in IDENTIFIERS if not name.endswith("_refs")]),
    st.sampled_from([name for name in IDENTIFIERS if not name.endswith("_refs")]),
    st.text(max_size=8),
    st.booleans(),
)
def test_a_value_that_is_kept_back_is_nowhere(
    value: str, name: str, beside: str, around: str, named: bool
) -> None:
    texts: dict[str, Any] = (
        {name: value} if name == beside else {name: value, beside: f"{around}{value}"}
    )
    row = make_row(
        metadata=replace(METADATA, case_refs=(f"K {value}",), title=value, **texts),
        title=f"{around} {value}",
    )
    shield = Shield(pseudonyms=(name,), keys=(KEY,)) if named else Shield(withhold=(name,))
    sent = shield.document(row.document, "RETAIL")
    assert sent.identity == row.document.identity
    known = sent.metadata
    shown = [sent.title, known.title or "", *known.case_refs]
    shown += [getattr(known, item) or "" for item in IDENTIFIERS if not item.endswith("_refs")]
    made = pseudonym(KEY, "RETAIL", name, value)
    assert not any(shows_any(text, [value]) for text in shown if text != made)
    assert (getattr(known, name) == made) == named


def test_without_a_key_nothing_is_sent_in_its_place() -> None:
    sent = Shield(pseudonyms=("customer_id", "case_refs")).document(make_row().document, "RETAIL")
    assert (sent.metadata.customer_id, sent.metadata.case_refs) == (None, ())
    assert Shield().document(make_row().document, "RETAIL") == make_row().document


@pytest.mark.parametrize(
    ("name", "title", "hidden"),
    [
        ("Jo Li", "Statement for Jo Li", True),
        ("Li", "Statement for Li", True),
        ("Jo Li", "Statement of joint liability", False),
    ],
)
def test_a_short_name_is_seen_too(name: str, title: str, hidden: bool) -> None:
    row = make_row(metadata=replace(METADATA, customer_name=name), title=title)
    sent = Shield(withhold=("customer_name",)).document(row.document, "RETAIL")
    assert (sent.title == "") == hidden


def test_what_an_old_archive_called_it_is_searched_too() -> None:
    known = replace(
        METADATA,
        customer_id="C0100002",
        legacy_id="2019/C0100002.pdf",
        extra={"migration.id": ("C0100002-1", "x"), "migration.name": ("old",)},
    )
    sent = Shield(withhold=("customer_id",)).document(make_row(metadata=known).document, "RETAIL")
    assert sent.metadata.legacy_id is None
    assert sent.metadata.extra == {"migration.name": ("old",)}


def test_the_record_of_a_whole_spool_shows_none_of_the_names_of_its_file() -> None:
    row = make_row(
        metadata=replace(METADATA, customer_id=None, extra={"migration.id": ("C0100002.afp",)}),
        title="Statement spool C0100002.afp, 2 documents",
    )
    carrier = replace(row.document, role=Role.CARRIER)
    sent = Shield(withhold=("customer_id",)).document(carrier, "RETAIL")
    assert (sent.title, sent.metadata.extra) == ("", {})
    assert Shield(withhold=("channel",)).document(carrier, "RETAIL").title == row.document.title
