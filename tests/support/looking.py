"""Looks at the bytes of a spool, and at what is left of it when it is cut."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hotfolder.core.records import Inspection
from hotfolder.formats import inspect_spool, inspect_trailer


def look(data: bytes, name: bytes = b"spool") -> Inspection:
    """The whole look."""
    return inspect_spool(io.BytesIO(data), len(data), name)


def quick(data: bytes, name: bytes = b"spool") -> Inspection:
    """The look while settling."""
    return inspect_trailer(io.BytesIO(data), len(data), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The lengths to which a spool was cut and was taken nevertheless as its format."""

    whole: tuple[int, ...]  # by the whole look
    quick: tuple[int, ...]  # by the quick look
    sure: tuple[int, ...]  # by the quick look, which also claims to see an end


def cut(data: bytes, format_name: str, lengths: Iterable[int] | None = None) -> Cuts:
    """Cut at every byte, or to ``lengths``. The two looks must not contradict."""
    whole, short, sure = [], [], []
    for length in range(1, len(data) + 1) if lengths is None else lengths:
        part = data[:length]
        full, first = look(part), quick(part)
        if full.format_name == format_name and full.fault is None:
            whole.append(length)
            assert first.fault is None, f"whole at {length}, but its end is not seen"
        if first.format_name == format_name and first.fault is None:
            short.append(length)
            if first.has_trailer:
                sure.append(length)
    return Cuts(whole=tuple(whole), quick=tuple(short), sure=tuple(sure))


def code_of(data: bytes) -> str | None:
    """The code of the fault that the whole look finds; it has words, and ends in a remedy."""
    fault = look(data).fault
    if fault is None:
        return None
    assert fault.message, fault
    assert fault.remedy, fault
    assert fault.place, fault
    return fault.code


def peak_of_look(path: Path) -> tuple[Inspection, int]:
    """The whole look at a file, and the most bytes that it held at once."""
    tracemalloc.start()
    try:
        with path.open("rb") as stream:
            found = inspect_spool(stream, path.stat().st_size, os.fsencode(path.name))
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
