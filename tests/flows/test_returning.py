"""Documents given back: to a folder that somebody watches, to a receiver over HTTP."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.lifecycle import Backoff, SpoolState
from hotfolder.core.orders import Fate, OrderRow, OrderState
from hotfolder.core.pacing import LONGEST_STEP
from hotfolder.core.profiles import HandedFormat, RetrieveProfile, ReturnKind, ReturnProfile
from hotfolder.flows.returning import Returns
from hotfolder.service.parts import SystemClock, make_returns
from tests.support.flow_world import World, content_of, sidecar_of
from tests.support.receiver import Receiver, hang_up, lose_answer, receiving, status

DOCUMENTS = 6
FREE = RetrieveProfile()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(root=tmp_path)
    made.start()
    for number in range(DOCUMENTS):
        content = content_of(f"c{number}", "x" * 1000 * number)
        made.drop(content, sidecar_of(content), "letter")
    made.settle()
    (tmp_path / "back").mkdir()
    yield made
    made.stop()


def identities(world: World) -> list[str]:
    journal = world.running.journal
    return [row.document.identity for item in world.rows() for row in journal.documents_of(item.id)]


def folder(world: World) -> ReturnProfile:
    return ReturnProfile(
        name="back", kind=ReturnKind.FOLDER, path=str(world.root / "back"), trigger_suffix=".go"
    )


def poster(receiver: Receiver, **changes: object) -> ReturnProfile:
    profile = ReturnProfile(
        name="post",
        kind=ReturnKind.HTTP,
        url=receiver.url,
        connect_timeout=2,
        read_timeout=2,
        total_timeout=4,
        secret="s3cret",
    )
    return replace(profile, **changes)  # type: ignore[arg-type]


def returns(world: World, *profiles: ReturnProfile, terms: RetrieveProfile = FREE) -> Returns:
    works = world.running
    return make_returns(
        journal=works.journal,
        store=works.store,
        profiles=profiles,
        terms=terms,
        clock=SystemClock(),
        emit=works.emit,
        new_id=world._new_id,
        jitter=lambda: 0.5,
        backoff=Backoff(first=0.001, ceiling=0.001),
    )


def give(flow: Returns, identity: str, to: str) -> OrderRow:
    return flow.carry_out(flow.order(identity, to, reason="test", actor="clerk"))


def names(world: World) -> list[str]:
    return sorted(os.listdir(world.root / "back"))


# -- folders --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sidecar", "suffix"), [("json", ".json"), ("xml", ".xml"), ("cmod", ".ind"), ("none", None)]
)
def test_the_exact_bytes_with_sidecar_and_trigger(
    world: World, sidecar: str, suffix: str | None
) -> None:
    profile = replace(folder(world), sidecar=HandedFormat(sidecar))
    identity = identities(world)[3]
    order = give(returns(world, profile), identity, "back")
    assert (order.state, order.fate) == (OrderState.GIVEN, Fate.GIVEN)
    assert order.staged is not None
    document = f"letter-2026-06-30-{order.id}.txt"
    expected = [document, document + ".go", *([document + suffix] if suffix else [])]
    assert names(world) == sorted(expected)
    data = (world.root / "back" / document).read_bytes()
    assert hashlib.sha256(data).hexdigest() == order.staged.sha256
    assert data == content_of("c3", "x" * 3000)
    (link,) = (row for row in world.running.journal.audit() if row.action == "document.returned")
    assert (link.actor, link.subject) == ("clerk", identity)
    assert link.details["to"] == "back"
    assert link.details["sha256"] == order.staged.sha256
    assert [step.new for step in world.running.journal.steps(order.id)] == [
        "ORDERED",
        "STAGED",
        "GIVEN",
    ]


def test_two_returns_of_one_document_have_two_names(world: World) -> None:
    flow = returns(world, folder(world))
    for _ in range(2):
        give(flow, identities(world)[0], "back")
    assert len(names(world)) == 6


def test_a_folder_that_is_away_is_waited_for(world: World) -> None:
    flow = returns(world, folder(world))
    (world.root / "back").rmdir()
    order = give(flow, identities(world)[0], "back")
    assert (order.state, order.attempts) == (OrderState.ORDERED, 1)
    assert order.last_error
    (world.root / "back").mkdir()
    world.running.journal.hasten_orders(1)
    assert flow.advance() == 1
    assert len(names(world)) == 3


def test_a_strangers_file_is_not_overwritten(world: World) -> None:
    flow = returns(world, folder(world))
    order = flow.order(identities(world)[0], "back", reason="", actor="clerk")
    theirs = world.root / "back" / f"letter-2026-06-30-{order.id}.txt"
    theirs.write_text("theirs")
    waiting = flow.carry_out(order)
    assert waiting.state is OrderState.STAGED
    assert theirs.read_text() == "theirs"
    theirs.unlink()
    assert flow.carry_out(waiting).state is OrderState.GIVEN
    assert theirs.read_bytes() == content_of("c0", "")


def test_another_folder_in_its_place_proves_nothing(world: World) -> None:
    """A share that is not mounted has no temporary files either."""
    flow = returns(world, folder(world))
    order = flow.order(identities(world)[0], "back", reason="", actor="clerk")
    theirs = world.root / "back" / f"letter-2026-06-30-{order.id}.txt.json"
    theirs.write_text("theirs")
    staged = flow.carry_out(order)
    (world.root / "back").rename(world.root / "away")
    (world.root / "back").mkdir()
    waiting = flow.carry_out(staged)
    assert waiting.state is OrderState.STAGED
    assert "another folder" in (waiting.last_error or "")
    (world.root / "back").rmdir()
    (world.root / "away").rename(world.root / "back")
    theirs.unlink()
    assert flow.carry_out(waiting).state is OrderState.GIVEN


def test_a_document_that_is_damaged_is_not_given(world: World) -> None:
    for path in (world.root / "store").rglob("*.txt"):
        if path.read_bytes() == content_of("c2", "x" * 2000):
            path.chmod(0o600)
            path.write_bytes(content_of("c2", "y" * 2000))
    order = give(returns(world, folder(world)), identities(world)[2], "back")
    assert (order.state, order.fate) == (OrderState.FAILED, Fate.CORRUPT)
    assert names(world) == []
    (link,) = (row for row in world.running.journal.audit() if row.action == "retrieval.refused")
    assert link.details["code"] == "corrupt"
    (spool,) = (row for row in world.rows() if row.state is SpoolState.CORRUPT)
    (row,) = world.running.journal.documents_of(spool.id)
    assert row.document.identity == order.identity
    assert ("spool.corrupt", {"spool": spool.id, "reason": "store.fixity"}) in world.events


def test_a_reason_may_be_demanded(world: World) -> None:
    terms = RetrieveProfile(reason_required=True)
    flow = returns(world, folder(world), terms=terms)
    identity = identities(world)[0]
    with pytest.raises(OperatorFault) as raised:
        flow.order(identity, "back", reason=" ", actor="clerk")
    assert raised.value.code == "retrieve.reason"
    assert world.running.journal.orders() == []
    row = world.running.journal.audit()[-1]
    assert (row.actor, row.action, row.subject) == ("clerk", "retrieval.refused", identity)
    assert give(flow, identity, "back").fate is Fate.GIVEN


def test_a_form_that_cannot_be_had_fails(world: World) -> None:
    profile = replace(folder(world), form="alone")
    flow = returns(world, profile, replace(profile, name="spool", form="spool"))
    assert give(flow, identities(world)[1], "back").fate is Fate.GIVEN, "alone in its spool"
    assert give(flow, identities(world)[1], "spool").fate is Fate.GIVEN


def test_what_is_not_known_is_not_ordered(world: World) -> None:
    flow = returns(world, folder(world))
    with pytest.raises(KeyError):
        flow.order("hf-nobody", "back", reason="", actor="clerk")
    with pytest.raises(OperatorFault) as caught:
        flow.order(identities(world)[0], "elsewhere", reason="", actor="clerk")
    assert "back" in caught.value.hint
    assert world.running.journal.orders() == []


_READER = """
import json, hashlib, os, sys
folder, wanted = sys.argv[1], int(sys.argv[2])
seen = set()
print("ready", flush=True)
while len([name for name in seen if name.endswith(".go")]) < wanted:
    for name in os.listdir(folder):
        if name.endswith(".tmp") or name in seen:
            continue
        path = os.path.join(folder, name)
        data = open(path, "rb").read()
        if name.endswith(".json"):
            json.loads(data)
        elif name.endswith(".go"):
            assert os.path.exists(path[:-3]), "a trigger before its document"
        else:
            told = json.load(open(path + ".json"))["given"]
            assert len(data) == told["bytes"], "half a document"
            assert hashlib.sha256(data).hexdigest() == told["sha256"], "other bytes"
        seen.add(name)
