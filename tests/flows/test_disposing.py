"""What is destroyed, what is not, and what is left of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from hotfolder.core.clocks import NewEvent
from hotfolder.core.disposals import DisposalState, DueFilter, Standing, Tombstone
from hotfolder.core.errors import HotfolderError, OperatorFault, Transient
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import Inspection, Reading, Role, StoredObject
from hotfolder.core.retention import Subject
from hotfolder.core.tombstones import read_tombstone
from hotfolder.journal.journal import SqliteJournal
from tests.support.disposal import SCHEDULE, TODAY, DisposalWorld, hold, make_class, moment
from tests.support.journals import FAULT, UNIT, confirm, make_document, make_row, read, spool_id
from tests.support.spools import make_request


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DisposalWorld]:
    found = DisposalWorld(tmp_path)
    yield found
    found.close()


def standings(world: DisposalWorld, wanted: DueFilter | None = None) -> dict[str, Standing]:
    found, _ = world.journal.due_documents(wanted or DueFilter(), TODAY)
    return {item.identity: item.standing for item in found}


def until_idle(world: DisposalWorld) -> None:
    """The daemon's loop, until there is nothing more to do."""
    while world.flow.step() == 0.0:
        pass


def refused(world: DisposalWorld, disposal: str) -> str:
    with pytest.raises(HotfolderError) as found:
        world.flow.begin(disposal, actor="cem")
    row = world.journal.get_disposal(disposal)
    assert row is not None
    assert row.state is DisposalState.APPROVED
    return found.value.code


# -- what is due ----------------------------------------------------------------------
def test_what_is_due_and_what_stands_in_the_way(world: DisposalWorld) -> None:
    (due,) = world.add(1, "D")
    world.add(2, "L")
    (review,) = world.add(3, "R")
    (keep,) = world.add(4, "K")
    world.add(5, None)
    (held,) = world.add(6, "D", customer="C-held")
    pending, _, other = world.add(7, "D", "L", "D")
    hold(world, "1", customer_id="C-held")
    assert standings(world) == {
        due: Standing.DUE,
        review: Standing.DUE,
        keep: Standing.KEPT,
        held: Standing.HELD,
        pending: Standing.PENDING,
        other: Standing.PENDING,
    }
    assert set(standings(world, DueFilter(retention_class="R"))) == {review}
    assert standings(world, DueFilter(business_unit="other")) == {}


def test_the_last_day_of_retention_is_a_day_of_retention(world: DisposalWorld) -> None:
    (last,) = world.add(1, "D", issued=TODAY.replace(year=TODAY.year - 1))
    (before,) = world.add(2, "D", issued=date(2035, 2, 28))
    assert set(standings(world)) == {before}
    world.clock.time = moment(TODAY + timedelta(days=1))
    found, _ = world.journal.due_documents(DueFilter(), TODAY + timedelta(days=1))
    assert {item.identity for item in found} == {before, last}


def test_a_spool_with_a_document_that_is_kept_is_not_said_to_be_due(world: DisposalWorld) -> None:
    goes, kept = world.add(1, "D", "K")
    assert standings(world) == {goes: Standing.PENDING, kept: Standing.KEPT}
    assert world.outcomes(world.destroy()) == {goes: "withheld"}
    assert standings(world) == {goes: Standing.WITHHELD, kept: Standing.KEPT}
    found, _ = world.journal.due_documents(DueFilter(), TODAY)
    assert "1 documents of its spool are kept" in next(x.why for x in found if x.identity == goes)


def test_due_documents_come_in_pages(world: DisposalWorld) -> None:
    wanted = {world.add(number, "D")[0] for number in range(1, 8)}
    seen: list[str] = []
    after: tuple[str, int] | None = ("", 0)
    while after is not None:
        page, after = world.journal.due_documents(DueFilter(), TODAY, after=after, limit=2)
        seen += [item.identity for item in page]
    assert sorted(seen) == sorted(wanted)


# -- from the list to the certificate ---------------------------------------------------
def test_a_certificate_says_why_and_by_which_schedule(world: DisposalWorld) -> None:
    world.add(1, "D")
    (row,) = world.flow.propose(DueFilter(), [UNIT], actor="ada", reason="yearly")
    world.flow.approve(row.id, actor="ben", authority="the board")
    decided = world.digest()
    world.flow.begin(row.id, actor="cem")
    # The daemon that completes it was started with another configuration.
    world.schedule = {"D": make_class("D", 30)}
    world.journal.note_schedule(world.schedule, world.clock.now())
    assert world.make_flow().complete(row.id).reason == "yearly"
    data = world.journal.disposal_certificate(row.id)
    assert data is not None
    body = json.loads(data)["certificate"]
    assert body["reason"] == "yearly"
    assert body["schedule"]["sha256"] == decided
    (said,) = body["schedule"]["classes"]
    assert (said["class"], said["title"], said["mandate"]) == ("D", "Class D", "§ 147 AO")
    assert (said["period"], said["documents"]) == ("P1Y", 1)


