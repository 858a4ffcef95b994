"""The words of documents are the same whether they were migrated or inserted."""

from __future__ import annotations

import os
import sqlite3
from datetime import date
from importlib.resources import files
from pathlib import Path

from hotfolder.core.records import DocumentMetadata
from hotfolder.journal.identities import WORDS, words_of
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import make_document, read

METADATA = [
    DocumentMetadata(issue_date=date(2026, 6, 1)),
    DocumentMetadata(
        customer_name="J\u00f6rg M\u00fcller-L\u00fcdenscheidt",
        campaign="Spring",
        period="2026-06",
        issue_date=date(2026, 6, 1),
        extra={"Zweck": ("B", "\u00e4"), "A": ('quoted "x"',)},
    ),
    DocumentMetadata(issue_date=date(2026, 6, 1), extra={"long": ("x" * 3000,)}),
]


def test_migration_and_insertion_agree(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = SqliteJournal(os.fsencode(path))
    documents = [
        make_document(f"k{n}", metadata=metadata, ordinal=n + 1)
        for n, metadata in enumerate(METADATA)
    ]
    read(journal, 1, *documents)
    journal.close()
    script = (files("hotfolder.journal") / "many_documents.sql").read_text(encoding="utf-8")
    expression = script.split("SELECT number, title", 1)[1].split("FROM documents", 1)[0]
    conn = sqlite3.connect(path)
    expected = [(words_of(document),) for document in documents]
    for words in (f"title {expression}", WORDS):
        found = conn.execute(f"SELECT {words} FROM documents ORDER BY ordinal").fetchall()
        assert found == expected
    conn.close()
