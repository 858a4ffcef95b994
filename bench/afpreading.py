"""The part of ``bench_afp`` that is measured: read all documents of an AFP file.

python -m bench.afpreading PATH
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.common import answer, own_peak
from hotfolder.indexes.afpgroups import read_afp_groups


def main(path: Path) -> None:
    """Read ``path`` once."""
    with path.open("rb") as stream:
        started = time.process_time()
        documents = sum(1 for _ in read_afp_groups(stream, path.stat().st_size, path.name))
        seconds = time.process_time() - started
    answer(seconds=seconds, documents=documents, peak=own_peak())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
