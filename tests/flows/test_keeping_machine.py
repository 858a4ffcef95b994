"""Holds, events, classes, clocks and disposals in any order, killed anywhere: nothing is
destroyed that a rule forbids, and what is destroyed is destroyed everywhere and certified.

The model is its own arithmetic: it knows spools, days, holds and events, and is asked what
may go at the moment at which a disposal decides. The clock of the machine may be wrong, and
is put right again; the model knows the true day.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hotfolder.core import crashpoints
from hotfolder.core.clocks import NewEvent
from hotfolder.core.disposals import LONGEST_GAP, DisposalState, DueFilter
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.holds import Criteria
from hotfolder.core.retention import ClassVersion, Period, RetentionTrigger, Subject
from hotfolder.flows.holding import Holding
from hotfolder.journal.journal import SqliteJournal
from tests.support.disposal import SCHEDULE, TODAY, DisposalWorld, moment
from tests.support.flow_world import WHOLE
from tests.support.journals import UNIT, spool_id

pytestmark = pytest.mark.timeout(0 if WHOLE else 600)

CUSTOMERS = ("C-a", "C-b")
POLICIES = ("P-1", "P-2")
ISSUED = (date(2020, 2, 29), date(2034, 2, 28), date(2035, 2, 28), date(2035, 3, 1))
FAR = LONGEST_GAP.days + 1  # a wrong clock that is less wrong than this cannot be told


class KilledError(BaseException):
    """The process is gone at a named point."""


@dataclass
class Kept:
    """A document, as the model knows it."""

    spool: int
    code: str | None
    issued: date
    customer: str
    policy: str | None


@dataclass
class Held:
    """A hold of the model."""

    fits: Callable[[str, Kept], bool]
    released: bool = False


def years_after(day: date, years: int) -> date:
    """The same day, or 28 February for a 29th that there is not."""
    if (day.month, day.day) == (2, 29) and (day.year + years) % 4:
        return date(day.year + years, 2, 28)
    return date(day.year + years, day.month, day.day)


class KeepingMachine(RuleBasedStateMachine):
    """The real journal and store over a temporary folder."""

    @initialize()
    def begin_world(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="keeping-"))
        (self.root / "working").mkdir()
        self.world = DisposalWorld(self.root)
        self.holding = self.make_holding()
        self.day = TODAY  # the true one
        self.years = {"D": 1, "R": 1, "L": 30, "E": 1}
        self.documents: dict[str, Kept] = {}
        self.events: list[tuple[int, str, date]] = []  # those that were not withdrawn
        self.holds: dict[str, Held] = {}
        self.gone: set[str] = set()
        self.numbers = count(1)
        self.countdown = 0
        self.world.journal.note_day(self.day, "hotfolder", self.world.clock.now())
        for codes, policy, carried in (
            (["D"], "P-1", False),
            (["D", "D"], None, True),
            (["D", "L"], "P-2", False),
            (["E"], "P-1", False),
            (["R"], None, False),
        ):
            self.archive(
                codes=codes, issued=ISSUED[0], customer="C-a", policy=policy, carried=carried
            )

    def make_holding(self) -> Holding:
        ids = count(int.from_bytes(os.urandom(4), "big"))
        return Holding(
            journal=self.world.journal,
            store=self.world.store,
            clock=self.world.clock,
            emit=self.world.emit,
            new_id=lambda: f"hold-{next(ids):012x}",
        )

    def teardown(self) -> None:
        if not hasattr(self, "root"):
            return
        try:
            self.finish_everything()
        finally:
            crashpoints.arm(None)
            self.world.journal.close()
            shutil.rmtree(self.root)

    # -- killing --------------------------------------------------------------------
    @contextlib.contextmanager
    def maybe_killed(self) -> Iterator[None]:
        """The block, which may end at a named point; then all that was in memory is lost."""
        left = self.countdown
        self.countdown = 0

        def die(_point: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KilledError

        if left:
            crashpoints.arm(die)
        try:
            yield
        except KilledError:
            self.restart()
        finally:
            crashpoints.arm(None)

    def restart(self) -> None:
        self.world.journal.close()
        self.world.journal = SqliteJournal(os.fsencode(self.root / "journal.db"))
        self.world.store = self.world.open_store()
        self.world.flow = self.world.make_flow()
        self.holding = self.make_holding()

    # -- what the model says -----------------------------------------------------------
    def last_day(self, document: Kept) -> date | None:
        if document.code not in self.years:
            return None  # no class, or one that keeps
        start = document.issued
        if document.code == "E":
            days = [day for _, policy, day in self.events if policy == document.policy]
            if not days:
                return None
            start = max(days[-1], document.issued)
        return years_after(start, self.years[document.code])

    def held(self, identity: str) -> bool:
        document = self.documents[identity]
        return any(h.fits(identity, document) for h in self.holds.values() if not h.released)

    def may_go(self, identity: str) -> bool:
        last = self.last_day(self.documents[identity])
        return last is not None and last < self.day and not self.held(identity)

    def dispositions(self) -> dict[str, str]:
        conn = sqlite3.connect(self.root / "journal.db")
        rows = conn.execute("SELECT identity, disposition FROM documents").fetchall()
        conn.close()
        return {identity: said for identity, said in rows if identity in self.documents}

    def doomed(self) -> set[str]:
        return {i for i, said in self.dispositions().items() if said in ("destroying", "destroyed")}

    # -- documents, events, classes ------------------------------------------------------
    @rule(
        codes=st.lists(st.sampled_from([*SCHEDULE, "D", "D", None]), min_size=1, max_size=3),
        issued=st.sampled_from(ISSUED),
        customer=st.sampled_from(CUSTOMERS),
        policy=st.sampled_from([*POLICIES, None]),
        carried=st.booleans(),
    )
    def archive(
        self,
        codes: list[str | None],
        issued: date,
        customer: str,
        policy: str | None,
        *,
        carried: bool,
    ) -> None:
        number = next(self.numbers)
        found = self.world.add(
            number, *codes, issued=issued, carried=carried, customer=customer, policy=policy
        )
        for identity, code in zip(found, codes, strict=True):
            self.documents[identity] = Kept(number, code, issued, customer, policy)

    @rule(policy=st.sampled_from(POLICIES), days=st.integers(-1500, 100))
    def happen(self, policy: str, days: int) -> None:
        event = NewEvent(
            kind=Subject.POLICY,
            subject=policy,
            event="contract-end",
            day=TODAY + timedelta(days=days),
            actor="me",
        )
        (number,) = self.world.journal.record_events([event], 9.0)
        self.events.append((number, policy, event.day))

    @precondition(lambda self: self.events)
    @rule(which=st.integers(0, 100))
    def withdraw_event(self, which: int) -> None:
        number, *_ = self.events.pop(which % len(self.events))
        assert self.world.journal.withdraw_event(number, "me", "it did not", 9.0) is not None

    @rule(pages=st.one_of(st.integers(1, 3), st.just(1000)))
    def compute(self, pages: int) -> None:
        for _ in range(pages):
            if self.world.journal.compute_retention(self.world.schedule, 2, 9.0) is None:
                break

    @precondition(lambda self: self.years["D"] == 1)
    @rule()
    def keep_longer(self) -> None:
        later = ClassVersion(
            number=2,
            trigger=RetentionTrigger.ISSUE_DATE,
            period=Period(years=3),
            action="destroy",
            valid_from=date(2000, 1, 1),
            reaches_back=True,
        )
        changed = {**self.world.schedule, "D": replace(SCHEDULE["D"], later=(later,))}
        self.world.schedule = changed
        self.world.journal.note_schedule(changed, 9.0)
        self.restart()
        self.years["D"] = 3

    # -- clocks ------------------------------------------------------------------------
    @rule(days=st.integers(1, 40), awake=st.booleans())
    def pass_time(self, days: int, *, awake: bool) -> None:
        """Days go by, on which the daemon runs or does not."""
        if awake:
            for number in range(0, days, LONGEST_GAP.days):
                seen = self.day + timedelta(days=number)
                self.world.journal.note_day(seen, "hotfolder", moment(seen))
        self.day += timedelta(days=days)
        self.world.clock.time = moment(self.day)

    @rule(days=st.one_of(st.integers(-4000, -1), st.integers(FAR, 9000)))
    def go_wrong(self, days: int) -> None:
        self.world.clock.time = moment(self.day + timedelta(days=days))

    @rule()
    def put_right(self) -> None:
        self.world.clock.time = moment(self.day)
        self.world.flow.vouch(self.day, actor="ada")

    # -- holds ---------------------------------------------------------------------------
    @rule(
        kind=st.sampled_from(["customer", "policy", "class", "document"]),
        which=st.integers(0, 100),
    )
    def hold(self, kind: str, which: int) -> None:
        criteria, fits = self.wanted(kind, which)
        before = set(self.holding_ids())
        doomed = self.doomed()
        too_late = any(fits(i, d) and i in doomed - self.gone for i, d in self.documents.items())
        refused = ""
        try:
            with self.maybe_killed():
                self.holding.place(matter="M", criteria=criteria, actor="me")
        except OperatorFault as error:
            refused = error.code
        assert refused in ("", "hold.too_late")
        assert not refused or too_late or self.gone
        for name in set(self.holding_ids()) - before:
            self.holds[name] = Held(fits)

    def wanted(self, kind: str, which: int) -> tuple[Criteria, Callable[[str, Kept], bool]]:
        if kind == "document" and self.documents:
            name = list(self.documents)[which % len(self.documents)]
            return Criteria(identities=(name,)), lambda identity, _: identity == name
        if kind == "policy":
            policy = POLICIES[which % 2]
            return Criteria(policy_number=policy), lambda _, item: item.policy == policy
        if kind == "class":
            code = list(SCHEDULE)[which % len(SCHEDULE)]
            return Criteria(retention_class=code), lambda _, item: item.code == code
        customer = CUSTOMERS[which % 2]
        return Criteria(customer_id=customer), lambda _, item: item.customer == customer

    def holding_ids(self) -> list[str]:
        return [row.id for row in self.world.journal.holds(released=True)]

    @precondition(lambda self: any(not held.released for held in self.holds.values()))
    @rule(which=st.integers(0, 100))
    def release(self, which: int) -> None:
        names = [name for name, held in self.holds.items() if not held.released]
        name = names[which % len(names)]
        with self.maybe_killed():
            self.holding.release(name, actor="me", reason="over")
        self.holds[name].released = self.released(name)

    def released(self, name: str) -> bool:
        row = self.world.journal.get_hold(name)
        assert row is not None
        return not row.in_force

    @rule()
    def finish_holds(self) -> None:
        with self.maybe_killed():
            self.holding.step()

    # -- disposals ------------------------------------------------------------------------
    @rule(review=st.booleans(), countdown=st.integers(0, 12), held=st.booleans())
    def dispose(self, *, review: bool, countdown: int, held: bool) -> None:
        """All of it in order, with a hold in between, or with a kill."""
        self.put_right()
        self.compute(1000)
        self.propose(review=review, wait=True)
        if held:
            self.hold("policy", 0)
        self.countdown = countdown
        self.execute(0, wait=True)

    @rule(review=st.booleans(), wait=st.booleans())
    def propose(self, *, review: bool, wait: bool) -> None:
        if wait:
            self.compute(1000)
        with contextlib.suppress(Transient, OperatorFault), self.maybe_killed():
            for row in self.world.flow.propose(DueFilter(), [UNIT], actor="ada"):
                with contextlib.suppress(OperatorFault):
                    self.world.flow.approve(row.id, actor="ada", authority="me")
                    pytest.fail("the proposer approved it")
                with contextlib.suppress(OperatorFault):
                    authority = "the board" if review else ""
                    self.world.flow.approve(row.id, actor="ben", authority=authority)

    def in_state(self, *states: DisposalState) -> list[str]:
        return [row.id for row in self.world.journal.disposals(states)]

    @rule(which=st.integers(0, 100))
    def withdraw(self, which: int) -> None:
        found = self.in_state(DisposalState.PROPOSED, DisposalState.APPROVED)
        if found:
            self.world.flow.withdraw(found[which % len(found)], actor="ada", reason="no")

    @rule(which=st.integers(0, 100), wait=st.booleans())
    def execute(self, which: int, *, wait: bool) -> None:
        if wait:
            self.compute(1000)
        found = self.in_state(DisposalState.APPROVED)
        if not found:
            return
        allowed = {identity for identity in self.documents if self.may_go(identity)}
        before = self.doomed()
        with contextlib.suppress(Transient, OperatorFault), self.maybe_killed():
            name = found[which % len(found)]
            self.world.flow.begin(name, actor="cleo")
            self.world.flow.complete(name)
        self.judge(self.doomed() - before, allowed)

    def judge(self, doomed: set[str], allowed: set[str]) -> None:
        assert doomed <= allowed
        for identity in doomed:
            spool = self.documents[identity].spool
            # A spool goes with all that is in it, and stays with any that has to stay.
            others = {i for i, item in self.documents.items() if item.spool == spool}
            assert others <= doomed
        self.gone |= doomed

    @rule(countdown=st.integers(1, 12))
    def arm(self, countdown: int) -> None:
        self.countdown = countdown

    @rule()
    def work(self) -> None:
        with contextlib.suppress(Transient, OperatorFault), self.maybe_killed():
            self.world.flow.step()

    # -- what always holds -----------------------------------------------------------------
    @invariant()
    def bytes_are_there_unless_they_may_not_be(self) -> None:
        if not hasattr(self, "root"):
            return
        said = self.dispositions()
        for identity, item in self.documents.items():
            there = self.roots_with(item.spool)
            if said[identity] in ("kept", "withheld"):
                assert there == [True, True]
            elif said[identity] == "destroyed":
                assert there == [False, False]

    def roots_with(self, number: int) -> list[bool]:
        return [root.has(spool_id(number)) for root in self.world.store.roots]

    def finish_everything(self) -> None:
        self.countdown = 0
        self.restart()
        self.world.clock.time = moment(self.day)
        self.world.flow.vouch(self.day, actor="ada")
        while self.world.journal.unfinished_holds(limit=1):
            self.holding.step()
        before = self.doomed()
        while self.in_state(DisposalState.EXECUTING):
            self.world.flow.step()
        assert self.doomed() == before == self.gone
        self.bytes_are_there_unless_they_may_not_be()
        certified: set[str] = set()
        for name in self.in_state(DisposalState.DONE):
            data = self.world.journal.disposal_certificate(name)
            assert data is not None
            assert json.loads(data)
            certified |= {
                member.identity
                for member in self.world.journal.disposal_members(name)
                if member.outcome == "destroyed"
            }
        assert certified == self.gone
        self.world.journal.verify_chain()
        assert self.world.journal.check() == []


TestKeepingMachine = KeepingMachine.TestCase
TestKeepingMachine.settings = settings(
    max_examples=1000 if WHOLE else 20,
    stateful_step_count=50 if WHOLE else 40,
    derandomize=not WHOLE,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
