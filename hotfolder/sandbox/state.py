"""Everything the sandbox remembers, in one SQLite database (a file, or memory).

A file survives the end of the process, at any moment. Nothing is fsynced: the sandbox
promises nothing across a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import Any

Clock = Callable[[], float]  # Unix seconds, UTC

# Numbers that a fresh server has already given out: its own accounts, groups, agents.
_USED_AT_START = {
    "repository": 1,
    "user": 4,
    "group": 4,
    "agent_person": 1,
    "agent_software": 1,
    "event": 2,
    "enumeration_value": 1805,
}


class State:
    """One connection behind one lock: what is written is serial, as are the reads."""

    def __init__(self, path: str | None = None, clock: Clock = time.time) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        self._listeners: list[Callable[[], None]] = []
        self._used: dict[str, int] = {}
        self._dirty = False
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        schema = resources.files("hotfolder.sandbox").joinpath("state.sql").read_text("utf-8")
        self._db.executescript(schema)
        self._load()

    def close(self) -> None:
        """Close the database. A state in memory is gone."""
        with self._lock:
            self._db.close()

    def on_rollback(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when what was read before may no longer be true."""
        self._listeners.append(listener)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep everybody else out while several rows are read."""
        with self._lock:
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Numbers given out stay used after a rollback, as in InnoDB."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._save_numbers()
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                self._save_numbers()
                for listener in self._listeners:
                    listener()
                raise

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """One statement; inside ``transaction`` where it writes."""
        with self._lock:
            return self._db.execute(sql, values)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a query."""
        with self._lock:
            found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
            return found

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None without a row."""
        found = self.row(sql, values)
        return None if found is None else found[0]

    def next_number(self, name: str, count: int = 1) -> int:
        """Give out ``count`` numbers of a sequence and return the last."""
        with self._lock:
            self._used[name] = self._used.get(name, _USED_AT_START.get(name, 0)) + count
            self._dirty = True
            return self._used[name]

    def now(self) -> int:
        """Whole seconds, as the server keeps them."""
        return int(self.clock())

    def snapshot(self, path: str) -> None:
        """Copy the whole state to a file: a backup."""
        with self._lock:
            copy = sqlite3.connect(path)
            try:
                self._db.backup(copy)
            finally:
                copy.close()

    def restore(self, path: str) -> None:
        """Go back to a backup. What came after it is gone, sessions included."""
        with self._lock:
            copy = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            try:
                copy.backup(self._db)
            finally:
                copy.close()
            self._load()
            for listener in self._listeners:
                listener()

    def _load(self) -> None:
        self._used = {row["name"]: row["used"] for row in self.rows("SELECT * FROM sequence")}
        self._dirty = False

    def _save_numbers(self) -> None:
        if self._dirty:
            self._db.executemany(
                "INSERT INTO sequence (name, used) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET used = excluded.used",
                self._used.items(),
            )
            self._dirty = False


def iso(seconds: int) -> str:
    """A time as the server writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
