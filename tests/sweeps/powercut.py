"""The power cut sweep, whole:

    python -m tests.sweeps.powercut [--scene daemon|line|replay] [--disk DISK] [--every K]
        [--pairs N] [--seed S]

Hot folder, journal and store lie on an ext4 image, mounted through a loop device. The
process is killed as it enters its Nth sync, for each N, and once after its end; the image
is copied at that moment: it holds what the kernel has written out, and nothing that was
only in memory. Commits of ext4 are put off (``commit=600``) and its kindness to programs
that forget to sync is off (``noauto_da_alloc``). The copy is mounted in its place, as after
a cold start, the process is run again to its end, and everything is checked from outside.
The server is another machine: it keeps what it was sent. In a pair the power goes again
while the process recovers.

Three disks: ``plain``, where a sync of one file takes along every rename of others, but not
their bytes; ``fast``, which writes only what is asked for if it can (``fast_commit``); and
``careless``, which may have sizes without the bytes (``data=writeback,nodelalloc``).

Needs root and loop devices; says so and exits 75 where it may not mount.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.serving import serving
from tests.sweeps.attempts import EX_TEMPFAIL, run_sweep
from tests.sweeps.scenes import SCENES, Scene, can_trace, count_calls

CALLS = ("fsync", "fdatasync", "syncfs")
# name, and what mkfs.ext4 and mount are told
DISKS = {
    "plain": ((), ""),
    "fast": (("-O", "fast_commit"), ""),
    "careless": ((), ",data=writeback,nodelalloc"),
}
_SIZE = 64 << 20  # bytes of the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The power goes as a thread enters its ``number``-th ``call``, or when the process
    has ended if it makes fewer; then perhaps ``again``."""

    scene: str
    disk: str
    call: str
    number: int
    again: Point | None = None

    def __str__(self) -> str:
        then = f", then {self.again}" if self.again else ""
        return f"{self.scene} on {self.disk} {self.call} {self.number}{then}"


class Disk:
    """An ext4 file system in a file, mounted; the power can be cut."""

    def __init__(self, place: Path, kind: str) -> None:
        features, self._options = DISKS[kind]
        self.image = place / "disk.img"
        self.mounted_at = place / "disk"
        self.mounted_at.mkdir()
        with self.image.open("wb") as file:
            file.truncate(_SIZE)
        _order("mkfs.ext4", "-q", "-F", *features, str(self.image))

    def mount(self) -> None:
        """Mount the image; ext4 replays its own journal, as after a cold start."""
        options = f"loop,commit=600,noauto_da_alloc{self._options}"
        _order("mount", "-t", "ext4", "-o", options, str(self.image), str(self.mounted_at))

    def unmount(self) -> None:
        """Unmount; everything is written out."""
        _order("umount", str(self.mounted_at))

    def cut(self) -> None:
        """What was on the disk at this moment is all that is left; mounted again."""
        copy = self.image.with_suffix(".copy")
        _order("cp", "--sparse=always", str(self.image), str(copy))
        self.unmount()
        copy.replace(self.image)
        self.mount()


def can_mount() -> bool:
    """Whether such images can be made and mounted here."""
    if shutil.which("mkfs.ext4") is None:
        return False
    try:
        for kind in DISKS:
            with mounted(kind):
                pass
        return True
    except subprocess.CalledProcessError:
        return False


@contextmanager
def mounted(kind: str = "plain") -> Iterator[Disk]:
    """A disk, for as long as it is wanted."""
    with tempfile.TemporaryDirectory() as place:
        disk = Disk(Path(place), kind)
        disk.mount()
        try:
            yield disk
        finally:
            disk.unmount()


def find_points(scene: str, kind: str) -> list[Point]:
    """Every point of a scene, counted in a run of its own on such a disk."""
    with mounted(kind) as disk:
        counts = count_calls(scene, CALLS, disk.mounted_at)
    points = [
        Point(scene=scene, disk=kind, call=call, number=number)
        for call, count in counts.items()
        for number in range(1, count + 1)
    ]
    return [*points, Point(scene=scene, disk=kind, call=CALLS[0], number=counts[CALLS[0]] + 1000)]


def draw_pairs(points: Sequence[Point], count: int, seed: int) -> list[Point]:
    """Pairs of points of one scene on one disk."""
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        first = draw.choice(points)
        others = [
            point for point in points if (point.scene, point.disk) == (first.scene, first.disk)
        ]
        pairs.append(replace(first, again=draw.choice(others)))
    return pairs


def cut_at(point: Point) -> bool:
    """The cut, or both, of a scene of its own; whether the process was in the middle of
    its work at the first. ``AssertionError`` if something is wrong afterwards."""
    with mounted(point.disk) as disk, serving() as sandbox:
        root = disk.mounted_at / "hotfolder"
        root.mkdir()
        scene = Scene(point.scene, root, sandbox)
        os.sync()  # what the producer wrote is there; so is what was done before a replay
        reached = _cut(disk, scene, point)
        if not reached:
            scene.check()  # what a process that has ended said is true without another
        if point.again is not None:
            _cut(disk, scene, point.again)
        scene.complete()
        scene.check()
        return reached


def _cut(disk: Disk, scene: Scene, point: Point) -> bool:
    action = f"inject={point.call}:signal=SIGKILL:when={point.number}"
    done = scene.trace("-o", "/dev/null", "-e", f"trace={point.call}", "-e", action)
    assert done.returncode in (0, -9, 137), done.stdout + done.stderr
    disk.cut()
    return done.returncode != 0


def _order(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scene", choices=SCENES, action="append")
    parser.add_argument("--disk", choices=DISKS, action="append")
    parser.add_argument("--every", type=int, default=1, help="every K-th point only")
    parser.add_argument("--pairs", type=int, default=60, help="how many pairs of cuts besides")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not (can_trace() and can_mount()):
        print("strace may not trace, or an image may not be mounted: nothing was tried")
        return EX_TEMPFAIL
    found = [
        point
        for kind in options.disk or DISKS
        for scene in options.scene or SCENES
        for point in find_points(scene, kind)
    ]
    code = run_sweep("power cuts", found[:: options.every], cut_at)
    pairs = draw_pairs(found, options.pairs, options.seed)
    return run_sweep("pairs of power cuts", pairs, cut_at) or code


if __name__ == "__main__":
    sys.exit(main())
