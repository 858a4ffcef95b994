"""PostScript: its end, and its pages by the structuring comments."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.looking import code_of, cut, look, peak_of_look, quick

SAMPLES = Path(__file__).parent.parent / "samples"
UEL = b"\x1b%-12345X"


def printed_pages() -> int:
    """FOP fills up statements with an odd number of pages by a blank one."""
    with (SAMPLES / "statements-8.expected.csv").open(encoding="utf-8") as file:
        pages = [int(row["pages"]) for row in csv.DictReader(file)]
    return sum(number + number % 2 for number in pages)


def document(*pages: bytes, header: bytes = b"", trailer: bytes = b"") -> bytes:
    body = b"".join(
        b"%%%%Page: %d %d\n%s\nshowpage\n" % (number, number, page)
        for number, page in enumerate(pages, 1)
    )
    return (
        b"%!PS-Adobe-3.0\n"
        + header
        + b"%%EndComments\n"
        + body
        + b"%%Trailer\n"
        + trailer
        + b"%%EOF\n"
    )


def test_pages_of_another_producer() -> None:
    found = look((SAMPLES / "statements-8.ps").read_bytes())
    assert found.fault is None
    assert (found.format_name, found.format_version) == ("ps", "3.0")
    assert found.pages == printed_pages()
    assert found.has_trailer


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize(
    ("data", "pages"),
    [
        (document(b"", b"", header=b"%%Pages: 2\n"), 2),
        (document(b"", b"", header=b"%%Pages: 2 1\n"), 2),  # DSC 2 has the order behind it
        (document(b"", b"", header=b"%%Pages: (atend)\n", trailer=b"%%Pages: 2\n"), 2),
        (document(b"", b"", header=b"%%Pages: (atend)\n"), 2),
        (document(b"", b"", b""), 3),
        (document(header=b"%%Pages: 4\n"), 4),
        (document(), None),
        (document(b"", header=b"%%Pages: 7\n"), None),  # they contradict
        (document(b"", header=b"%%Pages: 1\n", trailer=b"%%Pages: 9\n"), 1),
        (document(b"(\n%%Pagers: x\n %%Page: 2 2\n%%PageTrailer)"), 1),
        (document(b"", b"") + b"\x04" + document(b"", header=b"%%Pages: 1\n"), 3),
    ],
)
def test_pages_by_comments(data: bytes, pages: int | None, line_end: bytes) -> None:
    found = look(data.replace(b"\n", line_end))
    assert (found.fault, found.pages) == (None, pages)


def test_included_documents_do_not_count() -> None:
    inner = document(b"", b"", header=b"%%Pages: 2\n")
    nested = b"%%BeginDocument: a\n" + inner + b"%%EndDocument\n"
    twice = b"%%BeginDocument: b\n" + document(nested) + b"%%EndDocument\n"
    assert look(document(twice, nested, b"")).pages == 3
    assert look(document(twice, header=b"%%Pages: (atend)\n")).pages == 1


def test_the_outermost_open_one_is_named() -> None:
    start = b"%!PS-Adobe-3.0\n"
    fault = look(start + b"%%BeginDocument: a\n" * 3 + b"%%EndDocument\n%%EOF\n").fault
    assert fault is not None
    assert f"at byte {len(start)}" in fault.message


@pytest.mark.parametrize("at", [*range(-600, -480, 7), *range(-90, 30)])
def test_comments_at_the_edge_of_what_is_read_at_once(at: int) -> None:
    start = b"%!PS-Adobe-3.0\n"
    filler = b"x" * ((1 << 20) + at - len(start) - 1) + b"\n"
    comments = b"%%BeginDocument: a\n%%Pages: 9\n%%EndDocument\n%%Pages: 12345\n"
    assert look(start + filler + comments + b"%%EOF\n").pages == 12345
    assert look(start + filler + b"%%Pages: 12345\n%%EOF\n").pages == 12345


def test_data_is_no_comment() -> None:
    lines = b"%%Page: 9 9\n%%BeginDocument: x\n"
    data = b"%%%%BeginData: %d Binary Bytes\n%s%%%%EndData\n" % (len(lines), lines)
    binary = b"%%%%BeginBinary: %d\n%s\n%%%%EndBinary\n" % (len(lines), lines)
    assert look(document(data, binary)).pages == 2
    # A count that leads somewhere else is not followed.
    lying = b"%%BeginData: 100000 Binary Bytes\nxx\n%%EndData\n"
    assert look(document(lying, b"")).pages == 2


def test_without_conventions_it_cannot_show_its_end() -> None:
    for data in (b"%!PS\nshowpage\n", b"\x04%!PS\n", b"%!PS-AdobeFont-1.0: Courier\n"):
        found = look(data)
        assert (found.format_name, found.fault, found.has_trailer) == ("ps", None, False)


@pytest.mark.parametrize(
    "padding", [b"", b"\x04", b"\r\n\x04", b"\x00" * 512, b"\x1a", b" \n" * 50]
)
def test_padding_behind_the_end(padding: bytes) -> None:
    data = document(b"")[:-1] + padding
    assert look(data).fault is None
    assert quick(data).fault is None


@pytest.mark.parametrize(
    "data",
    [
        document(b"")[:-3],
        document(b"").replace(b"%%EOF", b"% %%EOF"),
        document(b"") + b"showpage\n",
        document(b"")[:100] + b"\0" * 9000,
        # Cut behind the end of something that it includes.
        document(b"%%BeginDocument: x\n" + document(b""))[
            : -len(b"\nshowpage\n%%Trailer\n%%EOF\n")
        ],
    ],
)
def test_without_its_end_it_is_cut_off(data: bytes) -> None:
    assert code_of(data) == "ps.truncated"


def test_cut_anywhere_it_is_not_whole() -> None:
    data = (SAMPLES / "statements-8.ps").read_bytes()
    dense = {*range(1, 3000), *range(1, len(data), 97), *range(len(data) - 3000, len(data) + 1)}
    cuts = cut(data, "ps", sorted(dense))
    # Before ``-Adobe-3.0`` is written it may be any PostScript, which settles for longer;
    # the last two have lost nothing, or a line end.
    assert cuts.whole == (*range(4, 14), len(data) - 1, len(data))
    assert cuts.sure == (len(data) - 1, len(data))


def wrapped(inner: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    return UEL + before + b"@PJL ENTER LANGUAGE=POSTSCRIPT\r\n" + inner + UEL + after


def test_in_a_print_job() -> None:
    inner = document(b"", b"", header=b"%%Pages: 2\n")
    found = look(wrapped(inner))
    assert (found.format_name, found.fault, found.pages) == ("ps", None, 2)
    assert found.media_type == "application/postscript"
    assert code_of(wrapped(inner)[: -len(UEL)]) == "pjl.truncated"
    assert code_of(wrapped(inner + b"\x04")[:-1]) == "pjl.truncated"
    assert look(wrapped(b"%!PS\nshowpage\n\x04")).pages is None
    assert look(wrapped(inner) + wrapped(inner)).pages == 4
    assert look(wrapped(b"%%BeginDocument: x\n" + inner)).pages is None
    assert code_of(wrapped(document(b"%%BeginDocument: x\n"))) == "ps.truncated"


def test_a_large_one_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.ps"
    with path.open("wb") as file:
        file.write(b"%!PS-Adobe-3.0\n%%Pages: (atend)\n")
        for number in range(1, 2001):
            file.write(b"%%%%Page: %d %d\n%s\n" % (number, number, b"0 0 moveto " * 1500))
        file.write(b"%%Trailer\n%%Pages: 2000\n%%EOF\n")
    found, peak = peak_of_look(path)
    assert (found.fault, found.pages) == (None, 2000)
    assert peak < 4 << 20
