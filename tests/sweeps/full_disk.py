"""A real disk that is full, or gets full on the way, until room is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from hotfolder.core.errors import EX_OK
from tests.support.line import make_signing
from tests.support.serving import serving
from tests.sweeps.promises import check_promises
from tests.sweeps.scenes import Scene

_SIZE = 16 << 20  # bytes of the disk
_FULL = {"disk.full", "journal.full"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FullDisk:
    """``place`` (everything, hot, store or journal) lies on a disk with so much ``room``:
    bytes, or files if ``inodes``. Below zero: none, and that already at the start."""

    system: str
    place: str
    room: int
    inodes: bool = False

    def __str__(self) -> str:
        unit = "inodes" if self.inodes else "bytes"
        return f"{self.place} on {self.system} with room for {self.room} {unit}"


FULL_DISKS = (
    *(
        FullDisk(system=system, place=place, room=room)
        for system, place, room in product(
            ("tmpfs", "ext4"),
            ("everything", "hot", "store", "journal"),
            (-1, 0, 16 << 10, 64 << 10, 256 << 10),
        )
    ),
    *(
        FullDisk(system=system, place=place, room=room, inodes=True)
        for system, place, room in product(
            ("tmpfs", "ext4"), ("everything", "hot", "store"), (0, 3, 10, 40)
        )
    ),
)


@contextmanager
def small_disk(system: str, at: Path, image: Path) -> Iterator[None]:
    """A small file system, mounted at a folder. ``CalledProcessError`` if that is not
    allowed here."""
    if system == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},nr_inodes=2000", "tmpfs"]
    else:
        with image.open("wb") as file:
            file.truncate(_SIZE)
        _order("mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-N", "2000", str(image))
        command = ["mount", "-t", "ext4", "-o", "loop", str(image)]
    _order(*command, str(at))
    with suppress(FileNotFoundError):
        (at / "lost+found").rmdir()
    try:
        yield
    finally:
        _order("umount", "-l", str(at))


def can_mount() -> bool:
    """Whether a small disk can be made and mounted here."""
    if shutil.which("mkfs.ext4") is None:
        return False
    try:
        with tempfile.TemporaryDirectory() as place:
            for system in ("tmpfs", "ext4"):
                with small_disk(system, Path(place), Path(place).with_suffix(".img")):
                    pass
                Path(place).with_suffix(".img").unlink(missing_ok=True)
            return True
    except subprocess.CalledProcessError:
        return False


def fill_and_make_room(case: FullDisk) -> bool:
    """One daemon on such a disk; whether it met the end of it. It must say so, wait,
    and bring everything to its end once there is room. ``AssertionError`` otherwise."""
    with tempfile.TemporaryDirectory() as top, serving() as sandbox:
        root = Path(top) / "hotfolder"
        (root / "hot").mkdir(parents=True)
        disk = root / "hot" if case.place == "hot" else Path(top) / "disk"
        disk.mkdir(exist_ok=True)
        with small_disk(case.system, disk, Path(top) / "disk.img"):
            if case.place == "everything":
                root = disk / "hotfolder"
                root.mkdir()
            store = disk / "store" if case.place == "store" else None
            scene = Scene("daemon", root, sandbox, store=store)
            if case.place == "journal":
                (disk / "journal.db").touch()
                (root / "journal.db").symlink_to(disk / "journal.db")
            make_signing(root)  # what a look at the scene needs, while there is room
            return _run(case, scene, disk)


def _run(case: FullDisk, scene: Scene, disk: Path) -> bool:
    hot = scene.root / "hot"
    triggers = sorted(hot.glob("*.done"))
    for trigger in triggers:
        trigger.rename(hot / f".{trigger.name}")
    filler = disk / "_filler"
    filler.mkdir()
    if case.room < 0:
        _fill(case, disk, filler)
        with scene.daemon() as daemon:
            daemon.wait_for(lambda: daemon.ended() is not None or bool(daemon.events()))
            ended = daemon.ended()
            assert "Traceback" not in daemon.text(), daemon.text()
            named = "No space left" in daemon.text() or "disk is full" in daemon.text()
            assert ended is None or (named and ended > 0), daemon.text()
            if ended is None:
                assert daemon.stop() == EX_OK, daemon.text()
        shutil.rmtree(filler)
        filler.mkdir()
    with scene.daemon() as daemon:
        daemon.wait_for(lambda: bool(daemon.events("daemon.started")))
        _fill(case, disk, filler)
        for trigger in triggers:
            (hot / f".{trigger.name}").rename(trigger)

        def told() -> bool:
            return any(event.get("reason", "") in _FULL for event in daemon.events())

        daemon.wait_for(lambda: told() or daemon.is_finished())
        met = told()
        check_promises(scene)
        assert daemon.ended() is None, daemon.text()
        shutil.rmtree(filler)
        daemon.wait_for(daemon.is_finished)
        assert daemon.stop() == EX_OK, daemon.text()
        return met


def _fill(case: FullDisk, disk: Path, filler: Path) -> None:
    """Leave no more than ``room``."""
    if case.inodes:
        for number in range(os.statvfs(disk).f_ffree - max(0, case.room)):
            (filler / str(number)).touch()
        return
    spare = max(0, case.room)
    if spare:
        with (filler / "spare").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, spare)
    with (filler / "bytes").open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1, 1 << 12, 1):
            _write_on(file.fileno(), size)
            os.fsync(file.fileno())  # ext4 may find that there was more room than it thought
    with suppress(OSError):
        for number in range(1 << 16):
            (filler / f"folder {number}").mkdir()  # ext4 keeps some blocks for these
    if spare:
        (filler / "spare").unlink()
        os.sync()


def _write_on(descriptor: int, size: int) -> None:
    with suppress(OSError):
        while os.write(descriptor, b"\0" * size) == size:
            pass


def _order(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
