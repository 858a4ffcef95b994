"""A journal that was rebuilt destroys nothing until somebody has said that it may.

The store has every document with its metadata, and the holds. It has neither the events
that started clocks (a document falls back to the date of its metadata, which may end
earlier) nor the schedules that were in force before (so that a shortening is not noticed).
"""

from __future__ import annotations

import sqlite3

from hotfolder.core.errors import OperatorFault
from hotfolder.journal.links import append_links

BEGUN, REBUILT = "operator.rebuild_begun", "operator.rebuild"
RESUMED = "disposal.resumed"
SUBJECT = "journal"


def was_rebuilt(conn: sqlite3.Connection) -> bool:
    """Whether this journal was ever made from the store."""
    row = conn.execute(
        "SELECT 1 FROM audit WHERE subject = ? AND action IN (?, ?) LIMIT 1",
        (SUBJECT, BEGUN, REBUILT),
    ).fetchone()
    return row is not None


def is_unreviewed(conn: sqlite3.Connection) -> bool:
    """Whether a rebuild was begun, and nobody has said since that disposals may go on."""
    (unreviewed,) = conn.execute(
        "SELECT coalesce(max(number) FILTER (WHERE action IN (?, ?)), 0)"
        " > coalesce(max(number) FILTER (WHERE action = ?), 0) FROM audit WHERE subject = ?",
        (BEGUN, REBUILT, RESUMED, SUBJECT),
    ).fetchone()
    return bool(unreviewed)


def require_reviewed(conn: sqlite3.Connection) -> None:
    """Raise ``OperatorFault`` (``disposal.rebuilt``) if nothing may be decided here yet."""
    if is_unreviewed(conn):
        raise OperatorFault(
            "the journal was rebuilt: it has no retention events and no earlier schedules",
            hint="give the events again, look at `hotfolder disposal due`, then"
            " `hotfolder disposal resume --reason …`; nothing was destroyed",
            code="disposal.rebuilt",
        )


def note_resumed(conn: sqlite3.Connection, actor: str, reason: str, now: float) -> bool:
    """Write down that disposals may go on; False if nothing was in their way."""
    if not is_unreviewed(conn):
        return False
    append_links(conn, [(RESUMED, SUBJECT, {"reason": reason})], now, actor)
    return True
