"""Killed on entering system calls, and started again: nothing lost, nothing twice.

Bounded here; ``python -m tests.sweeps.syscalls`` does all of them.
"""

from __future__ import annotations

import pytest

from tests.sweeps.attempts import try_all
from tests.sweeps.scenes import SCENES, can_trace
from tests.sweeps.syscalls import draw_pairs, find_points, kill_at

_TRIED = {"daemon": 5, "line": 8, "replay": 3}


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scene", SCENES)
def test_killed_on_entering_a_call(scene: str) -> None:
    if not can_trace():
        pytest.skip("strace is not there, or may not trace")
    points = find_points(scene)
    assert len(points) > 5 * _TRIED[scene]
    chosen = points[:: -(-len(points) // _TRIED[scene])] + draw_pairs(points, 1, seed=1)
    outcomes = list(try_all(chosen, kill_at))
    assert [outcome for outcome in outcomes if isinstance(outcome[1], BaseException)] == []
    assert sum(happened is True for _, happened in outcomes) > len(outcomes) / 2
