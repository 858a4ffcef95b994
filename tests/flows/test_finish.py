"""A receipt says that a document is archived only while it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.lifecycle import SpoolState
from tests.support.flow_truth import check_now, check_settled
from tests.support.flow_world import World, content_of, sidecar_of
from tests.support.server_model import Records


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(root=tmp_path, unit_size=2)
    world.start()
    yield world
    world.stop()


def deliver(world: World, *texts: str) -> None:
    for text in texts:
        content = content_of("a", text)
        world.drop(content, sidecar_of(content), "a")
    world.claim(world.waiting_drops())
    world.advance()
    while world.running.journal.backlogs():
        world.deliver(0)


def test_what_the_server_lost_before_the_receipt_waits_for_it(world: World) -> None:
    deliver(world, "1", "2", "3")
    world.server.restore(Records())
    world.running.replay.compare()
    world.finish()
    assert world.receipts() == []
    world.settle()
    check_now(world)
    check_settled(world)
    assert len(world.receipts()) == 3


def test_what_waits_for_its_receipt_holds_up_no_other(world: World) -> None:
    deliver(world, "1", "2", "3", "4")
    oldest = world.running.journal.spools([SpoolState.DELIVERED], limit=1)[0]
    (row,) = world.running.journal.documents_of(oldest.id)
    world.server.lose(row.document.identity)
    world.running.replay.compare(verify=True)
    done = 0
    while (step := world.running.finisher.finish(1)) > 0:
        done += step
    assert done == 3
    assert len(world.receipts()) == 3
    world.settle()
    check_settled(world)
    assert len(world.receipts()) == 4
