"""How an older journal becomes today's. Append only: a migration that has been
released is never edited, because journals exist that have run it."""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlite_utils import Migrations

from hotfolder.journal.links import build_nodes

if TYPE_CHECKING:
    from sqlite_utils import Database

VERSION = 20  # PRAGMA user_version after the last migration

migrations = Migrations("hotfolder")


@migrations()
def m001_first_schema(db: Database) -> None:
    """Spools, units, documents, history, counters, audit chain."""
    _run(db, "schema.sql")
    db.conn.execute("PRAGMA user_version = 1")


@migrations()
def m002_finding(db: Database) -> None:
    """Documents are found by account and by day."""
    db.conn.execute(
        "CREATE INDEX documents_account ON documents (account_number, issue_date)"
        " WHERE account_number IS NOT NULL"
    )
    db.conn.execute("CREATE INDEX documents_issued ON documents (issue_date)")
    db.conn.execute("PRAGMA user_version = 2")


@migrations()
def m003_many_documents(db: Database) -> None:
    """Spools with many documents: how they are described, how many are still to come, and
    an index of the words in them."""
    _run(db, "many_documents.sql")
    db.conn.execute("PRAGMA user_version = 3")


@migrations()
def m004_by_type_and_spool(db: Database) -> None:
    """Documents of a type, and those of a spool, are found in the order of their days. Of
    those that are found at all, so that counting them looks at the index alone."""
    found = "WHERE live = 1 AND role <> 'carrier'"
    db.conn.execute(
        "CREATE INDEX documents_type ON documents (document_type COLLATE NOCASE, issue_date)"
        f" {found}"
    )
    db.conn.execute(f"CREATE INDEX documents_spool ON documents (spool, issue_date) {found}")
    db.conn.execute("PRAGMA user_version = 4")


@migrations()
def m005_audit_tree(db: Database) -> None:
    """The Merkle tree over the audit chain, its signed heads, and an index of subjects."""
    _run(db, "audit_tree.sql")
    build_nodes(db.conn)
    db.conn.execute("PRAGMA user_version = 5")


@migrations()
def m006_references(db: Database) -> None:
    """References have kinds; documents and units are found by their address in
    ArchivesSpace."""
    _run(db, "references.sql")
    db.conn.execute("PRAGMA user_version = 6")


@migrations()
def m007_outbox(db: Database) -> None:
    """Events that ArchivesSpace is to be told of."""
    _run(db, "outbox.sql")
    db.conn.execute("PRAGMA user_version = 7")


@migrations()
def m008_requests(db: Database) -> None:
    """Documents that go out again: orders, requests, and their history."""
    _run(db, "orders.sql")
    db.conn.execute("PRAGMA user_version = 8")


@migrations()
def m009_fixity(db: Database) -> None:
    """Rounds of the fixity scrub, the last result of each spool, damage that was found."""
    _run(db, "fixity.sql")
    db.conn.execute("PRAGMA user_version = 9")


@migrations()
def m010_retention(db: Database) -> None:
    """How long, and may it go: clocks, events, holds, disposals, and what ArchivesSpace is
    to be told of them."""
    _run(db, "retention.sql")
    db.conn.execute("PRAGMA user_version = 10")


@migrations()
def m011_holds(db: Database) -> None:
    """How far a hold has come, and the spools in which it is to be marked."""
    _run(db, "holds.sql")
    db.conn.execute("PRAGMA user_version = 11")


@migrations()
def m012_updates(db: Database) -> None:
    """What came of telling ArchivesSpace, and what it would not be told."""
    _run(db, "updates.sql")
    db.conn.execute("PRAGMA user_version = 12")


@migrations()
def m013_facts(db: Database) -> None:
    """What archivists decided in ArchivesSpace, and what goes downstream."""
    _run(db, "facts.sql")
    db.conn.execute("PRAGMA user_version = 13")


@migrations()
def m014_encryption(db: Database) -> None:
    """Which spools are stored encrypted."""
    _run(db, "encryption.sql")
    db.conn.execute("PRAGMA user_version = 14")


@migrations()
def m015_templates(db: Database) -> None:
    """Versions of templates; documents are found by the template that they name."""
    _run(db, "templates.sql")
    db.conn.execute("PRAGMA user_version = 15")


@migrations()
def m016_disposal(db: Database) -> None:
    """Documents are destroyed: frozen lists, tombstones, and the days that the clock showed."""
    _run(db, "disposal.sql")
    db.conn.execute("PRAGMA user_version = 16")


@migrations()
def m017_old_archives(db: Database) -> None:
    """What was taken out of old archives."""
    _run(db, "legacy.sql")
    db.conn.execute("PRAGMA user_version = 17")


@migrations()
def m018_by_unit(db: Database) -> None:
    """Documents of a business unit are found in the order of their days."""
    db.conn.execute(
        "CREATE INDEX documents_unit_issued ON documents (business_unit, issue_date)"
        " WHERE live = 1 AND role <> 'carrier'"
    )
    db.conn.execute("PRAGMA user_version = 18")


@migrations()
def m019_key_destruction(db: Database) -> None:
    """Documents are destroyed by their key, while their spool stays."""
    _run(db, "key_destruction.sql")
    db.conn.execute("PRAGMA user_version = 19")


@migrations()
def m020_refused_releases(db: Database) -> None:
    """A hold whose release was refused can be released by a later one."""
    _run(db, "refused_releases.sql")
    db.conn.execute("PRAGMA user_version = 20")


def _run(db: Database, name: str) -> None:
    script = (files("hotfolder.journal") / name).read_text(encoding="utf-8")
    for statement in _statements(script):
        db.conn.execute(statement)


def _statements(script: str) -> list[str]:
    """Split a script at the semicolons that end statements. Not ``executescript``:
    that commits first, and a migration must be one transaction."""
    found: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found