def test_what_is_approved_is_destroyed_and_certified(world: DisposalWorld, tmp_path: Path) -> None:
    (gone,) = world.add(1, "D")
    (stays,) = world.add(2, "L")
    disposal = world.destroy()
    assert not world.is_there(1)
    assert world.is_there(2)
    row = world.journal.get_disposal(disposal)
    assert row is not None
    assert row.state is DisposalState.DONE
    assert dict(row.outcomes) == {"destroyed": 1}
    assert world.journal.get_document(gone) is None
    assert world.journal.get_document(stays) is not None
    assert world.journal.is_destroyed(gone)
    assert not world.journal.is_destroyed(stays)
    left = world.journal.destroyed_document(gone)
    assert left is not None
    assert (left.retention_class, left.class_version) == ("D", 1)
    assert left.certificate_sha256 == row.certificate_sha256
    stone = world.store.tombstone(spool_id(1))
    assert stone is not None
    assert [item.identity for item in read_tombstone(stone)] == [gone]
    assert {"spool.stored", "disposal.begun"} <= {
        item["action"] for item in json.loads(stone)["events"]
    }
    actions = [link.action for link in world.journal.audit(limit=10_000)]
    assert actions[-5:] == [
        "disposal.proposed",
        "disposal.approved",
        "disposal.begun",
        "document.destroyed",
        "disposal.done",
    ]
    certificate = world.journal.disposal_certificate(disposal)
    assert certificate is not None
    assert (tmp_path / "certificates" / f"{disposal}.json").read_bytes() == certificate
    body = json.loads(certificate)["certificate"]
    assert [item["identity"] for item in body["destroyed"]] == [gone]
    assert body["proposed"]["by"] == "ada"
    assert body["approved"]["by"] == "ben"
    assert body["executed"]["by"] == "cem"
    assert body["authority"] == "the board"
    assert body["schedule"]["classes"][0]["mandate"] == "§ 147 AO"
    assert (tmp_path / "certificates" / f"{disposal}.pdf").read_bytes().startswith(b"%PDF-")
    conn = sqlite3.connect(tmp_path / "journal.db")
    ((update,),) = conn.execute("SELECT body FROM updates WHERE kind = 'destroyed'")
    refids = [refid for (refid,) in conn.execute("SELECT refid FROM outbox ORDER BY number")]
    conn.close()
    assert json.loads(update) == {
        "disposal": disposal,
        "destroyed_on": "2036-03-01",
        "certificate_sha256": row.certificate_sha256,
    }
    assert refids == [disposal]  # that it is destroyed is told with the update
    world.journal.verify_chain()
    assert world.journal.check() == []


def test_nothing_is_left_where_rows_have_no_place(tmp_path: Path) -> None:
    """Pages of the journal, the index of words, the WAL, and drops that were the same."""
    world = DisposalWorld(tmp_path)
    # Twice: what is written behind the first disposal is overwritten as well.
    for start in (1, 101):
        for number in range(start, start + 15):
            world.add(number, "D", "D", customer=f"ZQCUST{number:04}")
        again = [row.document for row in world.journal.documents_of(spool_id(start))]
        found = read(world.journal, 900 + start, *again)
        assert found.state is SpoolState.DUPLICATE
        world.destroy()
        row = world.journal.get_spool(spool_id(900 + start))
        assert row is not None
        assert row.name == b"destroyed"
        left = (tmp_path / "journal.db").read_bytes() + (tmp_path / "journal.db-wal").read_bytes()
        for secret in (b"ZQCUST", b"Erika", b"erika", b"mustermann", b"bill%d" % (900 + start)):
            assert secret not in left, secret
    assert world.journal.check() == []
    world.close()


def test_what_was_rejected_before_it_was_archived_is_forgotten_with_it(tmp_path: Path) -> None:
    """ArchivesSpace refused it at first; it was corrected, and dropped again."""
    world = DisposalWorld(tmp_path)
    world.add(1, "D", customer="ZQCUST")
    (row,) = world.journal.documents_of(spool_id(1))
    world.close()
    (tmp_path / "other").mkdir()
    world = DisposalWorld(tmp_path / "other")
    read(world.journal, 900, row.document)
    refused = replace(FAULT, message="refused: ZQCUST")
    world.journal.set_aside(spool_id(900), SpoolState.REJECTED, [refused], 3.0)
    (gone,) = world.add(1, "D", customer="ZQCUST")
    assert gone == row.document.identity
    world.add(2, "D", customer="other")
    disposal = world.destroy()
    world.journal.forget_destroyed(disposal, world.clock.now())
    (left,) = world.journal.documents_of(spool_id(900))
    assert (left.document.metadata.customer_id, left.document.title) == (None, "statement")
    assert (left.disposition, left.spool_name) == ("kept", b"destroyed")
    assert world.journal.count_documents(DocumentQuery(words=("mustermann",))) == 0
    assert world.journal.check() == []
    with closing(sqlite3.connect(tmp_path / "other" / "journal.db")) as conn:
        for table, column in (("documents", "metadata"), ("spools", "faults")):
            rows = conn.execute(f"SELECT {column} FROM {table}").fetchall()
            assert "ZQCUST" not in str(rows), table
    world.close()


