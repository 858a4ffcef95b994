"""Packages that are whole, and packages that somebody made to do harm."""

from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence

import pytest

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.profiles import TemplatesProfile
from hotfolder.formats.templatepackage import Package, read_member, read_package
from tests.support.templates import FILES, make_package, pack

LIMITS = TemplatesProfile(members=100, unpacked=200, ratio=200, depth=4)


def read(data: bytes, limits: TemplatesProfile = LIMITS) -> Package:
    return read_package(io.BytesIO(data), len(data), limits, "x.zip")


def refused(data: bytes, limits: TemplatesProfile = LIMITS) -> Sequence[Fault]:
    with pytest.raises(InputFault) as caught:
        read(data, limits)
    for fault in caught.value.faults:
        assert fault.code
        assert fault.remedy
        assert fault.file == "x.zip"
    return caught.value.faults


def codes(data: bytes, limits: TemplatesProfile = LIMITS) -> set[str]:
    return {fault.code for fault in refused(data, limits)}


def zipped(*members: tuple[zipfile.ZipInfo | str, bytes], method: int = 8) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as package:
        warnings.simplefilter("ignore", UserWarning)  # of names that come twice
        for name, data in members:
            info = zipfile.ZipInfo(name) if isinstance(name, str) else name
            package.writestr(info, data, method)
    return stream.getvalue()


def mode(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = kind << 16
    return info


def test_members_are_known_by_their_bytes() -> None:
    found = read(make_package())
    assert [item.name for item in found.members] == ["letter.txt", "logo.bin", "manifest.json"]
    for item in found.members[:2]:
        data = FILES[item.name]
        assert (item.size, item.crc32) == (len(data), zlib.crc32(data))
        assert item.sha256 == hashlib.sha256(data).hexdigest()
    assert found.manifest is not None
    assert b'"statement-letter"' in found.manifest
    assert read(pack(FILES)).manifest is None


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_all_ways_of_packing(method: int) -> None:
    found = read(pack(FILES, method=method))
    assert [item.size for item in found.members] == [len(data) for data in FILES.values()]


def test_a_member_is_given_back_up_to_a_limit() -> None:
    data = make_package()
    stream = io.BytesIO(data)
    assert read_member(stream, len(data), "letter.txt", 100) == FILES["letter.txt"]
    assert read_member(stream, len(data), "logo.bin", 7) == FILES["logo.bin"][:7]
    assert read_member(stream, len(data), "nothing", 7) is None


def test_folders_and_names_in_utf8_are_taken() -> None:
    data = zipped(("a/", b""), ("a/größe.txt", b"x"), (mode("b", 0o100644), b"y"))
    assert [item.name for item in read(data).members] == ["a/größe.txt", "b"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zipped(("../x", b"")), "zip.name"),
        (zipped(("a/../../x", b"")), "zip.name"),
        (zipped(("/etc/passwd", b"")), "zip.name"),
        (zipped(("C:x", b"")), "zip.name"),
        (zipped(("a", b"1"), ("a", b"2")), "template.duplicate"),
        (zipped(("a/B.txt", b"1"), ("A/b.TXT", b"2")), "template.duplicate"),
        (zipped(("\u00fc", b"1"), ("u\u0308", b"2")), "template.duplicate"),
        (zipped(("\ufb01", b"1"), ("fi", b"2")), "template.duplicate"),
        (zipped(("a", b"1"), ("a/b", b"2")), "template.duplicate"),
        (zipped(("A/b", b"1"), ("a", b"2")), "template.duplicate"),
        (zipped((mode("a", 0o120777), b"/etc/passwd")), "template.link"),
        (zipped((mode("a", 0o020666), b"")), "template.link"),
        (zipped((mode("a", 0o010666), b"")), "template.link"),
        (zipped((mode("a", 0o040755), b"x")), "template.link"),
        (zipped(("a/b/c/d/e", b"")), "template.depth"),
        (zipped(("a\nb", b"")), "template.name"),
        (zipped(("a\u202eb", b"")), "template.name"),
        (zipped(("a/./b", b"")), "template.name"),
        (zipped(("a//b", b"")), "template.name"),
        (zipped(("a/", b"x")), "template.name"),
        (zipped(), "template.empty"),
        (zipped(("a/", b"")), "template.empty"),
        (zipped(*((f"{number}", b"") for number in range(101))), "template.members"),
        (b"", "zip.truncated"),
        (b"no package at all", "zip.truncated"),
        (make_package()[:-1], "zip.truncated"),
        (make_package()[1:], "zip.damaged"),
    ],
)
def test_what_is_refused(data: bytes, code: str) -> None:
    assert codes(data) == {code}


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    small = TemplatesProfile(unpacked=1)
    assert codes(zipped(("a", bytes(1_000_001))), small) == {"template.size"}
    assert read(zipped(("a", bytes(1_000_000))), small).members[0].size == 1_000_000
    # Damaged besides: which would be found, if a byte had been unpacked.
    data = zipped(("a", bytes(110 << 20)))
    assert codes(changed(data, 100, b"\1\2\3")) == {"template.ratio"}


