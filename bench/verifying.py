"""The parts of ``bench_verify`` that are measured: a round of the scrub, and bare SHA-256
over the files of the same store. Both read from the disk as far as the kernel lets them."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path

from bench.common import answer
from bench.works import open_works
from hotfolder.core.pacing import Pace
from hotfolder.flows.scrub import Scrub
from hotfolder.service.parts import SystemClock
from hotfolder.store.ocfl import OcflStore

_BUFFER = 1 << 20


def scrub(root: Path) -> None:
    """One round over the store of ``root``."""
    works = open_works(root)
    assert isinstance(works.store, OcflStore)
    started = time.monotonic()
    done = Scrub(
        journal=works.journal,
        roots=[works.store],
        clock=SystemClock(),
        emit=works.emit,
        actor="bench",
        pace=Pace(),
        pause=time.sleep,
    ).run_round(anew=True)
    seconds = time.monotonic() - started
    works.close()
    if not done.finished or done.found:
        raise SystemExit("the store is not whole")
    answer(seconds=seconds, bytes=done.read, spools=done.spools)


def bare(root: Path) -> None:
    """SHA-256 of every file below ``root/store``, in the order of the directories."""
    started = time.monotonic()
    total = files = 0
    buffer = memoryview(bytearray(_BUFFER))
    for folder, folders, names in os.walk(root / "store"):
        folders.sort()
        for name in sorted(names):
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            digest = hashlib.sha256()
            while count := os.readv(descriptor, [buffer]):
                digest.update(buffer[:count])
                total += count
            digest.hexdigest()
            os.close(descriptor)
            files += 1
    answer(seconds=time.monotonic() - started, bytes=total, files=files)


if __name__ == "__main__":
    {"scrub": scrub, "bare": bare}[sys.argv[1]](Path(sys.argv[2]))
