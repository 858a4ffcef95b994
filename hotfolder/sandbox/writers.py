"""How producers write into a folder: well, badly, and in ways that fool a watcher.

A behaviour is a generator that does one system-visible step after another and yields
the seconds it would pause before the next. So one behaviour can be played at once,
in real time, or interleaved with others by whoever drives it; ``perform`` plays one.
Nothing is synced: producers do not.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass

from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.exstream import Expected, Output, make_output
from hotfolder.sandbox.sidecarwriter import SidecarKind

Writing = Generator[float, None, Expected]
Behaviour = Callable[[bytes, Output, "Pace"], Writing]

MODE = 0o640
_OLD = 1_200_000_000  # January 2008: a modification time that a copy may preserve


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a behaviour writes: in so many chunks, ``pause`` seconds between steps.

    ``staging`` is a folder on the same file system that nobody watches; behaviours
    that link or move something in need it. ``trigger`` and ``temporary`` are the
    suffixes that the producer and the hot folder have agreed on.
    """

    chunks: int = 4
    pause: float = 0.0
    staging: bytes = b""
    trigger: bytes = b".done"
    temporary: bytes = b".tmp"


def perform(writing: Writing, wait: Callable[[float], object]) -> Expected:
    """Play a behaviour to its end; ``wait`` is called with every pause."""
    while True:
        try:
            pause = next(writing)
        except StopIteration as stop:
            expected: Expected = stop.value
            return expected
        wait(pause)


def write_at_once(
    folder: bytes,
    output: Output,
    pace: Pace,  # noqa: ARG001  all behaviours are called alike
) -> Writing:
    """Spool, then sidecar, each in one write under its final name."""
    put_file(folder, output.name, output.data)
    yield from _sidecar(folder, output)
    return output.expected


def write_slowly(folder: bytes, output: Output, pace: Pace) -> Writing:
    """One descriptor, kept open, with a pause after each chunk: the sidecar follows."""
    descriptor = _create(folder, output.name)
    try:
        for piece in _pieces(output.data, pace.chunks):
            _write(descriptor, piece)
            yield pace.pause
    finally:
        os.close(descriptor)
    yield from _sidecar(folder, output)
    return output.expected


def append_later(folder: bytes, output: Output, pace: Pace) -> Writing:
    """Every chunk opens, appends and closes: each close looks like an end."""
    yield from _sidecar(folder, output)
    for number, piece in enumerate(_pieces(output.data, pace.chunks)):
        descriptor = _create(folder, output.name) if number == 0 else _reopen(folder, output.name)
        try:
            _write(descriptor, piece)
        finally:
            os.close(descriptor)
        yield pace.pause
    return output.expected


def preserve_mtime(folder: bytes, output: Output, pace: Pace) -> Writing:
    """A copy that sets an old modification time after every chunk, as some do."""
    yield from _sidecar(folder, output)
    descriptor = _create(folder, output.name)
    try:
        for piece in _pieces(output.data, pace.chunks):
            _write(descriptor, piece)
            os.utime(descriptor, (_OLD, _OLD))
            yield pace.pause
    finally:
        os.close(descriptor)  # nothing more: it may be taken away at once
    return output.expected


def truncate_and_rewrite(folder: bytes, output: Output, pace: Pace) -> Writing:
    """A first try is thrown away: the same file is truncated and written again.

    The first try has the same length and no end, so that only its content tells."""
    yield from _sidecar(folder, output)
    put_file(folder, output.name, b"%PDF-1.7\n" + bytes(max(0, len(output.data) - 9)))
    yield pace.pause
    descriptor = os.open(os.path.join(folder, output.name), os.O_WRONLY | os.O_TRUNC)
    try:
        for piece in _pieces(output.data, pace.chunks):
            _write(descriptor, piece)
            yield pace.pause
    finally:
        os.close(descriptor)
    return output.expected


def write_then_rename(folder: bytes, output: Output, pace: Pace) -> Writing:
    """Sidecar and spool under temporary names, then renamed: sidecar first."""
    temporary = output.name + pace.temporary
    descriptor = _create(folder, temporary)
    try:
        for piece in _pieces(output.data, pace.chunks):
            _write(descriptor, piece)
            yield pace.pause
    finally:
        os.close(descriptor)
    if output.sidecar_name is not None:
        put_file(folder, output.sidecar_name + pace.temporary, output.sidecar)
        _rename(folder, output.sidecar_name + pace.temporary, output.sidecar_name)
    _rename(folder, temporary, output.name)
    return output.expected


