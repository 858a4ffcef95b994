"""Encrypted spools: read as if they were not, and destroyed document by document."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.canonical import document_line, read_document_line
from hotfolder.core.documenttree import root_of, root_of_leaves
from hotfolder.core.errors import Corrupt, Destroyed, HotfolderError, OperatorFault
from hotfolder.core.ports import Store
from hotfolder.core.records import Document, Encryption, StoreRequest
from hotfolder.store.copies import CopiesStore
from hotfolder.store.keyring import Keyring
from hotfolder.store.ocfl import OcflStore
from tests.conformance.store_suite import Connect, StoreSuite, check_there
from tests.support.drops import spool_id
from tests.support.encrypted import (
    KEYRING,
    MASTER,
    NEWER,
    Encrypting,
    body,
    make_many,
    search,
    secret,
)
from tests.support.ocfl_judge import check_valid
from tests.support.spools import FixedClock, make_request

ROOTS = ("first", "second")
WHOLE = os.environ.get("HYPOTHESIS_PROFILE") == "whole"  # more, and larger


def open_root(place: Path, keyring: Keyring | None = KEYRING) -> OcflStore:
    store = OcflStore(os.fsencode(place), clock=FixedClock(), keyring=keyring)
    store.initialise()
    return store


def open_store(
    folder: Path, *names: str, keyring: Keyring | None = KEYRING, adding: bool = False
) -> CopiesStore:
    roots = [
        OcflStore(os.fsencode(folder / name), clock=FixedClock(), keyring=keyring)
        for name in names or ROOTS
    ]
    store = CopiesStore(roots, emit=lambda _event, /, **_fields: None)
    store.initialise(adding=adding)
    return store


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    crashpoints.arm(None)


class EncryptedSuite(StoreSuite):
    """What every store does, and here with everything encrypted."""

    def test_many_documents_are_lines_beside_the_content(
        self, connect: Connect, tmp_path: Path
    ) -> None:
        request, documents, data = make_many(tmp_path, count=300, size=100)
        store = connect()
        stored = store.write_spools([request])
        assert store.write_spools([request]) == stored
        check_there(connect(), request, stored[0])
        lines = [document_line(item) for item in documents]
        assert list(store.read_documents(request.spool_id)) == lines
        assert root_of(lines) == root_of_leaves(store.read_leaves(request.spool_id))
        with store.open_part(request.spool_id, "documents.jsonl") as stream:
            assert stream.read() == b"".join(lines)
        with store.open_content(request.spool_id) as stream:
            assert stream.read() == data
        for others in (None, lambda: iter(lines[1:])):
            with pytest.raises(Corrupt):
                store.write_spools([replace(request, documents=others)])

    def test_changed_documents_are_not_given_out(self, connect: Connect, tmp_path: Path) -> None:
        request, _, _ = make_many(tmp_path)
        store = connect()
        store.write_spools([request])
        for path in tmp_path.rglob("sealed/documents"):
            path.chmod(0o600)
            path.write_bytes(bytes(path.stat().st_size))
        with pytest.raises(Corrupt):
            next(iter(store.read_documents(request.spool_id)))
        with pytest.raises(KeyError):
            next(iter(store.read_documents(spool_id(7))))


class TestOneRoot(EncryptedSuite):
    @pytest.fixture
    def connect(self, tmp_path: Path) -> Connect:
        return lambda: cast("Store", Encrypting(open_root(tmp_path / "store")))


class TestTwoRoots(EncryptedSuite):
    @pytest.fixture
    def connect(self, tmp_path: Path) -> Connect:
        return lambda: cast("Store", Encrypting(open_store(tmp_path)))


# -- what lies on the disk ----------------------------------------------------------------
def test_an_encrypted_object_is_valid_and_tells_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    request, documents, data = make_many(tmp_path / "working", carrier=True)
    (stored,) = store.write_spools([request])
    shutil.rmtree(tmp_path / "working")
    assert stored.encryption is Encryption.DOCUMENTS
    for name in ROOTS:
        check_valid(tmp_path / name, 1)
    roots = [tmp_path]
    for needle in (b"customer-", b"run.afp", b"run.ind", b"resources", b"statement"):
        assert search(roots, needle) == []
    assert search(roots, stored.content_sha256.encode()) == []
    assert search(roots, stored.inventory_sha256.encode()) == []
    with store.open_content(request.spool_id) as stream:
        for document in documents:
            stream.seek(document.range.offset)
            found = stream.read(document.range.length)
            assert hashlib.sha256(found).hexdigest() == document.range.sha256
        assert stream.seek(0, os.SEEK_END) == len(data)


def test_a_copy_has_the_same_bytes_and_other_spools_have_other_keys(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    requests = [make_many(tmp_path / "working", number)[0] for number in (1, 2)]
    store.write_spools(requests)
    contents = [
        [path.read_bytes() for path in sorted((tmp_path / name).rglob("sealed/content"))]
        for name in ROOTS
    ]
    assert contents[0] == contents[1]
    assert contents[0][0] != contents[0][1]
    assert [path.stat().st_mode & 0o777 for path in key_files(tmp_path)] == [0o600] * 4


def key_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/extensions/hotfolder-keys/???/*"))


@pytest.mark.parametrize("size", [1, 15, 16, 17, 4096, (1 << 20) + 3])
def test_any_range_can_be_read(tmp_path: Path, size: int) -> None:
    """Also of spools that are too large to be read from memory."""
    store = open_root(tmp_path / "store")
    count = 3 if size < 1 << 20 else 9
    request, _, data = make_many(tmp_path / "working", size=size, gap=b"g" * 7, count=count)
    store.write_spools([request])
    chance = random.Random(size)
    with store.open_content(request.spool_id, sha256=request.sha256) as stream:
        for _ in range(200):
            place, length = chance.randrange(len(data) + 3), chance.randrange(3 * size + 9)
            stream.seek(place)
            assert stream.read(length) == data[place : place + length]


def test_documents_that_share_bytes_have_one_key(tmp_path: Path) -> None:
    store = open_root(tmp_path / "store")
    request, documents, data = make_many(tmp_path / "working", count=3)
    second = replace(
        documents[1].range,
        offset=documents[0].range.offset,
        sha256=documents[0].range.sha256,
    )
    lines = [
        document_line(item)
        for item in (documents[0], replace(documents[1], range=second), documents[2])
    ]
    request = replace(request, documents=lambda: iter(lines))
    (stored,) = store.write_spools([request])
    assert stored.encryption is Encryption.SPOOL
    assert not store.can_destroy_parts(request.spool_id)
    with pytest.raises(ValueError, match="no keys of their own"):
        store.destroy_parts(request.spool_id, [1])
    with store.open_content(request.spool_id) as stream:
        assert stream.read() == data
    assert list(store.read_documents(request.spool_id)) == lines


def test_a_spool_of_one_document_goes_with_its_keys(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    request = replace(make_request(tmp_path / "working", 1), encrypted=True)
    (stored,) = store.write_spools([request])
    assert stored.encryption is Encryption.SPOOL
    assert not store.can_destroy_parts(request.spool_id)
    assert store.remove_keys(request.spool_id)
    assert not store.remove_keys(request.spool_id)
    assert key_files(tmp_path) == []
    with pytest.raises(Corrupt) as caught:
        store.open_content(request.spool_id)
    assert caught.value.code == "keys.damaged"


def test_a_spool_that_is_withdrawn_takes_its_keys_along(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    request, _, data = make_many(tmp_path / "working")
    store.write_spools([request])
    assert store.withdraw(request.spool_id, "rejected")
    assert key_files(tmp_path) == []
    store.write_spools([request])
    with store.open_content(request.spool_id) as stream:
        assert stream.read() == data


# -- what is changed on the disk -----------------------------------------------------------
@pytest.mark.parametrize(
    "part", ["content", "map", "lines", "documents", "bare", "metadata", "inventory", "header"]
)
def test_a_flipped_bit_is_noticed_with_keys_and_without(tmp_path: Path, part: str) -> None:
    store = open_root(tmp_path / "store")
    request, _, _ = make_many(tmp_path / "working")
    store.write_spools([request])
    (path,) = (tmp_path / "store").rglob(f"sealed/{part}")
    flip(path, path.stat().st_size // 2)
    for keyring in (KEYRING, None):
        with pytest.raises(Corrupt):
            open_root(tmp_path / "store", keyring).verify(request.spool_id)


def flip(path: Path, place: int) -> None:
    path.chmod(0o600)
    with path.open("r+b") as stream:
        stream.seek(place)
        (byte,) = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte ^ 1]))


def reseal(store: OcflStore, request: StoreRequest, change: Path) -> None:
    """Make the OCFL inventory agree with a file that was changed, as one who has no key can."""
    place = Path(os.fsdecode(store.place_of(request.spool_id)))
    inventory = (place / "inventory.json").read_text()
    path = f"v1/content/sealed/{change.name}"
    manifest = json.loads(inventory)["manifest"]
    old = next(digest for digest, paths in manifest.items() if path in paths)
    inventory = inventory.replace(old, hashlib.sha256(change.read_bytes()).hexdigest())
    side = f"{hashlib.sha256(inventory.encode()).hexdigest()} inventory.json\n"
    for folder in (place, place / "v1"):
        for name, text in (("inventory.json", inventory), ("inventory.json.sha256", side)):
            (folder / name).chmod(0o600)
            (folder / name).write_text(text)


@pytest.mark.parametrize(
    "part", ["content", "map", "lines", "documents", "bare", "metadata", "inventory", "header"]
)
def test_what_was_changed_on_purpose_is_noticed_with_the_keys(tmp_path: Path, part: str) -> None:
    """A stream cipher keeps a flipped bit a flipped bit: what it holds is compared too."""
    store = open_root(tmp_path / "store")
    request, _, _ = make_many(tmp_path / "working")
    store.write_spools([request])
    if part == "bare":
        store.destroy_parts(request.spool_id, [1, 2, 3, 4, 5])
    (path,) = (tmp_path / "store").rglob(f"sealed/{part}")
    flip(path, path.stat().st_size // 2)
    reseal(store, request, path)
    assert open_root(tmp_path / "store", None).verify(request.spool_id)  # nobody could tell
    with pytest.raises(Corrupt):
        store.verify(request.spool_id)


def test_keys_that_are_damaged_or_gone_are_mended_from_another_root(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    request, _, data = make_many(tmp_path / "working")
    store.write_spools([request])
    first, second = store.roots
    (path,) = (tmp_path / "first").glob("extensions/hotfolder-keys/???/*")
    whole = path.read_bytes()
    for damage in (whole[:-1], whole[:130] + bytes(70) + whole[200:], b"", None):
        path.write_bytes(damage) if damage is not None else path.unlink()
        with pytest.raises(Corrupt):
            first.verify(request.spool_id)
        with store.open_content(request.spool_id) as stream:
            assert stream.read() == data  # from the other
        first.take_over(request.spool_id, second.place_of(request.spool_id), replacing=True)
        assert path.read_bytes() == whole
        first.verify(request.spool_id)


def test_keys_of_another_spool_open_nothing(tmp_path: Path) -> None:
    store = open_root(tmp_path / "store")
    requests = [make_many(tmp_path / "working", number)[0] for number in (1, 2)]
    store.write_spools(requests)
    one, two = (Path(os.fsdecode(store.keys.path(item.spool_id))) for item in requests)
    theirs = two.read_bytes()
    one.write_bytes(theirs)
    with pytest.raises(Corrupt):
        store.open_content(requests[0].spool_id)
    # Also when the name in it is made to fit: the wrapping tells.
    one.write_bytes(theirs.replace(requests[1].spool_id.encode(), requests[0].spool_id.encode()))
    with pytest.raises(Corrupt):
        store.open_content(requests[0].spool_id)


# -- the master key ------------------------------------------------------------------------
def test_without_a_master_key_nothing_is_written_or_read_but_fixity_is_looked_at(
    tmp_path: Path,
) -> None:
    request, _, _ = make_many(tmp_path / "working")
    with pytest.raises(OperatorFault) as caught:
        open_root(tmp_path / "store", None).write_spools([request])
    assert caught.value.code == "keys.none"
    open_root(tmp_path / "store").write_spools([request])
    keyless = open_root(tmp_path / "store", None)
    found = keyless.verify(request.spool_id)
    assert (found.content_sha256, found.inventory_sha256) == ("", "")
    assert found.encryption is Encryption.DOCUMENTS
    assert [item.content_sha256 for item in keyless.iterate()] == [""]
    for read in (keyless.open_content, keyless.read_metadata, keyless.read_inventory):
        with pytest.raises(OperatorFault) as caught:
            read(request.spool_id)
        assert caught.value.code == "keys.none"


def test_another_master_key_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    request, _, _ = make_many(tmp_path / "working")
    open_root(tmp_path / "store").write_spools([request])
    with pytest.raises(OperatorFault) as caught:
        open_root(tmp_path / "store", Keyring(NEWER))
    assert caught.value.code == "keys.master_other"
    open_root(tmp_path / "store", Keyring(NEWER, [MASTER]))


def rotate(store: OcflStore) -> int:
    store.keys.introduce()
    return sum(store.keys.rewrap(spool_id) for spool_id in list(store.keys.spools()))


def test_rotation_leaves_nothing_that_the_old_key_opens(tmp_path: Path) -> None:
    store = open_root(tmp_path / "store")
    requests = [make_many(tmp_path / "working", number) for number in (1, 2, 3)]
    store.write_spools([request for request, _, _ in requests])
    store.destroy_parts(requests[0][0].spool_id, [2])
    old = [path.read_bytes() for path in key_files(tmp_path)]
    both = open_root(tmp_path / "store", Keyring(NEWER, [MASTER]))
    assert rotate(both) == 3
    assert rotate(both) == 0
    both.keys.forget_others()
    assert both.keys.masters() == [NEWER.id.hex()]
    assert both.keys.count() == {NEWER.id.hex(): 3}
    for path, before in zip(key_files(tmp_path), old, strict=True):
        now = path.read_bytes()
        assert len(now) == len(before)
        slots = [range(at, at + 64) for at in range(128, len(now), 64)]
        for slot in slots:  # a wrapped key is another, a destroyed slot stays as it is
            same = now[slot.start : slot.stop] == before[slot.start : slot.stop]
            assert same == (now[slot.start : slot.start + 1] == b"D")
    new = open_root(tmp_path / "store", Keyring(NEWER))
    for request, _, data in requests[1:]:
        with new.open_content(request.spool_id) as stream:
            assert stream.read() == data
    assert new.destroyed_parts(requests[0][0].spool_id) == {2}
    for request, _, _ in requests:
        new.verify(request.spool_id)
    # An old copy of the keys, and the key that replaced the old one: nothing.
    for path, before in zip(key_files(tmp_path), old, strict=True):
        path.write_bytes(before)
    with pytest.raises(OperatorFault) as caught:
        new.open_content(requests[0][0].spool_id)
    assert caught.value.code == "keys.master_unknown"
    with pytest.raises(OperatorFault):
        open_root(tmp_path / "store", Keyring(MASTER))


# -- destroying ----------------------------------------------------------------------------
def check_destroyed(
    folder: Path, store: Store, request: StoreRequest, documents: list[Document], gone: set[int]
) -> None:
    """What is destroyed is nowhere and cannot be read; all else is as it was."""
    for name in ROOTS:
        check_valid(folder / name, 1)
    assert store.destroyed_parts(request.spool_id) == gone
    store.verify(request.spool_id)
    own = [item for item in documents if item.range.length < request.size]
    with store.open_content(request.spool_id, sha256=request.sha256) as stream:
        for document in own:
            place = document.range
            stream.seek(place.offset)
            if place.ordinal in gone:
                with pytest.raises(Destroyed) as caught:
                    stream.read(place.length)
                assert caught.value.code == "document.destroyed"
            else:
                found = stream.read(place.length)
                assert found == body(place.ordinal, place.length)
    lines = list(store.read_documents(request.spool_id))
    assert len(lines) == len(documents)
    for line, document in zip(lines, documents, strict=True):
        found_ = read_document_line(line)
        assert (found_.identity, found_.range, found_.cycle) == (
            document.identity,
            document.range,
            document.cycle,
        )
        if document.range.ordinal in gone:
            assert b"customer" not in line
            assert found_.metadata.retention_class == "STATEMENT-10Y"
        else:
            assert line == document_line(document)
    whole = [document_line(item) for item in documents]
    assert root_of_leaves(store.read_leaves(request.spool_id)) == root_of(whole)
    for path in ("documents.jsonl", "sidecars/run.ind"):
        with pytest.raises(Destroyed):
            store.open_part(request.spool_id, path)


@pytest.mark.parametrize("carrier", [False, True])
def test_a_destroyed_document_is_gone_and_the_others_are_not(tmp_path: Path, carrier: bool) -> None:
    store = open_store(tmp_path)
    request, documents, _ = make_many(tmp_path / "working", carrier=carrier)
    store.write_spools([request])
    shutil.rmtree(tmp_path / "working")
    assert store.can_destroy_parts(request.spool_id)
    # Nobody needs the master key to destroy.
    keyless = open_store(tmp_path, keyring=None)
    before = {path: path.read_bytes() for path in key_files(tmp_path)}
    assert keyless.destroy_parts(request.spool_id, [2]) == 1
    assert keyless.destroy_parts(request.spool_id, [2]) == 0
    check_destroyed(tmp_path, open_store(tmp_path), request, documents, {2})
    assert search([tmp_path], secret(2)) == []
    # What wrapped its key is in no file any more.
    for path, data in before.items():
        wrapped = data[128 + 64 * 3 + 16 : 128 + 64 * 4]  # slots: spool, index, 1, 2
        assert len(set(wrapped)) > 8
        assert search([tmp_path], wrapped) == [], path
    assert keyless.destroy_parts(request.spool_id, [2, 5, 4]) == 2
    check_destroyed(tmp_path, open_store(tmp_path), request, documents, {2, 4, 5})
    for wrong in ([99], [0], [6]):
        with pytest.raises(ValueError, match="has no documents"):
            keyless.destroy_parts(request.spool_id, wrong)
    with pytest.raises(KeyError):
        keyless.destroy_parts(spool_id(9), [1])


def test_a_stream_that_is_open_gives_no_more_of_it(tmp_path: Path) -> None:
    store = open_root(tmp_path / "store")
    size = 2 << 20
    request, documents, _ = make_many(tmp_path / "working", size=size)
    store.write_spools([request])
    with store.open_content(request.spool_id) as stream:
        stream.read(10)
        store.destroy_parts(request.spool_id, [3])
        stream.seek(documents[2].range.offset)
        with pytest.raises(Destroyed):
            stream.read(1)
        stream.seek(documents[3].range.offset)
        assert stream.read(20) == body(4)[:20]


def test_a_destroyed_key_comes_back_from_no_other_root(tmp_path: Path) -> None:
    """One root was away while a document was destroyed, or its keys came from a backup."""
    store = open_store(tmp_path)
    request, documents, _ = make_many(tmp_path / "working")
    store.write_spools([request])
    first, second = store.roots
    first.destroy_parts(request.spool_id, [2])  # the other still has it
    with pytest.raises(Destroyed):
        open_store(tmp_path).open_part(request.spool_id, "documents.jsonl")
    for number in (1, 2):  # either way
        ours, theirs = (first, second) if number == 1 else (second, first)
        ours.take_over(request.spool_id, theirs.place_of(request.spool_id), replacing=True)
        assert first.destroyed_parts(request.spool_id) == {2}
    assert second.destroyed_parts(request.spool_id) == {2}
    check_destroyed(tmp_path, open_store(tmp_path), request, documents, {2})


def test_a_new_root_gets_no_destroyed_key(tmp_path: Path) -> None:
    store = open_store(tmp_path, "first")
    request, documents, _ = make_many(tmp_path / "working")
    store.write_spools([request])
    store.destroy_parts(request.spool_id, [1, 3])
    both = open_store(tmp_path, adding=True)
    assert both.fill(lambda _spool: request.sha256).copied == 1
    check_destroyed(tmp_path, both, request, documents, {1, 3})


def test_nothing_is_destroyed_while_a_root_is_away(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    request, _, _ = make_many(tmp_path / "working")
    store.write_spools([request])
    (tmp_path / "second").rename(tmp_path / "away")
    with pytest.raises(OperatorFault) as caught:
        store.destroy_parts(request.spool_id, [1])
    assert caught.value.code == "store.copy_missing"
    (tmp_path / "away").rename(tmp_path / "second")
    assert store.destroyed_parts(request.spool_id) == frozenset()


def test_a_root_that_says_destroyed_is_believed(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    request, documents, _ = make_many(tmp_path / "working")
    store.write_spools([request])
    store.roots[1].destroy_parts(request.spool_id, [1])
    assert store.destroyed_parts(request.spool_id) == {1}
    assert store.destroy_parts(request.spool_id, [1]) == 1
    check_destroyed(tmp_path, store, request, documents, {1})


def test_errors_of_the_store_are_told_apart(tmp_path: Path) -> None:
    assert Destroyed("x").exit_code == 69
    assert issubclass(Destroyed, HotfolderError)
    assert not issubclass(Destroyed, Corrupt)


@pytest.mark.timeout(3600 if WHOLE else 120)
def test_memory_does_not_grow_with_the_spool(tmp_path: Path) -> None:
    """A sparse file, of 10 GB under ``HYPOTHESIS_PROFILE=whole``."""
    store = open_root(tmp_path / "store")
    request, documents, _ = make_many(tmp_path / "working", count=3, gap=b"")
    length = (10 << 30 if WHOLE else 96 << 20) // 3
    os.truncate(request.content_path, 0)
    os.truncate(request.content_path, 3 * length)
    piece, whole = hashlib.sha256(), hashlib.sha256()
    for left in range(length, 0, -(1 << 20)):
        piece.update(bytes(min(left, 1 << 20)))
    for left in range(3 * length, 0, -(1 << 20)):
        whole.update(bytes(min(left, 1 << 20)))
    lines = [
        document_line(
            replace(
                item,
                range=replace(
                    item.range,
                    offset=number * length,
                    length=length,
                    sha256=piece.hexdigest(),
                ),
            )
        )
        for number, item in enumerate(documents)
    ]
    request = replace(
        request, sha256=whole.hexdigest(), size=3 * length, documents=lambda: iter(lines)
    )

    def act() -> None:
        store.write_spools([request])
        store.destroy_parts(request.spool_id, [2])
        with store.open_content(request.spool_id) as stream:
            stream.seek(2 * length)
            left = length
            while data := stream.read(1 << 20):
                assert not any(data)
                left -= len(data)
            assert left == 0
        store.verify(request.spool_id)

    tracemalloc.start()
    try:
        act()
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()
