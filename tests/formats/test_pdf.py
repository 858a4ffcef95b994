"""PDF: whole or not, and how many pages, judged against pikepdf's own writers."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pikepdf
import pytest

from hotfolder.core.records import Inspection
from hotfolder.formats import inspect_spool, inspect_trailer
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.layout import compose_pages
from hotfolder.sandbox.pdfwriter import write_bare_pdf, write_pdf

NAME = b"letter.pdf"


def look(data: bytes) -> Inspection:
    return inspect_spool(io.BytesIO(data), len(data), NAME)


def quick(data: bytes) -> Inspection:
    return inspect_trailer(io.BytesIO(data), len(data), NAME)


def saved(pages: int = 3, **options: object) -> bytes:
    """A PDF as another program writes it."""
    out = io.BytesIO()
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page()
        document.save(out, **options)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("number", range(12))
def test_pages_of_exstream_output(number: int) -> None:
    communication = make_communication(7, number)
    found = look(write_pdf(communication))
    assert found.fault is None
    assert (found.format_name, found.media_type) == ("pdf", "application/pdf")
    assert found.pages == len(compose_pages(communication))


@pytest.mark.parametrize(
    "options",
    [
        {"linearize": True},
        {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
        {"object_stream_mode": pikepdf.ObjectStreamMode.disable},
        {"force_version": "2.0"},
        {"static_id": True, "compress_streams": False},
    ],
    ids=["linearised", "object streams", "plain table", "version 2.0", "uncompressed"],
)
def test_other_writers(options: dict[str, object]) -> None:
    data = saved(pages=5, **options)
    assert quick(data).fault is None
    assert (look(data).fault, look(data).pages) == (None, 5)


def test_encrypted_is_archived_as_what_it_is() -> None:
    locked = saved(encryption=pikepdf.Encryption(owner="secret", user="secret"))
    assert (look(locked).fault, look(locked).pages) == (None, None)
    readable = saved(encryption=pikepdf.Encryption(owner="secret", user=""))
    assert (look(readable).fault, look(readable).pages) == (None, 3)


def test_an_incremental_update_is_whole_and_counts_its_last_pages() -> None:
    first = saved(pages=1, object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True)
    start = int(first.rsplit(b"startxref", 1)[1].split()[0])
    with pikepdf.open(io.BytesIO(first)) as document:
        size = int(document.trailer.Size)
        root = document.trailer.Root.objgen[0]
    added = b"%d 0 obj\n<< /Producer (update) >>\nendobj\n" % size
    table = (
        b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %d 0 R /Prev %d >>\n"
        b"startxref\n%d\n" % (size, len(first), size + 1, root, start, len(first) + len(added))
    )
    updated = first + added + table + b"%%EOF\n"
    assert (look(updated).fault, look(updated).pages) == (None, 1)
    # Cut in the update: what is left of it is no end.
    cut = updated[: len(first) + 20]
    assert look(cut).fault is not None
    assert quick(cut).fault is not None


def test_cut_anywhere_it_is_not_whole() -> None:
    data = write_pdf(make_communication(3, 1))
    end = data.rindex(b"%%EOF") + 5
    for length in range(end):
        found = look(data[:length])
        assert found.fault is not None or found.format_name != "pdf", length
        if length >= len(b"%PDF-1.4"):
            assert quick(data[:length]).fault is not None, length
    for length in range(end, len(data) + 1):
        assert look(data[:length]).fault is None
        assert quick(data[:length]).fault is None


@pytest.mark.parametrize("padding", [b"\n", b"\r\n\r\n", b"\0" * 512, b"\x1a", b" " * 100])
def test_padding_behind_the_end_is_passed_over(padding: bytes) -> None:
    data = write_bare_pdf("Letter", ())
    assert look(data + padding).fault is None
    assert quick(data + padding).fault is None


def test_a_block_of_zeros_at_the_end_is_said_to_be_one() -> None:
    data = write_pdf(make_communication(3, 1))
    found = look(data[:2000] + b"\0" * 10_000)
    assert found.fault is not None
    assert found.fault.code == "pdf.truncated"
    assert "zeros" in found.fault.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"startxref\n", b"startxref\n9"),
        (b"/Root", b"/Toor"),
        (b"/Pages", b"/Segap"),
        (b"\ntrailer", b"\nreliart"),
    ],
)
def test_damage_behind_a_whole_end_is_found_by_the_whole_look(old: bytes, new: bytes) -> None:
    data = write_bare_pdf("Letter", ())
    assert old in data
    found = look(data.replace(old, new))
    assert found.fault is not None
    assert found.fault.code == "pdf.damaged"
    assert found.fault.remedy
    assert "startxref" not in found.fault.message or len(found.fault.message) < 300


def test_a_header_behind_printer_commands() -> None:
    data = b"\x1b%-12345X@PJL ENTER LANGUAGE=PDF\r\n" + write_bare_pdf("Letter", ())
    assert look(data).format_name == "pdf"


def test_an_empty_file_is_at_fault() -> None:
    found = look(b"")
    assert found.fault is not None
    assert found.fault.code == "spool.empty"


def test_three_gigabytes_are_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.write(b"%PDF-1.4\n")
        file.truncate(3 << 30)
    tracemalloc.start()
    try:
        with path.open("rb") as stream:
            found = inspect_spool(stream, 3 << 30, NAME)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.fault is not None
    assert found.fault.place == f"byte {3 << 30}"
    assert peak < 1 << 20
