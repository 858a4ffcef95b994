"""Requests that archivists make in ArchivesSpace: journalled once, answered once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.errors import Transient
from hotfolder.core.orders import Fate, OrderState, RequestState
from hotfolder.core.profiles import AskedProfile, ReturnKind, ReturnProfile
from hotfolder.core.records import ArchiveRequest
from hotfolder.service.returnloops import ReturnLoops
from tests.support.archivist import ModelArchivist
from tests.support.flow_world import World, content_of, sidecar_of

ASKED = AskedProfile(enabled=True, to="back", allowed=("other",))


def made(root: Path) -> World:
    profiles = []
    for name in ("back", "other", "third"):
        (root / name).mkdir(exist_ok=True)
        profiles.append(ReturnProfile(name=name, kind=ReturnKind.FOLDER, path=str(root / name)))
    return World(root=root, outward={"returns": tuple(profiles), "asked": ASKED})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = made(tmp_path)
    found.start()
    for number in range(4):
        content = content_of(f"c{number}", "text")
        found.drop(content, sidecar_of(content), "letter")
    found.settle()
    yield found
    found.stop()


def uris(world: World) -> list[str]:
    journal = world.running.journal
    rows = [row for item in world.rows() for row in journal.documents_of(item.id)]
    return [str(row.record_uri) for row in rows]


def work(world: World) -> None:
    """What the loops do, once each."""
    asking = world.running.asking
    assert asking is not None
    world.do(asking.poll)
    world.running.returns.advance()
    world.do(asking.advance)


def given(world: World, name: str) -> int:
    return len(list((world.root / name).glob("*.txt")))


def event(world: World, uri: str) -> dict[str, Any]:
    return ModelArchivist(world.server).read(uri)


def test_a_request_is_fulfilled(world: World) -> None:
    uri = ModelArchivist(world.server).ask(uris(world)[:2], "please")
    for _ in range(3):
        work(world)
    found = event(world, uri)
    assert found["outcome"] == "fulfilled"
    assert found["outcome_note"].startswith("please\nhotfolder: 2 of 2 documents given to back.")
    assert given(world, "back") == 2, "once, however often it is looked at"
    (row,) = world.running.journal.requests()
    assert (row.state, row.uri) == (RequestState.ANSWERED, uri)
    assert {order.request for order in world.running.journal.orders()} == {row.id}
    assert {order.state for order in world.running.journal.orders()} == {OrderState.GIVEN}


def test_a_note_may_name_another_profile_that_is_allowed(world: World) -> None:
    archivist = ModelArchivist(world.server)
    other = archivist.ask(uris(world)[:1], "urgent\nTo: other \nthank you")
    third = archivist.ask(uris(world)[:1], "to: third")
    work(world)
    assert event(world, other)["outcome"] == "fulfilled"
    assert (given(world, "other"), given(world, "third")) == (1, 0)
    told = event(world, third)
    assert told["outcome"] == "fail"
    assert "forbidden" in told["outcome_note"]
    assert "third" in told["outcome_note"].splitlines()[0]


def test_what_cannot_be_given_is_named(world: World) -> None:
    archivist = ModelArchivist(world.server)
    theirs = archivist.describe("theirs")
    mixed = archivist.ask([uris(world)[0], theirs])
    nothing = archivist.ask([theirs])
    work(world)
    note = event(world, mixed)["outcome_note"]
    assert event(world, mixed)["outcome"] == event(world, nothing)["outcome"] == "fail"
    assert f"{theirs}: unknown" in note
    assert ": given" in note
    assert given(world, "back") == 1


def test_a_document_of_another_unit_is_forbidden(world: World) -> None:
    asking = world.running.asking
    assert asking is not None
    uri = ModelArchivist(world.server).ask(uris(world)[:1])
    (request,) = world.running.desk.find_requests("RETAIL", 0)
    plan = asking._plan(
        type(request)(
            uri=uri,
            business_unit="CARDS",
            outcome="pending",
            note="",
            identities=request.identities,
        )
    )
    assert [item.fate for item in plan.fates] == [Fate.FORBIDDEN]
    assert plan.orders == ()


def test_somebody_elses_answer_stays(world: World) -> None:
    archivist = ModelArchivist(world.server)
    uri = archivist.ask(uris(world)[:1])
    asking = world.running.asking
    assert asking is not None
    asking.poll()
    archivist.edit(uri, outcome="cancelled", outcome_note="never mind")
    world.running.returns.advance()
    asking.advance()
    assert event(world, uri)["outcome"] == "cancelled"
    (row,) = world.running.journal.requests()
    assert row.state is RequestState.ANSWERED
    assert "somebody else" in world.running.journal.steps(row.id)[-1].reason


@pytest.mark.parametrize("room", [16_384, 200, 90, 3, 0])
def test_our_answer_is_known_again_however_much_of_it_there_was_room_for(
    world: World, room: int
) -> None:
    archivist = ModelArchivist(world.server)
    uri = archivist.ask(uris(world)[:3], "x" * (16_384 - room))
    asking = world.running.asking
    assert asking is not None
    asking.poll()
    world.running.returns.advance()
    world.arm(2)  # asked.decided, asked.answered
    assert not world.do(asking.advance)
    world.start()
    before = event(world, uri)
    assert before["outcome"] == "fulfilled"
    asking = world.running.asking
    assert asking is not None
    asking.advance()
    (row,) = world.running.journal.requests()
    assert world.running.journal.steps(row.id)[-1].reason == ""
    assert event(world, uri) == before


def test_a_request_that_is_set_back_is_a_new_wish(world: World) -> None:
    archivist = ModelArchivist(world.server)
    uri = archivist.ask(uris(world)[:1])
    work(world)
    assert (event(world, uri)["outcome"], given(world, "back")) == ("fulfilled", 1)
    archivist.edit(uri, outcome="pending", outcome_note="once more\nto: other")
    for _ in range(3):
        work(world)
    assert event(world, uri)["outcome"] == "fulfilled"
    assert (given(world, "back"), given(world, "other")) == (1, 1)
    again, first = world.running.journal.requests()
    assert again.uri == first.uri == uri
    assert world.running.journal.get_request(uri) == again
    archivist.edit(uri, outcome="pending")
    archivist.edit(uri, outcome_note="please")
    work(world)
    assert len(world.running.journal.requests()) == 3


def test_an_event_that_is_gone_is_no_reason_to_go_on(world: World) -> None:
    archivist = ModelArchivist(world.server)
    uri = archivist.ask(uris(world)[:1])
    asking = world.running.asking
    assert asking is not None
    asking.poll()
    archivist.delete(uri)
    world.running.returns.advance()
    asking.advance()
    assert world.running.journal.open_requests() == []


def test_a_request_whose_records_were_all_deleted_is_closed(world: World) -> None:
    archivist = ModelArchivist(world.server)
    uri = archivist.ask(uris(world)[:1])
    archivist.edit(uri, linked_records=[])  # by the server, when it deletes what was linked
    for _ in range(3):
        work(world)
    assert event(world, uri)["outcome"] == "pending", "nobody can save it"
    (row,) = world.running.journal.requests()
    assert row.state is RequestState.ANSWERED
    assert "records are no more" in world.running.journal.steps(row.id)[-1].reason


def test_a_server_that_is_down_is_asked_again(world: World) -> None:
    uri = ModelArchivist(world.server).ask(uris(world)[:1])
    world.server.up = False
    work(world)
    assert world.running.journal.requests() == []
    world.server.up = True
    asking = world.running.asking
    assert asking is not None
    asking.poll()
    world.running.returns.advance()
    world.server.up = False
    asking.advance()
    (row,) = world.running.journal.open_requests()
    assert (row.state, row.attempts) == (RequestState.STAGED, 1)
    world.server.up = True
    world.clock.at += 3600
    asking.advance()
    assert event(world, uri)["outcome"] == "fulfilled"
    assert given(world, "back") == 1


def test_each_look_goes_back_by_the_overlap(world: World) -> None:
    asking = world.running.asking
    assert asking is not None
    asking.poll()
    began = world.running.journal.asked_until("RETAIL")
    assert abs(began - world.clock.at) < 60
    world.running.journal.record_asked("RETAIL", 5)
    assert world.running.journal.asked_until("RETAIL") == began, "never back"


def test_a_server_that_is_silent_is_waited_for_once_in_a_step(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = world.running.asking
    assert asking is not None
    asked: list[str] = []

    def wait_in_vain(unit: str, _since: int) -> list[ArchiveRequest]:
        asked.append(unit)
        raise Transient("nobody answers")

    monkeypatch.setattr(asking, "_units", ("A", "B", "C"))
    monkeypatch.setattr(asking._desk, "find_requests", wait_in_vain)
    loops = ReturnLoops(world.running)
    for number in range(1, 4):
        loops.ask()
        assert len(asked) == number
    with pytest.raises(Transient):
        loops.ask()
    loops.ask()
    assert asked == ["A", "B", "C"], "it is not time yet"
    world.clock.at += 61
    loops.ask()
    assert asked == ["A", "B", "C", "A"]
