"""What stands around the structured fields of an AFP (MO:DCA) file.

A field is ``5A``, a big-endian length that counts all but the ``5A``, a three-byte id
(class ``D3``, type, category), a flag byte, two reserved bytes and data; the next field
follows at once (reference/exstream-output-and-records-rules.md, section 3). In files
from mainframes fields may lack the ``5A``, or have the length of their record before
them; line ends may stand between fields. The head tells; the rest is held to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

MINIMUM, MAXIMUM = 8, 32767  # what the length of a field may say
CLASS = 0xD3
LINE_ENDS = b"\r\n\x15\x25"  # the last two are EBCDIC: NL and LF
HEAD = 4096  # bytes; what ``find_framing`` wants to see

# Ids without the class.
BDT, EDT = 0xA8A8, 0xA9A8  # document
BNG, ENG = 0xA8AD, 0xA9AD  # named page group
BPG, EPG = 0xA8AF, 0xA9AF  # page
BRG, ERG = 0xA8C6, 0xA9C6  # resource group
BDI, EDI = 0xA8A7, 0xA9A7  # document index
IMM = 0xABCC  # invoke medium map
TLE = 0xA090  # tag logical element
BEGIN, END = 0xA800, 0xA900  # the type alone
BEGINS_AND_ENDS = frozenset([*range(BEGIN, BEGIN + 256), *range(END, END + 256)])

_LEADING = 8  # line ends before the first field


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """What stands before the length of every field: the length of its record in
    ``prefix`` bytes, and ``5A`` if ``marked``.

    The length of the record counts ``extra`` bytes besides the field (0, or the prefix
    itself). A record descriptor word has it in its upper half and zero in its lower
    (``shift``; z/OS DFSMS Using Data Sets, variable-length records).
    """

    prefix: int = 0
    shift: int = 0
    extra: int = 0
    marked: bool = True

    @property
    def plain(self) -> bool:
        """Whether it is ``5A`` and nothing else."""
        return self.marked and not self.prefix

    @property
    def introducer(self) -> int:
        """Bytes from the start of a record to the data of the field."""
        return self.prefix + self.marked + MINIMUM

    def measure(self, data: bytes, place: int) -> int:
        """The length of the record at ``place``, with its prefix, whether or not all of
        it is there; 0 if no record starts there."""
        at = place + self.prefix
        if self.marked:
            if data[at : at + 1] != b"\x5a":
                return 0
            at += 1
        if len(data) < at + MINIMUM or data[at + 2] != CLASS:
            return 0
        length = int.from_bytes(data[at : at + 2], "big")
        if not MINIMUM <= length <= MAXIMUM:
            return 0
        length += self.marked
        told = int.from_bytes(data[place : place + self.prefix], "big")
        if self.prefix and told != length + self.extra << self.shift:
            return 0
        return self.prefix + length

    def make(self, kind: int, data: bytes) -> bytes:
        """A field with the id ``kind``, framed so."""
        body = (MINIMUM + len(data)).to_bytes(2, "big") + bytes((CLASS,)) + kind.to_bytes(2, "big")
        field = b"\x5a" * self.marked + body + bytes(3) + data
        told = (len(field) + self.extra << self.shift) if self.prefix else 0
        return told.to_bytes(self.prefix, "big") + field


PLAIN = Framing()
_PREFIXES = ((2, 0, 0), (2, 0, 2), (4, 16, 4), (4, 16, 0), (4, 0, 0), (4, 0, 4))
_OTHERS = (
    *(
        Framing(prefix=prefix, shift=shift, extra=extra, marked=marked)
        for marked, (prefix, shift, extra) in product((True, False), _PREFIXES)
    ),
    Framing(marked=False),
)


def find_framing(head: bytes) -> Framing | None:
    """How the fields of the file with this head are framed; None if it is not AFP.

    Any field with ``5A`` at the start will do. Every other framing must begin with a
    Begin field or a comment, and fit the second field as far as the head has it.
    """
    start = 0
    while start < min(len(head), _LEADING) and head[start] in LINE_ENDS:
        start += 1
    if PLAIN.measure(head, start):
        return PLAIN
    for place in dict.fromkeys((0, start)):  # a length may look like a line end
        for framing in _OTHERS:
            if _fits(framing, head, place):
                return framing
    return None


def _fits(framing: Framing, head: bytes, place: int) -> bool:
    length = framing.measure(head, place)
    if not length:
        return False
    at = place + framing.introducer - 5
    if head[at] != BEGIN >> 8 and head[at : at + 2] != b"\xee\xee":
        return False
    place += length
    while place < len(head) and not framing.measure(head, place) and head[place] in LINE_ENDS:
        place += 1
    return place + framing.introducer > len(head) or framing.measure(head, place) > 0
