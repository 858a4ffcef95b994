"""The generator's PDF is whole, says what it should, and is the same every time."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pikepdf
import pytest

from hotfolder.formats.registry import inspect_spool
from hotfolder.sandbox.communications import Communication, make_communication
from hotfolder.sandbox.layout import Line, compose_pages
from hotfolder.sandbox.pdfwriter import large_pdf_chunks, write_bare_pdf, write_pdf

_NUMBERS = range(60)
_SAMPLES = Path(__file__).parent.parent / "samples"
PINNED = "df6e3464a2a99b435ced00590a259cf9520913d807ed6701a04c0636e92eaf37"


@pytest.mark.parametrize("number", _NUMBERS)
def test_opens_without_recovery_and_without_warnings(number: int) -> None:
    communication = make_communication(2, number)
    data = write_pdf(communication)
    with pikepdf.open(io.BytesIO(data), attempt_recovery=False) as document:
        pages = compose_pages(communication)
        assert len(document.pages) == len(pages)
        assert document.docinfo["/Title"] == communication.title
        assert document.docinfo["/CreationDate"] == f"D:{communication.issue_date:%Y%m%d}040000Z"
        assert [_text(page) for page in document.pages] == [
            [line.text for line in page] for page in pages
        ]
        assert not document.check_pdf_syntax()
        assert not document.get_warnings()
    inspection = inspect_spool(io.BytesIO(data), len(data), b"x.pdf")
    assert (inspection.format_name, inspection.pages, inspection.fault) == (
        "pdf",
        len(pages),
        None,
    )


def test_has_what_another_producer_writes() -> None:
    """Apache FOP wrote the sample: same paper, same kind of fonts, text as text."""
    with (_SAMPLES / "statements-8.expected.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (
        pikepdf.open(_SAMPLES / "statements-8.pdf", attempt_recovery=False) as theirs,
        pikepdf.open(io.BytesIO(write_pdf(make_communication(2, 0)))) as ours,
    ):
        # FOP fills each statement up with a blank page to an even number
        assert sum(_shows_text(page) for page in theirs.pages) == sum(
            int(row["pages"]) for row in rows
        )
        assert [round(float(edge)) for edge in theirs.pages[0].mediabox] == [
            int(edge) for edge in ours.pages[0].mediabox
        ]
        assert _fonts(theirs.pages[0]) <= _fonts(ours.pages[0])
        assert {"/Creator", "/Producer", "/CreationDate"} <= set(ours.docinfo.keys())


def _shows_text(page: pikepdf.Page) -> bool:
    operators = {str(item.operator) for item in pikepdf.parse_content_stream(page)}
    return not operators.isdisjoint({"Tj", "TJ"})


def _fonts(page: pikepdf.Page) -> set[tuple[str, str, str]]:
    return {
        (str(font["/Subtype"]), str(font["/Encoding"]), str(font["/BaseFont"]))
        for font in page.resources["/Font"].values()
    }


def _text(page: pikepdf.Page) -> list[str]:
    shown = []
    for instruction in pikepdf.parse_content_stream(page):
        if str(instruction.operator) == "Tj":
            text = instruction.operands[0]
            assert isinstance(text, pikepdf.String)
            shown.append(bytes(text).decode("cp1252"))
    return shown


def test_same_seed_same_bytes() -> None:
    digests = {hashlib.sha256(write_pdf(make_communication(2, n))).hexdigest() for n in _NUMBERS}
    again = {hashlib.sha256(write_pdf(make_communication(2, n))).hexdigest() for n in _NUMBERS}
    assert digests == again
    assert len(digests) == len(_NUMBERS)


def test_bytes_have_not_changed() -> None:
    """Sample output is compared between machines: a change of the bytes is to be meant."""
    digest = hashlib.sha256(b"".join(write_pdf(make_communication(1, n)) for n in range(20)))
    assert digest.hexdigest() == PINNED


def test_corrected_version_has_the_same_key_and_other_bytes() -> None:
    first, second = make_communication(2, 4), make_communication(2, 4, revision=1)
    assert write_pdf(first) != write_pdf(second)
    assert _key(first) == _key(second)


def _key(communication: Communication) -> tuple[object, ...]:
    return (
        communication.customer.customer_id,
        communication.customer.account_number,
        communication.document_type,
        communication.issue_date,
    )


@pytest.mark.parametrize("cut", [1, 10, 100, 1000])
def test_a_cut_file_does_not_pass(cut: int) -> None:
    data = write_pdf(make_communication(2, 0)).rstrip()[:-cut]
    assert inspect_spool(io.BytesIO(data), len(data), b"x.pdf").fault is not None


@pytest.mark.parametrize("size", [4096, 4097, 65536, 1_000_003, 9_999_999])
def test_large_file_has_exactly_its_size(size: int) -> None:
    data = b"".join(large_pdf_chunks(size, 1))
    assert len(data) == size
    inspection = inspect_spool(io.BytesIO(data), len(data), b"x.pdf")
    assert (inspection.pages, inspection.fault) == (1, None)


def test_large_file_is_never_too_small() -> None:
    with pytest.raises(ValueError, match="4096"):
        next(large_pdf_chunks(4095, 1))


def test_bare_file_says_what_it_is_told() -> None:
    data = write_bare_pdf("(a\\b)", (Line(50, 700, "plain", 10, "Grüße (an\\alle)"),))
    with pikepdf.open(io.BytesIO(data), attempt_recovery=False) as document:
        assert document.docinfo["/Title"] == "(a\\b)"
        assert _text(document.pages[0]) == ["Grüße (an\\alle)"]
