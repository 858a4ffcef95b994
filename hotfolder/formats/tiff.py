"""TIFF 6.0 and BigTIFF: whole if everything that its directories point to lies in it.

A header names the byte order and the first directory (IFD); each directory has entries
and the place of the next; strips and tiles are given by their offsets and byte counts
(TIFF 6.0, sections 2 and 15; BigTIFF has 8-byte offsets and counts). A directory may stand
before the pixels it describes, so only offsets and counts show that something is missing.
The pages are the directories of the main chain; those in SubIFDs are smaller copies.

The end cannot be seen: a writer adds page by page, and after each the file is whole. So
``has_trailer`` is false, and settling waits longer.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hotfolder.core.records import Inspection
from hotfolder.formats.damage import DamageError
from hotfolder.formats.window import Window

MEDIA_TYPE = "image/tiff"

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_MOST_PAGES = 1 << 20
_QUICK_PAGES = 64  # that the quick look follows
_MOST_ENTRIES = 4096  # in a directory; TIFF allows 65,535, libraries write a few dozen
_PIECE = 8192  # elements of an array that are read at once
_SLACK = 1 << 20  # bytes; see _Reader.spend

# Bytes of an element by field type (TIFF 6.0, page 15; 13 is IFD, 16 to 18 are BigTIFF's).
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WIDTHS |= {16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # that can be offsets and counts

_STRIPS = (273, 279)  # StripOffsets, StripByteCounts
_TILES = (324, 325)  # TileOffsets, TileByteCounts
_OLD_JPEG = (513, 514)  # JPEGInterchangeFormat and its length
_WANTED = frozenset(_STRIPS + _TILES + _OLD_JPEG)


def recognises(head: bytes) -> bool:
    """Whether a file with this head is TIFF or BigTIFF, in either byte order."""
    return head.startswith(_MAGIC)


def inspect(window: Window, head: bytes, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``. The quick look follows the first directories: there
    is nothing in the tail that could be looked at."""
    version = "BigTIFF" if b"+" in head[2:4] else "6.0"
    pages: int | None = None
    try:
        count = _Reader(window, head).walk(_MOST_PAGES if full else _QUICK_PAGES)
        pages = count if full else None
    except DamageError as damage:
        return Inspection(
            format_name="tiff",
            format_version=version,
            media_type=MEDIA_TYPE,
            fault=damage.fault(),
            has_trailer=False,
        )
    return Inspection(
        format_name="tiff",
        format_version=version,
        media_type=MEDIA_TYPE,
        pages=pages,
        has_trailer=False,
    )


@dataclass(frozen=True, slots=True)
class _Array:
    """The value of an entry: where its elements are and what they are."""

    offset: int
    count: int
    type: int


