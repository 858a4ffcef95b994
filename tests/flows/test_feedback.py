"""An archivist works in ArchivesSpace, and what they decide there happens here: over a
real socket, each decision once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import pytest

from hotfolder.archivesspace.eventids import own_id
from hotfolder.core.errors import Fault, OperatorFault, Transient
from hotfolder.core.facts import ChangePage, FactKind, FactState
from hotfolder.core.holds import Criteria, HoldRow
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import CatalogueRow
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.sandbox import Sandbox
from tests.conformance.desk_suite import hold_statement
from tests.support.archivist import SandboxArchivist
from tests.support.drop_mix import write_drops
from tests.support.feedback import PLACED, RELEASED, build, feedback_of
from tests.support.line import Line, run_line
from tests.support.serving import call, log_in, serving

ARCHIVIST = "archivesspace:archivist"


@dataclass
class Reading:
    """A hotfolder with documents in ArchivesSpace, and an archivist."""

    root: Path
    line: Line
    sandbox: Sandbox
    archivist: SandboxArchivist
    rows: list[CatalogueRow] = field(default_factory=list)

    @property
    def journal(self) -> SqliteJournal:
        return self.line.works.journal

    def poll(self) -> list[tuple[str, str]]:
        """Kind and state of what is new."""
        after = max((fact.number for fact in self.journal.facts(limit=10_000)), default=0)
        feedback_of(self.line.works).poll()
        return [
            (fact.kind.value, fact.state.value)
            for fact in self.journal.facts(after=after)
            if fact.source == "archivesspace"
        ]

    def uri(self, number: int) -> str:
        uri = self.rows[number].record_uri
        assert uri is not None
        return uri

    def state(self, uri: str, **changes: Any) -> None:
        """Statements besides ours, which stays."""
        there = self.archivist.read(uri)["rights_statements"]
        ours = [item for item in there if item["identifier"] == "retention"]
        self.archivist.edit(uri, rights_statements=[*ours, *changes.pop("theirs")], **changes)

    def move(self, uri: str, repository: str) -> None:
        """Transfer a record; what points to it is cut first, or the server refuses."""
        token = log_in(self.sandbox.url)
        record = call(self.sandbox.url, uri, token)
        for item in record["linked_instances"]:
            holder = call(self.sandbox.url, item["ref"], token)
            others = [
                instance
                for instance in holder["instances"]
                if instance.get("digital_object", {}).get("ref") != uri
            ]
            call(self.sandbox.url, item["ref"], token, {**holder, "instances": others})
        call(self.sandbox.url, f"{uri}/transfer?target_repo={repository}", token, {})

    def holds(self, *, released: bool = False) -> list[HoldRow]:
        return self.journal.holds(released=released)

    def save_as_us(self, uri: str) -> None:
        """Our account saves a record as it stands."""
        token = log_in(self.sandbox.url)
        record = call(self.sandbox.url, uri, token)
        call(self.sandbox.url, uri, token, {**record, "title": f"{record['title']}."})


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    with serving() as sandbox, SandboxArchivist(sandbox) as archivist:
        (tmp_path / "hot").mkdir()
        write_drops(tmp_path / "hot", good=5)
        line = build(tmp_path, sandbox.url)
        try:
            assert run_line(line)
            made = Reading(tmp_path, line, sandbox, archivist)
            made.rows = [
                row
                for spool in made.journal.spools([])
                for row in made.journal.documents_of(spool.id)
                if row.record_uri and row.document.retain_until
            ]
            assert made.poll() == [], "what we delivered is no decision"
            yield made
        finally:
            line.works.close()


def test_a_hold_in_a_statement_is_placed_and_released(reading: Reading) -> None:
    uri = reading.uri(0)
    reading.state(uri, theirs=[hold_statement("hold:matter-77")])
    assert reading.poll() == [("hold.placed", "DONE")]
    assert reading.poll() == []
    (hold,) = reading.holds()
    assert (hold.matter, hold.source, hold.placed_by) == ("matter-77", "archivesspace", ARCHIVIST)
    (held,) = reading.journal.held_documents(hold.id)
    assert held == reading.rows[0].document.identity
    assert reading.line.works.store.holds_on(reading.rows[0].spool_id) == (hold.id,)
    reading.archivist.edit(uri, title="Another title")
    assert reading.poll() == []
    reading.state(uri, theirs=[hold_statement("hold:matter-77", "2026-08-01")])
    assert reading.poll() == [("hold.released", "DONE")]
    (released,) = reading.holds(released=True)
    assert released.released_by == ARCHIVIST
    assert reading.line.works.store.holds_on(reading.rows[0].spool_id) == ()
    reading.state(uri, theirs=[hold_statement("hold:matter-77")])
    assert reading.poll() == [("hold.placed", "DONE")]
    assert len(reading.holds()) == 1
    reading.state(uri, theirs=[])
    assert reading.poll() == [("hold.released", "DONE")]
    assert reading.holds() == []
    told = [row for row in reading.journal.audit(limit=1000) if row.action == "feedback.received"]
    assert len(told) == 4
    assert {row.actor for row in told} == {ARCHIVIST}
    reading.journal.verify_chain()


def test_a_hold_that_is_placed_here_is_nobodys_decision_there(reading: Reading) -> None:
    row, works = reading.rows[0], reading.line.works
    identity, uri = row.document.identity, reading.uri(0)
    hold = works.holding.place(matter="M-1", criteria=Criteria(identities=(identity,)), actor="ada")

    def tell() -> None:
        while works.journal.has_changes_due(inf):
            works.amend.step()

    tell()
    (there,) = [
        item["identifier"]
        for item in reading.archivist.read(uri)["rights_statements"]
        if item["identifier"] != "retention"
    ]
    assert hold.id in there
    assert reading.poll() == []
    settle(reading)
    reading.archivist.edit(uri, title="Another title")
    assert reading.poll() == [], "it was told long ago, and stands there open"
    assert [item.id for item in reading.holds()] == [hold.id]
    works.holding.release(hold.id, actor="ben", reason="settled")
    tell()
    assert reading.poll() == []
    settle(reading)
    reading.archivist.edit(uri, title="A third title")
    assert reading.poll() == []
    assert reading.holds() == []


def settle(reading: Reading) -> None:
    """What was told was told more than a quarter of an hour ago."""
    with closing(sqlite3.connect(reading.root / "journal.db")) as conn, conn:
        conn.execute("UPDATE updates SET sent_at = sent_at - 5000 WHERE sent_at IS NOT NULL")


def test_an_edit_that_ours_has_followed_is_seen(reading: Reading) -> None:
    reading.state(reading.uri(0), theirs=[hold_statement()])
    reading.save_as_us(reading.uri(0))
    reading.save_as_us(reading.uri(1))
    assert reading.poll() == [("hold.placed", "DONE")]


def test_two_holds_on_one_document_are_two(reading: Reading) -> None:
    uri = reading.uri(0)
    reading.state(uri, theirs=[hold_statement("one"), hold_statement("two")])
    assert reading.poll() == [("hold.placed", "DONE")] * 2
    reading.state(uri, theirs=[hold_statement("two")])
    assert reading.poll() == [("hold.released", "DONE")]
    assert [hold.matter for hold in reading.holds()] == ["two"]


def test_what_is_placed_and_released_between_two_looks_is_nothing(reading: Reading) -> None:
    reading.state(reading.uri(0), theirs=[hold_statement("one")])
    reading.state(reading.uri(0), theirs=[])
    assert reading.poll() == []


def test_events_place_and_release(reading: Reading) -> None:
    archivist = reading.archivist
    uris = [reading.uri(0), reading.uri(1)]
    placed = archivist.ask(uris, event_type=PLACED, outcome="pass")
    ids = [{"jsonmodel_type": "external_id", "external_id": "M-1", "source": "court"}]
    archivist.edit(placed, external_ids=ids)
    assert reading.poll() == [("hold.placed", "DONE")]
    archivist.edit(placed, outcome_note="a word more")
    assert reading.poll() == []
    (hold,) = reading.holds()
    assert hold.matter == "M-1"
    assert len(reading.journal.held_documents(hold.id)) == 2
    archivist.ask(uris[:1], event_type=RELEASED, outcome="pass")
    assert reading.poll() == [("hold.released", "REFUSED")]
    assert [item.id for item in reading.holds()] == [hold.id], "it is on another document too"
    archivist.ask(uris, event_type=RELEASED, outcome="pass")
    assert reading.poll() == [("hold.released", "DONE")]
    assert reading.holds() == []
    archivist.ask(uris, event_type=RELEASED, outcome="pass")
    assert reading.poll() == [("hold.released", "REFUSED")]


def test_a_hold_and_its_release_in_one_look(reading: Reading) -> None:
    uris = [reading.uri(0)]
    reading.archivist.ask(uris, event_type=PLACED, outcome="pass")
    reading.archivist.ask(uris, event_type=RELEASED, outcome="pass")
    assert reading.poll() == [("hold.placed", "DONE"), ("hold.released", "DONE")]
    assert reading.holds() == []
    assert len(reading.holds(released=True)) == 1


def test_end_dates(reading: Reading) -> None:
    uri = reading.uri(0)
    ours = reading.archivist.read(uri)["rights_statements"]
    kept = ours[0]["end_date"]

    def write(end: str) -> None:
        act = {**ours[0]["acts"][0], "end_date": end}
        statement = {**ours[0], "end_date": end, "acts": [act]}
        if not end:
            del statement["end_date"], act["end_date"]
        reading.archivist.edit(uri, rights_statements=[statement])

    write("1999-01-01" if kept > "2027" else "2026-12-01")
    assert reading.poll() == [("retention.cut", "DONE")]
    assert reading.holds() == []
    write(kept)
    assert reading.poll() == [("retention.restored", "DONE")]
    write("2099-01-01")
    assert reading.poll() == [("retention.extended", "DONE")]
    (hold,) = reading.holds()
    assert hold.source == "archivesspace"
    write("")
    assert reading.poll() == [("retention.extended", "REFUSED")]
    write(kept)
    assert reading.poll() == [("retention.restored", "DONE")]
    assert reading.holds() == [hold], "until somebody releases it"
    reading.archivist.edit(uri, rights_statements=[])
    assert reading.poll() == [("retention.removed", "DONE")]
    assert reading.poll() == []


def test_records_that_go_and_come_back(reading: Reading) -> None:
    reading.archivist.suppress(reading.uri(1))
    reading.archivist.delete(reading.uri(0))
    found = reading.poll()
    assert found == [("record.deleted", "DONE")], "the delete feed tells at once"
    feedback_of(reading.line.works).poll()
    reading.journal.record_look("sweep:RETAIL", {"begun": 0}, 1.0)
    assert reading.poll() == [("record.suppressed", "DONE")]
    reading.journal.record_look("sweep:RETAIL", {"begun": 0}, 1.0)
    assert reading.poll() == []
    reading.archivist.suppress(reading.uri(1), hidden=False)
    assert reading.poll() == [("record.back", "DONE")]
    # Hiding saves no version: that it is done again is another fact all the same.
    for hidden, kind in ((True, "record.suppressed"), (False, "record.back")) * 2:
        reading.archivist.suppress(reading.uri(1), hidden=hidden)
        reading.journal.record_look("sweep:RETAIL", {"begun": 0}, 1.0)
        assert reading.poll() == [(kind, "DONE")]
        reading.journal.record_look("sweep:RETAIL", {"begun": 0}, 1.0)
        assert reading.poll() == []


def test_a_record_that_is_moved_to_another_repository_is_told_once(reading: Reading) -> None:
    other = reading.sandbox.add_repository("TWO", "Two")
    uri = reading.uri(0)
    reading.move(uri, other)
    assert reading.poll() == [("record.transferred", "DONE")]
    (told,) = reading.journal.facts(kind=FactKind.RECORD_TRANSFERRED)
    moved = f"{other}/digital_objects/{uri.rpartition('/')[2]}"
    assert (told.uri, told.body["from"]) == (moved, uri)
    assert told.identity == reading.rows[0].document.identity
    for _ in range(2):  # the sweep and the delete feed meet it again, and say nothing
        reading.journal.record_look("sweep:RETAIL", {"begun": 0}, 1.0)
        reading.journal.record_look("deleted", {"at": 0}, 1.0)
        assert reading.poll() == []
    reading.move(moved, "/repositories/2")
    reading.journal.record_look("sweep:RETAIL", {"begun": 0}, 1.0)
    assert reading.poll() == [("record.transferred", "DONE")]
    assert reading.poll() == []
    assert reading.journal.facts(kind=FactKind.RECORD_TRANSFERRED)[-1].uri == uri
    reading.move(uri, other)
    reading.journal.record_look("sweep:RETAIL", {"begun": 0}, 1.0)
    assert reading.poll() == [("record.transferred", "DONE")]
    assert reading.poll() == []
    assert reading.journal.facts(kind=FactKind.RECORD_TRANSFERRED)[-1].uri == moved


def test_records_of_others_are_left_alone(reading: Reading) -> None:
    theirs = reading.archivist.describe("theirs")
    reading.archivist.edit(theirs, rights_statements=[hold_statement()])
    reading.archivist.ask([theirs], event_type=PLACED, outcome="pass")
    reading.archivist.describe("hf-" + "0" * 64)
    assert reading.poll() == []


@pytest.mark.parametrize("skew", [-3 * 86_400.0, 0.0, 40 * 86_400.0])
def test_clocks_may_differ(reading: Reading, skew: float) -> None:
    state = reading.sandbox._state
    before, now = state.clock, [state.clock() + skew]
    state.clock = lambda: now[0]
    try:
        reading.archivist.log_in()  # it was away for long
        if skew > 0:
            assert reading.poll() == []
        now[0] += 5
        reading.state(reading.uri(0), theirs=[hold_statement("one")])
        if skew < 0:  # set back: the look at every record finds it
            reading.journal.record_look("sweep:RETAIL", {"begun": 0}, 1.0)
        assert reading.poll() == [("hold.placed", "DONE")]
        assert reading.poll() == []
    finally:
        state.clock = before


# -- carrying out ---------------------------------------------------------------------------
class Deciding:
    """Disposals that are decided, and what was asked for."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.journal = journal
        self.asked: list[tuple[str, str, str]] = []
        self.fault: Exception | None = None

    def approve(self, disposal_id: str, *, actor: str, authority: str) -> None:
        self._note("approve", disposal_id, actor)
        with self.journal._db.writing() as conn:
            conn.execute(
                "UPDATE disposals SET state = 'APPROVED', approved_by = ? WHERE id = ?",
                (actor, disposal_id),
            )

    def withdraw(self, disposal_id: str, *, actor: str, reason: str) -> None:
        self._note("withdraw", disposal_id, actor)

    def _note(self, what: str, disposal_id: str, actor: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.asked.append((what, disposal_id, actor))


DISPOSAL = "disposal-0123456789ab"


@pytest.fixture
def deciding(reading: Reading) -> Deciding:
    made = Deciding(reading.journal)
    with reading.journal._db.writing() as conn:
        conn.execute(
            "INSERT INTO disposals (id, state, proposed_by, created_at, updated_at)"
            " VALUES (?, 'PROPOSED', 'clerk', 1, 1)",
            (DISPOSAL,),
        )
    feedback_of(reading.line.works)._decisions = made
    return made


def proposal(reading: Reading, disposal: str = DISPOSAL) -> str:
    """As `disposal propose` has it in ArchivesSpace."""
    token = log_in(reading.sandbox.url)
    agent = call(reading.sandbox.url, "/users/current-user", token)["agent_record"]["ref"]
    event = {
        "jsonmodel_type": "event",
        "event_type": "appraisal",
        "outcome": "pending",
        "refid": f"hf:{disposal}",
        "external_ids": [own_id(f"hf:{disposal}")],
        "timestamp": "2026-07-01T00:00:00Z",
        "linked_agents": [{"role": "executing_program", "ref": agent}],
        "linked_records": [{"role": "source", "ref": reading.uri(0)}],
    }
    return str(call(reading.sandbox.url, "/repositories/2/events", token, event)["uri"])


@pytest.mark.parametrize(("outcome", "what"), [("pass", "approve"), ("fail", "withdraw")])
def test_a_disposal_is_decided(
    reading: Reading, deciding: Deciding, outcome: str, what: str
) -> None:
    uri = proposal(reading)
    assert reading.poll() == []
    reading.archivist.edit(uri, outcome=outcome)
    kind = "disposal.approved" if outcome == "pass" else "disposal.refused"
    assert reading.poll() == [(kind, "DONE")]
    reading.archivist.edit(uri, outcome_note="in order")
    assert reading.poll() == []
    assert deciding.asked == [(what, DISPOSAL, ARCHIVIST)]


def test_a_decision_of_nobody_elses(reading: Reading, deciding: Deciding) -> None:
    uri = proposal(reading)
    token = log_in(reading.sandbox.url)
    event = call(reading.sandbox.url, uri, token)
    call(reading.sandbox.url, uri, token, {**event, "outcome": "pass"})
    other = proposal(reading, "disposal-ffffffffffff")
    reading.archivist.edit(other, outcome="pass")
    assert reading.poll() == []
    assert deciding.asked == []


def test_a_refusal_is_remembered(reading: Reading, deciding: Deciding) -> None:
    deciding.fault = OperatorFault("the approver proposed it", code="disposal.same")
    reading.archivist.edit(proposal(reading), outcome="pass")
    assert reading.poll() == [("disposal.approved", "REFUSED")]
    (fact,) = reading.journal.facts(kind=FactKind.DISPOSAL_APPROVED)
    assert "proposed it" in fact.reason


@pytest.mark.parametrize(
    "fault", [Transient("busy"), OperatorFault("no such disk", code="store.root")]
)
def test_what_cannot_be_done_now_waits_and_holds_up_no_other(
    reading: Reading, deciding: Deciding, fault: Exception
) -> None:
    deciding.fault = fault
    reading.archivist.edit(proposal(reading), outcome="pass")
    reading.state(reading.uri(1), theirs=[hold_statement("one")])
    assert sorted(reading.poll()) == [("disposal.approved", "WAITING"), ("hold.placed", "DONE")]
    deciding.fault = None
    with reading.journal._db.writing() as conn:
        conn.execute("UPDATE facts SET next_at = 1 WHERE next_at IS NOT NULL")
    assert reading.poll() == []
    (fact,) = reading.journal.facts(kind=FactKind.DISPOSAL_APPROVED)
    assert fact.state is FactState.DONE
    assert fact.attempts


def test_who_may_not_release_does_not(reading: Reading) -> None:
    feedback = feedback_of(reading.line.works)
    reading.state(reading.uri(0), theirs=[hold_statement("one")])
    assert reading.poll() == [("hold.placed", "DONE")]
    feedback._may = nobody_may
    reading.state(reading.uri(0), theirs=[])
    assert reading.poll() == [("hold.released", "REFUSED")]
    assert len(reading.holds()) == 1


def nobody_may(*_: object) -> None:
    raise OperatorFault("they may not", code="role.refused")


def test_a_release_that_was_refused_is_in_the_way_of_no_other(reading: Reading) -> None:
    feedback, archivist = feedback_of(reading.line.works), reading.archivist
    anybody_may = feedback._may
    uris = [reading.uri(0)]
    archivist.ask(uris, event_type=PLACED, outcome="pass")
    assert reading.poll() == [("hold.placed", "DONE")]
    feedback._may = nobody_may
    first = archivist.ask(uris, event_type=RELEASED, outcome="pass")
    assert reading.poll() == [("hold.released", "REFUSED")]
    assert reading.poll() == []
    second = archivist.ask(uris, event_type=RELEASED, outcome="pass")
    assert reading.poll() == [("hold.released", "REFUSED")]
    assert len(reading.holds()) == 1
    feedback._may = anybody_may
    archivist.edit(second, outcome_note="now with the role")
    assert reading.poll() == [("hold.released", "DONE")]
    assert reading.holds() == []
    archivist.edit(first, outcome_note="a word more")
    assert [state for _, state in reading.poll()] == ["REFUSED"], "there is nothing to release"
    assert len(reading.holds(released=True)) == 1
    reading.journal.verify_chain()


def test_a_hold_released_by_event_is_placed_again_by_another(reading: Reading) -> None:
    uris = [reading.uri(0)]
    reading.archivist.ask(uris, event_type=PLACED, outcome="pass")
    released = reading.archivist.ask(uris, event_type=RELEASED, outcome="pass")
    assert reading.poll() == [("hold.placed", "DONE"), ("hold.released", "DONE")]
    reading.archivist.ask(uris, event_type=PLACED, outcome="pass")
    assert reading.poll() == [("hold.placed", "DONE")]
    reading.archivist.edit(released, outcome_note="for this one too")
    assert reading.poll() == [("hold.released", "DONE")], "saved again, it says so again"
    assert reading.holds() == []


def test_a_decision_after_one_that_was_refused(reading: Reading, deciding: Deciding) -> None:
    uri = proposal(reading)
    deciding.fault = OperatorFault("they may not approve", code="role.refused")
    reading.archivist.edit(uri, outcome="pass")
    assert reading.poll() == [("disposal.approved", "REFUSED")]
    assert reading.poll() == []
    deciding.fault = None
    reading.archivist.edit(uri, outcome="pending")
    assert reading.poll() == []
    reading.archivist.edit(uri, outcome="pass")
    assert reading.poll() == [("disposal.approved", "DONE")]
    reading.archivist.edit(uri, outcome_note="in order")
    assert reading.poll() == [], "it was done"
    assert deciding.asked == [("approve", DISPOSAL, ARCHIVIST)]


def test_a_destroyed_document_keeps_no_hold_from_the_others(reading: Reading) -> None:
    """An event on a unit names its documents; one of them has been destroyed since."""
    gone, kept = reading.rows[0].document.identity, reading.rows[1].document.identity

    class Destroyed:
        def __init__(self, journal: SqliteJournal) -> None:
            self._journal = journal

        def destroyed_among(self, names: list[str]) -> list[object]:
            return [type("Gone", (), {"identity": name}) for name in names if name == gone]

        def __getattr__(self, name: str) -> Any:
            return getattr(self._journal, name)

    feedback_of(reading.line.works)._journal = Destroyed(reading.journal)  # type: ignore[assignment]
    reading.archivist.ask([reading.uri(0), reading.uri(1)], event_type=PLACED, outcome="pass")
    assert reading.poll() == [("hold.placed", "DONE")]
    (hold,) = reading.holds()
    assert list(reading.journal.held_documents(hold.id)) == [kept]


def test_a_record_that_is_made_again_releases_no_hold(reading: Reading) -> None:
    """The server lost it, and with it the statement that an archivist had made there."""
    works, row = reading.line.works, reading.rows[0]
    reading.state(reading.uri(0), theirs=[hold_statement("hold:matter-77")])
    assert reading.poll() == [("hold.placed", "DONE")]
    (hold,) = reading.holds()
    reading.archivist.delete(reading.uri(0))
    works.replay.compare(verify=True)
    assert run_line(reading.line)
    again = works.journal.get_document(row.document.identity)
    assert again is not None
    assert again.record_uri not in (None, row.record_uri)
    assert ("hold.released", "REFUSED") in reading.poll()
    assert reading.holds() == [hold]
    told = [item["identifier"] for item in statements_of(reading, again.record_uri)]
    assert any(hold.id in name for name in told), "an archivist sees it there"
    # Nor does whoever edits that record later.
    reading.archivist.edit(str(again.record_uri), title="Another title")
    assert reading.poll() == []
    assert reading.holds() == [hold]


def test_a_restored_server_is_told_again_what_it_was_told_since(reading: Reading) -> None:
    works, row, uri = reading.line.works, reading.rows[0], reading.uri(0)
    before = statements_of(reading, uri)
    identities = (row.document.identity,)
    works.holding.place(matter="M-1", criteria=Criteria(identities=identities), actor="ada")
    tell_all(reading)
    told, events = statements_of(reading, uri), reading.archivist.events()
    assert len(told) == len(before) + 1
    reading.archivist.edit(uri, rights_statements=before)  # as it was in the backup
    reading.archivist.delete(events[-1]["uri"])
    assert works.replay.compare().told_again == 0
    assert works.replay.compare(since=0.0, folder="hot").told_again == 0
    assert works.replay.compare(since=0.0).told_again >= 2
    tell_all(reading)
    assert [item["identifier"] for item in statements_of(reading, uri)] == [
        item["identifier"] for item in told
    ]
    assert {item["refid"] for item in reading.archivist.events()} == {
        item["refid"] for item in events
    }
    assert len(reading.archivist.events()) == len(events)


def tell_all(reading: Reading) -> None:
    """Changes of records, then the events that tell of them."""
    works = reading.line.works
    while works.journal.has_changes_due(inf):
        works.amend.step()
    while works.tell.step():
        pass


def test_a_hold_on_the_record_of_a_corrupt_spool_is_placed(reading: Reading) -> None:
    """It may be released, and be destroyed, before every record is looked at again."""
    row, uri = reading.rows[0], reading.uri(0)
    fault = Fault(code="store.fixity", message="x", remedy="x")
    reading.journal.set_aside(row.spool_id, SpoolState.CORRUPT, [fault], 10.0)
    reading.state(uri, theirs=[hold_statement("hold:matter-77")])
    assert reading.poll() == [("hold.placed", "DONE")]
    (hold,) = reading.holds()
    assert reading.journal.held_documents(hold.id) == [row.document.identity]
    assert reading.poll() == []
    reading.journal.release(row.spool_id, "mended", 11.0)
    assert reading.poll() == []
    reading.state(uri, theirs=[])
    assert reading.poll() == [("hold.released", "DONE")]
    assert reading.holds() == []


def statements_of(reading: Reading, uri: str | None) -> Any:
    return reading.archivist.read(str(uri))["rights_statements"]


def test_a_hold_stays_one_when_its_document_comes_again(reading: Reading) -> None:
    row, uri, journal = reading.rows[0], reading.uri(0), reading.journal
    reading.state(uri, theirs=[hold_statement("hold:matter-77")])
    assert reading.poll() == [("hold.placed", "DONE")]
    (hold,) = reading.holds()
    fault = Fault(code="store.fixity", message="x", remedy="x")
    journal.set_aside(row.spool_id, SpoolState.CORRUPT, [fault], 10.0)
    write_drops(reading.root / "hot", good=5)
    assert run_line(reading.line)
    again = journal.get_document(row.document.identity)
    assert again is not None
    assert (again.spool_id != row.spool_id, again.record_uri) == (True, uri)
    assert journal.holds_of(row.document.identity)[0].id == hold.id
    reading.archivist.edit(uri, title="Another title")
    assert reading.poll() == []
    assert [item.id for item in reading.holds()] == [hold.id]
    reading.state(uri, theirs=[])
    assert reading.poll() == [("hold.released", "DONE")]
    assert reading.holds() == []


def test_a_server_that_is_silent_is_waited_for_once_in_a_step(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    feedback = feedback_of(reading.line.works)
    asked: list[str] = []

    def wait_in_vain(*where: object) -> Iterator[ChangePage]:
        asked.append(str(where))
        raise Transient("nobody answers")

    for question in ("find_changes", "find_deleted", "look_at"):
        monkeypatch.setattr(feedback._desk, question, wait_in_vain)
    raised = False
    while not raised:
        before = len(asked)
        try:
            feedback.step()
        except Transient:
            raised = True
        assert len(asked) - before <= 1
    assert len(asked) >= 2, "the other lists are tried all the same"
