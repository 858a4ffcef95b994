"""A producer for ``bench_watch``: PDFs written under a temporary name, then renamed."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

BODY = b"%PDF-1.7\n%" + b"x" * 400 + b"\nxref\n0 1\ntrailer\n<<>>\nstartxref\n412\n%%EOF\n"


def produce(hot: Path, first: int, count: int, pause: float, stamps: Path) -> None:
    """Write ``count`` files, ``pause`` seconds apart; note when each got its name."""
    found: dict[str, float] = {}
    for number in range(first, first + count):
        name = f"{number:07d}.pdf"
        temporary = hot / f"{name}.tmp"
        temporary.write_bytes(BODY)
        found[name] = time.monotonic()
        temporary.rename(hot / name)
        if pause:
            time.sleep(pause)
    stamps.write_text(json.dumps(found), encoding="ascii")


if __name__ == "__main__":
    produce(
        Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5])
    )
