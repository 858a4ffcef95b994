"""The connection: one, for all threads of a process, behind a lock.

WAL with ``synchronous=FULL``: a commit is synced before it returns, and a power
cut takes nothing that was acknowledged. Every change is one ``BEGIN IMMEDIATE``
transaction, so that two processes (daemon and command line) never deadlock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlite_utils import Database

from hotfolder.core.errors import Corrupt, HotfolderError, OperatorFault, Transient
from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES
from hotfolder.journal.migrations import VERSION, migrations

APPLICATION_ID = 0x68666A31  # "hfj1", so that `file` and a stranger can tell what it is
_BUSY_MS = 10_000
_CODES: dict[int, tuple[type[HotfolderError], str, str, str]] = {
    5: (Transient, "the journal is locked by another program", "tried again", "journal.busy"),
    6: (Transient, "the journal is locked by another program", "tried again", "journal.busy"),
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
    26: (OperatorFault, "this file is no journal", "check journal.path", "journal.foreign"),
}


def classify(error: sqlite3.Error) -> Exception:
    """The error of ours for one of SQLite's, by its result code. A broken rule of
    the schema (an illegal move of state) is a ``ValueError``."""
    code = getattr(error, "sqlite_errorcode", 1) & 0xFF
    if code in _CODES:
        kind, message, hint, name = _CODES[code]
        return kind(message, hint=hint, code=name)
    if code == 19:
        return ValueError(str(error))
    return error


class Connection:
    """Opens a journal, brings its schema up to date, and hands out transactions."""

    def __init__(self, path: bytes, *, must_exist: bool = False) -> None:
        """Raises ``OperatorFault`` if it cannot be opened, is no journal, or was
        written by a newer release; ``Corrupt`` if it is damaged."""
        if must_exist and not os.path.exists(path):
            raise OperatorFault(
                "there is no journal yet",
                hint="start the daemon, or name another --config",
                code="journal.missing",
            )
        self._lock = threading.RLock()
        try:
            # 0640 from the first moment: customers' names are in it
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
            self._conn = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, cached_statements=256
            )
        except OSError as error:
            raise OperatorFault(
                f"the journal cannot be opened: {error.strerror}",
                hint="make its folder and let the user of the service write there",
                code="journal.open",
            ) from error
        except sqlite3.Error as error:
            raise classify(error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._conn.close()
            raise classify(error) from error
        except HotfolderError:
            self._conn.close()
            raise

    def _prepare(self) -> None:
        conn = self._conn
        conn.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        found = conn.execute("PRAGMA application_id").fetchone()[0]
        tables = conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
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
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("PRAGMA temp_store = MEMORY")
        conn.execute("PRAGMA trusted_schema = OFF")
        if not tables:
            conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db = Database(conn, execute_plugins=False)
        if migrations.pending(db):
            migrations.apply(db)
        self._fill_moves()

    def _fill_moves(self) -> None:
        wanted = {
            (kind, str(old), str(new))
            for kind, table in (("spool", SPOOL_MOVES), ("unit", UNIT_MOVES))
            for old, news in table.items()
            for new in news
        }
        there = set(self._conn.execute("SELECT kind, old, new FROM moves"))
        if there != wanted:
            with self.writing() as conn:
                conn.execute("DELETE FROM moves")
                conn.executemany("INSERT INTO moves VALUES (?, ?, ?)", sorted(wanted))

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; committed and synced when the block ends without error,
        rolled back otherwise."""
        with self._lock:
            try:
                self._conn.execute("BEGIN IMMEDIATE")
                yield self._conn
                self._conn.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise classify(error) from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after some errors (a full disk).
        if self._conn.in_transaction:
            self._conn.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for look-ups; nothing may be changed through it."""
        with self._lock:
            try:
                yield self._conn
            except sqlite3.Error as error:
                raise classify(error) from error

    def close(self) -> None:
        """Checkpoint and close."""
        with self._lock:
            try:
                self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError as error:
                # Another process reads, or the disk is full: the WAL stays and is valid.
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _CODES:
                    raise
            finally:
                self._conn.close()


class DaemonLock:
    """Held by the one daemon of a journal, until it is released or the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another daemon in."""
        os.close(self._descriptor)


def acquire_daemon_lock(journal_path: bytes) -> DaemonLock:
    """Take the lock beside the journal (``<journal>.lock``).

    An advisory lock of the kernel: it ends with its process, however that ends, so
    nothing stale is ever left. Raises ``OperatorFault`` naming the holder's process.
    """
    try:
        descriptor = os.open(journal_path + b".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise OperatorFault(
            f"the journal's lock cannot be opened: {error.strerror}",
            hint="make the journal's folder and let the user of the service write there",
            code="journal.lock",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise OperatorFault(
                f"the journal cannot be locked: {error.strerror}",
                hint="keep the journal on a local file system",
                code="journal.lock",
            ) from error
        raise OperatorFault(
            f"another hotfolder works on this journal (process {holder})",
            hint="stop it first; two daemons on one journal are refused",
            code="journal.in_use",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return DaemonLock(descriptor)
