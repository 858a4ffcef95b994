"""The text of AFP pages: presentation text (PTX) is control sequences with texts between.

A control sequence is its own length, a type and parameters; ``2B D3`` comes before the
first, and an odd type says that another follows at once. TRN has text as it is, RPS text
that is repeated (PTOCA Reference, AFPC-0009).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hotfolder.indexes.codepages import CodePage, find_code_page

_ESCAPE = b"\x2b\xd3"
_SCFL, _TRN, _RPS = 0xF0, 0xDA, 0xEE  # set coded font local; texts
_AMI, _RMI = 0xC6, 0xC8  # across: to a place, by a distance
_DOWN = (0xD2, 0xD4, 0xD8)  # AMB, RMB, BLN
_STO = 0xF6  # the direction of the text
_MOST_REPEATED = 32_768  # bytes
_BLANK = 50  # parts of an inch: a shorter step moves a letter, a longer one parts words
LONGEST = 1_000_000  # characters of a page


class Control(NamedTuple):
    """A control sequence; its type without the bit that chains. 0: text without one."""

    kind: int
    data: bytes


def read_controls(data: bytes) -> Iterator[Control]:
    """The control sequences of a PTX field. What is cut off or has no sense is a text."""
    place = 0
    chained = False
    while place < len(data):
        if not chained:
            start = data.find(_ESCAPE, place)
            if start != place:
                upto = len(data) if start < 0 else start
                yield Control(0, data[place:upto])
                place = upto
                continue
            place += 2
        length = data[place] if place < len(data) else 0
        if length < 2 or place + length > len(data):
            if place < len(data):
                yield Control(0, data[place:])
            return
        kind = data[place + 1]
        yield Control(kind & 0xFE, data[place + 2 : place + length])
        chained = bool(kind & 1)
        place += length


class FontPages:
    """Which code page the fonts of a page have, as its MCF and MDR fields map them."""

    def __init__(self, code_page: CodePage) -> None:
        self._default = code_page
        self._pages: dict[int, CodePage] = {}

    def clear(self) -> None:
        """A page begins: local ids are its own."""
        self._pages.clear()

    def add(self, local: int, code_page: str) -> None:
        """The font ``local`` has this code page: ``T1V10500`` ends with its number."""
        digits = "".join(letter for letter in code_page[-4:] if letter.isdigit())
        page = find_code_page(digits) if digits else None
        if page is not None:
            self._pages[local] = page

    def decode(self, local: int, data: bytes) -> str:
        """A text in the font ``local``; in hexadecimal if it is none there."""
        page = self._pages.get(local, self._default)
        try:
            return data.decode("utf-16-be") if page.utf16 else page.decode(data)
        except UnicodeDecodeError:
            return data.hex()


class PageText:
    """The lines of a page, in the order in which they are written. A step down begins a
    line, and a step across a word, unless it is small."""

    def __init__(self, fonts: FontPages) -> None:
        self._fonts = fonts
        self._font = 0
        self._parts: list[str] = []
        self._length = 0
        self.blank = 1440 // _BLANK  # units

    def measure(self, units_for_ten_inches: int) -> None:
        """What a PTD says: how long the units of steps are."""
        if units_for_ten_inches:
            self.blank = max(1, units_for_ten_inches // 10 // _BLANK)

    def take(self, data: bytes) -> None:
        """A PTX field."""
        for kind, body in read_controls(data):
            if kind == _SCFL and body:
                self._font = body[0]
            elif kind in (_TRN, 0):
                self._add(self._fonts.decode(self._font, body))
            elif kind == _RPS:
                self._add(self._fonts.decode(self._font, _repeated(body)))
            elif kind in _DOWN or kind == _STO:
                self._add("\n")
            elif kind == _AMI or (kind == _RMI and _signed(body) >= self.blank):
                self._add(" ")

    def _add(self, text: str) -> None:
        if self._length < LONGEST:
            self._parts.append(text)
            self._length += len(text)

    @property
    def whole(self) -> bool:
        """Whether nothing was left out for being too much."""
        return self._length < LONGEST

    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)[:LONGEST]


def _repeated(body: bytes) -> bytes:
    length = min(int.from_bytes(body[:2], "big"), _MOST_REPEATED)
    text = body[2:]
    return (text * (length // len(text) + 1))[:length] if text else b""


def _signed(body: bytes) -> int:
    return int.from_bytes(body[:2], "big", signed=True)


def without_texts(data: bytes) -> bytes:
    """A PTX field without its texts: where they would stand, and how."""
    return b"".join(
        bytes((kind,)) + (b"" if kind in (0, _TRN, _RPS) else body)
        for kind, body in read_controls(data)
    )
