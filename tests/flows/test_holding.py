"""Holds through the journal and real stores, interrupted everywhere."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.crashpoints import HOLD_POINTS
from hotfolder.core.errors import OperatorFault
from hotfolder.core.holds import Criteria, HoldPhase, HoldRow, load_hold
from hotfolder.core.records import DocumentMetadata
from hotfolder.flows.holding import Holding, hold_id_of
from hotfolder.journal.journal import SqliteJournal
from hotfolder.store.copies import CopiesStore
from hotfolder.store.ocfl import OcflStore
from tests.support.countdown import arm
from tests.support.flow_world import FixedClock
from tests.support.journals import make_document, spool_id, store
from tests.support.ocfl_judge import check_valid
from tests.support.server_model import ProcessKilledError
from tests.support.spools import make_request

HELD = 5
ALL = Criteria(customer_id="C")
_ids = itertools.count(1)


@dataclass
class House:
    """A journal with documents of one customer, and two storage roots."""

    root: Path
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open()
        for number in range(1, HELD + 1):
            self.take(number)

    def open(self) -> None:
        """As after a restart."""
        self.journal = SqliteJournal(os.fsencode(self.root / "j.db"))
        roots = [
            OcflStore(os.fsencode(self.root / name), clock=FixedClock()) for name in ("one", "two")
        ]
        self.store = CopiesStore(roots, emit=self.emit)
        self.store.initialise()
        self.flow = Holding(
            journal=self.journal,
            store=self.store,
            clock=FixedClock(),
            emit=self.emit,
            new_id=lambda: f"hold-{next(_ids):012}",
            page=2,
            batch=2,
        )

    def emit(self, event: str, /, **fields: object) -> None:
        self.events.append((event, fields))

    def take(self, number: int, customer: str = "C") -> None:
        metadata = DocumentMetadata(customer_id=customer, issue_date=date(2026, 6, 1))
        store(self.journal, number, make_document(f"k{number}", metadata=metadata))

    def place(self, criteria: Criteria = ALL, key: str = "") -> HoldRow:
        return self.flow.place(matter="M-1", criteria=criteria, actor="anna", key=key)

    def marked(self) -> dict[str, set[int]]:
        """The spools that are marked with each hold, in every root; none may differ."""
        found: dict[str, set[int]] = {}
        for number in range(1, 20):
            marks = {store.holds_on(spool_id(number)) for store in self.store.roots}
            assert len(marks) == 1, "the roots differ"
            for hold in marks.pop():
                found.setdefault(hold, set()).add(number)
        return found

    def go_on(self) -> None:
        """What the loop of the daemon does until nothing is left to do."""
        for _ in range(200):
            if self.flow.step() > 0:
                return
        raise AssertionError("it does not come to an end")

    def updates(self) -> list[tuple[int, bool]]:
        """(document, whether released) of what ArchivesSpace is to be told."""
        rows = self.journal._db._writer.execute(
            "SELECT document, json_extract(body, '$.released_on') IS NOT NULL FROM updates"
            " WHERE kind = 'hold' ORDER BY number"
        )
        return [(document, bool(released)) for document, released in rows]

    def actions(self) -> list[str]:
        return [row.action for row in self.journal.audit() if row.action.startswith("hold.")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    crashpoints.arm(None)
    assert house.journal.check() == []
    house.journal.close()


def test_it_is_acknowledged_when_every_store_is_marked(house: House) -> None:
    row = house.place()
    assert (row.phase, row.documents, row.spools) == (HoldPhase.PLACED, HELD, HELD)
    assert row.acknowledged_at is not None
    assert house.marked() == {row.id: set(range(1, HELD + 1))}
    assert house.actions() == ["hold.placed", "hold.applied"]
    assert house.events == [("hold.placed", {"hold": row.id, "documents": HELD, "spools": HELD})]
    assert house.flow.step() > 0
    released = house.flow.release(row.id, actor="ben", reason="settled")
    assert (released.phase, released.released_by) == (HoldPhase.LIFTED, "ben")
    assert house.marked() == {}
    assert house.actions()[2:] == ["hold.released", "hold.lifted"]
    assert house.updates() == [(n, False) for n in range(1, HELD + 1)] + [
        (n, True) for n in range(1, HELD + 1)
    ]
    # Nothing more happens when it is asked for once more.
    house.flow.release(row.id, actor="eve", reason="again")
    assert len(house.actions()) == 4


def test_many_holds_are_upon_one_document(house: House) -> None:
    one, other = house.place(), house.place(Criteria(spool_id=spool_id(2)))
    assert house.marked() == {one.id: set(range(1, HELD + 1)), other.id: {2}}
    house.flow.release(one.id, actor="ben", reason="settled")
    assert house.marked() == {other.id: {2}}
    (upon,) = house.journal.holds_of(make_document("k2").identity)
    assert upon.id == other.id


def test_an_order_from_elsewhere_is_placed_once(house: House) -> None:
    first = house.place(key="/repositories/2/digital_objects/5#1")
    assert first.id == hold_id_of("/repositories/2/digital_objects/5#1")
    assert house.place(key="/repositories/2/digital_objects/5#1") == first
    assert len(house.journal.holds()) == 1


def test_nothing_is_held_by_a_hold_that_does_not_say_what(house: House) -> None:
    with pytest.raises(OperatorFault, match="what it holds"):
        house.place(Criteria(last_number=9))
    with pytest.raises(KeyError):
        house.flow.release("hold-000000000000", actor="ben", reason="x")


def test_newcomers_are_marked_by_the_loop(house: House) -> None:
    row = house.place()
    house.take(9)
    house.take(10, customer="D")
    house.go_on()
    assert house.marked() == {row.id: {*range(1, HELD + 1), 9}}


def test_a_newcomer_that_is_not_marked_yet_keeps_no_other_mark(house: House) -> None:
    row = house.place()
    house.take(9)
    released = house.flow.release(row.id, actor="ben", reason="settled")
    assert released.phase is HoldPhase.LIFTED
    assert house.marked() == {}
    assert house.flow.step() > 0


def test_two_that_release_it_at_once_lose_no_mark(house: House) -> None:
    row = house.place()
    house.take(9)
    house.journal.release_hold(row.id, "ben", "settled", 9.0)
    while not house.journal.tell_released(row.id, 100, 9.0):
        pass
    house.journal.advance_hold(row.id, HoldPhase.LIFTING, 9.0)
    late = house.journal.spools_to_lift(row.id, 100)
    for _ in range(2):  # both have read the same late ones
        house.journal.record_lifted(row.id, late)
    assert house.flow.finish(row.id).phase is HoldPhase.LIFTED
    assert house.marked() == {}


def test_without_every_store_it_is_not_acknowledged(house: House) -> None:
    away = house.root / "away"
    shutil.move(house.root / "two", away)
    (house.root / "two").mkdir()  # where it was mounted
    with pytest.raises(OperatorFault) as refused:
        house.place()
    assert refused.value.code == "store.root_missing"
    (row,) = house.journal.holds()
    assert (row.phase, row.acknowledged_at) == (HoldPhase.MARKING, None)
    with pytest.raises(OperatorFault):
        house.flow.step()
    assert house.flow.stuck()  # whoever waits for the daemon to be idle does not wait for this
    assert "hold.applied" not in house.actions()
    with pytest.raises(OperatorFault):
        house.store.holds_on(spool_id(1))
    (house.root / "two").rmdir()
    shutil.move(away, house.root / "two")
    house.go_on()
    assert not house.flow.stuck()
    assert house.marked() == {row.id: set(range(1, HELD + 1))}


def test_what_cannot_be_finished_keeps_no_other_from_it(house: House) -> None:
    broken = house.place()
    other = house.place(Criteria(spool_id=spool_id(2)))
    house.take(9)  # of the first
    conn = house.journal._db._writer
    conn.execute("UPDATE hold_spools SET state = 'MARKING' WHERE hold = ?", (other.number,))
    real = house.store.place_holds

    def place_holds(spools: list[str], hold: str) -> None:
        if hold == broken.id:
            raise OperatorFault("no", code="x")
        real(spools, hold)

    house.store.place_holds = place_holds  # type: ignore[assignment, method-assign]
    failures = 0
    for _ in range(10):
        try:
            house.flow.step()
        except OperatorFault:
            failures += 1
    assert failures > 1
    assert house.journal.spools_to_mark(other.id, 9) == []
    assert house.journal.spools_to_mark(broken.id, 9) == [spool_id(9)]


def test_a_release_while_the_stores_are_being_marked_leaves_no_mark(house: House) -> None:
    second = Holding(
        journal=house.journal,
        store=house.store,
        clock=FixedClock(),
        emit=house.emit,
        new_id=lambda: "",
    )

    def hook(name: str) -> None:
        if name == "hold.marked":
            crashpoints.arm(None)
            (row,) = house.journal.holds()
            second.release(row.id, actor="ben", reason="a mistake")

    crashpoints.arm(hook)
    row = house.place()
    assert row.phase is HoldPhase.LIFTED
    assert house.marked() == {}
    assert "hold.applied" not in house.actions()


def test_marks_that_came_back_go_when_it_is_released_again(house: House) -> None:
    row = house.place()
    shutil.copytree(house.root / "two", house.root / "backup")
    house.flow.release(row.id, actor="ben", reason="settled")
    # The copy of the store was restored from a backup.
    shutil.rmtree(house.root / "two")
    (house.root / "backup").rename(house.root / "two")
    assert house.store.holds_on(spool_id(HELD)) == (row.id,)
    house.flow.release(row.id, actor="ben", reason="settled")
    for number in range(1, HELD + 1):
        assert house.store.holds_on(spool_id(number)) == ()
    assert list(house.store.kept_holds()) == []


def test_a_new_copy_of_the_store_gets_the_marks(house: House) -> None:
    request = make_request(house.root / "drop", 1)
    house.store.write_spools([request])
    house.store.place_hold(request.spool_id, "hold-00000000000a")
    house.place()
    roots = [
        OcflStore(os.fsencode(house.root / name), clock=FixedClock())
        for name in ("one", "two", "three")
    ]
    wider = CopiesStore(roots, emit=house.emit)
    wider.initialise(adding=True)
    wider.fill(expected=lambda _: None)
    assert roots[2].holds_on(request.spool_id) == ("hold-00000000000a",)
    assert list(roots[2].kept_holds()) == list(house.store.kept_holds())
    for name in ("one", "three"):
        check_valid(house.root / name, 1)  # of OCFL still


def _place(house: House) -> None:
    house.place(key="order")


def _release(house: House) -> None:
    house.flow.release(hold_id_of("order"), actor="ben", reason="settled")


@pytest.mark.parametrize("finish", ["loop", "again"])
def test_killed_anywhere_it_is_finished(tmp_path: Path, finish: str) -> None:
    seen: set[str] = set()
    for countdown in range(1, 100):
        house = _new(tmp_path, countdown)
        killed = 0
        for act, there in ((_place, True), (_release, False)):
            reached = arm(countdown)
            try:
                act(house)
            except ProcessKilledError:
                killed += 1
                house.journal.close()
                house.open()
                _check_unfinished(house, there=there)
            crashpoints.arm(None)
            seen.update(reached)
            if finish == "again":
                act(house)
            else:
                house.go_on()
            _check_finished(house, there=there)
        house.journal.close()
        if not killed:
            break
    assert seen == set(HOLD_POINTS)


def _new(tmp_path: Path, number: int) -> House:
    root = tmp_path / str(number)
    root.mkdir()
    return House(root)


def _check_unfinished(house: House, *, there: bool) -> None:
    """Killed after the journal had it: in force means that nothing goes, and what is not
    acknowledged is known to be unfinished."""
    (row,) = house.journal.holds(released=True)
    assert row.in_force is there
    assert row.acknowledged_at is None
    assert [found.id for found in house.journal.unfinished_holds()] == [row.id]


def _check_finished(house: House, *, there: bool) -> None:
    (row,) = house.journal.holds(released=True)
    everything = set(range(1, HELD + 1))
    assert row.acknowledged_at is not None
    assert (row.documents, row.spools) == (HELD, HELD)
    assert house.marked() == ({row.id: everything} if there else {})
    kept = [load_hold(data)[0].id for data in house.store.kept_holds()]
    assert kept == ([row.id] if there else [])
    expected = [(number, False) for number in everything]
    expected += [] if there else [(number, True) for number in everything]
    assert sorted(house.updates()) == sorted(expected)
    actions = ["hold.placed", "hold.applied"] + ([] if there else ["hold.released", "hold.lifted"])
    assert house.actions() == actions
    assert house.journal.unfinished_holds() == []
    house.journal.verify_chain()
