"""Writing an encrypted object: what a spool holds, under keys that are drawn for it.

Every byte is under one key and at one place of its key stream: content at its offset in the
spool, lines at theirs in documents.jsonl, so no two pieces ever share key stream. An attempt
draws new keys, whatever an attempt before had drawn.
"""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

from hotfolder.core.canonical import bare_line, dump
from hotfolder.core.errors import Corrupt, InputFault, OperatorFault
from hotfolder.core.merkle import leaf_hash
from hotfolder.core.records import Role, StoreRequest
from hotfolder.files.content import open_regular
from hotfolder.files.faults import os_errors
from hotfolder.files.pouring import NewFile
from hotfolder.files.tree import make_directory
from hotfolder.store.ciphers import KEY, Stream, derive, seal_small
from hotfolder.store.inventory import Inventory, dump_inventory
from hotfolder.store.keyfile import FIRST, SPOOL, TOGETHER, NewKeys
from hotfolder.store.naming import DOCUMENTS, METADATA, SIDECARS, object_id, safe_name
from hotfolder.store.sealedmap import (
    BARE,
    CONTENT,
    HEADER,
    INVENTORY,
    LINES,
    MAGIC,
    MAP,
    SIDECAR,
    Line,
    Segment,
    Segments,
)
from hotfolder.store.sealedmap import DOCUMENTS as SEALED_DOCUMENTS
from hotfolder.store.sealedmap import METADATA as SEALED_METADATA

READ_ONLY = 0o440
_CHUNK = 1 << 20
_CONTENT, _LINE, _HEADER = b"content", b"line", b"header"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSpool:
    """The files of an encrypted object, written, and the keys that nobody else has yet."""

    keys: NewKeys
    digests: dict[str, str]  # OCFL path -> SHA-256 of what is on the disk
    files: tuple[bytes, ...]
    folder: bytes  # in which they lie
    inventory_sha256: str  # of the plain inventory


def content_key(key: bytes) -> bytes:
    """What encrypts content, of the key in a slot."""
    return derive(key, _CONTENT)


def line_key(key: bytes) -> bytes:
    """What encrypts a line, of the key in a slot."""
    return derive(key, _LINE)


def header_key(key: bytes) -> bytes:
    """What encrypts the header, of the spool's key."""
    return derive(key, _HEADER)


def file_key(key: bytes, path: str) -> bytes:
    """What encrypts another file of the object, of the key in its slot."""
    return derive(key, b"file " + path.encode())


@dataclass(slots=True)
class _Keys:
    """Keys as they are drawn."""

    drawn: bytearray = field(default_factory=lambda: bytearray(os.urandom(FIRST * KEY)))
    ordinals: array[int] = field(default_factory=lambda: array("Q", [0] * FIRST))

    def draw(self, ordinal: int) -> int:
        """The slot of a new key."""
        self.drawn += os.urandom(KEY)
        self.ordinals.append(ordinal)
        return len(self.ordinals) - 1

    def __getitem__(self, slot: int) -> bytes:
        return bytes(self.drawn[KEY * slot : KEY * (slot + 1)])


