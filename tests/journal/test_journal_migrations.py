"""Every schema that was ever released opens in this release, with all that is in it.

``data/version-N.db.gz`` is a journal as release N left it. Such a file is made once,
by ``python -m tests.journal.test_journal_migrations FILE`` in that release, and never
again: a schema that changes needs a migration, not another fixture.
"""

from __future__ import annotations

import gzip
import os
import re
import sqlite3
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from hotfolder.core.errors import OperatorFault
from hotfolder.core.fixity import FixityResult, Outcome
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.orders import NewOrder
from hotfolder.core.query import DocumentQuery
from hotfolder.journal import connection
from hotfolder.journal import migrations as released
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import (
    FAULT,
    claim,
    confirm,
    make_document,
    make_head,
    plan,
    read,
    spool_id,
    store,
)

IDENTITY = "hf-" + "7" * 64
FIXTURES = sorted(
    (Path(__file__).parent / "data").glob("version-*.db.gz"),
    key=lambda path: int(re.findall(r"\d+", path.name)[0]),
)


def write_fixture(path: Path) -> None:
    """A journal with something of everything in it."""
    journal = SqliteJournal(os.fsencode(path))
    store(journal, 1, make_document("a", "1"))
    confirm(journal, plan(journal))
    journal.record_receipted([spool_id(1)], 8)
    store(journal, 2, make_document("a", "2"))
    store(journal, 3, make_document("b"))
    sent = plan(journal)
    journal.mark_sent(sent.ref_id, 9)
    journal.defer_unit(sent.ref_id, "timeout", 99, 9)
    read(journal, 4, make_document("b"))
    store(journal, 5, make_document("c"))
    claim(journal, 6, 7)
    journal.set_aside(spool_id(6), SpoolState.REJECTED, [FAULT], 10)
    journal.set_aside(spool_id(7), SpoolState.HELD, [FAULT], 10)
    journal.append_audit("root", "operator.hold", spool_id(7), {"reason": "x"}, 10)
    journal.record_server(2, 50, "refused", 11)
    order = NewOrder(id="order-1", identity=IDENTITY, to="back", reason="x", actor="root")
    journal.add_order(order, 12)
    journal.add_tree_head(make_head(journal), 12)
    journal.begin_round(13)
    (target, *_) = journal.fixity_fresh(1, after=0, limit=1)
    journal.record_fixity(
        [
            FixityResult(
                spool=target.number,
                spool_id=target.spool_id,
                root=1,
                outcome=Outcome.MISSING,
                at=14,
            )
        ]
    )
    journal.close()


def unpack(fixture: Path, folder: Path) -> Path:
    path = folder / "j.db"
    path.write_bytes(gzip.decompress(fixture.read_bytes()))
    return path


def schema_of(path: Path) -> dict[str, str]:
    conn = sqlite3.connect(path)
    found = dict(conn.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    found["version"] = str(conn.execute("PRAGMA user_version").fetchone()[0])
    conn.close()
    without_comments = {name: re.sub(r"--[^\n]*", "", sql) for name, sql in found.items()}
    return {name: " ".join(sql.split()) for name, sql in without_comments.items()}


def test_there_is_a_fixture_of_every_version() -> None:
    names = [path.name for path in FIXTURES]
    assert names == [f"version-{number}.db.gz" for number in range(1, released.VERSION + 1)]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name)
def test_older_journal_opens_and_goes_on(fixture: Path, tmp_path: Path) -> None:
    path = unpack(fixture, tmp_path)
    journal = SqliteJournal(os.fsencode(path))
    links = journal.audit_size()
    assert links == journal.verify_chain() >= 1
    held = journal.audit_of([spool_id(7)])[-1]
    assert (held.action, held.details) == ("operator.hold", {"reason": "x"})
    status = journal.status()
    assert status.spools == {
        "DONE": 1,
        "STORED": 3,
        "DUPLICATE": 1,
        "REJECTED": 1,
        "HELD": 1,
    }
    assert status.units == {"CONFIRMED": 1, "SENT": 1}
    assert (status.documents, status.documents_confirmed, status.deferred) == (4, 1, 1)
    assert status.rejected_by_reason == {"sidecar.date": 1}
    (newer,) = journal.documents_of(spool_id(2))
    assert (newer.document.version, newer.document.supersedes) == (
        2,
        make_document("a", "1").identity,
    )
    (sent,) = journal.units([UnitState.SENT])
    assert confirm(journal, sent) == [spool_id(2), spool_id(3)]
    assert confirm(journal, plan(journal)) == [spool_id(5)]
    assert journal.release(spool_id(7), "mended", 20) is SpoolState.CLAIMED
    # Two units were confirmed since, and a spool was released.
    assert journal.verify_chain() == links + 3
    assert journal.server_state() == (2, 50, "refused")
    assert journal.check() == []
    journal.close()


