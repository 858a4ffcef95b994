"""The connections to a journal: one that writes, one that reads, for all threads.

WAL with ``synchronous=FULL``: a commit is synced before it returns, and a power
cut takes nothing that was acknowledged. Every change is one ``BEGIN IMMEDIATE``
transaction, so that two processes (daemon and command line) never deadlock; a
plain ``BEGIN`` that reads and then writes fails at once when another process wrote
in between, whatever the busy timeout. Whoever reads sees one state of the whole
journal and does not wait for a writer's sync.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlite_utils import Database

from hotfolder.core.disposals import DISPOSAL_MOVES
from hotfolder.core.errors import Corrupt, HotfolderError, OperatorFault, Transient
from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES
from hotfolder.core.orders import ORDER_MOVES, REQUEST_MOVES
from hotfolder.journal.migrations import VERSION, migrations

APPLICATION_ID = 0x68666A31  # "hfj1", so that `file` and a stranger can tell what it is
_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables; sqlite.org/stricttables.html
_BUSY_MS = 10_000
_LOG_MS = 500  # for readers to end; others wait to write meanwhile
_WRITER_KIB = 16_384  # of pages in memory: what a batch of a large journal changes
_READER_KIB = 4_096  # what is read was written a moment ago; the kernel has it still
_WAL_LIMIT = 64 * 1024 * 1024  # bytes that the WAL keeps after one very large transaction
# https://www.sqlite.org/rescode.html, primary result codes
_BUSY, _LOCKED, _CONSTRAINT = 5, 6, 19
_CODES: dict[int, tuple[type[HotfolderError], str, str, str]] = {
    _BUSY: (Transient, "the journal is locked by another program", "tried again", "journal.busy"),
    _LOCKED: (Transient, "the journal is locked by another program", "tried again", "journal.busy"),
    7: (Transient, "there is no memory left for the journal", "tried again", "journal.memory"),
    8: (OperatorFault, "the journal may not be written", "check owner and mode", "journal.mode"),
    10: (Transient, "the journal's disk reports an error", "look at the disk", "journal.io"),
    11: (
        Corrupt,
        "the journal is damaged",
        "stop, keep it, `hotfolder rebuild`",
        "journal.damaged",
    ),
    13: (Transient, "the journal's disk is full", "free space there", "journal.full"),
    14: (OperatorFault, "the journal cannot be opened", "make its folder", "journal.open"),
    26: (
        Corrupt,
        "the journal's first bytes are not those of a journal",
        "check journal.path; if it is right: stop, keep the file, `hotfolder rebuild`",
        "journal.damaged",
    ),
}


def classify(error: sqlite3.Error) -> Exception:
    """The error of ours for one of SQLite's, by its result code. A broken rule of
    the schema (an illegal move of state) is a ``ValueError``."""
    code = _code_of(error)
    if code in _CODES:
        kind, message, hint, name = _CODES[code]
        return kind(message, hint=hint, code=name)
    if code == _CONSTRAINT:
        return ValueError(str(error))
    return error


# What passes without the operator: systemd is to start the daemon again until it has passed.
_PASSING = {
    errno.ENOSPC: ("free space there", "journal.full"),
    errno.EDQUOT: ("free space there, or raise the quota", "journal.full"),
    errno.EIO: ("look at the disk", "journal.io"),
    errno.EROFS: ("its file system is read-only: look at the disk and at dmesg", "journal.io"),
    errno.EMFILE: ("raise LimitNOFILE of the service", "journal.files"),
    errno.ENFILE: ("raise fs.file-max of the machine", "journal.files"),
}


def not_opened(error: OSError, what: str, code: str) -> HotfolderError:
    """What is to be raised where ``what`` of the journal cannot be opened: ``Transient`` or
    ``OperatorFault``, with ``code``."""
    message = f"{what} cannot be opened: {error.strerror}"
    if error.errno in _PASSING:
        hint, passing = _PASSING[error.errno]
        return Transient(message, hint=hint, code=passing)
    hint = "make the journal's folder and let the user of the service write there"
    return OperatorFault(message, hint=hint, code=code)


def _code_of(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 1)) & 0xFF


class Connection:
    """Opens a journal, brings its schema up to date, and hands out transactions."""

    def __init__(self, path: bytes, *, must_exist: bool = False) -> None:
        """Raises ``OperatorFault`` if it cannot be opened or was written by another
        program or a newer release; ``Corrupt`` if it is damaged."""
        if must_exist and not os.path.exists(path):
            raise OperatorFault(
                "there is no journal yet",
                # A new journal beside a full store would know nothing of what is in it.
                hint="start the daemon if this is new, or name another --config; if the"
                " journal is lost, `hotfolder rebuild` before anything else",
                code="journal.missing",
            )
        self._path = path
        self._write_lock = threading.RLock()
        self._read_lock = threading.RLock()
        try:
            # 0640 from the first moment: customers' names are in it
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
        except OSError as error:
            raise not_opened(error, "the journal", "journal.open") from error
        self._writer = _connect(path, _WRITER_KIB)
        try:
            self._prepare()
            self._reader = _connect(path, _READER_KIB)
            self._reader.execute(  # of each connection, no part of the journal
                "CREATE VIRTUAL TABLE temp.terms USING fts5vocab (main, words, instance)"
            )
            self._reader.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            self._writer.close()
            raise classify(error) from error
        except BaseException:
            self._writer.close()
            raise

    def _prepare(self) -> None:
        conn = self._writer
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise OperatorFault(
                f"this Python's SQLite is {sqlite3.sqlite_version}, too old for the journal",
                hint=f"use a Python with SQLite {'.'.join(map(str, _OLDEST_SQLITE))} or later",
                code="journal.sqlite",
            )
        if not conn.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone():
            raise OperatorFault(
                "this Python's SQLite has no full-text search (FTS5)",
                hint="use a Python whose SQLite has it; those of distributions do",
                code="journal.sqlite",
            )
        # Before anything is written: another program's database is not ours to change.
        tables = self._examine()
        # Switching a new file to WAL wants it alone and does not wait: two first
        # starts at once may meet here, and the second finds it switched.
        mode = conn.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise OperatorFault(
                "the journal's file system cannot share memory between processes",
                hint="keep the journal on a local file system",
                code="journal.file_system",
            )
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA foreign_keys = ON")
        # What is deleted or moved is overwritten, always: of a row that was changed before it
        # was destroyed the older copy stays in its page otherwise. Not every SQLite is built so.
        conn.execute("PRAGMA secure_delete = ON")
        conn.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
        if not tables or self._pending():
            # An index of ten million documents is sorted on the disk, not in 600 MB of memory.
            conn.execute("PRAGMA temp_store = FILE")
            with self.writing():
                # Looked at again under the lock: another process may have been quicker.
                if not self._examine():
                    conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                # Within our transaction: each migration is a savepoint of it.
                migrations.apply(Database(conn, execute_plugins=False))
            conn.execute("PRAGMA temp_store = MEMORY")
        self._fill_moves()

    def _examine(self) -> int:
        """How many tables there are; raises ``OperatorFault`` if they are not ours."""
        conn = self._writer
        tables = int(conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
        found = conn.execute("PRAGMA application_id").fetchone()[0]
        if tables and found != APPLICATION_ID:
            raise OperatorFault(
                "this database belongs to another program",
                hint="check journal.path in the configuration",
                code="journal.foreign",
            )
        version = conn.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise OperatorFault(
                f"this journal has schema {version}, this release knows {VERSION}",
                hint="run the newer release that wrote it",
                code="journal.newer",
            )
        return tables

    def _pending(self) -> bool:
        return bool(migrations.pending(Database(self._writer, execute_plugins=False)))

    def _fill_moves(self) -> None:
        wanted = {
            (kind, str(old), str(new))
            for kind, table in (
                ("spool", SPOOL_MOVES),
                ("unit", UNIT_MOVES),
                ("order", ORDER_MOVES),
                ("request", REQUEST_MOVES),
                ("disposal", DISPOSAL_MOVES),
            )
            for old, news in table.items()
            for new in news
        }
        if set(self._writer.execute("SELECT kind, old, new FROM moves")) != wanted:
            with self.writing() as conn:
                conn.execute("DELETE FROM moves")
                conn.executemany("INSERT INTO moves VALUES (?, ?, ?)", sorted(wanted))

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; committed and synced when the block ends without error,
        rolled back otherwise. Usable again after any error, once its cause is gone."""
        with self._write_lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except sqlite3.Error as error:
                _roll_back(self._writer)
                raise classify(error) from error
            except BaseException:
                _roll_back(self._writer)
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for look-ups: everything read in the block is of one moment.
        It sees what was committed before the block began, by this process or another."""
        with self._read_lock, _snapshot(self._reader) as conn:
            yield conn

    @contextmanager
    def apart(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for look-ups that take minutes; nobody waits for it."""
        conn = _connect(self._path, _READER_KIB)
        try:
            # What is sorted there grows with the catalogue: on disk, beyond the cache.
            conn.execute("PRAGMA temp_store = FILE")
            with _snapshot(conn):
                yield conn
        finally:
            conn.close()

    def empty_log(self) -> bool:
        """Bring the WAL into the journal and cut it off; False while somebody reads what
        is in it."""
        with self._write_lock:
            try:
                self._writer.execute(f"PRAGMA busy_timeout = {_LOG_MS}")
                row = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                raise classify(error) from error
            finally:
                self._writer.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return not row[0]

    def close(self) -> None:
        """Checkpoint and close."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            try:
                # Not to be waited for: without it the WAL stays, valid, for the next opening.
                self._writer.execute("PRAGMA busy_timeout = 0")
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                if not isinstance(classify(error), Transient):
                    raise classify(error) from error
            finally:
                self._writer.close()


def _connect(path: bytes, cache_kib: int) -> sqlite3.Connection:
    try:
        conn = sqlite3.connect(
            path,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            timeout=_BUSY_MS / 1000,
        )
    except sqlite3.Error as error:
        raise classify(error) from error
    try:
        conn.execute("PRAGMA temp_store = MEMORY")
        conn.execute(f"PRAGMA cache_size = -{cache_kib}")
    except sqlite3.Error as error:
        conn.close()
        raise classify(error) from error
    return conn


@contextmanager
def _snapshot(conn: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        conn.execute("BEGIN")
        yield conn
    except sqlite3.Error as error:
        raise classify(error) from error
    finally:
        _roll_back(conn)


def _roll_back(conn: sqlite3.Connection) -> None:
    # SQLite has rolled back by itself after some errors (a full disk).
    if conn.in_transaction:
        conn.execute("ROLLBACK")
