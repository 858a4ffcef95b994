"""Killed on entering system calls, and started again: nothing lost, nothing twice.

Bounded here; ``python -m tests.sweeps.syscalls`` does all of them.
"""

from __future__ import annotations

import pytest

from tests.sweeps.scenes import SCENES, can_trace
from tests.sweeps.syscalls import find_points, sweep

_TRIED = {"daemon": 12, "line": 12, "replay": 6}


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scene", SCENES)
def test_killed_on_entering_a_call(scene: str) -> None:
    if not can_trace():
        pytest.skip("strace is not there, or may not trace")
    points = find_points(scene)
    assert len(points) > 5 * _TRIED[scene]
    chosen = points[:: -(-len(points) // _TRIED[scene])]
    outcomes = list(sweep(chosen, jobs=1))
    assert [outcome for _, outcome in outcomes if isinstance(outcome, BaseException)] == []
    assert sum(happened is True for _, happened in outcomes) > len(outcomes) / 2
