"""``hotfolder audit`` at a terminal and in scripts."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import EX_IOERR, EX_NOINPUT, EX_OK, EX_TEMPFAIL, OperatorFault
from hotfolder.core.merkle import verify_inclusion
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.cli import group
from hotfolder.service.signingkey import make_key, read_key
from tests.support.journals import confirm, plan, spool_id, store_many
from tests.support.settings import faults_in, load_text, sound_text


@dataclass
class Desk:
    """A configuration with a journal in which something happened."""

    root: Path

    def ask(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, ["audit", *arguments, *config], standalone_mode=False)

    def json(self, *arguments: str, code: int = EX_OK) -> Any:
        done = self.ask(*arguments, "--json")
        assert done.return_value == code, done.output
        return json.loads(done.stdout)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    journal = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    store_many(journal, [1, 2, 3])
    confirm(journal, plan(journal))
    journal.close()
    (tmp_path / "heads").mkdir()
    make_key(str(tmp_path / "key"))
    (tmp_path / "hotfolder.toml").write_text(audited(tmp_path))
    return Desk(tmp_path)


def audited(root: Path) -> str:
    section = f'[audit]\nsigning_key = "{root}/key"\nheads = ["{root}/heads"]\n\n'
    return sound_text(root).replace("[vocabularies]", section + "[vocabularies]")


def test_sign_then_verify(desk: Desk) -> None:
    signed = desk.json("sign")
    assert signed["head"]["tree_size"] == 4
    assert signed["not_written"] == []
    assert os.listdir(desk.root / "heads") == ["tree-head-4.json"]
    assert desk.json("sign") == signed
    report = desk.json("verify", "--key", signed["key"])
    assert (report["ok"], report["links"], report["heads"], report["copies"]) == (True, 5, 1, 1)
    words = desk.ask("verify")
    assert words.return_value == EX_OK
    assert "everything is as it was written" in words.stdout
    assert desk.json("verify", "--key", "ab" * 32, code=EX_IOERR)["faults"][0]["code"] == "head.key"


def test_the_first_broken_link_is_named(desk: Desk) -> None:
    desk.json("sign")
    conn = sqlite3.connect(desk.root / "journal.db")
    conn.execute("DROP TRIGGER audit_is_not_changed")
    conn.execute("UPDATE audit SET subject = 'x' WHERE number = 2")
    conn.commit()
    conn.close()
    report = desk.json("verify", code=EX_IOERR)
    assert (report["ok"], report["broken_at"]) == (False, 2)
    words = desk.ask("verify")
    assert words.return_value == EX_IOERR
    assert "link 2" in words.stdout


def test_a_directory_that_is_away_is_told_and_named_copies_are_compared(desk: Desk) -> None:
    desk.json("sign")
    (desk.root / "heads").rename(desk.root / "elsewhere")
    assert desk.json("verify", code=EX_IOERR)["faults"][0]["code"] == "head.directory"
    signed = desk.json("sign", code=EX_TEMPFAIL)
    assert len(signed["not_written"]) == 1
    (desk.root / "heads").mkdir()
    report = desk.json("verify", "--heads", str(desk.root / "elsewhere"))
    assert report["copies"] == 1


def test_links_are_listed_by_what_they_are_about(desk: Desk) -> None:
    rows = desk.json("list")
    assert [row["action"] for row in rows] == ["spool.stored"] * 3 + ["unit.confirmed"]
    assert desk.json("list", "--after", "1", "--limit", "2") == rows[1:3]
    assert desk.json("list", spool_id(2)[:8]) == rows[1:2]
    assert desk.json("list", rows[3]["subject"]) == rows[3:]
    assert desk.json("list", "nobody", code=EX_NOINPUT) == []
    assert "nothing about 'nobody'" in desk.ask("list", "nobody").stderr
    words = desk.ask("list").stdout
    assert "hotfolder" in words
    assert rows[0]["details"]["sha256"] in words


def test_a_proof_stands_by_itself(desk: Desk) -> None:
    assert desk.ask("proof", "2").return_value == EX_NOINPUT  # nothing is signed
    desk.json("sign")
    assert desk.ask("proof", "6").return_value == EX_NOINPUT
    assert desk.ask("proof", "5").return_value == EX_NOINPUT  # signed tomorrow
    proof = desk.json("proof", "2")
    leaf = hashlib.sha256(b"\0" + proof["entry"].encode()).digest()
    assert leaf.hex() == proof["leaf"]
    head = proof["tree_head"]["head"]
    path = [bytes.fromhex(item) for item in proof["proof"]]
    assert verify_inclusion(leaf, 1, head["tree_size"], path, bytes.fromhex(head["root"]))
    entry = json.loads(proof["entry"])
    assert entry[:1] + entry[2:5] == [2, "hotfolder", "spool.stored", spool_id(2)]


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    done = CliRunner().invoke(
        group, ["audit", "make-key", str(path), "--json"], standalone_mode=False
    )
    told = json.loads(done.stdout)
    assert path.stat().st_mode & 0o777 == 0o600
    public_key = base64.b64decode(told["public_key"])
    assert read_key(str(path)).public_key == public_key
    assert hashlib.sha256(public_key).hexdigest() == told["key"]
    before = path.read_bytes()
    with pytest.raises(OperatorFault) as caught:
        make_key(str(path))
    assert caught.value.code == "audit.key_exists"
    assert path.read_bytes() == before
    with pytest.raises(OperatorFault):
        make_key(str(tmp_path / "none" / "key"))


def test_a_seed_is_a_key_and_other_things_are_not(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(bytes(range(32)))
    # RFC 8032: the public key is a function of the seed.
    assert read_key(str(path)).public_key == read_key(str(path)).public_key
    for data in (b"", b"x" * 33, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        path.write_bytes(data)
        with pytest.raises(OperatorFault) as caught:
            read_key(str(path))
        assert caught.value.code == "audit.key"
    with pytest.raises(OperatorFault):
        read_key(str(tmp_path))


def test_without_a_key_sign_says_what_to_do(desk: Desk) -> None:
    (desk.root / "hotfolder.toml").write_text(sound_text(desk.root))
    with pytest.raises(OperatorFault) as caught:
        raise desk.ask("sign").exception or AssertionError
    assert "make-key" in caught.value.hint


# -- settings ------------------------------------------------------------------------------
def test_the_credential_comes_before_the_configured_key(tmp_path: Path) -> None:
    make_key(str(tmp_path / "key"))
    (tmp_path / "credentials").mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert load_text(tmp_path, audited(tmp_path), environ).audit.signing_key == f"{tmp_path}/key"
    make_key(str(tmp_path / "credentials" / "audit-signing-key"))
    found = load_text(tmp_path, audited(tmp_path), environ).audit
    assert found.signing_key == f"{tmp_path}/credentials/audit-signing-key"
    assert found.heads == (f"{tmp_path}/heads",)


def test_faults_of_the_section_are_named(tmp_path: Path) -> None:
    text = audited(tmp_path)
    assert [fault.code for fault in faults_in(tmp_path, text)] == ["audit.key"]  # there is none
    make_key(str(tmp_path / "key"))
    for old, new, code in (
        (f'"{tmp_path}/key"', '"key"', "audit.key"),
        (f'"{tmp_path}/heads"', '"heads"', "audit.heads"),
        (f'["{tmp_path}/heads"]', f'["{tmp_path}/heads", "{tmp_path}/heads/"]', "audit.heads"),
        ("[audit]", "[audit]\nhour = 24", "configuration.value"),
    ):
        assert [fault.code for fault in faults_in(tmp_path, text.replace(old, new))] == [code]


def test_advice_on_keys_and_heads(tmp_path: Path) -> None:
    make_key(str(tmp_path / "key"))
    text = audited(tmp_path)
    assert load_text(tmp_path, text).advice == ()
    (tmp_path / "key").chmod(0o644)
    found = load_text(tmp_path, text.replace(f'heads = ["{tmp_path}/heads"]\n', "")).advice
    assert [fault.code for fault in found] == ["configuration.open", "audit.heads"]
