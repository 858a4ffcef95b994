"""Changing records over a real socket: every fault at every request, judged by what the
server has in the end, and answers that no record gets past."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from hotfolder.archivesspace.merging import hides_a_link, later_end, merge
from hotfolder.archivesspace.statements import hold_identifier, is_of_hold
from hotfolder.core.changes import CONTENDED
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.ports import Desk
from hotfolder.core.profiles import ArchiveProfile, ArchiveSlots
from hotfolder.sandbox import Action, Fault
from tests.archivesspace.test_delivery import administrator, call
from tests.archivesspace.test_desk import LATE, PATIENT, requests_of, settle, strike, working
from tests.conformance.amending_suite import LATER, amendment, end, ends, hold, statements
from tests.conformance.desk_suite import Delivered, lasting, make_event
from tests.support.units import BUSINESS_UNIT, RULES
from tests.sweeps.network import FAULTS

PROFILE = ArchiveProfile(url="http://127.0.0.1:1", username="hotfolder")
CHANGES: dict[str, Any] = {"retention": end(LATER), "holds": (hold(1),), "held": True}
EVERY_DOCUMENT = tuple(range(1, 10))


@pytest.mark.parametrize("least_privilege", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_any_request_leaves_the_change_once_and_all_else(
    name: str, least_privilege: bool
) -> None:
    with working(least_privilege=least_privilege) as world:
        unit = Delivered(world, *EVERY_DOCUMENT)

        def change(desk: Desk, place: int) -> str:
            return desk.amend_record(BUSINESS_UNIT, amendment(unit, place, **CHANGES)).outcome

        count = requests_of(world.sandbox, lambda: change(world.connect(), 0))
        assert 5 <= count < len(EVERY_DOCUMENT)  # login, repository, record, lists, change
        before: dict[int, dict[str, Any]] = {}
        for nth in range(1, count + 1):
            world.archivist.log_in()
            world.archivist.edit(unit.uris[nth], title=f"Theirs {nth}", publish=False)
            before[nth] = world.archivist.read(unit.uris[nth])
            strike(world, name, nth, lambda desk, nth=nth: change(desk, nth))  # type: ignore[misc]
        settle(world, name)
        for nth, was in before.items():
            after = world.archivist.read(unit.uris[nth])
            assert ends(after) == {"2036-06-30"}
            assert list(statements(after)) == ["retention", "hold:M-1 hold-000000000001"]
            assert after["lock_version"] == was["lock_version"] + 1
            assert _without_ours(after) == _without_ours(was)


def _without_ours(record: dict[str, Any]) -> object:
    ours = ("rights_statements", "user_defined", "file_versions")
    return lasting({name: value for name, value in record.items() if name not in ours})


def test_a_change_that_arrives_late_undoes_nothing() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        desk = world.connect_archive(read_timeout=PATIENT).desk
        desk.find_identities(BUSINESS_UNIT, unit.uris[0])
        world.sandbox.faults.add(
            Fault(action=Action.DELAY, method="POST", path=unit.uris[0], seconds=LATE)
        )
        change = amendment(unit, **CHANGES)
        assert desk.amend_record(BUSINESS_UNIT, change).outcome == "changed"
        world.archivist.edit(unit.uris[0], title="Theirs")
        time.sleep(LATE)
        after = world.archivist.read(unit.uris[0])
        assert (after["title"], len(after["rights_statements"])) == ("Theirs", 2)


@pytest.mark.parametrize("status", [409, 400])
def test_a_record_that_is_never_taken_is_left_after_some_attempts(status: int) -> None:
    with working() as world:
        unit = Delivered(world, 1)
        desk = world.connect()
        world.sandbox.faults.clear()
        world.sandbox.faults.add(
            Fault(action=Action.STATUS, method="POST", path=unit.uris[0], status=status, count=None)
        )
        with pytest.raises(Transient) as raised:
            desk.amend_record(BUSINESS_UNIT, amendment(unit, **CHANGES))
        assert raised.value.code == CONTENDED
        tried = [seen.method for seen in world.sandbox.faults.seen() if seen.path == unit.uris[0]]
        assert tried.count("POST") == 5
        world.sandbox.faults.clear()
        assert desk.amend_record(BUSINESS_UNIT, amendment(unit, **CHANGES)).outcome == "changed"


def test_a_server_that_goes_silent_is_asked_twice() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        desk = world.connect_archive(verify_tls=False).desk
        world.sandbox.faults.clear()
        world.sandbox.faults.add(
            Fault(action=Action.CLOSE, method="POST", path=unit.uris[0], count=None)
        )
        with pytest.raises(Transient):
            desk.amend_record(BUSINESS_UNIT, amendment(unit, **CHANGES))
        seen = [f"{item.method} {item.path}" for item in world.sandbox.faults.seen()]
        assert seen.count(f"POST {unit.uris[0]}") == 2


def test_what_the_server_refuses_is_told_in_its_words() -> None:
    """A record that an archivist's own statement makes invalid today cannot be saved."""
    with working() as world:
        unit = Delivered(world, 1)
        broken = {"jsonmodel_type": "rights_statement", "rights_type": "other", "acts": []}
        state = world.sandbox._state
        with state.transaction():
            (body,) = (
                row["body"]
                for row in state.rows("SELECT body FROM record WHERE uri = ?", (unit.uris[0],))
            )
            record = json.loads(body)
            record["rights_statements"].append(broken)
            state.execute(
                "UPDATE record SET body = ? WHERE uri = ?", (json.dumps(record), unit.uris[0])
            )
        amended = world.connect().amend_record(BUSINESS_UNIT, amendment(unit, **CHANGES))
        assert amended.outcome == "refused"
        assert "rights_statements/1/other_rights_basis" in amended.reason
        assert world.archivist.read(unit.uris[0])["lock_version"] == 1


