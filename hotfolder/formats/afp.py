"""AFP (MO:DCA): a chain of structured fields, walked in bounded memory.

A field is ``5A``, a big-endian length that counts all but the ``5A``, a three-byte
id, a flag byte, two reserved bytes and data. The next field starts at offset + 1 +
length (reference/exstream-output-and-records-rules.md, section 3). A spool is whole
if the walk ends exactly at its end, every Begin has its End, the last field is an
End, and a document in it has a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hotfolder.core.errors import Fault
from hotfolder.core.records import Inspection
from hotfolder.formats.window import Window

INTRODUCER = 0x5A
MINIMUM = 8
MAXIMUM = 32767

BDT = 0xD3A8A8  # Begin Document
BPG = 0xD3A8AF  # Begin Page

_BEGIN, _END = 0xD3A800, 0xD3A900
_CHUNK = 4 * 1024 * 1024
_DEEPEST = 64
_ENDS_WITHIN = 64  # bytes of padding that some spoolers leave behind the last field


class DamagedWalkError(Exception):
    """The chain of fields breaks at ``offset``."""

    def __init__(self, offset: int, message: str, code: str = "afp.damaged") -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class StructuredField:
    """One field: where it starts, its whole length with the ``5A``, its id, and its
    first bytes of data (up to 8: the name of a Begin or End)."""

    offset: int
    length: int
    id: int
    name: bytes


def recognises(head: bytes, name: bytes) -> bool:
    """Whether a file with this head is AFP: ``5A``, a sane length and a ``D3`` id."""
    start = _first_field(head)
    if start is None:
        return name.lower().endswith((b".afp", b".afpds", b".afp.gz")) and head[:1] in (
            b"\x5a",
            b"Z",
            b"!",
        )
    return head[start + 3] == 0xD3


def _first_field(head: bytes) -> int | None:
    """Where the first field starts: a spooler may have put a line end before it."""
    start = 0
    while start < min(len(head), 8) and head[start] in (0x0D, 0x0A, 0x25):
        start += 1
    if len(head) < start + 9 or head[start] != INTRODUCER:
        return None
    length = int.from_bytes(head[start + 1 : start + 3], "big")
    return start if MINIMUM <= length <= MAXIMUM and head[start + 3] == 0xD3 else None


def walk(window: Window) -> Iterator[StructuredField]:
    """Every field in order. Raises ``DamagedWalkError`` where the chain breaks.

    CR, LF and EBCDIC NL between fields are passed over (spools that went through a
    line-oriented transfer in binary mode), and nothing else.
    """
    offset, base, chunk = 0, 0, window.read(0, _CHUNK)
    size = window.size
    while offset < size:
        place = offset - base
        if place + 17 > len(chunk) and base + len(chunk) < size:
            base, place = offset, 0
            chunk = window.read(base, _CHUNK)
        first = chunk[place]
        if first != INTRODUCER:
            if first in (0x0D, 0x0A, 0x15, 0x25):
                offset += 1
                continue
            raise _misplaced(chunk, place, offset, size)
        if offset + 9 > size:
            raise DamagedWalkError(
                offset, "the last field is cut off in its introducer", "afp.truncated"
            )
        length = int.from_bytes(chunk[place + 1 : place + 3], "big")
        if length < MINIMUM or length > MAXIMUM:
            raise DamagedWalkError(offset, f"a field claims a length of {length} bytes")
        end = offset + 1 + length
        if end > size:
            raise DamagedWalkError(
                offset,
                f"the last field is cut off: it should end at byte {end}, the file at {size}",
                "afp.truncated",
            )
        yield StructuredField(
            offset,
            length + 1,
            int.from_bytes(chunk[place + 3 : place + 6], "big"),
            chunk[place + 9 : min(place + 17, place + 1 + length)],
        )
        offset = end


def _misplaced(chunk: bytes, place: int, offset: int, size: int) -> DamagedWalkError:
    around = chunk[place : place + 64]
    if not around.strip(b"\x00"):
        return DamagedWalkError(
            offset, "there are zeros where a field should start", "afp.truncated"
        )
    return DamagedWalkError(
        offset,
        f"there is no field here (byte {around[0]:02X} instead of 5A), {size - offset} bytes"
        " before the end",
    )


@dataclass(slots=True)
class _Count:
    pages: int = 0
    documents: int = 0
    last: int = 0
    stack: list[tuple[int, bytes, int]] = field(default_factory=list)


def inspect(window: Window, tail: bytes, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``. The quick look only wants an ending field
    somewhere in the tail that reaches the end of the file."""
    if not full:
        return Inspection(
            format_name="afp",
            media_type="application/vnd.ibm.modcap",
            fault=None if _ends_well(tail) else _cut(window.size),
        )
    count = _Count()
    fault: Fault | None = None
    try:
        for found in walk(window):
            _follow(count, found)
        _check_end(count, window.size)
    except DamagedWalkError as error:
        fault = explain(window, error)
    return Inspection(
        format_name="afp",
        media_type="application/vnd.ibm.modcap",
        pages=None if fault else count.pages,
        fault=fault,
    )