print(len(seen), flush=True)
"""


def test_a_reader_never_sees_half_a_document(tmp_path: Path) -> None:
    """It looks all the time, and at every file the moment it has its final name."""
    made = World(root=tmp_path)
    made.start()
    for number in range(20):
        content = content_of(f"c{number}", "x" * 400_000)
        made.drop(content, sidecar_of(content), "letter")
    made.settle()
    (tmp_path / "back").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", _READER, str(tmp_path / "back"), "40"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        flow = returns(made, folder(made))
        for identity in identities(made) * 2:
            assert give(flow, identity, "back").state is OrderState.GIVEN
        out, err = reader.communicate(timeout=60)
    made.stop()
    assert (reader.returncode, out) == (0, "120\n"), err


# -- HTTP -------------------------------------------------------------------------------
def test_a_document_is_posted_with_its_metadata(world: World) -> None:
    with receiving() as receiver:
        flow = returns(world, poster(receiver))
        identity = identities(world)[4]
        order = give(flow, identity, "post")
        flow.close()
    assert order.state is OrderState.GIVEN
    assert receiver.taken == {order.id: content_of("c4", "x" * 4000)}
    told = receiver.headers[order.id]
    assert told["strs-document-type"] == "letter"
    assert told["FixedMetaData.ExternalID"] == identity
    assert told["FixedMetaData.Receiver"] == "c4"
    assert told["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("fault", [status(500), status(503), status(429), status(409), hang_up])
def test_an_unknown_outcome_is_sent_again_with_the_same_key(world: World, fault: object) -> None:
    with receiving() as receiver:
        receiver.faults = [fault, fault]  # type: ignore[list-item]
        flow = returns(world, poster(receiver))
        order = give(flow, identities(world)[0], "post")
        assert (order.state, order.attempts) == (OrderState.STAGED, 1)
        assert "not known" in (order.last_error or "")
        assert flow.carry_out(order).state is OrderState.STAGED
        assert flow.carry_out(order).state is OrderState.GIVEN
        flow.close()
    assert dict(receiver.times) == {order.id: 1}


def test_a_lost_answer_comes_twice_under_one_key(world: World) -> None:
    with receiving() as receiver:
        receiver.faults = [lose_answer]
        flow = returns(world, poster(receiver))
        order = give(flow, identities(world)[0], "post")
        assert order.state is OrderState.STAGED
        assert flow.carry_out(order).state is OrderState.GIVEN
        flow.close()
    assert dict(receiver.times) == {order.id: 2}, "at least once, and the key tells"


def test_without_an_answer_it_fails_and_says_so(world: World) -> None:
    with receiving() as receiver:
        receiver.faults = [status(500)] * 3
        flow = returns(world, poster(receiver, attempts=3))
        order = give(flow, identities(world)[0], "post")
        for _ in range(2):
            order = flow.carry_out(order)
        flow.close()
    assert (order.state, order.fate) == (OrderState.FAILED, Fate.UNANSWERED)
    assert "may have it" in (order.last_error or "")


@pytest.mark.parametrize("code", [301, 400, 404, 413, 415])
def test_a_refusal_ends_the_order(world: World, code: int) -> None:
    with receiving() as receiver:
        receiver.faults = [status(code)]
        flow = returns(world, poster(receiver))
        order = give(flow, identities(world)[0], "post")
        flow.close()
    assert (order.state, order.fate) == (OrderState.FAILED, Fate.REFUSED)
    assert str(code) in (order.last_error or "")


def test_a_login_that_is_denied_waits_for_the_operator(world: World) -> None:
    with receiving() as receiver:
        receiver.faults = [status(401)]
        flow = returns(world, poster(receiver))
        order = give(flow, identities(world)[0], "post")
        assert order.state is OrderState.STAGED
        assert "s3cret" not in (order.last_error or "")
        assert flow.carry_out(order).state is OrderState.GIVEN
        flow.close()


def test_nobody_there_is_no_attempt_that_counts(world: World) -> None:
    with receiving() as receiver:
        profile = poster(receiver, attempts=1)
    flow = returns(world, profile)
    order = give(flow, identities(world)[0], "post")
    for _ in range(3):
        order = flow.carry_out(order)
    flow.close()
    assert (order.state, order.attempts, order.unknown) == (OrderState.STAGED, 4, 0)
    assert "cannot be reached" in (order.last_error or "")


def test_facts_of_the_sidecar_are_those_of_the_bytes(world: World) -> None:
    order = give(returns(world, folder(world)), identities(world)[5], "back")
    (sidecar,) = (world.root / "back").glob("*.json")
    told = json.loads(sidecar.read_bytes())
    assert told["metadata"]["customer_id"] == "c5"
    assert order.staged is not None
    assert told["given"]["sha256"] == order.staged.sha256


def test_a_step_that_lasts_long_leaves_the_other_orders_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that is silent is waited for with each order: a hundred of them take hours."""
    works = world.running
    flow = make_returns(
        journal=works.journal,
        store=works.store,
        profiles=[folder(world)],
        terms=FREE,
        clock=world.clock,
        emit=works.emit,
        new_id=world._new_id,
        jitter=lambda: 0.5,
        backoff=Backoff(first=3600, ceiling=3600),
    )
    ordered = {
        flow.order(identity, "back", reason="test", actor="clerk").id
        for identity in identities(world)[:3]
    }
    tried: list[str] = []

    def wait_in_vain(order: OrderRow) -> None:
        tried.append(order.id)
        world.clock.at += LONGEST_STEP
        raise Transient("nobody answers")

    monkeypatch.setattr(flow, "_attempt", wait_in_vain)
    for number in range(1, 4):
        flow.advance()
        assert len(tried) == number
    assert set(tried) == ordered
