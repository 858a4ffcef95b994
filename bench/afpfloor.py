"""The floor of reading AFP: a loop that hops from field to field over a mapped file and
does nothing else.

    python -m bench.afpfloor PATH [struct]

It trusts every length, looks at no id and keeps nothing. ``struct`` has the format
compiled beforehand, which halves the price of a hop.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

from bench.common import answer


def hop(view: mmap.mmap) -> int:
    """Over all fields; how many there are."""
    offset = fields = 0
    size = len(view)
    while offset < size:
        (length,) = struct.unpack_from(">H", view, offset + 1)
        offset += length + 1
        fields += 1
    return fields


def hop_compiled(view: mmap.mmap) -> int:
    """The same, with what can be looked up before."""
    unpack = struct.Struct(">H").unpack_from
    offset = fields = 0
    size = len(view)
    while offset < size:
        offset += unpack(view, offset + 1)[0] + 1
        fields += 1
    return fields


def main(path: Path, *, compiled: bool) -> None:
    """Go over ``path`` once."""
    with path.open("rb") as stream:
        view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        started = time.process_time()
        fields = (hop_compiled if compiled else hop)(view)
        answer(seconds=time.process_time() - started, fields=fields)


if __name__ == "__main__":
    main(Path(sys.argv[1]), compiled=sys.argv[2:] == ["struct"])
