"""A ZIP file that is a function of what is in it: stored, one fixed time, nothing else.

APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3 and 4.5.3 (ZIP64). Stored and not deflated, so
that every byte of the file is either content or follows from it, and whoever checks the
file can say so of every byte. Sizes and checksums are known before, so that it can be
written as a stream and read as one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hotfolder.core.errors import Corrupt

_FULL = 0xFFFFFFFF  # says: the value is in the ZIP64 field
_MANY = 0xFFFF
_DATE = (1 << 5) | 1  # 1 January 1980, the first day that the format knows
_MODE = 0o100644 << 16  # a plain file that all may read
_UNIX = 3 << 8
_STORED = 0
_UTF8 = 0x0800


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of a ZIP; ``read`` gives the same bytes at every call."""

    name: str
    size: int
    crc32: int
    read: Callable[[], Iterable[bytes]]


def zip_pieces(entries: Sequence[Entry]) -> Iterator[bytes]:
    """The bytes of a ZIP with these files, in this order; memory holds a piece.

    Raises ``Corrupt`` if a file is not what its entry says.
    """
    place = 0
    directory: list[bytes] = []
    for entry in entries:
        header = _local_header(entry)
        directory.append(_directory_entry(entry, place))
        yield header
        yield from _checked(entry)
        place += len(header) + entry.size
    yield from directory
    yield _end(len(entries), sum(map(len, directory)), place)


def _checked(entry: Entry) -> Iterator[bytes]:
    size = crc32 = 0
    for piece in entry.read():
        size += len(piece)
        crc32 = zlib.crc32(piece, crc32)
        yield piece
    if (size, crc32) != (entry.size, entry.crc32):
        raise Corrupt(
            "what goes into a bag changed between two readings",
            hint="nothing was made; try again, and look at the disk",
            code="evidence.changed",
        )


def _named(entry: Entry) -> tuple[bytes, int]:
    """The name as bytes, and what says that they are UTF-8, where that is needed."""
    return entry.name.encode(), 0 if entry.name.isascii() else _UTF8


def _version(*, large: bool) -> int:
    return 45 if large else 20


def _local_header(entry: Entry) -> bytes:
    name, flags = _named(entry)
    large = entry.size >= _FULL
    size = _FULL if large else entry.size
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if large else b""
    return (
        struct.pack(
            "<4s5H3I2H",
            b"PK\3\4",
            _version(large=large),
            flags,
            _STORED,
            0,
            _DATE,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
        )
        + name
        + extra
    )


def _directory_entry(entry: Entry, place: int) -> bytes:
    name, flags = _named(entry)
    values = ([entry.size, entry.size] if entry.size >= _FULL else []) + (
        [place] if place >= _FULL else []
    )
    extra = struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""
    size = min(entry.size, _FULL)
    version = _version(large=bool(values))
    return (
        struct.pack(
            "<4s6H3I5H2I",
            b"PK\1\2",
            _UNIX | version,
            version,
            flags,
            _STORED,
            0,
            _DATE,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            _MODE,
            min(place, _FULL),
        )
        + name
        + extra
    )


def _end(count: int, size: int, place: int) -> bytes:
    large = b""
    if count >= _MANY or size >= _FULL or place >= _FULL:
        version = _version(large=True)
        large = struct.pack(
            "<4sQ2H2I4Q", b"PK\6\6", 44, _UNIX | version, version, 0, 0, count, count, size, place
        ) + struct.pack("<4sIQI", b"PK\6\7", 0, place + size, 1)
    number = min(count, _MANY)
    return large + struct.pack(
        "<4s4H2IH", b"PK\5\6", 0, 0, number, number, min(size, _FULL), min(place, _FULL), 0
    )
