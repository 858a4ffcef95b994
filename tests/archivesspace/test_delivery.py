"""``ArchivesSpace`` against the sandbox, over a real socket: the conformance suite in
both modes, then every fault at every request of a delivery, judged by what the server
has in the end."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.identity import unit_event_refid, unit_ref_id
from hotfolder.core.profiles import ArchiveProfile, ArchiveSlots
from hotfolder.core.records import UnitAnswer, UnitRequest
from hotfolder.sandbox import Action, Fault, Sandbox
from tests.conformance.archive_suite import ArchiveSuite, check_there
from tests.support import recorded
from tests.support.units import (
    BUSINESS_UNIT,
    CYCLE,
    REPOSITORY,
    RULES,
    SERIES,
    make_request,
    make_row,
)

PASSWORD = "a pass&word=é"
Connect = Callable[..., ArchivesSpace]


class RealClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


@contextmanager
def clients(sandbox: Sandbox, *, least_privilege: bool) -> Iterator[Connect]:
    """Makes archives that log in as an account with just the rights of the mode."""
    repository = sandbox.add_repository(REPOSITORY, "Retail records")
    rights = ["view_repository", "update_resource_record"]
    if least_privilege:
        rights += ["update_digital_object_record", "update_event_record"]
    else:
        rights += ["import_records", "update_digital_object_record", "update_event_record"]
    sandbox.add_service_account("hotfolder", PASSWORD, [repository], rights)
    make_agent(sandbox)
    made: list[ArchivesSpace] = []

    def connect(**changes: Any) -> ArchivesSpace:
        profile = ArchiveProfile(
            url=sandbox.url,
            username="hotfolder",
            least_privilege=least_privilege,
            connect_timeout=5.0,
            read_timeout=10.0,
        )
        archive = ArchivesSpace(
            replace(profile, **changes),
            PASSWORD,
            RULES,
            clock=RealClock(),
            version="0.test",
            on_event=lambda *_, **__: None,
        )
        made.append(archive)
        return archive

    try:
        yield connect
    finally:
        for archive in made:
            archive.close()


def call(sandbox: Sandbox, method: str, path: str, body: object = None, token: str = "") -> Any:
    """One request by another program than ours."""
    request = urllib.request.Request(
        sandbox.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"}
        | ({"X-ArchivesSpace-Session": token} if token else {}),
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def administrator(sandbox: Sandbox) -> str:
    return str(call(sandbox, "POST", "/users/admin/login?password=admin")["session"])


def make_agent(sandbox: Sandbox) -> None:
    """What an administrator does before a service account delivers."""
    name = {
        "jsonmodel_type": "name_software",
        "software_name": "hotfolder",
        "version": "0.test",
        "manufacturer": "hotfolder",
        "source": "local",
        "rules": "local",
        "sort_name_auto_generate": True,
    }
    agent = {"jsonmodel_type": "agent_software", "names": [name]}
    call(sandbox, "POST", "/agents/software", agent, administrator(sandbox))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as server:
        yield server


class TestImports(ArchiveSuite):
    @pytest.fixture
    def connect(self, sandbox: Sandbox) -> Iterator[Connect]:
        with clients(sandbox, least_privilege=False) as connect:
            yield connect


class TestSinglePosts(ArchiveSuite):
    @pytest.fixture
    def connect(self, sandbox: Sandbox) -> Iterator[Connect]:
        with clients(sandbox, least_privilege=True) as connect:
            yield connect


# -- every fault at every request --------------------------------------------------------
FAULTS = {
    "refused": Fault(action=Action.REFUSE, seconds=0.05),
    "closed before": Fault(action=Action.CLOSE),
    "reset before": Fault(action=Action.RESET),
    "reset after commit": Fault(action=Action.RESET, committed=True),
    "cut after commit": Fault(action=Action.CUT, committed=True),
    "cut before": Fault(action=Action.CUT),
    "500 before": Fault(action=Action.STATUS, status=500),
    "500 after commit": Fault(action=Action.STATUS, status=500, committed=True),
    "503": Fault(action=Action.STATUS, status=503),
    "409": Fault(action=Action.STATUS, status=409),
    "409 after commit": Fault(action=Action.STATUS, status=409, committed=True),
    "403 once": Fault(action=Action.STATUS, status=403),
    "expired": Fault(action=Action.EXPIRE),
    "forgotten": Fault(action=Action.FORGET),
    "late commit": Fault(action=Action.DELAY, seconds=0.5, committed=True),
}


def deliver(archive: ArchivesSpace, request: UnitRequest) -> UnitAnswer:
    """What the delivery flow does: look, send, look again, until it is known."""
    for attempt in range(30):
        try:
            if attempt:
                found = archive.find_units(BUSINESS_UNIT, [request.unit.ref_id])
                unit = found.get(request.unit.ref_id)
                if unit is not None and unit.documents.keys() == set(request.unit.identities):
                    uris = {name: there.uri for name, there in unit.documents.items()}
                    return UnitAnswer(outcome="confirmed", unit_uri=unit.uri, uris=uris)
            archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)
            answer = archive.send_unit(request)
            if answer.outcome == "confirmed":
                return answer
        except Transient:
            time.sleep(0.02)
        except OperatorFault as error:
            if error.code != "archive.login":  # a 403 to the login itself
                raise
    raise AssertionError("never delivered")


def check_once(sandbox: Sandbox, *requests: UnitRequest) -> None:
    """From the server's side: everything once, and nothing else of ours."""
    documents = Counter(item["digital_object_id"] for item in sandbox.records("digital_object"))
    assert documents == Counter(name for item in requests for name in item.unit.identities)
    units = sandbox.records("archival_object")
    files = Counter(item["ref_id"] for item in units if item["level"] == "file")
    assert files == Counter(item.unit.ref_id for item in requests)
    assert len([item for item in units if item["level"] == "subseries"]) == 1
    events = Counter(item["refid"] for item in sandbox.records("event"))
    assert events == Counter(unit_event_refid(item.unit.ref_id) for item in requests)
    assert len(sandbox.records("resource")) == 1