def _ends_well(tail: bytes) -> bool:
    """Whether some End field in the tail reaches the end of the file."""
    place = len(tail)
    while (place := tail.rfind(b"\xd3\xa9", 0, place)) >= 3:
        if tail[place - 3] == INTRODUCER:
            end = place - 2 + int.from_bytes(tail[place - 2 : place], "big")
            rest = tail[end:]
            if end <= len(tail) and len(rest) <= _ENDS_WITHIN and not rest.strip(b"\r\n\x15\x25"):
                return True
    return False


def _follow(count: _Count, found: StructuredField) -> None:
    count.last = found.id
    kind, category = found.id & 0xFFFF00, found.id & 0xFF
    if kind == _BEGIN:
        count.pages += found.id == BPG
        count.documents += found.id == BDT
        if len(count.stack) >= _DEEPEST:
            raise DamagedWalkError(found.offset, f"fields are nested deeper than {_DEEPEST}")
        count.stack.append((category, found.name, found.offset))
    elif kind == _END:
        if not count.stack:
            raise DamagedWalkError(found.offset, "an End field has no Begin")
        opened, name, offset = count.stack.pop()
        if opened != category or not _same_name(name, found.name):
            raise DamagedWalkError(
                found.offset, f"an End field does not match the Begin field at byte {offset}"
            )


def _same_name(begin: bytes, end: bytes) -> bool:
    """Names match if equal, or if either is absent or null (``FFFF…`` matches anything)."""
    return (
        not begin or not end or begin[:2] == b"\xff\xff" or end[:2] == b"\xff\xff" or begin == end
    )


def _check_end(count: _Count, size: int) -> None:
    if count.stack:
        raise DamagedWalkError(
            size,
            f"the file ends although what began at byte {count.stack[-1][2]} has not ended",
            "afp.truncated",
        )
    if count.last & 0xFFFF00 != _END:
        raise DamagedWalkError(size, "the last field ends nothing", "afp.truncated")
    if count.documents and not count.pages:
        raise DamagedWalkError(size, "there is a document in it, but no page", "afp.empty")


def _cut(size: int) -> Fault:
    return Fault(
        code="afp.truncated",
        message="the AFP file has no end: its last field ends nothing",
        remedy="send the whole file again",
        place=f"byte {size}",
    )


def explain(window: Window, error: DamagedWalkError) -> Fault:
    """What broke the walk, for people."""
    code, message = error.code, error.message
    remedy = "send the whole file again"
    if code == "afp.damaged" and _converted(window, error.offset):
        code = "afp.ascii-transfer"
        message = "the AFP file was changed by a text-mode transfer (line ends or code page)"
        remedy = "transfer it in binary mode"
    return Fault(code=code, message=message, remedy=remedy, place=f"byte {error.offset}")


def _converted(window: Window, offset: int) -> bool:
    """Whether the break looks like a text-mode transfer: a CR was put before an LF
    inside a field, which moves everything behind it by a byte or a few."""
    start = max(0, offset - MAXIMUM)
    before = window.read(start, offset - start + 16)
    lone = before.count(b"\n") - before.count(b"\r\n")
    return b"\r\n" in before and lone == 0
