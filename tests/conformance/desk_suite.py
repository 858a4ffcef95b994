"""What every ``Desk`` must do. A test class inherits ``DeskSuite`` and gives the fixture
``world``: an empty server with the repository of ``tests.support.units.RULES``, and an
archivist who works there.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

import pytest

from hotfolder.core.errors import OperatorFault
from hotfolder.core.facts import ChangeKind, FactKind, SeenEvent, SeenObject, Statement
from hotfolder.core.ports import Archive, Desk
from hotfolder.core.records import ArchiveEvent
from tests.support.archivist import Archivist
from tests.support.units import BUSINESS_UNIT, make_request, make_row

LIMIT = 16_384  # characters of ``outcome_note``
_OF_EACH_CHANGE = ("lock_version", "outcome", "outcome_note", "last_modified_by")


class DeskWorld(Protocol):
    """A server with all that works at it."""

    @property
    def archivist(self) -> Archivist:
        """Somebody who works there."""

    def connect(self) -> Desk:
        """Another daemon."""

    def deliver(self) -> Archive:
        """What delivers documents to this server."""

    def now(self) -> int:
        """The server's clock."""

    def advance(self, seconds: int) -> None:
        """Let time pass there."""

    def meanwhile(self, action: Callable[[], None]) -> None:
        """Let this happen once, after the desk has looked at a request that it is about to
        answer and before its change arrives."""


class Delivered:
    """A unit of documents on the server."""

    def __init__(self, world: DeskWorld, *numbers: int) -> None:
        request = make_request(*(make_row(number) for number in numbers))
        answer = world.deliver().send_unit(request)
        assert answer.outcome == "confirmed"
        assert answer.unit_uri is not None
        self.identities = request.unit.identities
        self.ref_id = request.unit.ref_id
        self.unit = answer.unit_uri
        self.uris = [answer.uris[identity] for identity in self.identities]


def make_event(*uris: str, refid: str = "hf:test:1", **changes: Any) -> ArchiveEvent:
    """A fixity check that found nothing wrong."""
    event = ArchiveEvent(
        refid=refid,
        event_type="fixity_check",
        at=1_782_900_000.75,
        outcome="pass",
        note="2 documents, all as they were",
        record_uris=uris,
    )
    return replace(event, **changes)


def hold_statement(identifier: str = "", end: str = "") -> dict[str, Any]:
    """Not to be deleted, as an archivist writes it."""
    days = {"start_date": "2026-07-01"} | ({"end_date": end} if end else {})
    act = {
        "jsonmodel_type": "rights_statement_act",
        "act_type": "delete",
        "restriction": "disallow",
        **days,
    }
    return {
        "jsonmodel_type": "rights_statement",
        "rights_type": "other",
        "other_rights_basis": "policy",
        "acts": [act],
        **days,
        **({"identifier": identifier} if identifier else {}),
    }


def objects(desk: Desk, since: int = 0, after: int = 0) -> list[SeenObject]:
    """All documents that were touched."""
    pages = desk.find_changes(BUSINESS_UNIT, ChangeKind.OBJECTS, since, after)
    return [item for page in pages for item in page.objects]


def events(desk: Desk, since: int = 0) -> list[SeenEvent]:
    """All events of others that were touched."""
    pages = desk.find_changes(BUSINESS_UNIT, ChangeKind.EVENTS, since)
    return [item for page in pages for item in page.events]


def lasting(event: dict[str, Any]) -> object:
    """All that an answer may not change, without what each save makes anew."""
    return _without_times({k: v for k, v in event.items() if k not in _OF_EACH_CHANGE})


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_times(v) for k, v in value.items() if not k.endswith(("time", "_by"))}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


