"""Unpacking the members of a ZIP package piece by piece (PKWARE, APPNOTE 4.4.5 and 5)."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import Protocol

from hotfolder.formats.window import Window

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
DAMAGES = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)  # what they raise

_LARGEST_DICTIONARY = 64 << 20  # bytes that LZMA may take


class Unpacker(Protocol):
    """What ``bz2`` and ``lzma`` have in common. ``eof``: the packed data has told its end."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Stored:
    """No packing at all; the end is where the directory says."""

    eof = False
    needs_input = True
    unused_data = b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:  # noqa: ARG002
        return data


class _Inflater:
    """Raw Deflate in the manner of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max(0, max_length))


def make_unpacker(
    window: Window, method: int, start: int, size: int
) -> tuple[Unpacker | None, int]:
    """An unpacker for ``size`` bytes packed at ``start``, and where its input begins; None
    if there is none for the method. Raises ``ValueError`` if the packed bytes begin wrongly."""
    if method == STORED:
        return _Stored(), start
    if method == DEFLATED:
        return _Inflater(), start
    if method == BZIP2:
        return bz2.BZ2Decompressor(), start
    if method == LZMA:
        return _make_lzma(window.read(start, 9), size), start + 9
    return None, start


def _make_lzma(head: bytes, size: int) -> Unpacker | None:
    """By the properties that stand before the data (APPNOTE 5.8.8): two bytes of version,
    their length, a byte for three numbers, the size of the dictionary."""
    if len(head) < 9 or head[2:4] != b"\x05\x00" or head[4] >= 9 * 5 * 5:
        raise ValueError("the properties of LZMA are wrong")
    rest, lc = divmod(head[4], 9)
    pb, lp = divmod(rest, 5)
    # No match reaches back further than the member is long.
    dictionary = min(int.from_bytes(head[5:9], "little"), max(4096, size))
    if dictionary > _LARGEST_DICTIONARY or lc + lp > 4:
        return None
    return lzma.LZMADecompressor(
        lzma.FORMAT_RAW,
        filters=[
            {
                "id": lzma.FILTER_LZMA1,
                "dict_size": max(4096, dictionary),
                "lc": lc,
                "lp": lp,
                "pb": pb,
            }
        ],
    )
