"""Random access to a spool in bounded memory, however large it is."""

from __future__ import annotations

import io
from typing import BinaryIO

_SMALL = 1 << 20  # bytes; what is read at once


class Window:
    """A seekable stream of known size; what lies past ``size`` does not exist, even
    if the file grows meanwhile."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only at the end."""
        wanted = max(0, min(length, self.size - offset))
        if not wanted:
            return b""  # an offset that a file claims may be one to which no file can be set
        self._stream.seek(offset)
        parts: list[bytes] = []
        while wanted:
            part = self._stream.read(wanted)
            if not part:
                break
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def reader(self) -> BinaryIO:
        """A buffered, seekable reader of the whole window, for libraries that want one."""
        if self.size <= _SMALL:
            # Without a Python method behind every seek: half the time of a small PDF.
            return io.BytesIO(self.read(0, self.size))
        return io.BufferedReader(_Raw(self), 65536)


class _Raw(io.RawIOBase):
    """The window as a raw stream. Closing it leaves the window's own stream open."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._window.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        data = self._window.read(self._place, len(buffer))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
