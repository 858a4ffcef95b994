"""Spools that are stored encrypted: keys that are alike in every run, and made documents."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hotfolder.core.canonical import document_line
from hotfolder.core.ports import Store
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Role,
    StoredObject,
    StoreRequest,
)
from hotfolder.store.keyring import Keyring, MasterKey
from tests.support.spools import make_request

MASTER = MasterKey(b"m" * 32)
NEWER = MasterKey(b"n" * 32)
KEYRING = Keyring(MASTER)


class Encrypting:
    """A store to which everything is given to be encrypted."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def write_spools(self, requests: Sequence[StoreRequest]) -> list[StoredObject]:
        return self._store.write_spools([replace(item, encrypted=True) for item in requests])


def secret(number: int) -> bytes:
    """What must be found nowhere once document ``number`` is destroyed."""
    return b"customer-%04d-secret " % number


def body(number: int, size: int = 4000) -> bytes:
    """The bytes of a document, full of its secret."""
    return (secret(number) * (size // len(secret(number)) + 1))[:size]


def make_document(number: int, offset: int, data: bytes) -> Document:
    """Document ``number`` (from 1), whose metadata name its customer."""
    digest = hashlib.sha256(data).hexdigest()
    return Document(
        identity="hf-" + hashlib.sha256(b"%d" % number + data).hexdigest(),
        source="retail/statements",
        business_key=f"customer-{number:04}-key",
        series="statements",
        cycle="2026-06",
        range=DocumentRange(ordinal=number, offset=offset, length=len(data), sha256=digest),
        metadata=DocumentMetadata(
            customer_id=f"customer-{number:04}-id",
            customer_name=f"customer-{number:04}-name",
            document_type="statement",
            retention_class="STATEMENT-10Y",
        ),
        title=f"customer-{number:04}-title",
    )


def make_many(
    folder: Path,
    number: int = 1,
    *,
    count: int = 5,
    gap: bytes = b"-- resources --",
    size: int = 4000,
    carrier: bool = False,
) -> tuple[StoreRequest, list[Document], bytes]:
    """A spool of ``count`` documents with gaps and an index: to be stored encrypted."""
    documents: list[Document] = []
    data = gap
    for item in range(1, count + 1):
        text = body(item, size)
        documents.append(make_document(item, len(data), text))
        data += text + (gap if item % 2 else b"")
    index = b"".join(b"customer-%04d-index\n" % item for item in range(1, count + 1))
    if carrier:
        whole = make_document(count + 1, 0, data)
        documents = [
            *(replace(item, role=Role.CARRIED) for item in documents),
            replace(whole, role=Role.CARRIER, metadata=DocumentMetadata(), title="all"),
        ]
    request = make_request(
        folder,
        number,
        data=data,
        name=b"run.afp",
        sidecars={b"run.ind": index},
        metadata=b'{"documents":%d,"format":"hotfolder-spool/2"}\n' % len(documents),
    )
    lines = [document_line(item) for item in documents]
    return replace(request, documents=lambda: iter(lines), encrypted=True), documents, data


def search(roots: Sequence[Path], needle: bytes) -> list[str]:
    """Every file below ``roots`` that has ``needle`` in its bytes or its name."""
    return [
        str(path)
        for root in roots
        for path in sorted(root.rglob("*"))
        if needle in os.fsencode(path) or (path.is_file() and needle in path.read_bytes())
    ]
