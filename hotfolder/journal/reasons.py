"""Why a transaction changes the retention of documents; triggers write it down."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def because(conn: sqlite3.Connection, reason: str, now: float) -> Iterator[None]:
    """What the block changes of a document's class, dates or disposition gets ``reason``
    in the history. Within a transaction; no other sees the row."""
    conn.execute("INSERT OR REPLACE INTO retention_reason VALUES (1, ?, ?)", (now, reason))
    yield
    conn.execute("DELETE FROM retention_reason")
