"""Any sequence of drops, steps, kills, outages and losses: nothing is lost, nothing is
twice, nothing is said to be archived that is not.

Journal, store and folders are real; the server is ``tests.support.archive_model``. Here
a fixed choice of sequences is tried; ``HYPOTHESIS_PROFILE=whole`` tries many more, others
each time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
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

from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState, UnitState
from tests.support.flow_truth import check_now, check_settled
from tests.support.flow_world import POISON, WHOLE, World, content_of, memory, sidecar_of
from tests.support.server_model import Records, Trouble

pytestmark = pytest.mark.timeout(0 if WHOLE else 600)
T = TypeVar("T")
ANY = st.integers(0, 1000)
KEYS = st.sampled_from("abc")  # c belongs to another series
TEXTS = st.sampled_from("12")
BAD_SIDECARS = st.sampled_from([None, b"{", b'{"document_type": "statement"}'])
TROUBLES = st.lists(st.sampled_from(Trouble), min_size=1, max_size=4)
HOLD = Fault(code="operator.hold", message="wait", remedy="release it")


def pick(items: Sequence[T], number: int) -> T:
    return items[number % len(items)]


class FlowMachine(RuleBasedStateMachine):
    @initialize(
        unit_size=st.integers(1, 4),
        least_privilege=st.booleans(),
        first=st.lists(st.tuples(KEYS, TEXTS, st.booleans()), max_size=5),
        deliveries=st.integers(0, 6),
    )
    def begin(
        self,
        unit_size: int,
        least_privilege: bool,
        first: list[tuple[str, str, bool]],
        deliveries: int,
    ) -> None:
        self.place = tempfile.TemporaryDirectory(dir=memory())
        self.world = World(
            root=Path(self.place.name), unit_size=unit_size, least_privilege=least_privilege
        )
        self.backups: list[Records] = [self.world.server.back_up()]
        self.bad = 0
        self.world.start()
        for key, text, good in first:
            if good:
                self.drop(key, text)
            else:
                self.drop_poisoned(key, text)
        # Most that is worth trying begins where something is under way or delivered.
        self.work(deliveries)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.settle()
            check_now(self.world)
            check_settled(self.world)
        finally:
            self.world.stop()
            self.place.cleanup()

    def runs(self) -> bool:
        return self.world.works is not None

    def has(self, *states: SpoolState) -> bool:
        return self.runs() and bool(self.world.running.journal.spools(states, limit=1))

    def may_deliver(self) -> bool:
        journal = self.world.running.journal if self.world.works else None
        open_states = [UnitState.PLANNED, UnitState.SENT]
        return journal is not None and bool(journal.backlogs() or journal.units(open_states))

    # -- producer and clerk ----------------------------------------------------------------
    @rule(key=KEYS, text=TEXTS)
    def drop(self, key: str, text: str) -> None:
        content = content_of(key, text)
        self.world.drop(content, sidecar_of(content), key)

    @rule(key=KEYS, text=TEXTS)
    def drop_poisoned(self, key: str, text: str) -> None:
        content = content_of(key, f"poisoned {text}")
        self.world.drop(content, sidecar_of(content, POISON), key)

    @rule(sidecar=BAD_SIDECARS)
    def drop_bad(self, sidecar: bytes | None) -> None:
        self.bad += 1
        self.world.drop(content_of(f"bad{self.bad}", "1"), sidecar, "bad")

    @precondition(lambda self: self.world.failed())
    @rule(which=ANY)
    def put_back(self, which: int) -> None:
        self.world.put_back(pick(self.world.failed(), which))

    # -- the daemon ------------------------------------------------------------------------
    @precondition(lambda self: self.runs() and self.world.waiting_drops())
    @rule(limit=st.integers(1, 4), changed=st.booleans())
    def claim(self, limit: int, changed: bool) -> None:
        drops = self.world.waiting_drops()[:limit]
        if changed and drops:
            path = self.world.hot / os.fsdecode(drops[0].spool.name)
            os.utime(path, ns=(1, drops[0].spool.mtime_ns + 1))
        self.world.claim(drops)

    @precondition(lambda self: self.has(SpoolState.CLAIMED, SpoolState.READ))
    @rule(limit=st.integers(1, 4))
    def advance(self, limit: int) -> None:
        self.world.advance(limit)

    @precondition(may_deliver)
    @rule(which=ANY)
    def deliver(self, which: int) -> None:
        self.world.deliver(which)

    @precondition(lambda self: self.has(SpoolState.DELIVERED))
    @rule()
    def finish(self) -> None:
        self.world.finish()

    @precondition(runs)
    @rule(deliveries=st.integers(0, 6))
    def work(self, deliveries: int) -> None:
        """Much at once, so that other rules begin where much has been done."""
        world = self.world
        steps: list[Callable[[], None]] = [
            lambda: world.claim(world.waiting_drops()),
            world.advance,
            *[lambda: world.deliver(0)] * deliveries,
            world.finish,
        ]
        for step in steps:
            if self.runs():
                step()

    @precondition(runs)
    @rule(countdown=st.integers(1, 25), deliveries=st.integers(0, 6))
    def work_and_die(self, countdown: int, deliveries: int) -> None:
        self.world.arm(countdown)
        self.work(deliveries)

    @precondition(runs)
    @rule(countdown=st.integers(1, 9))
    def arm(self, countdown: int) -> None:
        self.world.arm(countdown)

    @rule(start=st.booleans())
    def kill(self, start: bool) -> None:
        self.world.stop()
        if start and not self.world.journal_lost:
            self.world.start()

    @precondition(lambda self: not self.runs() and not self.world.journal_lost)
    @rule()
    def start(self) -> None:
        self.world.start()

    # -- the operator ----------------------------------------------------------------------
    @precondition(lambda self: self.has(SpoolState.CLAIMED, SpoolState.READ, SpoolState.STORED))
    @rule(which=ANY)
    def hold(self, which: int) -> None:
        works = self.world.running
        rows = works.journal.spools([SpoolState.CLAIMED, SpoolState.READ, SpoolState.STORED])
        if rows:
            spool = pick(rows, which).id
            with suppress(ValueError):  # on its way in a unit that is SENT
                works.journal.set_aside(spool, SpoolState.HELD, [HOLD], self.world.clock.now())

    @precondition(lambda self: self.has(SpoolState.HELD))
    @rule(which=ANY)
    def release(self, which: int) -> None:
        works = self.world.running
        if rows := works.journal.spools([SpoolState.HELD]):
            works.journal.release(pick(rows, which).id, "go on", self.world.clock.now())

    @precondition(may_deliver)
    @rule(requests=st.integers(0, 4), which=ANY, act=st.sampled_from(["hold", "release", "lose"]))
    def meanwhile(self, requests: int, which: int, act: str) -> None:
        """The operator, or a replay beside the daemon, while a unit is being delivered."""
        acts = {"hold": lambda: self.hold(which), "release": lambda: self.release(which)}
        acts["lose"] = lambda: self.lose_unit(which)
        self.world.server.meanwhile.extend([*[lambda: None] * requests, acts[act]])

    def lose_unit(self, which: int) -> None:
        """What a replay does with a unit that the server has no more."""
        works, records = self.world.running, self.world.server.records
        if units := works.journal.units([UnitState.CONFIRMED]):
            ref_id = pick(units, which).ref_id
            if ref_id not in records.units:
                works.journal.lose_unit(ref_id, "not there", self.world.clock.now())

    @precondition(runs)
    @rule()
    def retry(self) -> None:
        works = self.world.running
        works.journal.retry_now([], self.world.clock.now())
        self.world.do(works.delivery.probe)

    @precondition(runs)
    @rule(verify=st.booleans())
    def replay(self, verify: bool) -> None:
        works = self.world.running
        self.world.do(lambda: works.replay.compare(verify=verify))

    @rule()
    def lose_journal(self) -> None:
        self.world.lose_journal()

    @precondition(lambda self: self.world.journal_lost)
    @rule(kill_after=st.one_of(st.none(), st.integers(0, 2)))
    def rebuild(self, kill_after: int | None) -> None:
        self.world.rebuild(kill_after)

    # -- the server ------------------------------------------------------------------------
    @rule(up=st.booleans())
    def go_down_or_up(self, up: bool) -> None:
        self.world.server.up = up

    @rule(troubles=TROUBLES)
    def trouble(self, troubles: list[Trouble]) -> None:
        self.world.server.troubles.extend(troubles)

    @precondition(lambda self: self.world.server.late)
    @rule()
    def commit_late(self) -> None:
        self.world.server.commit_late()

    @rule()
    def back_up_server(self) -> None:
        self.backups.append(self.world.server.back_up())

    @rule(which=ANY)
    def restore_server(self, which: int) -> None:
        self.world.server.restore(pick(self.backups, which))

    @precondition(lambda self: self.world.server.records.documents)
    @rule(which=ANY)
    def lose_document(self, which: int) -> None:
        server = self.world.server
        server.lose(pick(sorted(server.records.documents), which))

    # -- what must hold --------------------------------------------------------------------
    @invariant()
    def all_is_as_it_must_be(self) -> None:
        check_now(self.world)


TestFlowMachine = FlowMachine.TestCase
TestFlowMachine.settings = settings(
    max_examples=2000 if WHOLE else 80,
    stateful_step_count=50 if WHOLE else 40,
    derandomize=not WHOLE,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
