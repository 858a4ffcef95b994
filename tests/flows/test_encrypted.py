"""Encrypted folders: every way in and out is as it was, but for what was destroyed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.canonical import dump
from hotfolder.core.errors import Destroyed
from hotfolder.core.evidence import EvidenceForm
from hotfolder.core.fixity import Outcome
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.pacing import Pace
from hotfolder.core.profiles import Describe
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import CatalogueRow, Encryption, Role
from hotfolder.core.tombstones import FORMAT
from hotfolder.flows.retrieve import Form, OpenSpool, retrieve
from hotfolder.flows.scrub import Scrub
from hotfolder.formats import inspect_spool
from hotfolder.service.parts import roots_of
from tests.support import bags
from tests.support.encrypted import search
from tests.support.flow_world import World

SAMPLE = (bags.SAMPLES / "statements-40.afp").read_bytes()
GONE = (1, 8, 9, 40)  # ordinals


@pytest.fixture(params=[0, 1], ids=["one-root", "two-roots"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = bags.afp_world(tmp_path, encrypted=True, copies=request.param)
    yield made
    made.stop()


def take(world: World, row: CatalogueRow, form: Form = Form.EXACT) -> bytes:
    works = world.running
    with retrieve(works.journal, works.store, row.document.identity, form) as found:
        return b"".join(found.pieces)


def stores(world: World) -> list[Path]:
    return sorted(path for path in world.root.iterdir() if path.name.startswith(("store", "copy")))


def destroy(world: World) -> list[CatalogueRow]:
    rows = bags.documents(world)
    works = world.running
    kinds = works.journal.encryption_of([rows[0].spool_id, "nobody"])
    assert kinds == {rows[0].spool_id: Encryption.DOCUMENTS}
    assert works.store.can_destroy_parts(rows[0].spool_id)
    assert works.store.destroy_parts(rows[0].spool_id, GONE) == len(GONE)
    return rows


def scrub(world: World) -> set[Outcome]:
    works = world.running
    flow = Scrub(
        journal=works.journal,
        roots=roots_of(works.store),
        clock=world.clock,
        emit=works.emit,
        actor="auditor",
        pace=Pace(),
        pause=lambda _seconds: None,
    )
    done = flow.run_round(anew=True)
    assert done.finished
    assert done.spools == 1
    return {item.outcome for item in done.found}


def test_the_store_tells_nothing_and_gives_everything(world: World, tmp_path: Path) -> None:
    rows = bags.documents(world)
    for row in rows:
        known = row.document.metadata
        for value in (known.customer_id, known.customer_name, row.document.identity):
            assert value
            assert search(stores(world), value.encode()) == []
            assert search(stores(world), value.encode("cp500", "replace")) == []
        place = row.document.range
        exact = SAMPLE[place.offset : place.offset + place.length]
        assert search(stores(world), exact[:64]) == []
        assert take(world, row) == exact
        assert exact in take(world, row, Form.ALONE)
    assert take(world, rows[3], Form.SPOOL) == SAMPLE
    assert scrub(world) == set()
    (stored,) = [
        link
        for link in world.running.journal.audit_of([rows[0].spool_id])
        if link.action == "spool.stored"
    ]
    assert stored.details["encryption"] == "documents"
    assert stored.details["inventory_sha256"]
    # Evidence is made, and judged, as of a spool that is not encrypted.
    path = tmp_path / "evidence.zip"
    assert bags.make(world, rows[7].document.identity, path).form is EvidenceForm.PROOF
    assert bags.judge(path).returncode == 0


def test_what_is_destroyed_is_gone_and_all_else_is_as_it_was(world: World, tmp_path: Path) -> None:
    before = {
        row.document.range.ordinal: (take(world, row), take(world, row, Form.ALONE))
        for row in bags.documents(world)
    }
    rows = destroy(world)
    opened = OpenSpool(world.running.store)
    for row in rows:
        for form in (Form.EXACT, Form.ALONE):
            if row.document.range.ordinal in GONE:
                with pytest.raises(Destroyed) as caught:
                    take(world, row, form)
                assert caught.value.code == "document.destroyed"
                continue
            exact, alone = before[row.document.range.ordinal]
            assert take(world, row) == exact
            # Whole, though others that stood before it are no more.
            found = take(world, row, Form.ALONE)
            assert found == alone
            assert inspect_spool(io.BytesIO(found), len(found), b"a.afp").fault is None
        with pytest.raises(Destroyed):
            take(world, row, Form.SPOOL)
    opened.close()
    assert scrub(world) == set()
    for number, row in enumerate(rows):
        path = tmp_path / f"evidence-{number}.zip"
        if row.document.range.ordinal in GONE:
            with pytest.raises(Destroyed):
                bags.make(world, row.document.identity, path)
        elif number in (6, 12):
            assert bags.make(world, row.document.identity, path).form is EvidenceForm.PROOF
            assert bags.judge(path).returncode == 0
    with pytest.raises(Destroyed):
        bags.make(world, rows[5].document.identity, tmp_path / "spool.zip", with_spool=True)
    assert not (tmp_path / "spool.zip").exists()


@pytest.mark.parametrize("describe", [Describe.DOCUMENTS, Describe.SPOOL])
def test_a_rebuild_gives_the_rest_and_knows_what_was_destroyed(
    tmp_path: Path, describe: Describe
) -> None:
    world = bags.afp_world(tmp_path, encrypted=True, describe=describe)
    rows = destroy(world)
    before = {row.document.identity: (row.document, row.record_uri) for row in rows}
    root = str(
        next(
            link.details["documents_root"]
            for link in world.running.journal.audit_of([rows[0].spool_id])
            if link.action == "spool.stored"
        )
    )
    world.lose_journal()
    world.rebuild()
    journal = world.running.journal
    assert journal.encryption_of([rows[0].spool_id]) == {rows[0].spool_id: Encryption.DOCUMENTS}
    after = bags.documents(world)
    assert {row.document.identity for row in after} == set(before)
    for row in after:
        was, uri = before[row.document.identity]
        assert row.record_uri == uri
        assert row.document.range == was.range
        assert journal.is_destroyed(row.document.identity) == (was.range.ordinal in GONE)
        if was.range.ordinal in GONE:
            assert row.document.metadata.customer_id is None
            assert not row.document.title
            assert row.document.series == was.series
            changes = journal.retention_changes(row.document.identity)
            assert [item.new for item in changes if item.field == "disposition"] == [
                "destroying",
                "destroyed",
            ]
        else:
            assert row.document == was
            place = was.range
            if was.role is Role.CARRIER:
                continue
            assert take(world, row) == SAMPLE[place.offset : place.offset + place.length]
    names = {
        before[row.document.identity][0].metadata.customer_id
        for row in after
        if row.document.range.ordinal in GONE
    }
    for name in names:
        assert journal.find_documents(DocumentQuery(customer_id=name), 5) == []
    world.settle()
    assert {row.state for row in world.rows()} == {SpoolState.DONE}
    links = [link for link in journal.audit_of([rows[0].spool_id]) if link.action == "spool.stored"]
    assert [link.details["documents_root"] for link in links] == [root]
    world.stop()


def test_pages_of_a_pdf_go_with_their_spool(tmp_path: Path) -> None:
    world = bags.pdf_world(tmp_path, encrypted=True)
    rows = bags.documents(world)
    kinds = world.running.journal.encryption_of([rows[0].spool_id])
    assert kinds == {rows[0].spool_id: Encryption.SPOOL}
    assert take(world, rows[2], Form.ALONE).startswith(b"%PDF")
    with pytest.raises(ValueError, match="no keys of their own"):
        world.running.store.destroy_parts(rows[0].spool_id, [1])
    world.stop()


def test_a_letter_is_encrypted_too(tmp_path: Path) -> None:
    world = World(root=tmp_path, encrypted=True, copies=1)
    world.start()
    known = {"customer_id": "c-77", "document_type": "letter", "issue_date": "2026-06-30"}
    world.drop(b"c-77 a letter", json.dumps(known).encode(), "letter-c-77")
    world.settle()
    (row,) = bags.documents(world)
    assert search(stores(world), b"c-77") == []
    assert take(world, row) == b"c-77 a letter"
    assert scrub(world) == set()
    world.lose_journal()
    world.rebuild()
    assert take(world, bags.documents(world)[0]) == b"c-77 a letter"
    world.stop()


def test_a_rebuild_finishes_a_destruction_by_key_and_knows_its_disposal(tmp_path: Path) -> None:
    world = bags.afp_world(tmp_path, encrypted=True, copies=1)
    rows = bags.documents(world)
    gone, stays = rows[0], rows[1]
    stone = {
        "format": FORMAT,
        "method": "keys",
        "spool": {"id": gone.spool_id},
        "disposal": {"id": "disposal-0123456789ab", "business_unit": gone.business_unit,
                     "today": "2036-03-01"},
        "documents": [
            {"identity": gone.document.identity, "ordinal": 1, "cutoff": None,
             "sha256": gone.document.range.sha256, "retention_class": "FIN-7Y",
             "class_version": 1, "retain_until": "2030-01-01"}
        ],
    }  # fmt: skip
    for root in roots_of(world.running.store):  # killed before a key went
        root.entomb_parts(gone.spool_id, "disposal-0123456789ab", dump(stone).encode())
    world.lose_journal()
    world.rebuild()
    works = world.running
    for root in roots_of(works.store):
        assert root.destroyed_parts(gone.spool_id) == {1}
    left = works.journal.destroyed_document(gone.document.identity)
    assert left is not None
    assert (left.disposal, left.by_key) == ("disposal-0123456789ab", True)
    assert works.journal.get_document(gone.document.identity) is None
    with pytest.raises(Destroyed) as caught:
        take(world, gone)
    assert "disposal-0123456789ab" in str(caught.value)
    place = stays.document.range
    for form in (Form.EXACT, Form.ALONE):
        assert SAMPLE[place.offset : place.offset + place.length] in take(world, stays, form)
    world.rebuild()  # once more changes nothing
    assert works.journal.destroyed_document(gone.document.identity) == left
    world.settle()
    assert {row.state for row in world.rows()} == {SpoolState.DONE}
    world.stop()
