"""Numbers, decisions and days of versions; what is in force, and what is irregular."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.profiles import TemplateEvents
from hotfolder.core.templatechain import find_in_force, find_irregular
from hotfolder.core.templatechecks import compare_archived, new_irregularities
from hotfolder.core.templateevents import make_events
from hotfolder.core.templates import (
    VERSION_NUMBER,
    Approval,
    Decision,
    Standing,
    Template,
    TemplateMember,
    TemplateRow,
    compare_members,
    fold,
    template_from_dict,
    template_to_dict,
    version_key,
)

DAY = date(2025, 1, 1)


def approval(
    person: str = "Jana", decision: Decision = Decision.APPROVED, day: date = DAY
) -> Approval:
    return Approval(person=person, role="legal", day=day, decision=decision)


def version(
    number: str,
    start: date = DAY,
    until: date | None = None,
    *,
    parent: str | None = None,
    approvals: tuple[Approval, ...] = (approval(day=date(2020, 1, 1)),),
) -> Template:
    return Template(
        name="letter",
        family="letters",
        version=number,
        effective_from=start,
        effective_until=until,
        parent=parent,
        approvals=approvals,
    )


def row(template: Template) -> TemplateRow:
    return TemplateRow(
        template=template,
        identity="hf-" + "1" * 64,
        business_unit="RETAIL",
        spool_id="s1",
        sha256="0" * 64,
        size=1,
        members=0,
        document_version=1,
        live=True,
        record_uri="/repositories/2/digital_objects/1",
        unit_uri="/repositories/2/archival_objects/1",
        archived_at=1.0,
    )


def test_numbers_are_ordered_part_by_part() -> None:
    ordered = ["0.9", "1", "1.0", "1.9", "1.10", "1.10-rc1", "2", "10", "a", "b"]
    assert sorted(ordered, key=version_key) == ordered
    assert version_key("01") == version_key("1")
    assert version_key("1_0") == version_key("1.0")
    assert VERSION_NUMBER.fullmatch("2.1-b")
    assert not VERSION_NUMBER.fullmatch("../2")


def test_names_are_compared_as_archivesspace_does() -> None:
    assert fold("Größe ") == fold("GROSSE".replace("O", "Ö"))
    assert fold("a") != fold("b")


@pytest.mark.parametrize(
    ("approvals", "standing"),
    [
        ((), Standing.UNAPPROVED),
        ((approval(),), Standing.APPROVED),
        ((approval(), approval("Kim", Decision.REJECTED)), Standing.REJECTED),
        (
            (approval(decision=Decision.REJECTED), approval(day=DAY + timedelta(1))),
            Standing.APPROVED,
        ),
        (
            (approval(day=DAY + timedelta(1)), approval(decision=Decision.REJECTED)),
            Standing.APPROVED,
        ),
        ((approval(), approval(decision=Decision.REJECTED)), Standing.REJECTED),
    ],
)
def test_the_last_decision_of_each_person_counts(
    approvals: tuple[Approval, ...], standing: Standing
) -> None:
    assert version("1", approvals=approvals).standing is standing


_DAYS = st.integers(0, 30).map(lambda days: DAY + timedelta(days))


@st.composite
def versions(draw: st.DrawFn) -> list[Template]:
    found = []
    for number in range(1, draw(st.integers(0, 5)) + 1):
        start = draw(_DAYS)
        lasts = draw(st.none() | st.integers(1, 20))
        until = None if lasts is None else start + timedelta(lasts)
        said = draw(st.lists(st.sampled_from(list(Decision)), max_size=2))
        approvals = tuple(approval(f"p{place}", decision) for place, decision in enumerate(said))
        found.append(version(str(number), start, until, approvals=approvals))
    return found


@given(versions(), _DAYS)
def test_what_is_in_force_is_what_the_rule_says(found: list[Template], day: date) -> None:
    effective = [
        item
        for item in found
        if item.approvals
        and all(one.decision is Decision.APPROVED for one in item.approvals)
        and item.effective_from <= day
        and (item.effective_until is None or day < item.effective_until)
    ]
    force = find_in_force([row(item) for item in reversed(found)], day)
    assert (force.template if force else None) == (effective[-1] if effective else None)


@given(versions())
def test_overlaps_and_gaps_are_those_that_counting_days_finds(found: list[Template]) -> None:
    """Each told gap is a run of days on which nothing is in force, with something in force
    right before and after; and each such run is told."""
    rows = [row(item) for item in found]
    told = [item for item in find_irregular(found) if item.kind.value == "gap"]
    last = DAY + timedelta(60)
    days = [DAY + timedelta(number) for number in range((last - DAY).days)]
    empty = [day for day in days if find_in_force(rows, day) is None]
    runs: list[list[date]] = []
    for day in empty:
        if runs and runs[-1][-1] == day - timedelta(1):
            runs[-1].append(day)
        else:
            runs.append([day])
    inner = [
        (run[0], run[-1])
        for run in runs
        if find_in_force(rows, run[0] - timedelta(1))
        and find_in_force(rows, run[-1] + timedelta(1))
    ]
    assert [(item.first, item.last) for item in told] == inner


def kinds(*found: Template) -> list[tuple[str, str, str]]:
    return [(item.kind.value, item.version, item.other) for item in find_irregular(found)]


def test_what_is_irregular_is_told() -> None:
    one = version("1")
    assert kinds(one, version("2", DAY + timedelta(9), parent="1")) == []
    assert kinds(one, version("2", DAY + timedelta(9))) == [("root", "2", "1")]
    assert kinds(version("2", parent="1")) == [("orphan", "2", "1")]
    branch = [version(number, DAY + timedelta(9), parent="1") for number in ("2", "3")]
    assert ("branch", "3", "2") in kinds(one, *branch)
    early = version("2", DAY - timedelta(9), parent="1")
    assert kinds(one, early) == [("overlap", "2", "1")]
    until = version("1", until=DAY + timedelta(9))
    later = version("2", DAY + timedelta(5), parent="1")
    assert kinds(until, later) == [("overlap", "2", "1")]
    assert "from 2025-01-06 to 2025-01-09" in str(find_irregular([until, later])[0])
    late = version("1", approvals=(approval(day=DAY + timedelta(1)),))
    assert kinds(late) == [("late", "1", "")]
    assert all(str(item) for item in find_irregular([one, early, *branch, late]))


def test_a_default_class_is_nothing_that_a_manifest_says() -> None:
    there = row(replace(version("1"), retention_class="TPL-10Y"))
    for said, codes in ((None, []), ("TPL-10Y", []), ("TPL-2Y", ["template.version"])):
        again = replace(version("1"), retention_class=said)
        found = compare_archived(again, there.sha256, [there], "x.zip")
        assert [fault.code for fault in found] == codes


def test_a_parent_whose_package_is_damaged_is_there() -> None:
    damaged = replace(row(version("1")), live=False)
    assert new_irregularities(version("2", date(2025, 2, 1), parent="1"), [damaged], "x.zip") == []


def test_changes_of_members_are_those_of_their_bytes() -> None:
    def member(name: str, text: str, crc32: int = 1) -> TemplateMember:
        return TemplateMember(name=name, size=len(text), sha256=text.rjust(64), crc32=crc32)

    old = [member("a", "1"), member("b", "1"), member("c", "1")]
    new = [member("b", "1"), member("c", "2"), member("d", "1")]
    assert [(item.name, item.what) for item in compare_members(old, new)] == [
        ("a", "removed"),
        ("c", "changed"),
        ("d", "added"),
    ]
    assert compare_members(old, old) == []


@given(versions())
def test_a_version_comes_back_from_json(found: list[Template]) -> None:
    for item in found:
        assert template_from_dict(template_to_dict(item)) == item


def test_events_are_the_same_at_every_attempt() -> None:
    said = (approval(), approval("Kim", Decision.REJECTED))
    terms = TemplateEvents(agents={"Kim": "/agents/people/7"})
    events = make_events(row(version("1", approvals=said)), terms)
    assert events == make_events(row(version("1", approvals=said)), terms)
    assert [(event.outcome, event.agent) for event in events] == [
        ("pass", ""),
        ("fail", "/agents/people/7"),
    ]
    assert {event.agent_role for event in events} == {"authorizer"}
    approved = make_events(row(version("1", until=DAY + timedelta(1))), terms)
    assert [event.event_type for event in approved] == ["agreement_signed", "publication"]
    assert approved[-1].note.endswith("in force from 2025-01-01, until 2025-01-02")
    assert len({event.refid for event in (*events, *approved)}) == 3
    assert make_events(row(version("1", approvals=())), terms) == []