class Sealer:
    """Writes one spool; used once."""

    def __init__(self, request: StoreRequest, content: bytes) -> None:
        """``content`` is the object's folder for content, which is there."""
        self._request = request
        self._content = content
        self._keys = _Keys()
        self._digests: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        self._files: list[bytes] = []
        self._parts: dict[str, str] = {}  # plain path -> where it lies
        self._map = hashlib.sha256()
        self._lines = hashlib.sha256()
        self._segments = bytearray()
        self._divisible = True

    def seal(self) -> SealedSpool:
        """Write everything. Raises ``Corrupt`` if the working copy is not what was read,
        ``Transient`` or ``OperatorFault``."""
        folder = os.path.join(self._content, b"sealed")
        make_directory(folder)
        key_set = os.urandom(16)
        if self._request.documents is not None:
            self._seal_documents()
        self._seal_content()
        for number, path in enumerate(self._request.sidecar_paths, 1):
            name = f"{SIDECARS}/{safe_name(os.path.basename(path))}"
            self._parts[name] = f"{SIDECAR}{number}"
            self._plain[name] = self._seal_file(path, self._parts[name])
        self._parts[METADATA] = SEALED_METADATA
        self._plain[METADATA] = self._seal_bytes(self._request.metadata, SEALED_METADATA)
        inventory = dump_inventory(
            Inventory(object_id=object_id(self._request.spool_id), digests=self._plain),
            self._request.created_at,
        )
        inventory_sha256 = self._seal_bytes(inventory, INVENTORY)
        self._write_header(key_set, inventory_sha256)
        return SealedSpool(
            keys=NewKeys(
                spool_id=self._request.spool_id,
                key_set=key_set,
                keys=self._keys.drawn,
                ordinals=self._keys.ordinals,
                divisible=self._is_divisible,
            ),
            digests=self._digests,
            files=tuple(self._files),
            folder=folder,
            inventory_sha256=inventory_sha256,
        )

    @property
    def _is_divisible(self) -> bool:
        return self._divisible and len(self._keys.ordinals) > FIRST + 1

    def _new(self, path: str) -> NewFile:
        target = os.path.join(self._content, path.encode())
        self._files.append(target)
        return NewFile(target, READ_ONLY)

    # -- documents --------------------------------------------------------------------
    def _seal_documents(self) -> None:
        """Lines, and where documents lie; a key for each."""
        assert self._request.documents is not None
        whole = hashlib.sha256()
        position = covered = 0
        with ExitStack() as stack:
            sealed = stack.enter_context(self._new(SEALED_DOCUMENTS))
            rows = stack.enter_context(self._new(LINES))
            bares = stack.enter_context(self._new(BARE))
            row_stream = Stream(file_key(self._keys[SPOOL], LINES))
            bare_stream = Stream(file_key(self._keys[SPOOL], BARE))
            for line in self._request.documents():
                whole.update(line)
                slot, covered = self._slot_of(line, covered)
                bare = bare_line(line)
                row = Line(
                    length=len(line),
                    bare_length=len(bare),
                    slot=slot,
                    leaf=leaf_hash(line),
                    bare_sha256=hashlib.sha256(bare).digest(),
                ).pack()
                self._lines.update(row)
                rows.write(row_stream.update(row))
                bares.write(bare_stream.update(bare))
                sealed.write(Stream(line_key(self._keys[slot]), position).update(line))
                position += len(line)
            self._digests[SEALED_DOCUMENTS] = sealed.finish()
            self._digests[LINES] = rows.finish()
            self._digests[BARE] = bares.finish()
        self._parts[DOCUMENTS] = SEALED_DOCUMENTS
        self._plain[DOCUMENTS] = whole.hexdigest()

    def _slot_of(self, line: bytes, covered: int) -> tuple[int, int]:
        """The slot of a document, and how far documents reach with it."""
        try:
            found = json.loads(line)
            place = found["range"]
            if found.get("role") == Role.CARRIER:
                return SPOOL, covered
            slot = self._keys.draw(place["ordinal"])
            offset, length = place["offset"], place["length"]
            if place.get("by_pages") or offset < covered:
                self._divisible = False  # documents share bytes
            elif length:
                self._segments += Segment(
                    offset=offset,
                    length=length,
                    slot=slot,
                    sha256=bytes.fromhex(place["sha256"]),
                ).pack()
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(
                "a document of a spool is not described as hotfolder does",
                hint="store the spool with the release that has read it",
                code="store.source",
            ) from error
        return slot, offset + length

    # -- content ----------------------------------------------------------------------
    def _seal_content(self) -> None:
        whole = hashlib.sha256()
        size = 0
        spool_key = self._keys[SPOOL]
        with (
            _open(self._request.content_path) as source,
            self._new(CONTENT) as target,
            self._new(MAP) as rows,
        ):
            row_stream = Stream(file_key(spool_key, MAP))
            for segment in self._gapless():
                stream = Stream(content_key(self._keys[segment.slot]), segment.offset)
                digest = hashlib.sha256()
                left = segment.length
                while left:
                    with os_errors("reading a working copy"):
                        data = source.read(min(left, _CHUNK))
                    if not data:
                        raise _changed()
                    whole.update(data)
                    if segment.slot < FIRST:
                        digest.update(data)
                    target.write(stream.update(data))
                    left -= len(data)
                size += segment.length
                row = (
                    segment.pack()
                    if segment.slot >= FIRST
                    else Segment(
                        offset=segment.offset,
                        length=segment.length,
                        slot=segment.slot,
                        sha256=digest.digest(),
                    ).pack()
                )
                self._map.update(row)
                rows.write(row_stream.update(row))
            with os_errors("reading a working copy"):
                too_long = bool(source.read(1))
            if too_long or (whole.hexdigest(), size) != (self._request.sha256, self._request.size):
                raise _changed()
            # Read back when it is decrypted and compared, which proves the same.
            self._digests[CONTENT] = target.finish(read_back=False)
            self._digests[MAP] = rows.finish()
        name = safe_name(self._request.content_name)
        self._parts[name] = CONTENT
        self._plain[name] = self._request.sha256

    def _gapless(self) -> Iterator[Segment]:
        """All bytes of the spool, in order: documents, and what lies between them."""
        position = 0
        if self._is_divisible:
            for segment in Segments(self._segments):
                if segment.offset > position:
                    yield _gap(position, segment.offset)
                yield segment
                position = segment.offset + segment.length
        if position > self._request.size:
            raise _changed()
        if position < self._request.size:
            yield _gap(position, self._request.size)

    # -- other files ------------------------------------------------------------------
    def _seal_file(self, source: bytes, path: str) -> str:
        digest = hashlib.sha256()
        stream = Stream(file_key(self._keys[TOGETHER], path))
        with _open(source) as plain, self._new(path) as target:
            while True:
                with os_errors("reading a working copy"):
                    data = plain.read(_CHUNK)
                if not data:
                    break
                digest.update(data)
                target.write(stream.update(data))
            self._digests[path] = target.finish()
        return digest.hexdigest()

    def _seal_bytes(self, data: bytes, path: str) -> str:
        with self._new(path) as target:
            target.write(Stream(file_key(self._keys[SPOOL], path)).update(data))
            self._digests[path] = target.finish()
        return hashlib.sha256(data).hexdigest()

    def _write_header(self, key_set: bytes, inventory_sha256: str) -> None:
        header = {
            "content_sha256": self._request.sha256,
            "content_size": self._request.size,
            "inventory_sha256": inventory_sha256,
            "lines_sha256": self._lines.hexdigest(),
            "map_sha256": self._map.hexdigest(),
            "parts": self._parts,
        }
        context = MAGIC + key_set + self._request.spool_id.encode()
        sealed = seal_small(header_key(self._keys[SPOOL]), 0, dump(header).encode(), context)
        with self._new(HEADER) as target:
            target.write(MAGIC + key_set + sealed)
            self._digests[HEADER] = target.finish()


def _gap(start: int, end: int) -> Segment:
    return Segment(offset=start, length=end - start, slot=SPOOL, sha256=bytes(32))


def _open(path: bytes) -> BinaryIO:
    try:
        return open_regular(path)
    except (InputFault, OperatorFault) as error:
        if isinstance(error, OperatorFault) and error.code != "file.missing":
            raise
        raise Corrupt(
            "a working copy is gone or is no longer a file",
            hint="look into _working: somebody has changed it",
            code="store.source",
        ) from error


def _changed() -> Corrupt:
    return Corrupt(
        "a spool changed between reading and storing, or was copied wrongly",
        hint="look at the working copy and at the disk",
        code="store.source",
    )
