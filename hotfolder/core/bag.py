"""A BagIt bag (RFC 8493), version 1.0, with manifests in SHA-256 and SHA-512.

Names in a bag are chosen by us and plain ASCII: no name from outside gets into a manifest
or a ZIP, and nothing needs the percent-encoding that programs read in different ways.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hotfolder.core.zipping import Entry

PAYLOAD = "data/"
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*\Z")
_ALGORITHMS = ("sha256", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of a bag. ``read`` gives the same bytes at every call."""

    name: str
    read: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A part, and what its bytes come to."""

    part: Part
    size: int
    crc32: int
    digests: tuple[str, ...]  # SHA-256 and SHA-512, hex

    @property
    def sha256(self) -> str:
        """Its SHA-256, hex."""
        return self.digests[0]


def text_part(name: str, data: bytes) -> Part:
    """A part whose bytes are in memory."""
    return Part(name=name, read=lambda: iter((data,)))


def measure(part: Part) -> Measured:
    """Read ``part`` once. ``ValueError`` if its name may not stand in a bag."""
    if not _NAME.match(part.name):
        raise ValueError(f"not a name for a bag: {part.name!r}")
    size = crc32 = 0
    hashes = [hashlib.new(name) for name in _ALGORITHMS]
    for piece in part.read():
        size += len(piece)
        crc32 = zlib.crc32(piece, crc32)
        for item in hashes:
            item.update(piece)
    digests = tuple(item.hexdigest() for item in hashes)
    return Measured(part=part, size=size, crc32=crc32, digests=digests)


def bag_entries(
    base: str,
    payload: Sequence[Measured],
    tags: Sequence[Measured],
    info: Sequence[tuple[str, str]],
) -> list[Entry]:
    """The files of a bag in the directory ``base`` of a ZIP, what declares it first.

    ``payload`` lies below ``data/``, ``tags`` beside it. ``info`` are the lines of
    bag-info.txt; the Payload-Oxum is added. ``ValueError`` if a name is there twice.
    """
    ordered = sorted(payload, key=lambda item: item.part.name)
    oxum = f"{sum(item.size for item in ordered)}.{len(ordered)}"
    described = [*info, ("Payload-Oxum", oxum)]
    inner = [
        _of("bagit.txt", _DECLARATION),
        _of("bag-info.txt", "".join(_info_lines(described)).encode()),
        *_manifests("manifest", ordered),
        *sorted(tags, key=lambda item: item.part.name),
    ]
    first = [*inner[:2], *_manifests("tagmanifest", inner), *inner[2:]]
    names = [item.part.name for item in (*first, *ordered)]
    if len(set(names)) != len(names):
        raise ValueError("a name is in the bag twice")
    return [
        Entry(
            name=f"{base}/{item.part.name}",
            size=item.size,
            crc32=item.crc32,
            read=item.part.read,
        )
        for item in (*first, *ordered)
    ]


def _of(name: str, data: bytes) -> Measured:
    return measure(text_part(name, data))


def _manifests(kind: str, items: Sequence[Measured]) -> list[Measured]:
    ordered = sorted(items, key=lambda item: item.part.name)
    return [
        _of(
            f"{kind}-{algorithm}.txt",
            "".join(f"{item.digests[place]}  {item.part.name}\n" for item in ordered).encode(),
        )
        for place, algorithm in enumerate(_ALGORITHMS)
    ]


def _info_lines(info: Sequence[tuple[str, str]]) -> Iterator[str]:
    for label, text in info:
        # One line each: what looks like a further line would be another label.
        yield f"{label}: {' '.join(text.split()) or '-'}\n"
