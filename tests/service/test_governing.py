"""``hotfolder governance check``: what has drifted, against a real journal and server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.drift import Counted, find_drift
from hotfolder.core.governance import Governance, Rule
from hotfolder.core.profiles import FolderProfile, Rules
from hotfolder.core.records import DocumentMetadata
from hotfolder.core.retention import RetentionClass, RetentionTrigger
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox import Sandbox
from hotfolder.service.cli import group
from tests.support.journals import make_document, store
from tests.support.settings import sound_text
from tests.support.units import RULES

FILE = """\
[vocabularies]
document_type = ["statement", "notice"]
channel = ["print", "email"]
retention_class = ["FIN-7Y", "OLD"]

[[rules]]
name = "met"
when = { channel = "print" }
require = "customer_id"

[[rules]]
name = "never met"
when = { channel = "email" }
require = "customer_id"
"""
RIGHTS = [
    "view_repository", "update_digital_object_record", "update_resource_record",
    "update_event_record", "import_records",
]  # fmt: skip


def configure(root: Path, url: str) -> None:
    text = sound_text(root).replace('channel = ["print", "email"]', "")
    text = text.replace("http://localhost:8089", url)
    text = text.replace(
        "[units.RETAIL]",
        '[retention.OLD]\ntitle = "Old"\nperiod = "P1Y"\n\n'
        '[units.LIFE]\nname = "Life"\nrepository = "LIFE"\n\n[units.RETAIL]',
    )
    text = text.replace(
        "[folders.", '[series.LOOSE]\ntitle = "L"\ndocument_types = ["x"]\n[folders.'
    )
    text += (
        f'\n[governance]\nfile = "{root}/governance.toml"\n'
        '[archivesspace.slots]\nchannel = "enum_1"\n'
    )
    (root / "governance.toml").write_text(FILE)
    (root / "hotfolder.toml").write_text(text)


def fill(root: Path) -> None:
    journal = SqliteJournal(os.fsencode(root / "journal.db"))
    for number, (kind, channel) in enumerate(
        (("statement", "print"), ("statement", "fax"), ("statement", "fax"), ("leaflet", None)), 1
    ):
        metadata = DocumentMetadata(
            document_type=kind, channel=channel, issue_date=date(2026, 6, 30)
        )
        store(journal, number, make_document(f"k{number}", metadata=metadata), unit="RETAIL")
    journal.close()


def ask(root: Path, *arguments: str) -> Result:
    words = ["governance", "check", *arguments, "--config", str(root / "hotfolder.toml")]
    return CliRunner().invoke(group, words, standalone_mode=False)


def drift(done: Result) -> set[tuple[str, str, str, int]]:
    assert done.exception is None, done.output
    rows = json.loads(done.stdout)["tables"]["drift"]
    return {(row["kind"], row["subject"], row["what"], row["documents"]) for row in rows}


OFFLINE = {
    ("value", "RETAIL", "channel 'fax' of the catalogue is not in the list", 2),
    ("value", "RETAIL", "document_type 'leaflet' of the catalogue is not in the list", 1),
    ("class", "LOOSE", "the series has no class", 0),
    ("class", "OLD", "no series and no rule has this class", 0),
    ("series", "statements",
     "the catalogue has documents of it, the configuration has it no more", 4),
    ("type", "STMT", "the vocabulary lacks its document type 'bill': every one is rejected", 0),
    ("type", "LOOSE", "the vocabulary lacks its document type 'x': every one is rejected", 0),
    ("type", "notice", "no series takes this document type of the vocabulary", 0),
    ("folder", "statements", "the hot folder has no owner", 0),
    ("rule", "never met", "no document of the catalogue meets it", 0),
}  # fmt: skip


def test_what_the_catalogue_and_the_configuration_tell(tmp_path: Path) -> None:
    configure(tmp_path, "http://localhost:1")
    fill(tmp_path)
    done = ask(tmp_path, "--offline", "--json", "--html", str(tmp_path / "drift.html"))
    assert done.return_value == 1
    assert drift(done) == OFFLINE
    page = (tmp_path / "drift.html").read_text()
    assert "ArchivesSpace was not asked" in page
    assert "leaflet" in page


def test_a_class_is_used_however_a_rule_writes_it() -> None:
    schedule = {"FIN-7Y": RULES.retention_classes["R7"]}
    governance = Governance(rules=(Rule(name="r", retention_class="fin-7y"),))
    rules = Rules(series=(), business_units=(), retention_classes=schedule, governance=governance)
    assert [item for item in find_drift(rules, [], [], None) if item.kind == "class"] == []


def test_the_type_of_a_template_is_in_no_list() -> None:
    words = Governance(vocabularies={"document_type": ("statement",)})
    found = find_drift(
        Rules(series=(), business_units=(), retention_classes={}, governance=words),
        [],
        [
            Counted(
                series="template:STMT_MAIN",
                facts={"business_unit": "RETAIL", "document_type": "template"},
                count=2,
            )
        ],
        None,
    )
    assert "value" not in {item.kind for item in found}


def test_templates_are_no_drift() -> None:
    found = find_drift(
        Rules(series=(), business_units=(), retention_classes={}),
        [],
        [
            Counted(series=name, facts={"business_unit": "RETAIL"}, count=1)
            for name in ("template:STMT_MAIN", "old")
        ],
        None,
    )
    assert [(item.kind, item.subject) for item in found] == [("series", "old")]


def test_a_class_of_a_folder_of_templates_is_no_drift() -> None:
    folder = FolderProfile(
        name="templates",
        path="/srv/templates",
        business_unit="RETAIL",
        owner="the templates' office",
        defaults={"retention_class": "TPL-10Y"},
    )
    kept = RetentionClass(
        code="TPL-10Y", title="Templates", trigger=RetentionTrigger.PERMANENT, period=None
    )
    rules = Rules(series=(), business_units=(), retention_classes={kept.code: kept})
    assert find_drift(rules, [folder], [], None) == []


@contextmanager
def server(rights: list[str], name: str) -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        repository = sandbox.add_repository("RETAIL", name)
        sandbox.add_service_account("hotfolder", "correct horse", [repository], rights)
        yield sandbox


def test_what_the_server_tells(tmp_path: Path) -> None:
    with server([*RIGHTS[:-1], "delete_archival_record"], "Retail bank") as sandbox:
        configure(tmp_path, sandbox.url)
        fill(tmp_path)
        done = ask(tmp_path, "--json")
        assert done.return_value == 1
        assert drift(done) - OFFLINE == {
            ("repository", "LIFE", "ArchivesSpace has no repository LIFE", 0),
            ("repository", "RETAIL",
             "repository RETAIL is called 'Retail bank', not 'Retail'", 0),
            ("permission", "RETAIL", "the account lacks import_records", 0),
            ("permission", "RETAIL",
             "the account may do more than it needs: delete_archival_record", 0),
            ("permission", "in every repository",  # which the server derives from it
             "the account may do more than it needs: delete_vocabulary_record", 0),
            ("list", "user_defined_enum_1", "ArchivesSpace's list lacks 'email'", 0),
            ("list", "user_defined_enum_1", "ArchivesSpace's list lacks 'print'", 1),
        }  # fmt: skip


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    configure(tmp_path, "http://127.0.0.1:1")
    fill(tmp_path)
    done = ask(tmp_path, "--json")
    assert done.return_value == 75
    assert "ArchivesSpace is not asked" in done.stderr
    assert drift(done) == OFFLINE


@pytest.mark.parametrize("more", [[], ["manage_agent_record"]], ids=["least", "makes agents"])
def test_nothing_to_tell_is_0(tmp_path: Path, more: list[str]) -> None:
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path) + 'owner = "Anna"\n')
    SqliteJournal(os.fsencode(tmp_path / "journal.db")).close()
    with server([*RIGHTS, *more], "Retail") as sandbox:
        text = (tmp_path / "hotfolder.toml").read_text()
        (tmp_path / "hotfolder.toml").write_text(text.replace("http://localhost:8089", sandbox.url))
        done = ask(tmp_path, "--json")
    assert drift(done) == set()
    assert done.return_value == 0
