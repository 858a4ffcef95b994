"""Indexes for tests: streams that are made as they are read, and what a reader said."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, cast

import pytest

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.indexed import IndexedDocument

Reader = Callable[..., Iterator[IndexedDocument]]


class Made(io.RawIOBase):
    """A stream of bytes that an iterator makes. ``given`` counts what was read of it."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._rest = b""
        self.given = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._rest = part
        data, self._rest = self._rest[:size], self._rest[size:]
        self.given += len(data)
        return data


def made(parts: Iterable[bytes]) -> BinaryIO:
    """A stream of these parts."""
    return cast("BinaryIO", Made(parts))


def read_all(reader: Reader, data: bytes, **given: object) -> list[IndexedDocument]:
    """All documents of an index."""
    return list(reader(io.BytesIO(data), "x.ind", **given))


def fault_of(reader: Reader, data: bytes | BinaryIO, **given: object) -> Fault:
    """The one fault that reading ends in, with all that a fault needs."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    with pytest.raises(InputFault) as caught:
        for _ in reader(stream, "x.ind", **given):
            pass
    (fault,) = caught.value.faults
    check_fault(fault)
    assert fault.file == "x.ind"
    return fault


def check_fault(fault: Fault) -> None:
    """A fault has words, a remedy and a place, and can be written down."""
    assert fault.code
    assert fault.message
    assert fault.remedy
    assert fault.place or fault.code == "index.doctype"
    str(fault).encode()


def skipping(
    reader: Reader, data: bytes, **given: object
) -> tuple[list[IndexedDocument], list[Fault]]:
    """The documents, and what was skipped."""
    skipped: list[Fault] = []
    return read_all(reader, data, skip=skipped.append, **given), skipped


def peak_of(read: Callable[[], object]) -> int:
    """The most bytes that Python held at once while ``read`` ran."""
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def count(documents: Iterable[IndexedDocument]) -> int:
    """How many there are, and that they are numbered so."""
    number = 0
    for number, document in enumerate(documents, 1):
        assert document.ordinal == number
    return number