def test_a_log_that_is_being_read_is_emptied_later(world: DisposalWorld, tmp_path: Path) -> None:
    world.add(1, "D")
    log = tmp_path / "journal.db-wal"
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM documents").fetchone()
        disposal = world.destroy()
    row = world.journal.get_disposal(disposal)
    assert row is not None
    assert row.state is DisposalState.DONE  # it waits for nobody who only looks
    assert log.stat().st_size > 0
    world.flow.step()
    assert log.stat().st_size == 0


def test_nothing_personal_is_left(world: DisposalWorld, tmp_path: Path) -> None:
    first, _ = world.add(1, "D", "D", policy="P-77")
    (stays,) = world.add(2, "L")
    query = DocumentQuery(words=("mustermann",))
    assert world.journal.count_documents(query) == 3
    # The server has refused to be told of a hold, and quotes the record.
    hold(world, "1", identities=(first,))
    hold_id = world.journal.holds()[0].id
    (numbers,) = world.journal.hold_candidates(hold_id, 10)
    world.journal.add_members(hold_id, numbers, world.clock.now())
    world.journal.set_changes_aside([1], "refused: A-1-1 of P-77", world.clock.now())
    world.journal.release_hold(hold_id, "judge", "settled", world.clock.now())
    disposal = world.destroy()
    assert [row.document.identity for row in world.journal.find_documents(query, 10)] == [stays]
    assert world.journal.count_documents(DocumentQuery(customer_id="C-1")) == 0
    assert world.journal.count_documents(DocumentQuery(case_ref="case-1")) == 0
    for row in world.journal.documents_of(spool_id(1)):
        assert row.document.metadata.customer_name is None
        assert row.document.metadata.extra == {}
        assert row.document.title == "statement"
        assert row.spool_name == b"destroyed"
    world.journal.close()
    kept = b"".join(
        path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and "working" not in path.parts
    )
    for secret in (b"P-77", b"A-1-1", b"A-1-2", b"case-1", b"mueller-4711/1"):
        assert secret not in kept, secret
    # The other one is there still: the names of the first are not found by chance.
    assert b"A-2-1" in kept
    assert disposal.encode() in kept
    world.journal = type(world.journal)(str(tmp_path / "journal.db").encode())


def test_the_proposer_does_not_approve(world: DisposalWorld) -> None:
    world.add(1, "D")
    (row,) = world.flow.propose(DueFilter(), [UNIT], actor="ada")
    with pytest.raises(OperatorFault) as found:
        world.flow.approve(row.id, actor="ada")
    assert found.value.code == "disposal.same_person"
    refused = list(world.journal.audit())[-1]
    assert (refused.action, refused.details["duty"]) == ("access.refused", "approve")
    assert world.journal.disposals()[0].state is DisposalState.PROPOSED
    with pytest.raises(OperatorFault) as found:
        world.flow.begin(row.id, actor="ada")
    assert found.value.code == "disposal.state"
    assert world.is_there(1)


@pytest.mark.parametrize(
    "alias", ["archivesspace:ada", "Ada", r"BANK\ada", "ada@bank.example", r"BANK\ADA"]
)
def test_the_proposer_does_not_approve_by_another_account(world: DisposalWorld, alias: str) -> None:
    world.add(1, "D")
    for proposer, approver in (("ada", alias), (alias, "ada")):
        (row,) = world.flow.propose(DueFilter(), [UNIT], actor=proposer)
        with pytest.raises(OperatorFault) as found:
            world.flow.approve(row.id, actor=approver)
        assert found.value.code == "disposal.same_person"
        world.flow.withdraw(row.id, actor="ben")
    (row,) = world.flow.propose(DueFilter(), [UNIT], actor=alias)
    world.flow.approve(row.id, actor="archivesspace:adam")


def test_a_review_names_an_authority(world: DisposalWorld) -> None:
    world.add(1, "R")
    (row,) = world.flow.propose(DueFilter(), [UNIT], actor="ada")
    assert row.to_review == 1
    with pytest.raises(OperatorFault) as found:
        world.flow.approve(row.id, actor="ben", authority="  ")
    assert found.value.code == "disposal.authority"
    world.flow.approve(row.id, actor="ben", authority="board, 12 February")
    world.flow.begin(row.id, actor="cem")
    world.flow.complete(row.id)
    assert not world.is_there(1)


