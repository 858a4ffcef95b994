"""The floor of the journal: the same rows by the same statements' number, in SQLite with
nothing around them.

    python -m bench.bare rows PATH COUNT BATCH UNIT
    python -m bench.bare sync PATH COUNT BATCH BYTES

``rows`` keeps plain tables, without checks, triggers, counters or references, and knows
every row's number; it is as durable (WAL, synchronous=FULL). ``sync`` writes as many
bytes as the journal did for each transaction and calls fdatasync, and nothing else.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from bench.journalling import Timed, make_drop, make_reading, spool_id
from hotfolder.core.canonical import dump, metadata_to_dict
from hotfolder.core.records import Document

STEPS = ("begin_claims", "finish_claims", "record_readings", "record_stored")
_SCHEMA = """
CREATE TABLE spools (number INTEGER PRIMARY KEY, id TEXT UNIQUE, name BLOB, sidecars TEXT,
  state TEXT, sha256 TEXT, at REAL);
CREATE TABLE documents (number INTEGER PRIMARY KEY, identity TEXT UNIQUE, business_key TEXT,
  title TEXT, customer TEXT, metadata TEXT, waiting INTEGER, unit INTEGER, uri TEXT);
CREATE TABLE units (number INTEGER PRIMARY KEY, ref_id TEXT UNIQUE, state TEXT);
CREATE TABLE history (number INTEGER PRIMARY KEY, subject INTEGER, at REAL, new TEXT);
"""
_HISTORY = "INSERT INTO history (subject, at, new) VALUES (?, ?, ?)"
_MOVE = "UPDATE spools SET state = ?, at = ? WHERE number = ?"


class Bare:
    """A journal of rows alone."""

    def __init__(self, path: Path, timed: Timed) -> None:
        self._conn = sqlite3.connect(path, isolation_level=None)
        self._conn.executescript(_SCHEMA)
        self._conn.execute("PRAGMA journal_mode = WAL")
        self._conn.execute("PRAGMA synchronous = FULL")
        self._timed = timed

    def run(self, step: str, *statements: tuple[str, list[tuple[object, ...]]]) -> None:
        """One transaction, timed."""
        with self._timed.time(step):
            self._conn.execute("BEGIN IMMEDIATE")
            for text, rows in statements:
                self._conn.executemany(text, rows)
            self._conn.execute("COMMIT")

    def take(self, numbers: range) -> None:
        """What a batch of spools writes until they are stored."""
        drops = [make_drop(number) for number in numbers]
        readings = [make_reading(number) for number in numbers]
        spools = [
            (
                number,
                spool_id(number),
                drop.spool.name,
                drop.sidecars[0].name.hex(),
                "CLAIMING",
                1.0,
            )
            for number, drop in zip(numbers, drops, strict=True)
        ]
        insert = (
            "INSERT INTO spools (number, id, name, sidecars, state, at) VALUES (?, ?, ?, ?, ?, ?)"
        )
        self.run("begin_claims", (insert, list(spools)), _steps(numbers, "CLAIMING"))
        self.run("finish_claims", _moves(numbers, "CLAIMED"), _steps(numbers, "CLAIMED"))
        documents = [
            _document(number, next(iter(reading.documents)))
            for number, reading in zip(numbers, readings, strict=True)
        ]
        self.run(
            "record_readings",
            ("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, 0, NULL, NULL)", documents),
            (
                "UPDATE spools SET state = 'READ', at = 3.0, sha256 = ? WHERE number = ?",
                [(item.sha256, number) for item, number in zip(readings, numbers, strict=True)],
            ),
            _steps(numbers, "READ"),
        )
        self.run(
            "record_stored",
            _moves(numbers, "STORED"),
            ("UPDATE documents SET waiting = 1 WHERE number = ?", [(item,) for item in numbers]),
            _steps(numbers, "STORED"),
        )

    def deliver(self, unit: int, numbers: range) -> None:
        """What a unit of documents writes until its spools are done."""
        self.run(
            "plan_unit",
            ("INSERT INTO units VALUES (?, ?, 'PLANNED')", [(unit, f"hf-unit-{unit:040}")]),
            (
                "UPDATE documents SET waiting = 0, unit = ? WHERE number = ?",
                [(unit, number) for number in numbers],
            ),
            _steps(range(unit, unit + 1), "PLANNED"),
        )
        sent = ("UPDATE units SET state = ? WHERE number = ?", [("SENT", unit)])
        self.run("mark_sent", (sent[0], list(sent[1])), _steps(range(unit, unit + 1), "SENT"))
        uris: list[tuple[object, ...]] = [
            (f"/repositories/2/digital_objects/{number}", number) for number in numbers
        ]
        self.run(
            "confirm_unit",
            ("UPDATE units SET state = ? WHERE number = ?", [("CONFIRMED", unit)]),
            ("UPDATE documents SET uri = ? WHERE number = ?", uris),
            _moves(numbers, "DELIVERED"),
            _steps(numbers, "DELIVERED"),
            _steps(range(unit, unit + 1), "CONFIRMED"),
        )
        self.run("record_receipted", _moves(numbers, "DONE"), _steps(numbers, "DONE"))

    def close(self) -> None:
        """Checkpoint and close."""
        self._conn.close()


def _steps(numbers: range, new: str) -> tuple[str, list[tuple[object, ...]]]:
    return _HISTORY, [(number, 1.0, new) for number in numbers]


def _moves(numbers: range, new: str) -> tuple[str, list[tuple[object, ...]]]:
    return _MOVE, [(new, 1.0, number) for number in numbers]


def _document(number: int, document: Document) -> tuple[object, ...]:
    return (
        number,
        document.identity,
        document.business_key,
        document.title,
        document.metadata.customer_id,
        dump(metadata_to_dict(document.metadata)),
    )


def write_rows(path: Path, count: int, batch: int, unit: int) -> None:
    """As ``journalling.burst`` does with the journal."""
    timed = Timed()
    bare = Bare(path, timed)
    for first in range(0, count, batch):
        bare.take(range(first, min(first + batch, count)))
    for number, first in enumerate(range(0, count, unit)):
        bare.deliver(number, range(first, min(first + unit, count)))
    bare.close()
    timed.answer()


def sync_bytes(path: Path, count: int, batch: int, size: int) -> None:
    """As many transactions, each ``size`` bytes appended and synced."""
    timed = Timed()
    data = b"x" * size
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    for _ in range(0, count, batch):
        for step in STEPS:
            with timed.time(step):
                os.write(fd, data)
                os.fdatasync(fd)
    os.close(fd)
    timed.answer()


if __name__ == "__main__":
    parts = {"rows": write_rows, "sync": sync_bytes}
    parts[sys.argv[1]](Path(sys.argv[2]), *(int(text) for text in sys.argv[3:]))
