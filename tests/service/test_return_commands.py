"""``hotfolder return``, ``orders`` and ``requests`` at a terminal and in scripts."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import (
    EX_CONFIG,
    EX_DATAERR,
    EX_NOINPUT,
    EX_OK,
    EX_TEMPFAIL,
    EX_USAGE,
    OperatorFault,
)
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.service.cli import group
from tests.support.flow_world import World, content_of, sidecar_of
from tests.support.settings import sound_text

_MORE = """
[return.back]
path = "{root}/back"
[return.pages]
path = "{root}/back"
form = "spool"
"""


@dataclass
class Desk:
    """A journal and a store with a document in them, and how to ask for it."""

    root: Path
    identity: str

    def ask(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, [*arguments, *config], standalone_mode=False)

    def json(self, *arguments: str, code: int = EX_OK) -> Any:
        done = self.ask(*arguments, "--json")
        assert done.return_value == code, done.output
        return json.loads(done.stdout)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    world = World(root=tmp_path)
    world.start()
    content = content_of("c1", "text")
    world.drop(content, sidecar_of(content), "letter")
    world.settle()
    (row,) = world.rows()
    (document,) = world.running.journal.documents_of(row.id)
    world.stop()
    (tmp_path / "back").mkdir()
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path) + _MORE.format(root=tmp_path))
    return Desk(tmp_path, document.document.identity)


def test_a_document_is_given_at_once_where_no_daemon_runs(desk: Desk) -> None:
    told = desk.json("return", desk.identity, "--to", "back", "--reason", "dispute 7")
    assert (told["state"], told["fate"], told["reason"]) == ("GIVEN", "given", "dispute 7")
    assert [Path(name).exists() for name in told["files"]] == [True, True]
    shown = desk.json("orders", told["order"][:12])
    assert [step["to"] for step in shown["history"]] == ["ORDERED", "STAGED", "GIVEN"]
    words = desk.ask("orders", told["order"]).stdout
    assert desk.identity in words
    assert [row["order"] for row in desk.json("orders")] == [told["order"]]
    assert desk.json("orders", "--open") == []


def test_a_daemon_that_runs_carries_it_out(desk: Desk) -> None:
    lock = acquire_daemon_lock(os.fsencode(desk.root / "journal.db"))
    try:
        told = desk.json("return", desk.identity, "--to", "back", code=EX_TEMPFAIL)
    finally:
        lock.release()
    assert told["state"] == "ORDERED"
    assert list((desk.root / "back").iterdir()) == []


def test_check_tries_the_folders(desk: Desk) -> None:
    found = {
        item["subject"]: item for item in desk.json("check", "--offline", code=EX_OK)["checks"]
    }
    assert found["return folder back"]["ok"]
    assert list((desk.root / "back").iterdir()) == []
    (desk.root / "back").rmdir()
    told = desk.json("check", "--offline", code=EX_CONFIG)["checks"]
    (wrong,) = (item for item in told if item["subject"] == "return folder back")
    assert wrong["code"] == "file.missing"


def test_what_is_not_there_is_said(desk: Desk) -> None:
    assert desk.ask("return", "hf-nobody", "--to", "back").return_value == EX_NOINPUT
    assert isinstance(desk.ask("return", desk.identity, "--to", "x").exception, OperatorFault)
    assert desk.ask("orders", "nobody").return_value == EX_NOINPUT
    assert desk.ask("requests", "show", "nobody").return_value == EX_NOINPUT
    assert desk.ask("requests", "show").return_value == EX_USAGE
    assert desk.json("requests") == []


def test_a_damaged_document_is_not_given(desk: Desk) -> None:
    for path in (desk.root / "store").rglob("*.txt"):
        path.chmod(0o600)
        path.write_bytes(content_of("c1", "tExt"))
    told = desk.json("return", desk.identity, "--to", "back", code=EX_DATAERR)
    assert told["fate"] == "corrupt"


def test_an_operator_settles_what_nobody_else_can(desk: Desk) -> None:
    (desk.root / "back").rmdir()
    told = desk.json("return", desk.identity, "--to", "back", code=EX_TEMPFAIL)
    assert told["attempts"] == 1
    assert isinstance(
        desk.ask("orders", told["order"], "--settle", "failed").exception, OperatorFault
    ), "without a reason"
    assert isinstance(
        desk.ask("orders", told["order"], "--settle", "given", "--reason", "x").exception,
        OperatorFault,
    ), "nothing has left the store"
    assert desk.json("orders", "--retry") == {"changed": 1}
    settled = desk.json("orders", told["order"], "--settle", "failed", "--reason", "withdrawn")
    assert (settled["state"], settled["fate"]) == ("FAILED", "unanswered")