class _Reader:
    """Reads directories in the byte order and with the widths of one file."""

    def __init__(self, window: Window, head: bytes) -> None:
        self._window = window
        self._order = "<" if head[:1] == b"I" else ">"
        self._big = b"+" in head[2:4]
        self._head = head
        self._left = 2 * window.size + _SLACK

    def walk(self, most: int) -> int:
        """The number of directories in the main chain, all of them checked; ``most`` at
        most. Raises ``DamageError`` where something is missing."""
        offset = self._first()
        if not offset:
            raise self._damaged("the TIFF has no page", 4)
        pages, mark, steps = 0, 0, 1
        while offset and pages < most:
            # A loop comes back to some mark, however long it is (Brent).
            if offset == mark:
                raise self._damaged("the pages of the TIFF form a loop", offset)
            if pages == steps:
                mark, steps = offset, 2 * steps
            following = self._read_directory(offset, pages + 1)
            pages += 1
            offset = following
        if offset and most == _MOST_PAGES:
            raise self._damaged(f"the TIFF has more than {most} pages", offset)
        return pages

    def _first(self) -> int:
        size = 16 if self._big else 8
        if len(self._head) < size:
            raise self._truncated("the header of the TIFF is cut off", self._window.size)
        if not self._big:
            return self._unpack("I", self._head[4:8])
        width, zero, offset = struct.unpack(self._order + "HHQ", self._head[4:16])
        if width != 8 or zero:
            raise self._damaged("the header of the BigTIFF is wrong", 4)
        return int(offset)

    def _read_directory(self, offset: int, page: int) -> int:
        """Check page ``page`` and give the place of the next directory."""
        width, size = (8, 20) if self._big else (2, 12)
        head = self._window.read(offset, width)
        if len(head) < width:
            raise self._truncated(f"the directory of page {page} is missing", offset)
        count = self._unpack("Q" if self._big else "H", head)
        if not 1 <= count <= _MOST_ENTRIES:
            raise self._damaged(f"where page {page} should begin there is no directory", offset)
        ending = 8 if self._big else 4
        data = self._window.read(offset + width, count * size + ending)
        self._spend(len(data), offset)
        if len(data) < count * size + ending:
            raise self._truncated(f"the directory of page {page} is cut off", offset)
        wanted: dict[int, _Array] = {}
        for number in range(count):
            tag, array = self._read_entry(
                data[number * size : (number + 1) * size], offset + width + number * size, page
            )
            if tag in _WANTED:
                wanted[tag] = array
        for offsets, counts in (_STRIPS, _TILES, _OLD_JPEG):
            if offsets in wanted:
                self._check_data(wanted[offsets], wanted.get(counts), page, offset)
        return self._unpack("Q" if self._big else "I", data[-ending:])

    def _read_entry(self, entry: bytes, offset: int, page: int) -> tuple[int, _Array]:
        if self._big:
            tag, kind, count = struct.unpack(self._order + "HHQ", entry[:12])
        else:
            tag, kind, count = struct.unpack(self._order + "HHI", entry[:8])
        room = entry[-8:] if self._big else entry[-4:]
        length = count * _WIDTHS.get(kind, 0)
        if length <= len(room):
            return tag, _Array(offset + len(entry) - len(room), count, kind)
        place = self._unpack("Q" if self._big else "I", room)
        if place + length > self._window.size:
            raise self._truncated(
                f"page {page} is not complete: tag {tag} lies at bytes {place} to"
                f" {place + length}, the file ends at {self._window.size}",
                offset,
            )
        return tag, _Array(place, count, kind)

    def _check_data(self, offsets: _Array, counts: _Array | None, page: int, where: int) -> None:
        """Every strip or tile of a page lies in the file. Old files have no byte counts:
        there, each must at least begin in it."""
        if counts is not None and counts.count != offsets.count:
            raise self._damaged(
                f"page {page} has {offsets.count} places of image data and {counts.count} lengths",
                where,
            )
        lengths = self._elements(counts, where) if counts else iter(())
        for number, place in enumerate(self._elements(offsets, where), 1):
            length = next(lengths, 1)
            # Nothing is stored for a strip or tile without bytes.
            if length and place + length > self._window.size:
                raise self._truncated(
                    f"page {page} is not complete: piece {number} of its image lies at bytes"
                    f" {place} to {place + length}, the file ends at {self._window.size}",
                    where,
                )

    def _elements(self, array: _Array, where: int) -> Iterator[int]:
        code = _CODES.get(array.type)
        if code is None:
            raise self._damaged("a place or length of image data is no whole number", where)
        width = _WIDTHS[array.type]
        self._spend(array.count * width, where)
        for start in range(0, array.count, _PIECE):
            number = min(_PIECE, array.count - start)
            data = self._window.read(array.offset + start * width, number * width)
            if len(data) < number * width:
                raise self._truncated("a list of places of image data is cut off", where)
            yield from struct.unpack(f"{self._order}{number}{code}", data)

    def _spend(self, count: int, offset: int) -> None:
        """Directories and lists do not overlap in a sound file, so that all of them
        together are smaller than it; in one made to keep us busy they may."""
        self._left -= count
        if self._left < 0:
            raise self._damaged("the directories of the TIFF overlap", offset)

    def _unpack(self, code: str, data: bytes) -> int:
        return int(struct.unpack(self._order + code, data)[0])

    @staticmethod
    def _truncated(message: str, offset: int) -> DamageError:
        return DamageError("tiff.truncated", message, offset)

    @staticmethod
    def _damaged(message: str, offset: int) -> DamageError:
        return DamageError(
            "tiff.damaged", message, offset, "write it again; open it in a viewer to see all pages"
        )
