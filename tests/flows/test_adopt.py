"""Documents that are on the server already are adopted with the unit that lists them, and
get one where none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.flow_truth import check_now, check_settled
from tests.support.flow_world import POISON, World, content_of, sidecar_of
from tests.support.server_model import Records, Trouble

Y, CUT = Trouble.NONE, Trouble.CUT
REFUSED_THEN_LOOKED_UP = [Y, Trouble.PASSING, Y, Y]  # prepare; import; two look-ups
UNTIL_LISTED = [*REFUSED_THEN_LOOKED_UP, Y, Y, Y, CUT]  # prepare; look; document; unit


@pytest.fixture(params=[False, True], ids=["imports", "single posts"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    world = World(root=tmp_path, unit_size=2, least_privilege=request.param)
    world.start()
    yield world
    world.stop()


def take_in(world: World, *texts: str, poisoned: str = "") -> None:
    for text in texts:
        content = content_of("a", text)
        world.drop(content, sidecar_of(content), "a")
    if poisoned:
        content = content_of("a", f"poisoned {poisoned}")
        world.drop(content, sidecar_of(content, POISON), "a")
    world.claim(world.waiting_drops())
    world.advance()


def check(world: World) -> None:
    check_now(world)
    world.settle()
    check_now(world)
    check_settled(world)


def test_what_was_saved_beside_a_refused_document_is_missed_when_the_server_loses_it(
    world: World,
) -> None:
    empty = world.server.back_up()
    take_in(world, "1", poisoned="2")
    world.settle()
    assert len(world.server.records.documents) == 1
    world.server.restore(empty)
    check(world)
    assert len(world.server.records.documents) == 1


@pytest.mark.parametrize("lost", [False, True], ids=["journal kept", "journal lost"])
def test_a_document_without_unit_gets_one(world: World, lost: bool) -> None:
    take_in(world, "1")
    world.server.troubles.extend([Y, Y, Y, CUT] if world.least_privilege else UNTIL_LISTED)
    world.deliver(0)
    assert len(world.server.records.documents) == 1
    assert world.server.records.units == {}
    if lost:
        world.lose_journal()
    check(world)


@pytest.mark.parametrize("lost", [False, True], ids=["journal kept", "journal lost"])
@pytest.mark.parametrize("refused", [False, True], ids=["whole", "one refused"])
@pytest.mark.parametrize("world", [True], ids=["single posts"], indirect=True)
def test_a_unit_without_event_gets_it(world: World, lost: bool, refused: bool) -> None:
    world.unit_size = 3
    world.stop()
    world.start()
    take_in(world, "1", "2", poisoned="3" if refused else "")
    # prepare, look, the documents, the unit, its event
    world.server.troubles.extend([Y, Y, *[Y] * (3 if refused else 2), Y, CUT])
    world.deliver(0)
    (unit,) = world.server.records.units.values()
    assert (len(unit.documents), unit.event) == (2, False)
    take_in(world, "4")
    if lost:
        world.lose_journal()
    check(world)
    assert lost or world.server.records.units[unit.ref_id].event


@pytest.mark.parametrize("world", [False], ids=["imports"], indirect=True)
def test_an_import_that_came_through_after_it_was_halved_is_adopted(world: World) -> None:
    take_in(world, "1", "2")
    world.server.troubles.extend([Y, Trouble.LATE])
    world.deliver(0)
    for _ in range(2):
        world.server.troubles.extend([Y, Y, Trouble.PASSING])
        world.deliver(0)
    world.server.troubles.clear()
    world.server.commit_late()
    (unit,) = world.server.records.units.values()
    check(world)
    assert list(world.server.records.units) == [unit.ref_id]
    # It is a unit of the journal's too, so a replay misses it.
    world.server.restore(Records())
    check(world)
