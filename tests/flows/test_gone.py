"""What is asked for and was destroyed, or is withheld, and what comes again."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_NOPERM, EX_UNAVAILABLE, OperatorFault, Transient
from hotfolder.core.pacing import Pace
from hotfolder.core.records import Inspection, Reading
from hotfolder.flows.give import Giving
from hotfolder.flows.gone import DESTROYED, WITHHELD
from hotfolder.flows.naming import resolve_document
from hotfolder.flows.rebuild import Rebuild
from hotfolder.flows.retrieve import Form
from hotfolder.flows.scrub import Scrub
from hotfolder.journal.journal import SqliteJournal
from tests.support.disposal import DisposalWorld
from tests.support.journals import claim, spool_id


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DisposalWorld]:
    found = DisposalWorld(tmp_path)
    yield found
    found.close()


def give(world: DisposalWorld, identity: str, form: Form | None = None) -> None:
    giving = Giving(
        journal=world.journal,
        store=world.store,
        clock=world.clock,
        emit=world.emit,
        actor="clerk",
        reason="asked",
    )
    try:
        giving.to_stream(identity, form, io.BytesIO())
    finally:
        giving.close()


def last_refusal(world: DisposalWorld) -> tuple[str, object]:
    row = world.journal.audit(limit=10_000)[-1]
    assert row.action == "retrieval.refused"
    return row.subject, row.details["code"]


def test_what_was_destroyed_is_answered_with_what_is_left(world: DisposalWorld) -> None:
    (gone,) = world.add(1, "D")
    disposal = world.destroy()
    with pytest.raises(OperatorFault) as found:
        give(world, gone)
    assert found.value.exit_code == EX_UNAVAILABLE
    assert disposal in found.value.message
    assert "2036-03-01" in found.value.message
    assert last_refusal(world) == (gone, DESTROYED)
    assert resolve_document(world.journal, None, gone) == (gone,)


def test_what_is_being_destroyed_is_not_given(world: DisposalWorld) -> None:
    (gone,) = world.add(1, "D")
    world.flow.begin(world.approved(), actor="cem")
    with pytest.raises(OperatorFault) as found:
        give(world, gone)
    assert found.value.code == DESTROYED


def test_what_is_withheld_is_not_given_nor_its_spool(world: DisposalWorld) -> None:
    withheld, stays = world.add(1, "D", "L")
    world.destroy()
    with pytest.raises(OperatorFault) as found:
        give(world, withheld)
    assert found.value.exit_code == EX_NOPERM
    assert last_refusal(world) == (withheld, WITHHELD)
    with pytest.raises(OperatorFault) as found:
        give(world, stays, Form.SPOOL)
    assert last_refusal(world) == (stays, WITHHELD)


def test_it_is_not_read_again_behind_the_back_of_intake(world: DisposalWorld) -> None:
    (gone,) = world.add(1, "D")
    row = world.journal.get_document(gone)
    assert row is not None
    world.destroy()
    claim(world.journal, 2)
    reading = Reading(
        spool_id=spool_id(2),
        sha256=row.spool_sha256,
        size=10,
        inspection=Inspection(format_name="pdf"),
        documents=(row.document,),
    )
    with pytest.raises(Transient) as found:
        world.journal.record_readings([reading], 9.0)
    assert found.value.code == "document.destroyed"
    assert [item.identity for item in world.journal.destroyed_among([gone])] == [gone]


def test_a_new_version_follows_the_one_that_was_destroyed(world: DisposalWorld) -> None:
    (gone,) = world.add(1, "D")
    row = world.journal.get_document(gone)
    assert row is not None
    world.destroy()
    newer = row.document.__class__(
        **{
            **{name: getattr(row.document, name) for name in row.document.__slots__},
            "identity": "hf-" + "5" * 64,
        }
    )
    claim(world.journal, 2)
    reading = Reading(
        spool_id=spool_id(2),
        sha256="5" * 64,
        size=10,
        inspection=Inspection(format_name="pdf"),
        documents=(newer,),
    )
    world.journal.record_readings([reading], 9.0)
    (found,) = world.journal.documents_of(spool_id(2))
    assert (found.document.version, found.document.supersedes) == (2, gone)


class NoArchive:
    """ArchivesSpace has nothing."""

    def find_documents(self, _unit: str, _names: object) -> dict[str, object]:
        return {}

    def find_units(self, _unit: str, _names: object) -> dict[str, object]:
        return {}


def test_a_journal_that_was_lost_knows_the_tombstones(world: DisposalWorld) -> None:
    (gone,) = world.add(1, "D")
    (under_way,) = world.add(2, "L")
    world.destroy()
    # Of the second the tombstone is there, and the objects are.
    for root in world.store.roots:
        stone = world.store.tombstone(spool_id(1))
        assert stone is not None
        root.entomb(spool_id(2), stone.replace(gone.encode(), under_way.encode()))
    journal = SqliteJournal(bytes(world.root / "new.db"))
    rebuild = Rebuild(
        journal=journal,
        store=world.store,
        archive=NoArchive(),  # type: ignore[arg-type]
        clock=world.clock,
        emit=world.emit,
    )
    for _ in range(2):  # it may be run again
        rebuild.run()
        assert journal.is_destroyed(gone)
        assert journal.is_destroyed(under_way)
        assert not world.is_there(2)
        assert [row.action for row in journal.audit()] == ["document.destroyed"] * 2
    journal.close()


def scrubbed(world: DisposalWorld) -> tuple[int, list[tuple[str, int, str]]]:
    """Spools verified by a round, and what it found."""
    scrub = Scrub(
        journal=world.journal,
        roots=world.store.roots,
        clock=world.clock,
        emit=world.emit,
        actor="hotfolder",
        pace=Pace(),
        pause=lambda _seconds: None,
    )
    done = scrub.run_round()
    assert done.finished
    return done.spools, [(item.spool_id, item.root, str(item.outcome)) for item in done.found]


def test_the_scrub_does_not_miss_what_was_destroyed(world: DisposalWorld) -> None:
    world.add(1, "D")
    world.add(2, "L")
    world.destroy()
    assert scrubbed(world) == (1, [])


def test_the_scrub_tells_what_has_come_back(world: DisposalWorld, tmp_path: Path) -> None:
    world.add(1, "D")
    world.add(2, "D", "L", encrypted=True)
    place = Path(os.fsdecode(world.store.roots[1].place_of(spool_id(1))))
    keys = Path(os.fsdecode(world.store.roots[0].keys.path(spool_id(2))))
    shutil.copytree(place, tmp_path / "working" / "backup")
    before = keys.read_bytes()
    disposal = world.destroy()
    assert scrubbed(world) == (1, [])
    shutil.copytree(tmp_path / "working" / "backup", place)
    keys.write_bytes(before)
    back = [(spool_id(2), 1, "destroyed"), (spool_id(1), 2, "destroyed")]
    assert scrubbed(world) == (1, back)
    verified = world.journal.last_round()
    assert verified is not None
    assert verified.totals["objects"] == {"whole": 2, "unknown": 0, "destroyed": 2}
    world.flow.repeat(disposal)
    assert scrubbed(world) == (1, [])


def test_what_is_being_destroyed_has_not_come_back(world: DisposalWorld) -> None:
    world.add(1, "D")
    world.flow.begin(world.approved(), actor="cem")
    assert [outcome for _, _, outcome in scrubbed(world)[1]] == []
