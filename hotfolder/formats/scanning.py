"""Going through a window forwards, a chunk at a time, in constant memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotfolder.formats.window import Window

_CHUNK = 1 << 20
_AHEAD = 512  # bytes behind a match that are at hand; a line of DSC has 255 at most


@dataclass(frozen=True, slots=True)
class Found:
    """A match: where it starts, the byte before it, and what stands from there on."""

    offset: int
    before: bytes
    text: bytes


class Scanner:
    """Finds a pattern in ``[start, end)`` of a window. Matches are shorter than
    ``_AHEAD``; looking backwards is allowed and slow."""

    def __init__(self, window: Window, pattern: re.Pattern[bytes], start: int, end: int) -> None:
        self._window = window
        self._pattern = pattern
        self._start = start
        self._end = min(end, window.size)
        self._base = start
        self._data = b""

    def find(self, offset: int) -> Found | None:
        """The first match that starts at or behind ``offset``; None if there is none."""
        while offset < self._end:
            self._load(offset)
            found = self._pattern.search(self._data, offset - self._base)
            upto = self._base + len(self._data)
            last = upto >= self._end
            if found is not None and (last or found.start() <= len(self._data) - _AHEAD):
                place = found.start()
                before = self._data[place - 1 : place] if place else b""
                return Found(self._base + place, before, self._data[place : place + _AHEAD])
            if last:
                return None
            offset = upto - _AHEAD + 1
        return None

    def _load(self, offset: int) -> None:
        """Have the chunk at ``offset`` and the byte before it at hand."""
        upto = self._base + len(self._data)
        if self._base <= offset and (offset + _AHEAD <= upto or upto >= self._end) and self._data:
            return
        self._base = max(self._start, offset - 1)
        self._data = self._window.read(self._base, min(_CHUNK, self._end - self._base))
        if not self._data:
            # The file is shorter than it was said to be.
            self._end = self._base


class Cursor:
    """A place in a window, with the bytes that follow it. ``place`` counts in ``data``."""

    def __init__(self, window: Window, offset: int) -> None:
        self._window = window
        self._base = offset
        self.data = b""
        self.place = 0

    @property
    def offset(self) -> int:
        """Where it stands in the window."""
        return self._base + self.place

    @property
    def size(self) -> int:
        """Of the window."""
        return self._window.size

    def fill(self, wanted: int) -> bool:
        """Have ``wanted`` bytes at hand, or all that there are; false at the end."""
        if len(self.data) - self.place < wanted and self._base + len(self.data) < self.size:
            self._base += self.place
            self.data = self._window.read(self._base, max(wanted, _CHUNK))
            self.place = 0
            if not self.data:
                return False
        return self.place < len(self.data)

    def skip(self, count: int) -> None:
        """Go ``count`` bytes on, without reading them; not past the end."""
        self.seek(min(self.offset + count, self.size))

    def seek(self, offset: int) -> None:
        """Go to ``offset``."""
        if self._base <= offset <= self._base + len(self.data):
            self.place = offset - self._base
        else:
            self._base, self.data, self.place = offset, b"", 0
