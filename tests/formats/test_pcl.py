"""PCL 5, PCL XL and the PJL around them: its end, and its pages."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hotfolder.sandbox.pdfwriter import write_bare_pdf
from tests.formats.test_postscript import printed_pages
from tests.support.formatsamples import UEL, make_pcl_xl, wrap
from tests.support.looking import code_of, cut, look, peak_of_look, quick

SAMPLES = Path(__file__).parent.parent / "samples"
RESET = b"\x1bE"


def pages_of(inner: bytes) -> int | None:
    """In a job, which must be sound; and bare, which must count the same."""
    found = look(wrap(inner))
    assert found.fault is None
    bare = look(RESET + inner)
    assert (bare.fault, bare.pages, bare.has_trailer) == (None, found.pages, False)
    return found.pages


def test_pages_of_another_producer() -> None:
    found = look((SAMPLES / "statements-8.pcl").read_bytes())
    assert (found.format_name, found.media_type) == ("pcl", "application/vnd.hp-PCL")
    assert (found.fault, found.has_trailer) == (None, True)
    assert found.pages == printed_pages()


@pytest.mark.parametrize(
    ("inner", "pages"),
    [
        (b"\x1b&l1T\x1bE", 0),
        (b"one\ftwo\f", 2),
        (b"one\ftwo\x1bE", 2),  # a reset ejects what is printed
        (b"one\ftwo", 2),  # so does the end
        (b"one\f\x1bE\x1bE\n\r \n", 1),
        (b"\f\f\f", 3),  # a form feed ejects even an empty page
        (b"one\x1b&l26Atwo\x1b&l1Othree\x1b&l0H", 3),  # size, orientation, eject
        (b"\x1b&l26a1o3H\x1b&l2Xone\f", 1),  # set before anything is printed; two copies
        (b"\x1b*c100a100b0P\x1bE", 1),  # a rectangle
        (b"\x1b%0BIN;SP1;\fPA1,1;\x1b%0A\f", 1),  # none in HP-GL/2
        (b"\x1b%1BPA1,1;\x1bE", 1),
        (b"\x1b*b2Wxx\x1bE\x1b&p1X\f\x1bE", 2),  # raster, and text that is transparent
        (b"line\n" * 60 + b"\f" + b"line\n" * 60 + b"\f", 2),
        (b"line\n" * 70 + b"\f", None),  # runs over, or not: that hangs on the printer
        (b"\x1b&l8D" + b"line\n" * 79 + b"\f", 1),  # eight lines to the inch
        (b"\x1b&l6C" + b"line\n" * 79 + b"\f", 1),
        (b"\x1b&l1O" + b"line\n" * 50 + b"\f", None),  # across there is less room
        (b"a\x1b=" * 200 + b"\f", None),
        (b"\x1b&f1Y\x1b&f0Xletterhead\x1b&f1X" + b"one\f", 1),  # a macro is stored
        (b"\x1b&f1Y\x1b&f0Xpage\f\x1b&f1X" + b"one\f", None),
        (b"\x1bYone\f\x1bZ", None),  # functions are displayed
        (b"\x1b\x01\x1b!one\f", 1),
    ],
)
def test_pages_by_what_ejects_them(inner: bytes, pages: int | None) -> None:
    assert pages_of(inner) == pages


@pytest.mark.parametrize(
    "command",
    [
        b"*b%dW",
        b"*b%dV",
        b"*b0m%dW",
        b"*b3m0y%dW",
        b"(s%dW",
        b")s%dW",
        b"(f%dW",
        b"&p%dX",
        b"*c%dW",
        b"*v%dW",
        b"&n%dW",
        b"*b+%dW",
        b"*b%d.0W",
        b"(s%dw",
    ],
)
def test_binary_data_has_no_form_feeds(command: bytes) -> None:
    for data in (
        b"\f" * 40,
        b"Z" + b"\f" * 9,
        b"\x1bE" * 20,
        UEL,
        b"\x1b*b99999W",
        bytes(range(256)),
    ):
        sequence = b"\x1b" + command % len(data) + data
        assert pages_of(sequence + b"x\f" + sequence * 3 + b"x\f") == 2


def test_data_across_chunks() -> None:
    choose = random.Random(5)
    parts: list[bytes] = []
    pages = 0
    while sum(len(part) for part in parts) < 3 << 20:
        raster = choose.randbytes(choose.choice((0, 1, 100, 30_000)))
        parts.append(b"\x1b*b%dW%s" % (len(raster), raster))
        if choose.random() < 0.5:
            parts.append(b"\x1b&a12h300Vtext\x1b(s10p12v0S more" * choose.randrange(50) + b"\f")
            pages += 1
    assert pages_of(b"".join(parts) + b"\f") == pages + 1


@pytest.mark.parametrize(
    "inner",
    [
        b"one\f\x1b",
        b"\x1b&",
        b"\x1b&l",
        b"\x1b&l12",
        b"\x1b&l1a",
        b"\x1b*b10Wxxxxxxxxx",
        b"\x1b(s1W",
    ],
)
def test_cut_off_in_a_command(inner: bytes) -> None:
    assert code_of(RESET + inner) == "pcl.truncated"
    assert code_of(RESET + inner + b"0Axxxxxxx") is None


def test_data_that_swallows_the_end() -> None:
    assert code_of(wrap(b"\x1b*b100Wxx")) == "pcl.truncated"


def test_cut_anywhere_it_is_not_whole() -> None:
    data = (SAMPLES / "statements-8.pcl").read_bytes()
    dense = {*range(1, 2000), *range(1, len(data), 61), *range(len(data) - 2000, len(data) + 1)}
    cuts = cut(data, "pcl", sorted(dense))
    assert cuts.whole == cuts.quick == cuts.sure == (len(data),)


def test_jobs_have_their_end() -> None:
    data = (
        UEL
        + b'@PJL JOB NAME = "x"\r\n@PJL SET COPIES = 2\r\n@PJL ENTER LANGUAGE = PCL\r\n'
        + b"\x1bEone\ftwo\f\x1bE"
        + UEL
        + b"@PJL EOJ\r\n"
        + UEL
    )
    assert (look(data).fault, look(data).pages) == (None, 2)
    assert (look(data * 3).fault, look(data * 3).pages) == (None, 6)
    # Between the two UEL of the end nothing is taken; with padding it is.
    cuts = cut(data, "pcl")
    assert cuts.whole == cuts.sure == (len(data),)
    assert look(data + b"\r\n\0\0").fault is None
    assert code_of(data + data[:-30]) == "pjl.truncated"
    short = UEL + b"@PJL JOB\r\n@PJL ENTER LANGUAGE=PCL\r\nx\f" + UEL
    assert code_of(data + short) == "pjl.truncated"
    unfinished = UEL + b"@PJL JOB\r\n@PJL ENTER LANGUAGE=PCL\r\n\x1bE" + b"x" * 9000 + UEL
    assert code_of(data + unfinished) == "pjl.truncated"


def test_the_first_uel_is_not_the_last() -> None:
    assert code_of(UEL) == "pjl.truncated"
    assert code_of(b"\0\0" + UEL + b"\r\n") == "pjl.truncated"
    assert look(UEL + b"@PJL RESET\r\n" + UEL).fault is None


def test_a_downloaded_file_is_passed_over() -> None:
    inner = UEL + b"x\f" * 100
    data = (
        UEL
        + b'@PJL FSDOWNLOAD FORMAT:BINARY SIZE=%d NAME="0:\\x"\r\n' % len(inner)
        + inner
        + b"@PJL ENTER LANGUAGE=PCL\nx\f"
        + UEL
    )
    assert look(data).pages == 1
    assert code_of(data.replace(b"SIZE=", b"SIZE=9")) == "pjl.truncated"


def test_without_a_language_the_data_tells() -> None:
    assert look(UEL + b"\x1bEx\f\x1bE" + UEL).pages == 1
    assert look(UEL + b"@PJL\r\n%!PS-Adobe-3.0\n%%Pages: 3\n%%EOF\n" + UEL).pages == 3
    assert look(UEL + b"\x01\x02" + UEL).pages is None
    assert look(wrap(b"\x01\x02", b"OTHER")).pages is None


def test_a_long_line_of_commands() -> None:
    for comment in (b"x" * 5000, b"x" * (3 << 20)):
        data = UEL + b"@PJL COMMENT " + comment + b"\r\n" + wrap(b"x\f")
        assert look(data).pages == 1


def test_a_pdf_in_a_print_job() -> None:
    pdf = write_bare_pdf("Letter", ())
    for ending in (UEL, UEL + b"@PJL EOJ\r\n" + UEL, b"\r\n" + UEL + b"\r\n"):
        data = UEL + b"@PJL ENTER LANGUAGE=PDF\r\n" + pdf + ending
        assert (look(data).format_name, look(data).fault, look(data).pages) == ("pdf", None, 1)
        assert quick(data).fault is None
    cut_off = UEL + b"@PJL ENTER LANGUAGE=PDF\r\n" + pdf[:-20] + UEL
    assert code_of(cut_off) == "pdf.truncated"


# -- PCL XL -----------------------------------------------------------------------
@pytest.mark.parametrize("order", ["<", ">"])
def test_pages_of_pcl_xl(order: str) -> None:
    found = look(wrap(make_pcl_xl(order), b"PCLXL"))
    assert (found.format_name, found.media_type) == ("pclxl", "application/vnd.hp-PCLXL")
    assert (found.fault, found.pages) == (None, 2)
    assert look(wrap(make_pcl_xl(order), b"PCLXL") * 2).pages == 4


def test_long_pages_of_pcl_xl() -> None:
    line = b"\xd3DDDD\xf8\x4c\x6b\xc0D\xf8D\xc8\xc0\x01D"
    page = b"\x43" + line * 20_000 + b"\xf8DD"
    assert look(wrap(b") HP-PCL XL;2;0\n" + page * 5, b"PCLXL")).pages == 5


def test_pcl_xl_that_is_not_understood_is_not_counted() -> None:
    assert look(wrap(b"' HP-PCL XL;2;0\nBeginSession", b"PCLXL")).pages is None
    assert look(wrap(make_pcl_xl().replace(b"\x43\xc2", b"\x43\x02\xc2"), b"PCLXL")).pages is None


def test_pcl_xl_that_is_cut_off() -> None:
    data = make_pcl_xl()
    for length in (30, 45, 60, 500, 5000, len(data) - 3):
        assert code_of(wrap(data[:length], b"PCLXL")[: -len(UEL)]) == "pjl.truncated"
    assert code_of(wrap(b") HP-PCL XL;2;0\n\xfa\xff\xff\xff\x0f", b"PCLXL")) == "pcl.truncated"
    assert code_of(wrap(b") HP-PCL XL;2;0\n\xc9\xc0\x05", b"PCLXL")) == "pcl.truncated"
    assert code_of(wrap(b") HP-PCL XL;2;0\n\xc8\xc1\xff\xff", b"PCLXL")) == "pcl.truncated"


def test_a_large_one_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.pcl"
    page = b"\x1b&a100h200Vsome text" * 200 + b"\x1b*b60000W" + b"\f" * 60_000 + b"\f"
    with path.open("wb") as file:
        file.write(UEL + b"@PJL ENTER LANGUAGE=PCL\r\n")
        for _ in range(400):
            file.write(page)
        file.write(UEL)
    found, peak = peak_of_look(path)
    assert (found.fault, found.pages) == (None, 400)
    assert peak < 4 << 20