def test_a_document_is_on_one_open_list(world: DisposalWorld) -> None:
    (due,) = world.add(1, "D")
    (row,) = world.flow.propose(DueFilter(), [UNIT], actor="ada")
    assert standings(world) == {due: Standing.LISTED}
    assert world.flow.propose(DueFilter(), [UNIT], actor="ada") == []
    world.flow.withdraw(row.id, actor="ben", reason="not now")
    (again,) = world.flow.propose(DueFilter(), [UNIT], actor="ada")
    assert again.list_sha256 == row.list_sha256
    with pytest.raises(OperatorFault):
        world.flow.approve(row.id, actor="ben")


def test_a_list_has_whole_spools_up_to_its_size(world: DisposalWorld) -> None:
    world.add(1, "D", "D", "D")
    world.add(2, "D", "D")
    world.add(3, "D", "D", issued=date(2021, 1, 31))
    ids = {UNIT: "disposal-00000000000a"}
    (row,) = world.journal.propose_disposals(DueFilter(), ids, TODAY, 5, "ada", "", 1.0)
    assert row.documents == 5
    ids = {UNIT: "disposal-00000000000b"}
    (row,) = world.journal.propose_disposals(DueFilter(), ids, TODAY, 1, "ada", "", 1.0)
    assert row.documents == 2  # a spool with more is a list of its own


# -- what forbids it --------------------------------------------------------------------
def test_a_hold_after_the_approval_saves_its_document_alone(world: DisposalWorld) -> None:
    (held,) = world.add(1, "D", customer="C-held")
    (gone,) = world.add(2, "D")
    disposal = world.approved()
    hold(world, "1", customer_id="C-held")
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert world.outcomes(disposal) == {held: "excluded", gone: "destroyed"}
    assert world.is_there(1)
    assert not world.is_there(2)
    assert world.journal.get_document(held) is not None


def test_a_hold_on_the_record_of_a_whole_spool_saves_all_of_it(world: DisposalWorld) -> None:
    held = world.add(1, "D", "D", carried=True)
    (gone,) = world.add(2, "D")
    disposal = world.approved()
    hold(world, "1", identities=("hf-" + hashlib.sha256(b"carrier 1").hexdigest(),))
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    said = dict.fromkeys(held, "excluded")
    assert world.outcomes(disposal) == {**said, gone: "destroyed"}
    assert world.is_there(1)


@pytest.mark.parametrize("carried", [False, True])
def test_what_is_being_given_is_not_destroyed(world: DisposalWorld, carried: bool) -> None:
    (document,) = world.add(1, "D", carried=carried)
    (gone,) = world.add(2, "D")
    asked = "hf-" + hashlib.sha256(b"carrier 1").hexdigest() if carried else document
    disposal = world.approved()
    with world.journal._db.writing() as conn:
        conn.execute(
            "INSERT INTO orders (id, identity, profile, why, actor, state, created_at, updated_at)"
            " VALUES ('order-1', ?, 'desk', 'a question', 'ada', 'ORDERED', 1, 1)",
            (asked,),
        )
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    stays = "withheld" if carried else "excluded"
    assert world.outcomes(disposal) == {document: stays, gone: "destroyed"}
    assert world.is_there(1)
    with world.journal._db.writing() as conn:
        conn.execute("UPDATE orders SET state = 'FAILED', fate = 'the desk was closed'")
    second = world.destroy()
    assert world.outcomes(second) == {document: "destroyed"}
    assert not world.is_there(1)


def test_a_mark_in_the_store_alone_saves_it(world: DisposalWorld) -> None:
    (held,) = world.add(1, "D")
    disposal = world.approved()
    world.store.place_hold(spool_id(1), "hold-0123456789ab")
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert world.outcomes(disposal) == {held: "excluded"}
    assert world.is_there(1)


def test_a_hold_comes_too_late_for_what_is_being_destroyed(world: DisposalWorld) -> None:
    (gone,) = world.add(1, "D")
    world.flow.begin(world.approved(), actor="cem")
    with pytest.raises(OperatorFault) as found:
        hold(world, "1", identities=(gone,))
    assert found.value.code == "hold.too_late"


def test_dates_that_changed_since_save_it(world: DisposalWorld) -> None:
    (event,) = world.add(1, "E", policy="P-1")
    number = world.journal.record_events([_ended("P-1", date(2030, 1, 1))], world.clock.now())[0]
    world.compute()
    assert standings(world) == {event: Standing.DUE}
    disposal = world.approved()
    world.journal.record_events([_ended("P-1", date(2031, 1, 1))], world.clock.now())
    # Neither while it waits to be computed ...
    world.flow.begin(disposal, actor="cem")
    assert world.outcomes(disposal) == {event: "excluded"}
    world.flow.complete(disposal)
    # ... nor when it is due still, but not as it was approved.
    world.compute()
    disposal = world.approved()
    world.journal.withdraw_event(number + 1, "ada", "wrong", world.clock.now())
    world.compute()
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert world.outcomes(disposal) == {event: "excluded"}
    assert world.is_there(1)


def _ended(policy: str, day: date) -> NewEvent:
    return NewEvent(kind=Subject.POLICY, subject=policy, event="contract-end", day=day, actor="ada")


