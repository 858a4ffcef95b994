"""What every ``Desk`` must do when the record of a document is changed: a part of
``desk_suite``, with the same ``world``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hotfolder.core.changes import Amended, Amendment, RetentionEnd
from hotfolder.core.holdmark import HoldMark
from hotfolder.core.ports import Desk
from tests.conformance.desk_suite import Delivered, DeskWorld, lasting
from tests.support.units import BUSINESS_UNIT, make_row

DELIVERED = date(2033, 6, 30)  # the last day of retention that ``make_row`` has
LATER = date(2036, 6, 30)
EARLIER = date(2031, 6, 30)
OURS = ("rights_statements", "user_defined", "file_versions")
THEIRS: dict[str, Any] = {
    "jsonmodel_type": "rights_statement",
    "rights_type": "other",
    "other_rights_basis": "donor",
    "identifier": "gift-7",
    "start_date": "2020-01-01",
    "acts": [
        {
            "jsonmodel_type": "rights_statement_act",
            "act_type": "disseminate",
            "restriction": "conditional",
            "start_date": "2020-01-01",
        }
    ],
}


def hold(number: int, *, released_on: date | None = None, is_new: bool = True) -> HoldMark:
    """A hold of matter M-1, M-2 …"""
    return HoldMark(
        hold=f"hold-{number:012d}",
        matter=f"M-{number}",
        placed_on=date(2026, 11, 20),
        released_on=released_on,
        is_new=is_new,
    )


def end(until: date | None, retention_class: str = "R7") -> RetentionEnd:
    """A decision that a document is kept until then."""
    return RetentionEnd(retention_class=retention_class, class_version=2, retain_until=until)


def amendment(unit: Delivered, place: int = 0, **changes: Any) -> Amendment:
    """Of a document of a unit; what was sent is what it was delivered with."""
    row = make_row(place + 1)
    assert row.document.identity == unit.identities[place]
    row = replace(row, record_uri=unit.uris[place], archived_at=1_782_900_001.0)
    return Amendment(**{"row": row, "sent": (end(DELIVERED),), **changes})


def statements(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By identifier."""
    return {item["identifier"]: item for item in record["rights_statements"]}


def ends(record: dict[str, Any], begins: str = "retention") -> set[str | None]:
    """The ends of a statement and of its acts."""
    (found,) = (item for name, item in statements(record).items() if name.startswith(begins))
    return {part.get("end_date") for part in (found, *found["acts"])}


