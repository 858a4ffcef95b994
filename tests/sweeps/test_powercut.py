"""The power goes: what was acknowledged is there, once.

Bounded here; ``python -m tests.sweeps.powercut`` cuts at every sync.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.sweeps.powercut import DISKS, can_mount, cut_at, draw_pairs, find_points, mounted
from tests.sweeps.scenes import SCENES, can_trace

_TRIED = {"daemon": 2, "line": 4, "replay": 2}

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(600), pytest.mark.xdist_group("loop")]


@pytest.fixture(autouse=True)
def allowed() -> None:
    if not can_trace():
        pytest.skip("strace is not there, or may not trace")
    if not can_mount():
        pytest.skip("an image may not be mounted here")


@pytest.mark.parametrize("options", ["", ",data=writeback,nodelalloc"])
def test_the_cut_takes_what_was_not_synced(options: str, tmp_path: Path) -> None:
    with mounted(tmp_path, "disk", options) as disk:
        for name in ("synced", "forgotten"):
            (disk.mounted_at / name).write_bytes(b"x" * 10_000)
        with (disk.mounted_at / "synced").open("rb") as file:
            os.fsync(file.fileno())
        (disk.mounted_at / "later").write_bytes(b"x" * 10_000)
        disk.cut()
        assert (disk.mounted_at / "synced").read_bytes() == b"x" * 10_000
        for name in ("forgotten", "later"):
            left = disk.mounted_at / name  # there with its size, perhaps
            assert not left.exists() or left.read_bytes() != b"x" * 10_000


@pytest.mark.parametrize(("scene", "kind"), list(zip(SCENES, DISKS, strict=True)))
def test_cut_on_entering_a_sync(scene: str, kind: str) -> None:
    points = find_points(scene, kind)
    assert len(points) > _TRIED[scene]
    chosen = points[:: -(-len(points) // _TRIED[scene])]
    assert sum(map(cut_at, chosen)) > len(chosen) / 2
    # After the end, and in the middle of a recovery.
    assert not cut_at(points[-1])
    cut_at(draw_pairs(points, 1, seed=1)[0])
