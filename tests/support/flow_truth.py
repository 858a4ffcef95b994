"""What must be true of a ``World``: at every moment, and when nothing is left to do.

Asked of the files on disk and of the server's own records, not of the flows.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from itertools import pairwise

from hotfolder.core.canonical import spool_from_json
from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES, SpoolState, UnitState
from hotfolder.core.records import Document
from hotfolder.store.ocfl import OcflStore
from tests.support.flow_world import World, sha256

S, U = SpoolState, UnitState


def stored_documents(world: World) -> dict[str, Document]:
    """The document of each object in the store, by spool."""
    store = OcflStore(os.fsencode(world.root / "store"), clock=world.clock)
    found: dict[str, Document] = {}
    for item in store.iterate():
        documents = spool_from_json(store.read_metadata(item.spool_id)).reading.documents
        assert [document.range.sha256 for document in documents] == [item.content_sha256]
        found[item.spool_id] = next(iter(documents))
    return found


def check_now(world: World) -> None:
    """Nothing lost, nothing twice, nothing acknowledged that is not so."""
    stored = stored_documents(world)
    _check_bytes(world, stored)
    if world.works is None or world.journal_lost:
        return
    _check_store(world, stored)
    _check_history(world)
    _check_sums(world)
    _check_confirmed(world)


def _check_bytes(world: World, stored: dict[str, Document]) -> None:
    """Every drop is in a folder of ours, or its bytes are in the store."""
    here = world.files() + world.files("_working") + world.files("_failed")
    archived = {document.range.sha256 for document in stored.values()}
    for content, count in world.dropped.items():
        if count and not here[content]:
            assert sha256(content) in archived, f"{content!r} is lost"
        if world.unreadable(content):
            assert here[content] == count, f"{content!r} is lost or doubled"
    assert set(here) <= {content for content, count in world.dropped.items() if count}


def _check_store(world: World, stored: dict[str, Document]) -> None:
    """Each document once, not counting what is to be withdrawn."""
    states = {row.id: row.state for row in world.rows()}
    owners: dict[str, list[str]] = defaultdict(list)
    for spool_id, document in stored.items():
        if states[spool_id] not in (S.REJECTED, S.CORRUPT, S.DUPLICATE):
            owners[document.identity].append(spool_id)
    twice = {name: spools for name, spools in owners.items() if len(spools) > 1}
    assert not twice, f"twice in the store: {twice}"
    for row in world.rows():
        if row.state in (S.STORED, S.DELIVERED, S.DONE):
            assert row.id in stored, f"{row.state} and not stored"


def _check_history(world: World) -> None:
    journal = world.running.journal
    for row in world.rows():
        steps = [S(step.new) for step in journal.history(row.id)]
        assert steps[0] in (S.CLAIMING, S.STORED, S.DUPLICATE)
        assert steps[-1] is row.state
        assert all(new in SPOOL_MOVES[old] for old, new in pairwise(steps)), steps
    for unit in journal.units(list(U), limit=10_000):
        if unit.state is U.CONFIRMED:
            members = [journal.get_document(name) for name in unit.identities]
            assert all(found is None or found.record_uri for found in members)
        moves = [U(step.new) for step in journal.history(unit.ref_id)]
        # After a refusal a ref_id may begin anew: planned again, or found on the server.
        assert all(
            new in UNIT_MOVES[old] or (old is U.REFUSED and new in (U.PLANNED, U.CONFIRMED))
            for old, new in pairwise(moves)
        ), moves


def _check_sums(world: World) -> None:
    journal = world.running.journal
    status = journal.status()
    rows = world.rows()
    units = journal.units(list(U), limit=10_000)
    assert status.spools == Counter(str(row.state) for row in rows)
    assert status.units == Counter(str(unit.state) for unit in units)
    live = [
        found
        for row in rows
        if row.state not in (S.REJECTED, S.CORRUPT)
        for found in journal.documents_of(row.id)
    ]
    assert status.documents == len(live) == len({found.document.identity for found in live})
    assert status.documents_confirmed == sum(found.record_uri is not None for found in live)
    waiting = [
        found
        for found in live
        if found.record_uri is None
        and found.unit_ref_id is None
        and _state_of(world, found.spool_id) in (S.STORED, S.DELIVERED, S.DONE)
    ]
    assert sum(backlog.waiting for backlog in journal.backlogs()) == len(waiting)


def _state_of(world: World, spool_id: str) -> SpoolState:
    row = world.running.journal.get_spool(spool_id)
    assert row is not None
    return row.state


def _check_confirmed(world: World) -> None:
    """What is said to be archived is there, unless the server itself has lost it."""
    server, journal = world.server, world.running.journal
    for row in world.rows():
        for found in journal.documents_of(row.id):
            identity = found.document.identity
            if found.record_uri is None or identity in server.lost:
                continue
            there = server.records.documents[identity]
            assert there.uri == found.record_uri
            assert there.sha256 == found.document.range.sha256
        if row.state in (S.DELIVERED, S.DONE):
            for found in journal.documents_of(row.id):
                assert found.record_uri or found.document.identity in server.committed


def check_settled(world: World) -> None:
    """Everything is delivered or rejected, once, and each with its paper."""
    stored = stored_documents(world)
    records = world.server.records
    by_identity = Counter(document.identity for document in stored.values())
    assert set(by_identity.values()) <= {1}, "each document once in the store"
    assert set(by_identity) == set(records.documents), "what is stored is what is delivered"
    for document in stored.values():
        there = records.documents[document.identity]
        assert (there.sha256, there.size) == (document.range.sha256, document.range.length)
        listing = [records.units[name] for name in world.server.listing(document.identity)]
        assert sum(unit.event for unit in listing) == 1, "each document in one whole unit"
        # A unit that lacked its event when the journal was lost may stay so: its members
        # may have been planned into several units.
        assert len(listing) == 1 or world.journals > 1, "and in no other"
    unfinished = [unit for unit in records.units.values() if not unit.event]
    assert not unfinished or world.journals > 1, "each unit has its event"
    _check_folders(world, stored)
    again = world.running.replay.compare(verify=True)
    assert (again.units_lost, again.documents_lost, again.documents_corrupt) == (0, 0, 0)


def _check_folders(world: World, stored: dict[str, Document]) -> None:
    assert sorted(os.listdir(world.hot)) == ["_failed", "_receipts", "_working"]
    assert os.listdir(world.hot / "_working") == []
    failed = world.failed()
    notes = [path.with_name(path.name + ".ERROR.txt") for path in failed]
    assert all(note.exists() for note in notes), "each rejected drop has its note"
    # A note may have been written before the journal was lost, and its drop begun anew.
    assert world.notes() == len(failed) or world.journals > 1, "and no other note is there"
    archived = {document.range.sha256 for document in stored.values()}
    kept = world.files("_failed")
    for content, count in world.dropped.items():
        if world.unreadable(content):
            assert kept[content] == count
        elif count:
            assert kept[content] <= count
            assert (sha256(content) in archived) or (world.poisoned(content) and kept[content])
        if kept[content]:
            assert world.unreadable(content) or world.poisoned(content), f"{content!r}"
    _check_receipts(world, stored)


def _check_receipts(world: World, stored: dict[str, Document]) -> None:
    receipted: set[str] = set()
    for receipt in world.receipts():
        documents, spool = receipt["documents"], receipt["spool"]
        assert isinstance(documents, list)
        assert isinstance(spool, dict)
        if receipt["outcome"] == "archived":
            assert all(document["confirmed"] for document in documents), "a false receipt"
            receipted.add(spool["id"])
    assert receipted >= set(stored), "each archived spool has its receipt"
