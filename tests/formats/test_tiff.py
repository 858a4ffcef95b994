"""TIFF and BigTIFF: everything that a directory points to lies in the file."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.support.formatsamples import make_tiff, make_tiff_image
from tests.support.looking import code_of, cut, look, peak_of_look, quick

KINDS = [(order, big) for order in "<>" for big in (False, True)]


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4"])
@pytest.mark.parametrize("big", [False, True])
def test_pages_of_another_producer(compression: str, big: bool) -> None:
    data = make_tiff_image(5, compression=compression, big=big)
    found = look(data)
    assert (found.format_name, found.media_type) == ("tiff", "image/tiff")
    assert (found.fault, found.pages) == (None, 5)
    assert found.format_version == ("BigTIFF" if data[2] == 43 else "6.0")
    # After every page it would look whole: it never shows its end.
    assert not found.has_trailer


@pytest.mark.parametrize(("order", "big"), KINDS)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("strips", [1, 3, 20_000])
def test_both_orders_and_sizes(order: str, big: bool, first: bool, strips: int) -> None:
    found = look(make_tiff(order, big=big, strips=strips, first=first))
    assert (found.fault, found.pages) == (None, 2)


@pytest.mark.parametrize(("order", "big"), KINDS)
@pytest.mark.parametrize("first", [False, True])
def test_cut_anywhere_it_is_not_whole(order: str, big: bool, first: bool) -> None:
    data = make_tiff(order, big=big, pages=3, first=first)
    cuts = cut(data, "tiff")
    assert cuts.whole == cuts.quick == (len(data),)
    assert cuts.sure == ()


def test_cut_anywhere_as_another_producer_writes() -> None:
    for big in (False, True):
        data = make_tiff_image(3, big=big)
        cuts = cut(
            data, "tiff", [*range(1, len(data) - 600, 13), *range(len(data) - 600, len(data) + 1)]
        )
        # What Pillow fills up the end with, to sixteen bytes, is no loss.
        assert len(cuts.whole) <= 16
        assert cuts.whole == tuple(range(cuts.whole[0], len(data) + 1))


def test_the_place_is_told() -> None:
    data = make_tiff("<", big=False, first=True)
    fault = look(data[:-5]).fault
    assert fault is not None
    assert fault.code == "tiff.truncated"
    assert "page 2" in fault.message
    assert "piece 3" in fault.message
    assert quick(data[:-5]).fault == fault


def patched(data: bytes, at: int, code: str, value: int) -> bytes:
    out = bytearray(data)
    struct.pack_into("<" + code, out, at, value)
    return bytes(out)


def test_directories_that_lie() -> None:
    # Header, then a directory of two entries of 12 bytes at 8, and where the next is at 34.
    data = make_tiff("<", big=False, strips=1, first=True)
    assert code_of(patched(data, 4, "I", 0)) == "tiff.damaged"
    assert code_of(patched(data, 4, "I", 1 << 31)) == "tiff.truncated"
    assert code_of(patched(data, 8, "H", 0)) == "tiff.damaged"
    assert code_of(patched(data, 8, "H", 5000)) == "tiff.damaged"
    assert code_of(patched(data, 8, "H", 4000)) == "tiff.truncated"
    assert code_of(patched(data, 34, "I", 8)) == "tiff.damaged"  # a loop
    assert code_of(patched(data, 10 + 8, "I", 1 << 31)) == "tiff.truncated"  # the strip
    assert code_of(patched(data, 10 + 4, "I", 1000)) == "tiff.truncated"  # the list of strips
    assert code_of(patched(data, 10 + 2, "H", 2)) == "tiff.damaged"  # text is no offset
    assert code_of(patched(data, 10, "H", 256)) is None  # no strips: nothing to check
    assert code_of(patched(data, 22, "H", 256)) is None  # old files have no lengths
    assert code_of(patched(data, 22 + 4, "I", 0)) == "tiff.damaged"  # fewer lengths than places
    # A strip without bytes is nowhere.
    sparse = patched(patched(data, 10 + 8, "I", 1 << 31), 22 + 8, "I", 0)
    assert code_of(sparse) is None


def test_offsets_that_no_file_has() -> None:
    data = make_tiff("<", big=True, strips=1)
    assert code_of(patched(data, 8, "Q", 2**64 - 1)) == "tiff.truncated"
    assert code_of(patched(data, 8, "Q", 2**63)) == "tiff.truncated"
    assert code_of(patched(data, 4, "H", 4)) == "tiff.damaged"


def test_a_long_loop_ends() -> None:
    data = make_tiff("<", big=False, pages=300, strips=1)
    last = data.rindex(b"\0\0\0\0")
    for page in (0, 7, 298):
        target = 8 + 10 + page * (10 + 30)
        fault = look(patched(data, len(data) - 4, "I", target)).fault
        assert last == len(data) - 4
        assert fault is not None
        assert "loop" in fault.message


def test_lists_that_overlap_do_not_keep_us_busy() -> None:
    # 20,000 directories that all name the same long list.
    base, count = 8 + 8 * 100_000, 20_000
    out = bytearray(b"II*\0" + struct.pack("<I", base) + struct.pack("<2I", 8, 0) * 100_000)
    for number in range(count):
        following = base + (number + 1) * 30 if number + 1 < count else 0
        out += struct.pack("<HHHIIHHIII", 2, 273, 4, 100_000, 8, 279, 4, 100_000, 8, following)
    fault = look(bytes(out)).fault
    assert fault is not None
    assert "overlap" in fault.message


def test_a_large_one_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    strips = 200_000
    with path.open("wb") as file:
        file.write(b"II+\0" + struct.pack("<HHQ", 8, 0, 16))
        lists = 16 + 8 + 40 + 8
        data = lists + strips * 16
        file.write(struct.pack("<Q", 2))
        file.write(struct.pack("<HHQQ", 273, 16, strips, lists))
        file.write(struct.pack("<HHQQ", 279, 16, strips, lists + strips * 8))
        file.write(struct.pack("<Q", 0))
        for start in range(0, strips, 50_000):
            file.write(struct.pack("<50000Q", *range(data + start, data + start + 50_000)))
        file.write(struct.pack("<Q", 8 << 30) * strips)
        file.truncate(9 << 30)
    found, peak = peak_of_look(path)
    assert (found.fault, found.pages) == (None, 1)
    assert peak < 4 << 20
    with path.open("r+b") as file:
        file.truncate(8 << 30)
    assert peak_of_look(path)[0].fault is not None
