"""The system call sweep, whole:

    python -m tests.sweeps.syscalls [--scene daemon|line|replay] [--call CALL] [--every K]
        [--pairs N] [--seed S] [--jobs N]

strace kills a process with SIGKILL as it enters its Nth fsync, rename, write, … , for
each call and each N up to the most that one of its threads makes. So each call is once
the first that did not happen. The process is the daemon (``hotfolder run
--until-idle``), the same line without its loops, or a replay after the server was
restored from an older state. Then it is run again to its end, and store, server, journal
and folders are checked from outside. Prints how many kills were tried and how many
happened.

strace counts for each thread, and the thread that comes first to its Nth call ends all:
in the daemon, that of a later thread is covered by the line, which does everything in
one, and by the pairs, drawn by the seed: the run after the first kill is killed too, and
finds much of the work done. That is also how recovery itself is killed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.serving import serving
from tests.sweeps.attempts import EX_TEMPFAIL, run_sweep
from tests.sweeps.scenes import SCENES, Scene, can_trace, count_calls

_CALLS = (
    "fsync fdatasync syncfs sync_file_range rename renameat renameat2 write pwrite64"
    " mkdir mkdirat unlink unlinkat rmdir link linkat ftruncate copy_file_range chmod"
)
CALLS = tuple(_CALLS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Killed on entering the ``number``-th ``call`` of a thread; then perhaps ``again``."""

    scene: str
    call: str
    number: int
    again: Point | None = None

    def __str__(self) -> str:
        then = f", then {self.again}" if self.again else ""
        return f"{self.scene} {self.call} {self.number}{then}"


def find_points(scene: str) -> list[Point]:
    """Every point of a scene, counted in a run of its own."""
    return [
        Point(scene=scene, call=call, number=number)
        for call, count in count_calls(scene, CALLS).items()
        for number in range(1, count + 1)
    ]


def draw_pairs(points: Sequence[Point], count: int, seed: int) -> list[Point]:
    """Pairs of points of one scene."""
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        first = draw.choice(points)
        again = draw.choice([point for point in points if point.scene == first.scene])
        pairs.append(replace(first, again=again))
    return pairs


def kill_at(point: Point) -> bool:
    """The kill, or both, on a scene of its own; whether the first happened.
    ``AssertionError`` if something is wrong afterwards."""
    with tempfile.TemporaryDirectory() as place, serving() as sandbox:
        scene = Scene(point.scene, Path(place), sandbox)
        happened = _kill(scene, point)
        if point.again is not None:
            _kill(scene, point.again)
        scene.complete()
        scene.check()
        return happened


def _kill(scene: Scene, point: Point) -> bool:
    action = f"inject={point.call}:signal=SIGKILL:when={point.number}"
    done = scene.trace("-o", "/dev/null", "-e", f"trace={point.call}", "-e", action)
    # strace ends as its tracee did: by the same signal.
    assert done.returncode in (0, -9, 137), done.stdout + done.stderr
    return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scene", choices=SCENES, action="append")
    parser.add_argument("--call", choices=CALLS, action="append", help="these calls only")
    parser.add_argument("--every", type=int, default=1, help="every K-th point only")
    parser.add_argument("--pairs", type=int, default=200, help="how many pairs of kills besides")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if not can_trace():
        print("strace may not trace here: nothing was tried")
        return EX_TEMPFAIL
    found = [
        point
        for scene in options.scene or SCENES
        for point in find_points(scene)
        if point.call in (options.call or CALLS)
    ]
    points = found[:: options.every]
    calls = Counter(point.call for point in points)
    print(", ".join(f"{call} {count}" for call, count in sorted(calls.items())), flush=True)
    code = run_sweep("kills", points, kill_at, options.jobs)
    pairs = draw_pairs(found, options.pairs, options.seed)
    return run_sweep("pairs of kills", pairs, kill_at, options.jobs) or code


if __name__ == "__main__":
    sys.exit(main())