@pytest.mark.parametrize("fixture", FIXTURES[:3], ids=lambda path: path.name)
def test_references_without_a_kind_stay_those_of_cases(fixture: Path, tmp_path: Path) -> None:
    path = unpack(fixture, tmp_path)
    conn = sqlite3.connect(path)
    numbers = [row[0] for row in conn.execute("SELECT number FROM documents WHERE live = 1")]
    conn.executemany("INSERT INTO case_references VALUES ('CLAIM-7', ?)", zip(numbers))
    conn.commit()
    conn.close()
    journal = SqliteJournal(os.fsencode(path))
    for kind, count in ((None, len(numbers)), ("case", len(numbers)), ("claim", 0)):
        query = DocumentQuery(case_ref="CLAIM-7", case_kind=kind)
        assert len(journal.find_documents(query, 100)) == count
        assert journal.count_documents(query) == count
    assert {item.kinds for item in journal.correspondence("CLAIM-7")} == {("case",)}
    assert journal.check() == []
    journal.close()


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name)
def test_older_journal_gets_the_schema_of_a_new_one(fixture: Path, tmp_path: Path) -> None:
    older, fresh = unpack(fixture, tmp_path), tmp_path / "fresh.db"
    for path in (older, fresh):
        SqliteJournal(os.fsencode(path)).close()
    assert schema_of(older) == schema_of(fresh)


def test_migration_that_fails_leaves_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = unpack(FIXTURES[-1], tmp_path)
    before = schema_of(path)
    next_release = Migrations("hotfolder")
    next_release(name="m001_first_schema")(released.m001_first_schema)

    @next_release()
    def m998_half(db: Database) -> None:
        db.conn.execute("CREATE TABLE fresh (x)")
        db.conn.execute("PRAGMA user_version = 998")

    @next_release()
    def m999_wrong(db: Database) -> None:
        db.conn.execute("UPDATE spools SET no_such_column = 1")

    monkeypatch.setattr(connection, "migrations", next_release)
    with pytest.raises(sqlite3.OperationalError, match="no_such_column"):
        SqliteJournal(os.fsencode(path))
    assert schema_of(path) == before
    monkeypatch.undo()
    journal = SqliteJournal(os.fsencode(path))
    assert journal.check() == []
    journal.close()


def test_journal_of_the_next_release_is_refused_by_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = unpack(FIXTURES[-1], tmp_path)
    next_release = Migrations("hotfolder")
    next_release(name="m001_first_schema")(released.m001_first_schema)

    @next_release()
    def m999_next(db: Database) -> None:
        db.conn.execute("ALTER TABLE spools ADD COLUMN fresh TEXT")
        db.conn.execute(f"PRAGMA user_version = {released.VERSION + 1}")

    monkeypatch.setattr(connection, "migrations", next_release)
    monkeypatch.setattr(connection, "VERSION", released.VERSION + 1)
    journal = SqliteJournal(os.fsencode(path))
    claim(journal, 20)
    journal.close()
    monkeypatch.undo()
    with pytest.raises(OperatorFault) as caught:
        SqliteJournal(os.fsencode(path))
    assert caught.value.code == "journal.newer"


def test_journal_is_copied_while_it_is_in_use(tmp_path: Path) -> None:
    write_fixture(tmp_path / "j.db")
    journal = SqliteJournal(os.fsencode(tmp_path / "j.db"))
    claim(journal, 30)
    journal.backup(os.fsencode(tmp_path / "copy.db"))
    claim(journal, 31)
    copy = SqliteJournal(os.fsencode(tmp_path / "copy.db"))
    assert copy.get_spool(spool_id(31)) is None
    assert copy.get_spool(spool_id(30)) is not None
    assert copy.check() == []
    assert copy.audit() == journal.audit()
    copy.close()
    assert (tmp_path / "copy.db").stat().st_mode & 0o027 == 0
    for place in ("copy.db", "none/copy.db"):
        with pytest.raises(OperatorFault) as caught:
            journal.backup(os.fsencode(tmp_path / place))
        assert caught.value.code == "backup.open"
    journal.close()


def test_an_open_round_goes_on_and_damage_is_kept(tmp_path: Path) -> None:
    path = unpack(FIXTURES[8], tmp_path)
    journal = SqliteJournal(os.fsencode(path))
    current = journal.open_round()
    assert current is not None
    assert (current.number, current.began_at) == (1, 13)
    assert journal.fixity_damage(round_number=1) == [(spool_id(1), 1, "missing")]
    assert (journal.fixity_left(1), journal.count_damaged()) == (3, 1)
    journal.close()
    conn = sqlite3.connect(path)
    for statement in ("UPDATE fixity_damage SET root = 2", "DELETE FROM fixity_damage"):
        with pytest.raises(sqlite3.IntegrityError, match="never forgotten"):
            conn.execute(statement)
    conn.close()


if __name__ == "__main__":
    write_fixture(Path(sys.argv[1]))
