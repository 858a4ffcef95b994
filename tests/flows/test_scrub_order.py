"""The order of a round: every spool of it once, whatever comes and goes meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.pacing import Pace
from hotfolder.core.records import StoredObject
from hotfolder.flows import scrub
from hotfolder.journal.journal import SqliteJournal
from tests.support.flow_world import WHOLE, FixedClock
from tests.support.journals import FAULT, make_document, spool_id, store

ACTS = st.sampled_from(["add", "reject", "stop", "kill", "nothing", "nothing"])


class KilledError(Exception):
    """The process is gone."""


class Shelf:
    """A root in which all is whole, and something happens while it is read."""

    def __init__(self, journal: SqliteJournal, act: Callable[[], None]) -> None:
        self.journal = journal
        self.act = act
        self.seen: list[str] = []

    def verify(
        self, spool_id: str, *, reached: Callable[[int], None] | None = None
    ) -> StoredObject:
        assert reached is not None
        self.act()
        row = self.journal.get_spool(spool_id)
        assert row is not None
        assert row.sha256 is not None
        self.seen.append(spool_id)
        return StoredObject(
            spool_id=spool_id, object_path="x", content_sha256=row.sha256, content_size=1
        )

    def is_declared(self) -> bool:
        return True

    def places(self, after: str = "") -> Iterator[tuple[str, str]]:
        return iter(())

    def has(self, spool_id: str) -> bool:
        raise NotImplementedError(spool_id)

    def keys_left(self, spool_id: str, ordinals: Collection[int]) -> frozenset[int]:
        raise NotImplementedError(spool_id, ordinals)

    def place_of(self, spool_id: str) -> bytes:
        raise NotImplementedError(spool_id)

    def take_over(self, spool_id: str, source: bytes, *, replacing: bool = False) -> StoredObject:
        raise NotImplementedError(spool_id, source, replacing)


@settings(max_examples=200 if WHOLE else 15, deadline=None)
@given(
    first=st.integers(0, 6),
    page=st.integers(1, 4),
    acts=st.lists(ACTS, max_size=30),
    which=st.lists(st.integers(0, 50), min_size=1, max_size=10),
)
def test_a_round_covers_every_spool_once(
    first: int, page: int, acts: list[str], which: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _Rounds(Path(folder), page, acts, which).run(first)


class _Rounds:
    def __init__(self, folder: Path, page: int, acts: list[str], which: list[int]) -> None:
        self.journal = SqliteJournal(os.fsencode(folder / "j.db"))
        self.clock = FixedClock()
        self.acts = list(acts)
        self.which = which
        self.page = page
        self.added = 0
        self.rejected: set[str] = set()
        self.stopped = False
        self.killed = False
        self.last: dict[str, int] = {}  # when a spool was verified, by a count
        self.count = self.kills = 0
        self.shelf = Shelf(self.journal, self.act)

    def add(self) -> None:
        self.added += 1
        store(self.journal, self.added, make_document(f"key-{self.added}"))

    def alive(self) -> list[str]:
        rows = self.journal.spools([SpoolState.STORED], limit=1000)
        return [row.id for row in rows]

    def act(self) -> None:
        act = self.acts.pop() if self.acts else "nothing"
        if act == "add":
            self.add()
        elif act == "reject":
            alive = self.alive()
            chosen = alive[self.which[len(self.acts) % len(self.which)] % len(alive)]
            self.journal.set_aside(chosen, SpoolState.REJECTED, [FAULT], self.clock.now())
            self.rejected.add(chosen)
        elif act == "stop":
            self.stopped = True
        elif act == "kill":
            self.killed = True
            raise KilledError

    def run(self, first: int) -> None:
        for _ in range(first):
            self.add()
        original = scrub._PAGE
        scrub._PAGE = self.page
        try:
            for _ in range(3):
                self.round()
        finally:
            scrub._PAGE = original
            self.journal.close()

    def round(self) -> None:
        members = set(self.alive())
        upto = self.added
        order = dict(self.last)
        self.shelf.seen.clear()
        while True:
            self.stopped = self.killed = False
            try:
                done = self.go()
            except KilledError:
                self.kills += 1
                continue
            if done.finished:
                break
            assert self.stopped
        seen = self.shelf.seen
        assert members - self.rejected <= set(seen) <= members
        assert {spool_id(number) for number in range(upto + 1, self.added + 1)}.isdisjoint(seen)
        for item in seen:
            self.count += 1
            self.last[item] = self.count
        if not self.kills:  # what a kill forgot is verified earlier the next time
            assert len(seen) == len(set(seen))
            # Those that were never verified, then the others, the longest ago first.
            keys = [(item in order, order.get(item, 0)) for item in seen]
            assert keys == sorted(keys)

    def go(self) -> scrub.Scrubbed:
        return scrub.Scrub(
            journal=self.journal,
            roots=[self.shelf],
            clock=self.clock,
            emit=lambda _event, /, **_fields: None,
            actor="auditor",
            pace=Pace(),
            pause=lambda _seconds: None,
            stopped=lambda: self.stopped,
        ).run_round()
