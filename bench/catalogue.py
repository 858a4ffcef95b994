"""A catalogue of ten million documents in some minutes.

    python -m bench.catalogue PATH DOCUMENTS

The schema is the journal's own. The rows are made by SQL, with triggers off and most indexes
dropped; both are made again from the journal's own text, and the counters are set. Indexes
whose keys come in no order stay while the rows come: made afterwards, their pages would be
full, each row that came then would split several, and no journal is like that. Spools
of 1,000 to 100,000 documents, each of one type and one day, come in the order of their
days over seven years; all are delivered, in units of 200. Two million customers have one
to three accounts, and four have 5,000 documents each; three documents in a hundred belong
to a case. At the end SQLite checks pages and references.

The audit chain, which no question looks at, is left empty. That the other rows are those that
the journal's own methods write is tested
(``tests/journal/test_made_catalogue.py``).
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path

from bench.common import answer
from bench.journalling import UNIT_SIZE, spool_id
from hotfolder.core.lifecycle import SpoolState
from hotfolder.journal.identities import WORDS
from hotfolder.journal.journal import SqliteJournal

CUSTOMERS = 2_000_000
FIRST_DAY = date(2019, 7, 1)
DAYS = 7 * 365
# How many of a hundred spools; the last is rare, as a type is that began last year.
TYPES = {"statement": 45, "bill": 30, "notice": 15, "policy": 9, "claim_letter": 1}
LEAST, SIZES = 1000, (1, 2, 5, 10, 20, 50, 100)  # thousands of documents in a spool
GROWN = {"documents_live", "documents_version", "documents_customer", "documents_account"}
GIVEN = ("Anna", "Ben", "Clara", "David", "Eva", "Felix", "Greta", "Hugo", "Ines", "Jonas")
SYLLABLES = ("Berg", "Stein", "Wald", "Hof", "Bach", "Lind", "Kron", "Moos", "Rot", "Weid", "Tal")
ENDINGS = ("er", "mann", "inger", "ner", "ler", "egger", "huber", "li", "sen", "ow", "ik")

_DOCUMENTS = """
INSERT INTO documents (number, identity, spool, business_unit, source, business_key, series, cycle,
  title, version, ordinal, start, length, sha256, first_page, pages, customer_id, account_number,
  document_type, issue_date, channel, retention_class, retain_until, job_number, metadata, unit,
  position, stored_at, record_uri, archived_at)
WITH RECURSIVE ordinals (ordinal) AS (
  SELECT 1 UNION ALL SELECT ordinal + 1 FROM ordinals WHERE ordinal < :size
), chosen AS (
  SELECT ordinal, :last + ordinal AS number,
    CASE (:last + ordinal) % 500 WHEN 0 THEN (:last + ordinal) / 500 % 4
      ELSE (:last + ordinal) * 2654435761 % 2147483647 % :customers END AS customer
  FROM ordinals
), named AS (
  SELECT chosen.*, names.name, printf('C%08d', customer) AS customer_id,
    printf('DE%018d', customer * 10 + chosen.number % (1 + customer % 3)) AS account
  FROM chosen JOIN names ON names.number = customer * 7919 % :names
)
SELECT number, 'hf-' || lower(hex(randomblob(32))), :spool, 'retail', 'retail/' || :type,
  lower(hex(randomblob(32))), :type || 's', substr(:day, 1, 7),
  :title || ', ' || :day, 1, ordinal, (ordinal - 1) * 48211, 48211, lower(hex(randomblob(32))),
  ordinal * 3 - 2, 3, customer_id, account, :type, :day, 'print', 'FIN-7', :until, 'J' || :spool,
  printf('{"account_number":"%s","application":"RetailOutput",%s', account,
    CASE WHEN number % 100 < 3 THEN printf('"case_refs":["CASE-%07d"],', number / 300)
      ELSE '' END) || substr(json_object(
    'channel', 'print', 'customer_id', customer_id, 'customer_name', name,
    'document_type', :type, 'extra', json_object('Branch', json_array('B' || (customer % 400)),
    'Region', json_array('North')), 'issue_date', :day, 'job_number', 'J' || :spool,
    'language', 'de', 'period', substr(:day, 1, 7), 'retention_class', 'FIN-7'), 2),
  (number - 1) / :unit + 1, (number - 1) % :unit, 4.0,
  '/repositories/2/digital_objects/' || number, 7.0
FROM named
"""
_AFTERWARDS = f"""
INSERT INTO words (rowid, text) SELECT number, {WORDS} FROM documents;
INSERT INTO document_references SELECT r.value, d.number, 'case' FROM documents AS d,
  json_each(d.metadata, '$.case_refs') AS r;
INSERT INTO units (number, ref_id, business_unit, series, cycle, state, planned_at, sent_at,
  confirmed_at, updated_at, archival_object_uri)
SELECT unit, 'hf-unit-' || lower(hex(randomblob(20))), business_unit, series, cycle,
  'CONFIRMED', 5.0, 6.0, 7.0, 7.0, '/repositories/2/archival_objects/' || unit
  FROM documents WHERE position = 0;