class AmendingSuite:
    """Inherit beside ``DeskSuite``."""

    def amend(self, desk: Desk, change: Amendment) -> Amended:
        """Twice: the second time there is nothing to change."""
        first = desk.amend_record(BUSINESS_UNIT, change)
        again = desk.amend_record(BUSINESS_UNIT, change)
        assert again.outcome == "unchanged"
        return first

    # -- retention ----------------------------------------------------------------------
    @pytest.mark.parametrize("until", [LATER, EARLIER, None])
    def test_a_new_end_is_in_statement_act_and_slot(
        self, world: DeskWorld, desk: Desk, unit: Delivered, until: date | None
    ) -> None:
        before = world.archivist.read(unit.uris[0])
        amended = self.amend(desk, amendment(unit, retention=end(until)))
        assert (amended.outcome, amended.conflicts) == ("changed", ())
        after = world.archivist.read(unit.uris[0])
        day = until.isoformat() if until else None
        assert ends(after) == {day}
        assert after["user_defined"].get("date_1") == day
        assert after["user_defined"]["string_3"] == "R7"
        assert after["lock_version"] == before["lock_version"] + 1
        assert _rest(after) == _rest(before)

    def test_what_the_record_says_already_is_not_sent(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        before = world.archivist.read(unit.uris[0])
        amended = desk.amend_record(BUSINESS_UNIT, amendment(unit, retention=end(DELIVERED)))
        assert (amended.outcome, amended.conflicts) == ("unchanged", ())
        assert world.archivist.read(unit.uris[0]) == before

    def test_all_that_an_archivist_wrote_is_kept(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        found = world.archivist.read(unit.uris[0])
        world.archivist.edit(
            unit.uris[0],
            title="Statement, seen by the archivist",
            rights_statements=[THEIRS, *found["rights_statements"]],
            user_defined={**found["user_defined"], "string_4": "box 7", "boolean_3": True},
        )
        before = world.archivist.read(unit.uris[0])
        self.amend(desk, amendment(unit, retention=end(LATER), holds=(hold(1),), held=True))
        after = world.archivist.read(unit.uris[0])
        assert _rest(after) == _rest(before)
        assert list(statements(after)) == [*statements(before), "hold:M-1 hold-000000000001"]
        gift = (statements(before)["gift-7"], statements(after)["gift-7"])
        assert lasting(gift[0]) == lasting(gift[1])
        changed = {"date_1": "2036-06-30", "boolean_1": True}
        assert lasting(after["user_defined"]) == lasting({**before["user_defined"], **changed})

    @pytest.mark.parametrize(
        ("theirs", "ours", "stands"),
        [
            ("2040-01-01", LATER, "2040-01-01"),
            ("2040-01-01", None, None),
            ("2027-01-01", LATER, "2036-06-30"),
            (None, LATER, None),
        ],
    )
    def test_of_an_archivists_end_and_ours_the_later_stands_and_is_told(
        self,
        world: DeskWorld,
        desk: Desk,
        unit: Delivered,
        theirs: str | None,
        ours: date | None,
        stands: str | None,
    ) -> None:
        statement = world.archivist.read(unit.uris[0])["rights_statements"][0]
        edited = {**statement, "end_date": theirs}
        if theirs is None:
            del edited["end_date"]
        world.archivist.edit(unit.uris[0], rights_statements=[edited])
        amended = desk.amend_record(BUSINESS_UNIT, amendment(unit, retention=end(ours)))
        assert amended.conflicts == (
            "the end of retention was changed there; the later one stands",
        )
        after = world.archivist.read(unit.uris[0])
        assert after["rights_statements"][0].get("end_date") == stands
        # What they did not touch is ours alone.
        day = ours.isoformat() if ours else None
        assert after["rights_statements"][0]["acts"][0].get("end_date") == day
        assert after["user_defined"].get("date_1") == day

    def test_an_end_that_we_sent_is_no_archivists(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        self.amend(desk, amendment(unit, retention=end(LATER)))
        sent = (end(DELIVERED), end(LATER))  # the answer to the last was lost
        amended = self.amend(desk, amendment(unit, retention=end(EARLIER), sent=sent))
        assert (amended.outcome, amended.conflicts) == ("changed", ())
        assert ends(world.archivist.read(unit.uris[0])) == {EARLIER.isoformat()}

    def test_a_hold_leaves_an_archivists_end_alone(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        statement = world.archivist.read(unit.uris[0])["rights_statements"][0]
        world.archivist.edit(
            unit.uris[0], rights_statements=[{**statement, "end_date": "2029-01-01"}]
        )
        amended = self.amend(desk, amendment(unit, holds=(hold(1),), held=True))
        assert amended.conflicts == ()
        after = world.archivist.read(unit.uris[0])
        assert statements(after)["retention"]["end_date"] == "2029-01-01"

    def test_a_statement_that_was_removed_is_there_again_with_a_new_end(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        world.archivist.edit(unit.uris[0], rights_statements=[])
        amended = self.amend(desk, amendment(unit, retention=end(LATER)))
        assert amended.conflicts == (
            "our retention statement was removed there, and is there again",
        )
        assert ends(world.archivist.read(unit.uris[0])) == {"2036-06-30"}

    def test_a_class_of_ours_is_changed_and_an_archivists_is_kept(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        slots = world.archivist.read(unit.uris[1])["user_defined"]
        world.archivist.edit(unit.uris[1], user_defined={**slots, "string_3": "theirs"})
        for place in (0, 1):
            amended = desk.amend_record(
                BUSINESS_UNIT, amendment(unit, place, retention=end(LATER, "CLAIM"))
            )
            found = world.archivist.read(unit.uris[place])["user_defined"]["string_3"]
            assert found == ("CLAIM", "theirs")[place]
            assert bool(amended.conflicts) == bool(place)

    # -- holds --------------------------------------------------------------------------
    def test_holds_come_and_go_and_stay_in_the_record(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        before = world.archivist.read(unit.uris[0])
        self.amend(desk, amendment(unit, holds=(hold(1), hold(2)), held=True))
        held = world.archivist.read(unit.uris[0])
        assert list(statements(held)) == [
            "retention",
            "hold:M-1 hold-000000000001",
            "hold:M-2 hold-000000000002",
        ]
        assert ends(held, "hold:M-1") == {None}
        assert statements(held)["hold:M-1 hold-000000000001"]["start_date"] == "2026-11-20"
        assert held["user_defined"]["boolean_1"] is True
        gone = hold(1, released_on=date(2026, 12, 1), is_new=False)
        self.amend(desk, amendment(unit, holds=(gone,), held=True))
        half = world.archivist.read(unit.uris[0])
        assert (ends(half, "hold:M-1"), ends(half, "hold:M-2")) == ({"2026-12-01"}, {None})
        assert half["user_defined"]["boolean_1"] is True
        gone = hold(2, released_on=date(2026, 12, 2), is_new=False)
        self.amend(desk, amendment(unit, holds=(gone,)))
        free = world.archivist.read(unit.uris[0])
        assert ends(free, "hold:M-2") == {"2026-12-02"}
        assert len(free["rights_statements"]) == 3
        assert free["user_defined"]["boolean_1"] is False
        assert statements(free)["retention"]["end_date"] == "2033-06-30"
        assert _rest(free) == _rest(before)

    def test_a_hold_that_came_and_went_is_in_the_record(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        self.amend(desk, amendment(unit, holds=(hold(1, released_on=date(2026, 12, 1)),)))
        after = world.archivist.read(unit.uris[0])
        assert ends(after, "hold:M-1") == {"2026-12-01"}
        assert after["user_defined"]["boolean_1"] is False

    def test_the_slot_says_held_as_long_as_an_archivists_hold_is_open(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        self.amend(desk, amendment(unit, holds=(hold(1),), held=True))
        found = world.archivist.read(unit.uris[0])["rights_statements"]
        world.archivist.edit(
            unit.uris[0], rights_statements=[*found, {**THEIRS, "identifier": "hold:theirs"}]
        )
        gone = hold(1, released_on=date(2026, 12, 1), is_new=False)
        self.amend(desk, amendment(unit, holds=(gone,)))
        assert world.archivist.read(unit.uris[0])["user_defined"]["boolean_1"] is True

    def test_a_hold_that_an_archivist_placed_is_not_written_beside_theirs(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        found = world.archivist.read(unit.uris[0])["rights_statements"]
        world.archivist.edit(
            unit.uris[0], rights_statements=[*found, {**THEIRS, "identifier": "hold:M-1"}]
        )
        theirs = replace(hold(1), from_archive=True)
        self.amend(desk, amendment(unit, holds=(theirs,), held=True))
        after = world.archivist.read(unit.uris[0])
        assert list(statements(after)) == ["retention", "hold:M-1"]
        assert after["user_defined"]["boolean_1"] is True
        gone = replace(theirs, released_on=date(2026, 12, 1), is_new=False)
        self.amend(desk, amendment(unit, holds=(gone,)))
        after = world.archivist.read(unit.uris[0])
        assert statements(after)["hold:M-1"]["end_date"] == "2026-12-01"
        assert after["user_defined"]["boolean_1"] is False

    def test_what_an_archivist_did_to_a_hold_of_ours_stays(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        self.amend(desk, amendment(unit, holds=(hold(1), hold(2)), held=True))
        retention, _, second = world.archivist.read(unit.uris[0])["rights_statements"]
        later = {**second, "end_date": "2027-01-01"}
        world.archivist.edit(unit.uris[0], rights_statements=[retention, later])
        day = date(2026, 12, 1)
        gone = tuple(hold(number, released_on=day, is_new=False) for number in (1, 2))
        amended = desk.amend_record(BUSINESS_UNIT, amendment(unit, holds=gone))
        assert amended.conflicts == (
            "the statement of hold-000000000001 was removed there",
            "the end of hold-000000000002 was changed there; the later one stands",
        )
        after = statements(world.archivist.read(unit.uris[0]))
        assert list(after) == ["retention", "hold:M-2 hold-000000000002"]
        assert after["hold:M-2 hold-000000000002"]["end_date"] == "2027-01-01"

    # -- destroyed ----------------------------------------------------------------------
    def test_a_destroyed_document_keeps_its_record_without_files(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        before = world.archivist.read(unit.uris[0])
        amended = self.amend(desk, amendment(unit, destroyed=True))
        assert (amended.outcome, amended.conflicts) == ("changed", ())
        after = world.archivist.read(unit.uris[0])
        assert after["file_versions"] == []
        assert lasting({**after, "file_versions": 0}) == lasting({**before, "file_versions": 0})

    def test_file_versions_of_archivists_are_kept_and_told(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        ours = world.archivist.read(unit.uris[0])["file_versions"]
        theirs = {"jsonmodel_type": "file_version", "file_uri": "https://x/7", "publish": False}
        world.archivist.edit(unit.uris[0], file_versions=[theirs, *ours])
        amended = desk.amend_record(BUSINESS_UNIT, amendment(unit, destroyed=True))
        assert amended.conflicts == ("file versions that are not ours were kept",)
        (left,) = world.archivist.read(unit.uris[0])["file_versions"]
        assert left["file_uri"] == "https://x/7"

    # -- at the same time ---------------------------------------------------------------
    def test_an_edit_of_a_record_made_meanwhile_is_kept(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        world.meanwhile(lambda: world.archivist.edit(unit.uris[0], title="Theirs"))
        amended = desk.amend_record(BUSINESS_UNIT, amendment(unit, retention=end(LATER)))
        assert amended.outcome == "changed"
        after = world.archivist.read(unit.uris[0])
        assert (after["title"], ends(after)) == ("Theirs", {"2036-06-30"})

    def test_a_hold_that_an_archivist_places_meanwhile_is_kept(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        found = world.archivist.read(unit.uris[0])["rights_statements"]
        world.meanwhile(
            lambda: world.archivist.edit(unit.uris[0], rights_statements=[*found, THEIRS])
        )
        desk.amend_record(BUSINESS_UNIT, amendment(unit, holds=(hold(1),), held=True))
        after = statements(world.archivist.read(unit.uris[0]))
        assert list(after) == ["retention", "gift-7", "hold:M-1 hold-000000000001"]

    def test_daemons_that_place_holds_side_by_side_lose_none(
        self, world: DeskWorld, unit: Delivered
    ) -> None:
        desks = [world.connect() for _ in range(3)]

        def place(number: int) -> str:
            change = amendment(unit, holds=(hold(number),), held=True)
            return desks[number].amend_record(BUSINESS_UNIT, change).outcome

        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(place, range(3))) == ["changed"] * 3
        assert len(world.archivist.read(unit.uris[0])["rights_statements"]) == 4

    # -- elsewhere, or nowhere ----------------------------------------------------------
    def test_a_record_that_is_elsewhere_is_found_by_its_identity(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        for stale in (unit.uris[1], "/repositories/2/digital_objects/999999", "", "../../users"):
            change = amendment(unit, holds=(hold(1),), held=True)
            change = replace(change, row=replace(change.row, record_uri=stale))
            amended = desk.amend_record(BUSINESS_UNIT, change)
            assert amended.uri == unit.uris[0]
        assert len(world.archivist.read(unit.uris[0])["rights_statements"]) == 2
        assert len(world.archivist.read(unit.uris[1])["rights_statements"]) == 1

    def test_a_record_that_is_gone_is_told_as_gone(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        world.archivist.delete(unit.uris[0])
        amended = desk.amend_record(BUSINESS_UNIT, amendment(unit, retention=end(LATER)))
        assert amended.outcome == "gone"

    def test_a_record_that_goes_meanwhile_is_told_as_gone(
        self, world: DeskWorld, desk: Desk, unit: Delivered
    ) -> None:
        world.meanwhile(lambda: world.archivist.delete(unit.uris[0]))
        amended = desk.amend_record(BUSINESS_UNIT, amendment(unit, retention=end(LATER)))
        assert amended.outcome == "gone"


def _rest(record: dict[str, Any]) -> object:
    return lasting({name: value for name, value in record.items() if name not in OURS})
