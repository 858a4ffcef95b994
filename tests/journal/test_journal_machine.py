"""Any sequence of calls, legal or not: the journal does what its model does, and what
must always hold, holds (each identity live once, no document in two open units, every
history legal, counters true)."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES, SpoolState, UnitState
from hotfolder.core.records import Document
from hotfolder.journal.journal import SqliteJournal
from tests.support.flow_world import WHOLE
from tests.support.journal_model import Model, ModelDocument, ModelSpool, ModelUnit
from tests.support.journals import (
    FAULT,
    PLACE,
    UNIT,
    make_document,
    make_drop,
    make_object,
    make_reading,
    spool_id,
    uris,
)

S, U = SpoolState, UnitState
T = TypeVar("T")
ANY = st.integers(0, 10_000)
SOME = st.lists(ANY, max_size=4)
SPOOL_ORDER = (S.CLAIMED, S.READ, S.STORED, S.DELIVERED, S.DONE)
CONTENT = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("12")), min_size=1, max_size=2)


def pick(items: Sequence[T], number: int) -> T:
    return items[number % len(items)]


def pick_some(items: Sequence[T], numbers: Sequence[int]) -> list[T]:
    return list(dict.fromkeys(pick(items, number) for number in numbers)) if items else []


class JournalMachine(RuleBasedStateMachine):
    @initialize(confirmed=st.integers(0, 3), planned=st.integers(0, 2))
    def begin(self, confirmed: int, planned: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.at = 0.0
        self.open()
        # Most that is worth trying begins where something has been delivered.
        self.arrive([[(key, "1")] for key in "abcd"[: confirmed + planned]], 4)
        if confirmed:
            self.plan(confirmed)
            self.confirm(1, [])
        if planned:
            self.plan(planned)

    def open(self) -> None:
        self.journal = SqliteJournal(os.path.join(os.fsencode(self.folder.name), b"j.db"))
        # What is tried here are rules, not durability: that is test_journal_crash.
        self.journal._db._writer.execute("PRAGMA synchronous = OFF")

    def teardown(self) -> None:
        faults = self.journal.check()
        self.journal.close()
        self.folder.cleanup()
        assert faults == []

    def now(self) -> float:
        self.at += 1
        return self.at

    def same(self, legal: bool, call: Callable[[], object]) -> None:
        """The journal must do it, or refuse it, as the model did."""
        if legal:
            call()
        else:
            # A broken constraint would be a case that nobody thought of.
            with pytest.raises(ValueError, match=r"^(?!.*constraint)"):
                call()

    def some_spool(self, which: int, *states: SpoolState) -> ModelSpool:
        """Mostly one in these states; any, now and then, to be refused."""
        apt = [item for item in self.model.spools if item.state in states]
        return pick(apt if apt and which % 4 else self.model.spools, which)

    def some_unit(self, which: int, *states: UnitState) -> ModelUnit | None:
        """The same for units; a refused one is no longer called by its ref_id."""
        living = [unit for unit in self.model.units if unit.state is not U.REFUSED]
        apt = [unit for unit in living if unit.state in states]
        return pick(apt if apt and which % 4 else living, which) if living else None

    # -- spools ---------------------------------------------------------------------
    @rule(count=st.integers(1, 3))
    def begin_claims(self, count: int) -> None:
        first = len(self.model.spools)
        fresh = [ModelSpool(number) for number in range(first, first + count)]
        self.model.spools += fresh
        self.journal.begin_claims(
            [(spool_id(item.number), UNIT, make_drop(item.number)) for item in fresh], self.now()
        )

    @precondition(lambda self: self.model.spools)
    @rule(which=ANY, new=st.sampled_from([S.CLAIMED, S.CLAIMED, S.ABANDONED, S.DONE]))
    def move(self, which: int, new: SpoolState) -> None:
        old = S.DELIVERED if new is S.DONE else S.CLAIMING
        spool = self.some_spool(which, old)
        legal = self.model.move(spool, old, new)
        ids = [spool_id(spool.number)]
        if new is S.CLAIMED:
            self.same(legal, lambda: self.journal.finish_claims(ids, self.now()))
        elif new is S.ABANDONED:
            self.same(legal, lambda: self.journal.abandon_claims(ids, "gone", self.now()))
        else:
            self.same(legal, lambda: self.journal.record_receipted(ids, self.now()))

    @rule(contents=st.lists(CONTENT, min_size=1, max_size=3), after=st.integers(0, 4))
    def arrive(self, contents: list[list[tuple[str, str]]], after: int) -> None:
        """Claim, read and mostly store at once, so that much has documents."""
        first = len(self.model.spools)
        if not contents:
            return
        self.begin_claims(len(contents))
        spools = self.model.spools[first:]
        for spool in spools:
            legal = self.model.move(spool, S.CLAIMING, S.CLAIMED)
            assert legal
        self.journal.finish_claims([spool_id(spool.number) for spool in spools], self.now())
        self.read_together(spools, contents)
        for spool in spools[:after]:
            self.store_one(spool)

    @precondition(lambda self: self.model.spools)
    @rule(which=ANY, content=CONTENT)
    def read(self, which: int, content: list[tuple[str, str]]) -> None:
        self.read_together([self.some_spool(which, S.CLAIMED, S.HELD)], [content])

    def read_together(
        self, spools: Sequence[ModelSpool], contents: Sequence[Sequence[tuple[str, str]]]
    ) -> None:
        documents = [
            [made(ordinal, *spec) for ordinal, spec in enumerate(content, 1)]
            for content in contents
        ]
        states = [
            self.model.read(spool, found) for spool, found in zip(spools, documents, strict=True)
        ]
        readings = [
            make_reading(spool.number, *found)
            for spool, found in zip(spools, documents, strict=True)
        ]
        if None in states:
            self.same(False, lambda: self.journal.record_readings(readings, self.now()))
        else:
            results = self.journal.record_readings(readings, self.now())
            assert [item.state for item in results] == states

    @precondition(lambda self: self.model.spools)
    @rule(which=ANY)
    def store(self, which: int) -> None:
        self.store_one(self.some_spool(which, S.READ))

    def store_one(self, spool: ModelSpool) -> None:
        legal = self.model.store(spool)
        self.same(
            legal, lambda: self.journal.record_stored([make_object(spool.number)], self.now())
        )

    @precondition(lambda self: self.model.spools)
    @rule(which=ANY, state=st.sampled_from([S.REJECTED, S.HELD, S.CORRUPT]))
    def set_aside(self, which: int, state: SpoolState) -> None:
        spool = self.some_spool(which, *SPOOL_ORDER[1:])
        legal = self.model.set_aside(spool, state)
        name = spool_id(spool.number)
        self.same(legal, lambda: self.journal.set_aside(name, state, [FAULT], self.now()))

    @precondition(lambda self: any(item.state in (S.HELD, S.CORRUPT) for item in self.model.spools))
    @rule(which=ANY)
    def release(self, which: int) -> None:
        aside = [item for item in self.model.spools if item.state in (S.HELD, S.CORRUPT)]
        spool = pick(aside, which)
        back = self.model.release(spool)
        name = spool_id(spool.number)
        if back is None:
            self.same(False, lambda: self.journal.release(name, "", self.now()))
        else:
            assert self.journal.release(name, "", self.now()) is back

    # -- units ----------------------------------------------------------------------
    @rule(limit=st.integers(1, 3))
    def plan(self, limit: int) -> None:
        expected = self.model.plan(limit)
        unit = self.journal.plan_unit(*PLACE, limit, self.now())
        assert (unit and unit.ref_id) == (expected and expected.ref_id)

    @rule(which=ANY)
    def mark_sent(self, which: int) -> None:
        if (unit := self.some_unit(which, U.PLANNED)) is not None:
            legal = self.model.send(unit)
            self.same(legal, lambda: self.journal.mark_sent(unit.ref_id, self.now()))

    @rule(which=ANY, missing=st.one_of(st.just([]), SOME))
    def confirm(self, which: int, missing: list[int]) -> None:
        if (unit := self.some_unit(which, U.PLANNED, U.SENT)) is None:
            return
        gone = pick_some(unit.members, missing)
        there = [item for item in unit.members if item not in gone]
        legal = self.model.confirm(unit, there)
        found = uris([item.identity for item in there])
        self.same(legal, lambda: self.journal.confirm_unit(unit.ref_id, "/ao", found, self.now()))

    @rule(which=ANY, cut=st.integers(0, 3), leave=st.booleans(), double=st.booleans())
    def refuse(self, which: int, cut: int, leave: bool, double: bool) -> None:
        if (unit := self.some_unit(which, U.PLANNED, U.SENT)) is None:
            return
        members = [item for item in unit.members if not item.recorded]
        groups = [group for group in (members[:cut], members[cut:]) if group or double]
        if leave:
            groups = groups[:1]
        if double:
            groups = [*groups, members[:1]]
        legal = self.model.replan(unit, groups)
        named = [[item.identity for item in group] for group in groups]
        self.same(legal, lambda: self.journal.plan_units_of(named, unit.ref_id, "x", self.now()))

    @rule(which=ANY)
    def lose_unit(self, which: int) -> None:
        if (unit := self.some_unit(which, U.CONFIRMED)) is not None:
            legal = self.model.lose_unit(unit)
            self.same(legal, lambda: self.journal.lose_unit(unit.ref_id, "gone", self.now()))

    @rule(which=SOME, whole=st.booleans(), unit=ANY)
    def lose_documents(self, which: list[int], whole: bool, unit: int) -> None:
        lost = self.living(which)
        if whole and (found := self.some_unit(unit, U.CONFIRMED)) is not None:
            lost = [item for item in found.members if item.live]
        self.model.lose_documents(lost)
        self.journal.lose_documents([item.identity for item in lost])

    @rule(which=st.lists(ANY, max_size=2))
    def confirm_documents(self, which: list[int]) -> None:
        found = self.living(which)
        assert self.model.confirm_documents(found)
        self.journal.confirm_documents(uris([item.identity for item in found]), self.now())

    def living(self, which: Sequence[int]) -> list[ModelDocument]:
        return pick_some([item for item in self.model.documents if item.live], which)

    # -- what changes nothing that the model knows ---------------------------------------
    @precondition(lambda self: self.model.spools)
    @rule(which=ANY, unit=ANY)
    def wait(self, which: int, unit: int) -> None:
        spool = pick(self.model.spools, which)
        self.journal.defer_spools([spool_id(spool.number)], "disk", self.at + 9, self.now())
        if (found := self.some_unit(unit)) is not None:
            self.journal.defer_unit(found.ref_id, "cut", self.at + 9, self.now())
            self.journal.hasten([found.ref_id], self.now())
        self.journal.retry_now([spool_id(spool.number)], self.now())

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.open()

    # -- what must hold ------------------------------------------------------------------
    @invariant()
    def spools_are_as_in_the_model(self) -> None:
        rows = self.journal.spools([], limit=10_000)
        assert [(row.id, row.state) for row in rows] == [
            (spool_id(item.number), item.state) for item in self.model.spools
        ]
        for item in self.model.spools:
            path = [S(step.new) for step in self.journal.history(spool_id(item.number))]
            assert path == item.path
            assert all(new in SPOOL_MOVES[old] for old, new in pairwise(path))
            documents = self.journal.documents_of(spool_id(item.number))
            assert [
                (row.document.identity, row.document.version, row.record_uri is not None)
                for row in documents
            ] == [(found.identity, found.version, found.recorded) for found in item.documents]
            assert [row.unit_ref_id for row in documents] == [
                found.unit and found.unit.ref_id for found in item.documents
            ]
            confirmed = all(row.record_uri for row in documents)
            if item.state is S.STORED:
                assert not confirmed

    @invariant()
    def units_are_as_in_the_model(self) -> None:
        rows = self.journal.units(list(U), limit=10_000)
        assert [(row.ref_id, row.state, row.identities) for row in rows] == [
            (unit.ref_id, unit.state, tuple(item.identity for item in unit.members))
            for unit in self.model.units
        ]
        still_open = [row for row in rows if row.state in (U.PLANNED, U.SENT)]
        members = [identity for row in still_open for identity in row.identities]
        assert len(members) == len(set(members))
        for row in rows:
            moves = [U(step.new) for step in self.journal.history(row.ref_id)]
            # One story for a ref_id that was refused and planned again.
            assert all(
                new in UNIT_MOVES[old] or (old, new) == (U.REFUSED, U.PLANNED)
                for old, new in pairwise(moves)
            )

    @invariant()
    def each_identity_is_live_once(self) -> None:
        conn = self.journal._db._reader
        live = [row[0] for row in conn.execute("SELECT identity FROM documents WHERE live = 1")]
        assert len(live) == len(set(live))
        assert sorted(live) == sorted(item.identity for item in self.model.documents if item.live)
        for identity in live:
            assert self.journal.get_document(identity) is not None

    @invariant()
    def sums_are_true(self) -> None:
        status = self.journal.status()
        assert status.spools == Counter(str(item.state) for item in self.model.spools)
        assert status.units == Counter(str(unit.state) for unit in self.model.units)
        live = [item for item in self.model.documents if item.live]
        assert status.documents == len(live)
        assert status.documents_confirmed == sum(item.recorded for item in live)
        assert sum(item.waiting for item in self.journal.backlogs()) == sum(
            item.waiting for item in self.model.documents
        )
        deferred = self.journal._db._reader.execute(
            "SELECT count(*) FROM spools WHERE next_at IS NOT NULL AND state NOT IN"
            " ('CLAIMING', 'CLAIMED', 'READ', 'STORED', 'DELIVERED')"
        ).fetchone()
        assert deferred == (0,)


def made(ordinal: int, key: str, content: str) -> Document:
    document = make_document(key, content)
    return replace(document, range=replace(document.range, ordinal=ordinal))


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(
    max_examples=600 if WHOLE else 80,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
