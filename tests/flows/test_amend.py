"""What happens to archived documents comes into their records: once, in order, whatever
the server does and whenever the daemon dies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.crashpoints import AMEND_POINTS
from hotfolder.core.lifecycle import UnitState
from hotfolder.core.profiles import ChangesProfile, Describe
from hotfolder.flows.amend import Amend
from tests.flows.test_many_documents import INDEX, drop
from tests.support.archivist import ModelArchivist
from tests.support.changes import decide_end, destroy, place_hold, release_hold
from tests.support.countdown import arm
from tests.support.flow_world import World, content_of, sidecar_of
from tests.support.server_model import Trouble

DOCUMENTS = 5
LATER = date(2040, 1, 31)
SOONER = date(2035, 2, 28)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(root=tmp_path, outward={"changes": ChangesProfile(rate=0)})
    found.start()
    for number in range(DOCUMENTS):
        content = content_of(f"c{number}", "text")
        found.drop(content, sidecar_of(content), "letter")
    found.settle()
    found.events.clear()
    yield found
    found.stop()


def identities(world: World) -> list[str]:
    journal = world.running.journal
    return [row.document.identity for item in world.rows() for row in journal.documents_of(item.id)]


def record(world: World, identity: str) -> dict[str, Any]:
    return ModelArchivist(world.server).read(world.server.records.documents[identity].uri)


def names(world: World, identity: str) -> list[str]:
    return [item["identifier"] for item in record(world, identity)["rights_statements"]]


def work(world: World) -> None:
    """What the loops do, until nothing is due."""
    for _ in range(30):
        works = world.works
        if works is None:
            world.start()
            continue
        if not world.do(lambda: works.amend.step(limit=2)):  # noqa: B023  called at once
            continue
        if not world.do(works.tell.step):
            continue
        journal = works.journal
        if not journal.has_changes_due(world.clock.now()) and not journal.count_waiting_events():
            return
    raise AssertionError("there is no end to it")


def told(world: World) -> list[dict[str, Any]]:
    return ModelArchivist(world.server).events()


def outcomes(world: World) -> list[tuple[str, str | None]]:
    with world.running.journal._db.reading() as conn:
        return [
            (state, outcome)
            for state, outcome in conn.execute("SELECT state, outcome FROM updates ORDER BY number")
        ]


# -- told -------------------------------------------------------------------------------
def test_a_hold_its_release_and_what_was_told_of_it(world: World) -> None:
    held = identities(world)[:3]
    name = place_hold(world.running.journal, 1, held)
    work(world)
    for identity in identities(world):
        found = record(world, identity)
        assert found["user_defined"]["boolean_1"] is (identity in held)
        assert (f"hold:M-1 {name}" in names(world, identity)) is (identity in held)
    release_hold(world.running.journal, 1)
    work(world)
    for identity in held:
        (statement,) = (
            item
            for item in record(world, identity)["rights_statements"]
            if name in item["identifier"]
        )
        assert statement["end_date"] == "2026-11-30"
        assert record(world, identity)["user_defined"]["boolean_1"] is False
    assert set(outcomes(world)) == {("SENT", "changed")}
    events = told(world)
    linked = [item["ref"] for event in events for item in event["linked_records"]]
    uris = [world.server.records.documents[identity].uri for identity in held]
    assert sorted(linked) == sorted(uris * 2)
    assert len({event["refid"] for event in events}) == len(events) == 4, "two at a time"
    assert events[0]["outcome_note"] == f"legal hold {name} on 2 documents"
    assert events[-1]["outcome_note"] == f"legal hold {name} released from 1 document"
    links = [row for row in world.running.journal.audit() if row.action == "archive.told"]
    assert [(row.subject, row.details["change"], row.details["documents"]) for row in links] == [
        (name, "hold", 2),
        (name, "hold", 1),
        (name, "release", 2),
        (name, "release", 1),
    ]
    assert {row.details["refid"] for row in links} == {event["refid"] for event in events}


def test_of_several_dates_the_newest_is_sent_once_and_all_are_done(world: World) -> None:
    journal = world.running.journal
    (identity, *_) = identities(world)
    for moment, until in enumerate((LATER, SOONER, LATER)):
        decide_end(journal, identity, until, world.clock.now() + moment)
    before = world.server.requests
    work(world)
    assert world.server.requests - before == 1 + len(told(world)) == 2
    assert outcomes(world) == [("SENT", "changed")] * 3
    assert record(world, identity)["user_defined"]["date_1"] == "2040-01-31"
    assert record(world, identity)["lock_version"] == 1


def test_a_destroyed_document_keeps_its_record(world: World) -> None:
    (identity, *_) = identities(world)
    place_hold(world.running.journal, 1, [identity])
    destroy(world.running.journal, [identity])
    work(world)
    assert record(world, identity)["file_versions"] == []
    assert len(names(world, identity)) == 1
    (hold, end) = told(world)
    assert (hold["event_type"], end["event_type"]) == ("assessment", "deletion")
    assert "c" * 64 in end["outcome_note"]
    assert "disposal-000000000001" in end["outcome_note"]


def test_no_event_where_none_is_configured(world: World) -> None:
    works = world.running
    place_hold(works.journal, 1, identities(world)[:1])
    amend = Amend(
        journal=works.journal,
        desk=works.desk,
        profile=ChangesProfile(hold=""),
        clock=world.clock,
        emit=works.emit,
        jitter=lambda: 0.5,
    )
    amend.step()
    assert outcomes(world) == [("SENT", "changed")]
    assert works.journal.count_waiting_events() == 0
    assert [row.action for row in works.journal.audit()].count("archive.told") == 1


# -- before and while a document is delivered -----------------------------------------------
def _drop(world: World) -> str:
    """A further document, stored and not delivered; its identity."""
    before = set(identities(world))
    content = content_of("c9", "text")
    world.drop(content, sidecar_of(content), "letter")
    world.claim(world.waiting_drops())
    while world.running.journal.backlogs() == []:
        world.advance()
    (identity,) = set(identities(world)) - before
    return identity


def test_a_hold_on_a_document_that_waits_is_delivered_with_it(world: World) -> None:
    identity = _drop(world)
    name = place_hold(world.running.journal, 1, [identity])
    work(world)
    assert outcomes(world) == [("WAITING", None)]
    world.settle()
    assert names(world, identity) == [f"hold:M-1 {name}"]
    assert record(world, identity)["user_defined"]["boolean_1"] is True
    before = world.server.requests
    work(world)
    assert outcomes(world) == [("SENT", "unchanged")]
    assert world.server.requests - before == len(told(world)) == 1


@pytest.mark.parametrize("trouble", [Trouble.NONE, Trouble.LOST, Trouble.CUT, Trouble.LATE])
def test_a_hold_that_comes_while_its_document_is_on_its_way_arrives(
    world: World, trouble: Trouble
) -> None:
    identity = _drop(world)
    name = ""

    def place() -> None:
        nonlocal name
        name = place_hold(world.running.journal, 1, [identity])

    world.server.troubles.append(trouble)
    world.server.meanwhile.append(place)  # before the import, which was read already
    world.deliver(0)
    assert name
    units = world.running.journal.units([UnitState.SENT, UnitState.CONFIRMED], limit=9)
    assert identity in {member for unit in units for member in unit.identities}
    world.settle()
    assert (names(world, identity) == []) is (trouble is not Trouble.CUT)
    work(world)
    assert names(world, identity) == [f"hold:M-1 {name}"]


# -- troubles -------------------------------------------------------------------------------
def test_nothing_is_sent_while_the_server_is_down(world: World) -> None:
    journal = world.running.journal
    place_hold(journal, 1, identities(world)[:1])
    journal.record_server(1, None, "down", world.clock.now())
    before = world.server.requests
    assert world.running.amend.step() > 0
    assert (world.server.requests, outcomes(world)) == (before, [("WAITING", None)])
    journal.record_server(0, None, None, world.clock.now())
    work(world)
    assert outcomes(world) == [("SENT", "changed")]


@pytest.mark.parametrize("trouble", [item for item in Trouble if "KILLED" not in item.name])
@pytest.mark.parametrize("place", range(4))
def test_whatever_becomes_of_a_request_each_change_is_there_once(
    world: World, trouble: Trouble, place: int
) -> None:
    held = identities(world)[:3]
    place_hold(world.running.journal, 1, held)
    decide_end(world.running.journal, held[0], LATER, world.clock.now())
    world.server.troubles.extend([Trouble.NONE] * place + [trouble])
    for _ in range(12):
        world.do(world.running.amend.step)
        world.do(world.running.tell.step)
        world.clock.at += 400
    for identity in held:
        assert names(world, identity).count("hold:M-1 hold-000000000001") == 1
        assert record(world, identity)["lock_version"] == 1
    assert {state for state, _ in outcomes(world)} == {"SENT"}
    linked = [item["ref"] for event in told(world) for item in event["linked_records"]]
    assert len(linked) == 4, "three holds and a date, each told once"


def test_a_row_that_waits_holds_back_those_behind_it(world: World) -> None:
    journal = world.running.journal
    (first, second, *_) = identities(world)
    place_hold(journal, 1, [first])
    world.server.troubles.append(Trouble.CUT)
    world.running.amend.step()
    release_hold(journal, 1)
    place_hold(journal, 2, [second])
    world.running.amend.step()
    assert [state for state, _ in outcomes(world)] == ["WAITING", "WAITING", "SENT"]
    world.clock.at += 400
    work(world)
    assert {state for state, _ in outcomes(world)} == {"SENT"}
    assert record(world, first)["user_defined"]["boolean_1"] is False


def test_those_that_a_trouble_kept_from_being_tried_come_next(world: World) -> None:
    (first, second, third, *_) = identities(world)
    place_hold(world.running.journal, 1, [first, second, third])
    world.server.troubles.append(Trouble.CUT)
    world.running.amend.step(limit=2)
    world.running.amend.step(limit=2)
    assert [len(names(world, identity)) for identity in (first, second, third)] == [0, 1, 1]


def test_a_record_that_is_gone_is_left_alone_until_somebody_acts(world: World) -> None:
    journal = world.running.journal
    (lost, other, *_) = identities(world)
    place_hold(journal, 1, [lost, other])
    kept = world.server.records.documents.pop(lost)
    work(world)
    assert outcomes(world) == [("WAITING", None), ("SENT", "changed")]
    (aside,) = journal.changes_aside()
    assert (aside.identity, aside.reason) == (lost, "gone: it is not there")
    assert journal.count_changes() == (0, 1)
    assert ("record.aside", {"reason": "gone", "business_unit": "RETAIL"}) in world.events
    world.clock.at += 10_000
    before = world.server.requests
    work(world)
    assert world.server.requests == before, "not tried again by itself"
    world.server.records.documents[lost] = kept
    assert journal.readmit_changes(world.clock.now()) == 1
    work(world)
    assert journal.count_changes() == (0, 0)
    assert journal.changes_aside() == []
    assert len(names(world, lost)) == 1


def test_what_was_set_aside_goes_with_what_happens_next(world: World) -> None:
    journal = world.running.journal
    (lost, *_) = identities(world)
    place_hold(journal, 1, [lost])
    kept = world.server.records.documents.pop(lost)
    work(world)
    world.server.records.documents[lost] = kept
    release_hold(journal, 1)
    work(world)
    assert [state for state, _ in outcomes(world)] == ["SENT", "SENT"]
    (statement,) = record(world, lost)["rights_statements"]
    assert statement["end_date"] == "2026-11-30"


def test_a_record_that_is_never_taken_is_set_aside_in_the_end(world: World) -> None:
    journal = world.running.journal
    (contended, other, *_) = identities(world)
    place_hold(journal, 1, [contended, other])
    uri = world.server.records.documents[contended].uri
    archivist = ModelArchivist(world.server)
    for _ in range(15):
        # Somebody saves the record between each look and each change.
        world.server.meanwhile.clear()
        for _ in range(5):
            world.server.meanwhile.extend(
                (lambda: None, lambda: archivist.edit(uri, title="again"))
            )
        world.do(world.running.amend.step)
        world.clock.at += 400
    world.server.meanwhile.clear()
    (aside,) = journal.changes_aside()
    assert (aside.identity, aside.reason.split(":")[0]) == (contended, "contended")
    assert len(names(world, other)) == 1


def test_an_archivists_edit_is_kept_and_told(world: World) -> None:
    journal = world.running.journal
    (identity, *_) = identities(world)
    decide_end(journal, identity, SOONER, world.clock.now())
    work(world)
    uri = world.server.records.documents[identity].uri
    (statement,) = record(world, identity)["rights_statements"]
    ModelArchivist(world.server).edit(
        uri, rights_statements=[{**statement, "end_date": "2050-01-01"}], title="Theirs"
    )
    decide_end(journal, identity, LATER, world.clock.now())
    work(world)
    found = record(world, identity)
    assert found["rights_statements"][0]["end_date"] == "2050-01-01"
    assert (found["title"], found["user_defined"]["date_1"]) == ("Theirs", "2040-01-31")
    assert outcomes(world)[-1] == (
        "SENT",
        "changed; the end of retention was changed there; the later one stands",
    )
    assert ("record.edited", {"count": 1}) in world.events
    assert told(world)[-1]["outcome_note"].endswith("edits of archivists were kept in 1")


def test_a_date_whose_answer_was_lost_is_no_archivists(world: World) -> None:
    """It is on the server, the journal does not know, and another decision comes."""
    journal = world.running.journal
    (identity, *_) = identities(world)
    decide_end(journal, identity, LATER, world.clock.now())
    arm(1)
    world.do(world.running.amend.step)
    assert world.works is None
    assert record(world, identity)["user_defined"]["date_1"] == "2040-01-31"
    world.start()
    decide_end(world.running.journal, identity, SOONER, world.clock.now())
    work(world)
    assert record(world, identity)["user_defined"]["date_1"] == "2035-02-28"
    assert {outcome for _, outcome in outcomes(world)} == {"changed"}


# -- a document that its spool's record describes -------------------------------------------
def test_of_a_document_that_its_spool_carries_the_spools_record_is_told(tmp_path: Path) -> None:
    documents = replace(INDEX, describe=Describe.SPOOL)
    world = World(root=tmp_path, documents=documents, outward={"changes": ChangesProfile(rate=0)})
    world.start()
    drop(world, "a1 one,", "a2 two,", "a3 three")
    world.settle()
    carried = [name for name in identities(world) if name not in world.server.records.documents]
    assert len(carried) == 3
    (carrier,) = world.server.records.documents
    name = place_hold(world.running.journal, 1, carried)
    work(world)
    assert names(world, carrier).count(f"hold:M-1 {name}") == 1
    assert outcomes(world) == [("SENT", "changed")] * 3
    destroy(world.running.journal, carried[:1])
    release_hold(world.running.journal, 1)
    work(world)
    found = record(world, carrier)
    assert found["user_defined"]["boolean_1"] is False
    assert len(found["file_versions"]) == 1, "the others are there still"
    world.stop()


# -- killed -----------------------------------------------------------------------------
def test_killed_at_every_point_and_at_every_request_each_change_is_there_once(
    tmp_path: Path,
) -> None:
    reached: set[str] = set()
    kills = 0
    while True:
        root = tmp_path / str(kills)
        root.mkdir()
        world = World(root=root, outward={"changes": ChangesProfile(rate=0)})
        world.start()
        for number in range(3):
            content = content_of(f"c{number}", "text")
            world.drop(content, sidecar_of(content), "letter")
        world.settle()
        held = identities(world)
        place_hold(world.running.journal, 1, held)
        decide_end(world.running.journal, held[0], LATER, world.clock.now())
        passed = arm(kills + 1)
        work(world)
        reached.update(passed)
        finished = len(passed) <= kills
        _judge(world, held)
        world.stop()
        if finished:
            break
        kills += 1
    assert set(AMEND_POINTS) <= reached
    assert kills >= 5


@pytest.mark.parametrize("trouble", [Trouble.KILLED_BEFORE, Trouble.KILLED_AFTER])
@pytest.mark.parametrize("place", range(8))
def test_killed_before_and_after_each_commit_of_the_server(
    world: World, trouble: Trouble, place: int
) -> None:
    held = identities(world)[:3]
    place_hold(world.running.journal, 1, held)
    decide_end(world.running.journal, held[0], LATER, world.clock.now())
    world.server.troubles.extend([Trouble.NONE] * place + [trouble])
    work(world)
    _judge(world, held)


def _judge(world: World, held: list[str]) -> None:
    for identity in held:
        assert names(world, identity).count("hold:M-1 hold-000000000001") == 1
        assert record(world, identity)["lock_version"] == 1
    assert record(world, held[0])["user_defined"]["date_1"] == "2040-01-31"
    assert {state for state, _ in outcomes(world)} == {"SENT"}
    events = told(world)
    assert len({event["refid"] for event in events}) == len(events)
    linked = [item["ref"] for event in events for item in event["linked_records"]]
    assert len(linked) == len(held) + 1
    links = [row for row in world.running.journal.audit() if row.action == "archive.told"]
    assert len(links) == len(events)
    world.running.journal.verify_chain()
