"""A receipt says that a document is archived only while it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import Fault
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


def test_what_lies_in_a_folder_that_is_not_configured_waits_for_it(world: World) -> None:
    """Its working copy would stay there for ever, whatever becomes of the document."""
    deliver(world, "1", "2", "3")
    finisher = world.running.finisher
    finisher.use_folders({})
    for _ in range(2):
        assert finisher.finish() == 0
    told = [fields for event, fields in world.events if event == "folder.missing"]
    assert told == [{"folder": "hot", "count": 1}]
    assert {row.state for row in world.rows()} == {SpoolState.DELIVERED}
    finisher.use_folders({"hot": world.profile})
    assert finisher.finish() == 3
    assert len(world.receipts()) == 3
    assert not world.files("_working")


def test_what_was_receipted_before_waits_for_no_folder(world: World) -> None:
    deliver(world, "1", "2")
    world.finish()
    journal = world.running.journal
    first, second = (row.id for row in world.rows())
    fault = Fault(code="store.fixity", message="the bytes differ", remedy="mend it")
    journal.set_aside(first, SpoolState.CORRUPT, [fault], world.clock.now())
    journal.release(first, "mended", world.clock.now())
    world.running.finisher.use_folders({})
    assert world.running.finisher.finish() == 1
    assert journal.states_of([first, second]) == dict.fromkeys((first, second), SpoolState.DONE)


def test_what_was_rebuilt_waits_for_no_folder(world: World) -> None:
    deliver(world, "1")
    world.finish()
    world.lose_journal()
    world.start()
    works = world.running
    works.finisher.use_folders({})
    works.rebuild.run()
    assert works.finisher.finish() == 1
