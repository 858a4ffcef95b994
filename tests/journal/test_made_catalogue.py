"""The catalogue that the measurement of ``find`` makes by SQL has the rows that the
journal's own methods write of the same documents."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from bench.catalogue import fill
from bench.journalling import UNIT_SIZE
from hotfolder.core.records import Drop, Inspection, Reading, Sighting, SpoolRow, StoredObject
from hotfolder.journal.journal import SqliteJournal

_DOCUMENTS = 3500  # two spools
_CHOSEN = {("units", "ref_id"), ("history", "number")}  # by the journal, of what came first
_ROWS = "SELECT * FROM {table}"
_TABLES = {
    **{
        table: _ROWS.format(table=table)
        for table in ("spools", "units", "documents", "document_references", "history", "moves")
    },
    **{table: _ROWS.format(table=table) for table in ("backlog", "server")},
    "counts": "SELECT * FROM counts WHERE count > 0",  # states that were left say 0
    "words": "SELECT term, doc FROM terms",
}


def test_it_is_what_the_journal_writes(tmp_path: Path) -> None:
    made, told = tmp_path / "made.db", tmp_path / "told.db"
    spools = fill(made, _DOCUMENTS)
    source, journal = SqliteJournal(os.fsencode(made)), SqliteJournal(os.fsencode(told))
    for spool in source.spools([]):
        _tell(source, spool, journal)
    source.close()
    journal.close()
    assert spools == 2
    for table, statement in _TABLES.items():
        rows = _rows(made, table, statement)
        assert rows == _rows(told, table, statement), table
        assert rows or table == "backlog"
    assert _schema(made) == _schema(told)


def _tell(source: SqliteJournal, spool: SpoolRow, journal: SqliteJournal) -> None:
    """A spool and its documents, by the journal's own methods until it is DONE."""
    rows = source.documents_of(spool.id)
    seen = Sighting(
        folder=spool.folder,
        name=spool.name,
        size=spool.size,
        mtime_ns=spool.mtime_ns,
        inode=spool.inode,
        device=1,
    )
    drop = Drop(folder=spool.folder, spool=seen, settled_by=spool.settled_by)
    journal.begin_claims([(spool.id, spool.business_unit, drop)], 1.0)
    journal.finish_claims([spool.id], 2.0)
    assert spool.sha256 is not None
    assert spool.format_name is not None
    reading = Reading(
        spool_id=spool.id,
        sha256=spool.sha256,
        size=spool.size,
        inspection=Inspection(format_name=spool.format_name, pages=spool.pages),
        documents=tuple(row.document for row in rows),
    )
    journal.record_readings([reading], 3.0)
    stored = StoredObject(
        spool_id=spool.id,
        object_path="ab/cd",
        content_sha256=spool.sha256,
        content_size=spool.size,
    )
    journal.record_stored([stored], 4.0)
    uris = {row.document.identity: row.record_uri or "" for row in rows}
    places = {row.document.identity: row.unit_ref_id or "" for row in rows}
    first = rows[0].document
    place = (spool.business_unit, first.series, first.cycle)
    while unit := journal.plan_unit(*place, UNIT_SIZE, 5.0):
        journal.mark_sent(unit.ref_id, 6.0)
        there = source.get_unit(places[unit.identities[0]])
        assert there is not None
        assert there.archival_object_uri is not None
        recorded = {identity: uris[identity] for identity in unit.identities}
        done = journal.confirm_unit(unit.ref_id, there.archival_object_uri, recorded, 7.0)
        journal.record_receipted(done, 8.0)


def _rows(path: Path, table: str, statement: str) -> list[dict[str, object]]:
    """In an order that both have, without what one journal alone chooses."""
    conn = sqlite3.connect(path)
    conn.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, words, instance)")
    cursor = conn.execute(statement)
    names = [column[0] for column in cursor.description]
    rows = [
        {
            name: value
            for name, value in zip(names, row, strict=True)
            if (table, name) not in _CHOSEN
        }
        for row in cursor
    ]
    conn.close()
    return sorted(rows, key=repr)


def _schema(path: Path) -> list[tuple[str, str | None]]:
    conn = sqlite3.connect(path)
    found = conn.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    conn.close()
    return found
