"""What every ``Journal`` must do. A test class inherits ``JournalSuite`` and gives the
fixture ``reopen``: each call closes the one journal, if it is open, and opens it again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from hotfolder.core.errors import Corrupt, Fault
from hotfolder.core.identity import unit_ref_id
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.ports import Journal
from hotfolder.core.records import (
    ArchivedDocument,
    ArchivedUnit,
    Document,
    DocumentMetadata,
    Drop,
    ReadResult,
)
from tests.support.journals import (
    CYCLE,
    FAULT,
    PLACE,
    SERIES,
    UNIT,
    claim,
    confirm,
    make_document,
    make_drop,
    make_object,
    make_reading,
    make_row,
    make_sighting,
    plan,
    read,
    spool_id,
    store,
    store_many,
    uris,
)

Reopen = Callable[[], Journal]
S, U = SpoolState, UnitState


def state(journal: Journal, number: int) -> SpoolState:
    row = journal.get_spool(spool_id(number))
    assert row is not None
    return row.state


def path(journal: Journal, subject: str) -> list[str]:
    """The states that a subject went through."""
    return [step.new for step in journal.history(subject)]


def version(journal: Journal, number: int) -> tuple[int, str | None]:
    document = journal.documents_of(spool_id(number))[0].document
    return document.version, document.supersedes


class JournalSuite:
    """Inherit and give ``reopen``."""

    @pytest.fixture
    def journal(self, reopen: Reopen) -> Journal:
        return reopen()

    # -- claims ---------------------------------------------------------------------
    def test_claim_is_kept_as_it_was_made(self, reopen: Reopen) -> None:
        drop = Drop(
            folder="bills",
            spool=make_sighting(
                b"sub/\xff\n.pdf", inode=2**64 - 1, mtime=13_600_000_000_000_000_000
            ),
            sidecars=(make_sighting(b"sub/\xff.json"), make_sighting(b"b.xml")),
            trigger=make_sighting(b"sub/\xff\n.done"),
            settled_by="trigger",
            shared=(b"metadata.csv",),
            faults=(FAULT,),
        )
        reopen().begin_claims([(spool_id(1), UNIT, drop)], 5.25)
        row = reopen().get_spool(spool_id(1))
        assert row is not None
        assert (row.state, row.folder, row.business_unit) == (S.CLAIMING, "bills", UNIT)
        assert (row.name, row.trigger) == (b"sub/\xff\n.pdf", b"sub/\xff\n.done")
        assert row.sidecars == (b"sub/\xff.json", b"b.xml")
        assert row.shared == (b"metadata.csv",)
        assert (row.inode, row.mtime_ns, row.size) == (2**64 - 1, 13_600_000_000_000_000_000, 10)
        assert (row.settled_by, row.created_at, row.faults) == ("trigger", 5.25, (FAULT,))
        assert (row.attempts, row.next_at, row.held_from, row.sha256) == (0, None, None, None)

    @pytest.mark.parametrize("mtime", [0, -1, -(2**61), 2**63 - 1, 2**63, 2**64 - 2**62 - 1])
    @pytest.mark.parametrize("inode", [0, 2**63 - 1, 2**63])
    def test_numbers_of_the_kernel_are_kept(self, journal: Journal, mtime: int, inode: int) -> None:
        drop = Drop(folder="bills", spool=make_sighting(b"a", inode=inode, mtime=mtime))
        journal.begin_claims([(spool_id(1), UNIT, drop)], 1)
        row = journal.get_spool(spool_id(1))
        assert row is not None
        assert (row.inode, row.mtime_ns) == (inode, mtime)

    @pytest.mark.parametrize("mtime", [10**40, -(10**40)])
    def test_time_beyond_all_file_systems_does_not_stop_a_claim(
        self, journal: Journal, mtime: int
    ) -> None:
        drop = Drop(folder="bills", spool=make_sighting(b"a", mtime=mtime))
        journal.begin_claims([(spool_id(1), UNIT, drop)], 1)
        assert state(journal, 1) is S.CLAIMING

    def test_claims_are_finished_or_abandoned(self, reopen: Reopen) -> None:
        journal = reopen()
        journal.begin_claims([(spool_id(n), UNIT, make_drop(n)) for n in (1, 2, 3)], 1)
        journal.finish_claims([spool_id(1), spool_id(3)], 2)
        journal.abandon_claims([spool_id(2)], "vanished", 3)
        journal = reopen()
        assert [state(journal, n) for n in (1, 2, 3)] == [S.CLAIMED, S.ABANDONED, S.CLAIMED]
        last = journal.history(spool_id(2))[-1]
        assert (last.at, last.old, last.new, last.reason) == (
            3,
            "CLAIMING",
            "ABANDONED",
            "vanished",
        )
        assert journal.history(spool_id(1))[0].old is None

    def test_batch_with_one_illegal_move_changes_nothing(self, journal: Journal) -> None:
        journal.begin_claims([(spool_id(n), UNIT, make_drop(n)) for n in (1, 2)], 1)
        journal.finish_claims([spool_id(2)], 2)
        for batch in ([1, 2], [1, 9], [1, 1]):
            with pytest.raises(ValueError, match=r"spool|one is"):
                journal.finish_claims([spool_id(n) for n in batch], 3)
        assert path(journal, spool_id(1)) == ["CLAIMING"]
        with pytest.raises(ValueError, match="UNIQUE"):
            journal.begin_claims([(spool_id(n), UNIT, make_drop(n)) for n in (5, 2)], 4)
        assert journal.get_spool(spool_id(5)) is None

    def test_nothing_to_do_is_no_fault(self, journal: Journal) -> None:
        journal.begin_claims([], 1)
        journal.finish_claims([], 1)
        journal.abandon_claims([], "", 1)
        assert journal.record_readings([], 1) == []
        journal.record_stored([], 1)
        journal.record_receipted([], 1)
        journal.defer_spools([], "x", 2, 1)
        journal.lose_documents([])
        assert journal.confirm_documents({}, 1) == []
        assert journal.hasten([], 1) == 0

    # -- readings ---------------------------------------------------------------------
    def test_document_is_kept_as_it_was_read(self, reopen: Reopen) -> None:
        journal = reopen()
        metadata = DocumentMetadata(
            customer_id="C \x00\U0001f600",
            customer_name="Ø",
            account_number="A",
            policy_number="P",
            document_type="bill",
            issue_date=date(2026, 6, 30),
            channel="post",
            case_refs=("K-1", "K-2", "K-1"),
            retention_class="R7",
            trigger_date=date(1, 1, 1),
            access=("hr",),
            declared_size=10**30,
            extra={"Ä": ("1", "2")},
        )
        document = replace(
            make_document("a", metadata=metadata), retain_until=date(2033, 1, 1), title="<b>"
        )
        result = read(journal, 1, document)
        assert result == ReadResult(spool_id=spool_id(1), state=S.READ, documents=1)
        (row,) = reopen().documents_of(spool_id(1))
        assert row.document == document
        assert (row.spool_id, row.spool_name, row.format_name) == (
            spool_id(1),
            b"bill1.pdf",
            "pdf",
        )
        assert row.spool_sha256 == make_reading(1).sha256
        assert (row.unit_ref_id, row.record_uri, row.archived_at) == (None, None, None)
        spool = reopen().get_spool(spool_id(1))
        assert spool is not None
        assert (spool.pages, spool.format_name, spool.sha256) == (2, "pdf", row.spool_sha256)

    @pytest.mark.parametrize(
        "first", [S.READ, S.STORED, S.DELIVERED, S.DONE, S.HELD], ids=lambda item: item.value
    )
    def test_same_identity_is_a_duplicate(self, journal: Journal, first: SpoolState) -> None:
        document = make_document("a")
        bring_to(journal, 1, document, first)
        result = read(journal, 2, document)
        assert result == ReadResult(
            spool_id=spool_id(2), state=S.DUPLICATE, first_spool_id=spool_id(1)
        )
        row = journal.get_spool(spool_id(2))
        assert row is not None
        assert (row.state, row.first_spool_id) == (S.DUPLICATE, spool_id(1))
        assert journal.documents_of(spool_id(2)) == []
        assert state(journal, 1) is first

    @pytest.mark.parametrize("first", [S.REJECTED, S.CORRUPT], ids=lambda item: item.value)
    @pytest.mark.parametrize("left", [S.READ, S.STORED], ids=lambda item: item.value)
    def test_what_stands_aside_is_no_first(
        self, journal: Journal, first: SpoolState, left: SpoolState
    ) -> None:
        document = make_document("a")
        bring_to(journal, 1, document, left)
        journal.set_aside(spool_id(1), first, [FAULT], 7)
        assert read(journal, 2, document).state is S.READ
        found = journal.get_document(document.identity)
        assert found is not None
        assert found.spool_id == spool_id(2)
        assert version(journal, 2) == (1, None)

    def test_readings_of_one_call_see_each_other(self, journal: Journal) -> None:
        claim(journal, 1, 2, 3, 4)
        first, second = make_document("a", "1"), make_document("a", "2")
        results = journal.record_readings(
            [
                make_reading(1, first),
                make_reading(2, second),
                make_reading(3, first),
                make_reading(4, second),
            ],
            2,
        )
        assert [item.state for item in results] == [S.READ, S.READ, S.DUPLICATE, S.DUPLICATE]
        assert results[1].superseding == 1
        assert [item.first_spool_id for item in results[2:]] == [spool_id(1), spool_id(2)]

    def test_document_twice_in_one_spool_is_journalled_once(self, journal: Journal) -> None:
        document = make_document("a")
        read(journal, 1, document, replace(document, range=replace(document.range, ordinal=2)))
        assert [row.document.range.ordinal for row in journal.documents_of(spool_id(1))] == [1]

    def test_new_documents_beside_known_ones_are_journalled(self, journal: Journal) -> None:
        known, fresh = make_document("a"), make_document("b", ordinal=2)
        read(journal, 1, known)
        assert read(journal, 2, known, fresh).state is S.READ
        (row,) = journal.documents_of(spool_id(2))
        assert row.document == fresh

    def test_versions_supersede_one_another(self, journal: Journal) -> None:
        documents = [make_document("a", str(n)) for n in range(3)]
        results = [read(journal, n, document) for n, document in enumerate(documents)]
        assert [item.superseding for item in results] == [0, 1, 1]
        assert [version(journal, n) for n in range(3)] == [
            (1, None),
            (2, documents[0].identity),
            (3, documents[1].identity),
        ]

    def test_versions_within_one_spool(self, journal: Journal) -> None:
        first, second = make_document("a", "1"), make_document("a", "2", ordinal=2)
        assert read(journal, 1, first, second).superseding == 1
        assert [row.document.version for row in journal.documents_of(spool_id(1))] == [1, 2]

    def test_rejected_version_in_the_middle_leaves_the_chain_as_it_was_told(
        self, journal: Journal
    ) -> None:
        documents = [make_document("a", str(n)) for n in range(4)]
        for number in range(3):
            read(journal, number, documents[number])
        journal.set_aside(spool_id(1), S.REJECTED, [FAULT], 5)
        assert version(journal, 2) == (3, documents[1].identity)
        read(journal, 3, documents[3])
        assert version(journal, 3) == (4, documents[2].identity)

    def test_rejected_last_version_frees_its_number(self, journal: Journal) -> None:
        documents = [make_document("a", str(n)) for n in range(3)]
        for number in range(2):
            read(journal, number, documents[number])
        journal.set_aside(spool_id(1), S.REJECTED, [FAULT], 5)
        read(journal, 2, documents[2])
        assert version(journal, 2) == (2, documents[0].identity)

    def test_corrupt_version_keeps_its_number(self, journal: Journal) -> None:
        documents = [make_document("a", str(n)) for n in range(3)]
        for number in range(2):
            read(journal, number, documents[number])
        journal.set_aside(spool_id(1), S.CORRUPT, [FAULT], 5)
        read(journal, 2, documents[2])
        assert version(journal, 2) == (3, documents[1].identity)
        assert journal.release(spool_id(1), "looked", 6) is S.READ
        assert version(journal, 1) == (2, documents[0].identity)

    def test_same_document_again_takes_the_place_of_a_corrupt_one(self, journal: Journal) -> None:
        documents = [make_document("a", str(n)) for n in range(3)]
        for number in range(2):
            read(journal, number, documents[number])
        journal.set_aside(spool_id(1), S.CORRUPT, [FAULT], 5)
        read(journal, 2, documents[1])
        assert version(journal, 2) == (2, documents[0].identity)
        with pytest.raises(ValueError, match=f"taken since with spool {spool_id(2)}"):
            journal.release(spool_id(1), "looked", 6)
        assert state(journal, 1) is S.CORRUPT
        journal.set_aside(spool_id(2), S.REJECTED, [FAULT], 7)
        read(journal, 3, documents[2])
        assert version(journal, 3) == (2, documents[0].identity)
        assert journal.release(spool_id(1), "looked", 8) is S.READ
        assert version(journal, 1)[0] == 3

    def test_reading_of_a_spool_that_was_held_meanwhile_is_refused(self, journal: Journal) -> None:
        claim(journal, 1, 2)
        journal.set_aside(spool_id(2), S.HELD, [FAULT], 2)
        with pytest.raises(ValueError, match="HELD"):
            journal.record_readings(
                [make_reading(1, make_document("a")), make_reading(2, make_document("b"))], 3
            )
        assert [state(journal, n) for n in (1, 2)] == [S.CLAIMED, S.HELD]
        assert journal.get_document(make_document("a").identity) is None

    def test_reading_without_document_is_refused(self, journal: Journal) -> None:
        claim(journal, 1)
        with pytest.raises(ValueError, match="no document"):
            journal.record_readings([make_reading(1)], 3)

    # -- storing ----------------------------------------------------------------------
    def test_stored_documents_wait(self, reopen: Reopen) -> None:
        journal = reopen()
        store(journal, 1, make_document("a"), at=10)
        store(journal, 2, make_document("b"), at=11)
        store(journal, 3, make_document("c", cycle="2026-05"), at=9)
        (first, second) = reopen().backlogs()
        assert (first.business_unit, first.series, first.cycle) == (UNIT, SERIES, "2026-05")
        assert (first.waiting, first.oldest_at) == (1, 9)
        assert (second.cycle, second.waiting, second.oldest_at) == (CYCLE, 2, 10)
        assert reopen().status().oldest_waiting_at == 9

    def test_other_bytes_than_were_read_are_not_stored(self, journal: Journal) -> None:
        read(journal, 1, make_document("a"))
        with pytest.raises(ValueError, match="another checksum"):
            journal.record_stored([replace(make_object(1), content_sha256="0" * 64)], 3)
        journal.set_aside(spool_id(1), S.HELD, [FAULT], 4)
        with pytest.raises(ValueError, match="HELD"):
            journal.record_stored([make_object(1)], 5)
        assert state(journal, 1) is S.HELD
        assert journal.backlogs() == []

    # -- aside --------------------------------------------------------------------------
    def test_rejection_keeps_every_fault(self, reopen: Reopen) -> None:
        journal = reopen()
        claim(journal, 1)
        faults = (FAULT, Fault(code="sidecar.type", message="m", remedy="r", place="line 3"))
        journal.set_aside(spool_id(1), S.REJECTED, faults, 5)
        journal = reopen()
        row = journal.get_spool(spool_id(1))
        assert row is not None
        assert (row.state, row.faults, row.held_from) == (S.REJECTED, faults, None)
        assert journal.status().rejected_by_reason == {"sidecar.date": 1}
        for move in (S.HELD, S.CORRUPT, S.REJECTED):
            with pytest.raises(ValueError, match="may not move"):
                journal.set_aside(spool_id(1), move, [FAULT], 6)
        with pytest.raises(ValueError, match="neither held nor corrupt"):
            journal.release(spool_id(1), "", 7)

    @pytest.mark.parametrize("aside", [S.HELD, S.CORRUPT], ids=lambda item: item.value)
    @pytest.mark.parametrize("left", [S.CLAIMED, S.READ, S.STORED], ids=lambda item: item.value)
    def test_released_spool_goes_on_where_it_was(
        self, reopen: Reopen, aside: SpoolState, left: SpoolState
    ) -> None:
        journal = reopen()
        document = make_document("a")
        bring_to(journal, 1, document, left)
        journal.defer_spools([spool_id(1)], "disk", 99, 5)
        journal.set_aside(spool_id(1), aside, [FAULT], 6)
        journal = reopen()
        row = journal.get_spool(spool_id(1))
        assert row is not None
        assert (row.state, row.held_from, row.next_at) == (aside, left, None)
        assert journal.backlogs() == []
        assert journal.release(spool_id(1), "mended", 7) is left
        row = journal.get_spool(spool_id(1))
        assert row is not None
        assert (row.state, row.held_from, row.faults) == (left, None, ())
        assert (row.attempts, row.last_error) == (0, None)
        assert len(journal.backlogs()) == (left is S.STORED)
        assert journal.history(spool_id(1))[-1].reason == "mended"

    @pytest.mark.parametrize("left", [S.DELIVERED, S.DONE], ids=lambda item: item.value)
    def test_delivered_spool_released_from_corrupt_is_delivered(
        self, journal: Journal, left: SpoolState
    ) -> None:
        bring_to(journal, 1, make_document("a"), left)
        with pytest.raises(ValueError, match="may not move"):
            journal.set_aside(spool_id(1), S.HELD, [FAULT], 7)
        journal.set_aside(spool_id(1), S.CORRUPT, [FAULT], 7)
        assert journal.status().documents_confirmed == 0
        assert journal.release(spool_id(1), "a false alarm", 8) is S.DELIVERED
        assert path(journal, spool_id(1))[-3:] == ["CORRUPT", "STORED", "DELIVERED"]
        assert journal.status().documents_confirmed == 1

    def test_held_spool_may_be_judged(self, journal: Journal) -> None:
        read(journal, 1, make_document("a"))
        journal.set_aside(spool_id(1), S.HELD, [FAULT], 5)
        with pytest.raises(ValueError, match="may not move"):
            journal.set_aside(spool_id(1), S.HELD, [FAULT], 6)
        journal.set_aside(spool_id(1), S.CORRUPT, [FAULT], 6)
        row = journal.get_spool(spool_id(1))
        assert row is not None
        assert row.held_from is S.READ

    def test_what_is_not_aside_is_refused(self, journal: Journal) -> None:
        claim(journal, 1)
        with pytest.raises(ValueError, match="not aside"):
            journal.set_aside(spool_id(1), S.DONE, [], 5)
        with pytest.raises(ValueError, match="no spool"):
            journal.set_aside(spool_id(2), S.HELD, [FAULT], 5)
        with pytest.raises(ValueError, match="no spool"):
            journal.release(spool_id(2), "", 5)

    def test_hold_takes_a_planned_unit_apart(self, journal: Journal) -> None:
        identities = store_many(journal, [1, 2, 3])
        unit = plan(journal)
        journal.set_aside(spool_id(2), S.HELD, [FAULT], 5)
        refused = journal.get_unit(unit.ref_id)
        assert refused is not None
        assert refused.state is U.REFUSED
        assert refused.identities == tuple(identities)
        fresh = plan(journal)
        assert fresh.identities == (identities[0], identities[2])
        assert fresh.ref_id == unit_ref_id(fresh.identities)
        assert journal.unit_request(unit.ref_id).documents == ()
        journal.release(spool_id(2), "", 6)
        assert plan(journal).identities == (identities[1],)

    @pytest.mark.parametrize("answer", ["confirmed", "refused"])
    def test_what_is_on_its_way_may_be_held(self, journal: Journal, answer: str) -> None:
        identities = store_many(journal, [1, 2])
        unit = plan(journal)
        journal.mark_sent(unit.ref_id, 5)
        journal.set_aside(spool_id(1), S.HELD, [FAULT], 6)
        if answer == "confirmed":
            delivered = journal.confirm_unit(unit.ref_id, "/ao/1", uris(identities), 7)
            assert delivered == [spool_id(2)]
            assert journal.release(spool_id(1), "", 8) is S.DELIVERED
            return
        journal.plan_units_of((), unit.ref_id, "refused", 7)
        assert plan(journal).identities == (identities[1],)
        assert journal.release(spool_id(1), "", 8) is S.STORED
        assert plan(journal).identities == (identities[0],)

    def test_rejecting_waits_for_the_answer_to_a_sent_unit(self, journal: Journal) -> None:
        store_many(journal, [1, 2])
        unit = plan(journal)
        journal.mark_sent(unit.ref_id, 5)
        for aside in (S.REJECTED, S.CORRUPT):
            with pytest.raises(ValueError, match="when ArchivesSpace has answered"):
                journal.set_aside(spool_id(1), aside, [FAULT], 6)
        assert state(journal, 1) is S.STORED
        assert len(journal.unit_request(unit.ref_id).documents) == 2

    # -- trying again -------------------------------------------------------------------
    def test_deferred_spools_come_back(self, reopen: Reopen) -> None:
        journal = reopen()
        claim(journal, 1, 2, 3)
        journal.defer_spools([spool_id(1), spool_id(2)], "disk.full", 50, 10)
        journal.defer_spools([spool_id(2)], "disk.full", 60, 20)
        journal = reopen()
        assert [row.id for row in journal.spools([S.CLAIMED], due_at=49)] == [spool_id(3)]
        assert [row.id for row in journal.spools([S.CLAIMED], due_at=50)] == [
            spool_id(1),
            spool_id(3),
        ]
        row = journal.get_spool(spool_id(2))
        assert row is not None
        assert (row.attempts, row.next_at, row.last_error) == (2, 60, "disk.full")
        assert journal.status().deferred == 2
        assert path(journal, spool_id(2)) == ["CLAIMING", "CLAIMED"]
        assert journal.retry_now([spool_id(2)[:6], spool_id(3), "nobody"], 30) == 1
        assert journal.status().deferred == 1
        assert journal.retry_now([], 30) == 1
        assert len(journal.spools([S.CLAIMED], due_at=0)) == 3
        row = journal.get_spool(spool_id(2))
        assert row is not None
        assert (row.attempts, row.next_at, row.last_error) == (0, None, None)

    def test_moving_on_ends_the_waiting(self, journal: Journal) -> None:
        claim(journal, 1)
        journal.defer_spools([spool_id(1)], "disk.full", 50, 10)
        journal.record_readings([make_reading(1, make_document("a"))], 11)
        assert journal.status().deferred == 0
        journal.set_aside(spool_id(1), S.REJECTED, [FAULT], 12)
        journal.defer_spools([spool_id(1)], "too late", 50, 13)
        assert journal.status().deferred == 0

    def test_deferred_units_come_back(self, reopen: Reopen) -> None:
        journal = reopen()
        store_many(journal, [1, 2])
        first, second = plan(journal, limit=1), plan(journal, limit=1)
        journal.mark_sent(first.ref_id, 5)
        journal.defer_unit(first.ref_id, "timeout", 50, 6)
        journal.defer_unit(second.ref_id, "timeout", 60, 6)
        journal = reopen()
        due = journal.units([U.PLANNED, U.SENT], due_at=50)
        assert [(unit.ref_id, unit.attempts, unit.next_at) for unit in due] == [
            (first.ref_id, 1, 50)
        ]
        assert journal.status().deferred == 2
        assert journal.hasten([first.ref_id, second.ref_id, "hf-unit-none"], 7) == 2
        assert [unit.attempts for unit in journal.units([U.PLANNED, U.SENT], due_at=0)] == [1, 1]
        assert journal.hasten([first.ref_id], 7) == 0
        assert journal.retry_now([first.ref_id], 8) == 1
        found = journal.get_unit(first.ref_id)
        assert found is not None
        assert (found.attempts, found.last_error, found.state) == (0, None, U.SENT)
        confirm_as_sent(journal, first.ref_id)
        journal.defer_unit(first.ref_id, "late", 70, 9)
        assert journal.status().deferred == 0

    def test_outage_is_remembered(self, reopen: Reopen) -> None:
        journal = reopen()
        assert journal.server_state() == (0, None, None)
        journal.record_server(3, 77.5, "refused", 70)
        assert reopen().server_state() == (3, 77.5, "refused")
        journal = reopen()
        journal.retry_now([], 71)
        assert journal.server_state()[:2] == (3, None)
        journal.record_server(0, None, None, 72)
        assert reopen().server_state() == (0, None, None)

    # -- units ------------------------------------------------------------------------
    def test_unit_takes_the_oldest_first(self, reopen: Reopen) -> None:
        journal = reopen()
        identities = store_many(journal, [3, 1, 2])
        store(journal, 9, make_document("z", series="letters"))
        assert journal.plan_unit(UNIT, SERIES, "1999-01", 10, 4) is None
        unit = plan(journal, limit=2, at=4.5)
        assert unit.identities == tuple(identities[:2])
        assert unit.ref_id == unit_ref_id(identities[:2])
        assert (unit.business_unit, unit.series, unit.cycle) == PLACE
        assert (unit.state, unit.planned_at, unit.sent_at) == (U.PLANNED, 4.5, None)
        journal = reopen()
        assert journal.get_unit(unit.ref_id) == unit
        assert plan(journal).identities == (identities[2],)
        assert journal.plan_unit(*PLACE, 10, 4) is None
        assert [item.series for item in journal.backlogs()] == ["letters"]
        with pytest.raises(ValueError, match="at least one"):
            journal.plan_unit(*PLACE, 0, 4)

    def test_unit_request_has_the_documents_in_order(self, reopen: Reopen) -> None:
        journal = reopen()
        identities = store_many(journal, [5, 4, 6])
        unit = plan(journal)
        request = reopen().unit_request(unit.ref_id)
        assert request.unit == unit
        assert [row.document.identity for row in request.documents] == identities
        assert {row.unit_ref_id for row in request.documents} == {unit.ref_id}
        with pytest.raises(KeyError):
            reopen().unit_request("hf-unit-none")
        assert reopen().get_unit("hf-unit-none") is None

    def test_unit_is_sent_and_confirmed(self, reopen: Reopen) -> None:
        journal = reopen()
        identities = store_many(journal, [1, 2])
        unit = plan(journal)
        journal.mark_sent(unit.ref_id, 5)
        journal.defer_unit(unit.ref_id, "cut", 5.5, 5)
        journal.mark_sent(unit.ref_id, 6)
        assert journal.status().oldest_waiting_at == 3
        done = journal.confirm_unit(unit.ref_id, "/ao/1", uris(identities), 7)
        assert sorted(done) == [spool_id(1), spool_id(2)]
        journal = reopen()
        found = journal.get_unit(unit.ref_id)
        assert found is not None
        assert (found.state, found.archival_object_uri) == (U.CONFIRMED, "/ao/1")
        assert (found.sent_at, found.confirmed_at, found.next_at) == (6, 7, None)
        assert path(journal, unit.ref_id) == ["PLANNED", "SENT", "CONFIRMED"]
        row = journal.get_document(identities[0])
        assert row is not None
        assert (row.record_uri, row.archived_at, row.unit_ref_id) == (
            uris(identities)[identities[0]],
            7,
            unit.ref_id,
        )
        assert state(journal, 1) is S.DELIVERED
        assert journal.status().oldest_waiting_at is None
        with pytest.raises(ValueError, match="may not move"):
            journal.confirm_unit(unit.ref_id, "/ao/2", {}, 8)
        with pytest.raises(ValueError, match="may not move"):
            journal.mark_sent(unit.ref_id, 8)
        assert journal.get_unit(unit.ref_id) == found

    def test_spool_is_delivered_when_its_last_document_is(self, journal: Journal) -> None:
        identities = store(journal, 1, make_document("a"), make_document("b", ordinal=2))
        first, second = plan(journal, limit=1), plan(journal, limit=1)
        assert confirm(journal, first) == []
        assert state(journal, 1) is S.STORED
        assert confirm(journal, second) == [spool_id(1)]
        assert {row.record_uri for row in journal.documents_of(spool_id(1))} == set(
            uris(identities).values()
        )

    def test_confirmation_of_a_stranger_is_refused(self, journal: Journal) -> None:
        first, second = store_many(journal, [1, 2])
        unit = plan(journal, limit=1)
        journal.mark_sent(unit.ref_id, 5)
        with pytest.raises(ValueError, match="not a member"):
            journal.confirm_unit(unit.ref_id, "/ao/1", uris([first, second]), 6)
        assert [item.state for item in journal.units([U.SENT])] == [U.SENT]
        assert state(journal, 1) is S.STORED
        with pytest.raises(ValueError, match="no unit"):
            journal.confirm_unit("hf-unit-none", "/ao/1", {}, 6)

    def test_members_without_a_record_wait_again(self, journal: Journal) -> None:
        identities = store_many(journal, [1, 2, 3])
        unit = plan(journal)
        journal.mark_sent(unit.ref_id, 5)
        there = [identities[0], identities[2]]
        assert journal.confirm_unit(unit.ref_id, "/ao/1", uris(there), 6) == [
            spool_id(1),
            spool_id(3),
        ]
        journal.lose_documents([identities[1]])
        again = plan(journal)
        assert again.identities == (identities[1],)
        journal.lose_documents([identities[1]])
        assert journal.unit_request(again.ref_id).unit.identities == (identities[1],)

    def test_refused_unit_is_halved(self, reopen: Reopen) -> None:
        journal = reopen()
        identities = store_many(journal, [1, 2, 3])
        unit = plan(journal)
        journal.mark_sent(unit.ref_id, 5)
        halves = journal.plan_units_of(
            [identities[2:], identities[:1]], unit.ref_id, "refused: halved", 6
        )
        assert [half.identities for half in halves] == [(identities[2],), (identities[0],)]
        assert [half.ref_id for half in halves] == [unit_ref_id(half.identities) for half in halves]
        journal = reopen()
        assert journal.units([U.PLANNED, U.SENT]) == halves
        refused = journal.get_unit(unit.ref_id)
        assert refused is not None
        assert (refused.state, refused.last_error) == (U.REFUSED, "refused: halved")
        assert refused.identities == tuple(identities)
        assert plan(journal).identities == (identities[1],)

    def test_wrong_groups_change_nothing(self, journal: Journal) -> None:
        first, second, third = store_many(journal, [1, 2, 3])
        unit = plan(journal, limit=2)
        for groups in ([[first], [first]], [[first], []], [[first, third]], [["hf-x"]]):
            with pytest.raises(ValueError, match=r"groups|waits in no unit"):
                journal.plan_units_of(groups, unit.ref_id, "x", 6)
        assert journal.units([U.PLANNED]) == [unit]
        confirm(journal, unit)
        with pytest.raises(ValueError, match=r"may not move|waits in no unit"):
            journal.plan_units_of([[first, second]], unit.ref_id, "x", 7)
        assert [item.state for item in journal.units([U.CONFIRMED])] == [U.CONFIRMED]

    def test_same_members_after_a_refusal_get_the_same_ref_id(self, journal: Journal) -> None:
        identities = store_many(journal, [1, 2])
        unit = plan(journal)
        journal.mark_sent(unit.ref_id, 5)
        (again,) = journal.plan_units_of([identities], unit.ref_id, "once more", 6)
        assert again.ref_id == unit.ref_id
        assert journal.get_unit(unit.ref_id) == again
        assert path(journal, unit.ref_id) == ["PLANNED", "SENT", "REFUSED", "PLANNED"]
        assert confirm(journal, again) == [spool_id(1), spool_id(2)]

    def test_documents_found_outside_leave_a_planned_unit(self, journal: Journal) -> None:
        identities = store_many(journal, [1, 2, 3])
        unit = plan(journal, limit=2)
        found = [identities[0], identities[2]]
        assert sorted(journal.confirm_documents(uris(found), 6)) == [spool_id(1), spool_id(3)]
        assert [item.state for item in journal.units([U.REFUSED])] == [U.REFUSED]
        assert plan(journal).identities == (identities[1],)
        assert journal.plan_unit(*PLACE, 9, 7) is None
        assert journal.confirm_documents(uris(found), 8) == []
        with pytest.raises(ValueError, match="not a member"):
            journal.confirm_documents({"hf-unknown": "/do/1"}, 9)
        assert unit.ref_id not in [item.ref_id for item in journal.units([U.PLANNED])]

    def test_documents_found_outside_stay_in_a_sent_unit_until_it_is_answered(
        self, journal: Journal
    ) -> None:
        first, second = store_many(journal, [1, 2])
        unit = plan(journal)
        journal.mark_sent(unit.ref_id, 5)
        assert journal.confirm_documents(uris([first]), 6) == [spool_id(1)]
        assert journal.unit_request(unit.ref_id).unit.identities == (first, second)
        (rest,) = journal.plan_units_of([[second]], unit.ref_id, "adopted", 7)
        assert rest.identities == (second,)
        assert confirm(journal, rest) == [spool_id(2)]

    def test_lost_unit_is_sent_again(self, reopen: Reopen) -> None:
        journal = reopen()
        identities = store_many(journal, [1, 2])
        unit = plan(journal)
        confirm(journal, unit)
        journal.record_receipted([spool_id(1)], 7)
        open_unit = plan_other(journal)
        with pytest.raises(ValueError, match="may not move"):
            journal.lose_unit(open_unit, "x", 8)
        journal.lose_unit(unit.ref_id, "not on the server", 8)
        journal = reopen()
        found = journal.get_unit(unit.ref_id)
        assert found is not None
        assert (found.state, found.identities) == (U.PLANNED, tuple(identities))
        assert (found.sent_at, found.confirmed_at, found.archival_object_uri) == (None, None, None)
        assert [state(journal, n) for n in (1, 2)] == [S.DONE, S.DELIVERED]
        assert {row.record_uri for row in journal.unit_request(unit.ref_id).documents} == {None}
        assert journal.status().documents_confirmed == 0
        assert confirm(journal, found) == []
        assert journal.status().documents_confirmed == 2

    def test_lost_unit_with_a_member_aside_is_planned_anew(self, journal: Journal) -> None:
        identities = store_many(journal, [1, 2])
        unit = plan(journal)
        confirm(journal, unit)
        journal.set_aside(spool_id(1), S.CORRUPT, [FAULT], 7)
        journal.lose_unit(unit.ref_id, "not on the server", 8)
        assert path(journal, unit.ref_id)[-3:] == ["CONFIRMED", "PLANNED", "REFUSED"]
        assert plan(journal).identities == (identities[1],)
        assert journal.release(spool_id(1), "", 9) is S.STORED
        assert plan(journal).identities == (identities[0],)

    def test_lost_documents_wait_for_another_unit(self, journal: Journal) -> None:
        identities = store_many(journal, [1, 2, 3])
        unit = plan(journal)
        confirm(journal, unit)
        journal.record_receipted([spool_id(2)], 7)
        journal.lose_documents([identities[1]])
        assert state(journal, 2) is S.DONE
        rest = journal.get_unit(unit.ref_id)
        assert rest is not None
        assert rest.identities == (identities[0], identities[2])
        again = plan(journal)
        assert again.identities == (identities[1],)
        assert confirm(journal, again) == []
        journal.lose_unit(unit.ref_id, "gone as well", 9)
        assert sorted(plan(journal).identities) == sorted((identities[0], identities[2]))

    def test_unit_that_lost_all_documents_keeps_its_ref_id(self, journal: Journal) -> None:
        identities = store_many(journal, [1, 2])
        unit = plan(journal)
        confirm(journal, unit)
        journal.lose_documents(identities)
        again = plan(journal)
        assert again.identities == unit.identities
        assert again.ref_id != unit.ref_id
        confirm(journal, again)
        journal.lose_documents(identities)
        third = plan(journal)
        assert third.ref_id not in (unit.ref_id, again.ref_id)
        journal.lose_unit(unit.ref_id, "its archival object has gone as well", 9)
        assert [item.ref_id for item in journal.units([U.PLANNED])] == [third.ref_id]

    def test_units_are_iterated_over_in_pages(self, journal: Journal) -> None:
        store_many(journal, range(450))
        planned: list[str] = []
        while (unit := journal.plan_unit(*PLACE, 1, 4)) is not None:
            planned.append(unit.ref_id)
        for number, ref_id in enumerate(planned):
            journal.mark_sent(ref_id, 5)
            members = journal.unit_request(ref_id).unit.identities
            journal.confirm_unit(ref_id, None, uris(members), number)
        seen: list[str] = []
        for unit in journal.iterate_units(U.CONFIRMED):
            seen.append(unit.ref_id)
            journal.lose_unit(unit.ref_id, "gone", 6)
        assert seen == planned
        assert list(journal.iterate_units(U.CONFIRMED)) == []
        assert len(list(journal.iterate_units(U.PLANNED))) == 450

    def test_units_are_iterated_over_by_time_and_folder(self, journal: Journal) -> None:
        for number, folder in ((1, "bills"), (2, "letters"), (3, "bills")):
            claim(journal, number, folder=folder)
            journal.record_readings([make_reading(number, make_document(f"k{number}"))], 2)
            journal.record_stored([make_object(number)], 3)
        units = [plan(journal, limit=1) for _ in range(3)]
        for at, unit in enumerate(units):
            confirm(journal, unit, at=10 + at)

        def found(since: float | None, folder: str | None) -> list[int]:
            chosen = journal.iterate_units(U.CONFIRMED, since=since, folder=folder)
            return [[item.ref_id for item in units].index(unit.ref_id) for unit in chosen]

        assert found(None, None) == [0, 1, 2]
        assert found(11, None) == [1, 2]
        assert found(None, "bills") == [0, 2]
        assert found(11, "bills") == [2]
        assert found(None, "none") == []

    # -- receipts and looking ---------------------------------------------------------
    def test_whole_road(self, reopen: Reopen) -> None:
        journal = reopen()
        bring_to(journal, 1, make_document("a"), S.DONE)
        journal = reopen()
        assert path(journal, spool_id(1)) == [
            "CLAIMING",
            "CLAIMED",
            "READ",
            "STORED",
            "DELIVERED",
            "DONE",
        ]
        with pytest.raises(ValueError, match="DONE"):
            journal.record_receipted([spool_id(1)], 9)
        status = journal.status()
        assert (status.spools, status.units) == ({"DONE": 1}, {"CONFIRMED": 1})
        assert (status.documents, status.documents_confirmed, status.deferred) == (1, 1, 0)

    def test_spools_are_paged(self, journal: Journal) -> None:
        claim(journal, *range(1, 8))
        for number in (3, 5):
            journal.set_aside(spool_id(number), S.HELD, [FAULT], 2)
        claim(journal, 8, folder="letters")
        ids = [spool_id(number) for number in range(1, 9)]

        def listed(newest_first: bool, *states: SpoolState) -> list[str]:
            found: list[str] = []
            after: str | None = None
            while page := journal.spools(states, after=after, limit=3, newest_first=newest_first):
                found += [row.id for row in page]
                after = found[-1]
            return found

        assert listed(False) == ids
        assert listed(True) == ids[::-1]
        assert listed(False, S.CLAIMED, S.HELD) == ids
        assert listed(True, S.HELD) == [ids[4], ids[2]]
        assert listed(False, S.DONE) == []
        assert [row.id for row in journal.spools([], folder="letters")] == ids[7:]
        assert journal.spools([], after="nobody") == []

    def test_spool_is_found_by_a_unique_prefix(self, journal: Journal) -> None:
        ids = ["abcdef" + "0" * 26, "abcdef" + "1" * 26, "abcde"]
        for number, name in enumerate(ids[:2]):
            journal.begin_claims([(name, UNIT, make_drop(number))], 1)
        for text, found in (
            (ids[0], ids[0]),
            ("abcdef0", ids[0]),
            ("abcdef1", ids[1]),
            ("abcdef", None),
            ("abcde", None),
            ("", None),
            ("%", None),
            ("abcdef*", None),
            ("ABCDEF0", None),
        ):
            row = journal.get_spool(text)
            assert (row.id if row else None) == found, text

    def test_states_of_many_are_found_by_whole_ids(self, journal: Journal) -> None:
        claim(journal, 1)
        journal.begin_claims([(spool_id(2), UNIT, make_drop(2))], 3)
        asked = [
            spool_id(2),
            spool_id(1)[:8],
            spool_id(7),
            spool_id(1),
            "",
            "\x00",
            "'",
            spool_id(1),
        ]
        assert journal.states_of(asked) == {spool_id(1): S.CLAIMED, spool_id(2): S.CLAIMING}
        assert journal.states_of([]) == {}

    def test_document_is_found_while_it_counts(self, journal: Journal) -> None:
        document = make_document("a")
        assert journal.get_document(document.identity) is None
        store(journal, 1, document)
        journal.set_aside(spool_id(1), S.CORRUPT, [FAULT], 5)
        found = journal.get_document(document.identity)
        assert found is not None
        assert found.spool_id == spool_id(1)
        store(journal, 2, document)
        journal.set_aside(spool_id(2), S.REJECTED, [FAULT], 6)
        assert journal.get_document(document.identity) is None

    def test_unknown_subject_has_no_history(self, journal: Journal) -> None:
        assert journal.history("nobody") == []
        assert journal.documents_of("nobody") == []

    # -- audit --------------------------------------------------------------------------
    def test_audit_is_a_chain(self, reopen: Reopen) -> None:
        journal = reopen()
        details: dict[str, object] = {"é": [1, {"b": None}], "10": 1.5, "2": "\x00"}
        rows = [
            journal.append_audit("root", "operator.hold", f"s{n}", details, 1.5 + n)
            for n in range(5)
        ]
        journal = reopen()
        assert journal.audit() == rows
        assert journal.audit(after=2, limit=2) == rows[2:4]
        assert [row.number for row in rows] == [1, 2, 3, 4, 5]
        assert rows[0].previous == "0" * 64
        assert [row.previous for row in rows[1:]] == [row.digest for row in rows[:-1]]
        assert rows[0].details == details

    # -- after a loss -----------------------------------------------------------------
    def test_spool_is_restored_from_the_store(self, reopen: Reopen) -> None:
        journal = reopen()
        documents = (make_document("a"), make_document("b", ordinal=2))
        assert restore(journal, 1, *documents)
        assert not restore(journal, 1, *documents)
        journal = reopen()
        assert path(journal, spool_id(1)) == ["STORED"]
        row = journal.get_spool(spool_id(1))
        assert row is not None
        assert (row.name, row.sha256, row.created_at) == (
            b"bill1.pdf",
            make_object(1).content_sha256,
            1,
        )
        assert [item.document for item in journal.documents_of(spool_id(1))] == list(documents)
        assert plan(journal).identities == tuple(item.identity for item in documents)

    def test_restored_versions_never_collide(self, journal: Journal) -> None:
        newer = replace(make_document("a", "2"), version=2, supersedes="hf-older")
        older = make_document("a", "1")
        other = replace(make_document("a", "3"), version=2, supersedes="hf-older")
        for number, document in enumerate((newer, older, other)):
            assert restore(journal, number, document)
        assert version(journal, 0) == (2, "hf-older")
        assert version(journal, 1) == (1, None)
        assert version(journal, 2)[0] == 3

    def test_same_document_in_two_stored_spools_is_restored_once(self, journal: Journal) -> None:
        assert restore(journal, 1, make_document("a"))
        assert restore(journal, 2, make_document("a"))
        row = journal.get_spool(spool_id(2))
        assert row is not None
        assert (row.state, row.first_spool_id) == (S.DUPLICATE, spool_id(1))

    def test_object_that_contradicts_itself_is_not_restored(self, journal: Journal) -> None:
        with pytest.raises(Corrupt):
            restore(journal, 1, make_document("a"), sha256="0" * 64)
        assert journal.get_spool(spool_id(1)) is None

    def test_unit_is_restored_from_the_server(self, reopen: Reopen) -> None:
        journal = reopen()
        documents = [make_document(f"k{n}") for n in range(3)]
        there = archived(documents)
        restore(journal, 0, documents[0])
        assert journal.restore_unit(there, *PLACE, 5) == [spool_id(0)]
        restore(journal, 1, documents[1])
        journal = reopen()
        assert journal.restore_unit(there, *PLACE, 6) == [spool_id(1)]
        assert journal.restore_unit(there, *PLACE, 7) == []
        unit = journal.get_unit(there.ref_id)
        assert unit is not None
        assert (unit.state, unit.archival_object_uri) == (U.CONFIRMED, there.uri)
        assert unit.identities == tuple(item.identity for item in documents[:2])
        restore(journal, 2, documents[2])
        assert plan(journal).identities == (documents[2].identity,)

    def test_restored_unit_confirms_one_that_was_under_way(self, journal: Journal) -> None:
        documents = [make_document(f"k{n}") for n in range(2)]
        for number, document in enumerate(documents):
            store(journal, number, document)
        unit = plan(journal)
        journal.mark_sent(unit.ref_id, 5)
        there = archived(documents)
        assert there.ref_id == unit.ref_id
        assert sorted(journal.restore_unit(there, *PLACE, 6)) == [spool_id(0), spool_id(1)]
        assert path(journal, unit.ref_id) == ["PLANNED", "SENT", "CONFIRMED"]
        assert journal.units([U.PLANNED, U.SENT]) == []

    def test_restored_unit_takes_its_documents_from_a_planned_one(self, journal: Journal) -> None:
        documents = [make_document(f"k{n}") for n in range(3)]
        for number, document in enumerate(documents):
            store(journal, number, document)
        planned = plan(journal)
        journal.restore_unit(archived(documents[:2]), *PLACE, 6)
        assert [item.ref_id for item in journal.units([U.REFUSED])] == [planned.ref_id]
        assert plan(journal).identities == (documents[2].identity,)

    # -- from many threads --------------------------------------------------------------
    def test_threads_share_one_journal(self, reopen: Reopen) -> None:
        journal = reopen()

        def work(thread: int) -> list[tuple[str, ...]]:
            members: list[tuple[str, ...]] = []
            for step in range(20):
                number = thread * 100 + step
                store(journal, number, make_document(f"k{number}"))
                unit = journal.plan_unit(*PLACE, 3, 4)
                if unit is not None:
                    confirm(journal, unit)
                    members.append(unit.identities)
                journal.append_audit("test", "thread.step", str(number), {}, step)
                journal.status()
            return members

        with ThreadPoolExecutor(6) as pool:
            taken = [name for units in pool.map(work, range(6)) for unit in units for name in unit]
        assert len(taken) == len(set(taken)) == 120
        journal = reopen()
        assert journal.status().spools == {"DELIVERED": 120}
        rows = journal.audit()
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        steps = [row.subject for row in rows if row.action == "thread.step"]
        assert len(steps) == len(set(steps)) == 120
        assert journal.recompute_chain().size == len(rows)


def bring_to(journal: Journal, number: int, document: Document, wanted: SpoolState) -> None:
    """A new spool with this document, by the road that leads to ``wanted``."""
    claim(journal, number)
    if wanted is S.CLAIMED:
        return
    journal.record_readings([make_reading(number, document)], 2)
    if wanted is S.HELD:
        journal.set_aside(spool_id(number), S.HELD, [FAULT], 3)
    if wanted in (S.READ, S.HELD):
        return
    journal.record_stored([make_object(number)], 3)
    if wanted is S.STORED:
        return
    confirm(journal, plan(journal))
    if wanted is S.DONE:
        journal.record_receipted([spool_id(number)], 8)


def confirm_as_sent(journal: Journal, ref_id: str) -> None:
    members = journal.unit_request(ref_id).unit.identities
    journal.confirm_unit(ref_id, None, uris(members), 9)


def plan_other(journal: Journal) -> str:
    """A PLANNED unit of a document that no test speaks of."""
    store(journal, 77, make_document("k77"))
    return plan(journal).ref_id


def restore(journal: Journal, number: int, *documents: Document, sha256: str = "") -> bool:
    """Restore a spool as it lies in the store."""
    stored = make_object(number)
    if sha256:
        stored = replace(stored, content_sha256=sha256)
    return journal.restore_spool(make_row(number), make_reading(number, *documents), stored, 4)


def archived(documents: list[Document]) -> ArchivedUnit:
    """A unit of these as the server has it."""
    ref_id = unit_ref_id([item.identity for item in documents])
    return ArchivedUnit(
        ref_id=ref_id,
        uri=f"/ao/{ref_id[-4:]}",
        documents={
            item.identity: ArchivedDocument(
                identity=item.identity,
                uri=f"/do/{item.identity[-4:]}",
                sha256=item.range.sha256,
                size=item.range.length,
                lock_version=0,
                unit_ref_ids=(ref_id,),
            )
            for item in documents
        },
    )
