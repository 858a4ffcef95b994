"""What lies where in an encrypted object, and under which key.

An encrypted object has the OCFL paths below; the plain ones, and all names, are in its
sealed inventory. ``sealed/content`` has the length and the layout of the spool.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = "sealed/header"
CONTENT = "sealed/content"
MAP = "sealed/map"  # a segment for each document and each gap between two
LINES = "sealed/lines"  # a row for each line of documents.jsonl
DOCUMENTS = "sealed/documents"  # these lines, each under the key of its document
BARE = "sealed/bare"  # the same lines without what names a customer, under the spool's key
METADATA = "sealed/metadata"
INVENTORY = "sealed/inventory"  # of the object as it would be without encryption
SIDECAR = "sealed/sidecar-"
MAGIC = b"hotfolder-seal/1"

_SEGMENT = struct.Struct(">QQI4x32s")
_LINE = struct.Struct(">QII32s32s")
SEGMENT_SIZE = _SEGMENT.size
LINE_SIZE = _LINE.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Bytes [offset, offset + length) of the spool, their slot and their SHA-256."""

    offset: int
    length: int
    slot: int
    sha256: bytes

    def pack(self) -> bytes:
        """As a row of the map."""
        return _SEGMENT.pack(self.offset, self.length, self.slot, self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of documents.jsonl: its length, that of its bare one, its slot, its leaf in the
    tree over all (``core.documenttree``), and the SHA-256 of the line."""

    length: int
    bare_length: int
    slot: int
    leaf: bytes
    bare_sha256: bytes

    def pack(self) -> bytes:
        """As a row of the table."""
        return _LINE.pack(self.length, self.bare_length, self.slot, self.leaf, self.bare_sha256)


def read_line(data: bytes) -> Line:
    """The inverse of ``Line.pack``."""
    length, bare_length, slot, leaf, bare_sha256 = _LINE.unpack(data)
    return Line(
        length=length, bare_length=bare_length, slot=slot, leaf=leaf, bare_sha256=bare_sha256
    )


class Segments:
    """The map of one spool, packed: 56 bytes a segment. Segments are in order, without
    gaps, and none is empty."""

    def __init__(self, packed: bytes | bytearray) -> None:
        self._packed = packed
        self.count = len(packed) // SEGMENT_SIZE

    def __getitem__(self, number: int) -> Segment:
        offset, length, slot, sha256 = _SEGMENT.unpack_from(self._packed, number * SEGMENT_SIZE)
        return Segment(offset=offset, length=length, slot=slot, sha256=sha256)

    def __iter__(self) -> Iterator[Segment]:
        return map(self.__getitem__, range(self.count))

    def at(self, position: int) -> int:
        """The number of the segment in which a byte lies."""
        low, high = 0, self.count - 1
        while low < high:
            middle = (low + high + 1) // 2
            if _SEGMENT.unpack_from(self._packed, middle * SEGMENT_SIZE)[0] <= position:
                low = middle
            else:
                high = middle - 1
        return low
