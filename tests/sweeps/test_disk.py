"""A disk that fails or is full: nothing is acknowledged that is not true.

Bounded here; ``python -m tests.sweeps.disk`` fails every write and every sync.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_OK
from tests.support.daemon import PATIENCE, Daemon
from tests.support.serving import server_documents, serving
from tests.sweeps.disk import SCENES, find_points, sweep
from tests.sweeps.scenes import can_trace

_TRIED = {"line": 16, "replay": 6}


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scene", SCENES)
def test_a_write_or_sync_fails(scene: str) -> None:
    if not can_trace():
        pytest.skip("strace is not there, or may not trace")
    points = find_points(scene)
    assert len(points) > 5 * _TRIED[scene]
    # An odd step, so that both errors are tried.
    step = -(-len(points) // _TRIED[scene]) | 1
    outcomes = list(sweep(points[::step], jobs=1))
    assert [outcome for _, outcome in outcomes if isinstance(outcome, BaseException)] == []
    assert sum(happened is True for _, happened in outcomes) > len(outcomes) / 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            while True:
                try:
                    if os.write(file.fileno(), b"\0" * size) < size:
                        break
                except OSError:
                    break


@pytest.mark.sweep
@pytest.mark.timeout(600)
def test_a_full_disk_pauses_the_daemon_until_there_is_room(small_disk: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(small_disk, sandbox.url)
        # The log has a disk of its own, as a journal of systemd has.
        daemon.log_path = small_disk.parent / "hotfolder.log"
        with daemon.running():
            for number in range(3):
                daemon.drop("first", f"{number}.txt", customer_id=f"C-{number}")
                (small_disk / "first" / f"{number}.txt.done").rename(
                    small_disk / "first" / f".{number}"
                )
            filler = small_disk / "filler"
            _fill(filler)
            for number in range(3):
                (small_disk / "first" / f".{number}").rename(
                    small_disk / "first" / f"{number}.txt.done"
                )
            paused = daemon.wait_for("loop.paused")
            assert {line["reason"] for line in paused} <= {"disk.full", "journal.full"}
            assert not server_documents(sandbox.url)
            assert not list((small_disk / "first" / "_receipts").iterdir())
            filler.unlink()
            limit = time.monotonic() + PATIENCE
            while sum(line["count"] for line in daemon.events("spool.done")) < 3:
                assert time.monotonic() < limit, daemon.log_path.read_text()
                time.sleep(0.1)
            assert daemon.stop() == EX_OK
        assert len(server_documents(sandbox.url)) == 3
