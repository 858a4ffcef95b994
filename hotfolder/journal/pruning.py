"""What leaves the catalogue with a document, and what of it stays.

Identity, class, dates, digests and place stay: they prove what was destroyed. Whatever
tells of a person goes: the title, the party, the references, every field of the sidecars,
the words by which it was found, and the names of the files. The connection overwrites what
is deleted in the file, too (sqlite.org/pragma.html#pragma_secure_delete).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from hotfolder.core.canonical import dump
from hotfolder.core.records import Document
from hotfolder.journal.identities import words_of
from hotfolder.journal.rows import DOCUMENT_COLUMNS, DOCUMENTS_JOINED, document_from

_PAGE = 500
_STAYS = ("document_type", "issue_date", "channel", "retention_class", "jurisdiction")
_MERGED = 250  # pages of the index of words, 4 KiB each, in one transaction
_NAME = b"destroyed"
_NAMELESS = (
    "name = ?, sidecars = '[]', trigger_name = NULL, shared = '[]', remarks = '[]',"
    " faults = '[]', last_error = NULL"
)


def prune(conn: sqlite3.Connection, numbers: Sequence[int], now: float) -> None:
    """Make these documents, which are being destroyed, ``destroyed``, and take
    out of the catalogue what is personal; within a transaction of the caller."""
    for start in range(0, len(numbers), _PAGE):
        rows = conn.execute(
            f"SELECT {DOCUMENT_COLUMNS}, d.number FROM {DOCUMENTS_JOINED}"
            " WHERE d.number IN (SELECT value FROM json_each(?))"
            " AND d.disposition = 'destroying'",
            (dump(list(numbers[start : start + _PAGE])),),
        ).fetchall()
        for row in rows:
            _prune(conn, row[-1], document_from(row[:-1]).document, row[15], now)


def prune_spool(conn: sqlite3.Connection, spool: int) -> None:
    """Take the names of its files, and what was said of them, out of a spool that is
    destroyed."""
    conn.execute(f"UPDATE spools SET {_NAMELESS} WHERE number = ?", (_NAME, spool))


def prune_duplicates(conn: sqlite3.Connection, disposal: str) -> None:
    """The same of drops that were the same as a spool which went under a disposal. Looked
    for once for all of them: no index leads from a spool to what came again."""
    conn.execute(
        f"UPDATE spools SET {_NAMELESS} WHERE state = 'DUPLICATE' AND name <> ?"
        " AND first_spool_id IN (SELECT spool_id FROM tombstones"
        "  WHERE disposal = ? AND by_key = 0)",
        (_NAME, _NAME, disposal),
    )


def prune_rejected(conn: sqlite3.Connection, disposal: str, now: float) -> None:
    """What is personal of documents that went under a disposal leaves their earlier rows, too:
    ArchivesSpace had refused them, and they came again. Those rows stay what they are;
    ``disposed_at`` says that it was done."""
    earlier = (
        "SELECT o.number FROM tombstones AS t CROSS JOIN documents AS o"
        " ON o.identity = t.identity AND o.live = 0 JOIN spools AS s ON s.number = o.spool"
        " WHERE t.disposal = ? AND s.state = 'REJECTED' AND o.disposition = 'kept'"
        " AND o.disposed_at IS NULL"
    )
    rows = conn.execute(
        f"SELECT {DOCUMENT_COLUMNS}, d.number, d.spool FROM {DOCUMENTS_JOINED}"
        f" WHERE d.number IN ({earlier})",
        (disposal,),
    ).fetchall()
    for row in rows:
        _blank(conn, row[-2], document_from(row[:-2]).document, row[15])
        conn.execute("UPDATE documents SET disposed_at = ? WHERE number = ?", (now, row[-2]))
    conn.executemany(
        # What was rejected with others is told of by the name that all of them came under.
        f"UPDATE spools SET {_NAMELESS} WHERE number = ? AND NOT EXISTS (SELECT 1"
        " FROM documents AS d WHERE d.spool = spools.number AND d.disposed_at IS NULL)",
        [(_NAME, spool) for spool in sorted({row[-1] for row in rows})],
    )


def merge_words(conn: sqlite3.Connection, *, begin: bool) -> bool:
    """Merge some of the index of words; True at the end. A word that was deleted stays in
    it, beside the note of its deletion, until both are merged (sqlite.org/fts5.html, "merge":
    a negative number begins an optimization, positive ones go on with it)."""
    before = conn.total_changes
    conn.execute(
        "INSERT INTO words (words, rank) VALUES ('merge', ?)",
        (-_MERGED if begin else _MERGED,),
    )
    return not begin and conn.total_changes - before < 2


def _prune(
    conn: sqlite3.Connection, number: int, document: Document, metadata: str, now: float
) -> None:
    _blank(conn, number, document, metadata)
    conn.execute(
        "UPDATE documents SET disposition = 'destroyed', disposed_at = ? WHERE number = ?",
        (now, number),
    )


def _blank(conn: sqlite3.Connection, number: int, document: Document, metadata: str) -> None:
    # The index has no texts of its own: a word leaves it only by the text it came with.
    conn.execute(
        "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)",
        (number, words_of(document)),
    )
    conn.execute("DELETE FROM document_references WHERE document = ?", (number,))
    # The server's words may quote the record.
    conn.execute("UPDATE updates SET last_error = NULL WHERE document = ?", (number,))
    known = json.loads(metadata)
    conn.execute(
        "UPDATE documents SET title = ?, customer_id = NULL, account_number = NULL,"
        " policy_number = NULL, job_number = NULL, metadata = ? WHERE number = ?",
        (
            document.metadata.document_type or "",
            dump({name: known[name] for name in _STAYS if name in known}),
            number,
        ),
    )
