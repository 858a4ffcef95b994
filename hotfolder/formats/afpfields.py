"""The structured fields of an AFP file, one after another, in bounded memory."""

from __future__ import annotations

from collections.abc import Container, Iterator
from struct import Struct
from typing import NamedTuple

from hotfolder.core.errors import Fault
from hotfolder.formats.afpframing import (
    CLASS,
    HEAD,
    LINE_ENDS,
    MAXIMUM,
    MINIMUM,
    PLAIN,
    Framing,
    find_framing,
)
from hotfolder.formats.damage import RESEND
from hotfolder.formats.window import Window

Field = tuple[int, int, int]  # where its record starts and ends in the batch's data; its id

_CHUNK = 1 << 19  # bytes in which the fields of a batch start
_LONGEST = 4 + 1 + MAXIMUM  # a record
_GLANCE = 64  # bytes
_INTRODUCER = Struct(">BhBH")  # 5A, length, class, type and category


class DamagedWalkError(Exception):
    """The chain of fields breaks at ``offset``."""

    def __init__(self, offset: int, message: str, code: str = "afp.damaged") -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.code = code


class Batch(NamedTuple):
    """Fields that follow one another. ``base`` is where ``data`` starts in the file;
    ``last`` is the id of the last field that was passed, wanted or not (0: none was)."""

    base: int
    data: bytes
    fields: list[Field]
    last: int


def framing_of(window: Window, start: int = 0, end: int | None = None) -> Framing:
    """How the fields are framed, by those from ``start`` to ``end``; plainly, if nobody can
    tell."""
    length = HEAD if end is None else min(HEAD, end - start)
    return find_framing(window.read(start, length)) or PLAIN


def read_batches(
    window: Window,
    wanted: Container[int],
    *,
    start: int = 0,
    end: int | None = None,
    framing: Framing | None = None,
) -> Iterator[Batch]:
    """The fields with ``wanted`` ids in order, a batch at a time: from the record at
    ``start`` to the byte ``end``, by default that of the window. ``framing`` is for a file
    whose head is no more.

    Line ends between fields are passed over, and nothing else. Memory is bounded by a
    chunk of 512 KiB and its fields. The file is read and not mapped: mapped pages would
    count as memory, and a file that shrinks meanwhile would end the process. Raises
    ``DamagedWalkError`` where the chain breaks.
    """
    framing = framing or framing_of(window)
    hop = _hop_plain if framing.plain else _hop_framed
    upto = window.size if end is None else min(end, window.size)
    base = start
    while base < upto:
        asked = min(_CHUNK + _LONGEST, upto - base)
        data = window.read(base, asked)
        if len(data) < asked:
            raise DamagedWalkError(base + len(data), "the file has become shorter", "afp.truncated")
        final = base + asked == upto
        limit = asked - framing.introducer + 1 if final else _CHUNK
        fields: list[Field] = []
        place, last = hop(framing, data, limit, wanted, fields)
        if place < limit or (final and data[place:].strip(LINE_ENDS)):
            raise _break(framing, data, base, place, upto)
        if place > asked:
            raise _break(framing, data, base, _last_start(framing, data), upto)
        yield Batch(base, data, fields, last)
        base = upto if final else base + place


def starts_field(window: Window, framing: Framing, offset: int) -> bool:
    """Whether a field starts at ``offset``, or behind line ends there, or the file ends.
    Looks at this place alone, and not at the chain of fields that leads to it."""
    data = window.read(offset, _GLANCE)
    place = 0
    while place < len(data) and data[place] in LINE_ENDS and not framing.measure(data, place):
        place += 1
    return place == len(data) or framing.measure(data, place) > 0


def _hop_plain(
    _framing: Framing, data: bytes, limit: int, wanted: Container[int], fields: list[Field]
) -> tuple[int, int]:
    """Go along the fields that start before ``limit``, or to where there is none: this
    place, and the last id. The loop sets the rate of all that reads AFP."""
    unpack, add = _INTRODUCER.unpack_from, fields.append
    place = kind = 0
    while place < limit:
        mark, length, class_, kind_ = unpack(data, place)
        if mark != 0x5A or length < 8 or class_ != 0xD3:  # above MAXIMUM it is negative
            if mark not in LINE_ENDS:
                break
            place += 1
            continue
        kind = kind_
        following = place + length + 1
        if kind in wanted:
            add((place, following, kind))
        place = following
    return place, kind


