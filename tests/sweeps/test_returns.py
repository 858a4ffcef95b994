"""Returns and requests, killed at every named point and started again, and through every
fault of the network: given once, answered once.

Bounded here to each point once, a few in a row, and to faults of the answer to an event;
``python -m tests.sweeps.returns`` does pairs, and every fault at every request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.crashpoints import RETURN_POINTS
from tests.sweeps.network import FAULTS
from tests.sweeps.returns import ANSWERS, Scene, kill_and_recover, meet, prepared


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with prepared(tmp_path_factory.mktemp("scene")) as made:
        yield made


# One life after the other in one scene, in the order of the way.
LIVES = (
    ("order.journalled", "return.written", "return.staged"),
    ("return.renamed", "return.given", "return.sent", "return.recorded"),
    ("request.journalled", "request.claimed", "request.recorded"),
    ("answer.written", "answer.staged", "answer.renamed", "answer.recorded"),
    ("asked.recorded", "asked.decided", "asked.answered", "asked.closed"),
)


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("points", LIVES, ids=lambda points: points[0])
def test_killed_at_each(scene: Scene, points: Sequence[str], tmp_path: Path) -> None:
    reached = kill_and_recover(scene, tmp_path, [(point, 1) for point in points])
    assert reached == len(points), "a point was never reached"


def test_every_point_is_among_them() -> None:
    assert sorted(point for points in LIVES for point in points) == sorted(RETURN_POINTS)


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name", ["reset after commit", "timeout, then commit", "409", "session gone"]
)
def test_an_answer_that_meets_a_fault(scene: Scene, name: str, tmp_path: Path) -> None:
    fault = replace(FAULTS[name](1), method="POST", path=r"/events/\d+$")
    assert meet(scene, tmp_path, fault)[0], "it never struck"


@pytest.mark.sweep
@pytest.mark.timeout(600)
def test_a_receiver_that_is_not_to_be_trusted(scene: Scene, tmp_path: Path) -> None:
    answers = list(ANSWERS.values())
    assert meet(scene, tmp_path, None, answers)[0], "not all were met"
    assert sum(scene.receiver.times.values()) > len(scene.receiver.times), "one came twice"
