"""No edit is missed and none is told twice, whatever the clocks of two hosts say, however
late the server commits, and whenever a look is cut off."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core.facts import FactKind, FeedbackProfile
from hotfolder.flows.feedback import Feedback
from hotfolder.flows.holding import Holding
from hotfolder.journal.journal import SqliteJournal
from tests.conformance.desk_suite import hold_statement
from tests.support.desk_model import ModelDesk
from tests.support.journals import PLACE, make_document, plan, store
from tests.support.server_model import ModelServer

OVERLAP = 900
DOCUMENTS = 4


class Clocks:
    """Ours: one that is set at will, and one that nobody sets. They run with the server's."""

    def __init__(self, server: ModelServer) -> None:
        self.server = server
        self.offset = 0.0
        self.since = server.now

    def now(self) -> float:
        return self.server.now + self.offset

    def monotonic(self) -> float:
        return float(self.server.now - self.since)


class NoHolds:
    """Holds are placed elsewhere."""

    def place(self, **_: object) -> object:
        raise AssertionError("facts are not carried out here")


class World:
    def __init__(self, root: Path) -> None:
        self.server = ModelServer()
        self.clocks = Clocks(self.server)
        self.journal = SqliteJournal(os.fsencode(root / "journal.db"))
        self.identities = [
            identity
            for number in range(1, DOCUMENTS + 1)
            for identity in store(self.journal, number, make_document(f"k{number}"))
        ]
        unit = plan(self.journal)
        self.journal.mark_sent(unit.ref_id, 5)
        answer = ModelDesk(self.server).send_unit(self.journal.unit_request(unit.ref_id))
        self.journal.confirm_unit(unit.ref_id, answer.unit_uri, answer.uris, 6)
        self.uris = [answer.uris[identity] for identity in self.identities]
        self.edits = 0
        self.start()

    def start(self) -> None:
        """A daemon, as after a kill."""
        self.feedback = Feedback(
            journal=self.journal,
            desk=ModelDesk(self.server),
            profile=FeedbackProfile(enabled=True, overlap=OVERLAP, sweep=0),
            business_units=[PLACE[0]],
            holds=cast("Holding", NoHolds()),
            decisions=None,
            may=lambda *_: None,
            clock=self.clocks,
            emit=lambda *_, **__: None,
            jitter=lambda: 0.5,
        )

    def look(self, pages: int = 100) -> None:
        """A round, cut off behind so many pages."""
        for number, _ in enumerate(self.feedback._look_round(), 1):
            if number == pages:
                return

    def edit(self, number: int, late: int = 0) -> None:
        """Another statement; ``late``: the server commits so many seconds after its time."""
        self.edits += 1
        found = self.server.records.documents[self.identities[number]]
        theirs = [*found.record["rights_statements"], hold_statement(f"m{self.edits}")]
        saved = {**found.record, "rights_statements": theirs}
        assert self.server.replace_document(saved, "anna")
        found.record["user_mtime"] -= late

    def check(self) -> None:
        facts = self.journal.facts(kind=FactKind.HOLD_PLACED, limit=1000)
        matters = sorted(str(fact.body["matter"]) for fact in facts)
        assert matters == sorted(f"m{number}" for number in range(1, self.edits + 1))


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as root:
        made = World(Path(root))
        try:
            yield made
        finally:
            made.journal.close()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.integers(0, DOCUMENTS - 1), st.integers(0, OVERLAP - 60)),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 60, 899, 901, 5000]), st.just(0)),
        st.tuples(st.just("set"), st.sampled_from([-(4 * 10**7), 0, 10**9]), st.just(0)),
        st.tuples(st.just("look"), st.sampled_from([1, 2, 3, 100]), st.just(0)),
        st.tuples(st.just("start"), st.just(0), st.just(0)),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(steps)
def test_every_edit_is_seen_once(plan_: list[tuple[str, int, int]]) -> None:
    with world() as made:
        made.look()
        for what, one, other in plan_:
            if what == "edit":
                made.edit(one, other)
            elif what == "wait":
                made.server.now += one
            elif what == "set":
                made.clocks.offset = one
            elif what == "look":
                made.look(one)
            else:
                made.start()
        made.look()
        made.look()
        made.check()


def test_what_is_long_past_is_not_read_again() -> None:
    with world() as made:
        made.edit(0)
        made.look()
        name = f"digital_objects:{PLACE[0]}"
        read: list[int] = []
        find = ModelDesk.find_changes

        def count(self: ModelDesk, *args: object) -> Iterator[object]:
            for page in find(self, *args):  # type: ignore[arg-type]
                read.append(page.reached)
                yield page

        try:
            ModelDesk.find_changes = count  # type: ignore[method-assign,assignment]
            made.server.now += 60
            made.look()
            assert len(read) == DOCUMENTS, "within the overlap they are looked at again"
            made.server.now += OVERLAP + 1
            made.look()
            read.clear()
            made.look()
            assert read == []
            assert made.journal.look_position(name)["at"] == made.server.now
        finally:
            ModelDesk.find_changes = find  # type: ignore[method-assign]


def test_an_edit_behind_a_look_that_was_cut_off_is_seen() -> None:
    with world() as made:
        made.look(1)
        made.edit(0)  # that page was looked at
        made.server.now += OVERLAP + 100
        made.edit(3)
        made.start()
        made.look()
        made.look()
        made.check()
