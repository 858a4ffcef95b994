"""The store alone against the floor of the same bytes, and three ways of syncing.

    python -m bench.bench_store [--small 20000] [--large-mib 2048] [--place FOLDER]

The floor (``floor.c``) copies, hashes and syncs each file once. The store makes an OCFL
object of each: some twelve files and folders, all of them read back. For the large file
the coreutils ``cp``, ``sha256sum`` and ``sync FILE`` are measured too. The bars are
those of the whole intake, of which the store is the larger part.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench.common import (
    Bar,
    Report,
    arguments,
    place_for,
    run_part,
    settle_disk,
)
from bench.floor import ONE_BY_ONE, build_floor, run_floor
from hotfolder.files.durability import SyncScope

MEMORY_BAR = 120.0  # MB
ROUND = 2048  # small files in a round
SYNCED = 512  # files for each way of syncing


def main(arguments_: list[str]) -> int:
    parser = arguments("the store against the floor")
    parser.add_argument("--small", type=int, default=20_000, help="how many small files")
    parser.add_argument("--large-mib", type=int, default=2048, help="size of the large one")
    options = parser.parse_args(arguments_)
    report = Report(name="store")
    with place_for(options.place) as place:
        program = build_floor(place)
        _compare_syncs(report, place)
        for sidecars in (False, True):
            _compare_small(report, place, program, options.small, sidecars=sidecars)
        if options.large_mib:
            _compare_large(report, place, program, options.large_mib)
    return report.finish(options.output)


def _fill(place: Path, count: int, *, sidecars: bool, seed: int = 1) -> None:
    place.mkdir()
    chance = random.Random(seed)
    for number in range(count):
        data = b"%PDF-1.7\n" + chance.randbytes(chance.randrange(15_000, 45_000))
        (place / f"{number}.pdf").write_bytes(data)
        if sidecars:
            (place / f"{number}.pdf.json").write_bytes(b"{%d}" % number + b" " * 600)


def _compare_small(
    report: Report, place: Path, program: Path, count: int, *, sidecars: bool
) -> None:
    kind = "small with sidecars" if sidecars else "small"
    ours = floor = 0.0
    peak = 0
    # In rounds, so that what else the machine does falls on both. Nothing is removed in
    # between: ext4 without a journal is slow to make files where many were removed.
    for first in range(0, count, ROUND):
        source = place / f"in {kind} {first}"
        _fill(source, min(ROUND, count - first), sidecars=sidecars, seed=first)
        settle_disk()
        found = run_part("storing", str(source), str(place / f"store {kind} {first}"))
        ours += float(found.answer["seconds"])
        peak = max(peak, found.peak_bytes)
        found = run_floor(program, source, place / f"out {kind} {first}", ONE_BY_ONE)
        floor += float(found.answer["seconds"])
    for name, seconds in (("floor", floor), ("store", ours)):
        report.add(f"{kind}: {name}", count / seconds, f"{count / seconds:,.0f} spools/s")
    report.bars.append(Bar(what=f"{kind}: store / floor", value=floor / ours, limit=0.5))
    _add_memory(report, kind, peak)


def _compare_large(report: Report, place: Path, program: Path, mebibytes_: int) -> None:
    source = place / "in large"
    source.mkdir()
    chance = random.Random(2)
    with (source / "large.afp").open("wb") as stream:
        for _ in range(mebibytes_):
            stream.write(chance.randbytes(1 << 20))
    settle_disk()
    ours = run_part("storing", str(source), str(place / "store large"))
    floor = run_floor(program, source, place / "out large", ONE_BY_ONE)
    shutil.rmtree(place / "out large")
    settle_disk()
    coreutils = _timed(lambda: _run_coreutils(source / "large.afp", place / "copy"))
    seconds = float(ours.answer["seconds"])
    report.add("large: store", mebibytes_ / seconds, f"{mebibytes_ / seconds:,.0f} MiB/s")
    for name, took in (("floor", float(floor.answer["seconds"])), ("coreutils", coreutils)):
        report.add(f"large: {name}", mebibytes_ / took, f"{mebibytes_ / took:,.0f} MiB/s")
        report.bars.append(Bar(what=f"large: store / {name}", value=took / seconds, limit=0.85))
    _add_memory(report, "large", ours.peak_bytes)


def _add_memory(report: Report, kind: str, peak: int) -> None:
    report.bars.append(
        Bar(what=f"{kind}: peak MB", value=peak / 1e6, limit=MEMORY_BAR, at_most=True)
    )


def _run_coreutils(source: Path, target: Path) -> None:
    subprocess.run(["cp", source, target], check=True)
    subprocess.run(["sha256sum", target], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["sync", target], check=True)


def _timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


# -- ways of syncing: why files/durability.py does what it does ---------------------
def _compare_syncs(report: Report, place: Path) -> None:
    def each(paths: list[bytes]) -> None:
        for path in paths:
            _sync(path)

    def together(paths: list[bytes]) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(_sync, paths))

    def whole(paths: list[bytes]) -> None:
        with SyncScope(os.path.dirname(paths[0])) as scope:
            scope.sync(paths, ())

    for name, sync in (("one by one", each), ("8 threads", together), ("syncfs", whole)):
        folder = place / f"sync {name}"
        _fill(folder, SYNCED, sidecars=False)
        paths = [os.fsencode(path) for path in folder.iterdir()]
        took = _timed(partial(sync, paths)) / SYNCED * 1e6
        report.add(f"sync {name}", took, f"{took:,.0f} µs a file")


def _sync(path: bytes) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
