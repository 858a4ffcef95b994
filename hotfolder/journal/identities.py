"""Which identities are live, and which number a new version gets."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from hotfolder.core.canonical import dump
from hotfolder.core.errors import Transient
from hotfolder.core.records import Document
from hotfolder.core.references import references_of
from hotfolder.journal.rows import INSERT_DOCUMENT, document_values

_LONGEST_EXTRA = 1000  # characters of the fields that nobody knows, as JSON
# What ``words_of`` gives, of a row of ``documents``: made at insertion without SQL, which
# would read the same JSON four times.
WORDS = (
    "title || ' ' || coalesce(json_extract(metadata, '$.customer_name'), '')"
    " || ' ' || coalesce(json_extract(metadata, '$.campaign'), '')"
    " || ' ' || coalesce(json_extract(metadata, '$.period'), '')"
    f" || ' ' || substr(coalesce(json_extract(metadata, '$.extra'), ''), 1, {_LONGEST_EXTRA})"
)


class Identities:
    """What the journal knows of some documents, looked up at once, and kept true while
    they are admitted one after another in the same transaction."""

    def __init__(self, conn: sqlite3.Connection, documents: Sequence[Document]) -> None:
        self._conn = conn
        # CROSS JOIN: from the list to the table, whatever the statistics say.
        names = json.dumps([document.identity for document in documents])
        if conn.execute(
            "SELECT 1 FROM json_each(?) AS j CROSS JOIN tombstones AS t ON t.identity = j.value"
            " LIMIT 1",
            (names,),
        ).fetchone():
            # Whoever takes spools in asks before; this one was destroyed since.
            raise Transient(
                "a document of it has just been destroyed",
                hint="looked at again in a moment",
                code="document.destroyed",
            )
        self._owners: dict[str, str] = dict(
            conn.execute(
                "SELECT d.identity, s.id FROM json_each(?) AS j CROSS JOIN documents AS d"
                " ON d.identity = j.value AND d.live = 1 JOIN spools AS s ON s.number = d.spool",
                (names,),
            )
        )
        self._corrupt: dict[str, tuple[int, int, str | None]] = {
            identity: (number, version, supersedes)
            for identity, number, version, supersedes in conn.execute(
                "SELECT d.identity, d.number, d.version, d.supersedes FROM json_each(?) AS j"
                " CROSS JOIN documents AS d"
                " ON d.identity = j.value AND d.live = 0 AND d.kept = 1"
                " AND d.disposition IN ('kept', 'withheld')",
                (names,),
            )
        }
        keys = list({(document.source, document.business_key) for document in documents})
        self._latest: dict[tuple[str, str], tuple[int, str]] = {
            keys[place]: (version, identity)
            for place, version, identity in conn.execute(
                "SELECT j.key, d.version, d.identity FROM json_each(?) AS j"
                " CROSS JOIN documents AS d ON d.number = (SELECT k.number FROM documents AS k"
                "  WHERE k.source = json_extract(j.value, '$[0]')"
                "  AND k.business_key = json_extract(j.value, '$[1]') AND k.kept = 1"
                "  ORDER BY k.version DESC LIMIT 1)",
                (json.dumps(keys),),
            )
        }

    def sort_out(
        self, documents: Sequence[Document], spool_id: str
    ) -> tuple[list[Document], str | None]:
        """The documents that are live nowhere, each once, and the spool in which the
        first is that is live elsewhere than in ``spool_id``."""
        fresh: dict[str, Document] = {}
        first: str | None = None
        for document in documents:
            owner = self._owners.get(document.identity)
            if owner is None:
                fresh.setdefault(document.identity, document)
            elif first is None and owner != spool_id:
                first = owner
        return list(fresh.values()), first

    def admit(self, spool_id: str, document: Document) -> Document:
        """``document``, which from now on is live in this spool, with its version:
        the next of its key, superseding the latest; as it is if its key is new.

        A rejected version frees its number, and whatever superseded it keeps saying so. A
        corrupt one keeps its number, until the same document comes again and takes it over.
        """
        key = (document.source, document.business_key)
        corrupt = self._corrupt.pop(document.identity, None)
        latest = self._latest.get(key)
        if corrupt is not None:
            number, version, supersedes = corrupt
            self._conn.execute("UPDATE documents SET kept = 0 WHERE number = ?", (number,))
            document = replace(document, version=version, supersedes=supersedes)
        elif latest is not None:
            document = replace(document, version=latest[0] + 1, supersedes=latest[1])
        if latest is None or document.version > latest[0]:
            self._latest[key] = (document.version, document.identity)
        self._owners[document.identity] = spool_id
        return document


def words_of(document: Document) -> str:
    """What ``find --text`` looks at; the third migration says the same in SQL."""
    known = document.metadata
    extra = {name: list(texts) for name, texts in known.extra.items()}
    return " ".join(
        (
            document.title,
            known.customer_name or "",
            known.campaign or "",
            known.period or "",
            dump(extra)[:_LONGEST_EXTRA] if extra else "",
        )
    )


def insert_documents(
    conn: sqlite3.Connection, documents: Sequence[tuple[Document, int, str]]
) -> None:
    """Journal documents, each with the number and the business unit of its spool, their
    references and the words by which they are found."""
    conn.executemany(INSERT_DOCUMENT, [document_values(*item) for item in documents])
    conn.executemany(
        "INSERT INTO words (rowid, text)"
        " SELECT number, ? FROM documents WHERE spool = ? AND ordinal = ?",
        [(words_of(document), spool, document.range.ordinal) for document, spool, _ in documents],
    )
    conn.executemany(
        "INSERT INTO document_references (reference, document, kind)"
        " SELECT ?, number, ? FROM documents WHERE spool = ? AND ordinal = ?",
        [
            (reference, kind, spool, document.range.ordinal)
            for document, spool, _ in documents
            for kind, reference in references_of(document.metadata)
        ],
    )


def take_back_numbers(conn: sqlite3.Connection, spool: int) -> None:
    """Documents of a released spool whose number had been taken over and may be in use:
    the same one if it is free, else one after the last."""
    conn.execute(
        "UPDATE documents AS d SET kept = 1, version = CASE WHEN EXISTS (SELECT 1"
        " FROM documents AS o WHERE o.source = d.source AND o.business_key = d.business_key"
        "  AND o.kept = 1 AND o.version = d.version)"
        " THEN (SELECT max(version) + 1 FROM documents AS o WHERE o.source = d.source"
        "  AND o.business_key = d.business_key AND o.kept = 1)"
        " ELSE d.version END WHERE d.spool = ? AND d.kept = 0",
        (spool,),
    )
