"""Documents that go by their keys, out of a spool that stays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.clocks import NewEvent
from hotfolder.core.disposals import DisposalState, DueFilter, Standing
from hotfolder.core.errors import Destroyed, OperatorFault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.orders import NewOrder, Staged
from hotfolder.core.retention import Subject
from hotfolder.core.tombstones import read_tombstone
from hotfolder.flows.retrieve import retrieve
from tests.support.disposal import TODAY, DisposalWorld, hold, moment
from tests.support.encrypted import search, secret
from tests.support.journals import FAULT, UNIT, confirm, plan, spool_id

POINTS = ("disposal.begun", "parts.entombed", "keys.destroyed", "disposal.purged",
          "disposal.recorded", "certificate.written", "disposal.done")  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DisposalWorld]:
    found = DisposalWorld(tmp_path)
    yield found
    crashpoints.arm(None)
    found.close()


def take(world: DisposalWorld, identity: str) -> bytes:
    with retrieve(world.journal, world.store, identity) as found:
        return b"".join(found.pieces)


def gone_parts(world: DisposalWorld, number: int) -> list[frozenset[int]]:
    return [root.destroyed_parts(spool_id(number)) for root in world.store.roots]


def certificate(world: DisposalWorld, disposal: str) -> dict[str, Any]:
    data = world.journal.disposal_certificate(disposal)
    assert data is not None
    body: dict[str, Any] = json.loads(data)["certificate"]
    return body


def updates(tmp_path: Path) -> list[str]:
    conn = sqlite3.connect(tmp_path / "journal.db")
    try:
        return [
            identity
            for (identity,) in conn.execute(
                "SELECT d.identity FROM updates AS u JOIN documents AS d ON d.number = u.document"
                " WHERE u.kind = 'destroyed' ORDER BY u.number"
            )
        ]
    finally:
        conn.close()


@pytest.mark.parametrize("carried", [False, True])
def test_one_goes_and_its_spool_stays(world: DisposalWorld, tmp_path: Path, carried: bool) -> None:
    gone, stays = world.add(1, "D", "L", encrypted=True, carried=carried)
    found, _ = world.journal.due_documents(DueFilter(), TODAY)
    assert [item.standing for item in found] == [Standing.DUE]
    disposal = world.destroy()
    assert world.outcomes(disposal) == {gone: "destroyed"}
    assert gone_parts(world, 1) == [frozenset({1})] * 2
    assert world.is_there(1)
    assert world.journal.get_document(gone) is None
    assert secret(102) in take(world, stays)
    left = world.journal.destroyed_document(gone)
    assert left is not None
    assert left.by_key
    body = certificate(world, disposal)
    assert "cryptographic erasure), NIST SP 800-88r2" in body["method"]
    assert "one rename" not in body["method"]
    assert body["counts"] == {
        "listed": 1,
        "destroyed": 1,
        "destroyed_by_key": 1,
        "withheld": 0,
        "excluded": 0,
        "spools": 0,
        "spools_that_stayed": 1,
    }
    (acts,) = [
        link for link in world.journal.audit(limit=1000) if link.action == "document.destroyed"
    ]
    assert acts.details["by_key"] is True
    assert updates(tmp_path) == [gone]
    for root in world.store.roots:
        ((spool, stone),) = root.part_tombstones()
        assert spool == spool_id(1)
        assert [(item.identity, item.ordinal) for item in read_tombstone(stone)] == [(gone, 1)]
        assert root.tombstone(spool_id(1)) is None
    # Nothing of the one in clear, and of the other nothing but in the journal.
    world.journal.close()
    roots = [tmp_path / name for name in ("one", "two", "certificates")]
    known = (tmp_path / "journal.db").read_bytes()
    for needle in (secret(101), b"A-1-1"):
        assert search(roots, needle) == []
        assert needle not in known
    assert b"A-1-2" in known
    world.journal = type(world.journal)(str(tmp_path / "journal.db").encode())
    world.journal.verify_chain()
    assert world.journal.check() == []


def test_the_rest_of_the_spool_goes_later_and_nothing_is_counted_twice(
    world: DisposalWorld, tmp_path: Path
) -> None:
    gone, stays = world.add(1, "D", "L", encrypted=True, carried=True)
    first = world.destroy()
    world.clock.time = moment(date(2050, 2, 1))
    world.flow.vouch(date(2050, 2, 1), actor="ada")
    second = world.destroy()
    assert world.outcomes(first) == {gone: "destroyed"}
    assert world.outcomes(second) == {stays: "destroyed"}
    assert not world.is_there(1)
    stone = world.store.tombstone(spool_id(1))
    assert stone is not None
    found = {item.identity for item in read_tombstone(stone)}
    assert stays in found
    assert gone not in found
    assert len(list(world.store.part_tombstones())) == 1
    body = certificate(world, second)
    assert "key destroyed" not in body["method"]
    assert (body["counts"], len(updates(tmp_path))) == (
        {
            "listed": 1,
            "destroyed": 1,
            "destroyed_by_key": 0,
            "withheld": 0,
            "excluded": 0,
            "spools": 1,
            "spools_that_stayed": 0,
        },
        2,
    )
    links = [link.subject for link in world.journal.audit(limit=1000)
             if link.action == "document.destroyed"]  # fmt: skip
    assert sorted(links) == sorted([gone, stays])
    assert world.flow.repeat(first) == world.flow.repeat(second) == 0
    assert world.flow.propose(DueFilter(), [UNIT], actor="ada") == []


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("marked", [False, True])
def test_a_hold_on_one_holds_that_one(world: DisposalWorld, carried: bool, marked: bool) -> None:
    gone, held = world.add(1, "D", "D", encrypted=True, carried=carried)
    hold(world, "1", identities=(held,))
    world.journal.add_members("hold-000000000001", [2], world.clock.now())
    if marked:
        world.store.place_hold(spool_id(1), "hold-000000000001")
    disposal = world.destroy()
    assert world.outcomes(disposal) == {gone: "destroyed"}
    assert gone_parts(world, 1) == [frozenset({1})] * 2
    assert secret(102) in take(world, held)
    # The mark still stops the whole.
    if marked:
        with pytest.raises(OperatorFault) as caught:
            world.store.purge(spool_id(1), b"{}")
        assert caught.value.code == "store.held"


def test_a_hold_that_comes_after_the_approval_saves_it(world: DisposalWorld) -> None:
    one, other = world.add(1, "D", "L", encrypted=True)
    disposal = world.approved()
    hold(world, "1", identities=(one,))
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert world.outcomes(disposal) == {one: "excluded"}
    assert gone_parts(world, 1) == [frozenset()] * 2
    assert take(world, one)
    assert take(world, other)


def test_a_mark_that_the_journal_does_not_know_saves_all(world: DisposalWorld) -> None:
    one, _ = world.add(1, "D", "L", encrypted=True)
    disposal = world.approved()
    world.store.place_hold(spool_id(1), "hold-0123456789ab")
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert world.outcomes(disposal) == {one: "excluded"}
    assert gone_parts(world, 1) == [frozenset()] * 2


def test_a_hold_upon_the_record_of_the_whole_spool_saves_all(world: DisposalWorld) -> None:
    one, _ = world.add(1, "D", "L", encrypted=True, carried=True)
    hold(world, "1", customer_id="C-nobody")
    carrier = world.journal.documents_of(spool_id(1))[-1]
    with world.journal._db.writing() as conn:
        conn.execute(
            "INSERT INTO hold_members SELECT h.number, d.number, 1 FROM holds AS h, documents AS d"
            " WHERE d.identity = ?",
            (carrier.document.identity,),
        )
    assert world.outcomes(world.destroy()) == {one: "withheld"}
    assert gone_parts(world, 1) == [frozenset()] * 2


def test_all_that_may_go_as_a_whole_goes_as_a_whole(world: DisposalWorld) -> None:
    world.add(1, "D", "D", encrypted=True)
    disposal = world.destroy()
    assert not world.is_there(1)
    body = certificate(world, disposal)
    assert {item["destroyed_by"] for item in body["destroyed"]} == {"object"}
    assert "key destroyed" not in body["method"]
    assert not any(root.keys.has(spool_id(1)) for root in world.store.roots)


def test_without_keys_of_their_own_they_are_withheld(world: DisposalWorld) -> None:
    short, _ = world.add(1, "D", "L")
    assert world.outcomes(world.destroy()) == {short: "withheld"}


def test_what_was_withheld_before_goes_by_its_key(world: DisposalWorld) -> None:
    short, _ = world.add(1, "D", "L", encrypted=True)
    first = world.approved()
    row = world.journal.begin_disposal(first, world.digest(), "cem", world.clock.now())
    assert dict(row.outcomes) == {"withheld": 1}
    world.flow.complete(first)
    second = world.destroy()
    assert world.outcomes(second) == {short: "destroyed"}
    assert gone_parts(world, 1) == [frozenset({1})] * 2


def test_others_of_its_spool_wait_for_the_end_of_one_that_is_under_way(
    world: DisposalWorld,
) -> None:
    one, _, other = world.add(1, "D", "L", "E", encrypted=True, policy="P-1")
    world.flow.begin(world.approved(), actor="cem")
    ended = NewEvent(
        kind=Subject.POLICY,
        subject="P-1",
        event="contract-end",
        day=date(2030, 1, 1),
        actor="ada",
    )
    world.journal.record_events([ended], world.clock.now())
    world.compute()
    second = world.approved()
    world.flow.begin(second, actor="cem")
    while world.flow.step() == 0.0:
        pass
    assert world.outcomes(second) == {other: "excluded"}
    assert gone_parts(world, 1) == [frozenset({1})] * 2
    assert world.journal.is_destroyed(one)
    third = world.destroy()
    assert world.outcomes(third) == {other: "destroyed"}
    assert gone_parts(world, 1) == [frozenset({1, 3})] * 2


class Died(Exception):
    pass


def test_what_comes_twice_in_its_spool_does_not_go_by_its_key(world: DisposalWorld) -> None:
    """The second time its bytes lie between the documents, under no key of their own."""
    gone, _ = world.add(1, "D", "L", encrypted=True, twice=True)
    assert world.outcomes(world.destroy()) == {gone: "withheld"}
    assert world.flow.propose(DueFilter(), [UNIT], actor="ada") == []


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("occurrence", [1, 2])
def test_killed_anywhere_it_is_all_destroyed_and_certified_once(
    world: DisposalWorld, tmp_path: Path, point: str, occurrence: int
) -> None:
    one, _, three, four = world.add(1, "D", "L", "D", "D", encrypted=True)
    (whole,) = world.add(2, "D")
    disposal = world.approved()
    left = occurrence

    def die(name: str) -> None:
        nonlocal left
        left -= name == point
        if name == point and left == 0:
            raise Died

    crashpoints.arm(die)
    try:
        world.flow.begin(disposal, actor="cem")
        world.flow.complete(disposal)
    except Died:
        pass
    crashpoints.arm(None)
    world.journal.close()
    world.journal = type(world.journal)(str(tmp_path / "journal.db").encode())
    world.store = world.open_store()
    world.flow = world.make_flow()
    while world.flow.step() == 0.0:
        pass
    row = world.journal.get_disposal(disposal)
    assert row is not None
    assert row.state is DisposalState.DONE
    assert set(world.outcomes(disposal)) == {one, three, four, whole}
    assert set(world.outcomes(disposal).values()) == {"destroyed"}
    assert gone_parts(world, 1) == [frozenset({1, 3, 4})] * 2
    assert world.is_there(1)
    assert not world.is_there(2)
    links = [link.subject for link in world.journal.audit(limit=1000)
             if link.action == "document.destroyed"]  # fmt: skip
    assert sorted(links) == sorted([one, three, four, whole])
    assert sorted(updates(tmp_path)) == sorted([one, three, four, whole])
    assert "Documents marked" in certificate(world, disposal)["method"]
    assert "one rename" in certificate(world, disposal)["method"]


def test_nothing_goes_while_a_root_is_away(world: DisposalWorld, tmp_path: Path) -> None:
    world.add(1, "D", "L", encrypted=True)
    disposal = world.approved()
    world.flow.begin(disposal, actor="cem")
    (tmp_path / "two").rename(tmp_path / "away")
    with pytest.raises(OperatorFault) as caught:
        world.flow.complete(disposal)
    assert caught.value.code == "store.copy_missing"
    assert world.store.roots[0].destroyed_parts(spool_id(1)) == frozenset()
    (tmp_path / "away").rename(tmp_path / "two")
    world.flow.complete(disposal)
    assert gone_parts(world, 1) == [frozenset({1})] * 2


def test_keys_from_a_backup_are_destroyed_once_more(world: DisposalWorld) -> None:
    world.add(1, "D", "L", encrypted=True)
    path = Path(world.store.roots[1].keys.path(spool_id(1)).decode())
    before = path.read_bytes()
    disposal = world.destroy()
    path.write_bytes(before)
    assert world.flow.repeat(disposal) == 1
    assert gone_parts(world, 1) == [frozenset({1})] * 2
    assert world.flow.repeat(disposal) == 0
    path.write_bytes(before)
    assert world.store.fill(lambda _spool: None).destroyed == 1
    assert gone_parts(world, 1) == [frozenset({1})] * 2


def test_a_spool_out_of_which_one_went_is_mended_and_goes_on(world: DisposalWorld) -> None:
    gone, stays = world.add(1, "D", "L", encrypted=True)
    row = world.journal.get_document(stays)
    assert row is not None
    assert row.unit_ref_id is not None
    world.destroy()
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 20.0)
    assert world.journal.release(spool_id(1), "mended", 21.0) is SpoolState.DELIVERED
    assert world.journal.get_document(gone) is None
    assert world.journal.get_document(stays) is not None
    world.journal.record_receipted([spool_id(1)], 22.0)
    # The same where the server lost the records meanwhile: that of the other is made again.
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 23.0)
    world.journal.lose_unit(row.unit_ref_id, "restored from a backup", 24.0)
    assert world.journal.release(spool_id(1), "mended", 25.0) is SpoolState.STORED
    unit = plan(world.journal)
    assert unit.identities == (stays,)
    assert confirm(world.journal, unit) == [spool_id(1)]
    assert world.journal.unconfirmed([spool_id(1)]) == {spool_id(1): 0}


def test_what_leaves_with_its_whole_spool_is_not_destroyed_meanwhile(
    world: DisposalWorld,
) -> None:
    """It lies in the folder where it was asked for, and only its name is missing there."""
    goes, asked = world.add(1, "D", "L", encrypted=True)
    world.journal.add_order(
        NewOrder(id="order-1", identity=asked, to="desk", reason="", actor="ada"), 10.0
    )
    staged = Staged(form="spool", derived=False, sha256="a" * 64, size=8002, folder="/desk")
    world.journal.stage_order("order-1", staged, 11.0)
    assert world.flow.propose(DueFilter(), [UNIT], actor="ada") == []
    world.journal.give_order("order-1", "", 12.0)
    assert world.outcomes(world.destroy()) == {goes: "destroyed"}


def test_a_document_that_went_is_not_given(world: DisposalWorld) -> None:
    gone, _ = world.add(1, "D", "L", encrypted=True)
    world.destroy()
    with pytest.raises(Destroyed) as caught:
        take(world, gone)
    assert caught.value.code == "retrieve.destroyed"