def test_a_suppressed_record_is_gone_until_it_is_shown() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        key = administrator(world.sandbox)
        call(world.sandbox, "POST", f"{unit.uris[0]}/suppressed?suppressed=true", {}, key)
        desk = world.connect()
        assert desk.amend_record(BUSINESS_UNIT, amendment(unit, **CHANGES)).outcome == "gone"
        call(world.sandbox, "POST", f"{unit.uris[0]}/suppressed?suppressed=false", {}, key)
        assert desk.amend_record(BUSINESS_UNIT, amendment(unit, **CHANGES)).outcome == "changed"


def test_a_value_that_a_list_has_no_more_is_never_sent() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        desk = world.connect()
        name = "/config/enumerations/names/rights_statement_act_type"
        world.sandbox.faults.add(Fault(action=Action.STATUS, path=name, status=404, count=None))
        with pytest.raises(OperatorFault):
            desk.amend_record(BUSINESS_UNIT, amendment(unit, **CHANGES))
        assert len(world.archivist.read(unit.uris[0])["rights_statements"]) == 1


@pytest.mark.parametrize(("there", "taken"), [(True, "destruction"), (False, "deletion")])
def test_an_event_takes_the_type_that_the_list_has(there: bool, taken: str) -> None:
    with working() as world:
        unit = Delivered(world, 1)
        if there:
            _add_type(world, "destruction")
        event = make_event(unit.uris[0], event_type="destruction", fallback="deletion")
        uri = world.connect().record_event(BUSINESS_UNIT, event)
        assert world.archivist.read(uri)["event_type"] == taken


def _add_type(world: Any, value: str) -> None:
    key = administrator(world.sandbox)
    found = call(world.sandbox, "GET", "/config/enumerations/names/event_event_type", None, key)
    changed = {**found, "values": [*found["values"], value]}
    call(world.sandbox, "POST", found["uri"], changed, key)


