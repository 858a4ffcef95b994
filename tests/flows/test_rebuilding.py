"""What a rebuild makes of a store that has a document more than once, or again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.profiles import DocumentsProfile, IndexFormat
from hotfolder.store.ocfl import OcflStore
from tests.support.disposal import DisposalWorld
from tests.support.flow_world import World, content_of, sidecar_of
from tests.support.journals import spool_id as of_number

FAULT = Fault(code="store.fixity", message="the bytes differ", remedy="mend it")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(root=tmp_path)
    world.start()
    yield world
    world.stop()


def archive(world: World, content: bytes) -> str:
    """Drop it; the id of its spool, which is DONE."""
    world.drop(content, sidecar_of(content), "bill")
    world.settle()
    row = max(world.rows(), key=lambda row: row.id)
    assert row.state is SpoolState.DONE
    return row.id


def content_file(world: World, spool_id: str) -> Path:
    store = world.running.store
    assert isinstance(store, OcflStore)
    place = Path(store.place_of(spool_id).decode())
    (found,) = place.rglob("bill*.txt")
    return found


@pytest.mark.parametrize("ids", [0, 1])  # the store gives out the second first, then last
@pytest.mark.parametrize("damage", ["bytes", "gone"])
def test_the_whole_copy_of_what_came_again_is_found(world: World, damage: str, ids: int) -> None:
    """The first was damaged, so it was sent again; then the journal was lost."""
    world.number_spools_from(ids)
    content = content_of("a1", "a bill")
    first = archive(world, content)
    path = content_file(world, first)
    path.parent.chmod(0o755)
    if damage == "gone":
        path.unlink()
    else:
        path.chmod(0o644)
        path.write_bytes(content.upper())
    world.running.journal.set_aside(first, SpoolState.CORRUPT, [FAULT], world.clock.now())
    second = archive(world, content)
    order = [found.spool_id for found in world.running.store.iterate()]
    assert order == ([second, first] if ids == 0 else [first, second])
    (identity,) = (row.document.identity for row in world.running.journal.iterate_documents(second))
    world.lose_journal()
    world.settle()
    journal = world.running.journal
    row = journal.get_document(identity)
    assert row is not None
    with world.running.store.open_content(row.spool_id) as stream:
        assert stream.read() == content
    states = {row.id: row.state for row in world.rows()}
    assert states[second] is SpoolState.DONE
    assert len(world.server.records.documents) == 1
    assert journal.check() == []


def bury(world: World, tmp_path: Path, spool_id: str, identity: str) -> None:
    """The store has a tombstone of a document of this spool, and its object no more."""
    other = DisposalWorld(tmp_path)
    (gone,) = other.add(1, "D")
    other.destroy()
    stone = other.store.tombstone(of_number(1))
    other.close()
    assert stone is not None
    stone = stone.replace(gone.encode(), identity.encode())
    world.running.store.purge(spool_id, stone.replace(of_number(1).encode(), spool_id.encode()))


def test_what_came_back_of_a_destroyed_document_stops_no_rebuild(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The object of another spool has it, and came back with a backup of the root."""
    content = content_of("a1", "a bill")
    first = archive(world, content)
    world.running.journal.set_aside(first, SpoolState.CORRUPT, [FAULT], world.clock.now())
    second = archive(world, content)
    other = archive(world, content_of("a2", "another"))
    journal = world.running.journal
    ((gone, stays),) = [
        [row.document.identity for spool in (second, other) for row in journal.documents_of(spool)]
    ]
    bury(world, tmp_path_factory.mktemp("other"), first, gone)
    world.lose_journal()
    world.settle()
    journal = world.running.journal
    assert journal.is_destroyed(gone)
    assert journal.get_document(gone) is None
    assert journal.get_document(stays) is not None
    assert ("store.unreadable", {"spool": second, "reason": "document.destroyed"}) in world.events
    assert journal.check() == []


def test_the_others_of_a_spool_that_came_back_are_found(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World(root=tmp_path, documents=DocumentsProfile(index=IndexFormat.JSON, suffix=".json"))
    world.start()
    texts = ("a1 one,", "a2 two,")
    lines = [
        {
            "offset": 7 * place,
            "length": 7,
            "customer_id": text[:2],
            "document_type": "statement",
            "issue_date": "2026-06-30",
        }
        for place, text in enumerate(texts)
    ]
    index = "".join(json.dumps(line) + "\n" for line in lines)
    world.drop("".join(texts).encode(), index.encode(), "run")
    world.settle()
    (row,) = world.rows()
    gone, stays = (item.document.identity for item in world.running.journal.documents_of(row.id))
    bury(world, tmp_path_factory.mktemp("other"), "f" * 32, gone)
    world.lose_journal()
    world.settle()
    journal = world.running.journal
    (found,) = world.rows()
    assert (found.state, found.documents) == (SpoolState.DONE, 1)
    assert journal.get_document(gone) is None
    assert journal.get_document(stays) is not None
    assert journal.check() == []
    world.stop()
