"""Real PDFs beside one another, through the process that reads them."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pikepdf
import pytest

from hotfolder.comparing.findings import Outcome, Region, Rules
from hotfolder.comparing.pdfpages import PdfPages
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.pdfwriter import write_pdf
from tests.support.sides import make_pdf, pdf_findings, shown, side

SAMPLE = Path(__file__).parent.parent / "samples" / "statements-8.pdf"
THREE = [shown(f"Statement, page {number}") for number in (1, 2, 3)]


def statement(number: int = 3) -> bytes:
    return write_pdf(make_communication(1, number))


def test_a_document_is_equal_to_itself_written_anew() -> None:
    with pikepdf.open(SAMPLE) as document:
        document.docinfo["/CreationDate"] = pikepdf.String("D:20270101000000Z")
        document.docinfo["/Producer"] = pikepdf.String("another release")
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    found = pdf_findings(SAMPLE.read_bytes(), out.getvalue())
    assert (found.outcome, found.pages) == (Outcome.EQUAL, (18, 18))
    assert not found.different_pages
    remarks = {remark.what for remark in found.remarks}
    assert {"CreationDate", "Producer"} <= remarks
    assert remarks <= {"CreationDate", "Producer", "ModDate", "ID, first", "ID, second",
                       "PDF version"}  # fmt: skip


def test_a_change_of_any_line_is_found_on_its_page_in_text_and_picture() -> None:
    whole = statement()
    choose = random.Random(5)
    lines = [place for place in range(len(whole)) if whole.startswith(b") Tj", place)]
    first_of_second = whole.index(b"continued")
    for end in choose.sample(lines, 4):
        place = end - 1
        changed = whole[:place] + (b"8" if whole[place:end] != b"8" else b"3") + whole[end:]
        found = pdf_findings(whole, changed)
        assert found.outcome is Outcome.DIFFERENT
        (page,) = found.different_pages
        assert page.number == (1 if place < first_of_second else 2)
        assert page.text.count == 1
        assert page.picture.pixels > 0
        assert len(page.picture.regions) >= 1


def test_what_no_text_tells_is_found_in_the_picture() -> None:
    before = make_pdf([THREE[0], THREE[1]])
    after = make_pdf([THREE[0], THREE[1] + b"0.9 g 100 50 20 10 re f\n"])
    (page,) = pdf_findings(before, after).different_pages
    assert (page.number, page.text.count) == (2, 0)
    (region,) = page.picture.regions
    assert region == pytest.approx((100, 140, 20, 10), abs=1)
    assert not pdf_findings(before, after, Rules(tolerance=30)).different_pages


def test_text_that_is_not_to_be_seen_is_found_too() -> None:
    hidden = b"3 Tr " + shown("void")
    (page,) = pdf_findings(make_pdf(THREE[:1]), make_pdf([THREE[0] + hidden])).different_pages
    assert page.picture.pixels == 0
    assert page.text.listed[0].after == "void"


def test_steps_of_a_colour_that_nobody_sees_are_tolerated_and_said_to_be() -> None:
    before, after = (make_pdf([b"%s g 100 50 20 10 re f\n" % grey]) for grey in (b"0.5", b"0.51"))
    found = pdf_findings(before, after)
    assert (found.outcome, found.pages_tolerated) == (Outcome.EQUAL, 1)
    assert pdf_findings(before, after, Rules(tolerance=0)).outcome is Outcome.DIFFERENT


@pytest.mark.parametrize(("before", "after", "side"), [(3, 2, "archived"), (2, 3, "re-rendered")])
def test_a_page_that_only_one_has(before: int, after: int, side: str) -> None:
    found = pdf_findings(make_pdf(THREE[:before]), make_pdf(THREE[:after]))
    assert found.pages == (before, after)
    assert found.differences[0].what == "pages"
    (page,) = found.different_pages
    assert (page.number, page.only_in, page.text.count) == (3, side, 1)


def test_the_size_of_a_page_counts_and_a_hair_does_not() -> None:
    before = make_pdf(THREE[:1], size=(595.28, 841.89))
    blind = Rules(tolerance=255)
    assert not pdf_findings(before, make_pdf(THREE[:1], size=(595, 842)), blind).different_pages
    (page,) = pdf_findings(before, make_pdf(THREE[:1], size=(595, 792)), blind).different_pages
    assert page.differences[0].what == "page size in points"


@pytest.mark.parametrize("rotate", [0, 90])
def test_a_region_is_ignored_in_picture_and_text_as_the_page_is_shown(rotate: int) -> None:
    def page(date: str) -> bytes:
        return make_pdf(
            [shown("Dear Sir"), shown("Dear Sir") + shown(date, 200, 20)], rotate=rotate
        )

    one, other = page("1 May"), page("2 June")
    # 300 by 200 points; turned to the right, what was below left is above left.
    region = Region(190, 160, 100, 30) if not rotate else Region(0, 190, 40, 100)
    assert pdf_findings(one, other).outcome is Outcome.DIFFERENT
    for number in (0, 2):
        rules = Rules(ignored_regions=((number, region),))
        assert pdf_findings(one, other, rules).outcome is Outcome.EQUAL
    elsewhere = Rules(ignored_regions=((1, region), (2, Region(0, 0, 20, 20))))
    assert pdf_findings(one, other, elsewhere).outcome is Outcome.DIFFERENT


def test_text_that_may_differ_still_shows_in_the_picture_unless_that_is_told_too() -> None:
    one, other = (make_pdf([shown("Sum 1"), shown(f"Printed {day} May")]) for day in (1, 2))
    rules = Rules(ignored_texts=("Printed .* May",))
    (page,) = pdf_findings(one, other, rules).different_pages
    assert (page.text.count, page.picture.pixels > 0) == (0, True)
    both = Rules(ignored_texts=rules.ignored_texts, ignored_regions=((2, Region(0, 0, 300, 80)),))
    assert pdf_findings(one, other, both).outcome is Outcome.EQUAL


def attached(data: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(make_pdf(THREE[:1]))) as document:
        document.attachments["invoice.xml"] = pikepdf.AttachedFileSpec(
            document, data, filename="invoice.xml"
        )
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


def test_attachments_are_content_but_not_of_pages_taken_out_of_a_spool() -> None:
    found = pdf_findings(attached(b"<a/>"), attached(b"<b/>"))
    assert found.outcome is Outcome.DIFFERENT
    assert "invoice.xml" in found.differences[0].what
    assert pdf_findings(attached(b"<a/>"), attached(b"<b/>"), derived=True).outcome is Outcome.EQUAL


def form(value: str) -> bytes:
    """A PDF with a text field that shows its value by its appearance."""
    with pikepdf.open(io.BytesIO(make_pdf(THREE[:1]))) as document:
        look = document.make_stream(b"BT /F1 12 Tf 2 4 Td (%s) Tj ET" % value.encode())
        look.Type, look.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        look.BBox = pikepdf.Array([0, 0, 100, 20])
        look.Resources = document.pages[0].Resources
        widget = document.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T=pikepdf.String("sum"),
                V=pikepdf.String(value),
                Rect=pikepdf.Array([20, 20, 120, 40]),
                AP=pikepdf.Dictionary(N=look),
                F=4,
            )
        )
        document.pages[0].Annots = pikepdf.Array([widget])
        document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([widget]))
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
        return out.getvalue()


def test_the_values_of_forms_are_seen() -> None:
    (page,) = pdf_findings(form("100"), form("900")).different_pages
    assert page.picture.pixels > 0


def test_colours_are_those_of_the_page() -> None:
    data = make_pdf([b"1 0 0 rg 0 0 300 200 re f\n", b"0 0 1 rg 0 0 300 200 re f\n"])
    with side(data) as one, PdfPages(one, Rules(dpi=72)) as pages:
        pages.open()
        found = []
        for number in (1, 2):
            pages.ask(number)
            page = pages.take()
            found.append((page.picture.size, page.picture.getcolors()))
    assert found == [((300, 200), [(60_000, (255, 0, 0))]), ((300, 200), [(60_000, (0, 0, 255))])]
