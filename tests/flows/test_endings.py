"""What a fault left in ``_working`` is brought to its end by the same daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import OperatorFault
from hotfolder.core.lifecycle import SpoolState
from tests.support.flow_truth import check_now, check_settled
from tests.support.flow_world import World, content_of, sidecar_of


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(root=tmp_path)
    world.start()
    yield world
    world.stop()


def take_in(world: World, *contents: bytes) -> None:
    for content in contents:
        bad = world.unreadable(content)
        world.drop(content, b"{" if bad else sidecar_of(content), "a")
    world.claim(world.waiting_drops())
    world.advance()
    world.advance()


def spoil(folder: Path) -> None:
    """Nothing can be written there until ``mend``."""
    folder.rename(folder.with_name(f"{folder.name}-away"))
    folder.write_text("a file where a folder was")


def mend(folder: Path) -> None:
    folder.unlink()
    folder.with_name(f"{folder.name}-away").rename(folder)


def working(world: World) -> list[Path]:
    return list((world.hot / "_working").iterdir())


@pytest.mark.parametrize(
    ("folder", "state"),
    [("_failed", SpoolState.REJECTED), ("_receipts", SpoolState.DUPLICATE)],
)
def test_an_end_that_failed_is_tried_again(world: World, folder: str, state: SpoolState) -> None:
    take_in(world, content_of("a", "1"))
    again = b"bad document" if state is SpoolState.REJECTED else content_of("a", "1")
    spoil(world.hot / folder)
    take_in(world, again)
    assert [row.state for row in world.running.journal.spools([state])] == [state]
    assert len(working(world)) == 2
    assert world.running.finisher.unfinished() == 1
    with pytest.raises(OperatorFault):
        world.running.finisher.finish()
    assert world.running.finisher.unfinished() == 1
    mend(world.hot / folder)
    world.finish()
    assert world.running.finisher.unfinished() == 0
    assert len(working(world)) == 1
    check_now(world)
    world.settle()
    check_settled(world)


def test_one_end_that_fails_still_holds_up_no_other(world: World) -> None:
    take_in(world, content_of("a", "1"))
    spoil(world.hot / "_failed")
    spoil(world.hot / "_receipts")
    take_in(world, b"bad document", content_of("a", "1"))
    assert world.running.finisher.unfinished() == 2
    mend(world.hot / "_receipts")
    with pytest.raises(OperatorFault):
        world.running.finisher.finish()
    assert world.running.finisher.unfinished() == 1
    assert len(world.receipts()) == 1
    mend(world.hot / "_failed")
    world.settle()
    world.finish()
    check_settled(world)
