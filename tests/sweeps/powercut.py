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

On ext4 a sync of one file takes along every rename of others, but not their bytes. So
there are three ways of disks: ``plain``, one for all; ``apart``, one each for hot folder,
store and journal, where the journal's syncs hide no missing one of the others; and
``careless``, one that may have sizes without the bytes (``data=writeback,nodelalloc``).

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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hotfolder.sandbox.sandbox import Sandbox
from tests.support.serving import serving
from tests.sweeps.attempts import EX_TEMPFAIL, run_sweep
from tests.sweeps.scenes import SCENES, Scene, can_trace, count_in

CALLS = ("fsync", "fdatasync", "syncfs")
DISKS = ("plain", "apart", "careless")
_CARELESS = ",data=writeback,nodelalloc"
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

    def __init__(self, image: Path, at: Path, options: str = "") -> None:
        self._image = image
        self.mounted_at = at
        self._options = f"loop,commit=600,noauto_da_alloc{options}"
        at.mkdir()
        with image.open("wb") as file:
            file.truncate(_SIZE)
        _order("mkfs.ext4", "-q", "-F", str(image))

    def mount(self) -> None:
        """Mount the image; ext4 replays its own journal, as after a cold start."""
        command = ("mount", "-t", "ext4", "-o", self._options)
        _order(*command, str(self._image), str(self.mounted_at))

    def unmount(self) -> None:
        """Unmount; everything is written out."""
        _order("umount", str(self.mounted_at))

    def cut(self) -> None:
        """What was on the disk at this moment is all that is left; mounted again."""
        copy = self._image.with_suffix(".copy")
        _order("cp", "--sparse=always", str(self._image), str(copy))
        self.unmount()
        copy.replace(self._image)
        self.mount()


def can_mount() -> bool:
    """Whether an image can be made and mounted here."""
    if shutil.which("mkfs.ext4") is None:
        return False
    try:
        for options in ("", _CARELESS):
            with tempfile.TemporaryDirectory() as place, mounted(Path(place), "disk", options):
                pass
        return True
    except subprocess.CalledProcessError:
        return False


@contextmanager
def mounted(place: Path, name: str, options: str = "") -> Iterator[Disk]:
    """A disk at ``place / name``, for as long as it is wanted."""
    disk = Disk(place / f"{name}.img", place / name, options)
    disk.mount()
    try:
        (disk.mounted_at / "lost+found").rmdir()
        yield disk
    finally:
        disk.unmount()


@contextmanager
def laid_out(name: str, kind: str, sandbox: Sandbox) -> Iterator[tuple[Scene, Sequence[Disk]]]:
    """A scene on disks of this kind, and the disks."""
    with tempfile.TemporaryDirectory() as top, ExitStack() as stack:
        place = Path(top)
        if kind == "apart":
            disks = [
                stack.enter_context(mounted(place, disk)) for disk in ("hot", "archive", "journal")
            ]
            (place / "journal" / "journal.db").touch()
            (place / "journal.db").symlink_to(place / "journal" / "journal.db")
            scene = Scene(name, place, sandbox, store=place / "archive" / "store")
        else:
            options = _CARELESS if kind == "careless" else ""
            disks = [stack.enter_context(mounted(place, "disk", options))]
            scene = Scene(name, place / "disk", sandbox)
        os.sync()  # what the producer wrote is there; so is what was done before a replay
        yield scene, disks


def find_points(scene: str, kind: str) -> list[Point]:
    """Every point of a scene, counted in a run of its own on such a disk."""
    with serving() as sandbox, laid_out(scene, kind, sandbox) as (laid, _):
        counts = count_in(laid, CALLS)
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
    with serving() as sandbox, laid_out(point.scene, point.disk, sandbox) as (scene, disks):
        reached = _cut(disks, scene, point)
        if not reached:
            scene.check()  # what a process that has ended said is true without another
        if point.again is not None:
            _cut(disks, scene, point.again)
        scene.complete()
        scene.check()
        return reached


def _cut(disks: Sequence[Disk], scene: Scene, point: Point) -> bool:
    action = f"inject={point.call}:signal=SIGKILL:when={point.number}"
    done = scene.trace("-o", "/dev/null", "-e", f"trace={point.call}", "-e", action)
    assert done.returncode in (0, -9, 137), done.stdout + done.stderr
    for disk in disks:
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
