"""The part of ``bench_store`` that is measured: store every file of a folder."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bench.common import answer
from hotfolder.core.records import StoreRequest
from hotfolder.files.content import hash_file
from hotfolder.store.ocfl import OcflStore
from hotfolder.store.writing import BATCH

METADATA = b'{"format":"hotfolder-spool/1","padding":"' + b"x" * 1400 + b'"}\n'


class _Clock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def _requests(source: Path) -> Iterator[StoreRequest]:
    for number, entry in enumerate(os.scandir(os.fsencode(source))):
        if entry.name.endswith(b".json"):
            continue
        sha256, size = hash_file(entry.path)
        sidecar = entry.path + b".json"
        yield StoreRequest(
            spool_id=f"{number:032x}",
            content_path=entry.path,
            content_name=entry.name,
            sha256=sha256,
            size=size,
            sidecar_paths=(sidecar,) if os.path.exists(sidecar) else (),
            metadata=METADATA,
            created_at=0.0,
        )


def store_all(source: Path, root: Path) -> None:
    """Store in batches, as intake does; hashing the source is not the store's time."""
    store = OcflStore(os.fsencode(root), clock=_Clock())
    store.initialise()
    requests = _requests(source)
    seconds = 0.0
    count = 0
    while batch := list(islice(requests, BATCH)):
        started = time.monotonic()
        count += len(store.write_spools(batch))
        seconds += time.monotonic() - started
    answer(seconds=seconds, spools=count)


if __name__ == "__main__":
    store_all(Path(sys.argv[1]), Path(sys.argv[2]))