def test_another_schedule_stops_everything(world: DisposalWorld) -> None:
    world.add(1, "D")
    disposal = world.approved()
    other = {**SCHEDULE, "D": make_class("D", 90)}
    world.journal.note_schedule(other, world.clock.now())
    assert refused(world, disposal) == "disposal.computing"
    with pytest.raises(Transient):
        world.flow.propose(DueFilter(), [UNIT], actor="ada")
    while world.journal.compute_retention(other, 100, world.clock.now()) is not None:
        pass
    assert refused(world, disposal) == "disposal.schedule"
    world.schedule = other
    world.flow = world.make_flow()
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert set(world.outcomes(disposal).values()) == {"excluded"}
    assert world.is_there(1)


def test_a_spool_that_stands_aside_stays(world: DisposalWorld) -> None:
    (identity,) = world.add(1, "D")
    disposal = world.approved()
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], world.clock.now())
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert world.outcomes(disposal) == {identity: "excluded"}
    assert world.is_there(1)


def test_what_is_being_destroyed_stays_where_it_is(world: DisposalWorld) -> None:
    world.add(1, "D")
    world.flow.begin(world.approved(), actor="cem")
    with pytest.raises(ValueError, match="destroyed"):
        world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], world.clock.now())
    assert not world.journal.is_in_store(spool_id(1))


# -- today ------------------------------------------------------------------------------
def test_a_clock_that_jumped_destroys_nothing(world: DisposalWorld) -> None:
    world.add(1, "L", issued=date(2020, 1, 31))
    assert world.flow.step() > 0  # the daemon notes the day
    world.clock.time = moment(date(2066, 1, 1))
    world.flow.step()
    disposal = world.approved()
    assert refused(world, disposal) == "disposal.clock"
    # The days after it are no better, and the daemon makes none of them good.
    world.clock.time = moment(date(2066, 1, 2))
    world.flow.step()
    assert refused(world, disposal) == "disposal.clock"
    assert world.is_there(1)
    world.clock.time = moment(TODAY + timedelta(days=1))  # and set back
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert world.is_there(1)
    assert set(world.outcomes(disposal).values()) == {"excluded"}


def test_a_day_that_was_shown_too_early_is_believed_when_it_comes(world: DisposalWorld) -> None:
    world.add(1, "D")
    world.flow.step()
    early = TODAY + timedelta(days=6)
    for day, doubted in [(early, True), (TODAY + timedelta(days=3), False), (early, False)]:
        world.clock.time = moment(day)
        world.events.clear()
        world.flow.step()
        assert [name for name, _ in world.events if name == "clock.doubted"] == (
            ["clock.doubted"] if doubted else []
        )
    disposal = world.approved()
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert not world.is_there(1)


def test_a_person_vouches_for_the_day(world: DisposalWorld) -> None:
    world.add(1, "D")
    world.flow.step()
    world.clock.time = moment(TODAY + timedelta(days=200))
    disposal = world.approved()
    assert refused(world, disposal) == "disposal.clock"
    with pytest.raises(OperatorFault):
        world.flow.vouch(TODAY, actor="ada")
    world.flow.vouch(TODAY + timedelta(days=200), actor="ada")
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert not world.is_there(1)
    (link,) = [row for row in world.journal.audit(limit=1000) if row.action == "clock.vouched"]
    assert link.actor == "ada"


@pytest.mark.parametrize("action", ["operator.rebuild_begun", "operator.rebuild"])
def test_a_rebuilt_journal_destroys_nothing_until_somebody_says_so(
    world: DisposalWorld, action: str
) -> None:
    """It lacks the events by which a clock may have started later than the metadata say."""
    world.add(1, "D")
    assert not world.journal.resume_disposals("ada", "for nothing", 1.0)
    disposal = world.approved()
    world.journal.append_audit("ada", action, "journal", {}, 1.0)
    assert refused(world, disposal) == "disposal.rebuilt"
    assert world.is_there(1)
    assert world.journal.resume_disposals("ada", "events given again", 2.0)
    assert not world.journal.resume_disposals("ada", "twice", 3.0)
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert not world.is_there(1)
    world.journal.append_audit("ada", action, "journal", {}, 4.0)
    world.add(2, "D")
    assert refused(world, world.approved()) == "disposal.rebuilt"


