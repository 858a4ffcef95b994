"""The power goes: what was acknowledged is there, once.

Bounded here; ``python -m tests.sweeps.powercut`` cuts at every sync.
"""

from __future__ import annotations

import os

import pytest

from tests.sweeps.powercut import can_mount, cut_at, find_points, mounted
from tests.sweeps.scenes import SCENES, can_trace

_TRIED = {"daemon": 3, "line": 5, "replay": 2}

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(600), pytest.mark.xdist_group("loop")]


@pytest.fixture(autouse=True)
def allowed() -> None:
    if not can_trace():
        pytest.skip("strace is not there, or may not trace")
    if not can_mount():
        pytest.skip("an image may not be mounted here")


def test_the_cut_takes_what_was_not_synced() -> None:
    with mounted() as disk:
        for name in ("synced", "forgotten"):
            (disk.mounted_at / name).write_bytes(b"x" * 10_000)
        with (disk.mounted_at / "synced").open("rb") as file:
            os.fsync(file.fileno())
        (disk.mounted_at / "later").write_bytes(b"x" * 10_000)
        disk.cut()
        assert (disk.mounted_at / "synced").read_bytes() == b"x" * 10_000
        left = {
            name: (disk.mounted_at / name).stat().st_size
            for name in ("forgotten", "later")
            if (disk.mounted_at / name).exists()
        }
        assert not any(left.values()), left


@pytest.mark.parametrize("scene", SCENES)
def test_cut_on_entering_a_sync(scene: str) -> None:
    points = find_points(scene)
    assert len(points) > _TRIED[scene]
    reached = [cut_at(point) for point in points[:: -(-len(points) // _TRIED[scene])]]
    assert sum(reached) > len(reached) / 2
