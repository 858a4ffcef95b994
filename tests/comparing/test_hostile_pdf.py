"""PDFs made to do harm: an error in words for each, and a command that lives."""

from __future__ import annotations

import io
import os
import random
import signal
import zlib
from pathlib import Path

import pikepdf
import pytest

from hotfolder.comparing.findings import Findings, Rules
from hotfolder.comparing.pdfpages import PdfPages
from hotfolder.core.errors import Fault, InputFault
from tests.fuzz.mutation import mutate
from tests.support.sides import make_pdf, pdf_findings, shown, side

SOUND = make_pdf([shown("one"), shown("two")])
SAMPLE = Path(__file__).parent.parent / "samples" / "statements-8.pdf"


def fault_of(data: bytes, rules: Rules | None = None) -> Fault:
    with pytest.raises(InputFault) as caught:
        pdf_findings(SOUND, data, rules)
    (fault,) = caught.value.faults
    assert fault.remedy
    assert fault.file == "after.pdf"
    return fault


@pytest.mark.parametrize("data", [SOUND[:-40], SOUND[:200], b"%PDF-1.7\nnothing\n%%EOF\n"])
def test_what_is_not_whole_is_not_mended_on_the_quiet(data: bytes) -> None:
    assert fault_of(data).code in ("pdf.truncated", "pdf.damaged")


def test_a_password() -> None:
    with pikepdf.open(io.BytesIO(SOUND)) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    assert fault_of(out.getvalue()).code == "compare.encrypted"


def test_more_pages_than_are_compared() -> None:
    fault = fault_of(make_pdf([shown("x")] * 6), Rules(most_pages=5))
    assert (fault.code, "--max-pages" in fault.remedy) == ("compare.pages", True)


@pytest.mark.parametrize("size", [(14400, 14400), (1e7, 1e7), (1e6, 0.01)])
def test_a_page_too_large_to_be_drawn(size: tuple[float, float]) -> None:
    fault = fault_of(make_pdf([shown("one"), shown("two")], size=size))
    assert fault.code.startswith("compare.")


def test_a_large_page_is_drawn_smaller() -> None:
    before, after = (
        make_pdf([shown("Poster") + more], size=(5000, 5000))
        for more in (b"", b"0 g 1000 1000 100 100 re f\n")
    )
    (page,) = pdf_findings(before, after).different_pages
    assert 36 <= page.dpi < 100
    (region,) = page.picture.regions
    assert region == pytest.approx((1000, 3900, 100, 100), abs=3)


def with_image(width: int, height: int, data: bytes, filters: pikepdf.Array) -> bytes:
    with pikepdf.open(io.BytesIO(make_pdf([b"q 200 0 0 200 0 0 cm /I Do Q"]))) as document:
        image = document.make_stream(data)
        image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        image.Width, image.Height, image.BitsPerComponent = width, height, 8
        image.ColorSpace = pikepdf.Name.DeviceRGB
        out = io.BytesIO()
        document.pages[0].Resources.XObject = pikepdf.Dictionary(I=image)
        image.write(data, filter=filters)
        document.save(out, compress_streams=False)
        return out.getvalue()


def test_an_image_that_takes_all_memory_is_drawn_or_refused_within_bounds() -> None:
    bomb = zlib.compress(zlib.compress(bytes(400 << 20), 1), 9)
    filters = pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode])
    data = with_image(30_000, 30_000, bomb, filters)
    assert len(data) < 1 << 16
    outcome: Findings | InputFault
    try:
        outcome = pdf_findings(SOUND, data, Rules(memory=512 << 20))
    except InputFault as error:
        outcome = error
    assert isinstance(outcome, InputFault) or outcome.different_pages


def test_a_file_that_takes_more_memory_than_it_may() -> None:
    with pytest.raises(InputFault) as caught:
        pdf_findings(SOUND, SOUND, Rules(memory=1 << 20))
    assert caught.value.code in ("compare.crashed", "compare.memory", "compare.pdf")


def slow() -> bytes:
    """A page that draws a form that draws a form ten times, and so on."""
    with pikepdf.open(io.BytesIO(make_pdf([b"/X Do"]))) as document:
        inner = document.make_stream(b"0 0 m 300 200 l 10 180 l s\n" * 50)
        inner.Type, inner.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        inner.BBox = pikepdf.Array([0, 0, 300, 200])
        for _ in range(9):
            outer = document.make_stream(b"/X Do\n" * 10)
            outer.Type, outer.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
            outer.BBox = pikepdf.Array([0, 0, 300, 200])
            outer.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(X=inner))
            inner = outer
        document.pages[0].Resources.XObject = pikepdf.Dictionary(X=inner)
        out = io.BytesIO()
        document.save(out)
        return out.getvalue()


def test_a_page_that_takes_longer_than_it_may() -> None:
    fault = fault_of(slow(), Rules(page_seconds=2.0))
    assert (fault.code, fault.place) == ("compare.slow", "page 1")


def test_a_crash_is_an_error_that_names_the_page() -> None:
    with side(SOUND, "after.pdf") as one, PdfPages(one, Rules()) as pages:
        pages.open()
        pages.ask(1)
        pages.take()
        os.kill(pages.child_id, signal.SIGSEGV)
        with pytest.raises(InputFault) as caught:  # noqa: PT012  either may be the first to see it
            pages.ask(2)
            pages.take()
    (fault,) = caught.value.faults
    assert (fault.code, fault.place) == ("compare.crashed", "page 2")
    assert f"signal {int(signal.SIGSEGV)}" in fault.message


def test_harmed_files_are_compared_or_refused() -> None:
    choose = random.Random(2026)
    samples = [SOUND, SAMPLE.read_bytes()[:20_000] + SOUND]
    refused: list[Fault] = []
    for _ in range(6):
        try:
            pdf_findings(SOUND, mutate(choose, samples))
        except InputFault as error:
            refused += list(error.faults)
    assert refused
    assert all(fault.remedy and fault.code for fault in refused)
