"""What the database itself refuses, whatever the code above it does."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import Corrupt
from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES, SpoolState, UnitState
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.links import append_links
from tests.support.journals import (
    FAULT,
    PLACE,
    claim,
    confirm,
    make_document,
    make_head,
    make_object,
    make_reading,
    plan,
    spool_id,
    store,
    store_many,
    uris,
)

_HEAD = "hex(zeroblob(32)), 'x', hex(zeroblob(32)), zeroblob(32), zeroblob(64))"
DESTROYED = {"disposal": "d", "destroyed_on": "2026-11-25", "certificate_sha256": ""}
REPLACE_HEAD = f"INSERT OR REPLACE INTO tree_heads VALUES (1, 1, {_HEAD}"
DISTANT_HEAD = f"INSERT INTO tree_heads VALUES (2, 99, {_HEAD}"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    yield journal
    journal.close()


@pytest.fixture
def conn(journal: SqliteJournal) -> sqlite3.Connection:
    return journal._db._writer


def may(conn: sqlite3.Connection, statement: str, value: str) -> bool:
    """Whether the database lets it happen; any other refusal than of the move is an error."""
    try:
        conn.execute(statement, (value,))
    except sqlite3.IntegrityError as error:
        if "may not move" not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize("old", SpoolState)
def test_spools_move_as_the_table_says(conn: sqlite3.Connection, old: SpoolState) -> None:
    allowed = set()
    for new in SpoolState:
        conn.execute("BEGIN")
        conn.execute(
            "INSERT INTO spools (id, folder, business_unit, name, state, size, mtime_ns, inode,"
            " sha256, settled_by, created_at, updated_at, first_spool_id, held_from)"
            " VALUES (?, 'f', 'u', x'00', ?, 1, 1, 1, ?, 'quiet', 1, 1, 'first1', 'READ')",
            (spool_id(1), old, "0" * 64),
        )
        moved = may(conn, "UPDATE spools SET state = ?", new)
        moves = conn.execute("SELECT old, new FROM history ORDER BY number").fetchall()
        assert moves == [(None, old), (old, new)][: 1 + moved]
        if moved:
            allowed.add(new)
        conn.execute("ROLLBACK")
    assert allowed == SPOOL_MOVES[old]


@pytest.mark.parametrize("old", UnitState)
def test_units_move_as_the_table_says(conn: sqlite3.Connection, old: UnitState) -> None:
    allowed = set()
    for new in UnitState:
        conn.execute("BEGIN")
        conn.execute(
            "INSERT INTO units (ref_id, business_unit, series, cycle, state, planned_at,"
            " updated_at) VALUES ('r', 'u', 's', 'c', ?, 1, 1)",
            (old,),
        )
        if may(conn, "UPDATE units SET state = ?", new):
            allowed.add(new)
        conn.execute("ROLLBACK")
    assert allowed == UNIT_MOVES[old]


def test_tables_of_an_older_release_are_brought_up_to_date(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path / "older.db")
    SqliteJournal(path).close()
    other = sqlite3.connect(path)
    other.execute("DELETE FROM moves WHERE old = 'CLAIMING'")
    other.execute("INSERT INTO moves VALUES ('spool', 'DONE', 'READ')")
    other.commit()
    other.close()
    journal = SqliteJournal(path)
    claim(journal, 1)
    found = set(journal._db._writer.execute("SELECT old, new FROM moves WHERE kind = 'spool'"))
    assert found == {(old, new) for old, news in SPOOL_MOVES.items() for new in news}
    journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET reason = 'x'",
        "DELETE FROM history",
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit VALUES (1, 1, 'x', 'x', 'x', '{}', hex(zeroblob(32)), 'x')",
        "UPDATE audit_nodes SET hash = zeroblob(32)",
        "DELETE FROM audit_nodes",
        "INSERT OR REPLACE INTO audit_nodes VALUES (1, zeroblob(32))",
        "INSERT INTO audit_nodes VALUES (99, zeroblob(32))",
        "UPDATE audit_log SET id = hex(zeroblob(16))",
        "DELETE FROM audit_log",
        "INSERT OR REPLACE INTO audit_log VALUES (1, hex(zeroblob(16)))",
        "UPDATE tree_heads SET at = 'x'",
        "DELETE FROM tree_heads",
        REPLACE_HEAD,
        DISTANT_HEAD,
        "DELETE FROM spools",
        "DELETE FROM units",
        "DELETE FROM documents",
        "UPDATE documents SET identity = 'x'",
        "UPDATE documents SET unit = 99, position = 0",
        "UPDATE documents SET unit = 1, position = NULL",
        "UPDATE documents SET waiting = 1",
        "UPDATE documents SET waiting = 2",
        "UPDATE documents SET kept = 0",
        "UPDATE documents SET version = 0",
        "UPDATE documents SET version = 'one'",
        "UPDATE spools SET sha256 = NULL",
        "UPDATE spools SET faults = 'no json'",
        "UPDATE spools SET name = NULL",
        "UPDATE units SET members = '[', reason = 'x'",
        "INSERT INTO counts VALUES ('spool', 'x', -1)",
        "INSERT INTO server VALUES (2, 0, NULL, NULL, 0)",
    ],
)
def test_forbidden_statements_are_aborted(
    journal: SqliteJournal, conn: sqlite3.Connection, statement: str
) -> None:
    store_many(journal, [1, 2])
    confirm(journal, plan(journal))
    journal.append_audit("root", "operator.hold", "x", {}, 1)
    journal.add_tree_head(make_head(journal), 2)
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute(statement)


def test_one_live_document_for_each_identity_and_version(
    journal: SqliteJournal, conn: sqlite3.Connection
) -> None:
    document = make_document("a")
    store(journal, 1, document)
    journal.set_aside(spool_id(1), SpoolState.REJECTED, [FAULT], 5)
    store(journal, 2, document)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed: documents"):
        conn.execute("UPDATE documents SET live = 1, kept = 1")


def test_changed_links_are_found(journal: SqliteJournal, conn: sqlite3.Connection) -> None:
    def broken() -> str:
        with pytest.raises(Corrupt) as caught:
            journal.verify_chain()
        assert [fault.code for fault in journal.check()] == ["audit.broken"]
        found = re.search(r"link (\d+)", caught.value.message)
        assert found is not None
        return found[1]

    for first, last in ((1, 5), (6, 1198), (1199, 1203)):
        acts = [("operator.hold", f"s{n}", {"n": n}) for n in range(first, last + 1)]
        with journal._db.writing() as writer:
            append_links(writer, acts, 1)
    assert journal.verify_chain() == 1203
    assert journal.check() == []
    conn.execute("DROP TRIGGER audit_is_not_changed")
    conn.execute("DROP TRIGGER audit_is_not_deleted")
    for statement, where in (
        ("UPDATE audit SET details = '{\"n\": 1201}' WHERE number = 1201", "1201"),
        ("UPDATE audit SET at = at + 1 WHERE number = 700", "700"),
        ("UPDATE audit SET actor = 'nobody' WHERE number = 3", "3"),
        ("DELETE FROM audit WHERE number = 2", "3"),
    ):
        conn.execute(statement)
        assert broken() == where


def test_no_look_and_no_move_walks_over_finished_work(
    journal: SqliteJournal, conn: sqlite3.Connection
) -> None:
    """The plan of every statement that the daemon repeats: with ten million finished
    documents none may scan a table, nor an index that holds them."""
    statements: set[str] = set()
    for traced in (conn, journal._db._reader):
        traced.set_trace_callback(statements.add)
    identities = store_many(journal, range(8))
    journal.defer_spools([spool_id(1)], "x", 9, 3)
    first = plan(journal, limit=3)
    journal.set_aside(spool_id(0), SpoolState.HELD, [FAULT], 5)
    journal.release(spool_id(0), "", 6)
    first, second = plan(journal, limit=2), plan(journal, limit=2)
    for unit in (first, second):
        journal.mark_sent(unit.ref_id, 7)
        journal.defer_unit(unit.ref_id, "x", 8, 7)
        journal.hasten([unit.ref_id], 7)
        journal.unit_request(unit.ref_id)
        journal.get_unit(unit.ref_id)
    journal.plan_units_of([second.identities[:1]], second.ref_id, "x", 8)
    journal.confirm_unit(first.ref_id, "/ao", uris(first.identities), 9)
    journal.record_receipted([spool_id(0)], 9)
    journal.confirm_documents(uris([second.identities[0]]), 9)
    journal.lose_documents([identities[0]])
    journal.lose_unit(first.ref_id, "x", 10)
    journal.retry_now([spool_id(1)[:8]], 10)
    journal.retry_now([], 10)
    journal.backlogs()
    journal.status()
    journal.server_state()
    journal.record_server(1, 2, "x", 3)
    journal.units([UnitState.PLANNED, UnitState.SENT], due_at=5)
    for state in SpoolState:
        journal.spools([state], due_at=5, limit=5)
        journal.spools([state], after=spool_id(3), limit=5, newest_first=True)
    journal.get_spool(spool_id(3)[:8])
    journal.documents_of(spool_id(3))
    journal.get_document(identities[0])
    journal.history(spool_id(3))
    journal.history(first.ref_id)
    journal.append_audit("root", "operator.hold", "x", {}, 1)
    journal.audit(after=1)
    journal.audit_of([spool_id(3), "x"])
    size = journal.audit_size()
    journal.tree_root(size)
    journal.inclusion_proof(2, size)
    journal.consistency_proof(3, size)
    journal.add_tree_head(make_head(journal), 2)
    journal.tree_heads(after=1, limit=5)
    journal.last_tree_head()
    journal.add_changes([(1, "destroyed", DESTROYED), (2, "destroyed", DESTROYED)], 11)
    journal.waiting_changes(after=0, limit=5, due_at=12)
    journal.defer_changes([1], "x", 12)
    journal.set_changes_aside([1], "x", 12)
    journal.readmit_changes(13)
    journal.has_changes_due(13)
    journal.count_changes()
    claim(journal, 20)
    journal.record_readings([make_reading(20, make_document("k3", "other"))], 20)
    journal.record_stored([make_object(20)], 21)
    for traced in (conn, journal._db._reader):
        traced.set_trace_callback(None)
    assert journal.plan_unit(*PLACE, 1, 22) is not None
    # What may be walked over: tables of a few rows, indexes of unfinished work, the rows
    # of one page, and what is sorted of one identity or one ref_id.
    small = re.compile(
        r"SCAN (backlog|b|counts|server|moves|CONSTANT ROW|j VIRTUAL TABLE INDEX 1:)$"
        r"|SCAN main.words_config$"  # a row of FTS5's own
        r"|INDEX (units_open|spools_deferred|units_deferred|documents_waiting|holds_in_force)\b"
        r"|INDEX (updates_waiting|updates_aside|holds_in_force)\b"
    )
    few = re.compile(
        r"AND state = 'DONE'|WHERE state = 'DONE'|DESC LIMIT 1$|d\.identity = |u\.ref_id = "
        r"|FROM backlog"
    )
    walks: list[str] = []
    for statement in statements:
        if not re.match(r"SELECT|UPDATE|INSERT|DELETE", statement):
            continue
        for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}"):
            detail = str(row[3])
            walking = detail.startswith("SCAN") or "TEMP B-TREE FOR ORDER BY" in detail
            if walking and not small.search(detail) and not few.search(statement):
                walks.append(f"{detail}: {statement}")
    assert len(statements) > 60
    assert walks == []
