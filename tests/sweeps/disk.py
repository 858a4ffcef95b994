"""The sweep of failing disks, whole:

    python -m tests.sweeps.disk [--scene line|replay] [--every K] [--jobs N]

strace makes the Nth write or sync of a process fail, with EIO (a broken disk) and with
ENOSPC (a full one), for each N. Whatever the process then does, what it has acknowledged
must be true: what is STORED is whole in the store, what has a receipt is on the server,
and every drop is somewhere with all its bytes. Then it is run again on a sound disk, to
its end, and everything is checked from outside.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hotfolder.core.lifecycle import SpoolState
from tests.support.line import build_line
from tests.support.serving import server_documents, serving
from tests.sweeps.scenes import Scene, can_trace, count_calls, explain

CALLS = ("write", "pwrite64", "fsync", "fdatasync", "syncfs", "ftruncate")
ERRORS = ("EIO", "ENOSPC")
SCENES = ("line", "replay")
_STORED = (SpoolState.STORED, SpoolState.DELIVERED, SpoolState.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The ``number``-th ``call`` of a thread fails with ``error``."""

    scene: str
    call: str
    number: int
    error: str

    def __str__(self) -> str:
        return f"{self.scene} {self.call} {self.number} {self.error}"


def find_points(scene: str) -> list[Point]:
    """Every point of a scene, counted in a run of its own."""
    return [
        Point(scene=scene, call=call, number=number, error=error)
        for call, count in count_calls(scene, CALLS).items()
        for number in range(1, count + 1)
        for error in ERRORS
    ]


def fail_at(point: Point) -> bool:
    """One failure in a scene of its own; whether it happened.
    ``AssertionError`` if something acknowledged is not true, or wrong in the end."""
    with tempfile.TemporaryDirectory() as place, serving() as sandbox:
        scene = Scene(point.scene, Path(place), sandbox)
        action = f"inject={point.call}:error={point.error}:when={point.number}"
        log = scene.root / "trace"
        scene.trace("-o", str(log), "-e", f"trace={point.call}", "-e", action)
        check_promises(scene)
        scene.complete()
        scene.check()
        return "(INJECTED)" in log.read_text(errors="replace")


def check_promises(scene: Scene) -> None:
    """What is acknowledged is true, and nothing is lost."""
    line = build_line(scene.root, scene.sandbox.url)
    try:
        rows = line.works.journal.spools([])
        for row in rows:
            if row.state in _STORED:
                line.works.store.verify(row.id)
    finally:
        line.works.close()
    there = {item["sha256"] for item in server_documents(scene.sandbox.url)}
    for row in rows:
        if scene.name != "replay" and row.state in (SpoolState.DELIVERED, SpoolState.DONE):
            assert row.sha256 in there, f"{row.id} is {row.state}, and not on the server"
    hot = scene.root / "hot"
    for path in (hot / "_receipts").glob("*.json"):
        assert json.loads(path.read_text())["documents"], f"{path.name} says nothing"
    held = Counter(
        hashlib.sha256(path.read_bytes()).hexdigest()
        for place in (hot, scene.root / "store")
        for path in place.rglob("*")
        if path.is_file()
    )
    for item in scene.expected:
        assert held[item.sha256], f"{item.name!r} is nowhere"


def sweep(points: Sequence[Point], jobs: int) -> Iterator[tuple[Point, bool | BaseException]]:
    """Try all; for each whether it happened, or what was wrong."""

    def attempt(point: Point) -> tuple[Point, bool | BaseException]:
        try:
            return point, fail_at(point)
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
    print(f"{tried} failures tried, {happened} happened, {failed} left something wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
