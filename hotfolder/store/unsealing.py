"""Reading an encrypted object: what it holds, as it was before it was encrypted.

Whatever is given out was compared with a SHA-256 that the header vouches for; the header is
authenticated by the spool's key, and that by the master key.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO

from hotfolder.core.errors import Corrupt, InputFault, OperatorFault
from hotfolder.core.merkle import leaf_hash
from hotfolder.core.records import Encryption
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors
from hotfolder.store.ciphers import Stream, open_small
from hotfolder.store.inventory import Inventory, parse_inventory
from hotfolder.store.keyfile import SPOOL, TOGETHER, KeyFile
from hotfolder.store.keyring import Keyring
from hotfolder.store.naming import DOCUMENTS, METADATA
from hotfolder.store.reading import IN_MEMORY, changed, content_path, read_small
from hotfolder.store.sealedmap import (
    BARE,
    CONTENT,
    HEADER,
    INVENTORY,
    LINE_SIZE,
    LINES,
    MAGIC,
    MAP,
    SIDECAR,
    Line,
    Segments,
    read_line,
)
from hotfolder.store.sealedmap import DOCUMENTS as SEALED_DOCUMENTS
from hotfolder.store.sealing import content_key, file_key, header_key, line_key
from hotfolder.store.streams import content_stream, file_stream

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the header of an encrypted object says."""

    content_sha256: str
    content_size: int
    inventory_sha256: str  # of the plain inventory
    lines_sha256: str
    map_sha256: str
    parts: dict[str, str]  # plain path -> where it lies


