"""The journal as the flows see it: ``core.ports.Journal`` in SQLite."""

from __future__ import annotations

import sqlite3

from hotfolder.core.errors import Fault, HotfolderError
from hotfolder.journal.audit import Audit
from hotfolder.journal.catalogue import Catalogue
from hotfolder.journal.connection import Connection, classify
from hotfolder.journal.restoration import Restoration
from hotfolder.journal.spools import Spools
from hotfolder.journal.units import Units


class SqliteJournal(Spools, Units, Catalogue, Audit, Restoration):
    """One journal file. Safe to use from any thread."""

    def __init__(self, path: bytes, *, must_exist: bool = False) -> None:
        """Open or make the journal at ``path``; see ``Connection``."""
        self._db = Connection(path, must_exist=must_exist)

    def check(self) -> list[Fault]:
        """Look the whole file over: pages, references, audit chain. Empty if sound.

        Takes about a second for each gigabyte.
        """
        faults: list[Fault] = []
        with self._db.reading() as conn:
            pages = [row[0] for row in conn.execute("PRAGMA quick_check(5)") if row[0] != "ok"]
            references = conn.execute("PRAGMA foreign_key_check").fetchall()
        if pages or references:
            faults.append(
                Fault(
                    code="journal.damaged",
                    message=f"the journal is damaged ({len(pages)} pages, {len(references)} rows)",
                    remedy="stop the daemon, keep the file, then `hotfolder rebuild`",
                )
            )
        try:
            self.verify_chain()
        except HotfolderError as error:
            faults.append(Fault(code=error.code, message=error.message, remedy=error.hint))
        return faults

    def backup(self, path: bytes) -> None:
        """Copy the journal to ``path`` while it is in use (SQLite's online backup)."""
        with self._db.reading() as conn:
            try:
                target = sqlite3.connect(path)
                try:
                    conn.backup(target)
                finally:
                    target.close()
            except sqlite3.Error as error:
                raise classify(error) from error

    def close(self) -> None:
        """Checkpoint and close."""
        self._db.close()
