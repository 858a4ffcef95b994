"""A ZIP that follows from its files, and that other programs read."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core import zipping
from hotfolder.core.errors import Corrupt
from hotfolder.core.zipping import Entry, zip_pieces
from tests.support.bags import load_verifier

VERIFIER = load_verifier()
_NAMES = st.from_regex(r"b/[a-z0-9]{1,12}", fullmatch=True)


def entry(name: str, data: bytes) -> Entry:
    return Entry(name=name, size=len(data), crc32=zlib.crc32(data), read=lambda: iter((data,)))


@settings(max_examples=40)
@given(st.dictionaries(_NAMES, st.binary(max_size=300), max_size=8))
def test_others_read_what_was_put_in(files: dict[str, bytes]) -> None:
    entries = [entry(name, data) for name, data in files.items()]
    whole = b"".join(zip_pieces(entries))
    assert whole == b"".join(zip_pieces(entries))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
        assert {item.date_time for item in archive.infolist()} <= {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.skipif(shutil.which("unzip") is None, reason="there is no unzip here")
def test_unzip_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"".join(zip_pieces([entry("b/x.txt", b"x" * 1000), entry("b/y", b"")])))
    done = subprocess.run(["unzip", "-t", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("size", "crc32"), [(4, zlib.crc32(b"abc")), (2, zlib.crc32(b"abc")), (3, 0)]
)
def test_a_file_that_changes_meanwhile_is_found(size: int, crc32: int) -> None:
    changed = Entry(name="b/x", size=size, crc32=crc32, read=lambda: iter((b"abc",)))
    with pytest.raises(Corrupt, match="changed between"):
        list(zip_pieces([changed]))


def test_a_name_that_is_not_ascii_says_that_it_is_utf8() -> None:
    data = b"".join(zip_pieces([entry("b/ü", b"x"), entry("b/u", b"y")]))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.namelist() == ["b/ü", "b/u"]
        assert [item.flag_bits for item in package.infolist()] == [0x800, 0]


@given(st.integers(0, 1 << 34), st.integers(0, 1 << 36), st.integers(0, (1 << 32) - 1))
def test_the_verifier_knows_every_header(size: int, place: int, crc32: int) -> None:
    found = Entry(name="b/x", size=size, crc32=crc32, read=lambda: ())
    headers = zipping._local_header(found), zipping._directory_entry(found, place)
    assert VERIFIER.headers(b"b/x", size, crc32, place) == headers


@given(st.integers(0, 1 << 20), st.integers(0, 1 << 34), st.integers(0, 1 << 36))
def test_and_every_end(count: int, size: int, place: int) -> None:
    assert VERIFIER.ending(count, size, place) == zipping._end(count, size, place)


def test_more_than_four_gigabytes_and_what_lies_behind(tmp_path: Path) -> None:
    # A hole in the place of the bytes; `python -m tests.sweeps.evidence_bytes` has them.
    large = Entry(name="b/large", size=(1 << 32) + 5, crc32=0, read=lambda: ())
    small = entry("b/small", b"behind")
    path = tmp_path / "large.zip"
    with path.open("wb") as stream:
        stream.write(zipping._local_header(large))
        place = stream.seek(large.size, os.SEEK_CUR)
        stream.write(zipping._local_header(small) + b"behind")
        end = stream.tell()
        directory = zipping._directory_entry(large, 0) + zipping._directory_entry(small, place)
        stream.write(directory + zipping._end(2, len(directory), end))
    with zipfile.ZipFile(path) as archive:
        first, second = archive.infolist()
        assert (first.file_size, second.header_offset) == (large.size, place)
        assert archive.read(second) == b"behind"
