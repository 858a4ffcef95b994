"""ZIP: whole if its central directory and every member in it can be read.

The directory at the end tells where the members are (PKWARE, APPNOTE 4.3; ZIP64 in 4.3.14
and 4.5.3). Each is unpacked in pieces, for nothing but its CRC-32 and its length. Not
checked inside, and no fault: members that are encrypted, or packed in a way that Python
does not have (Deflate64, Zstandard, PPMd...), and what comes after ``MOST_UNPACKED``
bytes. Their places and names are checked all the same.

Refused besides damage: names that lead out of a folder (absolute, ``..``, drives,
backslashes), members that overlap, packages that unpack to more than ``MOST_RATIO`` times
their size, parts of split archives. Notes name a member by its number in the directory,
never by its name, which may be a customer's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hotfolder.core.errors import Fault
from hotfolder.core.records import Inspection
from hotfolder.formats.damage import DamageError
from hotfolder.formats.unpackers import DAMAGES, LZMA, STORED, make_unpacker
from hotfolder.formats.window import Window

MEDIA_TYPE = "application/zip"

MOST_UNPACKED = 64 << 30  # bytes; what comes behind them is not checked
MOST_RATIO = 1100  # Deflate reaches 1032
MOST_MEMBERS = 10_000_000

_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LONGEST_END = 22 + 65535  # with its comment
_PIECE = 1 << 18
_DIRECTORY_PIECE = 1 << 20
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # member, strongly, or the directory itself


def recognises(head: bytes) -> bool:
    """Whether a file with this head is ZIP: with a member, or empty."""
    return head.startswith((_LOCAL, _END))


def inspect(window: Window, *, full: bool) -> Inspection:
    """See ``registry.inspect_spool``. The quick look finds the directory's end."""
    try:
        directory = find_directory(window)
        unchecked = _check_members(window, directory) if full else 0
    except DamageError as damage:
        return Inspection(format_name="zip", media_type=MEDIA_TYPE, fault=damage.fault())
    return Inspection(
        format_name="zip",
        media_type=MEDIA_TYPE,
        remark=Fault(
            code="zip.unchecked",
            message=f"{unchecked} members are encrypted or packed in a way that cannot be"
            " unpacked here: whether they are whole is not known",
            remedy="nothing, if the archive is meant to be so",
        )
        if unchecked
        else None,
    )


def count_members(window: Window) -> int:
    """How many entries the directory of a package says that it has; 0 if it has none."""
    try:
        return find_directory(window).members
    except DamageError:
        return 0


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies, and how many entries it says it has."""

    offset: int
    size: int
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the central directory; ``number`` counts from 1. ``attributes`` are the
    external ones, whose upper half is a mode where ``system`` is Unix (APPNOTE 4.4.15)."""

    number: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    name: bytes
    length: int  # of the entry itself
    system: int = 0
    attributes: int = 0


# -- the end ----------------------------------------------------------------------
def find_directory(window: Window) -> Directory:
    """The directory, from the last record of the file. Raises ``DamageError`` if there
    is none, or if it does not lie right before that record."""
    reach = min(window.size, _LONGEST_END + 4096)
    start = window.size - reach
    tail = window.read(start, reach)
    place = len(tail)
    while (place := tail.rfind(_END, 0, place)) >= 0:
        record = tail[place : place + 22]
        if len(record) == 22:
            comment = place + 22 + struct.unpack("<H", record[20:])[0]
            # Zeros may follow: some systems write in blocks.
            if comment <= len(tail) and not tail[comment:].strip(b"\x00"):
                return _read_end(window, start + place, record)
    zeros = window.size > reach and not tail.strip(b"\x00")
    raise DamageError(
        "zip.truncated",
        "the ZIP package has no end: its directory is missing"
        + (" (the end of the file is all zeros)" if zeros else ""),
        window.size,
    )


def _read_end(window: Window, at: int, record: bytes) -> Directory:
    disk, first_disk, here, members, size, offset = struct.unpack("<4H2I", record[4:20])
    end = at
    locator = window.read(at - 20, 20) if at >= 20 else b""
    if locator.startswith(_LOCATOR64):
        end = struct.unpack("<Q", locator[8:16])[0]
        large = window.read(end, 56)
        if len(large) < 56 or not large.startswith(_END64) or end > at - 76:
            raise _damaged("the ZIP64 end of its directory is missing", at - 20)
        disk, first_disk, here, members, size, offset = struct.unpack("<2I4Q", large[16:56])
    if disk not in (0, _FULL16) or first_disk not in (0, _FULL16) or here != members:
        raise DamageError(
            "zip.split",
            "the ZIP package is one part of a split archive",
            at,
            "send it as one file",
        )
    if offset + size != end:
        raise _damaged("its directory is not where it says", at)
    return Directory(offset, size, members)


# -- the directory ----------------------------------------------------------------
def read_entries(window: Window, directory: Directory) -> Iterator[Member]:
    """The entries of the central directory. Raises ``DamageError`` where it is broken."""
    offset, end = directory.offset, directory.offset + directory.size
    base, data = offset, b""
    number = 0
    while offset < end:
        number += 1
        if offset + 46 + 3 * _FULL16 > base + len(data) and base + len(data) < end:
            base = offset
            data = window.read(base, min(_DIRECTORY_PIECE, end - base))
        member = _read_entry(data, offset - base, number, offset)
        if number > directory.members or offset + member.length > end:
            raise _damaged(f"its directory is broken at entry {number}", offset)
        yield member
        offset += member.length
    if number != directory.members:
        raise _damaged(f"its directory has {number} entries instead of {directory.members}", end)


