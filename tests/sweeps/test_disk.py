"""A disk that fails or is full: nothing is acknowledged that is not true.

Bounded here; ``python -m tests.sweeps.disk`` fails every write and every sync.
"""

from __future__ import annotations

import pytest

from tests.sweeps.attempts import try_all
from tests.sweeps.disk import SCENES, fail_at, find_points
from tests.sweeps.full_disk import FullDisk, can_mount, fill_and_make_room
from tests.sweeps.scenes import can_trace

_TRIED = {"line": 8, "replay": 4, "daemon": 4}

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(600)]


@pytest.mark.parametrize("scene", SCENES)
def test_a_call_fails(scene: str) -> None:
    if not can_trace():
        pytest.skip("strace is not there, or may not trace")
    points = find_points(scene)
    assert len(points) > 5 * _TRIED[scene]
    # No multiple of 2 and 3, so that all the troubles are tried.
    step = next(
        step
        for step in range(-(-len(points) // _TRIED[scene]), len(points))
        if step % 2 and step % 3
    )
    outcomes = list(try_all(points[::step], fail_at))
    assert [outcome for outcome in outcomes if isinstance(outcome[1], BaseException)] == []
    assert sum(happened is True for _, happened in outcomes) > len(outcomes) / 2


@pytest.mark.xdist_group("loop")
@pytest.mark.parametrize(
    "case",
    [
        FullDisk(system="tmpfs", place="everything", room=-1),
        FullDisk(system="ext4", place="hot", room=0),
    ],
    ids=str,
)
def test_a_full_disk_pauses_the_daemon_until_there_is_room(case: FullDisk) -> None:
    if not can_mount():
        pytest.skip("mounting is not allowed here")
    assert fill_and_make_room(case)
