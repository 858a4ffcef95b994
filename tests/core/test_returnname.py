"""Names of documents that are given back: safe, and never the same."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.records import CatalogueRow, DocumentMetadata
from hotfolder.core.returnname import FIELDS, check_pattern, returned_name
from tests.support.journals import make_document

TEXTS = st.text(max_size=300)
PARTS = st.one_of(
    st.sampled_from([f"{{{name}}}" for name in FIELDS if name != "order"]),
    st.text("abcXYZ019_-.", max_size=8),
)


def make_row(
    document_type: str, channel: str, unit: str, spool_name: bytes, format_name: str
) -> CatalogueRow:
    metadata = DocumentMetadata(
        document_type=document_type, channel=channel, issue_date=date(2026, 6, 30)
    )
    document = make_document("a", metadata=metadata)
    return CatalogueRow(
        document=replace(document, series=unit, cycle=channel),
        spool_id="0" * 32,
        business_unit=unit,
        spool_name=spool_name,
        spool_sha256="0" * 64,
        spool_size=1,
        format_name=format_name,
        archived_at=None,
        unit_ref_id=None,
        record_uri=None,
    )


ROWS = st.builds(make_row, TEXTS, TEXTS, TEXTS, st.binary(max_size=300), TEXTS)
ORDERS = st.from_regex(r"\A[0-9a-f]{32}\Z")


@given(st.lists(PARTS, max_size=6), st.lists(PARTS, max_size=6), ORDERS, ROWS)
def test_whatever_the_metadata_a_name_is_safe(
    before: list[str], after: list[str], order: str, row: CatalogueRow
) -> None:
    pattern = "".join(before) + "{order}" + "".join(after)
    if check_pattern(pattern) is not None:
        assert len(pattern) > 100
        return
    name = returned_name(pattern, order, row)
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", name)
    assert order in name, "its number is never cut, so no two are the same"
    assert len(name) <= 200, "there is room for suffixes"


@pytest.mark.parametrize(
    "pattern",
    [
        "{document_type}",
        "{order}{order}",
        "{order}/x",
        "{customer_id}-{order}",
        "{order!r}",
        "{order:>40}",
        "{order.real}",
        "{order",
        "x" * 99 + "{order}",
        "{order}\n",
    ],
)
def test_patterns_that_are_refused(pattern: str) -> None:
    assert check_pattern(pattern)


def test_the_suffix_is_that_of_the_spool() -> None:
    row = make_row("bill", "print", "R", b"in/RUN.AFP", "afp")
    assert returned_name("{document_type}-{issue_date}-{order}", "7", row) == (
        "bill-2026-06-30-7.afp"
    )
    assert returned_name("{order}", "7", replace(row, spool_name=b"x.p/d")) == "7.afp"
    assert returned_name(".{order}", "7", row) == "_.7.afp"
