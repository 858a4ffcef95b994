"""Receipts: what the producer is told, and what it is not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

from hypothesis import example, given
from hypothesis import strategies as st

from hotfolder.core.profiles import FolderProfile
from hotfolder.core.receipts import document_receipt, receipt_json, receipt_text
from hotfolder.core.records import CatalogueRow, DocumentMetadata, Role, SpoolRow
from tests.support.journals import make_document, make_row

PROFILE = FolderProfile(name="bills", path="/hot", business_unit="RETAIL", owner="Ann")
NAMES = st.binary(min_size=1, max_size=60)
URI = "/repositories/2/digital_objects/7"

# One of every field that says whom a document is for.
CUSTOMER = DocumentMetadata(
    customer_id="VALUE-1",
    customer_name="VALUE-2",
    account_number="VALUE-3",
    policy_number="VALUE-4",
    case_refs=("VALUE-5",),
    title="VALUE-6",
    extra={"address": ("VALUE-7",)},
    document_type="statement",
    issue_date=date(2026, 6, 1),
    retention_class="R7",
)


def catalogued(
    number: int, *, uri: str | None = URI, metadata: DocumentMetadata = CUSTOMER
) -> CatalogueRow:
    row = make_row(1)
    return CatalogueRow(
        document=make_document(f"VALUE-K{number}", ordinal=number, metadata=metadata),
        spool_id=row.id,
        business_unit=row.business_unit,
        spool_name=row.name,
        spool_sha256=row.sha256 or "",
        spool_size=row.size,
        format_name="pdf",
        archived_at=1_795_000_000.25 if uri else None,
        unit_ref_id="u",
        record_uri=uri,
    )


def texts(row: SpoolRow, documents: list[CatalogueRow], outcome: str = "archived") -> list[str]:
    receipt = receipt_json(row, documents, outcome=outcome, at=2.0)
    return [json.dumps(receipt), receipt_text(row, documents, outcome=outcome, profile=PROFILE)]


@given(NAMES, st.integers(0, 5), st.sampled_from(["archived", "duplicate"]))
@example(b"in/a\nReference:  x\x1b[2J\xff\xe2\x80\xae.pdf", 1, "archived")
def test_a_name_forges_nothing(name: bytes, count: int, outcome: str) -> None:
    row = replace(make_row(1), name=name, documents=count)
    documents = [catalogued(number) for number in range(1, count + 1)]
    for text in texts(row, documents, outcome):
        text.encode()
        assert all(line.isprintable() for line in text.split("\n"))
    words = texts(row, documents, outcome)[1].split("\n")
    assert len([line for line in words[1:] if line.startswith("Reference:")]) == 1
    assert f"Reference:                {row.id}" in words


@given(st.integers(1, 5))
def test_no_customer_is_named(count: int) -> None:
    row = replace(make_row(1), documents=count)
    documents = [catalogued(number) for number in range(1, count + 1)]
    for text in texts(row, documents):
        assert "VALUE" not in text
    # The metadata is there: what is left out is left out on purpose.
    assert documents[0].document.metadata.customer_id == "VALUE-1"
    assert "R7" in texts(row, documents[:1])[0]


@given(st.lists(st.booleans(), max_size=8))
def test_every_document_stands_in_it_once(confirmed: list[bool]) -> None:
    row = replace(make_row(1), documents=len(confirmed))
    documents = [
        catalogued(number, uri=URI if flag else None) for number, flag in enumerate(confirmed, 1)
    ]
    found = receipt_json(row, documents, outcome="archived", at=2.0)["documents"]
    assert [item["identity"] for item in found] == [item.document.identity for item in documents]
    for item, flag in zip(found, confirmed, strict=True):
        assert item["confirmed"] is flag
        assert (item["archivesspace"] is not None) is flag
        assert (item["archived"] is not None) is flag


def test_the_carrier_of_a_spool_is_no_document() -> None:
    row = replace(make_row(1), documents=1)
    carrier = catalogued(2)
    carrier = replace(carrier, document=replace(carrier.document, role=Role.CARRIER))
    found = receipt_json(row, [catalogued(1), carrier], outcome="archived", at=2.0)
    assert [item["ordinal"] for item in found["documents"]] == [1]


def test_times_are_utc() -> None:
    item = document_receipt(catalogued(1), placed=False)
    assert item["archived"] == "2026-11-18T11:06:40.250Z"
    assert "ordinal" not in item


def test_words_of_each_outcome() -> None:
    row = replace(make_row(1), name=b"in/letter.pdf", documents=1)
    newer = catalogued(1)
    newer = replace(newer, document=replace(newer.document, version=2, retain_until=None))
    archived = receipt_text(row, [newer], outcome="archived", profile=PROFILE)
    assert archived.startswith("letter.pdf is archived.\n")
    assert "version 2" in archived
    assert "without end date (class R7)" in archived
    assert URI in archived
    again = receipt_text(row, [newer], outcome="duplicate", profile=PROFILE)
    assert again.startswith("letter.pdf was archived already; nothing was added.\n")
    assert "version 2" not in again
    waiting = receipt_text(row, [catalogued(1, uri=None)], outcome="archived", profile=PROFILE)
    assert "to be confirmed" in waiting
