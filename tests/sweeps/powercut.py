"""The power cut sweep, whole:

    python -m tests.sweeps.powercut [--scene daemon|line|replay] [--every K]

Hot folder, journal and store lie on an ext4 image, mounted through a loop device. The
process is killed as it enters its Nth sync, for each N, and the image is copied at that
moment: it holds what the kernel has written out, and nothing that was only in memory.
Commits of ext4 are put off (``commit=600``) and its kindness to programs that forget to
sync is off (``noauto_da_alloc``). The copy is mounted in its place, as after a cold
start, the process is run again to its end, and everything is checked from outside. The
server is another machine: it keeps what it was sent.

Needs root and loop devices; says so and exits 75 where it may not mount.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.serving import serving
from tests.sweeps.attempts import EX_TEMPFAIL, run_sweep
from tests.sweeps.scenes import SCENES, Scene, can_trace, count_calls

CALLS = ("fsync", "fdatasync", "syncfs")
_SIZE = 64 << 20  # bytes of the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The power goes as a thread enters its ``number``-th ``call``."""

    scene: str
    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.scene} {self.call} {self.number}"


class Disk:
    """An ext4 file system in a file, mounted; the power can be cut."""

    def __init__(self, place: Path) -> None:
        self.image = place / "disk.img"
        self.mounted_at = place / "disk"
        self.mounted_at.mkdir()
        with self.image.open("wb") as file:
            file.truncate(_SIZE)
        _order("mkfs.ext4", "-q", "-F", str(self.image))

    def mount(self) -> None:
        """Mount the image; ext4 replays its own journal, as after a cold start."""
        options = "loop,commit=600,noauto_da_alloc"
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
    """Whether an image can be made and mounted here."""
    if shutil.which("mkfs.ext4") is None:
        return False
    try:
        with mounted():
            return True
    except subprocess.CalledProcessError:
        return False


@contextmanager
def mounted() -> Iterator[Disk]:
    """A disk, for as long as it is wanted."""
    with tempfile.TemporaryDirectory() as place:
        disk = Disk(Path(place))
        disk.mount()
        try:
            yield disk
        finally:
            disk.unmount()


def find_points(scene: str) -> list[Point]:
    """Every point of a scene, counted in a run of its own."""
    return [
        Point(scene=scene, call=call, number=number)
        for call, count in count_calls(scene, CALLS).items()
        for number in range(1, count + 1)
    ]


def cut_at(point: Point) -> bool:
    """One cut of a scene of its own; whether the point was reached. ``AssertionError``
    if something is wrong afterwards."""
    with mounted() as disk, serving() as sandbox:
        root = disk.mounted_at / "hotfolder"
        root.mkdir()
        scene = Scene(point.scene, root, sandbox)
        os.sync()  # what the producer wrote is there; so is what was done before a replay
        action = f"inject={point.call}:signal=SIGKILL:when={point.number}"
        done = scene.trace("-o", "/dev/null", "-e", f"trace={point.call}", "-e", action)
        assert done.returncode in (0, -9, 137), done.stdout + done.stderr
        disk.cut()
        scene.complete()
        scene.check()
        return done.returncode != 0


def _order(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scene", choices=SCENES, action="append")
    parser.add_argument("--every", type=int, default=1, help="every K-th point only")
    options = parser.parse_args()
    if not (can_trace() and can_mount()):
        print("strace may not trace, or an image may not be mounted: nothing was tried")
        return EX_TEMPFAIL
    points = [
        point for scene in options.scene or SCENES for point in find_points(scene)[:: options.every]
    ]
    return run_sweep("power cuts", points, cut_at)


if __name__ == "__main__":
    sys.exit(main())
