"""The system call sweep, whole:

    python -m tests.sweeps.syscalls [--scene daemon|line|replay] [--every K] [--jobs N]

strace kills a process with SIGKILL as it enters its Nth fsync, rename, write, … , for
each call and each N up to the most that one of its threads makes. So each call is once
the first that did not happen. The process is the daemon (``hotfolder run
--until-idle``), the same line without its loops, or a replay after the server was
restored from an older state. Then it is run again to its end, and store, server, journal
and folders are checked from outside. Prints how many kills were tried and how many
happened: strace counts for each thread, so where two threads make the same call, the
Nth of the one that comes later is covered only by the line, which has one thread for
all but its syncs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.support.serving import serving
from tests.sweeps.scenes import SCENES, Scene, can_trace, count_calls, explain

_CALLS = (
    "fsync fdatasync syncfs sync_file_range rename renameat renameat2 write pwrite64"
    " mkdir mkdirat unlink unlinkat rmdir link linkat ftruncate"
)
CALLS = tuple(_CALLS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Killed on entering the ``number``-th ``call`` of a thread."""

    scene: str
    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.scene} {self.call} {self.number}"


def find_points(scene: str) -> list[Point]:
    """Every point of a scene, counted in a run of its own."""
    return [
        Point(scene=scene, call=call, number=number)
        for call, count in count_calls(scene, CALLS).items()
        for number in range(1, count + 1)
    ]


def kill_at(point: Point) -> bool:
    """One kill on a scene of its own; whether it happened. ``AssertionError`` if
    something is wrong afterwards."""
    with tempfile.TemporaryDirectory() as place, serving() as sandbox:
        scene = Scene(point.scene, Path(place), sandbox)
        action = f"inject={point.call}:signal=SIGKILL:when={point.number}"
        done = scene.trace("-o", "/dev/null", "-e", f"trace={point.call}", "-e", action)
        # strace ends as its tracee did: by the same signal.
        assert done.returncode in (0, -9, 137), done.stdout + done.stderr
        scene.complete()
        scene.check()
        return done.returncode != 0


def sweep(points: Sequence[Point], jobs: int) -> Iterator[tuple[Point, bool | BaseException]]:
    """Try all; for each whether the kill happened, or what was wrong afterwards."""

    def attempt(point: Point) -> tuple[Point, bool | BaseException]:
        try:
            return point, kill_at(point)
        except (AssertionError, subprocess.SubprocessError, OSError) as error:
            return point, error

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(attempt, points)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scene", choices=SCENES, action="append")
    parser.add_argument("--every", type=int, default=1, help="every K-th point only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if not can_trace():
        print("strace may not trace here: nothing was tried")
        return 75
    points = [
        point for scene in options.scene or SCENES for point in find_points(scene)[:: options.every]
    ]
    tried = happened = failed = 0
    for point, outcome in sweep(points, options.jobs):
        tried += 1
        if isinstance(outcome, BaseException):
            failed += 1
            print(f"WRONG {point}: {explain(outcome)}", flush=True)
        else:
            happened += outcome
        if tried % 25 == 0:
            print(f"{tried}/{len(points)}, {failed} wrong", flush=True)
    calls = Counter(point.call for point in points)
    print(", ".join(f"{call} {count}" for call, count in sorted(calls.items())))
    print(f"{tried} kills tried, {happened} happened, {failed} left something wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
