"""``hotfolder evidence`` at a terminal and in scripts."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import EX_CONFIG, EX_IOERR, EX_NOINPUT, EX_OK, EX_USAGE
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.treeheads import key_id
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service import signingkey
from hotfolder.service.cli import group
from tests.support import bags
from tests.support.flow_world import World
from tests.support.settings import sound_text


@dataclass
class Desk:
    """An installation with documents in it, and how to ask it for evidence."""

    root: Path
    identities: list[str]

    def ask(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml"), "--offline"]
        return CliRunner().invoke(group, ["evidence", *arguments, *config], standalone_mode=False)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    world = bags.afp_world(tmp_path)
    identities = [row.document.identity for row in bags.documents(world)]
    world.stop()
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    return Desk(tmp_path, identities)


def test_a_bag_goes_to_a_file_and_what_it_does_not_show_is_told(desk: Desk) -> None:
    done = desk.ask(desk.identities[3], "--out", "evidence.zip")
    assert (done.return_value, done.stderr) == (EX_OK, "")
    assert "stand digests" in done.stdout
    assert "nobody's signature" in done.stdout
    assert bags.judge(desk.root / "evidence.zip").returncode == 0


def test_with_a_key_it_is_signed_on_the_spot(desk: Desk) -> None:
    key = signingkey.make_key(str(desk.root / "key.pem"))
    with (desk.root / "hotfolder.toml").open("a") as stream:
        stream.write(f'\n[audit]\nsigning_key = "{desk.root}/key.pem"\n')
    done = desk.ask(desk.identities[3], "--out", "evidence.zip", "--json")
    (told,) = json.loads(done.stdout)["evidence"]
    assert [gap["code"] for gap in told["not_shown"]] == ["archivesspace"]
    fingerprint = key_id(key.public_key)
    judged = bags.judge(desk.root / "evidence.zip", "--key", fingerprint)
    assert judged.returncode == 0, judged.stdout


def test_a_key_that_cannot_be_read_is_said_in_the_bag(desk: Desk) -> None:
    (desk.root / "key.pem").write_text("no key")
    with (desk.root / "hotfolder.toml").open("a") as stream:
        stream.write(f'\n[audit]\nsigning_key = "{desk.root}/key.pem"\n')
    done = desk.ask(desk.identities[3], "--out", "evidence.zip", "--json")
    (told,) = json.loads(done.stdout)["evidence"]
    assert "signature" in [gap["code"] for gap in told["not_shown"]]
    assert bags.judge(desk.root / "evidence.zip").returncode == 0


def test_the_whole_spool_is_warned_of(desk: Desk) -> None:
    done = desk.ask(desk.identities[3], "--out", "e.zip", "--with-spool", "--json")
    (told,) = json.loads(done.stdout)["evidence"]
    assert (told["form"], told["others_documents"]) == ("spool", True)
    assert told["bytes"] == (desk.root / "e.zip").stat().st_size
    words = desk.ask(desk.identities[3], "--out", "e.zip", "--with-spool", "--force").stdout
    assert "CUSTOMERS OTHER THAN" in words


def test_several_go_into_a_folder_one_bag_each(desk: Desk) -> None:
    done = desk.ask(*desk.identities[:3], "hf-" + "0" * 64, "--out", "made/here", "--json")
    assert done.return_value == EX_NOINPUT  # the others are made all the same
    told = json.loads(done.stdout)
    assert [item["identity"] for item in told["evidence"]] == desk.identities[:3]
    assert [item["identity"] for item in told["failed"]] == ["hf-" + "0" * 64]
    for item in told["evidence"]:
        assert bags.judge(desk.root / item["file"]).returncode == 0
    assert len(list((desk.root / "made/here").iterdir())) == 3


def test_a_case_is_all_of_its_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(root=tmp_path)
    world.start()
    for number in range(3):
        case = "K-1" if number < 2 else "K-2"
        claim = "K-1" if number else "C-1"
        fields = {"customer_id": f"c{number}", "document_type": "letter",
                  "issue_date": "2026-06-30", "case_refs": case, "claim_refs": claim}  # fmt: skip
        world.drop(b"c%d letter" % number, json.dumps(fields).encode(), f"letter{number}")
    world.settle()
    world.stop()
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    desk = Desk(tmp_path, [])
    done = desk.ask("--case", "case:K-1", "--out", "k1")
    assert done.return_value == EX_OK
    assert len(list((tmp_path / "k1").iterdir())) == 2
    assert desk.ask("--case", "claim:K-1", "--out", "claim").return_value == EX_OK
    assert len(list((tmp_path / "claim").iterdir())) == 2
    assert desk.ask("--case", "K-1", "--out", "any").return_value == EX_OK
    assert len(list((tmp_path / "any").iterdir())) == 3
    assert desk.ask("--case", "K-9", "--out", "k9").return_value == EX_NOINPUT
    assert not (tmp_path / "k9").exists()


def test_nothing_is_overwritten(desk: Desk) -> None:
    target = desk.root / "there.zip"
    target.write_bytes(b"mine")
    done = desk.ask(desk.identities[0], "--out", str(target))
    assert (done.return_value, target.read_bytes()) == (EX_USAGE, b"mine")
    assert "--force" in done.stderr


def test_either_documents_or_a_case(desk: Desk) -> None:
    assert desk.ask("--out", "x.zip").return_value == EX_USAGE
    assert desk.ask("hf-1", "--case", "K-1", "--out", "x.zip").return_value == EX_USAGE


def test_a_damaged_spool_gives_none_and_says_why(desk: Desk) -> None:
    (path,) = (desk.root / "store").rglob("statements.afp")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    done = desk.ask(desk.identities[0], "--out", "e.zip", "--json")
    assert done.return_value == EX_IOERR
    (failed,) = json.loads(done.stdout)["failed"]
    assert "not what its inventory says" in failed["words"]
    assert not (desk.root / "e.zip").exists()
    journal = SqliteJournal(str(desk.root / "journal.db").encode(), must_exist=True)
    row = journal.get_document(desk.identities[0])
    assert row is not None
    spool = journal.get_spool(row.spool_id)
    assert spool is not None
    assert spool.state is SpoolState.CORRUPT
    actions = [link.action for link in journal.audit_of([desk.identities[0], row.spool_id])]
    journal.close()
    assert actions[-3:] == ["retrieval.refused", "spool.damaged", "spool.corrupt"]
    assert "spool.corrupt" in done.stderr


def test_a_reason_may_be_demanded(desk: Desk) -> None:
    with (desk.root / "hotfolder.toml").open("a") as stream:
        stream.write("\n[retrieve]\nreason_required = true\n")
    assert desk.ask(desk.identities[0], "--out", "e.zip").return_value == EX_CONFIG
    assert not (desk.root / "e.zip").exists()
    done = desk.ask(desk.identities[0], "--out", "e.zip", "--reason", "dispute 4711")
    assert done.return_value == EX_OK
    journal = SqliteJournal(str(desk.root / "journal.db").encode(), must_exist=True)
    refused, made = journal.audit_of(desk.identities[:1])
    journal.close()
    assert (refused.action, refused.details["code"]) == ("retrieval.refused", "retrieve.reason")
    assert (made.action, made.details["reason"]) == ("evidence.made", "dispute 4711")


def test_who_made_it_is_on_the_chain(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotfolder.service.actor.LOGIN_UID", os.devnull)
    monkeypatch.setenv("SUDO_USER", "anna")
    desk.ask(desk.identities[0], "--out", "e.zip")
    journal = SqliteJournal(str(desk.root / "journal.db").encode(), must_exist=True)
    rows = journal.audit_of([desk.identities[0]])
    journal.close()
    assert [(row.actor, row.action) for row in rows] == [("anna", "evidence.made")]
    with zipfile.ZipFile(desk.root / "e.zip") as bag:
        (name,) = (item for item in bag.namelist() if item.endswith("evidence.json"))
        assert json.loads(bag.read(name))["made_by"] == "anna"


def test_without_its_password_archivesspace_is_not_asked(desk: Desk) -> None:
    (desk.root / "password").unlink()
    config = ["--config", str(desk.root / "hotfolder.toml")]
    done = CliRunner().invoke(
        group, ["evidence", desk.identities[0], "--out", "e.zip", *config], standalone_mode=False
    )
    assert done.return_value == EX_OK
    assert "ArchivesSpace is not asked" in done.stderr


def test_a_server_that_is_down_is_said_to_be(desk: Desk) -> None:
    text = (desk.root / "hotfolder.toml").read_text().replace("localhost:8089", "127.0.0.1:9")
    (desk.root / "hotfolder.toml").write_text(text)
    config = ["--config", str(desk.root / "hotfolder.toml")]
    done = CliRunner().invoke(
        group, ["evidence", desk.identities[0], "--out", "e.zip", *config], standalone_mode=False
    )
    assert done.return_value == EX_OK, done.exception
    with zipfile.ZipFile(desk.root / "e.zip") as bag:
        (name,) = (item for item in bag.namelist() if item.endswith("evidence.json"))
        told = json.loads(bag.read(name))["archivesspace"]
    assert told["words"].startswith("not asked: ")
    assert bags.judge(desk.root / "e.zip").returncode == 0
