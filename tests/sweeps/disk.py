"""The sweep of failing disks, whole:

    python -m tests.sweeps.disk [--scene line|replay|daemon|full] [--every K] [--jobs N]

strace makes the Nth write, sync, rename, … of every thread fail, for each N. Whatever
the process then does, what it has acknowledged must be true: what is STORED is whole in
the store, what has a receipt is on the server, and every drop is somewhere with all its
bytes.

``line`` and ``replay`` meet EIO once (a bad sector), ENOSPC once, and ENOSPC from there on
(a disk that stays full); they may give up, and are run again on a sound disk, to their
end. ``daemon`` is ``hotfolder run``: it may give up only while it starts. Later it must say
so in its log, and bring everything to its end by itself, without a restart. ``full`` are
real small disks (tmpfs) that are full, or get full on the way, until room is made.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hotfolder.core.errors import EX_OK
from tests.support.serving import serving
from tests.sweeps.attempts import EX_TEMPFAIL, run_sweep
from tests.sweeps.full_disk import FULL_DISKS, can_mount, fill_and_make_room
from tests.sweeps.promises import check_promises
from tests.sweeps.scenes import Scene, can_trace, count_calls

CALLS = (
    "write",
    "pwrite64",
    "copy_file_range",
    "fsync",
    "fdatasync",
    "syncfs",
    "ftruncate",
    "mkdir",
    "mkdirat",
    "rename",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
)
SCENES = ("line", "replay", "daemon")
# name, error, which calls after the N-th fail too
_TROUBLES = {
    "line": (("EIO", ""), ("ENOSPC", ""), ("ENOSPC", "+")),
    "replay": (("EIO", ""), ("ENOSPC", ""), ("ENOSPC", "+")),
    "daemon": (("EIO", ""), ("ENOSPC", "..{}")),
}
_BURST = 2  # further calls that fail in the daemon
_INJECTED = re.compile(r"^\d+ +\w+\((\d+)?.*\(INJECTED\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The ``number``-th ``call`` of every thread fails with ``error``; ``more`` is how
    strace is told of further ones."""

    scene: str
    call: str
    number: int
    error: str
    more: str = ""

    def __str__(self) -> str:
        return f"{self.scene} {self.call} {self.number}{self.more} {self.error}"

    def options(self, log: Path) -> list[str]:
        """What strace is told."""
        action = f"inject={self.call}:error={self.error}:when={self.number}{self.more}"
        return ["-o", str(log), "-e", f"trace={self.call}", "-e", action]


def find_points(scene: str) -> list[Point]:
    """Every point of a scene, counted in a run of its own."""
    return [
        Point(
            scene=scene,
            call=call,
            number=number,
            error=error,
            more=more.format(number + _BURST),
        )
        for call, count in count_calls(scene, CALLS).items()
        for number in range(1, count + 1)
        for error, more in _TROUBLES[scene]
    ]


def fail_at(point: Point) -> bool:
    """One failure in a scene of its own; whether it happened.
    ``AssertionError`` if something acknowledged is not true, or wrong in the end."""
    with tempfile.TemporaryDirectory() as place, serving() as sandbox:
        scene = Scene(point.scene, Path(place), sandbox)
        log = scene.root / "trace"
        if point.scene == "daemon":
            _run_daemon(scene, point, log)
        else:
            scene.trace(*point.options(log))
            check_promises(scene)
            scene.complete()
        scene.check()
        return "(INJECTED)" in log.read_text(errors="replace")


def _run_daemon(scene: Scene, point: Point, log: Path) -> None:
    """``hotfolder run`` until all is done; if it gave up while it started, to the end."""
    with scene.daemon(*point.options(log)) as daemon:
        daemon.wait_for(lambda: daemon.ended() is not None or daemon.is_finished())
        check_promises(scene)
        if (code := daemon.ended()) is not None:
            assert not daemon.events("daemon.started"), f"it died: {daemon.text()}"
            assert code > 0, daemon.text()
            scene.complete()
            return
        assert daemon.stop() == EX_OK, daemon.text()
        _check_told(log, daemon.events())


def _check_told(log: Path, events: Sequence[Mapping[str, Any]]) -> None:
    """A failure of the disk, in a running daemon, is in its log."""
    failed = _INJECTED.findall(log.read_text(errors="replace"))
    told = [event for event in events if event.get("level") != "info"]
    # The log itself is on descriptor 2, and a line that is lost there is told by the next.
    assert told or failed in ([], ["2"]), f"nothing is said of {failed}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scene", choices=[*SCENES, "full"], action="append")
    parser.add_argument("--call", choices=CALLS, action="append", help="these calls only")
    parser.add_argument("--every", type=int, default=1, help="every K-th point only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    scenes = options.scene or [*SCENES, "full"]
    code = EX_OK
    if not can_trace():
        print("strace may not trace here: no call was made to fail")
        code = EX_TEMPFAIL
    else:
        points = [
            point
            for scene in scenes
            if scene in SCENES
            for point in find_points(scene)
            if point.call in (options.call or CALLS)
        ]
        code = run_sweep("failures", points[:: options.every], fail_at, options.jobs)
    if "full" in scenes:
        if not can_mount():
            print("mounting is not allowed here: no disk was filled")
            return code or EX_TEMPFAIL
        code = run_sweep("full disks", FULL_DISKS, fill_and_make_room, options.jobs) or code
    return code


if __name__ == "__main__":
    sys.exit(main())
