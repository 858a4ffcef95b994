"""Killed at every named point, and at pairs of them, and started again: nothing lost,
nothing twice.

Bounded here to each point once; ``python -m tests.sweeps.kill_points`` does all pairs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.core.crashpoints import POINTS
from tests.sweeps.kill_points import kill_and_recover


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS)
def test_killed_once(point: str, tmp_path: Path) -> None:
    reached = kill_and_recover(tmp_path, [(point, 1)])
    assert reached == 1, f"{point} was never reached"
