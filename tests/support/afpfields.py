"""AFP in all the framings that hotfolder knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Wrapping:
    """How each field is changed on its way: ``change`` has it with its ``5A``."""

    name: str
    change: Callable[[bytes], bytes]
    line_ends: bool = False

    def __str__(self) -> str:
        return self.name


def fields(data: bytes) -> Iterator[bytes]:
    """The fields of a plain file, each with its ``5A``."""
    at = 0
    while at < len(data):
        end = at + 1 + int.from_bytes(data[at + 1 : at + 3], "big")
        yield data[at:end]
        at = end


def framed(data: bytes, wrapping: Wrapping) -> bytes:
    """A plain file in another framing."""
    return b"".join(map(wrapping.change, fields(data)))


def _counted(size: int, extra: int, low: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda field: (len(field) + extra).to_bytes(size, "big") + low + field


def _bare(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda field: change(field[1:])


_CHANGES = {
    "length of 2": _counted(2, 0),
    "length of 2 with itself": _counted(2, 2),
    "length of 4": _counted(4, 0),
    "length of 4 with itself": _counted(4, 4),
    "record descriptor word": _counted(2, 4, b"\0\0"),
    "record descriptor word without itself": _counted(2, 0, b"\0\0"),
}
FRAMINGS = (
    Wrapping("5A", lambda field: field),
    Wrapping("without 5A", lambda field: field[1:]),
    Wrapping("CR LF behind", lambda field: field + b"\r\n", line_ends=True),
    Wrapping("NL before", lambda field: b"\x15" + field, line_ends=True),
    Wrapping("without 5A, CR LF behind", lambda field: field[1:] + b"\r\n", line_ends=True),
    *(Wrapping(name, change) for name, change in _CHANGES.items()),
    *(Wrapping(f"{name}, without 5A", _bare(change)) for name, change in _CHANGES.items()),
)
