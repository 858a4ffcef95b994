"""Retries: what waits for a later attempt is made due at once. See ``core.ports.Journal``."""

from __future__ import annotations

from collections.abc import Sequence

from hotfolder.journal.connection import Connection
from hotfolder.journal.lookups import find_subject


class Retries:
    """The journal's methods about what waits for its next attempt."""

    _db: Connection

    def hasten(self, ref_ids: Sequence[str], now: float) -> int:
        """Make these units due at once."""
        with self._db.writing() as conn:
            return sum(
                conn.execute(
                    "UPDATE units SET next_at = NULL, updated_at = ? WHERE ref_id = ?"
                    " AND state IN ('PLANNED', 'SENT') AND next_at IS NOT NULL",
                    (now, ref_id),
                ).rowcount
                for ref_id in ref_ids
            )

    def retry_now(self, subjects: Sequence[str], now: float) -> int:
        """Clear the waiting of these spools or units (named as for ``get_spool``), or
        of all; with all, the server is due for a probe too."""
        clear = (
            "attempts = 0, next_at = NULL, last_error = NULL, updated_at = ?"
            " WHERE (next_at IS NOT NULL OR attempts > 0)"
        )
        still_open = (
            "state IN ('CLAIMING', 'CLAIMED', 'READ', 'STORED', 'DELIVERED', 'PLANNED', 'SENT')"
        )
        with self._db.writing() as conn:
            if not subjects:
                conn.execute("UPDATE server SET next_at = NULL")
                return sum(
                    conn.execute(
                        f"UPDATE {table} SET {clear} AND next_at IS NOT NULL", (now,)
                    ).rowcount
                    for table in ("spools", "units")
                )
            numbers = {
                (table, find_subject(conn, table, column, subject))
                for subject in subjects
                for table, column in (("spools", "id"), ("units", "ref_id"))
            }
            return sum(
                conn.execute(
                    f"UPDATE {table} SET {clear} AND {still_open} AND number = ?", (now, number)
                ).rowcount
                for table, number in numbers
            )