class DeskSuite:
    """Inherit and give ``world``."""

    @pytest.fixture
    def desk(self, world: DeskWorld) -> Desk:
        return world.connect()

    @pytest.fixture
    def unit(self, world: DeskWorld) -> Delivered:
        return Delivered(world, 1, 2, 3)

    # -- names --------------------------------------------------------------------------
    @pytest.mark.parametrize(
        "pasted",
        [
            "{uri}",
            "  {uri}\n",
            "https://aspace.example{uri}",
            "https://aspace.example/staff{uri}?inline=true#x",
            "https://aspace.example/staff/resolve/readonly?uri={uri}",
            "https://aspace.example/resolve/edit?uri={quoted}&autoselect_repo=true",
            "https://aspace.example/digital_objects/{number}",
            "https://aspace.example/staff/digital_objects/{number}/edit",
            "digital_objects/{number}",
            "{identity}",
            " {identity} ",
        ],
    )
    def test_what_is_pasted_stands_for_a_document(
        self, desk: Desk, unit: Delivered, pasted: str
    ) -> None:
        uri = unit.uris[1]
        text = pasted.format(
            uri=uri,
            quoted=uri.replace("/", "%2F"),
            number=uri.rpartition("/")[2],
            identity=unit.identities[1],
        )
        assert desk.find_identities(BUSINESS_UNIT, text) == (unit.identities[1],)

    def test_a_unit_stands_for_its_documents_in_order(self, desk: Desk, unit: Delivered) -> None:
        for name in (unit.unit, unit.ref_id, f"https://aspace.example/staff{unit.unit}"):
            assert desk.find_identities(BUSINESS_UNIT, name) == unit.identities

    @pytest.mark.parametrize(
        "pasted",
        [
            "",
            " ",
            "29",
            "nothing",
            "hf-" + "0" * 64,
            "hf-unit-" + "0" * 40,
            "/repositories/2/digital_objects/999999",
            "/repositories/2/archival_objects/999999",
            "/repositories/3/digital_objects/{number}",
            "/repositories/02/digital_objects/{number}",
            "https://aspace.example/resolve/readonly?uri=/repositories/3/digital_objects/{number}",
            "/repositories/2/digital_objects/{number}x",
            "/repositories/2/digital_objects/{number}/digital_objects/999999",
            "/repositories/2/digital_object_components/{number}",
            "/repositories/2/resources/{number}",
            "/repositories/../users/1",
            "../../users",
            "?uri=/users",
            "hf-\x00\r\nX-Header: 1",
            "\ud800",
            "\U0001f600" * 100,
            "%" * 5000,
            "/repositories/2/digital_objects/" + "9" * 4000,
        ],
    )
    def test_what_names_no_document_stands_for_none(
        self, desk: Desk, unit: Delivered, pasted: str
    ) -> None:
        text = pasted.replace("{number}", unit.uris[0].rpartition("/")[2])
        assert desk.find_identities(BUSINESS_UNIT, text) == ()

    def test_two_documents_at_once_are_none(self, desk: Desk, unit: Delivered) -> None:
        assert desk.find_identities(BUSINESS_UNIT, " ".join(unit.uris[:2])) == ()
        assert desk.find_identities(BUSINESS_UNIT, " ".join(unit.identities[:2])) == ()

    def test_what_others_describe_is_no_document_of_ours(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        theirs = ("theirs-1", "hf-1", "HF-" + "A" * 64, "hf-" + "g" * 64)
        for name in theirs:
            uri = world.archivist.describe(name)
            assert desk.find_identities(BUSINESS_UNIT, uri) == ()
            assert desk.find_identities(BUSINESS_UNIT, name) == ()
        assert desk.find_identities(BUSINESS_UNIT, unit.identities[0].upper()) == ()

    def test_a_unit_of_another_business_unit_is_refused(self, desk: Desk) -> None:
        assert desk.find_identities(BUSINESS_UNIT, "/repositories/1/digital_objects/1") == ()

    # -- records ------------------------------------------------------------------------
    def test_all_records_of_a_document(self, world: DeskWorld, desk: Desk, unit: Delivered) -> None:
        world.archivist.ask([unit.uris[0]], "please")
        desk.record_event(BUSINESS_UNIT, make_event(unit.unit))
        desk.record_event(BUSINESS_UNIT, make_event(unit.uris[1], refid="hf:test:other"))
        found: Any = desk.read_records(BUSINESS_UNIT, unit.identities[0])
        assert found["digital_object"]["uri"] == unit.uris[0]
        assert found["digital_object"]["digital_object_id"] == unit.identities[0]
        (owner,) = found["archival_objects"]
        assert (owner["uri"], owner["ref_id"]) == (unit.unit, unit.ref_id)
        assert {event["event_type"] for event in found["events"]} - {"ingestion"} == {
            "request",
            "fixity_check",
        }

    def test_records_of_what_is_not_there(self, desk: Desk) -> None:
        assert desk.read_records(BUSINESS_UNIT, "hf-" + "0" * 64) is None
        assert desk.read_records(BUSINESS_UNIT, "../../users") is None

    # -- requests -----------------------------------------------------------------------
    def test_pending_requests_are_found_oldest_first(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        archivist = world.archivist
        archivist.ask([unit.uris[0]], outcome="fulfilled")
        archivist.ask([unit.uris[0]], event_type="validation")
        first = archivist.ask([unit.uris[0]], "for the court")
        world.advance(10)
        second = archivist.ask([unit.uris[1]])
        found = desk.find_requests(BUSINESS_UNIT, 0)
        assert [request.uri for request in found] == [first, second]
        assert [request.note for request in found] == ["for the court", ""]
        assert [request.identities for request in found] == [
            (unit.identities[0],),
            (unit.identities[1],),
        ]
        assert {request.outcome for request in found} == {"pending"}
        assert {request.business_unit for request in found} == {BUSINESS_UNIT}
        assert [request.changed_at for request in found] == [world.now() - 10, world.now()]
        world.advance(10)
        archivist.edit(first, outcome_note="for the court, today")
        changed = desk.find_requests(BUSINESS_UNIT, 0)
        assert [request.uri for request in changed] == [second, first]
        assert changed[1].lock_version > found[0].lock_version

    def test_only_requests_changed_since_are_found(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        world.archivist.ask([unit.uris[0]])
        world.advance(100)
        new = world.archivist.ask([unit.uris[0]])
        assert [item.uri for item in desk.find_requests(BUSINESS_UNIT, world.now())] == [new]
        assert desk.find_requests(BUSINESS_UNIT, world.now() + 1) == []

    def test_many_requests(self, world: DeskWorld, desk: Desk, unit: Delivered) -> None:
        made = {world.archivist.ask([unit.uris[0]]) for _ in range(260)}
        assert {item.uri for item in desk.find_requests(BUSINESS_UNIT, 0)} == made

    def test_own_events_are_no_requests(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        own = make_event(unit.uris[0], event_type="request", outcome="pending")
        uri = desk.record_event(BUSINESS_UNIT, own)
        assert desk.find_requests(BUSINESS_UNIT, 0) == []
        world.archivist.edit(uri, outcome_note="saved in the staff interface")
        assert desk.find_requests(BUSINESS_UNIT, 0) == []

    @pytest.mark.parametrize("role", ["requested", "source", "outcome"])
    def test_a_unit_asked_for_means_its_documents(
        self, world: DeskWorld, desk: Desk, unit: Delivered, role: str
    ) -> None:
        other = Delivered(world, 7)
        theirs = world.archivist.describe("theirs")
        uri = world.archivist.ask([other.uris[0], theirs, unit.unit, unit.uris[2]], role=role)
        found = desk.read_request(BUSINESS_UNIT, uri)
        assert found is not None
        assert found.identities == (*other.identities, *unit.identities)
        assert found.strangers == (theirs,)

    def test_what_is_only_context_is_not_asked_for(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], role="context")
        found = desk.read_request(BUSINESS_UNIT, uri)
        assert found is not None
        assert (found.identities, found.strangers) == ((), ())

    def test_a_request_as_it_stands_now(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        archivist = world.archivist
        uri = archivist.ask([unit.uris[0]], "please")
        archivist.edit(uri, outcome="cancelled")
        found = desk.read_request(BUSINESS_UNIT, uri)
        assert found is not None
        assert (found.outcome, found.note) == ("cancelled", "please")
        archivist.delete(uri)
        assert desk.read_request(BUSINESS_UNIT, uri) is None

    @pytest.mark.parametrize(
        "uri",
        [
            "",
            "/repositories/2/events/999999",
            "/repositories/3/events/1",
            "/repositories/2/events/1/../../digital_objects/1",
            "/repositories/2/events/1?x=1",
            "/repositories/2/events/\u0661",
            "/users/1",
        ],
    )
    def test_what_is_no_request(self, desk: Desk, unit: Delivered, uri: str) -> None:
        assert desk.read_request(BUSINESS_UNIT, uri) is None
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent") is False

    def test_another_event_is_no_request(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], event_type="validation")
        before = world.archivist.read(uri)
        assert desk.read_request(BUSINESS_UNIT, uri) is None
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent") is False
        assert world.archivist.read(uri) == before

    # -- answers ------------------------------------------------------------------------
    def test_an_answer_keeps_all_that_the_archivist_wrote(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0], unit.unit], "please\r\n  by Friday")
        before = world.archivist.read(uri)
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent to: folder 7\n2 files")
        after = world.archivist.read(uri)
        assert after["outcome"] == "fulfilled"
        assert after["outcome_note"] == "please\r\n  by Friday\nsent to: folder 7\n2 files"
        assert lasting(after) == lasting(before)
        assert desk.find_requests(BUSINESS_UNIT, 0) == []

    def test_a_request_without_a_note(self, world: DeskWorld, desk: Desk, unit: Delivered) -> None:
        uri = world.archivist.ask([unit.uris[0]])
        assert desk.answer_request(BUSINESS_UNIT, uri, "fail", "no such document")
        after = world.archivist.read(uri)
        assert (after["outcome"], after["outcome_note"]) == ("fail", "no such document")

    def test_answered_twice_is_answered_once(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], "please")
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent") is True
        once = world.archivist.read(uri)
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent") is False
        assert world.connect().answer_request(BUSINESS_UNIT, uri, "fail", "not sent") is False
        assert world.archivist.read(uri) == once

    def test_two_daemons_answer_once(self, world: DeskWorld, unit: Delivered) -> None:
        uri = world.archivist.ask([unit.uris[0]], "please")
        desks = [world.connect() for _ in range(4)]

        def answer(number: int) -> bool:
            return desks[number].answer_request(BUSINESS_UNIT, uri, "fulfilled", f"by {number}")

        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(answer, range(4)))
        assert told.count(True) == 1
        assert world.archivist.read(uri)["outcome_note"] == f"please\nby {told.index(True)}"

    def test_what_is_pending_no_more_stays_as_it_is(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], "please")
        world.archivist.edit(uri, outcome="cancelled")
        before = world.archivist.read(uri)
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent") is False
        assert world.archivist.read(uri) == before
        world.archivist.delete(uri)
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent") is False

    def test_an_edit_made_meanwhile_is_kept(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], "please")
        links = [{"role": "requested", "ref": each} for each in unit.uris]
        world.meanwhile(
            lambda: world.archivist.edit(
                uri, outcome_note="please, all of them", linked_records=links
            )
        )
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent")
        after = world.archivist.read(uri)
        assert after["outcome_note"] == "please, all of them\nsent"
        assert [item["ref"] for item in after["linked_records"]] == unit.uris

    def test_what_is_cancelled_meanwhile_stays_cancelled(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], "please")
        world.meanwhile(lambda: world.archivist.edit(uri, outcome="cancelled"))
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent") is False
        after = world.archivist.read(uri)
        assert (after["outcome"], after["outcome_note"]) == ("cancelled", "please")

    def test_what_is_deleted_meanwhile_is_gone(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], "please")
        world.meanwhile(lambda: world.archivist.delete(uri))
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent") is False

    @pytest.mark.parametrize("written", [0, 10, LIMIT - 40, LIMIT - 2, LIMIT])
    def test_a_note_too_long_for_the_field_is_cut_and_the_archivists_is_not(
        self, world: DeskWorld, desk: Desk, unit: Delivered, written: int
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], "ä" * written)
        assert desk.answer_request(BUSINESS_UNIT, uri, "fulfilled", "sent " * LIMIT)
        after = world.archivist.read(uri)
        assert after["outcome"] == "fulfilled"
        assert len(after["outcome_note"]) <= LIMIT
        assert after["outcome_note"].startswith("ä" * written)
        assert ("sent" in after["outcome_note"]) == (written < LIMIT - 2)
        found = desk.read_request(BUSINESS_UNIT, uri)
        assert found is not None
        assert found.changed_by_us, "the note does not always show it"
        world.archivist.edit(uri, outcome="pass")
        found = desk.read_request(BUSINESS_UNIT, uri)
        assert found is not None
        assert not found.changed_by_us

    def test_a_note_that_the_database_cannot_hold(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], "please")
        assert desk.answer_request(BUSINESS_UNIT, uri, "fail", "<b>no\U0001f600 & no")
        assert world.archivist.read(uri)["outcome_note"] == "please\n<b>no\ufffd & no"

    def test_an_outcome_that_is_in_no_list(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], "please")
        before = world.archivist.read(uri)
        with pytest.raises(OperatorFault):
            desk.answer_request(BUSINESS_UNIT, uri, "done", "sent")
        with pytest.raises(ValueError, match="pending"):
            desk.answer_request(BUSINESS_UNIT, uri, "pending", "sent")
        assert world.archivist.read(uri) == before

    # -- events -------------------------------------------------------------------------
    def test_an_event_is_recorded_once(self, world: DeskWorld, desk: Desk, unit: Delivered) -> None:
        event = make_event(*unit.uris, unit.unit, role="source")
        uri = desk.record_event(BUSINESS_UNIT, event)
        assert desk.record_event(BUSINESS_UNIT, event) == uri
        assert world.connect().record_event(BUSINESS_UNIT, event) == uri
        (there,) = world.archivist.events()
        assert there["uri"] == uri
        assert (there["refid"], there["event_type"]) == (event.refid, "fixity_check")
        assert (there["outcome"], there["outcome_note"]) == ("pass", event.note)
        assert [(item["role"], item["ref"]) for item in there["linked_records"]] == [
            ("source", each) for each in event.record_uris
        ]

    def test_events_of_other_refids_are_others(self, desk: Desk, unit: Delivered) -> None:
        made = {
            desk.record_event(BUSINESS_UNIT, make_event(unit.uris[0], refid=f"hf:test:{number}"))
            for number in range(3)
        }
        assert len(made) == 3

    def test_daemons_record_an_event_side_by_side(self, world: DeskWorld, unit: Delivered) -> None:
        desks = [world.connect() for _ in range(6)]
        event = make_event(unit.uris[0])
        with ThreadPoolExecutor(6) as pool:
            made = set(pool.map(lambda desk: desk.record_event(BUSINESS_UNIT, event), desks))
        assert [there["uri"] for there in world.archivist.events()] == list(made)

    def test_an_event_outlives_one_of_its_records(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        event = make_event(*unit.uris)
        uri = desk.record_event(BUSINESS_UNIT, event)
        world.archivist.delete(unit.uris[0])
        assert desk.record_event(BUSINESS_UNIT, event) == uri

    def test_an_event_about_what_is_gone_is_the_operators_matter(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        for uri in unit.uris:
            world.archivist.delete(uri)
        with pytest.raises(OperatorFault):
            desk.record_event(BUSINESS_UNIT, make_event(*unit.uris))
        assert world.archivist.events() == []

    def test_an_event_is_about_those_of_its_records_that_are_left(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        gone, *left = unit.uris
        world.archivist.delete(gone)
        event = make_event(*unit.uris)
        uri = desk.record_event(BUSINESS_UNIT, event)
        assert desk.record_event(BUSINESS_UNIT, event) == uri
        (there,) = world.archivist.events()
        assert [item["ref"] for item in there["linked_records"]] == left
        assert gone in there["outcome_note"]
        assert event.note in there["outcome_note"]

    @pytest.mark.parametrize("changes", [{"event_type": "teleportation"}, {"outcome": "splendid"}])
    def test_a_value_that_is_in_no_list_is_never_sent(
        self, world: DeskWorld, desk: Desk, unit: Delivered, changes: dict[str, str]
    ) -> None:
        with pytest.raises(OperatorFault):
            desk.record_event(BUSINESS_UNIT, make_event(unit.uris[0], **changes))
        assert world.archivist.events() == []

    # -- changes ------------------------------------------------------------------------
    def test_what_was_changed_is_found_by_number(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        world.archivist.describe("theirs")
        world.advance(100)
        began = world.now()
        world.archivist.edit(unit.uris[1], rights_statements=[hold_statement("matter-77")])
        found = {item.identity: item for item in objects(desk)}
        assert set(found) == set(unit.identities), "no record of others"
        (changed,) = objects(desk, began)
        assert changed == found[unit.identities[1]]
        assert (changed.uri, changed.changed_at) == (unit.uris[1], began)
        assert (changed.changed_by, changed.ours) == ("archivist", False)
        assert changed.statements == (Statement(identifier="matter-77", keeps=True),)
        assert changed.lock_version > found[unit.identities[0]].lock_version
        assert objects(desk, began + 1) == []

    def test_a_look_goes_on_where_it_was(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        numbers = sorted(int(uri.rpartition("/")[2]) for uri in unit.uris)
        found = objects(desk, after=numbers[0])
        assert [int(item.uri.rpartition("/")[2]) for item in found] == numbers[1:]
        pages = list(desk.find_changes(BUSINESS_UNIT, ChangeKind.OBJECTS, 0))
        assert [page.reached for page in pages] == sorted(page.reached for page in pages)
        assert pages[-1].reached == numbers[-1]
        assert max(page.newest for page in pages) == world.now()

    def test_what_a_statement_says(self, world: DeskWorld, desk: Desk, unit: Delivered) -> None:
        other = hold_statement("use")
        other["acts"][0]["act_type"] = "disseminate"
        world.archivist.edit(
            unit.uris[0], rights_statements=[hold_statement("until", "2033-01-01"), other]
        )
        (found,) = (item for item in objects(desk) if item.uri == unit.uris[0])
        assert found.statements == (
            Statement(identifier="until", keeps=True, end="2033-01-01"),
            Statement(identifier="use", keeps=False),
        )

    def test_events_of_archivists_are_found(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        archivist = world.archivist
        archivist.ask([unit.uris[0]], "a request is none")
        desk.record_event(BUSINESS_UNIT, make_event(unit.uris[0]))
        first = archivist.ask([unit.uris[0]], event_type="validation", outcome="pass")
        ids = [{"jsonmodel_type": "external_id", "external_id": "M-77", "source": "court"}]
        archivist.edit(first, external_ids=ids)
        world.advance(10)
        second = archivist.ask([unit.unit], event_type="validation", outcome="fail", role="source")
        found = events(desk)
        assert [(item.uri, item.outcome) for item in found] == [(first, "pass"), (second, "fail")]
        assert [item.identities for item in found] == [(unit.identities[0],), unit.identities]
        assert found[0].matters == ("M-77",)
        assert found[0].references == ("M-77", "Form 7")
        assert {item.changed_by for item in found} == {"archivist"}
        assert [item.uri for item in events(desk, world.now())] == [second]

    def test_an_event_of_ours_that_an_archivist_has_changed_is_found(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        refid = "hf:disposal-0123456789ab"
        event = make_event(unit.unit, event_type="validation", outcome="pending", refid=refid)
        uri = desk.record_event(BUSINESS_UNIT, event)
        assert events(desk) == []
        world.archivist.edit(uri, outcome="pass")
        (found,) = events(desk)
        assert (found.uri, found.outcome, found.ours) == (uri, "pass", False)
        assert found.made
        assert (found.references, found.matters) == ((refid,), ())

    def test_a_matter_may_stand_in_an_external_document(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        uri = world.archivist.ask([unit.uris[0]], event_type="validation")
        paper = {"jsonmodel_type": "external_document", "title": "Matter", "location": "M-1"}
        world.archivist.edit(uri, external_documents=[paper])
        (found,) = events(desk)
        assert found.matters == ("M-1",)

    def test_a_record_that_is_deleted_is_missed(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        records = dict(zip(unit.uris, unit.identities, strict=True))
        seen, lost = desk.look_at(BUSINESS_UNIT, records)
        assert {item.identity for item in seen} == set(unit.identities)
        assert lost == []
        began = world.now()
        world.archivist.delete(unit.uris[0])
        world.archivist.suppress(unit.uris[1])
        seen, lost = desk.look_at(BUSINESS_UNIT, records)
        assert [item.identity for item in seen] == [unit.identities[2]]
        told = desk.find_deleted(began)
        assert told in (None, [unit.uris[0]]), "an account may not be allowed to know"
        kinds = (
            [FactKind.RECORD_GONE] * 2
            if told is None
            else [FactKind.RECORD_DELETED, FactKind.RECORD_SUPPRESSED]
        )
        expected = dict(zip(unit.identities, kinds, strict=False))
        assert {item.identity: item.kind for item in lost} == expected
        world.archivist.suppress(unit.uris[1], hidden=False)
        seen, _ = desk.look_at(BUSINESS_UNIT, records)
        assert {item.identity for item in seen} == set(unit.identities[1:])
