"""Intake with a copy of the store: acknowledged only when both roots have the spool."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.query import DocumentQuery
from hotfolder.store.copies import CopiesStore
from tests.support.flow_world import World, content_of, sidecar_of

_ACKNOWLEDGED = (SpoolState.STORED, SpoolState.DELIVERED, SpoolState.DONE)


def check_both(world: World) -> None:
    """Every spool that is acknowledged is whole in every root."""
    store = world.running.store
    assert isinstance(store, CopiesStore)
    for row in world.rows():
        if row.state in _ACKNOWLEDGED:
            assert store.verify(row.id).content_sha256 == row.sha256


@pytest.mark.parametrize("countdown", range(1, 30))
def test_killed_anywhere_nothing_is_acknowledged_that_one_root_lacks(
    tmp_path: Path, countdown: int
) -> None:
    world = World(root=tmp_path, copies=1)
    world.start()
    for key in "abc":
        content = content_of(key, "text")
        world.drop(content, sidecar_of(content), key)
    world.arm(countdown)
    world.claim(world.waiting_drops())
    if world.works is not None:
        world.advance()
    if world.works is None:
        world.start()
    check_both(world)
    world.settle()
    check_both(world)
    assert sum(row.state is SpoolState.DONE for row in world.rows()) == 3
    world.stop()


def test_a_rejected_spool_leaves_every_root(tmp_path: Path) -> None:
    world = World(root=tmp_path, copies=1)
    world.start()
    content = content_of("a", "poisoned")
    world.drop(content, sidecar_of(content, "poisoned"), "a")
    world.settle()
    (row,) = world.rows()
    assert row.state is SpoolState.REJECTED
    assert list(world.running.store.iterate()) == []
    world.stop()


def test_references_of_every_kind_survive_the_loss_of_journal_and_first_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(root=tmp_path, copies=1)
    world.start()
    world.drop(
        content_of("a", "text"),
        b'{"customer_id": "a", "document_type": "letter", "issue_date": "2026-06-30",'
        b' "case": "R-1", "claim": "R-2; R-3", "dispute": "R-4", "policy change": "R-5"}',
        "a",
    )
    world.settle()
    world.lose_journal()
    (tmp_path / "store").rename(tmp_path / "away")

    def anew(store: CopiesStore) -> None:
        for root in store.roots:
            root.initialise()

    # Whoever rebuilds has made the first root anew.
    monkeypatch.setattr(CopiesStore, "initialise", anew)
    world.settle()
    journal = world.running.journal
    for kind, reference in (
        ("case", "R-1"),
        ("claim", "R-2"),
        ("claim", "R-3"),
        ("dispute", "R-4"),
        ("change", "R-5"),
    ):
        for asked in (kind, None):
            query = DocumentQuery(case_ref=reference, case_kind=asked)
            assert journal.count_documents(query) == 1
    assert "store.copy_used" in {name for name, _ in world.events}
    assert os.listdir(tmp_path / "store")
    world.stop()