def write_with_trigger(folder: bytes, output: Output, pace: Pace) -> Writing:
    """Spool in pieces, sidecar, and an empty trigger file last."""
    yield from write_slowly(folder, output, pace)
    yield pace.pause
    put_file(folder, output.name + pace.trigger, b"")
    return output.expected


def sidecar_first(folder: bytes, output: Output, pace: Pace) -> Writing:
    """The sidecar lies there alone for a while."""
    yield from _sidecar(folder, output)
    yield pace.pause
    put_file(folder, output.name, output.data)
    return output.expected


def sidecar_last(folder: bytes, output: Output, pace: Pace) -> Writing:
    """The spool lies there alone for a while."""
    put_file(folder, output.name, output.data)
    yield pace.pause
    yield from _sidecar(folder, output)
    return output.expected


def hard_link_in(folder: bytes, output: Output, pace: Pace) -> Writing:
    """Written elsewhere and linked in: there is a create event and never a close."""
    yield from _sidecar(folder, output)
    put_file(pace.staging, output.name, output.data)
    os.link(os.path.join(pace.staging, output.name), os.path.join(folder, output.name))
    yield pace.pause
    os.unlink(os.path.join(pace.staging, output.name))
    return output.expected


def mmap_write(folder: bytes, output: Output, pace: Pace) -> Writing:
    """Full size at once, then the content through a mapping: the size says nothing, and
    there is no write for anybody to see."""
    yield from _sidecar(folder, output)
    descriptor = os.open(os.path.join(folder, output.name), os.O_RDWR | os.O_CREAT, MODE)
    try:
        os.ftruncate(descriptor, len(output.data))
        mapping = mmap.mmap(descriptor, len(output.data))
    finally:
        os.close(descriptor)
    with mapping:
        at = 0
        for piece in _pieces(output.data, pace.chunks):
            mapping[at : at + len(piece)] = piece
            mapping.flush()
            at += len(piece)
            yield pace.pause
    return output.expected


def move_in_directory(folder: bytes, output: Output, pace: Pace) -> Writing:
    """A directory with everything in it is made elsewhere and renamed in.

    The expected name is relative to the hot folder, with the directory in it."""
    directory, name = os.path.split(output.name)
    if not directory:
        raise ValueError("the output's name has no directory in it")
    made = os.path.join(pace.staging, directory)
    os.mkdir(made, 0o750)
    put_file(made, name, output.data)
    if output.sidecar_name is not None:
        put_file(made, os.path.basename(output.sidecar_name), output.sidecar)
    yield pace.pause
    os.rename(made, os.path.join(folder, directory))
    return output.expected


# The ways of writing that a quiet folder must bear; names as in reports.
BEHAVIOURS: Mapping[str, Behaviour] = {
    "at-once": write_at_once,
    "slow": write_slowly,
    "append": append_later,
    "preserved-mtime": preserve_mtime,
    "truncate-rewrite": truncate_and_rewrite,
    "sidecar-first": sidecar_first,
    "sidecar-last": sidecar_last,
    "rename-in": write_then_rename,
    "hard-link": hard_link_in,
    "mmap": mmap_write,
    "trigger": write_with_trigger,
    "directory": move_in_directory,
}


def write_bulk(
    folder: bytes, count: int, seed: int, *, first: int = 0, kind: SidecarKind = SidecarKind.JSON
) -> Iterator[Expected]:
    """``count`` small drops, one after the other, as quickly as they can be composed."""
    for number in range(first, first + count):
        output = make_output(make_communication(seed, number), kind=kind)
        put_file(folder, output.name, output.data)
        if output.sidecar_name is not None:
            put_file(folder, output.sidecar_name, output.sidecar)
        yield output.expected


def _sidecar(folder: bytes, output: Output) -> Iterator[float]:
    if output.sidecar_name is not None:
        put_file(folder, output.sidecar_name, output.sidecar)
        yield 0.0


def _pieces(data: bytes, chunks: int) -> Iterator[bytes]:
    step = max(1, -(-len(data) // max(1, chunks)))
    for start in range(0, len(data), step):
        yield data[start : start + step]


def _create(folder: bytes, name: bytes) -> int:
    return os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)


def _reopen(folder: bytes, name: bytes) -> int:
    return os.open(os.path.join(folder, name), os.O_WRONLY | os.O_APPEND)


def put_file(folder: bytes, name: bytes, data: bytes) -> None:
    """One file in one write under its final name; an older one is overwritten."""
    descriptor = _create(folder, name)
    try:
        _write(descriptor, data)
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _rename(folder: bytes, old: bytes, new: bytes) -> None:
    os.rename(os.path.join(folder, old), os.path.join(folder, new))
