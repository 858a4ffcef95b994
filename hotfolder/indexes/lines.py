"""The lines of an index, in bounded memory, whatever it is written in.

The first bytes tell the script: a byte order mark, UTF-16 without one, or EBCDIC.
UTF-16 is turned into UTF-8 on the way, so that one way of cutting lines serves all.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO

from hotfolder.indexes.faults import reject

MAX_LINE = 1 << 20  # bytes
_CHUNK = 1 << 16
_HEAD = 4096
_LETTERS = (
    *range(0x81, 0x8A), *range(0x91, 0x9A), *range(0xA2, 0xAA),
    *range(0xC1, 0xCA), *range(0xD1, 0xDA), *range(0xE2, 0xEA), *range(0xF0, 0xFA),
)  # fmt: skip
_EBCDIC_WORDS = bytes(_LETTERS)
# Blank, line ends, and . < ( + & ! $ * ) ; - / , % _ > ? : # @ ' = " as in all EBCDIC pages.
_EBCDIC_REST = bytes.fromhex("40 15 25 0d 4b 4c 4d 4e 50 5d 5e 60 61 6b 6c 6d 6e 6f 7a 7d 7e 7f")


class Script(Enum):
    """What the first bytes of an index tell about the rest."""

    PLAIN = "plain"  # ASCII and something above it
    UTF8 = "utf-8"  # a byte order mark says so
    UTF16 = "utf-16"
    EBCDIC = "ebcdic"


class Source:
    """An index from its first character on. UTF-16 is given out as UTF-8."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        """Reads the head. Raises ``InputFault`` for what no reader reads (UTF-32)."""
        self.file = file
        self._stream = stream
        self._head = _read_full(stream, _HEAD)
        self._decoder: codecs.IncrementalDecoder | None = None
        self._place = 0
        self.script = self._look()
        self.newline = self._find_newline()

    def read(self, size: int) -> bytes:
        """About ``size`` bytes, less only at the end, and none behind it."""
        while True:
            data = self._take(size)
            if self._decoder is None:
                return data
            text = self._recode(self._decoder, data)
            if text or not data:
                return text

    def _take(self, size: int) -> bytes:
        if self._head:
            data, self._head = self._head, b""
            return data
        return _read_full(self._stream, size)

    def _recode(self, decoder: codecs.IncrementalDecoder, data: bytes) -> bytes:
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise reject(
                "index.encoding",
                "the index is UTF-16, and damaged or cut off",
                "send it again in binary mode, or write it as UTF-8",
                file=self.file,
                place=f"byte {max(0, self._place + error.start - len(error.object) + len(data))}",
            ) from error
        self._place += len(data)
        return text.encode("utf-8")

    def _look(self) -> Script:
        head = self._head
        if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise reject(
                "index.encoding",
                "the index is UTF-32",
                "write it as UTF-8",
                file=self.file,
                place="byte 0",
            )
        if head.startswith(codecs.BOM_UTF8):
            self._head = head[3:]
            return Script.UTF8
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            wide = "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
            self._head, self._place = head[2:], 2
        else:
            wide = _wide_without_mark(head)
        if wide:
            self._decoder = codecs.getincrementaldecoder(wide)()
            return Script.UTF16
        return Script.EBCDIC if _is_ebcdic(head) else Script.PLAIN

    def _find_newline(self) -> bytes:
        head = self._head
        if self.script is Script.EBCDIC:
            # NL on mainframes, LF where a file went through a Unix system.
            places = {head.find(mark): mark for mark in (b"\x15", b"\x25")}
            places.pop(-1, None)
            return places[min(places)] if places else b"\x15"
        if self.script is not Script.UTF16 and b"\r" in head and b"\n" not in head:
            return b"\n" if head.endswith(b"\r") and head.count(b"\r") == 1 else b"\r"
        return b"\n"


class Lines:
    """The lines of a source with their numbers from 1, without their ends.

    ``cut`` is true once the last line was given and had no end.
    """

    def __init__(self, source: Source, newline: bytes = b"") -> None:
        self._source = source
        self._newline = newline or source.newline
        self.number = 0
        self.cut = False

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Raises ``InputFault`` at a line longer than ``MAX_LINE``."""
        rest = b""
        while chunk := self._source.read(_CHUNK):
            parts = (rest + chunk).split(self._newline)
            rest = parts.pop()
            for part in parts:
                self.number += 1
                if len(part) > MAX_LINE:
                    raise self._too_long(self.number)
                yield self.number, part
            if len(rest) > MAX_LINE:
                raise self._too_long(self.number + 1)
        if rest:
            self.number += 1
            self.cut = True
            yield self.number, rest

    def _too_long(self, number: int) -> Exception:
        return reject(
            "index.line",
            f"a line is longer than {MAX_LINE} bytes",
            "check that this is an index and that its line ends are what is configured",
            file=self._source.file,
            place=f"line {number}",
        )


def _read_full(stream: BinaryIO, size: int) -> bytes:
    """``size`` bytes, less only at the end of the stream."""
    data = stream.read(size) or b""
    if not data or len(data) >= size:
        return data
    parts = [data]
    wanted = size - len(data)
    while wanted > 0 and (data := stream.read(wanted)):
        parts.append(data)
        wanted -= len(data)
    return b"".join(parts)


def _wide_without_mark(head: bytes) -> str:
    """UTF-16 of mostly Latin text has a NUL in every other place, and nothing else has."""
    if len(head) < 4:
        return ""
    for wide, nul, letter in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        nuls, letters = head[nul:64:2], head[letter:64:2]
        if not nuls.strip(b"\0") and b"\0" not in letters:
            return wide
    return ""


def _is_ebcdic(head: bytes) -> bool:
    """Nearly all bytes are EBCDIC letters, digits and marks, and it is no UTF-8."""
    if head.isascii():
        return False
    words = len(head) - len(head.translate(None, _EBCDIC_WORDS))
    marks = len(head) - len(head.translate(None, _EBCDIC_REST))
    if words * 3 < len(head) or (words + marks) * 10 < len(head) * 9:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return True
    return False
