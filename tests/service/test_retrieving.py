"""``hotfolder retrieve`` at a terminal and in scripts."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import (
    EX_IOERR,
    EX_NOINPUT,
    EX_OK,
    EX_USAGE,
    Corrupt,
    InputFault,
    OperatorFault,
)
from hotfolder.core.profiles import DocumentsProfile, IndexFormat
from hotfolder.core.records import AuditRow, CatalogueRow
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.cli import group
from hotfolder.store.ocfl import OcflStore
from tests.support.flow_world import World
from tests.support.settings import sound_text
from tests.support.spools import FixedClock

SAMPLE = Path(__file__).parent.parent / "samples" / "statements-40.afp"


@dataclass
class Shelf:
    """A journal and a store with forty statements in them, and how to ask for one."""

    root: Path
    rows: list[CatalogueRow]

    def ask(self, *arguments: str) -> Result:
        return self.call("retrieve", *arguments)

    def call(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, [*arguments, *config], standalone_mode=False)

    def configure(self, text: str) -> None:
        """Put this into the configuration."""
        with (self.root / "hotfolder.toml").open("a") as stream:
            stream.write(text)

    def audit(self) -> list[AuditRow]:
        """What the audit chain has of giving back."""
        journal = SqliteJournal(os.fsencode(self.root / "journal.db"))
        try:
            return [
                row for row in journal.audit() if row.action.startswith(("document.", "retrieval."))
            ]
        finally:
            journal.close()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.chdir(tmp_path)
    world = World(root=tmp_path, documents=DocumentsProfile(index=IndexFormat.AFP))
    world.start()
    shutil.copy(SAMPLE, world.hot / "run.afp")
    world.settle()
    (row,) = world.rows()
    rows = list(world.running.journal.iterate_documents(row.id))
    world.stop()
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    return Shelf(tmp_path, rows)


def exact(row: CatalogueRow) -> bytes:
    place = row.document.range
    return SAMPLE.read_bytes()[place.offset : place.offset + place.length]


def test_the_exact_bytes_go_to_a_file(shelf: Shelf) -> None:
    row = shelf.rows[7]
    target = shelf.root / "statement.afp"
    done = shelf.ask(row.document.identity, "--output", str(target), "--json")
    assert done.return_value == EX_OK
    assert target.read_bytes() == exact(row)
    told = json.loads(done.stdout)
    assert (told["form"], told["derived"]) == ("exact", False)
    assert told["sha256"] == hashlib.sha256(exact(row)).hexdigest()
    assert told["bytes"] == len(exact(row))
    words = shelf.ask(row.document.identity, "-o", str(target), "--force").stdout
    assert told["sha256"] in words


def test_or_to_standard_output(shelf: Shelf) -> None:
    row = shelf.rows[0]
    assert shelf.ask(row.document.identity, "-o", "-").stdout_bytes == exact(row)
    assert shelf.ask(row.document.identity, "-o", "-", "--json").return_value == EX_USAGE


def test_a_document_alone_is_said_to_be_derived(shelf: Shelf) -> None:
    row = shelf.rows[0]
    target = shelf.root / "alone.afp"
    done = shelf.ask(row.document.identity, "--as", "alone", "-o", str(target), "--json")
    told = json.loads(done.stdout)
    assert (told["derived"], told["sha256"], told["spool_sha256"]) == (True, None, row.spool_sha256)
    assert exact(row) in target.read_bytes()
    assert "derived" in shelf.ask(row.document.identity, "--as", "alone").stdout


def test_the_whole_spool(shelf: Shelf) -> None:
    target = shelf.root / "spool.afp"
    shelf.ask(shelf.rows[0].document.identity, "--as", "spool", "-o", str(target))
    assert target.read_bytes() == SAMPLE.read_bytes()


def test_nothing_is_overwritten(shelf: Shelf) -> None:
    target = shelf.root / "there.afp"
    target.write_bytes(b"mine")
    done = shelf.ask(shelf.rows[0].document.identity, "-o", str(target))
    assert done.return_value == EX_USAGE
    assert "--force" in done.stderr
    assert target.read_bytes() == b"mine"


def test_what_is_not_there(shelf: Shelf) -> None:
    done = shelf.ask("hf-" + "0" * 64)
    assert done.return_value == EX_NOINPUT
    assert "hotfolder find" in done.stderr


def test_nothing_is_written_of_a_damaged_spool(shelf: Shelf) -> None:
    (path,) = (shelf.root / "store").rglob("run.afp")
    path.chmod(0o600)
    path.write_bytes(SAMPLE.read_bytes()[:-1] + b"x")
    target = shelf.root / "statement.afp"
    done = shelf.ask(shelf.rows[0].document.identity, "-o", str(target))
    assert isinstance(done.exception, Corrupt)
    assert not target.exists()


# -- many, into a folder ---------------------------------------------------------------
def test_a_whole_spool_of_documents_goes_into_a_folder(shelf: Shelf) -> None:
    out = shelf.root / "out"
    spool = shelf.rows[0].spool_id
    for words, given, skipped in ((["--spool", spool], 40, 0), ([spool[:31]], 0, 40)):
        done = shelf.ask(*words, "--out", str(out), "--json", "--reason", "case 4711")
        assert done.return_value == EX_OK, done.output
        told = json.loads(done.stdout)
        assert (told["given"], told["skipped"], told["refused"]) == (given, skipped, [])
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert len(manifest["files"]) == 40
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [
            "manifest.json",
            *(item[key] for item in manifest["files"] for key in ("file", "description")),
        ]
    )
    contents = {(out / item["file"]).read_bytes() for item in manifest["files"]}
    assert contents == {exact(row) for row in shelf.rows}
    assert {row.details["reason"] for row in shelf.audit()} == {"case 4711"}


def test_documents_are_chosen_as_they_are_found(shelf: Shelf) -> None:
    row = shelf.rows[4]
    customer = row.document.metadata.customer_id
    assert customer is not None
    done = shelf.ask("--customer", customer, "--type", "statement", "--out", "out")
    assert done.return_value == EX_OK
    assert "1 document," in done.stdout
    (path,) = (shelf.root / "out").glob("*.afp")
    assert path.read_bytes() == exact(row)
    assert not (shelf.root / "out" / "manifest.json").exists()
    assert shelf.ask("--customer", "nobody", "--out", "out").return_value == EX_NOINPUT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name documents"),
        (["hf-1", "--customer", "C"], "name documents"),
        (["--customer", "C"], "--out"),
        (["hf-1", "--out", "a", "--output", "b"], "say one of them"),
    ],
)
def test_what_makes_no_sense_is_said(shelf: Shelf, words: list[str], said: str) -> None:
    done = shelf.ask(*words)
    assert done.return_value == EX_USAGE
    assert said in done.stderr


def test_more_than_the_limit_is_refused_and_not_cut_off(shelf: Shelf) -> None:
    spool = shelf.rows[0].spool_id
    for words in (["--spool", spool], [spool]):
        done = shelf.ask(*words, "--out", "out", "--limit", "39")
        assert done.return_value == EX_USAGE
        assert "--limit" in done.stderr
        assert not (shelf.root / "out").exists()
    assert "--limit 40" in shelf.ask("--spool", spool, "--out", "out", "--limit", "39").stderr
    assert shelf.ask(spool, "--limit", "40").return_value == EX_USAGE  # without a folder
    assert shelf.audit() == []


def test_a_reason_may_be_demanded(shelf: Shelf) -> None:
    shelf.configure("[retrieve]\nreason_required = true\n")
    for words in (["-o", "a"], ["-o", "-"], ["--out", "out"]):
        done = shelf.ask(shelf.rows[0].document.identity, *words)
        assert isinstance(done.exception, OperatorFault)
        assert done.exception.code == "retrieve.reason"
    assert not (shelf.root / "a").exists()
    assert list((shelf.root / "out").iterdir()) == []
    assert [row.action for row in shelf.audit()] == ["retrieval.refused"] * 3
    done = shelf.ask(shelf.rows[0].document.identity, "-o", "a", "--reason", "because")
    assert done.return_value == EX_OK


def test_documents_are_named_in_every_way(shelf: Shelf) -> None:
    row = shelf.rows[9]
    assert row.record_uri is not None
    for name in (row.document.identity[:30], row.record_uri, f"http://staff{row.record_uri}"):
        assert shelf.ask(name, "-o", "-").stdout_bytes == exact(row)
        shown = json.loads(shelf.call("show", name, "--json").stdout)
        assert shown["id"] == row.spool_id


def test_archivesspace_that_cannot_be_asked_is_named(shelf: Shelf) -> None:
    for words in (["retrieve"], ["show"]):
        done = shelf.call(*words, "/repositories/2/digital_objects/999")
        assert done.return_value == EX_NOINPUT
        assert "could not be asked" in done.stderr


def test_what_is_told_waits_and_is_shown(shelf: Shelf) -> None:
    shelf.configure("[retrieve]\narchivesspace_events = true\n")
    assert "events wait" not in shelf.call("status").stdout
    shelf.ask(shelf.rows[0].document.identity, "-o", "a")
    assert "1 events wait" in shelf.call("status").stdout
    told = json.loads(shelf.call("status", "--json").stdout)
    assert told["events_waiting"] == 1
    assert told["oldest_event_waiting"]


def test_damage_in_a_folder_is_listed(shelf: Shelf) -> None:
    (path,) = (shelf.root / "store").rglob("run.afp")
    path.chmod(0o600)
    path.write_bytes(SAMPLE.read_bytes()[:-1] + b"x")
    names = [row.document.identity for row in shelf.rows[:2]]
    done = shelf.ask(*names, "--out", "out")
    assert done.return_value == EX_IOERR
    assert all(name in done.stdout for name in names)
    assert "spool.corrupt" in done.stderr


# -- copies of the store -----------------------------------------------------------------
def test_a_copy_is_filled_and_used(shelf: Shelf) -> None:
    text = (shelf.root / "hotfolder.toml").read_text()
    copies = f'/store"\ncopies = ["{shelf.root}/second"]\n'
    assert isinstance(shelf.call("fill").exception, OperatorFault)
    (shelf.root / "hotfolder.toml").write_text(text.replace('/store"\n', copies, 1))
    checked = shelf.call("check", "--offline")
    assert "hotfolder fill" in checked.stdout
    for copied in (1, 0):
        done = shelf.call("fill", "--json")
        assert done.return_value == EX_OK, done.output
        assert json.loads(done.stdout) == {
            "present": 1 - copied,
            "copied": copied,
            "damaged": 0,
            "destroyed": 0,
        }
    assert "hotfolder fill" not in shelf.call("check", "--offline").stdout
    OcflStore(os.fsencode(shelf.root / "store"), clock=FixedClock()).withdraw(
        shelf.rows[0].spool_id, "lost"
    )
    done = shelf.ask(shelf.rows[0].document.identity, "-o", "-")
    assert done.stdout_bytes == exact(shelf.rows[0])
    assert "store.copy_used" in done.stderr
    assert json.loads(shelf.call("fill", "--json").stdout)["copied"] == 1
    assert "store.copy_used" not in shelf.ask(shelf.rows[0].document.identity, "-o", "-").stderr


def test_a_beginning_that_is_too_short(shelf: Shelf) -> None:
    done = shelf.ask("hf-12", "-o", "-")
    assert done.return_value == EX_NOINPUT
    assert not isinstance(done.exception, InputFault)
