"""What comes back from ArchivesSpace and goes downstream, killed at every named point.

Bounded here to each point once, some in a row; ``python -m tests.sweeps.feedback`` does
every pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from hotfolder.core.crashpoints import FEED_POINTS
from tests.sweeps.feedback import Scene, kill_and_recover, prepared


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with prepared(tmp_path_factory.mktemp("scene")) as made:
        yield made


LIVES = (
    ("look.recorded", "fact.applied", "fact.settled"),
    ("feed.planned", "feed.written", "feed.staged"),
    ("feed.given", "feed.recorded", "feed.posted"),
)


@pytest.mark.sweep
@pytest.mark.timeout(300)
@pytest.mark.parametrize("points", LIVES, ids=lambda points: points[0])
def test_killed_at_each(scene: Scene, points: Sequence[str], tmp_path: Path) -> None:
    reached = kill_and_recover(scene, tmp_path, [(point, 1) for point in points])
    assert reached == len(points), "a point was never reached"


def test_every_point_is_among_them() -> None:
    assert sorted(point for points in LIVES for point in points) == sorted(FEED_POINTS)
