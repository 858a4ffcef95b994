"""Harm done to a sample: a function of a random generator, so that it can be repeated."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

_NUMBERS = (0, 1, 7, 8, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 10**30)
_BYTES = (
    b"\0",
    b"\xff",
    b"\r\n",
    b"\n",
    b"\x1b",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc3",
    b"../",
    b"\\ud800",
    b"\\u0000",
    b"&#0;",
    b"&#55296;",
    b"\xe2\x80\xae",
    b'"',
    b"<",
    b"[",
)
Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _flip(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    harmed = bytearray(data)
    for _ in range(choose.randint(1, 8)):
        harmed[choose.randrange(len(harmed))] = choose.randrange(256)
    return bytes(harmed)


def _cut(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    return data[: choose.randrange(len(data) + 1)]


def _behead(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    return data[choose.randrange(len(data) + 1) :]


def _remove(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = sorted(choose.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + data[end:]


def _repeat(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    start = choose.randrange(len(data))
    part = data[start : start + choose.randint(1, 200)]
    return data[:start] + part * choose.choice((2, 3, 50, 500)) + data[start:]


def _splice(choose: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = choose.choice(others)
    return data[: choose.randrange(len(data) + 1)] + other[choose.randrange(len(other) + 1) :]


def _insert(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    at = choose.randrange(len(data) + 1)
    return data[:at] + choose.choice(_BYTES) * choose.choice((1, 1, 100)) + data[at:]


def _change_number(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """A number in digits becomes another."""
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return data
    match = choose.choice(found)
    number = choose.choice((*_NUMBERS, -1, int(match[0][:30]) + 1))
    return data[: match.start()] + str(number).encode() + data[match.end() :]


def _change_length(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Two or four bytes become another number, as lengths and offsets are."""
    size = choose.choice((2, 4))
    if len(data) < size:
        return data
    at = choose.randrange(len(data) - size + 1)
    number = choose.choice(_NUMBERS) % (1 << 8 * size)
    return data[:at] + number.to_bytes(size, "big") + data[at + size :]


def _change_field_length(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """The length of a structured field lies."""
    starts = [match.start() for match in re.finditer(rb"\x5a..\xd3", data, re.DOTALL)]
    if not starts:
        return data
    at = choose.choice(starts) + 1
    number = choose.choice(_NUMBERS) % 65536
    return data[:at] + number.to_bytes(2, "big") + data[at + 2 :]


def _swap_lines(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    first, second = (choose.randrange(len(lines)) for _ in range(2))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _recode(choose: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(choose.choice(("utf-16", "latin-1", "cp037", "utf-8-sig")), "replace")


MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _cut,
    _behead,
    _remove,
    _repeat,
    _splice,
    _insert,
    _change_number,
    _change_length,
    _change_field_length,
    _swap_lines,
    _recode,
)


def mutate(choose: random.Random, samples: Sequence[bytes]) -> bytes:
    """One sample with one to four kinds of harm done to it; 1 MiB at most."""
    data = choose.choice(samples)
    for _ in range(choose.randint(1, 4)):
        if not data:
            break
        data = choose.choice(MUTATIONS)(choose, data, samples)[: 1 << 20]
    return data