# -- without a server -------------------------------------------------------------------
RECORD = {
    "uri": "/repositories/2/digital_objects/1",
    "lock_version": 7,
    "x_of_a_plugin": {"b": [1, {"c": None}], "a": "\u00e4"},
    "linked_events": [None, {"ref": "/repositories/2/events/1"}],
    "rights_statements": [],
    "file_versions": [],
}


def test_fields_that_nobody_knows_go_back_in_their_order() -> None:
    with working() as world:
        unit = Delivered(world, 1)
        merged = merge(
            RECORD,
            amendment(unit, **CHANGES),
            profile=PROFILE,
            rules=RULES,
            allows=lambda *_: True,
        )
    assert list(merged.record) == [*RECORD, "user_defined"]
    assert merged.record["x_of_a_plugin"] == RECORD["x_of_a_plugin"]
    assert merged.record["user_defined"] == {
        "jsonmodel_type": "user_defined",
        "date_1": "2036-06-30",
        "boolean_1": True,
    }
    assert [item["identifier"] for item in merged.new] == [
        "retention",
        "hold:M-1 hold-000000000001",
    ]


@pytest.mark.parametrize("mode", ["always", "exceptions"])
def test_where_the_series_says_it_only_what_differs_has_a_statement(mode: str) -> None:
    with working() as world:
        unit = Delivered(world, 1)
    profile = replace(PROFILE, rights_statements=mode, slots=ArchiveSlots())

    def names(until: Any) -> list[str]:
        change = amendment(unit, retention=end(until), sent=())
        merged = merge(RECORD, change, profile=profile, rules=RULES, allows=lambda *_: True)
        assert merged.record["user_defined"]["date_1"] == until.isoformat()
        return [item["identifier"] for item in merged.new]

    assert names(LATER) == ["retention"]  # an override: the series says seven years
    seven = LATER.replace(year=2033)
    assert names(seven) == (["retention"] if mode == "always" else [])


@pytest.mark.parametrize(
    ("current", "sent", "wanted", "stands"),
    [
        ("2030-01-01", ["2030-01-01"], "2028-01-01", "2028-01-01"),
        ("2030-01-01", ["2029-01-01"], "2028-01-01", "2030-01-01"),
        ("2030-01-01", ["2029-01-01"], "2031-01-01", "2031-01-01"),
        ("2030-01-01", ["2029-01-01"], None, None),
        (None, ["2029-01-01"], "2031-01-01", None),
        (None, [None], "2031-01-01", "2031-01-01"),
        ("2030-01-01", [], "2030-01-01", "2030-01-01"),
    ],
)
def test_the_end_that_stands(
    current: str | None, sent: list[str | None], wanted: str | None, stands: str | None
) -> None:
    assert later_end(current, sent, wanted) == stands


def test_a_link_that_would_be_lost_is_seen() -> None:
    assert not hides_a_link(RECORD)
    assert hides_a_link({**RECORD, "subjects": [None]})
    assert hides_a_link({**RECORD, "rights_statements": [{"linked_agents": [None]}]})


def test_a_matter_brings_no_markup_into_the_staff_interface() -> None:
    mark = replace(hold(1), matter="<script>alert(1)</script> v. Smith & Sons")
    name = hold_identifier(mark)
    assert not set("<>") & set(name)
    assert name.startswith("hold:\u2039script\u203aalert(1)")
    assert is_of_hold(name, mark)


def test_a_matter_of_any_length_names_its_hold() -> None:
    mark = replace(hold(1), matter="Ä" * 400)
    name = hold_identifier(mark)
    assert len(name) == 255
    assert is_of_hold(name, mark)
    assert not is_of_hold(name, hold(2))
    assert not is_of_hold("hold:M-1", hold(1))
    assert is_of_hold("hold:M-1", replace(hold(1), from_archive=True))
    assert is_of_hold("M-1", replace(hold(1), from_archive=True)), "as an archivist may write it"
    assert not is_of_hold("M-1", hold(1))
    assert not is_of_hold("retention", replace(hold(1), matter="retention", from_archive=True))
    assert not is_of_hold(None, mark)
