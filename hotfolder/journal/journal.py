"""The journal as the flows see it: ``core.ports.Journal`` in SQLite."""

from __future__ import annotations

import os
import sqlite3
from typing import Self

from hotfolder.core.errors import Fault, HotfolderError, OperatorFault
from hotfolder.journal.audit import Audit
from hotfolder.journal.catalogue import Catalogue
from hotfolder.journal.census import Census
from hotfolder.journal.connection import Connection, classify
from hotfolder.journal.correspondence import Correspondence
from hotfolder.journal.destroying import Destroying
from hotfolder.journal.disposals import Disposals
from hotfolder.journal.encryption import Encrypted
from hotfolder.journal.facts import Facts
from hotfolder.journal.feed import Feed
from hotfolder.journal.figures import FiguresOf
from hotfolder.journal.fixity import Fixity
from hotfolder.journal.holdprogress import HoldProgress
from hotfolder.journal.holds import Holds
from hotfolder.journal.lookups import Lookups
from hotfolder.journal.migrating import Migrating
from hotfolder.journal.naming import Naming
from hotfolder.journal.orders import Orders
from hotfolder.journal.outbox import Outbox
from hotfolder.journal.readings import Readings
from hotfolder.journal.requests import Requests
from hotfolder.journal.restoration import Restoration
from hotfolder.journal.retention import Retention
from hotfolder.journal.retries import Retries
from hotfolder.journal.search import Search
from hotfolder.journal.spools import Spools
from hotfolder.journal.templates import Templates
from hotfolder.journal.tombstones import Tombstones
from hotfolder.journal.tree import Tree
from hotfolder.journal.units import Units
from hotfolder.journal.updates import Updates

_NEWEST = 100_000  # links that are recomputed by a look at the whole: some seconds


class SqliteJournal(
    Spools,
    Readings,
    Units,
    Retries,
    Lookups,
    Search,
    Naming,
    Correspondence,
    Catalogue,
    Audit,
    Tree,
    Outbox,
    Orders,
    Requests,
    Fixity,
    Retention,
    Templates,
    Migrating,
    FiguresOf,
    Census,
    Facts,
    Feed,
    Holds,
    HoldProgress,
    Updates,
    Encrypted,
    Disposals,
    Destroying,
    Tombstones,
    Restoration,
):
    """One journal file. Safe to use from any thread."""

    def __init__(self, path: bytes, *, must_exist: bool = False) -> None:
        """Open or make the journal at ``path``; see ``Connection``."""
        self._db = Connection(path, must_exist=must_exist)

    @classmethod
    def open_existing(cls, path: str | bytes) -> Self:
        """Open a journal for a command; ``OperatorFault`` if there is none yet."""
        return cls(os.fsencode(path), must_exist=True)

    def check(self) -> list[Fault]:
        """Look the whole file over: pages, references, and the newest links of the audit
        chain, which grows with every spool (``verify_chain`` is for all of it). Empty if sound.

        Takes about a second for each gigabyte; others go on reading and writing.
        """
        faults: list[Fault] = []
        try:
            with self._db.apart() as conn:
                pages = [row[0] for row in conn.execute("PRAGMA quick_check(5)") if row[0] != "ok"]
                references = conn.execute("PRAGMA foreign_key_check").fetchall()
            if pages or references:
                faults.append(
                    Fault(
                        code="journal.damaged",
                        message=f"the journal is damaged ({len(pages)} places,"
                        f" {len(references)} references)",
                        remedy="stop the daemon, keep the file, then `hotfolder rebuild`",
                    )
                )
            self.recompute_chain(after=max(0, self.audit_size() - _NEWEST))
        except HotfolderError as error:
            faults.append(Fault(code=error.code, message=error.message, remedy=error.hint))
        return faults

    def backup(self, path: bytes) -> None:
        """Copy the journal to ``path`` while it is in use (SQLite's online backup).

        The copy is of one moment, and synced when this returns. Raises ``OperatorFault``
        if ``path`` is there already or cannot be made, ``Transient`` if it does not fit;
        nothing is left at ``path`` then.
        """
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))
        except OSError as error:
            raise OperatorFault(
                f"the backup cannot be made: {error.strerror}",
                hint="name a file that is not there yet, in a folder that may be written",
                code="backup.open",
            ) from error
        try:
            with self._db.apart() as source:
                target = sqlite3.connect(path)
                try:
                    source.backup(target)
                except sqlite3.Error as error:
                    raise classify(error) from error
                finally:
                    target.close()
        except BaseException:
            os.unlink(path)
            raise

    def close(self) -> None:
        """Checkpoint and close."""
        self._db.close()
