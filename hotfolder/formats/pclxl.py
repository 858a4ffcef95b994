"""PCL XL (PCL 6): how many pages (HP, PCL XL Feature Reference, appendix B).

A header line names the byte order; then follow tags: white space, data of a type,
attribute names, operators and embedded data with its length. Every tag's length is
known, so that ``EndPage`` can be counted without taking data for one.
"""

from __future__ import annotations

import re

from hotfolder.formats.damage import DamageError
from hotfolder.formats.pcl import UEL
from hotfolder.formats.scanning import Cursor

MEDIA_TYPE = "application/vnd.hp-PCLXL"

_HEADER = re.compile(rb"[()] HP-PCL XL;[^\n]*\n")
_LONGEST_HEADER = 4096
_RUN = 1 << 16
_END_PAGE = 0x44
_UBYTE, _UINT16 = 0xC0, 0xC1
_DATA, _SHORT_DATA = 0xFA, 0xFB

# Tags of a fixed length, all but EndPage: white space, operators, attribute names, and
# values: single (C0 to C5), pairs (D0 to D5) and boxes (E0 to E5) of 1, 2 or 4 bytes.
_FIXED = re.compile(
    rb"(?:[\x00\x09-\x0d\x20\x41-\x43\x45-\xbf]+"
    rb"|[\xc0\xf8].|[\xc1\xc3\xd0\xf9]..|[\xc2\xc4\xc5\xd1\xd3\xe0]...."
    rb"|[\xd2\xd4\xd5\xe1\xe3].{8}|[\xe2\xe4\xe5].{16}){1,500}",
    re.DOTALL,
)
_ELEMENT = {0xC8: 1, 0xC9: 2, 0xCA: 4, 0xCB: 2, 0xCC: 4, 0xCD: 4}  # bytes in an array


def read_pages(cursor: Cursor) -> int | None:
    """The pages from ``cursor`` to the next UEL, where it is left, or to the end. None if
    something stands there that is no tag; the cursor is then left there. Raises
    ``DamageError`` if the file ends inside a tag."""
    cursor.fill(_LONGEST_HEADER)
    header = _HEADER.match(cursor.data, cursor.place)
    if header is None:
        return None
    big = cursor.data[cursor.place] == 0x28
    cursor.place = header.end()
    pages = 0
    while cursor.fill(_RUN):
        found = _FIXED.match(cursor.data, cursor.place)
        if found is not None:
            cursor.place = found.end()
            continue
        tag = cursor.data[cursor.place]
        if tag == _END_PAGE:
            pages += 1
            cursor.place += 1
        elif cursor.data.startswith(UEL, cursor.place):
            break
        elif tag in (_DATA, _SHORT_DATA) or tag in _ELEMENT:
            _pass_over(cursor, tag, big=big)
        elif _FIXED.match(cursor.data[cursor.place : cursor.place + 17] + bytes(16)):
            raise _cut(cursor.offset)
        else:
            return None
    return pages


def _pass_over(cursor: Cursor, tag: int, *, big: bool) -> None:
    """Embedded data, or an array with the number of its elements."""
    start = cursor.offset
    head = cursor.data[cursor.place : cursor.place + 5]
    if tag in _ELEMENT:
        wide = {_UBYTE: 1, _UINT16: 2}.get(head[1], 0) if len(head) > 1 else 0
        width, size = _ELEMENT[tag], 2 + wide
    else:
        width, size = 1, 5 if tag == _DATA else 2
        wide = size - 1
    number = int.from_bytes(head[size - wide : size], "big" if big else "little")
    if len(head) < size or start + size + number * width > cursor.size:
        raise _cut(start)
    cursor.skip(size + number * width)


def _cut(start: int) -> DamageError:
    return DamageError(
        "pcl.truncated",
        f"the PCL XL is cut off: what begins at byte {start} is not complete",
        start,
    )
