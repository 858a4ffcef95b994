"""A disposal is killed, and its disk fails: nothing is destroyed, or all of it and certified.

Bounded here; ``python -m tests.sweeps.disposal`` does all of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sweeps.attempts import try_all
from tests.sweeps.disposal import ERRORS, Scene, draw_pairs, find_points, kill_at, prepare
from tests.sweeps.scenes import can_trace

_TRIED = 6  # points of each kind


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("prepared")
    prepare(place)
    return place


def test_what_is_not_killed_is_done(prepared: Path, tmp_path: Path) -> None:
    scene = Scene(prepared, tmp_path)
    scene.complete()
    assert not scene.check()  # the daemon begins nothing
    assert scene.run(None) == 0
    assert scene.check()


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["point", "statement", "call", *ERRORS])
def test_killed_anywhere(prepared: Path, kind: str) -> None:
    if kind not in ("point", "statement") and not can_trace():
        pytest.skip("strace is not there, or may not trace")
    found = [point for point in find_points(prepared) if point.kind == kind]
    tried = len(found) if kind == "point" else _TRIED
    chosen = found[:: -(-len(found) // tried)] + draw_pairs(found, 1, seed=1)
    outcomes = list(try_all(chosen, lambda point: kill_at(prepared, point)))
    assert [outcome for outcome in outcomes if isinstance(outcome[1], BaseException)] == []
    assert any(happened is True for _, happened in outcomes)
