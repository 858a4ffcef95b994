"""A producer for ``bench_watch``: PDFs renamed into place, or written there and closed."""

from __future__ import annotations

import os
import sys
import time
from array import array
from pathlib import Path

BODY = b"%PDF-1.7\n%" + b"x" * 400 + b"\nxref\n0 1\ntrailer\n<<>>\nstartxref\n412\n%%EOF\n"
WAYS = ("rename", "close")


def name_of(number: int) -> str:
    """What the file with this number is called."""
    return f"{number:07d}.pdf"


def number_of(name: str | bytes) -> int:
    """The inverse of ``name_of``."""
    return int(name[:7])


def produce(hot: Path, way: str, first: int, count: int, pause: float, stamps: Path) -> None:
    """Write ``count`` files, ``pause`` seconds apart; note the moment just before each
    is finished, which is its last rename or its close."""
    found = array("d")
    for number in range(first, first + count):
        path = f"{hot}/{name_of(number)}"
        temporary = f"{path}.tmp" if way == "rename" else path
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(fd, BODY)
        if way == "close":
            found.append(time.monotonic())
        os.close(fd)
        if way == "rename":
            found.append(time.monotonic())
            os.rename(temporary, path)
        if pause:
            time.sleep(pause)
    stamps.write_bytes(found.tobytes())


if __name__ == "__main__":
    produce(
        Path(sys.argv[1]),
        sys.argv[2],
        int(sys.argv[3]),
        int(sys.argv[4]),
        float(sys.argv[5]),
        Path(sys.argv[6]),
    )
