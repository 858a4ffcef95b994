"""Encrypted spools: read as if they were not, and destroyed document by document."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.canonical import document_line
from hotfolder.core.documenttree import root_of, root_of_leaves
from hotfolder.core.errors import Corrupt
from hotfolder.core.ports import Store
from hotfolder.store.copies import CopiesStore
from hotfolder.store.keyring import Keyring
from hotfolder.store.ocfl import OcflStore
from tests.conformance.store_suite import Connect, StoreSuite, check_there
from tests.support.drops import spool_id
from tests.support.encrypted import (
    KEYRING,
    Encrypting,
    make_many,
)
from tests.support.spools import FixedClock

ROOTS = ("first", "second")


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
