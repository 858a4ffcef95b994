"""Encrypted files as streams of what was encrypted, seekable where that can be."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Iterator
from typing import BinaryIO

from hotfolder.files.faults import os_errors
from hotfolder.store.ciphers import Stream
from hotfolder.store.keyfile import KeyFile
from hotfolder.store.keyring import Keyring
from hotfolder.store.sealedmap import Segment, Segments
from hotfolder.store.sealing import content_key

BUFFER = 256 << 10


class _Raw(io.RawIOBase):
    """A stream over another; closing it closes that."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._size - self._place)
        if wanted <= 0:
            return 0
        data = self._some(wanted)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    @abstractmethod
    def _some(self, wanted: int) -> bytes:
        """The next bytes at the place, decrypted: one at least, ``wanted`` at most."""

    def _read(self, wanted: int) -> bytes:
        with os_errors("reading the store"):
            self._source.seek(self._place)
            return self._source.read(wanted)


class _Content(_Raw):
    def __init__(
        self, source: BinaryIO, segments: Segments, keys: KeyFile, keyring: Keyring, size: int
    ) -> None:
        super().__init__(source, size)
        self._segments = segments
        self._keys = keys
        self._keyring = keyring
        self._segment: Segment | None = None
        self._key = b""  # of that segment
        self._stream: Stream | None = None
        self._at = -1  # where the stream stands

    def close(self) -> None:
        self._keys.close()
        super().close()

    def _some(self, wanted: int) -> bytes:
        segment = self._segment
        if segment is None or not 0 <= self._place - segment.offset < segment.length:
            number = self._segments.at(self._place)
            segment = self._segments[number]
            # Asked anew for each segment: it may have been destroyed a moment ago.
            self._key = content_key(self._keys.key(segment.slot, self._keyring))
            self._segment, self._stream = segment, None
        if self._stream is None or self._at != self._place:
            self._stream = Stream(self._key, self._place)
        data = self._stream.update(
            self._read(min(wanted, segment.offset + segment.length - self._place))
        )
        self._at = self._place + len(data)
        return data


class _File(_Raw):
    def __init__(self, source: BinaryIO, key: bytes, size: int) -> None:
        super().__init__(source, size)
        self._key = key

    def _some(self, wanted: int) -> bytes:
        return Stream(self._key, self._place).update(self._read(wanted))


class _Lines(io.RawIOBase):
    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        if not self._left:
            self._left = next(self._lines, b"")
        data, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def content_stream(
    source: BinaryIO, segments: Segments, keys: KeyFile, keyring: Keyring, size: int
) -> BinaryIO:
    """The content of a spool. Reading what is destroyed raises ``Destroyed``. Source and keys
    are closed with it."""
    return io.BufferedReader(_Content(source, segments, keys, keyring, size), BUFFER)


def file_stream(source: BinaryIO, key: bytes, size: int) -> BinaryIO:
    """A file that is under one key. Source is closed with it."""
    return io.BufferedReader(_File(source, key, size), BUFFER)


def line_stream(lines: Iterator[bytes]) -> BinaryIO:
    """Lines, one after the other; not seekable."""
    return io.BufferedReader(_Lines(lines), BUFFER)
