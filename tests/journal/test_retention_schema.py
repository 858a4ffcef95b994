"""What the database itself refuses and writes down of retention, holds and disposals."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from hotfolder.core.disposals import DISPOSAL_MOVES, DisposalState
from hotfolder.core.records import DocumentMetadata
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.reasons import because
from tests.support.journals import make_document, read, store

EVENT = (
    "INSERT INTO retention_events (number, kind, subject, event, day, recorded_at, recorded_by)"
    " VALUES (1, 'policy', 'P-77', 'contract-end', '2026-03-31', 1, 'me')"
)
HOLD = (
    "INSERT INTO holds (number, id, matter, source, placed_at, placed_by)"
    " VALUES (1, 'hold-0123456789ab', 'Doe v. Roe', 'hotfolder', 1, 'me')"
)
RELEASE = "UPDATE holds SET released_at = 9, released_by = 'me'"
DISPOSAL = (
    "INSERT INTO disposals (number, id, state, proposed_by, approved_by, created_at, updated_at)"
    " VALUES (1, 'disposal-0123456789ab', '{}', 'me', 'you', 1, 1)"
)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    metadata = DocumentMetadata(policy_number="P-77", case_refs=("C-1",), retention_class="POL")
    store(journal, 1, make_document("a", metadata=metadata))
    conn = journal._db._writer
    conn.execute(EVENT)
    conn.execute(HOLD)
    conn.execute("INSERT INTO hold_members VALUES (1, 1, 1)")
    conn.execute(DISPOSAL.format("PROPOSED"))
    conn.execute("INSERT INTO disposal_members (disposal, document) VALUES (1, 1)")
    conn.execute("INSERT INTO updates (document, kind, body, created_at) VALUES (1, 'x', '{}', 1)")
    conn.execute("INSERT INTO retention_schedules VALUES (1, lower(hex(zeroblob(32))), '{}', 1)")
    yield conn
    journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE retention_events SET day = '2020-01-01'",
        "UPDATE retention_events SET withdrawn_at = 2, withdrawn_by = 'me', subject = 'P-78'",
        "DELETE FROM retention_events",
        EVENT.replace("INSERT", "INSERT OR REPLACE"),
        "UPDATE retention_schedules SET schedule = '[]'",
        "DELETE FROM retention_schedules",
        "INSERT OR REPLACE INTO retention_schedules SELECT * FROM retention_schedules",
        "UPDATE holds SET matter = 'another'",
        "UPDATE holds SET released_at = 2",
        "DELETE FROM holds",
        "DELETE FROM hold_members",
        "UPDATE hold_members SET document = 2",
        "DELETE FROM disposals",
        "DELETE FROM disposal_members",
        "DELETE FROM disposal_steps",
        "UPDATE disposal_steps SET new = 'DONE'",
        "UPDATE disposals SET approved_by = proposed_by",
        "DELETE FROM updates",
        "UPDATE updates SET state = 'SENT'",
        "UPDATE documents SET disposition = 'destroyed'",
        "UPDATE documents SET disposition = 'gone'",
    ],
)
def test_forbidden_statements_are_aborted(conn: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute(statement)


def test_an_event_is_withdrawn_once(conn: sqlite3.Connection) -> None:
    withdraw = "UPDATE retention_events SET withdrawn_at = 2, withdrawn_by = 'me'"
    conn.execute(withdraw)
    with pytest.raises(sqlite3.IntegrityError, match="withdrawn once"):
        conn.execute(withdraw)


@pytest.mark.parametrize("old", DisposalState)
def test_disposals_move_as_the_table_says(conn: sqlite3.Connection, old: DisposalState) -> None:
    for new in DisposalState:
        conn.execute("SAVEPOINT s")
        conn.execute(DISPOSAL.replace("(1, 'disposal-0", "(9, 'disposal-9").format(old))
        moved = new in DISPOSAL_MOVES[old]
        with nullcontext() if moved else pytest.raises(sqlite3.IntegrityError, match="not move"):
            conn.execute("UPDATE disposals SET state = ? WHERE number = 9", (new,))
        steps = conn.execute("SELECT old, new FROM disposal_steps WHERE subject = 9").fetchall()
        assert steps == [(None, old), (old, new)][: 1 + moved]
        conn.execute("ROLLBACK TO s")
        conn.execute("RELEASE s")


def begin(conn: sqlite3.Connection, today: str = "2036-03-01") -> None:
    """Another disposal of the document, approved, is executed on a day."""
    conn.execute("UPDATE documents SET retain_until = '2036-02-29'")
    conn.execute("UPDATE disposals SET state = 'WITHDRAWN'")
    conn.execute(DISPOSAL.format("PROPOSED").replace("(1, 'disposal-0", "(2, 'disposal-1"))
    conn.execute(
        "INSERT INTO disposal_members (disposal, document, retain_until)"
        " VALUES (2, 1, '2036-02-29')"
    )
    conn.execute("UPDATE disposals SET state = 'APPROVED' WHERE number = 2")
    conn.execute("UPDATE disposals SET state = 'EXECUTING', today = ? WHERE number = 2", (today,))


DESTROY = "UPDATE documents SET disposition = 'destroying'"


def test_what_is_being_destroyed_is_never_kept_again(conn: sqlite3.Connection) -> None:
    conn.execute(RELEASE)
    begin(conn)
    for new in ("withheld", "kept", "destroying", "destroyed"):
        conn.execute("UPDATE documents SET disposition = ?", (new,))
    for new in ("kept", "withheld", "destroying"):
        with pytest.raises(sqlite3.IntegrityError, match="never kept again"):
            conn.execute("UPDATE documents SET disposition = ?", (new,))
    with pytest.raises(sqlite3.IntegrityError, match="was destroyed"):
        conn.execute("UPDATE documents SET waiting = waiting + 1")


def test_nothing_goes_that_no_executed_list_names(conn: sqlite3.Connection) -> None:
    conn.execute(RELEASE)
    with pytest.raises(sqlite3.IntegrityError, match="may not be destroyed"):
        conn.execute(DESTROY)
    begin(conn)
    conn.execute("UPDATE documents SET retain_until = '2036-02-28'")  # not as it was approved
    with pytest.raises(sqlite3.IntegrityError, match="may not be destroyed"):
        conn.execute(DESTROY)
    conn.execute("UPDATE documents SET retain_until = NULL")
    with pytest.raises(sqlite3.IntegrityError, match="may not be destroyed"):
        conn.execute(DESTROY)


def test_nothing_goes_on_the_last_day_of_its_retention(conn: sqlite3.Connection) -> None:
    conn.execute(RELEASE)
    begin(conn, "2036-02-29")
    with pytest.raises(sqlite3.IntegrityError, match="may not be destroyed"):
        conn.execute(DESTROY)


def test_nothing_goes_that_is_held(conn: sqlite3.Connection) -> None:
    begin(conn)
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute(DESTROY)
    conn.execute(RELEASE)
    conn.execute(DESTROY)


def test_a_list_is_frozen(conn: sqlite3.Connection) -> None:
    begin(conn)
    for statement in (
        "UPDATE disposal_members SET retain_until = '2000-01-01' WHERE disposal = 2",
        "UPDATE disposal_members SET action = 'destroy' WHERE disposal = 2",
        "INSERT INTO disposal_members (disposal, document) VALUES (2, 1)",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=r"frozen|one open"):
            conn.execute(statement)


def test_a_document_is_on_one_open_list(conn: sqlite3.Connection) -> None:
    conn.execute(DISPOSAL.format("PROPOSED").replace("(1, 'disposal-0", "(2, 'disposal-1"))
    with pytest.raises(sqlite3.IntegrityError, match="one open disposal"):
        conn.execute("INSERT INTO disposal_members (disposal, document) VALUES (2, 1)")


def test_every_change_of_retention_has_its_history(conn: sqlite3.Connection) -> None:
    conn.execute(RELEASE)
    with because(conn, "event 1", 7.0):
        conn.execute(
            "UPDATE documents SET class_version = 1, cutoff = '2026-03-31',"
            " retain_until = '2036-03-31'"
        )
    conn.execute("UPDATE documents SET retention_class = 'FIN', disposition = 'withheld'")
    conn.execute("UPDATE documents SET retention_class = 'FIN', title = 'x'")
    found = conn.execute(
        "SELECT field, old, new, reason FROM retention_changes ORDER BY field"
    ).fetchall()
    assert found == [
        ("class_version", None, "1", "event 1"),
        ("cutoff", None, "2026-03-31", "event 1"),
        ("disposition", "kept", "withheld", ""),
        ("retain_until", None, "2036-03-31", "event 1"),
        ("retention_class", "POL", "FIN", ""),
    ]
    for statement in ("UPDATE retention_changes SET new = ''", "DELETE FROM retention_changes"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            conn.execute(statement)


def test_events_and_late_documents_ask_for_work(tmp_path: Path) -> None:
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    conn = journal._db._writer
    work = "SELECT kind, subject FROM retention_work WHERE done_at IS NULL ORDER BY number"
    conn.execute(EVENT)
    conn.execute("UPDATE retention_work SET position = 7")
    conn.execute("UPDATE retention_events SET withdrawn_at = 2, withdrawn_by = 'me'")
    assert conn.execute("SELECT position, reason FROM retention_work").fetchall() == [
        (0, "event 1 withdrawn")
    ]
    conn.execute(EVENT.replace("(1, 'policy', 'P-77'", "(2, 'case', 'C-1'"))
    late = {
        "policy": DocumentMetadata(policy_number="P-77", retention_class="POL"),
        "case": DocumentMetadata(case_refs=("C-1",), retention_class="POL"),
        "claim": DocumentMetadata(claim_refs=("C-1",), retention_class="POL"),
        "other": DocumentMetadata(policy_number="P-78", retention_class="POL"),
        "without": DocumentMetadata(policy_number="P-77"),
    }
    for number, (key, metadata) in enumerate(late.items(), 1):
        read(journal, number, make_document(key, metadata=metadata))
    identities = [make_document(key).identity for key in ("policy", "case")]
    assert conn.execute(work).fetchall() == [
        ("policy", "P-77"),
        ("case", "C-1"),
        *(("document", identity) for identity in identities),
    ]
    journal.close()
