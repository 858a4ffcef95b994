"""The tree over the audit chain, kept in SQLite: written with the chain, proved from
little of it, and what was done to it behind the journal's back is found."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.core import merkle
from hotfolder.core.canonical import dump
from hotfolder.core.errors import BrokenChain, Corrupt
from hotfolder.core.lifecycle import SpoolState
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.links import PAGE, append_links, entry_of
from tests.support.journals import (
    FAULT,
    confirm,
    make_document,
    make_head,
    make_object,
    make_reading,
    make_row,
    plan,
    spool_id,
    store,
    store_many,
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    found = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    yield found
    found.close()


def fill(journal: SqliteJournal, count: int) -> None:
    """So many links more, in one transaction."""
    with journal._db.writing() as conn:
        append_links(conn, [("test.link", f"s{n % 7}", {"n": n}) for n in range(count)], 1)


def leaves_of(journal: SqliteJournal) -> list[bytes]:
    """The entries as docs/audit.md has them."""
    with journal._db.reading() as conn:
        rows = conn.execute(
            "SELECT number, at, actor, action, subject, details, previous FROM audit"
            " ORDER BY number"
        ).fetchall()
    return [dump(list(row)).encode() for row in rows]


def root_over(entries: list[bytes]) -> bytes:
    tree = merkle.Frontier()
    for entry in entries:
        tree.append(merkle.leaf_hash(entry))
    return tree.root()


# -- what is written ---------------------------------------------------------------------
def test_nodes_are_written_with_the_links_however_they_come(journal: SqliteJournal) -> None:
    for count in (1, 1, 2, 5, 0, 64, 3, 100):
        fill(journal, count)
        journal.append_audit("root", "test.one", "x", {}, 2)
        assert journal.verify_chain() == journal.audit_size()
    entries = leaves_of(journal)
    assert journal.audit_size() == len(entries) == 184
    for size in range(len(entries) + 1):
        assert journal.tree_root(size) == root_over(entries[:size])
    for row, entry in zip(journal.audit(), entries, strict=True):
        assert row.digest == hashlib.sha256(entry).hexdigest()
        assert journal.audit_entry(row.number) == entry
    with pytest.raises(KeyError):
        journal.audit_entry(185)


@given(
    number=st.integers(1, 1 << 60),
    at=st.floats(0, 1e12),
    texts=st.tuples(*[st.text()] * 5),
)
def test_an_entry_is_canonical_json(number: int, at: float, texts: tuple[str, ...]) -> None:
    assert entry_of(number, at, *texts) == dump([number, at, *texts]).encode()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_proof_holds(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    journal = SqliteJournal(os.fsencode(tmp_path_factory.mktemp("j") / "j.db"))
    try:
        fill(journal, data.draw(st.integers(1, 300)))
        entries = leaves_of(journal)
        size = data.draw(st.integers(1, len(entries)))
        number = data.draw(st.integers(1, size))
        leaf = merkle.leaf_hash(entries[number - 1])
        proof = journal.inclusion_proof(number, size)
        assert merkle.verify_inclusion(leaf, number - 1, size, proof, journal.tree_root(size))
        old = data.draw(st.integers(0, size))
        roots = journal.tree_root(old), journal.tree_root(size)
        assert merkle.verify_consistency(old, size, *roots, journal.consistency_proof(old, size))
        tail = journal.recompute_chain([old, size, len(entries)], after=old)
        assert tail.roots[size] == roots[1].hex()
        assert tail.size == len(entries)
    finally:
        journal.close()


def test_no_proof_reads_the_chain(journal: SqliteJournal) -> None:
    """A proof over forty thousand links reads a few dozen rows, each by its key."""
    fill(journal, 40_000)
    size = journal.audit_size()
    statements: list[str] = []
    journal._db._reader.set_trace_callback(statements.append)
    journal.inclusion_proof(12_345, size)
    journal.consistency_proof(20_001, size)
    journal.tree_root(size)
    journal._db._reader.set_trace_callback(None)
    selects = [item for item in statements if item.startswith("SELECT")]
    assert 20 < len(selects) < 80
    for statement in selects:
        (plan_,) = journal._db._reader.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert "USING INTEGER PRIMARY KEY" in plan_[3], statement


def test_a_link_and_its_nodes_are_there_together_or_not_at_all(journal: SqliteJournal) -> None:
    fill(journal, 3)
    before = journal.audit_size(), journal.tree_root(3)

    def interrupted() -> None:
        with journal._db.writing() as conn:
            append_links(conn, [("test.link", "x", {})] * 9, 1)
            raise ValueError("interrupted")

    with pytest.raises(ValueError, match="interrupted"):
        interrupted()
    assert (journal.audit_size(), journal.tree_root(3)) == before
    assert journal.verify_chain() == 3


def test_links_are_found_by_what_they_are_about(journal: SqliteJournal) -> None:
    fill(journal, 30)
    numbers = [row.number for row in journal.audit_of(["s5", "s2", "s5", "nobody"])]
    assert numbers == [3, 6, 10, 13, 17, 20, 24, 27]
    assert journal.audit_of([]) == []


# -- what the journal says of its own acts ---------------------------------------------------
def said(journal: SqliteJournal, subject: str) -> list[tuple[str, str, object]]:
    return [(row.actor, row.action, row.details) for row in journal.audit_of([subject])]


def test_a_stored_spool_commits_to_its_object(journal: SqliteJournal) -> None:
    journal.begin_claims([], 1)
    store(journal, 1, make_document("a"), make_document("b", ordinal=2))
    details = {"sha256": make_object(1).content_sha256, "size": 10, "documents": 2}
    assert said(journal, spool_id(1)) == [("hotfolder", "spool.stored", details)]
    stored = replace(make_object(2), inventory_sha256="cd" * 32)
    journal.restore_spool(make_row(2), make_reading(2, make_document("c")), stored, 5)
    details = {
        "sha256": stored.content_sha256,
        "size": 10,
        "documents": 1,
        "inventory_sha256": "cd" * 32,
        "restored": True,
    }
    assert said(journal, spool_id(2)) == [("hotfolder", "spool.stored", details)]


def test_a_confirmed_unit_commits_to_its_records(journal: SqliteJournal) -> None:
    identities = store_many(journal, [1, 2, 3])
    unit = plan(journal)
    confirm(journal, unit)
    pairs = sorted([identity, f"/do/{identity[-6:]}"] for identity in identities)
    digest = hashlib.sha256(dump(pairs).encode()).hexdigest()
    details = {"documents": 3, "members_sha256": digest}
    assert said(journal, unit.ref_id) == [("hotfolder", "unit.confirmed", details)]
    before = journal.audit_size()
    assert journal.confirm_documents({}, 9) == []
    assert journal.audit_size() == before


def test_what_stands_aside_says_so_in_codes(journal: SqliteJournal) -> None:
    store_many(journal, [1, 2])
    journal.set_aside(spool_id(1), SpoolState.HELD, [FAULT], 5, actor="maria", reason="look")
    journal.release(spool_id(1), "looked", 6, actor="maria")
    journal.set_aside(spool_id(2), SpoolState.REJECTED, [FAULT, FAULT], 7)
    held = {"codes": ["sidecar.date"], "from": "STORED", "reason": "look"}
    back = {"from": "HELD", "to": "STORED", "reason": "looked"}
    assert said(journal, spool_id(1))[1:] == [
        ("maria", "spool.held", held),
        ("maria", "spool.released", back),
    ]
    rejected = {"codes": ["sidecar.date", "sidecar.date"], "from": "STORED"}
    assert said(journal, spool_id(2))[1:] == [("hotfolder", "spool.rejected", rejected)]
    assert FAULT.message not in dump([row.details for row in journal.audit()])


# -- heads -------------------------------------------------------------------------------------
def test_heads_are_kept_in_order_and_one_for_each_size(journal: SqliteJournal) -> None:
    fill(journal, 4)
    first = make_head(journal)
    assert journal.add_tree_head(first, 5, actor="maria")
    other = replace(first, head=replace(first.head, at="2026-07-01T00:00:00Z"))
    assert not journal.add_tree_head(other, 6)
    second = make_head(journal)
    assert second.head.tree_size == 5
    assert journal.add_tree_head(second, 7)
    assert journal.tree_heads() == [first, second]
    assert journal.tree_heads(after=4) == [second]
    assert journal.last_tree_head() == second
    details = {"tree_size": 4, "root": first.head.root, "key": first.key}
    assert said(journal, journal.log_id())[0] == ("maria", "tree.signed", details)
    assert journal.verify_chain() == 6


@pytest.mark.parametrize(
    "change",
    [{"log": "ab" * 16}, {"tree_size": 3}, {"tree_size": 9}, {"tree_size": 0}, {"root": "ab" * 32}],
)
def test_a_head_of_something_else_is_not_kept(
    journal: SqliteJournal, change: dict[str, str | int]
) -> None:
    fill(journal, 4)
    wrong = make_head(journal)
    wrong = replace(wrong, head=replace(wrong.head, **change))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="head"):
        journal.add_tree_head(wrong, 5)
    assert journal.tree_heads() == []
    assert journal.audit_size() == 4


def test_a_log_keeps_its_id_and_no_two_have_the_same(tmp_path: Path) -> None:
    ids = []
    for name in ("a.db", "b.db", "a.db"):
        journal = SqliteJournal(os.fsencode(tmp_path / name))
        ids.append(journal.log_id())
        journal.close()
    assert ids[0] == ids[2] != ids[1]
    assert len(ids[0]) == 32


# -- an older journal -------------------------------------------------------------------------
def test_nodes_of_an_older_chain_are_built_page_by_page(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = SqliteJournal(os.fsencode(path))
    fill(journal, 2 * PAGE + 77)
    expected = journal.tree_root(2 * PAGE + 77)
    journal.close()
    conn = sqlite3.connect(path, isolation_level=None)
    for table in ("audit_nodes", "audit_log", "tree_heads"):
        conn.execute(f"DROP TABLE {table}")
    conn.execute("DROP INDEX audit_subject")
    conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_audit_tree'")
    conn.execute("PRAGMA user_version = 4")
    conn.close()
    journal = SqliteJournal(os.fsencode(path))
    assert journal.tree_root(2 * PAGE + 77) == expected
    assert journal.verify_chain() == 2 * PAGE + 77
    journal.close()


# -- behind the journal's back ----------------------------------------------------------------
def without_triggers(journal: SqliteJournal) -> sqlite3.Connection:
    conn = journal._db._writer
    names = conn.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN"
        " ('audit', 'audit_nodes', 'tree_heads', 'audit_log')"
    ).fetchall()
    for (name,) in names:
        conn.execute(f"DROP TRIGGER {name}")
    return conn


TWICE = (
    "INSERT INTO audit SELECT 40, at, actor, action, subject, details, previous, digest"
    " FROM audit WHERE number = 39"
)
LAST_NODE = "DELETE FROM audit_nodes WHERE number = (SELECT max(number) FROM audit_nodes)"


@pytest.mark.parametrize(
    ("statements", "number", "code"),
    [
        (["UPDATE audit SET details = '{\"n\": 9}' WHERE number = 40"], 40, "audit.broken"),
        (["UPDATE audit SET digest = previous WHERE number = 40"], 40, "audit.broken"),
        (["DELETE FROM audit WHERE number = 40"], 41, "audit.broken"),
        (
            [
                "DELETE FROM audit WHERE number = 40",
                "UPDATE audit SET number = number - 1 WHERE number > 40",
            ],
            40,
            "audit.broken",
        ),
        (
            [
                "UPDATE audit SET number = -number WHERE number >= 40",
                TWICE,
                "UPDATE audit SET number = 1 - number WHERE number < 0",
            ],
            40,
            "audit.broken",
        ),
        (
            [
                "UPDATE audit SET number = 0 WHERE number = 40",
                "UPDATE audit SET number = 40 WHERE number = 41",
                "UPDATE audit SET number = 41 WHERE number = 0",
            ],
            40,
            "audit.broken",
        ),
        (["UPDATE audit_nodes SET hash = zeroblob(32) WHERE number = 1"], 2, "audit.node"),
        (["DELETE FROM audit_nodes WHERE number = 4"], 6, "audit.node"),
        (
            ["DELETE FROM audit_nodes WHERE number = (SELECT max(number) FROM audit_nodes)"],
            100,
            "audit.node",
        ),
        (["INSERT INTO audit_nodes VALUES (99, zeroblob(32))"], 101, "audit.cut"),
        (["DELETE FROM audit WHERE number > 60"], 61, "audit.cut"),
        (["DELETE FROM audit"], 1, "audit.cut"),
    ],
)
def test_what_was_changed_by_hand_is_found(
    journal: SqliteJournal, statements: list[str], number: int, code: str
) -> None:
    fill(journal, 100)
    assert journal.verify_chain() == 100
    conn = without_triggers(journal)
    for statement in statements:
        conn.execute(statement)
    with pytest.raises(BrokenChain) as caught:
        journal.verify_chain()
    assert (caught.value.number, caught.value.code) == (number, code)
    assert isinstance(caught.value, Corrupt)
    assert [fault.code for fault in journal.check()] == [code]


def test_a_chain_made_anew_is_not_consistent_with_an_older_root(journal: SqliteJournal) -> None:
    """Links and nodes agree with one another; the root that somebody kept does not."""
    fill(journal, 50)
    kept = journal.tree_root(40)
    links = journal.audit()
    conn = without_triggers(journal)
    conn.execute("DELETE FROM audit WHERE number >= 30")
    conn.execute("DELETE FROM audit_nodes WHERE number > ?", (merkle.node_count(29),))
    with journal._db.writing() as writer:
        append_links(writer, [(row.action, "other", row.details) for row in links[29:]], 1)
    found = journal.recompute_chain([40])
    assert found.size == 50
    assert found.roots[40] != kept.hex()


def test_a_missing_node_is_told_and_nothing_is_written_on_it(journal: SqliteJournal) -> None:
    fill(journal, 64)
    without_triggers(journal).execute("DELETE FROM audit_nodes")
    with pytest.raises(BrokenChain):
        journal.tree_root(64)
    with pytest.raises(BrokenChain):
        journal.append_audit("root", "test.one", "x", {}, 1)
    assert journal.audit_size() == 64
