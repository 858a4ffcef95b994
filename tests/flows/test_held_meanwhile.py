"""What an operator does in another process while a unit is being delivered."""

from __future__ import annotations

from pathlib import Path

from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState
from tests.support.flow_truth import check_now, check_settled
from tests.support.flow_world import World, content_of, sidecar_of


def test_a_spool_held_while_its_series_is_prepared_is_not_sent(tmp_path: Path) -> None:
    world = World(root=tmp_path, unit_size=2)
    world.start()
    try:
        for text in ("1", "2"):
            content = content_of("a", text)
            world.drop(content, sidecar_of(content), "a")
        world.claim(world.waiting_drops())
        world.advance()
        journal = world.running.journal
        held = journal.spools([SpoolState.STORED])[0].id
        fault = Fault(code="operator.hold", message="wait", remedy="release it")
        world.server.meanwhile.append(
            lambda: journal.set_aside(held, SpoolState.HELD, [fault], world.clock.now())
        )
        world.deliver(0)
        assert world.server.records.documents == {}
        assert journal.server_state()[0] == 0, "the server has not failed"
        world.deliver(0)
        assert len(world.server.records.documents) == 1
        check_now(world)
        world.settle()
        check_settled(world)
    finally:
        world.stop()
