"""Mending: a damaged object from a whole one, and what a kill leaves of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.crashpoints import SCRUB_POINTS
from hotfolder.core.errors import Corrupt, Fault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import SpoolRow
from hotfolder.flows.mend import Mended, mend
from tests.flows.test_scrub import Archive, outcomes, rewrite
from tests.support.countdown import arm
from tests.support.flow_world import content_of, sidecar_of
from tests.support.ocfl_judge import check_valid
from tests.support.server_model import ProcessKilledError


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path)
    yield made
    crashpoints.arm(None)
    made.world.stop()


def repair(archive: Archive, row: SpoolRow) -> Mended:
    now = archive.journal.get_spool(row.id)
    assert now is not None
    return mend(
        archive.journal,
        archive.roots,
        now,
        actor="auditor",
        clock=archive.world.clock,
        emit=lambda event, /, **fields: archive.world.events.append((event, fields)),
    )


def kept(archive: Archive, name: str = "store") -> list[Path]:
    return sorted((archive.world.root / f"{name}.damaged").glob("*"))


@pytest.mark.parametrize(("bad", "good", "name"), [(1, 2, "store"), (2, 1, "copy0")])
def test_a_damaged_object_comes_back_and_is_kept(
    archive: Archive, bad: int, good: int, name: str
) -> None:
    row = archive.spools()[1]
    whole = archive.content(row, good).read_bytes()
    archive.flip(row, bad)
    damaged = archive.content(row, bad).read_bytes()
    archive.run()
    done = repair(archive, row)
    assert done == Mended(source=good, mended=(bad,), state=SpoolState.DELIVERED)
    assert archive.content(row, bad).read_bytes() == whole
    (place,) = kept(archive, name)
    assert place.name == f"{row.id}-1"
    (found,) = (place / "v1" / "content").glob("*.txt")
    assert found.read_bytes() == damaged
    ((subject, details),) = archive.links("spool.mended")
    assert (subject, details["root"], details["from"]) == (row.id, bad, good)
    assert details["sha256"] == row.sha256
    check_valid(archive.world.root / name, 4)
    # It goes on to its receipt, which is written again.
    archive.world.running.finisher.finish()
    assert {item.state for item in archive.spools()} == {SpoolState.DONE}
    again = archive.run()
    assert (again.found, archive.journal.count_damaged()) == ([], 0)
    # Damaged once more, the second is kept beside the first.
    archive.flip(row, bad)
    archive.run()
    repair(archive, row)
    assert [item.name for item in kept(archive, name)] == [f"{row.id}-1", f"{row.id}-2"]


def test_forged_metadata_are_not_a_whole_copy(archive: Archive) -> None:
    row = archive.spools()[0]
    path = archive.place(row, 1) / "v1" / "content" / "metadata.json"
    whole = path.read_bytes()
    rewrite(archive, row, "metadata.json", whole + b"\n", root=1)
    archive.run()
    assert repair(archive, row).source == 2
    assert path.read_bytes() == whole


def test_nothing_is_done_where_nothing_is_whole(archive: Archive) -> None:
    row = archive.spools()[0]
    archive.flip(row, 1)
    archive.roots[1].root.withdraw(row.id, "lost")
    archive.run()
    with pytest.raises(Corrupt) as caught:
        repair(archive, row)
    assert caught.value.code == "store.no_whole_copy"
    assert archive.links("spool.mended") == []
    assert archive.content(row, 1).exists()
    assert kept(archive) == []


def test_what_is_corrupt_for_another_reason_stays_so(archive: Archive) -> None:
    row = archive.spools()[0]
    fault = Fault(code="archive.differs", message="the record differs", remedy="look at it")
    archive.journal.set_aside(row.id, SpoolState.CORRUPT, [fault], archive.world.clock.now())
    archive.flip(row, 2)
    archive.run()
    assert repair(archive, row) == Mended(source=1, mended=(2,), state=SpoolState.CORRUPT)


def test_what_an_operator_held_waits_for_him(archive: Archive) -> None:
    world = archive.world
    content = content_of("held", "text")
    world.drop(content, sidecar_of(content), "held")
    world.claim(world.waiting_drops())
    world.advance()
    (row,) = [item for item in world.rows() if item.state is SpoolState.STORED]
    fault = Fault(code="operator.hold", message="wait", remedy="release")
    archive.journal.set_aside(row.id, SpoolState.HELD, [fault], world.clock.now())
    archive.flip(row, 1)
    assert len(outcomes(archive.run())) == 1
    assert repair(archive, row).state is SpoolState.CORRUPT
    assert archive.journal.release(row.id, "well", world.clock.now()) is SpoolState.STORED


@pytest.mark.parametrize("countdown", range(1, 10))
def test_killed_anywhere_mending_again_makes_it_whole(archive: Archive, countdown: int) -> None:
    row = archive.spools()[1]
    whole = archive.content(row, 1).read_bytes()
    archive.flip(row, 1)
    damaged = archive.content(row, 1).read_bytes()
    archive.run()
    reached = arm(countdown)
    try:
        repair(archive, row)
        completed = True
    except ProcessKilledError:
        completed = False
    crashpoints.arm(None)
    if completed:
        points = {name for name in SCRUB_POINTS if name.startswith("mend.")}
        assert points <= set(reached)
    repair(archive, row)
    for root in (1, 2):
        assert archive.content(row, root).read_bytes() == whole
        archive.roots[root - 1].root.verify(row.id)
    # The damaged one was never deleted, and is there once.
    (place,) = kept(archive)
    (found,) = (place / "v1" / "content").glob("*.txt")
    assert found.read_bytes() == damaged
    state = archive.journal.get_spool(row.id)
    assert state is not None
    assert state.state is SpoolState.DELIVERED
    assert archive.links("spool.mended")
    assert archive.run().found == []
    assert not list((archive.world.root / "store.staging").iterdir())
