"""``hotfolder migrate run`` is killed at every named point of taking and given again: nothing
lost, nothing twice.

Bounded here to the points of migrations and the ends of a claim; ``python -m
tests.sweeps.migrate`` goes through all, and pairs of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.core.crashpoints import MIGRATION_POINTS
from tests.sweeps.migrate import kill_and_go_on

BOUNDED = (*MIGRATION_POINTS, "claim.journalled", "claim.renamed", "unit.confirmed")


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", BOUNDED)
def test_killed_once(point: str, tmp_path: Path) -> None:
    reached = kill_and_go_on(tmp_path, "folder", [(point, 1)])
    assert reached == 1, f"{point} was never reached"