def test_what_a_rebuild_found_twice_in_the_store_goes_with_it(world: DisposalWorld) -> None:
    """It had come again, because its spool was corrupt; that went with the old journal."""
    (name,) = world.add(1, "D")
    (row,) = world.journal.documents_of(spool_id(1))
    request = make_request(world.root / "working", 2, data=b"spool 1", name=b"mueller.pdf")
    (stored,) = world.store.write_spools([replace(request, spool_id=spool_id(2))])
    reading = Reading(
        spool_id=spool_id(2),
        sha256=request.sha256,
        size=request.size,
        inspection=Inspection(format_name="pdf", pages=1),
        documents=(row.document,),
    )
    world.journal.append_audit("ada", "operator.rebuild", "journal", {}, 19.0)
    assert world.journal.restore_spool(make_row(2), reading, stored, 20.0)
    world.journal.resume_disposals("ada", "events given again", 21.0)
    assert world.is_there(2)
    # A mark on the second holds both.
    world.store.place_hold(spool_id(2), "hold-0123456789ab")
    assert world.outcomes(world.destroy()) == {name: "excluded"}
    world.store.lift_hold(spool_id(2), "hold-0123456789ab")
    place = Path(world.store.roots[1].place_of(spool_id(2)).decode())
    backup, aside = (world.root / name / "object" for name in ("backup", "two.damaged"))
    shutil.copytree(place, backup)
    aside = aside.with_name(f"{spool_id(2)}-1")
    shutil.copytree(place, aside)  # it had been mended before
    disposal = world.destroy()
    assert world.outcomes(disposal) == {name: "destroyed"}
    assert not world.is_there(1)
    assert not world.is_there(2)
    assert not aside.exists()
    shutil.copytree(backup, place)
    assert world.flow.repeat(disposal) == 1
    assert not place.exists()


# -- spools with many documents ------------------------------------------------------------
@pytest.mark.parametrize("carried", [False, True])
def test_a_spool_lives_as_long_as_its_longest_document(world: DisposalWorld, carried: bool) -> None:
    short, long = world.add(1, "D", "L", carried=carried)
    first = world.destroy()
    assert world.outcomes(first) == {short: "withheld"}
    assert world.is_there(1)
    row = world.journal.get_document(short)
    assert row is not None
    assert row.disposition == "withheld"
    assert standings(world) == {short: Standing.WITHHELD}
    assert world.flow.propose(DueFilter(), [UNIT], actor="ada") == []
    world.clock.time = moment(date(2050, 2, 1))
    world.flow.vouch(date(2050, 2, 1), actor="ada")
    second = world.destroy()
    assert world.outcomes(second) == {short: "destroyed", long: "destroyed"}
    assert not world.is_there(1)
    assert world.journal.destroyed_document(short) is not None


def test_a_hold_on_one_holds_all_of_its_spool(world: DisposalWorld) -> None:
    one, held = world.add(1, "D", "D")
    hold(world, "1", identities=(held,))
    world.journal.add_members("hold-000000000001", [2], world.clock.now())
    disposal = world.destroy()
    assert world.outcomes(disposal) == {one: "withheld"}
    assert world.is_there(1)
    world.journal.release_hold("hold-000000000001", "judge", "settled", world.clock.now())
    second = world.destroy()
    assert world.outcomes(second) == {one: "destroyed", held: "destroyed"}
    assert not world.is_there(1)


def test_a_document_without_a_class_keeps_its_spool(world: DisposalWorld) -> None:
    one, _ = world.add(1, "D", None)
    assert world.outcomes(world.destroy()) == {one: "withheld"}
    assert world.is_there(1)


def test_a_withheld_document_with_a_new_date_is_given_again(world: DisposalWorld) -> None:
    one, _ = world.add(1, "E", "L", policy="P-1")
    world.journal.record_events([_ended("P-1", date(2030, 1, 1))], world.clock.now())
    world.compute()
    assert world.outcomes(world.destroy()) == {one: "withheld"}
    world.journal.record_events([_ended("P-1", date(2036, 1, 1))], world.clock.now())
    world.compute()
    row = world.journal.get_document(one)
    assert row is not None
    assert row.disposition == "kept"


# -- afterwards ----------------------------------------------------------------------------
def test_a_lost_unit_sends_nothing_that_was_destroyed(world: DisposalWorld) -> None:
    (gone,) = world.add(1, "D")
    row = world.journal.get_document(gone)
    assert row is not None
    assert row.unit_ref_id is not None
    world.destroy()
    world.journal.lose_documents([gone])
    world.journal.lose_unit(row.unit_ref_id, "restored from a backup", world.clock.now())
    assert world.journal.backlogs() == []


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("encrypted", [False, True])
def test_what_the_server_lost_is_sent_again_before_it_is_destroyed(
    world: DisposalWorld, carried: bool, encrypted: bool
) -> None:
    """Else its record would be made again, and nobody would tell of its end."""
    names = world.add(1, "D", *(["L"] if encrypted else []), carried=carried, encrypted=encrypted)
    row = world.journal.get_document(names[0])
    assert row is not None
    unit = row.unit_ref_id or plan_of(world, 1)
    disposal = world.approved()
    world.journal.lose_unit(unit, "restored from a backup", world.clock.now())
    assert standings(world)[names[0]] in (Standing.BLOCKED, Standing.LISTED)
    world.flow.begin(disposal, actor="cem")
    world.flow.complete(disposal)
    assert world.outcomes(disposal) == {names[0]: "excluded"}
    (why,) = {item.reason for item in world.journal.disposal_members(disposal)}
    assert "on its way to ArchivesSpace" in why
    (lost,) = world.journal.units([UnitState.PLANNED])
    confirm(world.journal, lost)
    assert world.outcomes(world.destroy()) == {names[0]: "destroyed"}
    assert world.journal.count_changes() == (1, 0)