def test_everything_that_the_directory_tells_is_told_at_once() -> None:
    data = zipped(("a", b""), ("A", b""), (mode("l", 0o120777), b"x"), ("a/b/c/d/e", b""))
    assert codes(data) == {"template.duplicate", "template.link", "template.depth"}
    many = zipped(*((mode(f"{number}", 0o120777), b"") for number in range(100)), ("99", b""))
    assert len(refused(many, TemplatesProfile(members=1000))) == 100


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def test_encrypted_members_are_refused() -> None:
    data = zipped(("a", b"secret"))
    at = data.index(b"PK\1\2") + 8
    assert codes(changed(data, at, b"\1\0")) == {"template.encrypted"}


def test_a_way_of_packing_that_is_not_here_is_refused() -> None:
    data = zipped(("a", b"secret"))
    for at in (8, data.index(b"PK\1\2") + 10):
        data = changed(data, at, struct.pack("<H", 93))
    assert codes(data) == {"template.method"}


@pytest.mark.parametrize("method", [0, 8])
def test_bytes_that_are_not_what_was_packed_are_refused(method: int) -> None:
    whole = zipped(("a", b"some text that is long enough"), method=method)
    assert codes(changed(whole, 40, b"\0\0\0")) == {"zip.damaged"}


def test_a_size_that_lies_unpacks_no_more_than_it_says() -> None:
    data = zipped(("a", bytes(50 << 20)))
    at = data.index(b"PK\1\2") + 24
    data = changed(data, at, struct.pack("<I", 10))
    tracemalloc.start()
    assert codes(data) == {"zip.damaged"}
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_members_that_share_their_bytes_are_refused() -> None:
    """Overlapping members (David Fifield, "A better zip bomb", 2019)."""
    kernel = zipped(("a", b"x" * 1000), method=0)
    start = kernel.index(b"PK\1\2")
    entry, end = kernel[start:-22], kernel[-22:]
    twice = kernel[:start] + entry + entry
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 2, 2, 2 * len(entry), start, 0)
    assert codes(twice + end) == {"zip.damaged"}


def _million(says: int) -> bytes:
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0) + b"a"
    entry = (
        struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
        + b"a"
    )
    directory = entry * 1_000_000
    large = struct.pack(
        "<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, says, says, len(directory), len(local)
    )
    at = len(local) + len(directory)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 65535, 65535, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + directory + large + locator + end


@pytest.mark.parametrize(("says", "code"), [(1_000_000, "template.members"), (3, "zip.damaged")])
def test_a_million_members_cost_nothing(says: int, code: str) -> None:
    data = _million(says)
    stream = _Counting(data)
    tracemalloc.start()
    with pytest.raises(InputFault) as caught:
        read_package(stream, len(data), TemplatesProfile(), "x.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code in {fault.code for fault in caught.value.faults}
    assert peak < 4 << 20
    assert stream.given < 4 << 20  # bytes that were looked at, of 47 million


class _Counting(io.BytesIO):
    given = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.given += len(data)
        return data


@pytest.mark.parametrize("spoil", [lambda data: data[:-30], lambda data: data + b"x"])
def test_an_end_that_is_not_the_end(spoil: Callable[[bytes], bytes]) -> None:
    assert codes(spoil(make_package())) <= {"zip.truncated", "zip.damaged"}
