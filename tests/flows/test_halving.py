"""Whatever set of documents the server refuses: the others are delivered, each of these is
rejected with the server's words, and it costs few requests."""

from __future__ import annotations

import tempfile
from math import ceil, log2
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.lifecycle import SpoolState
from tests.support.flow_truth import check_now, check_settled
from tests.support.flow_world import (
    POISON,
    WHOLE,
    WORDS,
    World,
    content_of,
    memory,
    sha256,
    sidecar_of,
)

pytestmark = pytest.mark.timeout(0 if WHOLE else 600)


@settings(max_examples=400 if WHOLE else 25, deadline=None, derandomize=not WHOLE)
@given(
    size=st.integers(1, 40),
    poisoned=st.sets(st.integers(0, 39), max_size=40),
    least_privilege=st.booleans(),
)
def test_any_set_of_refused_documents(size: int, poisoned: set[int], least_privilege: bool) -> None:
    bad = {number for number in poisoned if number < size}
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        world = World(root=Path(place), unit_size=size, least_privilege=least_privilege)
        world.start()
        try:
            contents = take_in(world, size, bad)
            world.settle()
            check_now(world)
            check_settled(world)
            check_rejected(world, {contents[number] for number in bad})
            assert len(world.server.records.documents) == size - len(bad)
            assert world.server.requests <= most_requests(size, len(bad), least_privilege)
        finally:
            world.stop()


def take_in(world: World, size: int, bad: set[int]) -> list[bytes]:
    contents = []
    for number in range(size):
        content = content_of(f"a{number}", "poisoned" if number in bad else "good")
        world.drop(content, sidecar_of(content, POISON if number in bad else ""), f"a{number}")
        contents.append(content)
    world.claim(world.waiting_drops())
    world.advance()
    return contents


def check_rejected(world: World, bad: set[bytes]) -> None:
    rows = world.running.journal.spools([SpoolState.REJECTED])
    assert {row.sha256 for row in rows} == {sha256(content) for content in bad}
    for row in rows:
        assert [fault.code for fault in row.faults] == ["archive.refused"]
        assert WORDS in row.faults[0].message
    assert {path.read_bytes() for path in world.failed()} == bad
    for path in world.failed():
        assert WORDS in Path(f"{path}.ERROR.txt").read_text()


def most_requests(size: int, bad: int, least_privilege: bool) -> int:
    """An import of all; if it is refused once more; then for each document at fault two
    imports on each level of the halving, and at its end a single POST."""
    if least_privilege:
        # Each is posted, with unit and event; the refused ones are then a unit that is
        # sent twice and halved, each POST being of one document.
        return size + 2 + (bad * (3 + ceil(log2(bad))) if bad else 0)
    if not bad:
        return 1
    halved = 2 + bad * (2 * ceil(log2(size)) + 1)
    return min(halved, 3 * size + 1)  # no more than all nodes of the tree of halves