def plan_of(world: DisposalWorld, number: int) -> str:
    """The unit of the record that stands for a spool."""
    rows = world.journal.iterate_documents(spool_id(number))
    (unit,) = {row.unit_ref_id for row in rows if row.unit_ref_id}
    assert unit is not None
    return unit


@pytest.mark.parametrize("codes", [("D", "D"), ("D", None)])
def test_a_record_of_a_spool_keeps_its_end_while_that_is_corrupt(
    world: DisposalWorld, codes: tuple[str | None, ...]
) -> None:
    """The schedule changes between the damage and its mending."""
    world.add(1, *codes, carried=True)
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    world.schedule = {**SCHEDULE, "D": make_class("D", 2)}
    world.journal.note_schedule(world.schedule, 11.0)
    world.compute()
    (carrier,) = (
        row
        for row in world.journal.iterate_documents(spool_id(1))
        if row.document.role == "carrier"
    )
    assert carrier.document.retain_until == date(2022, 1, 31)
    world.journal.release(spool_id(1), "mended", 12.0)
    world.compute()
    world.journal.record_receipted([spool_id(1)], 13.0)
    world.flow = world.make_flow()
    if None not in codes:
        assert set(world.outcomes(world.destroy()).values()) == {"destroyed"}


@pytest.mark.parametrize("carried", [False, True])
def test_what_changed_while_a_spool_was_corrupt_is_told_when_it_is_released(
    world: DisposalWorld, tmp_path: Path, carried: bool
) -> None:
    world.add(1, "D", carried=carried)
    world.add(2, "L")
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    world.schedule = {**SCHEDULE, "D": make_class("D", 2)}
    world.journal.note_schedule(world.schedule, 11.0)
    world.compute()

    def told() -> list[str]:
        with closing(sqlite3.connect(tmp_path / "journal.db")) as conn:
            rows = conn.execute("SELECT body FROM updates WHERE kind = 'retention'").fetchall()
        return [json.loads(body)["retain_until"] for (body,) in rows]

    assert told() == []
    world.journal.release(spool_id(1), "mended", 12.0)
    world.compute()
    assert told() == ["2022-01-31"]
    world.journal.set_aside(spool_id(2), SpoolState.CORRUPT, [FAULT], 13.0)
    world.journal.release(spool_id(2), "mended", 14.0)
    assert told() == ["2022-01-31"]


def test_a_record_of_a_spool_has_its_end_again_when_it_is_released(world: DisposalWorld) -> None:
    """Its documents were another spool's meanwhile, which was rejected."""
    world.add(1, "D", carried=True)
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    row = next(iter(world.journal.documents_of(spool_id(1))))
    read(world.journal, 2, replace(row.document, role=Role.OWN))
    world.schedule = {**SCHEDULE, "D": make_class("D", 2)}
    world.journal.note_schedule(world.schedule, 11.0)
    world.compute()
    world.journal.set_aside(spool_id(2), SpoolState.REJECTED, [FAULT], 12.0)
    world.journal.release(spool_id(1), "mended", 13.0)
    world.compute()
    world.journal.record_receipted([spool_id(1)], 14.0)
    world.flow = world.make_flow()
    assert set(world.outcomes(world.destroy()).values()) == {"destroyed"}


# -- what came again ----------------------------------------------------------------------
def test_what_lies_in_a_corrupt_spool_too_is_not_certified(world: DisposalWorld) -> None:
    """That copy stays in the store, and may be whole."""
    (name,) = world.add(1, "D")
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    world.add_again(2, 1)
    found, _ = world.journal.due_documents(DueFilter(), TODAY)
    (again,) = (item for item in found if item.spool_id == spool_id(2))
    assert (again.identity, again.standing) == (name, Standing.BLOCKED)
    assert spool_id(1) in again.why
    assert world.flow.propose(DueFilter(), [UNIT], actor="ada") == []


def test_a_corrupt_spool_whose_document_was_destroyed_since_is_not_released(
    world: DisposalWorld,
) -> None:
    (name,) = world.add(1, "D")
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    left = Tombstone(
        identity=name,
        disposal="disposal-0123456789ab",
        spool_id=spool_id(2),
        business_unit=UNIT,
        sha256="a" * 64,
        retention_class="D",
        class_version=1,
        cutoff=None,
        retain_until=None,
        begun_on=TODAY,
    )
    world.journal.restore_tombstones([left], 11.0)
    with pytest.raises(ValueError, match="destroyed since under disposal-0123456789ab"):
        world.journal.release(spool_id(1), "looked at", 12.0)


