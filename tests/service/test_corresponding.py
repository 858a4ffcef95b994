"""``hotfolder case``: what was written in one matter."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import EX_NOINPUT, EX_OK
from hotfolder.core.records import Document, DocumentMetadata
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.cli import group
from tests.support.journals import confirm, make_document, plan, store
from tests.support.settings import sound_text


def letter(key: str, day: int, customer: str, **known: Any) -> Document:
    metadata = DocumentMetadata(
        customer_id=customer,
        document_type="letter",
        issue_date=date(2026, 6, day),
        channel="print",
        template="LET_GEN",
        template_version="3.3",
        **known,
    )
    return make_document(key, metadata=metadata)


@pytest.fixture
def documents(tmp_path: Path) -> list[Document]:
    journal = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    first = letter("a", 20, "C-1", case_refs=("K-1",))
    second = letter("b", 3, "C-1", claim_refs=("K-1",))
    corrected = replace(letter("b", 3, "C-1", claim_refs=("K-1",)), title="Corrected")
    corrected = replace(make_document("b", "again", metadata=corrected.metadata), title="Corrected")
    third = letter("c", 4, "C-2", dispute_refs=("K-1",))
    for number, item in enumerate((first, second, corrected, third), 1):
        store(journal, number, item)
    confirm(journal, plan(journal, limit=1))
    journal.close()
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    return [first, second, corrected, third]


def ask(root: Path, *words: str) -> Result:
    config = ["--config", str(root / "hotfolder.toml")]
    return CliRunner().invoke(group, [*words, *config], standalone_mode=False)


def test_the_whole_correspondence_in_order(tmp_path: Path, documents: list[Document]) -> None:
    first, second, corrected, third = documents
    done = ask(tmp_path, "case", "K-1", "--json")
    assert done.return_value == EX_OK
    told = json.loads(done.stdout)
    assert [item["identity"] for item in told["documents"]] == [
        item.identity for item in (second, corrected, third, first)
    ]
    assert told["parties"] == [
        {"business_unit": "retail", "customer_id": "C-1", "documents": 3},
        {"business_unit": "retail", "customer_id": "C-2", "documents": 1},
    ]
    one = told["documents"][0]
    assert (one["superseded_by"], one["kinds"], one["channel"]) == (
        corrected.identity,
        ["claim"],
        "print",
    )
    assert (one["template"], one["template_version"]) == ("LET_GEN", "3.3")
    assert told["documents"][1]["supersedes"] == second.identity
    assert told["documents"][3]["record"].startswith("/do/")
    assert told["next"] is None


def test_for_a_person(tmp_path: Path, documents: list[Document]) -> None:
    words = ask(tmp_path, "case", "K-1").stdout
    assert "K-1: 4 documents" in words
    assert "2 parties" in words
    for item in documents:
        assert item.identity[:19] in words
    assert f"superseded by {documents[2].identity[:19]}" in words
    assert "LET_GEN 3.3" in words
    assert "not confirmed yet" in words


def test_one_kind_one_customer_a_page(tmp_path: Path, documents: list[Document]) -> None:
    def found(*words: str) -> list[str]:
        told = json.loads(ask(tmp_path, "case", *words, "--json").stdout)
        return [item["identity"] for item in told["documents"]]

    first, second, corrected, third = (item.identity for item in documents)
    assert found("claim:K-1") == [second, corrected]
    assert found("dispute:K-1") == [third]
    assert found("K-1", "--customer", "C-2") == [third]
    page = json.loads(ask(tmp_path, "case", "K-1", "--limit", "3", "--json").stdout)
    assert page["next"] == third
    assert found("K-1", "--after", page["next"]) == [first]
    assert "--after" in ask(tmp_path, "case", "K-1", "--limit", "1").stdout


def test_nothing_is_66(tmp_path: Path, documents: list[Document]) -> None:
    assert documents
    for words in (["K-9"], ["change:K-1"], ["K-1", "--after", "hf-none"]):
        assert ask(tmp_path, "case", *words).return_value == EX_NOINPUT


def test_find_asks_for_any_kind_or_for_one(tmp_path: Path, documents: list[Document]) -> None:
    assert documents
    for asked, count in (("K-1", 4), ("claim:K-1", 2), ("case:K-1", 1), ("change:K-1", 0)):
        done = ask(tmp_path, "find", "--case", asked, "--count")
        assert done.stdout.strip() == str(count)
    told = json.loads(ask(tmp_path, "find", "--case", "dispute:K-1", "--json").stdout)
    assert told["documents"][0]["references"] == [{"kind": "dispute", "reference": "K-1"}]
