"""``ArchivesSpaceDesk`` against the sandbox, over a real socket: the conformance suite,
then every fault at every request, judged by what the server has in the end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.ports import Archive, Desk
from hotfolder.sandbox import Action, Fault, Sandbox
from hotfolder.sandbox.answers import Answer
from hotfolder.sandbox.backend import Request
from tests.archivesspace.test_delivery import PASSWORD, Connect, administrator, call, clients
from tests.conformance.amending_suite import AmendingSuite
from tests.conformance.desk_suite import Delivered, DeskSuite, make_event
from tests.support.archivist import SandboxArchivist, event_of
from tests.support.aspace_client import AspaceClient
from tests.support.units import BUSINESS_UNIT
from tests.sweeps.network import DELAY, FAULTS, READ_TIMEOUT

PATHS = re.compile(
    r"/users/[a-z]+(/login)?|/users/current-user|/repositories|/agents/software(/\d+)?"
    r"|/config/enumerations/names/\w+|/repositories/2/(batch_imports|find_by_id/\w+)"
    r"|/delete-feed|/repositories/\d+/find_by_id/digital_objects"
    r"|/repositories/2/digital_objects/\d+/suppressed"
    r"|/repositories/2/(digital_objects|archival_objects|resources|events)(/\d+)?"
)

PATIENT = 1.5  # seconds; of a client of which every other request is to be answered in time
LATE = 2.5

CHANGED = re.compile(r"/(events|digital_objects)/\d+$")


class SandboxWorld:
    """A sandbox whose clock stands still until it is told otherwise."""

    def __init__(self, sandbox: Sandbox, connect: Connect, archivist: SandboxArchivist) -> None:
        self.sandbox = sandbox
        self.connect_archive = connect
        self.archivist = archivist
        self.time = [1_790_000_000.0]
        self.witness = connect().desk  # a daemon that was there all the time
        sandbox._state.clock = lambda: self.time[0]

    def connect(self) -> Desk:
        return self.connect_archive().desk

    def deliver(self) -> Archive:
        return self.connect_archive()

    def now(self) -> int:
        return int(self.time[0])

    def advance(self, seconds: int) -> None:
        self.time[0] += seconds

    def meanwhile(self, action: Callable[[], None]) -> None:
        backend = self.sandbox._backend
        handle, left = backend.handle, [action]

        def handle_after(request: Request) -> Answer:
            if left and request.method == "POST" and CHANGED.search(request.path):
                left.pop()()  # its own requests find nothing left to do
            return handle(request)

        backend.handle = handle_after  # type: ignore[method-assign]


@contextmanager
def working(*, least_privilege: bool = False) -> Iterator[SandboxWorld]:
    with (
        Sandbox() as sandbox,
        clients(sandbox, least_privilege=least_privilege) as connect,
        SandboxArchivist(sandbox) as archivist,
    ):
        yield SandboxWorld(sandbox, connect, archivist)


class TestDesk(DeskSuite, AmendingSuite):
    @pytest.fixture
    def world(self) -> Iterator[SandboxWorld]:
        with working() as world:
            yield world
            # Whatever was pasted or passed as a uri: no path but those that we make.
            seen = {request.path for request in world.sandbox.faults.seen()}
            assert [path for path in seen if not PATHS.fullmatch(path)] == []


# -- faults -----------------------------------------------------------------------------
def insist(act: Callable[[], object]) -> None:
    """What a flow does: again later, until it is told."""
    for _ in range(12):
        try:
            act()
        except Transient:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("still not told")


def requests_of(sandbox: Sandbox, act: Callable[[], object]) -> int:
    """How many requests it takes when nothing is wrong."""
    sandbox.faults.clear()
    act()
    return len(sandbox.faults.seen())


def strike(world: SandboxWorld, name: str, nth: int, act: Callable[[Desk], object]) -> None:
    """Let a new daemon act while its request ``nth`` meets the fault, and, as if it had
    died then, another daemon after it."""
    world.sandbox.faults.clear()
    world.sandbox.faults.add(FAULTS[name](nth))
    desk = world.connect_archive(read_timeout=READ_TIMEOUT).desk
    insist(lambda: act(desk))
    assert not world.sandbox.faults.waiting(), "the fault has not struck"
    world.sandbox.faults.clear()
    act(world.witness)


def settle(world: SandboxWorld, name: str) -> None:
    """Wait for what is late; everybody logs in again."""
    if name == "timeout, then commit":
        time.sleep(DELAY)
    world.sandbox.faults.clear()
    world.archivist.log_in()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_any_request_of_an_answer_leaves_one_answer(name: str) -> None:
    with working() as world:
        unit = Delivered(world, 1, 2)

        def answer(desk: Desk, uri: str) -> bool:
            return desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent")

        first = world.archivist.ask(unit.uris, "please")
        count = requests_of(world.sandbox, lambda: answer(world.connect(), first))
        assert count >= 5  # login, repository, list, look, change
        asked = [world.archivist.ask(unit.uris, "please") for _ in range(count)]
        for nth, uri in enumerate(asked, 1):
            strike(world, name, nth, lambda desk, uri=uri: answer(desk, uri))  # type: ignore[misc]
        settle(world, name)
        for there in map(world.archivist.read, asked):
            assert there["lock_version"] == 1
            assert (there["outcome"], there["outcome_note"]) == ("fulfilled", "please\nsent")
            assert [item["ref"] for item in there["linked_records"]] == unit.uris


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_any_request_of_an_event_leaves_one_event(name: str) -> None:
    with working() as world:
        unit = Delivered(world, 1, 2)

        def record(desk: Desk, number: int) -> str:
            event = make_event(*unit.uris, unit.unit, refid=f"hf:test:{number}")
            return desk.record_event(BUSINESS_UNIT, event)

        count = requests_of(world.sandbox, lambda: record(world.connect(), 0))
        assert count >= 6  # login, repository, agent, three lists, the event
        for nth in range(1, count + 1):
            strike(world, name, nth, lambda desk, nth=nth: record(desk, nth))  # type: ignore[misc]
        settle(world, name)
        there = [event["refid"] for event in world.archivist.events()]
        assert sorted(there) == sorted(f"hf:test:{number}" for number in range(count + 1))


@pytest.mark.parametrize(
    "name", ["closed before", "500 before", "cut after commit", "session gone"]
)
def test_a_fault_at_any_look_is_looked_past(name: str) -> None:
    with working() as world:
        unit = Delivered(world, 1, 2)
        uri = world.archivist.ask([unit.unit], "please")

        def look(desk: Desk) -> list[str]:
            (found,) = desk.find_requests(BUSINESS_UNIT, 0)
            assert found == desk.read_request(BUSINESS_UNIT, uri)
            assert desk.find_identities(BUSINESS_UNIT, unit.unit) == found.identities
            assert desk.find_identities(BUSINESS_UNIT, unit.ref_id) == unit.identities
            records = desk.read_records(BUSINESS_UNIT, unit.identities[0])
            assert records is not None
            return sorted(records)

        count = requests_of(world.sandbox, lambda: look(world.connect()))
        for nth in range(1, count + 1):
            strike(world, name, nth, look)


def test_an_answer_that_arrives_late_undoes_nothing() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        uri = world.archivist.ask(unit.uris, "please")
        desk = world.connect_archive(read_timeout=PATIENT).desk
        desk.read_request(BUSINESS_UNIT, uri)
        world.sandbox.faults.add(
            Fault(action=Action.DELAY, method="POST", path="/events/", seconds=LATE)
        )
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent")
        world.archivist.edit(uri, outcome="pending", outcome_note="please, once more")
        time.sleep(LATE)
        there = world.archivist.read(uri)
        assert (there["outcome"], there["outcome_note"]) == ("pending", "please, once more")


def test_a_server_that_goes_on_conflicting_is_left_alone_after_some_attempts() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        uri = world.archivist.ask(unit.uris, "please")
        desk = world.connect()
        world.sandbox.faults.clear()
        world.sandbox.faults.add(
            Fault(action=Action.STATUS, method="POST", path="/events", status=409, count=None)
        )
        with pytest.raises(Transient):
            desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent")
        with pytest.raises(Transient):
            desk.record_event(BUSINESS_UNIT, make_event(*unit.uris))
        tried = [seen for seen in world.sandbox.faults.seen() if "/events" in seen.path]
        assert len([seen for seen in tried if seen.method == "POST"]) <= 10
        world.sandbox.faults.clear()
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent")
        assert desk.record_event(BUSINESS_UNIT, make_event(*unit.uris))


def test_a_server_that_goes_silent_is_asked_twice() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        uri = world.archivist.ask(unit.uris, "please")
        desk = world.connect_archive(verify_tls=False).desk
        world.sandbox.faults.clear()
        world.sandbox.faults.add(
            Fault(action=Action.CLOSE, method="POST", path="/events", count=None)
        )
        with pytest.raises(Transient):
            desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent")
        with pytest.raises(Transient):
            desk.record_event(BUSINESS_UNIT, make_event(*unit.uris))
        seen = [f"{item.method} {item.path}" for item in world.sandbox.faults.seen()]
        assert seen.count(f"POST {uri}") == 2
        assert seen.count("POST /repositories/2/events") == 2


def test_what_an_archivist_arranged_is_no_unit_of_ours() -> None:
    with working() as world:
        unit = Delivered(world, 1, 2)
        record = {
            "jsonmodel_type": "archival_object",
            "title": "For the exhibition",
            "level": "file",
            "resource": {"ref": "/repositories/2/resources/1"},
            "instances": [
                {
                    "jsonmodel_type": "instance",
                    "instance_type": "digital_object",
                    "digital_object": {"ref": ref},
                }
                for ref in (unit.uris[1], world.archivist.describe("theirs"))
            ],
        }
        token = administrator(world.sandbox)
        place = "/repositories/2/archival_objects"
        theirs = str(call(world.sandbox, "POST", place, record, token)["uri"])
        # Somebody who pastes it means what it lists; a request must name what it asks for.
        assert world.witness.find_identities(BUSINESS_UNIT, theirs) == unit.identities[1:]
        found = world.witness.read_request(BUSINESS_UNIT, world.archivist.ask([theirs]))
        assert found is not None
        assert (found.identities, found.strangers) == ((), (theirs,))


# -- rights and lists -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rights", "missing"),
    [(["view_repository"], "update_event_record"), (["update_event_record"], "view_repository")],
)
def test_a_missing_right_is_named(rights: list[str], missing: str) -> None:
    with working() as world:
        unit = Delivered(world, 1)
        uri = world.archivist.ask(unit.uris, "please")
        world.sandbox.add_service_account("poor", PASSWORD, ["/repositories/2"], rights)
        desk = world.connect_archive(username="poor").desk
        with pytest.raises(OperatorFault, match=missing) as caught:
            desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent")
        assert caught.value.code == "archive.permission"
        with pytest.raises(OperatorFault, match=missing):
            desk.record_event(BUSINESS_UNIT, make_event(*unit.uris))
        if missing == "view_repository":
            with pytest.raises(OperatorFault, match=missing):
                desk.find_identities(BUSINESS_UNIT, uri)
        else:
            assert desk.find_requests(BUSINESS_UNIT, 0)


def test_a_value_that_is_in_no_list_never_leaves() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        uri = world.archivist.ask(unit.uris, "please")
        world.sandbox.faults.clear()
        for wrong in ({"event_type": "teleportation"}, {"outcome": "done"}, {"role": "hero"}):
            with pytest.raises(OperatorFault) as caught:
                world.witness.record_event(BUSINESS_UNIT, make_event(*unit.uris, **wrong))
            assert caught.value.code == "archive.vocabulary"
        with pytest.raises(OperatorFault) as caught:
            world.witness.answer_request(BUSINESS_UNIT, uri, "done", "sent")
        assert caught.value.code == "archive.vocabulary"
        seen = world.sandbox.faults.seen()
        assert not [item for item in seen if item.method == "POST" and "/events" in item.path]


def test_the_rights_of_single_posts_are_enough() -> None:
    with working(least_privilege=True) as world:
        unit = Delivered(world, 1)
        uri = world.archivist.ask(unit.uris, "please")
        desk = world.connect()
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent")
        assert desk.record_event(BUSINESS_UNIT, make_event(*unit.uris))


def test_a_request_whose_records_were_all_deleted_is_answered_by_nobody() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        uri = world.archivist.ask(unit.uris, "please")
        world.archivist.delete(unit.uris[0])
        assert world.archivist.read(uri)["linked_records"] == []
        desk = world.connect()
        (found,) = desk.find_requests(BUSINESS_UNIT, 0)
        assert (found.identities, found.strangers) == ((), ())
        assert not desk.answer_request(BUSINESS_UNIT, uri, "fail", "gone")


def test_a_person_with_the_daemons_account_may_ask() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        person = AspaceClient(world.sandbox.url, user="hotfolder", password=PASSWORD)
        with person:
            agent = person.log_in()["user"]["agent_record"]["ref"]
            request = event_of(unit.uris, "", "requested", "request", "pending", agent)
            uri = person.create("events", request)
        (found,) = world.connect().find_requests(BUSINESS_UNIT, 0)
        assert found.uri == uri


def test_the_delete_feed_is_read_page_by_page_in_large_pages() -> None:
    with working() as world:
        sandbox = world.sandbox
        sandbox.add_service_account("indexer", PASSWORD, ["/repositories/1"], ["index_system"])
        began = world.now()
        uris = [world.archivist.describe(f"theirs-{number}") for number in range(260)]
        for uri in uris:
            world.archivist.delete(uri)
        desk = world.connect_archive(username="indexer").desk
        assert desk.find_deleted(began + 1) == []
        sandbox.faults.clear()
        assert desk.find_deleted(began) == uris
        asked = [seen for seen in sandbox.faults.seen() if seen.path == "/delete-feed"]
        assert len(asked) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"refid": ""},
        {"refid": "hf:\u00e4"},
        {"refid": "x" * 256},
        {"record_uris": ()},
        {"record_uris": ("/repositories/3/digital_objects/1",)},
        {"record_uris": ("/repositories/2/digital_objects/1/../../users/1",)},
        {"record_uris": ("/users/1",)},
    ],
)
def test_an_event_that_is_none_of_ours_is_never_sent(changes: dict[str, Any]) -> None:
    with working() as world:
        unit = Delivered(world, 1)
        world.sandbox.faults.clear()
        with pytest.raises(ValueError, match=r"event|record"):
            world.connect().record_event(BUSINESS_UNIT, make_event(unit.uris[0], **changes))
        assert not [item for item in world.sandbox.faults.seen() if "/events" in item.path]