def test_what_was_left_out_of_a_spool_that_stays_is_not_certified(world: DisposalWorld) -> None:
    """A run was sent again with something new in it: its file has the document, too."""
    (name,) = world.add(1, "D")
    (beside,) = world.add_again(2, 1, "R")
    assert standings(world) == {name: Standing.BLOCKED, beside: Standing.DUE}
    found, _ = world.journal.due_documents(DueFilter(), TODAY)
    assert spool_id(2) in next(item.why for item in found if item.identity == name)
    assert world.flow.propose(DueFilter(retention_class="D"), [UNIT], actor="ada") == []
    disposal = world.approved()
    world.flow.begin(disposal, actor="cem")
    assert standings(world) == {name: Standing.BLOCKED}  # decided is not gone
    world.flow.complete(disposal)
    assert not world.is_there(2)
    assert standings(world) == {name: Standing.DUE}
    assert world.outcomes(world.destroy()) == {name: "destroyed"}


def test_what_comes_again_after_its_list_was_approved_is_excluded(world: DisposalWorld) -> None:
    (name,) = world.add(1, "D")
    disposal = world.approved()
    world.add_again(2, 1, "L")
    world.flow.begin(disposal, actor="cem")
    assert world.outcomes(disposal) == {name: "excluded"}
    assert world.is_there(1)


def test_a_spool_that_was_left_out_of_and_rejected_forbids_nothing(world: DisposalWorld) -> None:
    (name,) = world.add(1, "D")
    (row,) = world.journal.documents_of(spool_id(1))
    other = make_document("other", ordinal=2)
    read(world.journal, 900, row.document, other)
    assert standings(world) == {name: Standing.BLOCKED}
    world.journal.set_aside(spool_id(900), SpoolState.REJECTED, [FAULT], 13.0)
    assert standings(world) == {name: Standing.DUE}
    links = [link for link in world.journal.audit_of([name]) if link.action == "document.repeated"]
    assert [link.details for link in links] == [{"spool": spool_id(900)}]


def test_what_a_rebuild_leaves_out_of_a_spool_is_not_certified_either(
    world: DisposalWorld, tmp_path: Path
) -> None:
    """The first copy was CORRUPT, so all of it was the second's; a rebuild finds both."""
    (name,) = world.add(1, "D")
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    world.add_again(2, 1, "L")
    readings = [
        Reading(
            spool_id=spool_id(number),
            sha256=f"{number:064x}",
            size=7,
            inspection=Inspection(format_name="pdf", pages=1),
            documents=tuple(row.document for row in world.journal.documents_of(spool_id(number))),
        )
        for number in (1, 2)
    ]
    anew = SqliteJournal(str(tmp_path / "anew.db").encode())
    for number, reading in enumerate(readings, 1):
        stored = StoredObject(
            spool_id=spool_id(number),
            object_path="",
            content_sha256=reading.sha256,
            content_size=7,
        )
        assert anew.restore_spool(make_row(number), reading, stored, 20.0)
    links = [link for link in anew.audit_of([name]) if link.action == "document.repeated"]
    assert [link.details for link in links] == [{"spool": spool_id(2)}]
    anew.close()


def test_only_now_holds_what_comes_again_because_its_spool_is_corrupt(
    world: DisposalWorld,
) -> None:
    (name,) = world.add(1, "D", customer="C-1")
    hold(world, "1", customer_id="C-1", last_number=world.journal.last_document())
    (numbers,) = world.journal.hold_candidates("hold-000000000001", 10)
    world.journal.add_members("hold-000000000001", numbers, 9.0)
    world.journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 10.0)
    world.add_again(2, 1)
    assert standings(world) == {name: Standing.HELD}
    assert world.journal.spools_to_mark("hold-000000000001", 10) == [spool_id(1), spool_id(2)]


def test_a_backup_of_a_root_is_purged_once_more(world: DisposalWorld, tmp_path: Path) -> None:
    world.add(1, "D")
    place = Path(world.store.roots[1].place_of(spool_id(1)).decode())
    shutil.copytree(place, tmp_path / "working" / "backup")
    disposal = world.destroy()
    shutil.copytree(tmp_path / "working" / "backup", place)
    assert world.flow.repeat(disposal) == 1
    assert not place.exists()
    assert world.flow.repeat(disposal) == 0


def test_one_that_is_held_up_holds_up_no_other(world: DisposalWorld) -> None:
    world.add(1, "D")
    first = world.approved()
    world.flow.begin(first, actor="cem")
    world.store.place_hold(spool_id(1), "hold-0123456789ab")
    world.add(2, "D")
    second = world.approved()
    world.flow.begin(second, actor="cem")
    with pytest.raises(OperatorFault) as found:
        until_idle(world)
    assert found.value.code == "store.held"
    assert world.is_there(1)
    assert not world.is_there(2)
    assert world.flow.waits
    world.store.lift_hold(spool_id(1), "hold-0123456789ab")
    until_idle(world)
    assert not world.is_there(1)
    assert {row.state for row in world.journal.disposals()} == {DisposalState.DONE}
