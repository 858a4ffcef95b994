"""A corrupt spool is ended when what it had is whole elsewhere, and never else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.disposals import DueFilter, Standing
from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.flows.discarding import discard
from tests.support.disposal import TODAY, DisposalWorld, hold
from tests.support.journals import FAULT, spool_id
from tests.support.server_model import ProcessKilledError


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DisposalWorld]:
    made = DisposalWorld(tmp_path)
    yield made
    crashpoints.arm(None)
    made.close()


def end(world: DisposalWorld) -> tuple[str, ...]:
    return discard(
        world.journal,
        world.store,
        spool_id(1),
        actor="maria",
        reason="the disk failed",
        clock=world.clock,
        emit=world.emit,
    )


def state(world: DisposalWorld) -> SpoolState:
    return world.journal.states_of([spool_id(1)])[spool_id(1)]


def twice(world: DisposalWorld) -> str:
    (name,) = world.add(1, "D")
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    world.add_again(2, 1)
    return name


def test_its_document_can_be_destroyed_then(world: DisposalWorld, tmp_path: Path) -> None:
    name = twice(world)
    aside = tmp_path / "one.damaged" / f"{spool_id(1)}-1"
    aside.mkdir(parents=True)
    (aside / "spool").write_bytes(b"spool 1")
    assert end(world) == (spool_id(2),)
    assert (state(world), world.is_there(1), world.is_there(2)) == (
        SpoolState.REJECTED,
        False,
        True,
    )
    assert not aside.exists()
    acts = [(link.actor, link.action) for link in world.journal.audit_of([spool_id(1)])]
    assert acts[-2:] == [("maria", "spool.discarded"), ("maria", "spool.rejected")]
    assert world.outcomes(world.destroy()) == {name: "destroyed"}
    # Nothing personal is left of it either.
    (left,) = world.journal.documents_of(spool_id(1))
    assert left.document.metadata.customer_name is None
    assert world.journal.check() == []


@pytest.mark.parametrize("countdown", [1, 2])
def test_killed_anywhere_it_forbids_still_and_is_discarded_again(
    world: DisposalWorld, countdown: int
) -> None:
    name = twice(world)
    points = iter(["discard.recorded", "discard.removed"])
    point = [next(points) for _ in range(countdown)][-1]

    def die(reached: str) -> None:
        if reached == point:
            raise ProcessKilledError

    crashpoints.arm(die)
    with pytest.raises(ProcessKilledError):
        end(world)
    crashpoints.arm(None)
    found, _ = world.journal.due_documents(DueFilter(), TODAY)
    assert {item.standing for item in found} == {Standing.BLOCKED}
    assert {item.identity for item in found} == {name}
    assert state(world) is SpoolState.CORRUPT
    assert end(world) == (spool_id(2),)
    assert state(world) is SpoolState.REJECTED


def test_what_is_archived_nowhere_else_is_not_discarded(world: DisposalWorld) -> None:
    world.add(1, "D", "D")
    with pytest.raises(ValueError, match="not corrupt"):
        end(world)
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    with pytest.raises(ValueError, match="no other spool"):
        end(world)
    world.add_again(2, 1)  # the first of both
    with pytest.raises(ValueError, match="no other spool"):
        end(world)
    assert world.is_there(1)
    assert state(world) is SpoolState.CORRUPT


def test_a_copy_that_is_damaged_or_stands_aside_is_none(
    world: DisposalWorld, tmp_path: Path
) -> None:
    twice(world)
    place = Path(world.store.roots[1].place_of(spool_id(2)).decode())
    (content,) = place.rglob("mueller-4711.pdf")
    content.chmod(0o644)
    content.write_bytes(b"another")
    with pytest.raises(Corrupt):
        end(world)
    world.journal.set_aside(spool_id(2), SpoolState.CORRUPT, [FAULT], 20.0)
    with pytest.raises(ValueError, match="no other spool"):
        end(world)
    assert world.is_there(1)


def test_a_hold_or_its_mark_keeps_it(world: DisposalWorld) -> None:
    name = twice(world)
    hold(world, "1", identities=(name,))
    with pytest.raises(ValueError, match="hold-000000000001"):
        end(world)
    world.journal.release_hold("hold-000000000001", "judge", "settled", 30.0)
    world.store.place_hold(spool_id(1), "hold-000000000002")
    with pytest.raises(OperatorFault) as found:
        end(world)
    assert found.value.code == "store.held"
    assert world.is_there(1)


def test_a_root_that_is_away_keeps_it(world: DisposalWorld, tmp_path: Path) -> None:
    twice(world)
    (tmp_path / "two").rename(tmp_path / "away")
    with pytest.raises((OperatorFault, Corrupt)):
        end(world)
    (tmp_path / "away").rename(tmp_path / "two")
    assert world.is_there(1)
    assert state(world) is SpoolState.CORRUPT
