"""Opening a journal, sharing it, and being refused."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hotfolder.core.errors import Corrupt, OperatorFault, Transient
from hotfolder.journal import connection
from hotfolder.journal.connection import APPLICATION_ID, classify
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.migrations import VERSION
from tests.support.crash import run_python
from tests.support.journals import claim, spool_id, store_many


def open_at(path: Path) -> SqliteJournal:
    return SqliteJournal(os.fsencode(path))


def change(path: Path, statement: str) -> None:
    """Do something to a database from outside."""
    conn = sqlite3.connect(path)
    conn.execute(statement)
    conn.commit()
    conn.close()


def test_it_is_durable_private_and_says_what_it_is(tmp_path: Path) -> None:
    journal = open_at(tmp_path / "j.db")
    for conn in (journal._db._writer, journal._db._reader):
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert conn.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._db._writer.execute("PRAGMA foreign_keys").fetchone() == (1,)
    claim(journal, 1)
    for name in ("j.db", "j.db-wal", "j.db-shm"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o027 == 0, name
    journal.close()
    assert os.listdir(tmp_path) == ["j.db"]
    conn = sqlite3.connect(tmp_path / "j.db")
    assert conn.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert conn.execute("PRAGMA user_version").fetchone() == (VERSION,)
    conn.close()


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    open_at(tmp_path / "j.db").close()
    change(tmp_path / "j.db", f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(OperatorFault, match="this release knows") as caught:
        open_at(tmp_path / "j.db")
    assert caught.value.code == "journal.newer"


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    change(tmp_path / "j.db", "CREATE TABLE theirs (x)")
    before = (tmp_path / "j.db").read_bytes()
    with pytest.raises(OperatorFault) as caught:
        open_at(tmp_path / "j.db")
    assert caught.value.code == "journal.foreign"
    assert (tmp_path / "j.db").read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "j.db").write_bytes(b"Dear Sir or Madam, " * 100)
    with pytest.raises(Corrupt) as caught:
        open_at(tmp_path / "j.db")
    assert caught.value.code == "journal.damaged"
    assert (tmp_path / "j.db").read_bytes().startswith(b"Dear")


def test_a_damaged_journal_is_corrupt(tmp_path: Path) -> None:
    journal = open_at(tmp_path / "j.db")
    store_many(journal, range(300))
    (page,) = journal._db._writer.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'documents'"
    ).fetchone()
    journal.close()
    with (tmp_path / "j.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    journal = open_at(tmp_path / "j.db")
    with pytest.raises(Corrupt) as caught:
        store_many(journal, range(300, 400))
    assert caught.value.code == "journal.damaged"
    assert [fault.code for fault in journal.check()] == ["journal.damaged"]
    journal.close()


@pytest.mark.parametrize("place", ["none/j.db", "folder"])
def test_what_cannot_be_opened_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OperatorFault) as caught:
        open_at(tmp_path / place)
    assert caught.value.code == "journal.open"


def test_a_command_does_not_make_a_journal(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault) as caught:
        SqliteJournal.open_existing(str(tmp_path / "j.db"))
    assert caught.value.code == "journal.missing"
    assert "`hotfolder rebuild`" in str(caught.value.hint)  # never an empty one beside a store
    assert os.listdir(tmp_path) == []
    open_at(tmp_path / "j.db").close()
    SqliteJournal.open_existing(str(tmp_path / "j.db")).close()


def test_first_starts_at_once_make_one_journal(tmp_path: Path) -> None:
    program = """
import os, sys
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import claim
journal = SqliteJournal(os.fsencode(sys.argv[1]))
claim(journal, int(sys.argv[2]))
journal.close()
"""
    with ThreadPoolExecutor(6) as pool:
        ended = list(
            pool.map(lambda n: run_python(program, str(tmp_path / "j.db"), str(n)), range(6))
        )
    assert [item.stderr for item in ended] == [""] * 6
    journal = open_at(tmp_path / "j.db")
    assert journal.status().spools == {"CLAIMED": 6}
    assert journal.check() == []
    journal.close()


def test_a_locked_journal_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_BUSY_MS", 20)
    journal = open_at(tmp_path / "j.db")
    other = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Transient) as caught:
        claim(journal, 1)
    assert caught.value.code == "journal.busy"
    assert journal.spools([]) == []
    other.execute("COMMIT")
    other.close()
    claim(journal, 1)
    journal.close()


def test_looks_do_not_wait_for_a_writer_and_see_no_half(tmp_path: Path) -> None:
    journal = open_at(tmp_path / "j.db")
    claim(journal, 1)

    def look_while_writing() -> None:
        with ThreadPoolExecutor(1) as pool, journal._db.writing() as conn:
            conn.execute("UPDATE spools SET folder = 'half'")
            row = pool.submit(journal.get_spool, spool_id(1)).result(timeout=30)
            assert row is not None
            assert row.folder == "bills"
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        look_while_writing()
    assert [row.folder for row in journal.spools([])] == ["bills"]
    journal.close()


def test_what_is_read_in_one_look_is_of_one_moment(tmp_path: Path) -> None:
    journal, other = open_at(tmp_path / "j.db"), open_at(tmp_path / "j.db")
    claim(journal, 1)
    with journal._db.reading() as conn:
        before = conn.execute("SELECT count(*) FROM spools").fetchone()
        claim(other, 2)
        assert conn.execute("SELECT count(*) FROM spools").fetchone() == before
    assert len(journal.spools([])) == 2
    other.close()
    journal.close()


def test_a_journal_that_another_reads_can_be_closed(tmp_path: Path) -> None:
    journal, other = open_at(tmp_path / "j.db"), open_at(tmp_path / "j.db")
    claim(journal, 1)
    with other._db.reading() as conn:
        conn.execute("SELECT count(*) FROM spools").fetchone()
        journal.close()
    assert len(other.spools([])) == 1
    other.close()


def test_unknown_errors_are_passed_on() -> None:
    strange = sqlite3.OperationalError("no such table: x")
    assert classify(strange) is strange


def test_a_second_daemon_is_refused_and_told_by_whom(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path / "j.db")
    lock = acquire_daemon_lock(path)
    with pytest.raises(OperatorFault, match=f"process {os.getpid()}") as caught:
        acquire_daemon_lock(path)
    assert caught.value.code == "journal.in_use"
    lock.release()
    acquire_daemon_lock(path).release()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    program = """
import os, sys
from hotfolder.journal.daemonlock import acquire_daemon_lock
lock = acquire_daemon_lock(os.fsencode(sys.argv[1]))
os._exit(137)
"""
    assert run_python(program, str(tmp_path / "j.db")).returncode == 137
    acquire_daemon_lock(os.fsencode(tmp_path / "j.db")).release()
    with pytest.raises(OperatorFault) as caught:
        acquire_daemon_lock(os.fsencode(tmp_path / "none" / "j.db"))
    assert caught.value.code == "journal.lock"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EMFILE])
def test_a_disk_that_is_full_or_read_only_at_the_start_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Exit code 78 tells systemd to leave the daemon down for good."""

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    path = os.fsencode(tmp_path / "journal.db")
    monkeypatch.setattr(os, "open", refuse)
    for opening in (SqliteJournal, acquire_daemon_lock):
        with pytest.raises(Transient) as caught:
            opening(path)
        assert os.strerror(number) in caught.value.message
        assert "user of the service" not in caught.value.hint