INSERT INTO history (kind, subject, at, old, new, reason)
SELECT 'spool', s.number, m.at, m.old, m.new, '' FROM spools AS s, (
  SELECT j.value ->> 1 AS at, j.value ->> 0 AS new, lag(j.value ->> 0) OVER (ORDER BY j.key) AS old
  FROM json_each('[["CLAIMING", 1.0], ["CLAIMED", 2.0], ["READ", 3.0], ["STORED", 4.0],
    ["DELIVERED", 7.0], ["DONE", 8.0]]') AS j) AS m;
INSERT INTO history (kind, subject, at, old, new, reason)
SELECT 'unit', u.number, m.at, m.old, m.new, '' FROM units AS u, (
  SELECT j.value ->> 1 AS at, j.value ->> 0 AS new, lag(j.value ->> 0) OVER (ORDER BY j.key) AS old
  FROM json_each('[["PLANNED", 5.0], ["SENT", 6.0], ["CONFIRMED", 7.0]]') AS j) AS m;
INSERT OR REPLACE INTO counts SELECT 'spool', 'DONE', count(*) FROM spools;
INSERT OR REPLACE INTO counts SELECT 'unit', 'CONFIRMED', count(*) FROM units;
INSERT OR REPLACE INTO counts SELECT 'document', j.value, count(*)
  FROM documents, json_each('["live", "confirmed"]') AS j GROUP BY j.value;
"""


def fill(path: Path, documents: int) -> int:
    """Make the catalogue; returns how many spools it has. Not synced; a run that dies is
    begun anew."""
    SqliteJournal(os.fsencode(path)).close()
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("PRAGMA journal_mode = OFF")
    conn.execute("PRAGMA cache_size = -5000000")  # 5 GB: what grows in no order stays in memory
    conn.execute("PRAGMA threads = 2")
    made = [
        row
        for row in conn.execute(
            "SELECT type, name, sql FROM sqlite_schema"
            " WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY type"
        ).fetchall()
        if row[1] not in GROWN
    ]
    for kind, name, _ in made:
        conn.execute(f"DROP {kind} {name}")
    names = [f"{given} {a}{b.lower()}{c}" for given, a, b, c in _names()]
    conn.execute("CREATE TEMP TABLE names (number INTEGER PRIMARY KEY, name TEXT)")
    conn.executemany("INSERT INTO names VALUES (?, ?)", enumerate(names))
    conn.execute("BEGIN")
    last = spool = 0
    for spool, (kind, size) in enumerate(_spools(documents), 1):
        day = FIRST_DAY + timedelta(days=last * DAYS // documents)
        conn.execute(
            "INSERT INTO spools (number, id, folder, business_unit, name, state, size, mtime_ns,"
            " inode, sha256, format_name, pages, settled_by, created_at, updated_at, documents)"
            " VALUES (?, ?, ?, 'retail', ?, ?, ?, 1, 1, lower(hex(randomblob(32))), 'afp', ?,"
            " 'trigger', 1.0, 8.0, ?)",
            (spool, spool_id(spool), kind, b"RUN%05d.afp" % spool, SpoolState.DONE,
             48211 * size, 3 * size, size),
        )  # fmt: skip
        values = {
            "size": size,
            "last": last,
            "customers": min(CUSTOMERS, documents),
            "names": len(names),
            "spool": spool,
            "type": kind,
            "day": day.isoformat(),
            "title": kind.replace("_", " ").capitalize(),
            "until": (day + timedelta(days=7 * 365)).isoformat(),
            "unit": UNIT_SIZE,
        }
        conn.execute(_DOCUMENTS, values)
        last += size
    for statement in _AFTERWARDS.split(";\n"):
        conn.execute(statement)
    conn.execute("COMMIT")
    for _, _, text in made:
        conn.execute(text)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.close()
    return spool


def _names() -> Iterator[tuple[str, ...]]:
    return product(GIVEN, SYLLABLES, SYLLABLES, ENDINGS)


def _spools(documents: int) -> Iterator[tuple[str, int]]:
    """Types and sizes, until there are enough documents."""
    kinds = [kind for kind, share in TYPES.items() for _ in range(share)]
    number = 0
    while documents:
        size = min(documents, LEAST * SIZES[number * 5 % len(SIZES)])
        yield kinds[number * 37 % len(kinds)], size
        documents -= size
        number += 1


def main(path: Path, documents: int) -> None:
    """Fill it, and look whether it is a journal."""
    started = time.monotonic()
    spools = fill(path, documents)
    seconds = time.monotonic() - started
    journal = SqliteJournal(os.fsencode(path))
    faults = journal.check()
    found = journal.status().documents
    journal.close()
    if faults or found != documents:
        raise SystemExit(f"that is no sound journal: {faults}, {found} documents")
    answer(seconds=seconds, spools=spools, bytes=path.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