# All faults at every request take two minutes, so each is tried at every fourth; together
# they still meet every request. HOTFOLDER_WHOLE_SWEEP=1 tries all of them.
STEP = 1 if os.environ.get("HOTFOLDER_WHOLE_SWEEP") else 4


@pytest.mark.sweep
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("least_privilege", [False, True])
def test_a_fault_at_any_request_leaves_everything_there_once(
    name: str, least_privilege: bool
) -> None:
    # The lists are read one after another in the same way: a fault at one stands for all.
    path = r"^(?!/config/enumerations/(?!names/event_outcome))"
    struck = 0
    for number in range(1 + list(FAULTS).index(name) % STEP, 60, STEP):
        with Sandbox() as sandbox, clients(sandbox, least_privilege=least_privilege) as connect:
            request = make_request(make_row(1), make_row(2))
            archive = connect(read_timeout=0.25 if name == "late commit" else 10.0)
            sandbox.faults.clear()
            sandbox.faults.add(replace(FAULTS[name], path=path, nth=number))
            answer = deliver(archive, request)
            missed = bool(sandbox.faults.waiting())
            sandbox.faults.clear()
            check_there(connect(), request, answer)
            check_once(sandbox, request)
        if missed:  # the delivery ended before the fault's turn came
            break
        struck += 1
    assert missed
    assert struck >= 8 // STEP  # login, account, repository, series, cycle, agent, unit...


# -- what an archivist or an administrator may do meanwhile -------------------------------
@pytest.fixture(params=[False, True], ids=["imports", "single posts"])
def connect(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Connect]:
    with clients(sandbox, least_privilege=request.param) as connect:
        yield connect


