"""Opening without following, hashing, copying, writing whole or not at all."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.errors import InputFault, OperatorFault
from hotfolder.files.content import (
    hash_file,
    open_regular,
    size_of,
    write_all,
    write_atomically,
    write_new,
)
from hotfolder.files.copying import CHUNK, copy_and_hash, copy_between


def at(path: Path) -> bytes:
    return os.fsencode(path)


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    path = at(tmp_path) + b"/\xff\n-name"
    with open(path, "wb") as stream:
        stream.write(b"bytes")
    with open_regular(path) as stream:
        assert stream.read() == b"bytes"
    assert hash_file(path) == (hashlib.sha256(b"bytes").hexdigest(), 5)
    assert size_of(path) == 5
    assert size_of(at(tmp_path / "gone")) == 0


def test_what_is_no_regular_file_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(tmp_path, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
    for name in ("link", "dangling", "folder", "fifo"):
        with pytest.raises(InputFault) as caught:
            open_regular(at(tmp_path / name))
        assert caught.value.code == "file.not_regular"
        with pytest.raises(InputFault):
            hash_file(at(tmp_path / name))
        with pytest.raises(InputFault):
            copy_and_hash(at(tmp_path / name), at(tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()


def test_a_missing_file_is_the_operators(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault) as caught:
        open_regular(at(tmp_path / "customer-4711.pdf"))
    assert caught.value.code == "file.missing"
    assert "4711" not in str(caught.value)


@settings(max_examples=30)
@given(st.binary(max_size=5000))
def test_a_hash_is_that_of_the_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("hash")
    path = at(folder / "file")
    write_new(path, data)
    expected = (hashlib.sha256(data).hexdigest(), len(data))
    assert hash_file(path) == expected
    assert copy_and_hash(path, at(folder / "copy")) == expected
    assert (folder / "copy").read_bytes() == data


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 12_345])
def test_copies_of_all_sizes_are_equal(tmp_path: Path, size: int) -> None:
    data = os.urandom(997) * (size // 997 + 1)
    data = data[:size]
    (tmp_path / "source").write_bytes(data)
    found = copy_and_hash(at(tmp_path / "source"), at(tmp_path / "copy"), 0o440)
    assert found == (hashlib.sha256(data).hexdigest(), size)
    assert (tmp_path / "copy").read_bytes() == data
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) & 0o222 == 0
    (tmp_path / "second").write_bytes(b"replaced")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert copy_between(folder, b"source", folder, b"second") == size
    finally:
        os.close(folder)
    assert (tmp_path / "second").read_bytes() == data


def test_a_copy_never_replaces(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"new")
    (tmp_path / "there").write_bytes(b"old")
    with pytest.raises(Exception, match="copying a file"):
        copy_and_hash(at(tmp_path / "source"), at(tmp_path / "there"))
    assert (tmp_path / "there").read_bytes() == b"old"


def test_files_are_written_whole_and_replaced(tmp_path: Path) -> None:
    long = b"\xc3\xa4" * 127 + b"x"
    texts = [(at(tmp_path / "a"), b"one"), (os.path.join(at(tmp_path), long), b"two")]
    write_all(texts)
    write_all(texts)
    write_atomically(at(tmp_path / "a"), b"three", 0o600)
    assert (tmp_path / "a").read_bytes() == b"three"
    assert sorted(os.listdir(at(tmp_path))) == [b"a", long]
    write_all([])


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / "name").symlink_to("victim")
    write_atomically(at(tmp_path / "name"), b"new")
    assert (tmp_path / "victim").read_bytes() == b"keep"
    assert (tmp_path / "name").read_bytes() == b"new"
    assert not (tmp_path / "name").is_symlink()


def test_a_folder_in_the_way_is_an_error_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()
    with pytest.raises(Exception, match="writing a file"):
        write_atomically(at(tmp_path / "name"), b"new")
    assert os.listdir(tmp_path) == ["name"]
