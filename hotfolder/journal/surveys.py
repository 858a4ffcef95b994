"""A survey of an old archive's export: what was seen in it, in a file of its own.

Beside the journal, never in it: it can be thrown away, and made again by reading the
export again. What is in it when a survey is cut short need not be read again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any, NamedTuple

from hotfolder.core.errors import OperatorFault
from hotfolder.journal.connection import classify

_CACHE_KIB = 16_384
_PAGE = 1000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL)
 STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items (source_id TEXT PRIMARY KEY, size INTEGER NOT NULL,
 mtime_ns INTEGER NOT NULL, sha256 TEXT, documents INTEGER NOT NULL, code TEXT NOT NULL)
 STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counts (kind TEXT NOT NULL, name TEXT NOT NULL,
 count INTEGER NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (identity BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS examples (kind TEXT NOT NULL, source_id TEXT NOT NULL,
 message TEXT NOT NULL, PRIMARY KEY (kind, source_id)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (name BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS met (source_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
"""


class SurveyedItem(NamedTuple):
    """An item as a survey has it."""

    source_id: str
    size: int
    mtime_ns: int
    sha256: str | None
    documents: int
    code: str  # of the first fault, or empty


class Survey:
    """One survey; used by one thread."""

    def __init__(self, path: bytes, fingerprint: str) -> None:
        """Go on with the survey at ``path``, if it is of the same ``fingerprint`` and was
        cut short; else begin anew. Raises ``OperatorFault`` or ``Transient``."""
        self._path = path
        self.resumed = False
        try:
            self._conn = self._open()
            about = dict(self._conn.execute("SELECT name, value FROM about"))
            if about.get("fingerprint") != fingerprint or about.get("finished"):
                self._conn.close()
                remove_survey(path)
                self._conn = self._open()
                self._conn.execute("INSERT INTO about VALUES ('fingerprint', ?)", (fingerprint,))
            else:
                self.resumed = True
                # Of one walk over the export; the next meets all names again.
                self._conn.execute("DELETE FROM seen")
                self._conn.execute("DELETE FROM met")
        except sqlite3.DatabaseError as error:
            raise OperatorFault(
                "the survey that was begun cannot be used",
                hint=f"remove {os.fsdecode(path)} and begin again",
                code="migration.survey",
            ) from error

    def _open(self) -> sqlite3.Connection:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        os.close(descriptor)
        conn = sqlite3.connect(self._path, isolation_level=None)
        # What a power cut takes of it is read again.
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = NORMAL")
        conn.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        for statement in _SCHEMA.strip().split(";\n"):
            conn.execute(statement)
        return conn

    def close(self) -> None:
        """Keep it as it is."""
        self._conn.close()

    def finish(self) -> None:
        """All was seen: the next survey begins anew."""
        self._conn.execute("INSERT OR REPLACE INTO about VALUES ('finished', '1')")

    # -- names -------------------------------------------------------------------------
    def add(self, name: bytes) -> bool:
        """See ``core.legacy.Seen``."""
        added: int = self._execute("INSERT OR IGNORE INTO seen VALUES (?)", (name,)).rowcount
        return added > 0

    def has(self, name: bytes) -> bool:
        """See ``core.legacy.Seen``."""
        return self._one("SELECT 1 FROM seen WHERE name = ?", (name,)) is not None

    # -- items -------------------------------------------------------------------------
    def begin(self) -> None:
        """From here to ``commit`` is one change."""
        self._execute("BEGIN")

    def commit(self) -> None:
        """What was added since ``begin`` is there after a kill."""
        self._execute("COMMIT")

    def knows(self, source_id: str, size: int, mtime_ns: int) -> bool:
        """Whether an item was seen already, and looks the same."""
        return (
            self._one(
                "SELECT 1 FROM items WHERE source_id = ? AND size = ? AND mtime_ns = ?",
                (source_id, size, mtime_ns),
            )
            is not None
        )

    def meet(self, source_id: str) -> None:
        """The export has this item now. Noted where a survey goes on: one that was begun
        may know items that are gone."""
        if self.resumed:
            self._execute("INSERT OR IGNORE INTO met VALUES (?)", (source_id,))

    def forget_unmet(self) -> int:
        """Forget the items that the export has no more; how many. After the last was met."""
        if not self.resumed:
            return 0
        gone: int = self._execute(
            "DELETE FROM items WHERE source_id NOT IN (SELECT source_id FROM met)"
        ).rowcount
        return gone

    def is_stale(self) -> bool:
        """Whether the export has changed since this survey was begun, so that its counts are
        those of no export. After the last was met."""
        if not self.resumed:
            return False
        gone = "SELECT 1 FROM items WHERE source_id NOT IN (SELECT source_id FROM met) LIMIT 1"
        changed = "SELECT 1 FROM about WHERE name = 'changed'"
        return any(self._one(query, ()) is not None for query in (gone, changed))

    def clear(self) -> None:
        """Nothing was seen: for another walk over the export."""
        for table in ("items", "counts", "identities", "examples", "seen", "met"):
            self._execute(f"DELETE FROM {table}")
        self._execute("DELETE FROM about WHERE name = 'changed'")
        self.resumed = False

    def add_item(self, item: SurveyedItem) -> None:
        """One that was seen."""
        if self.resumed:  # it is counted already, as it was then
            self._execute(
                "INSERT OR IGNORE INTO about SELECT 'changed', '1' FROM items WHERE source_id = ?",
                (item.source_id,),
            )
        self._execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?)", item)

    def count(self, kind: str, name: str, number: int = 1, size: int = 0) -> None:
        """Add to a count."""
        self._execute(
            "INSERT INTO counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " count = count + excluded.count, size = size + excluded.size",
            (kind, name, number, size),
        )

    def add_identity(self, identity: str) -> bool:
        """Note a document; False if the export has it twice."""
        key = bytes.fromhex(identity.removeprefix("hf-"))
        added: int = self._execute("INSERT OR IGNORE INTO identities VALUES (?)", (key,)).rowcount
        return added > 0

    def add_example(self, kind: str, source_id: str, message: str, most: int) -> None:
        """Keep an example, up to ``most`` of a kind."""
        self._execute(
            "INSERT OR IGNORE INTO examples SELECT ?, ?, ?"
            " WHERE (SELECT count(*) FROM examples WHERE kind = ?) < ?",
            (kind, source_id, message, kind, most),
        )

    def counts(self, kind: str) -> list[tuple[str, int, int]]:
        """(name, count, size) of a kind, by name."""
        return list(
            self._execute(
                "SELECT name, count, size FROM counts WHERE kind = ? ORDER BY name", (kind,)
            )
        )

    def examples(self) -> list[tuple[str, str, str]]:
        """(kind, source id, message) of what was kept."""
        return list(
            self._execute("SELECT kind, source_id, message FROM examples ORDER BY kind, source_id")
        )

    def totals(self) -> tuple[int, int, int]:
        """Items, their bytes, their documents."""
        row = self._one(
            "SELECT count(*), coalesce(sum(size), 0), coalesce(sum(documents), 0) FROM items", ()
        )
        assert row is not None  # an aggregate has always one
        return row[0], row[1], row[2]

    def items(self) -> Iterator[SurveyedItem]:
        """Every item, by its id, in flat memory."""
        after = ""
        while True:
            rows = self._execute(
                "SELECT * FROM items WHERE source_id > ? ORDER BY source_id LIMIT ?",
                (after, _PAGE),
            ).fetchall()
            yield from map(SurveyedItem._make, rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def _one(self, statement: str, values: Sequence[Any]) -> Any:
        return self._execute(statement, values).fetchone()

    def _execute(self, statement: str, values: Iterable[Any] | Mapping[str, Any] = ()) -> Any:
        try:
            return self._conn.execute(statement, tuple(values))
        except sqlite3.Error as error:
            raise classify(error) from error


def count_surveyed(path: bytes) -> int | None:
    """How many items a survey has that was finished; None if there is none."""
    if not os.path.exists(path):
        return None
    try:
        with closing(sqlite3.connect(path)) as conn:
            if conn.execute("SELECT 1 FROM about WHERE name = 'finished'").fetchone() is None:
                return None
            return int(conn.execute("SELECT count(*) FROM items").fetchone()[0])
    except sqlite3.Error:
        return None  # only a bar is drawn from it


def remove_survey(path: bytes) -> None:
    """Throw a survey away."""
    for ending in (b"", b"-wal", b"-shm"):
        with suppress(FileNotFoundError):
            os.unlink(path + ending)