def test_restored_server_gets_everything_again(
    sandbox: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    archive = connect()
    backup = str(tmp_path / "yesterday.db")
    sandbox.snapshot(backup)
    first, second = make_request(make_row(1)), make_request(make_row(2))
    archive.send_unit(first)
    archive.send_unit(second)
    sandbox.restore(backup)
    # What is remembered of series and cycle is wrong now, and nobody has said so.
    answers = [deliver(archive, item) for item in (second, first)]
    check_there(archive, second, answers[0])
    check_there(archive, first, answers[1])
    check_once(sandbox, first, second)


def test_a_unit_whose_event_was_saved_in_the_staff_interface_is_whole(
    sandbox: Sandbox, connect: Connect
) -> None:
    archive = connect()
    request = make_request(make_row(1), make_row(2))
    archive.send_unit(request)
    (event,) = sandbox.records("event")
    saved = {name: value for name, value in event.items() if name != "refid"}
    saved["outcome_note"] = "seen"
    call(sandbox, "POST", event["uri"], saved, administrator(sandbox))
    assert "refid" not in sandbox.records("event")[0]
    assert list(archive.find_units(BUSINESS_UNIT, [request.unit.ref_id])) == [request.unit.ref_id]
    archive.send_unit(request)
    assert len(sandbox.records("event")) == 1


def test_removed_unit_is_delivered_again_although_its_event_remains(
    sandbox: Sandbox, connect: Connect
) -> None:
    archive = connect()
    request = make_request(make_row(1))
    sent = archive.send_document(request)
    token = administrator(sandbox)
    for uri in (sent.unit_uri, *sent.uris.values()):
        call(sandbox, "DELETE", str(uri), token=token)
    assert archive.find_units(BUSINESS_UNIT, [request.unit.ref_id]) == {}
    again = archive.send_document(request)
    check_there(archive, request, again)
    refids = {item["refid"] for item in sandbox.records("event")}
    ours = unit_event_refid(request.unit.ref_id)
    assert refids == {ours, f"{ours}:2"}
    assert archive.send_document(request).uris == again.uris
    assert len(sandbox.records("event")) == 2


def test_unit_whose_event_was_removed_is_finished_by_sending_it_again(
    sandbox: Sandbox, connect: Connect
) -> None:
    archive = connect()
    request = make_request(make_row(1), make_row(2))
    archive.send_unit(request)
    (event,) = sandbox.records("event")
    call(sandbox, "DELETE", event["uri"], token=administrator(sandbox))
    assert archive.find_units(BUSINESS_UNIT, [request.unit.ref_id]) == {}
    sandbox.faults.add(Fault(action=Action.RESET, path="/events$", count=1))
    assert archive.send_unit(request).outcome == "unknown"
    check_there(archive, request, archive.send_unit(request))
    check_once(sandbox, request)


def test_unit_that_was_begun_and_then_lost_a_document_is_found(sandbox: Sandbox) -> None:
    with clients(sandbox, least_privilege=True) as connect:
        archive = connect()
        request = make_request(make_row(1), make_row(2))
        sandbox.faults.add(Fault(action=Action.RESET, path="/events$", count=1))
        assert archive.send_unit(request).outcome == "unknown"
        first, second = request.unit.identities
        there = archive.find_documents(BUSINESS_UNIT, [first])[first]
        call(sandbox, "DELETE", there.uri, token=administrator(sandbox))
        # The document is there again, the unit does not list it, and both can be looked up.
        assert archive.send_unit(request).outcome == "unknown"
        assert len(archive.find_documents(BUSINESS_UNIT, request.unit.identities)) == 2
        found = archive.find_units(BUSINESS_UNIT, [request.unit.ref_id])
        assert list(found[request.unit.ref_id].documents) == [second]


def test_documents_beside_a_refused_one_whose_unit_is_taken_are_refused_with_it(
    sandbox: Sandbox,
) -> None:
    with clients(sandbox, least_privilege=True) as connect:
        archive = connect()
        rows = [make_row(number) for number in range(3)]
        good = make_request(rows[0], rows[2])
        archive.send_unit(good)
        for there in archive.find_documents(BUSINESS_UNIT, good.unit.identities).values():
            call(sandbox, "DELETE", there.uri, token=administrator(sandbox))
        clash(sandbox, rows[1].document.identity)
        assert archive.send_unit(make_request(*rows)).outcome == "refused"
        found = archive.find_documents(BUSINESS_UNIT, good.unit.identities)
        assert [there.unit_ref_ids for there in found.values()] == [(), ()]


def clash(sandbox: Sandbox, identity: str) -> None:
    """A record whose key the server takes for ours, and we do not."""
    (repository,) = (
        item["uri"] for item in sandbox.records("repository") if item["repo_code"] == REPOSITORY
    )
    record = {
        "jsonmodel_type": "digital_object",
        "digital_object_id": identity.upper(),
        "title": "Somebody else's",
    }
    call(sandbox, "POST", f"{repository}/digital_objects", record, administrator(sandbox))


def test_document_that_the_server_will_not_have_is_refused_and_the_rest_kept(
    sandbox: Sandbox, connect: Connect
) -> None:
    archive = connect()
    rows = [make_row(number) for number in range(3)]
    bad = rows[1].document.identity
    clash(sandbox, bad)
    answer = archive.send_unit(make_request(*rows))
    assert answer.outcome == "refused"
    assert "unique" in answer.reason
    alone = archive.send_document(make_request(rows[1]))
    assert (alone.outcome, alone.reason) == ("refused", "digital_object_id: Must be unique")
    good = make_request(rows[0], rows[2])
    found = archive.find_documents(BUSINESS_UNIT, good.unit.identities)
    for there in found.values():
        # By single posts they were saved, and are listed in a unit of their own.
        assert there.unit_ref_ids == (unit_ref_id(good.unit.identities),)
    check_there(archive, good, deliver(archive, good))


def test_import_adds_no_vocabulary(sandbox: Sandbox, connect: Connect) -> None:
    token = administrator(sandbox)

    def values() -> list[object]:
        return [
            call(sandbox, "GET", f"/config/enumerations/names/{name}", token=token)["values"]
            for name in recorded.lists()
        ]

    before = values()
    slots = ArchiveSlots(document_type="", channel="enum_1", retention_class="")
    archive = connect(slots=slots)
    with pytest.raises(OperatorFault, match="user_defined_enum_1"):
        archive.send_unit(make_request(make_row(1, format_name="afp")))
    request = make_request(make_row(1, format_name="afp"))
    check_there(connect(), request, connect().send_unit(request))
    assert values() == before


def test_sessions_that_end_between_units_are_renewed(sandbox: Sandbox, connect: Connect) -> None:
    archive = connect()
    archive.send_unit(make_request(make_row(1)))
    sandbox.expire_sessions()
    archive.send_unit(make_request(make_row(2)))
    sandbox.forget_sessions()
    archive.probe()
    check_once(sandbox, make_request(make_row(1)), make_request(make_row(2)))


def test_outage_is_transient_and_passes(sandbox: Sandbox, connect: Connect) -> None:
    archive = connect()
    first, second = make_request(make_row(1)), make_request(make_row(2))
    archive.send_unit(first)
    sandbox.stop()
    for action in (
        archive.probe,
        lambda: archive.send_unit(second),
        lambda: archive.find_units(BUSINESS_UNIT, [first.unit.ref_id]),
    ):
        with pytest.raises(Transient):
            action()
    sandbox.start()
    archive.probe()
    deliver(archive, second)
    check_once(sandbox, first, second)


def test_wrong_password_and_missing_rights_are_the_operators_matter(sandbox: Sandbox) -> None:
    with clients(sandbox, least_privilege=True) as connect:
        with pytest.raises(OperatorFault) as caught:
            connect(least_privilege=False).send_unit(make_request())
        assert caught.value.code == "archive.permission"
        with pytest.raises(OperatorFault) as caught:
            connect(username="admin").probe()
        assert caught.value.code == "archive.login"
        assert PASSWORD not in str(caught.value)


def test_a_text_slot_holds_no_more_than_its_column(sandbox: Sandbox, connect: Connect) -> None:
    archive = connect(slots=ArchiveSlots(document_type="text_1"))
    long = replace(make_row().document.metadata, document_type="明細書" * 10_000)
    assert archive.send_unit(make_request(make_row(metadata=long))).outcome == "confirmed"
    (record,) = sandbox.records("digital_object")
    assert record["user_defined"]["text_1"].startswith("明細書")


def test_no_document_unit_or_cycle_gets_an_address_of_its_title(
    sandbox: Sandbox, connect: Connect
) -> None:
    """A server that makes them counts each number after a title until one is free."""
    connect().send_unit(make_request(make_row(1), make_row(2)))
    records = [*sandbox.records("digital_object"), *sandbox.records("archival_object")]
    assert len(records) == 4
    assert {item["is_slug_auto"] for item in records} == {False}


def test_nothing_is_published(sandbox: Sandbox, connect: Connect) -> None:
    connect().send_unit(make_request(make_row(1), make_row(2)))
    kinds = ("resource", "archival_object", "digital_object")
    records = [item for kind in kinds for item in sandbox.records(kind)]
    assert len(records) == 5
    for item in records:
        assert item["publish"] is False
        for version in item.get("file_versions", ()):
            assert version["publish"] is False
            assert version["is_representative"] is False


def test_diagnosis_of_the_sandbox_finds_no_fault(sandbox: Sandbox, connect: Connect) -> None:
    findings = connect().diagnose()
    assert [item.said for item in findings if item.fault and not item.advice] == []
