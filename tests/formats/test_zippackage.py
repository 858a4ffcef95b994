"""ZIP: its directory, and every member of it."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from hotfolder.formats import zippackage
from tests.support.formatsamples import TEXT, make_package, widen_package
from tests.support.looking import code_of, cut, look, peak_of_look, quick

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [0, 1, 4000, 1 << 20])
def test_all_ways_of_packing(method: int, size: int) -> None:
    choose = random.Random(size)
    members = [
        ("dir/", b""),
        ("dir/text.xml", (TEXT * 1000)[:size]),
        ("noise.bin", choose.randbytes(size)),
        ("zeros", bytes(size)),
    ]
    data = make_package(members, method)
    found = look(data)
    assert (found.format_name, found.media_type) == ("zip", "application/zip")
    assert (found.fault, found.pages, found.has_trailer) == (None, None, True)
    assert quick(data).fault is None


def test_written_as_a_stream_and_with_zip64() -> None:
    class Pipe(io.RawIOBase):
        """What cannot seek: lengths then stand behind the data."""

        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("large", "w", force_zip64=True) as member:
            member.write(TEXT)
        archive.writestr("small", TEXT)
    data = bytes(pipe.data)
    assert look(data).fault is None
    assert look(b"PK\x05\x06" + bytes(18)).fault is None  # empty


def test_zip64_records() -> None:
    data = widen_package(make_package([("a", TEXT), ("b", b"x")]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
    assert look(data).fault is None
    harmed = bytearray(data)
    harmed[harmed.index(TEXT[:1] if TEXT[:1] in harmed[:60] else b"PK") + 60] ^= 1
    assert code_of(bytes(harmed)) == "zip.damaged"
    assert cut(data, "zip").whole == (len(data),)
    lost = data.replace(b"PK\x06\x06", b"PK\x06\x05")
    assert code_of(lost) == "zip.damaged"


def test_cut_anywhere_it_is_not_whole() -> None:
    inner = make_package([("inner.txt", b"x" * 50)])
    data = make_package([("a.zip", inner), ("b.txt", TEXT), ("c.zip", inner)], zipfile.ZIP_STORED)
    cuts = cut(data, "zip")
    assert cuts.whole == cuts.quick == cuts.sure == (len(data),)
    commented = make_package([("a", TEXT)], comment=b"a comment " + b"PK\x05\x06" * 3)
    assert cut(commented, "zip").whole == (len(commented),)


def test_every_byte_of_a_member_counts() -> None:
    for method in METHODS:
        data = make_package([("one.txt", TEXT), ("two.txt", b"the second")], method)
        directory = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02"))
        missed = 0
        for at in range(directory):
            harmed = bytearray(data)
            harmed[at] ^= 0x55
            fault = look(bytes(harmed)).fault
            missed += fault is None
            if fault is not None:
                assert fault.code in ("zip.damaged", "zip.truncated"), at
                assert "txt" not in fault.message
        # Version, flags, time, CRC and lengths of each local header are not looked at: the
        # directory has them too. In LZMA, neither are the version and unused properties.
        assert missed <= 2 * (4 + 18 + 8) + 8


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "..",
        "a/..",
        "C:/x",
        "c:x",
        "a\\b",
        "\\\\host\\x",
        "a\0b",
    ],
)
def test_names_that_lead_elsewhere(name: str) -> None:
    data = make_package([("good", b"x"), (name, b"y")])
    if "\0" in name:
        data = make_package([("good", b"x"), ("a_b", b"y")]).replace(b"a_b", b"a\0b")
    fault = look(data).fault
    assert fault is not None
    assert fault.code == "zip.name"
    assert "member 2" in fault.message
    assert "passwd" not in str(fault)


@pytest.mark.parametrize("name", ["a..b", "...", "a/b/c.txt", "ü", "-", " "])
def test_names_that_are_fine(name: str) -> None:
    assert look(make_package([(name, b"x")])).fault is None


def flagged(data: bytes, flags: int, method: int | None = None) -> bytes:
    """With the flags of all members set, here and in the directory."""
    out = bytearray(data)
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := data.find(sign, place + 1)) >= 0:
            out[place + at : place + at + 2] = struct.pack("<H", flags)
            if method is not None:
                out[place + at + 2 : place + at + 4] = struct.pack("<H", method)
    return bytes(out)


def test_what_cannot_be_unpacked_is_no_fault() -> None:
    data = make_package([("a", TEXT)])
    spoilt = bytearray(data)
    spoilt[60] ^= 0xFF
    assert code_of(bytes(spoilt)) == "zip.damaged"
    encrypted = look(flagged(bytes(spoilt), 1))
    assert encrypted.fault is None
    assert encrypted.remark is not None
    assert encrypted.remark.code == "zip.unchecked"
    assert look(flagged(bytes(spoilt), 0, method=9)).fault is None  # Deflate64
    assert code_of(flagged(bytes(spoilt), 1)[:-1]) == "zip.truncated"


def test_members_that_overlap() -> None:
    data = make_package([("a", TEXT), ("b", TEXT)], zipfile.ZIP_STORED)
    # Each of the two has the bytes of both.
    directory = data.index(b"PK\x01\x02")
    one = data[directory : directory + 47]
    many = data[:directory] + one * 5
    many += struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 5, 5, len(one) * 5, directory, 0)
    fault = look(many).fault
    assert fault is not None
    assert "overlap" in fault.message


def test_expansion_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = make_package([("a", bytes(3 << 20))], zipfile.ZIP_BZIP2)
    assert code_of(zeros) == "zip.ratio"
    # What lies behind the cap is not unpacked: its damage is not seen.
    members = [("a", TEXT), ("b", TEXT)]
    data = bytearray(make_package(members, zipfile.ZIP_STORED))
    data[data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02")) - 5] ^= 1
    assert code_of(bytes(data)) == "zip.damaged"
    monkeypatch.setattr(zippackage, "MOST_UNPACKED", len(TEXT))
    assert code_of(bytes(data)) is None


def test_lengths_that_lie() -> None:
    data = make_package([("a", TEXT)])
    directory = data.index(b"PK\x01\x02")
    for at, value in ((20, 10), (20, 10**6), (24, 10), (24, 5000), (42, 7), (42, 2**31), (16, 5)):
        harmed = bytearray(data)
        struct.pack_into("<I", harmed, directory + at, value)
        assert code_of(bytes(harmed)) == "zip.damaged", (at, value)
    end = data.rindex(b"PK\x05\x06")
    for at, value in ((8, 2), (10, 2), (8, 0)):
        harmed = bytearray(data)
        struct.pack_into("<H", harmed, end + at, value)
        assert code_of(bytes(harmed)) == "zip.split"
    both = bytearray(data)
    struct.pack_into("<HH", both, end + 8, 2, 2)
    assert code_of(bytes(both)) == "zip.damaged"
    split = bytearray(data)
    struct.pack_into("<H", split, end + 4, 3)
    assert code_of(bytes(split)) == "zip.split"


def single(raw: bytes, method: int) -> bytes:
    """A package of one member that says to be ``TEXT``, with these bytes as its packed ones."""
    head = struct.pack("<5H3I2H", 20, 0, method, 0, 33, zlib.crc32(TEXT), len(raw), len(TEXT), 1, 0)
    body = b"PK\x03\x04" + head + b"a" + raw
    directory = b"PK\x01\x02\x14\0" + head + bytes(14) + b"a"
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(body), 0)
    return body + directory + end


def test_packed_bytes_end_where_they_should() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    unfinished = packer.compress(TEXT) + packer.flush(zlib.Z_SYNC_FLUSH)
    finished = unfinished + packer.flush()
    assert code_of(single(finished, 8)) is None
    assert code_of(single(unfinished, 8)) == "zip.damaged"
    assert code_of(single(finished + b"x", 8)) == "zip.damaged"
    assert code_of(single(finished + b"x" * (1 << 20), 8)) == "zip.damaged"
    assert code_of(single(TEXT, 0)) is None
    assert code_of(single(TEXT + b"x", 0)) == "zip.damaged"
    for head in (b"", b"\x09\x04\x05\x00\xff", b"\x09\x04\x04\x00" + bytes(20)):
        assert code_of(single(head, 14)) == "zip.damaged"
    # A dictionary of 4 GB is not made for 4 kB.
    assert code_of(single(b"\x09\x04\x05\x00\x5d\xff\xff\xff\xff" + bytes(20), 14)) == "zip.damaged"


def test_trailing_zeros_are_passed_over() -> None:
    data = make_package([("a", TEXT)])
    assert look(data + bytes(400)).fault is None
    assert code_of(data + b"x") == "zip.truncated"
    assert code_of(data[:200] + bytes(100_000)) == "zip.truncated"


def test_many_members_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    count = 12_000
    body = io.BytesIO()
    directory = io.BytesIO()
    crc = zlib.crc32(b"x")
    for number in range(count):
        name = b"%08d" % number
        head = struct.pack("<5H3I2H", 20, 0, 0, 0, 33, crc, 1, 1, 8, 0)
        directory.write(
            struct.pack("<4sH", b"PK\x01\x02", 20)
            + head
            + struct.pack("<3H2I", 0, 0, 0, 0, body.tell())
        )
        directory.write(name)
        body.write(b"PK\x03\x04" + head + name + b"x")
    end = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, directory.tell(), body.tell(), 0
    )
    path.write_bytes(body.getvalue() + directory.getvalue() + end)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == count
    found, peak = peak_of_look(path)
    assert found.fault is None
    assert peak < 4 << 20


def test_a_large_member_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    for method in METHODS:
        with (
            zipfile.ZipFile(path, "w", method, compresslevel=1) as archive,
            archive.open("large", "w", force_zip64=True) as member,
        ):
            for number in range(4):
                member.write(random.Random(number).randbytes(1 << 12) * 256)
        found, peak = peak_of_look(path)
        assert found.fault is None
        # LZMA keeps as much as it was packed with.
        assert peak < (32 << 20 if method == zipfile.ZIP_LZMA else 6 << 20)