class Unsealed:
    """An encrypted object, read with ``keys``, which must stay open; the streams that it
    gives out have their own. Raises ``Corrupt`` if object or keys are not what was written,
    ``OperatorFault`` without the master key.
    """

    def __init__(
        self, folder: bytes, spool_id: str, inventory: Inventory, keys: KeyFile, keyring: Keyring
    ) -> None:
        self._folder = folder
        self._inventory = inventory  # of what lies on the disk
        self._keys = keys
        self._keyring = keyring
        self._spool_key = keys.key(SPOOL, keyring)
        self.header = self._read_header(spool_id)

    @property
    def encryption(self) -> Encryption:
        """What is destroyed by destroying a key."""
        return Encryption.DOCUMENTS if self._keys.divisible else Encryption.SPOOL

    def _read_header(self, spool_id: str) -> Header:
        data = self._stored(HEADER)
        if data[: len(MAGIC)] != MAGIC or data[len(MAGIC) : len(MAGIC) + 16] != self._keys.key_set:
            raise Corrupt(
                "the keys of a spool are not those of its object",
                hint="`hotfolder verify --mend` takes both from another root",
                code="keys.damaged",
            )
        start = MAGIC + self._keys.key_set
        plain = open_small(
            header_key(self._spool_key), 0, data[len(start) :], start + spool_id.encode()
        )
        found: dict[str, Any] = json.loads(plain)
        return Header(**found)

    def _stored(self, path: str) -> bytes:
        """The bytes of a small file as they lie there, compared with the inventory."""
        data = read_small(content_path(self._folder, path))
        if hashlib.sha256(data).hexdigest() != self._inventory.digests.get(path):
            raise changed("a file")
        return data

    def _small(self, path: str, expected: str) -> bytes:
        data = Stream(file_key(self._spool_key, path)).update(self._stored(path))
        if hashlib.sha256(data).hexdigest() != expected:
            raise changed("a file")
        return data

    def read_inventory(self) -> bytes:
        """The plain inventory, byte for byte."""
        return self._small(INVENTORY, self.header.inventory_sha256)

    def digests(self) -> dict[str, str]:
        """What the plain inventory says."""
        return dict(parse_inventory(self.read_inventory()).digests)

    def read_metadata(self) -> bytes:
        """metadata.json."""
        return self._small(self.header.parts[METADATA], self.digests()[METADATA])

    # -- content ----------------------------------------------------------------------
    def open_content(self, sha256: str | None = None) -> BinaryIO:
        """The spool's bytes, all that are not destroyed compared before the first is
        returned. Reading what is destroyed raises ``Destroyed``."""
        if sha256 is not None and sha256 != self.header.content_sha256:
            raise Corrupt(
                "the object in the store is not the spool that was journalled",
                hint="restore the object from a backup; nothing has been deleted",
                code="store.differs",
            )
        segments = self._segments()
        with _opened(self._folder, CONTENT) as stream:
            if self.header.content_size <= IN_MEMORY and not self.any_gone():
                data = b"".join(self._check(stream, segments))
                return io.BytesIO(data)
            for _ in self._check(stream, segments):
                pass
        return content_stream(
            _opened(self._folder, CONTENT),
            segments,
            self._keys.again(),
            self._keyring,
            self.header.content_size,
        )

    def check(self, reached: Callable[[int], None] | None = None) -> None:
        """Compare all that is not destroyed with what was stored. ``reached`` is told of
        the bytes of each piece."""
        self.check_content(reached)
        digests = self.digests()
        self.read_metadata()
        for _ in self.read_documents():
            pass
        if not self.any_gone():
            for path, sealed in self.header.parts.items():
                if sealed.startswith(SIDECAR):
                    self.open_part(path).close()
        if set(digests) != set(self.header.parts):
            raise changed("the inventory")

    def check_content(self, reached: Callable[[int], None] | None = None) -> None:
        """Compare all bytes that are not destroyed with what was stored."""
        with _opened(self._folder, CONTENT) as stream:
            for data in self._check(stream, self._segments()):
                if reached is not None:
                    reached(len(data))

    def _segments(self) -> Segments:
        return Segments(self._small(MAP, self.header.map_sha256))

    def any_gone(self) -> bool:
        """Whether a document was destroyed."""
        return any(gone for _, gone, _ in self._keys.states())

    def _check(self, stream: BinaryIO, segments: Segments) -> Iterator[bytes]:
        gone = {number for number, is_gone, _ in self._keys.states() if is_gone}
        whole = hashlib.sha256()
        for segment in segments:
            if segment.slot in gone:
                with os_errors("reading the store"):
                    stream.seek(segment.offset + segment.length)
                continue
            key = self._keys.key(segment.slot, self._keyring)
            deciphered = Stream(content_key(key), segment.offset)
            digest = hashlib.sha256()
            left = segment.length
            while left:
                with os_errors("reading the store"):
                    data = stream.read(min(left, _CHUNK))
                if not data:
                    raise changed("the content")
                plain = deciphered.update(data)
                (digest if gone else whole).update(plain)
                left -= len(data)
                yield plain
            if gone and digest.digest() != segment.sha256:
                raise changed("the content")
        if not gone and whole.hexdigest() != self.header.content_sha256:
            raise changed("the content")

    # -- other files ------------------------------------------------------------------
    def open_part(self, path: str) -> BinaryIO:
        """A file by its plain path, but not documents.jsonl. ``KeyError`` if there is none,
        ``Destroyed`` if it names a document that is destroyed."""
        sealed = self.header.parts[path]
        if sealed == CONTENT:
            return self.open_content()
        if path == METADATA:
            return io.BytesIO(self.read_metadata())
        assert sealed.startswith(SIDECAR)
        key = file_key(self._keys.key(TOGETHER, self._keyring), sealed)
        digest = hashlib.sha256()
        stream = Stream(key)
        kept = io.BytesIO()
        with _opened(self._folder, sealed) as source:
            while True:
                with os_errors("reading the store"):
                    data = source.read(_CHUNK)
                if not data:
                    break
                digest.update(plain := stream.update(data))
                if kept.tell() <= IN_MEMORY:
                    kept.write(plain)
            size = source.tell()
        if digest.hexdigest() != self.digests()[path]:
            raise changed("a file")
        if size <= IN_MEMORY:
            kept.seek(0)
            return kept
        return file_stream(_opened(self._folder, sealed), key, size)

    def read_documents(self) -> Iterator[bytes]:
        """The lines of documents.jsonl; of a document that is destroyed its bare line. What
        lies there was compared before the first, and each line before it is given."""
        if DOCUMENTS not in self.header.parts:
            return
        for path in (SEALED_DOCUMENTS, BARE):
            self._compare(path)
        with ExitStack() as stack:
            sealed = stack.enter_context(_opened(self._folder, SEALED_DOCUMENTS))
            bares = stack.enter_context(_opened(self._folder, BARE))
            bare_stream = Stream(file_key(self._spool_key, BARE))
            gone = {number for number, is_gone, _ in self._keys.states() if is_gone}
            position = 0
            for row in self._rows():
                with os_errors("reading the store"):
                    data, bare = sealed.read(row.length), bares.read(row.bare_length)
                bare = bare_stream.update(bare)
                if row.slot in gone:
                    if hashlib.sha256(bare).digest() != row.bare_sha256:
                        raise changed("a document")
                    yield bare
                else:
                    key = self._keys.key(row.slot, self._keyring)
                    line = Stream(line_key(key), position).update(data)
                    if leaf_hash(line) != row.leaf:
                        raise changed("a document")
                    yield line
                position += row.length

    def read_leaves(self) -> Iterator[bytes]:
        """The leaf of each line of documents.jsonl, of those that are destroyed, too."""
        if DOCUMENTS in self.header.parts:
            for row in self._rows():
                yield row.leaf

    def _rows(self) -> Iterator[Line]:
        """All were compared before the first is given."""
        for giving in (False, True):
            digest = hashlib.sha256()
            stream = Stream(file_key(self._spool_key, LINES))
            with _opened(self._folder, LINES) as source:
                while True:
                    with os_errors("reading the store"):
                        data = source.read(LINE_SIZE * 4096)
                    if not data:
                        break
                    plain = stream.update(data)
                    digest.update(plain)
                    if giving:
                        for start in range(0, len(plain), LINE_SIZE):
                            yield read_line(plain[start : start + LINE_SIZE])
            if digest.hexdigest() != self.header.lines_sha256:
                raise changed("the list of documents")

    def _compare(self, path: str) -> None:
        digest = hashlib.sha256()
        with _opened(self._folder, path) as source:
            while True:
                with os_errors("reading the store"):
                    data = source.read(_CHUNK)
                if not data:
                    break
                digest.update(data)
        if digest.hexdigest() != self._inventory.digests.get(path):
            raise changed("a file")


def _opened(folder: bytes, path: str) -> BinaryIO:
    try:
        return open_regular(content_path(folder, path))
    except (InputFault, OperatorFault) as error:
        if isinstance(error, InputFault) or error.code == "file.missing":
            raise changed("the set of files") from error
        raise