def _hop_framed(
    framing: Framing, data: bytes, limit: int, wanted: Container[int], fields: list[Field]
) -> tuple[int, int]:
    at = framing.introducer - 5
    place = kind = 0
    while place < limit:
        length = framing.measure(data, place)
        if length:
            kind = int.from_bytes(data[place + at : place + at + 2], "big")
            if kind in wanted:
                fields.append((place, place + length, kind))
            place += length
        elif data[place] in LINE_ENDS:
            place += 1
        else:
            break
    return place, kind


def _last_start(framing: Framing, data: bytes) -> int:
    """Where the field starts that runs over the end of ``data``."""
    at = framing.prefix + framing.marked
    place = 0
    while True:
        if not framing.measure(data, place) and data[place] in LINE_ENDS:
            place += 1
            continue
        length = int.from_bytes(data[place + at : place + at + 2], "big")
        if place + at + length > len(data):
            return place
        place += at + length


def _break(  # noqa: PLR0911  one way each in which a field can be none
    framing: Framing, data: bytes, base: int, place: int, size: int
) -> DamagedWalkError:
    """Why there is no whole field at ``place``."""
    while place < len(data) and data[place] in LINE_ENDS and not framing.measure(data, place):
        place += 1
    offset = base + place
    at = place + framing.prefix
    if not data[place : place + 64].strip(b"\0"):
        return DamagedWalkError(
            offset, "there are zeros where a field should start", "afp.truncated"
        )
    if framing.marked:
        if data[at : at + 1] not in (b"\x5a", b""):
            return DamagedWalkError(
                offset,
                f"there is no field here (byte {data[at]:02X} instead of 5A), {size - offset}"
                " bytes before the end",
            )
        at += 1
    if at + MINIMUM > len(data):
        return DamagedWalkError(
            offset, "the last field is cut off in its introducer", "afp.truncated"
        )
    length = int.from_bytes(data[at : at + 2], "big")
    if not MINIMUM <= length <= MAXIMUM:
        return DamagedWalkError(offset, f"a field claims a length of {length} bytes")
    end = base + at + length
    if end > size:
        return DamagedWalkError(
            offset,
            f"the last field is cut off: it should end at byte {end}, the file at {size}",
            "afp.truncated",
        )
    if data[at + 2] != CLASS:
        return DamagedWalkError(
            offset, f"there is no field here (class {data[at + 2]:02X} instead of D3)"
        )
    return DamagedWalkError(offset, "the length of a record is not that of its field")


def explain(window: Window, error: DamagedWalkError) -> Fault:
    """What broke the walk, for people."""
    code, message, remedy = error.code, error.message, RESEND
    if error.offset == 0 and _translated(window.read(0, 16)):
        code = "afp.ascii-transfer"
        message = "the AFP file was translated from EBCDIC to ASCII by a text-mode transfer"
    elif code == "afp.damaged" and _converted(window, error.offset):
        code = "afp.ascii-transfer"
        message = "the AFP file was changed by a text-mode transfer (line ends or code page)"
    if code == "afp.ascii-transfer":
        remedy = "transfer it in binary mode"
    return Fault(code=code, message=message, remedy=remedy, place=f"byte {error.offset}")


def _translated(head: bytes) -> bool:
    """Whether the first field looks like one whose ``5A`` and ``D3`` were taken for the
    EBCDIC letters ``!`` (or ``]``) and ``L``, lost their eighth bit, or became UTF-8."""
    mark, class_ = head[:1], head[3:8]
    if mark in (b"!", b"]"):
        return b"L" in class_
    return mark == b"Z" and class_.startswith((b"S", b"\xc3\x93", b"\xef\xbf\xbd", b"?"))


def _converted(window: Window, offset: int) -> bool:
    """Whether the break looks like a text-mode transfer: a CR was put before an LF
    inside a field, which moves everything behind it by a byte or a few."""
    start = max(0, offset - MAXIMUM)
    before = window.read(start, offset - start + 16)
    lone = before.count(b"\n") - before.count(b"\r\n")
    return b"\r\n" in before and lone == 0
