"""The part of ``bench_intake`` that is measured: take everything in a folder."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.common import answer
from bench.works import open_works, take_all


def take(root: Path) -> None:
    """Take everything in ``root/hot`` into a store and journal in ``root``."""
    works = open_works(root)
    started = time.monotonic()
    stored = take_all(works, root)
    seconds = time.monotonic() - started
    works.close()
    answer(seconds=seconds, spools=stored)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