def _read_entry(data: bytes, place: int, number: int, offset: int) -> Member:
    if len(data) < place + 46 or not data.startswith(_CENTRAL, place):
        raise _damaged(f"its directory is broken at entry {number}", offset)
    system, flags, method, crc, packed, size, *lengths, disk, attributes, local = (
        struct.unpack_from("<5xB2x2H4x3I4H2x2I", data, place)
    )
    name_length, extra_length, comment_length = lengths
    behind_name = place + 46 + name_length
    name = data[place + 46 : behind_name]
    if _FULL32 in (packed, size, local):
        extra = data[behind_name : behind_name + extra_length]
        size, packed, local = _widen(extra, size, packed, local)
    if disk not in (0, _FULL16):
        raise _damaged(f"member {number} lies in another file", offset)
    return Member(
        number,
        flags,
        method,
        crc,
        packed,
        size,
        local,
        name,
        46 + name_length + extra_length + comment_length,
        system,
        attributes,
    )


def _widen(extra: bytes, *numbers: int) -> Iterator[int]:
    """Size, packed size and offset, each from the ZIP64 field if it says FFFFFFFF."""
    wide = b""
    while len(extra) >= 4:
        kind, length = struct.unpack("<2H", extra[:4])
        if kind == 0x0001:
            wide = extra[4 : 4 + length]
            break
        extra = extra[4 + length :]
    for number in numbers:
        if number == _FULL32 and len(wide) >= 8:
            yield int(struct.unpack("<Q", wide[:8])[0])
            wide = wide[8:]
        else:
            yield number


# -- the members ------------------------------------------------------------------
def _check_members(window: Window, directory: Directory) -> int:
    """Check every member; returns how many could not be unpacked. Raises ``DamageError`` at
    the first that is damaged."""
    packed = unpacked = checked = unchecked = 0
    for member in read_entries(window, directory):
        if member.number > MOST_MEMBERS:
            return unchecked + directory.members - MOST_MEMBERS
        check_name(member)
        packed += member.packed + 30 + len(member.name)
        unpacked += member.size
        if packed > directory.offset:
            raise _damaged("its members overlap", member.offset)
        if unpacked > MOST_RATIO * window.size:
            raise DamageError(
                "zip.ratio",
                f"the ZIP package unpacks to more than {MOST_RATIO} times its size",
                member.offset,
                "send the files in it another way",
            )
        start = find_data(window, member, directory)
        checked += member.size
        skipped = member.flags & ENCRYPTED or checked > MOST_UNPACKED
        if skipped or not check_content(window, member, start):
            unchecked += 1
    return unchecked


def check_name(member: Member) -> None:
    """Raise ``DamageError`` for a name that leads out of a folder."""
    name = member.name
    if (
        not name
        or name.startswith(b"/")
        or b"\\" in name
        or b"\x00" in name
        or name[1:2] == b":"
        or b".." in name.split(b"/")
    ):
        raise DamageError(
            "zip.name",
            f"member {member.number} of the ZIP package has a name that leads out of its folder,"
            " or is none",
            member.offset,
            "pack it with relative names and forward slashes",
        )


def find_data(window: Window, member: Member, directory: Directory) -> int:
    """Where the packed bytes of a member begin."""
    head = window.read(member.offset, 30)
    if len(head) < 30 or not head.startswith(_LOCAL):
        raise _damaged(f"member {member.number} is not where its directory says", member.offset)
    method, name_length, extra_length = struct.unpack("<8xH16x2H", head)
    start = member.offset + 30 + int(name_length) + int(extra_length)
    if start + member.packed > directory.offset:
        raise _damaged(f"member {member.number} is longer than its place", member.offset)
    hidden = member.flags & 0x2000  # the directory is encrypted, and local headers are masked
    name = window.read(member.offset + 30, name_length)
    if not hidden and (method != member.method or name != member.name):
        raise _damaged(f"member {member.number} is not what its directory says", member.offset)
    return start


def _drop(_piece: bytes) -> None:
    """Nobody wants what was unpacked."""


def check_content(
    window: Window, member: Member, start: int, sink: Callable[[bytes], object] = _drop
) -> bool:
    """Unpack a member into ``sink`` and compare it; False if nothing here can unpack it.
    No more is unpacked than one piece beyond what the directory says. Raises
    ``DamageError``."""
    end = start + member.packed
    crc = size = 0
    try:
        unpacker, offset = make_unpacker(window, member.method, start, member.size)
        if unpacker is None:
            return False
        while True:
            piece = b""
            if unpacker.needs_input:
                piece = window.read(offset, min(_PIECE, end - offset))
                offset += len(piece)
            out = unpacker.decompress(piece, _PIECE)
            crc = zlib.crc32(out, crc)
            size += len(out)
            sink(out)
            if size > member.size or unpacker.eof or not (out or piece):
                break
    except DAMAGES as error:
        raise _damaged(f"member {member.number} cannot be unpacked", start) from error
    # LZMA need not tell its end: the length is known.
    whole = unpacker.eof or member.method in (STORED, LZMA)
    rest = unpacker.unused_data or offset < end
    if size != member.size or crc != member.crc or not whole or rest:
        raise _damaged(f"member {member.number} is not what was packed", start)
    return True


def _damaged(message: str, offset: int) -> DamageError:
    return DamageError("zip.damaged", f"the ZIP package is damaged: {message}", offset)
