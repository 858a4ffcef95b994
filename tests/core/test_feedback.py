"""What an archivist did is found by comparing; nothing twice, nothing of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.facts import (
    Asked,
    EventTypes,
    FactKind,
    FactState,
    KnownRecord,
    Lost,
    SeenEvent,
    SeenHold,
    SeenObject,
    Sight,
    Statement,
)
from hotfolder.core.feedback import (
    actor_of,
    compare_event,
    compare_lost,
    compare_object,
    disposals_in,
)

URI = "/repositories/2/digital_objects/1"
IDENTITY = "hf-" + "1" * 64
KEPT = "2033-06-30"
names = st.sampled_from(["hold:a", "hold:b", "c", "", "retention"])
ends = st.sampled_from(["", "2030-01-01", KEPT, "2040-01-01"])
statements = st.lists(
    st.builds(Statement, identifier=names, keeps=st.booleans(), end=ends),
    max_size=4,
    unique_by=lambda item: item.identifier,
)
looks = st.lists(st.tuples(statements, st.booleans(), st.booleans()), min_size=1, max_size=8)
types = EventTypes(
    placed=frozenset({"placed"}),
    released=frozenset({"released"}),
    decisions=frozenset({"decided"}),
)


def known(**changes: object) -> KnownRecord:
    made = KnownRecord(identity=IDENTITY, uri=URI, business_unit="U", retain_until=KEPT)
    return replace(made, **changes)  # type: ignore[arg-type]


def seen(found: list[Statement], version: int = 1, *, ours: bool = False) -> SeenObject:
    return SeenObject(
        uri=URI,
        identity=IDENTITY,
        lock_version=version,
        changed_at=version,
        changed_by="anna",
        ours=ours,
        statements=tuple(found),
    )


def remember(before: KnownRecord, sight: Sight, keys: set[str]) -> KnownRecord:
    """What the journal keeps: facts once by their key, holds, and what was seen."""
    holds = {hold.reference: hold for hold in before.holds}
    for fact in sight.facts:
        if fact.key in keys or fact.refused:
            continue
        keys.add(fact.key)
        reference = str(fact.body.get("reference"))
        if fact.kind in (FactKind.HOLD_PLACED, FactKind.RETENTION_EXTENDED):
            assert reference not in holds, "one hold for each statement"
            holds[reference] = SeenHold(
                number=len(keys),
                reference=reference,
                matter="m",
                identities=frozenset({IDENTITY}),
                state=FactState.DONE,
            )
        if fact.kind is FactKind.HOLD_RELEASED:
            del holds[reference]
    return replace(
        before,
        version=(sight.lock_version, sight.changed_at),
        end=sight.end,
        absent=sight.absent,
        holds=tuple(holds.values()),
    )


@given(looks)
def test_holds_here_follow_the_statements_there(
    steps: list[tuple[list[Statement], bool, bool]],
) -> None:
    state, keys = known(), set[str]()
    for version, (found, ours, hidden) in enumerate(steps, 1):
        look = replace(seen(found, version, ours=ours), suppressed=hidden)
        state = remember(state, compare_object(state, look), keys)
        if hidden:
            assert state.absent is FactKind.RECORD_SUPPRESSED
            continue
        standing = {hold.reference.partition("#")[2] for hold in state.holds} - {"retention"}
        wanted = {
            item.identifier
            for item in found
            if item.keeps and not item.end and item.identifier != "retention"
        }
        assert standing == wanted
        again = compare_object(state, look)
        assert [fact for fact in again.facts if not fact.refused] == [], "nothing twice"


def test_a_statement_that_is_gone_with_its_record_was_removed_by_nobody() -> None:
    hold = SeenHold(
        number=7, reference=f"{URI}#hold:m", matter="m", identities=frozenset({IDENTITY}), hold="h"
    )
    before = replace(known(), version=(5, 5), end=KEPT, holds=(hold,))
    standing = [Statement(identifier="retention", end=KEPT, keeps=True)]
    # Removed by somebody; restored from a backup; made again under another address.
    removed = compare_object(before, seen(standing, 6))
    older = compare_object(before, seen(standing, 3))
    other = replace(seen(standing, 6), uri="/repositories/2/digital_objects/99")
    again = compare_object(replace(before, seen_at=other.uri), other)
    moved = replace(seen(standing, 6), uri=URI.replace("/repositories/2/", "/repositories/3/"))
    transferred = compare_object(replace(before, seen_at=moved.uri), moved)
    for sight, lost in ((removed, False), (older, True), (again, True), (transferred, False)):
        (fact,) = sight.facts
        assert fact.kind is FactKind.HOLD_RELEASED
        assert bool(fact.refused) is lost
        assert (fact.key == hold.lost_key) is lost
    # The next edit of the older record releases nothing either.
    later = replace(before, version=(3, 3), holds=(replace(hold, lost=True),))
    assert compare_object(later, seen(standing, 9)).facts == ()


@given(statements, st.booleans())
def test_what_is_ours_is_no_decision(found: list[Statement], ours: bool) -> None:
    mine = frozenset(item.identifier for item in found if item.identifier != "retention")
    as_told = [
        replace(item, end=KEPT) if item.identifier == "retention" else item for item in found
    ]
    sight = compare_object(known(ours=mine), seen(as_told, ours=ours))
    assert sight.facts == ()


@given(ends, ends, st.booleans(), st.booleans())
def test_a_later_end_is_a_hold_and_an_earlier_one_is_not(
    before: str, end: str, ours: bool, telling: bool
) -> None:
    state = known(end=before, history=frozenset({"2030-01-01"}), telling=telling)
    statement = Statement(identifier="retention", keeps=True, end=end)
    kinds = {fact.kind for fact in compare_object(state, seen([statement], ours=ours)).facts}
    told = {KEPT} | ({"2030-01-01"} if telling or ours else set())
    if end == before:
        assert kinds == set()
    elif end in told:
        assert kinds <= {FactKind.RETENTION_RESTORED}
    elif end == "" or end > KEPT:
        assert kinds == {FactKind.RETENTION_EXTENDED}
    else:
        assert kinds == {FactKind.RETENTION_CUT}


def test_a_record_without_an_end_here() -> None:
    state = known(retain_until="")
    assert compare_object(state, seen([Statement(identifier="retention", keeps=True)])).facts == ()
    cut = Statement(identifier="retention", keeps=True, end="2030-01-01")
    (fact,) = compare_object(state, seen([cut])).facts
    assert fact.kind is FactKind.RETENTION_CUT


def test_a_hold_of_ours_is_not_released_by_one_record() -> None:
    state = known(ours=frozenset({"hold:a"}), written=frozenset({"hold:a"}))
    open_now = Statement(identifier="hold:a", keeps=True)
    assert compare_object(state, seen([open_now])).facts == ()
    (ended,) = compare_object(state, seen([replace(open_now, end="2026-01-01")])).facts
    (gone,) = compare_object(state, seen([], 2)).facts
    (still,) = compare_object(state, seen([], 3)).facts
    assert {fact.kind for fact in (ended, gone, still)} == {FactKind.HOLD_RELEASED}
    assert all(fact.refused for fact in (ended, gone))
    assert ended.key != gone.key == still.key


def test_a_record_that_is_lost_is_told_once() -> None:
    state, keys = known(), set[str]()
    lost = Lost(identity=IDENTITY, kind=FactKind.RECORD_GONE)
    first = compare_lost(state, lost)
    assert [fact.kind for fact in first.facts] == [FactKind.RECORD_GONE]
    state = remember(state, first, keys)
    assert compare_lost(state, lost).facts == ()
    deleted = compare_lost(state, replace(lost, kind=FactKind.RECORD_DELETED))
    assert [fact.kind for fact in deleted.facts] == [FactKind.RECORD_DELETED]
    back = compare_object(state, seen([]))
    assert [fact.kind for fact in back.facts] == [FactKind.RECORD_BACK]


def test_a_record_that_was_moved_is_told_once() -> None:
    before = known(uri="/repositories/3/digital_objects/1", seen_at=URI)
    assert compare_object(before, seen([])).facts == (), "edited where it was moved to"
    back = known(uri=URI, seen_at="/repositories/3/digital_objects/1")
    (fact,) = compare_object(back, seen([])).facts
    assert fact.kind is FactKind.RECORD_TRANSFERRED


def test_a_record_that_was_moved() -> None:
    (fact,) = compare_object(known(uri="/repositories/3/digital_objects/1"), seen([])).facts
    assert fact.kind is FactKind.RECORD_TRANSFERRED
    assert fact.uri == URI


# -- events ----------------------------------------------------------------------------------
def event(kind: str, outcome: str = "pass", **changes: object) -> SeenEvent:
    made = SeenEvent(
        uri="/repositories/2/events/1",
        event_type=kind,
        outcome=outcome,
        references=(),
        matters=(),
        lock_version=0,
        changed_at=1,
        changed_by="anna",
        ours=False,
        identities=(IDENTITY,),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


ONE, OTHER = "disposal-0123456789ab", "disposal-ba9876543210"


def test_a_decision_names_its_disposal() -> None:
    named = event("decided", references=(f"hf:{ONE}:proposed", f"{OTHER} and {ONE}x"))
    assert disposals_in(named) == [ONE, OTHER]
    facts = compare_event(named, types, "U", {ONE}, [])
    assert [(fact.kind, fact.body["disposal"]) for fact in facts] == [
        (FactKind.DISPOSAL_APPROVED, ONE)
    ]
    refused = compare_event(replace(named, outcome="fail"), types, "U", {ONE}, [])
    assert [fact.kind for fact in refused] == [FactKind.DISPOSAL_REFUSED]
    for undecided in (replace(named, outcome="pending"), replace(named, ours=True)):
        assert compare_event(undecided, types, "U", {ONE}, []) == []
    assert compare_event(named, types, "U", set(), []) == [], "of no disposal of ours"


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (None, False),
        (("pass", FactState.DONE, "anna"), False),
        (("pass", FactState.WAITING, "anna"), False),
        (("pass", FactState.WAITING, "berta"), True),
        (("pass", FactState.REFUSED, "anna"), True),
        (("pass", FactState.REFUSED, "berta"), True),
        (("fail", FactState.DONE, "anna"), True),
        (("fail", FactState.WAITING, "anna"), True),
    ],
)
def test_what_an_event_says_again_is_another_fact_where_it_says_more(
    before: tuple[str, FactState, str] | None, again: bool
) -> None:
    told = event("decided", references=(f"hf:{ONE}",))
    first = compare_event(told, types, "U", {ONE}, [])[0].key
    asked = {}
    if before is not None:
        outcome, state, actor = before
        kind = FactKind.DISPOSAL_APPROVED if outcome == "pass" else FactKind.DISPOSAL_REFUSED
        asked[ONE] = Asked(kind=kind, state=state, actor=actor_of(actor))
    (fact,) = compare_event(replace(told, lock_version=7), types, "U", {ONE}, [], asked)
    assert (fact.key != first) == again
    (once,) = compare_event(replace(told, lock_version=7), types, "U", {ONE}, [], asked)
    assert once.key == fact.key, "the same saving is the same fact"


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd"), min_size=1))
def test_no_hold_is_released_on_what_was_not_named(named: set[str], held: set[str]) -> None:
    hold = SeenHold(number=1, reference="r", matter="m", identities=frozenset(held))
    told = event("released", identities=tuple(sorted(named)))
    facts = compare_event(told, types, "U", set(), [hold] if held & named else [])
    released = [fact for fact in facts if not fact.refused]
    assert bool(released) == (held <= named)
    assert all(fact.kind is FactKind.HOLD_RELEASED for fact in facts)
    other = replace(told, matters=("another",))
    assert all(fact.refused for fact in compare_event(other, types, "U", set(), [hold]))


def test_what_is_told_of_a_hold_of_ours_is_none_when_an_archivist_adds_a_note() -> None:
    told = event("placed", made=True)
    assert compare_event(told, types, "U", set(), []) == []
    assert compare_event(replace(told, event_type="released"), types, "U", set(), []) == []
    assert compare_event(replace(told, made=False), types, "U", set(), []) != []
