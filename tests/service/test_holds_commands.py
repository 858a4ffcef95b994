"""``hotfolder holds`` at a terminal and in scripts."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core import crashpoints
from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE, HotfolderError, OperatorFault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import DocumentMetadata
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.cli import group
from hotfolder.store.ocfl import OcflStore
from tests.support.journals import FAULT, make_document, spool_id, store
from tests.support.server_model import ProcessKilledError
from tests.support.settings import faults_in, sound_text
from tests.support.spools import FixedClock

ME = actor()
DAY = date(2026, 6, 30)
BILL = make_document(
    "b",
    metadata=DocumentMetadata(
        customer_id="C-1", document_type="Bill", retention_class="FIN-7Y", issue_date=DAY
    ),
)
POLICY = make_document(
    "p",
    metadata=DocumentMetadata(customer_id="C-2", policy_number="P-77", claim_refs=("K-1",)),
)


@dataclass
class Desk:
    """A configuration, a journal and a store."""

    root: Path

    def write(self, text: str = "") -> None:
        (self.root / "hotfolder.toml").write_text(sound_text(self.root) + text)

    def ask(self, *arguments: str, command: str = "holds") -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, [command, *arguments, *config], standalone_mode=False)

    def json(self, *arguments: str, code: int = EX_OK, command: str = "holds") -> Any:
        done = self.ask(*arguments, "--json", command=command)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.return_value == code, done.output
        return json.loads(done.stdout)

    def open(self) -> SqliteJournal:
        return SqliteJournal(os.fsencode(self.root / "journal.db"))

    def marks(self, number: int) -> tuple[str, ...]:
        return OcflStore(os.fsencode(self.root / "store"), clock=FixedClock()).holds_on(
            spool_id(number)
        )

    def actions(self) -> list[tuple[str, str]]:
        journal = self.open()
        try:
            return [
                (row.action, row.actor)
                for row in journal.audit()
                if row.action.startswith(("hold.", "access."))
            ]
        finally:
            journal.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write()
    journal = desk.open()
    store(journal, 1, BILL)
    store(journal, 2, POLICY)
    journal.close()
    OcflStore(os.fsencode(tmp_path / "store"), clock=FixedClock()).initialise()
    return desk


def test_a_hold_is_placed_shown_and_released(desk: Desk) -> None:
    planned = desk.json("place", "--matter", "M-1", "--customer", "C-1", "--dry-run")
    assert (planned["documents"], planned["spools"], planned["dry_run"]) == (1, 1, True)
    assert desk.json("list") == []
    placed = desk.json(
        "place", "--matter", "M-1", "--customer", "C-1", "--mandate", "ZPO 142",
        "--originator", "Legal", "--reason", "claim filed",
    )  # fmt: skip
    assert (placed["documents"], placed["phase"], placed["newcomers"]) == (1, "PLACED", True)
    assert placed["placed_by"] == ME
    assert desk.marks(1) == (placed["id"],)
    assert desk.marks(2) == ()
    shown = desk.json("show", placed["id"])
    assert shown["members"] == [BILL.identity]
    assert shown["criteria"] == {"customer_id": "C-1"}
    assert (shown["mandate"], shown["originator"]) == ("ZPO 142", "Legal")
    (found,) = desk.json("--customer", "C-1", command="find")["documents"]
    (story,) = desk.json(BILL.identity, command="show")["documents"]
    assert found["holds"] == story["holds"] == [placed["id"]]
    assert f"under legal hold: {placed['id']}" in desk.ask(BILL.identity, command="show").output
    assert "holds" not in desk.json(POLICY.identity, command="show")["documents"][0]
    text = desk.ask("show", placed["id"]).output
    assert "claim filed" in text
    assert BILL.identity in text
    assert "in force" in desk.ask("list").output
    released = desk.json("release", placed["id"], "--reason", "settled")
    assert (released["in_force"], released["release_reason"]) == (False, "settled")
    assert desk.marks(1) == ()
    assert "holds" not in desk.json("--customer", "C-1", command="find")["documents"][0]
    assert desk.json("list") == []
    assert [row["id"] for row in desk.json("list", "--all")] == [placed["id"]]
    assert "released" in desk.ask("show", placed["id"]).output
    assert [action for action, _ in desk.actions()] == [
        "hold.placed", "hold.applied", "hold.released", "hold.lifted",
    ]  # fmt: skip
    assert {actor for action, actor in desk.actions() if action != "hold.applied"} >= {ME}


@pytest.mark.parametrize(
    ("options", "held"),
    [
        (["--document", BILL.identity], [BILL]),
        (["--document", spool_id(2)], [POLICY]),
        (["--document", BILL.identity[:14], "--document", POLICY.identity], [BILL, POLICY]),
        (["--policy", "P-77"], [POLICY]),
        # As in the metadata, whose texts are stripped.
        (["--policy", " P-77 "], [POLICY]),
        (["--customer", "C-1\n", "--type", " bill"], [BILL]),
        (["--case", "K-1"], [POLICY]),
        (["--case", " K-1 "], [POLICY]),
        (["--case", "case:K-1"], []),
        (["--class", "FIN-7Y"], [BILL]),
        (["--type", "bill"], [BILL]),
        (["--from", "2026-06-30", "--to", "2026-06-30"], [BILL]),
        (["--from", "2026-07-01"], []),
        (["--text", "statement"], [BILL, POLICY]),
        (["--spool", spool_id(2)], [POLICY]),
        (["--spool", spool_id(2), "--customer", "C-1"], []),
    ],
)
def test_what_is_meant(desk: Desk, options: list[str], held: list[Any]) -> None:
    placed = desk.json("place", "--matter", "M-1", *options)
    members = desk.json("show", placed["id"])["members"]
    assert sorted(members) == sorted(document.identity for document in held)
    upon = desk.json("list", "--document", POLICY.identity)
    assert [row["id"] for row in upon] == ([placed["id"]] if POLICY in held else [])


def test_only_now_catches_no_newcomers(desk: Desk) -> None:
    desk.json("place", "--matter", "M-1", "--customer", "C-1")
    placed = desk.json("place", "--matter", "M-2", "--customer", "C-1", "--only-now")
    assert placed["newcomers"] is False
    journal = desk.open()
    store(journal, 3, make_document("n", metadata=DocumentMetadata(customer_id="C-1")))
    journal.close()
    assert [row["documents"] for row in desk.json("list")] == [2, 1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["place", "--matter", "M-1"], EX_USAGE, "say what is to be held"),
        (["place", "--matter", " ", "--customer", "C-1"], EX_USAGE, "--matter is empty"),
        (["place", "--matter", "M", "--from", "31.6.2026x"], EX_USAGE, "is no day"),
        (["place", "--matter", "M", "--policy", "P", "--customer", ""], EX_USAGE, "is empty"),
        (
            ["place", "--matter", "M", "--from", "2026-07-01", "--to", "2026-06-30"],
            EX_USAGE,
            "no day",
        ),
        (["place", "--matter", "M", "--text", "... !"], EX_USAGE, "no word"),
        (["place", "--matter", "M", "--class", "NO"], EX_USAGE, "one of: FIN-7Y"),
        (["place", "--matter", "M", "--spool", "ffffffffff"], EX_NOINPUT, "no spool"),
        (["place", "--matter", "M", "--document", "hf-ffffffffffff"], EX_NOINPUT, "no document"),
        (["release", "hold-000000000000", "--reason", "x"], EX_NOINPUT, "no hold"),
        (["release", "hold-000000000000", "--reason", ""], EX_USAGE, "why"),
        (["show", "hold-000000000000"], EX_NOINPUT, "no hold"),
    ],
)
def test_what_is_wrong_is_said(desk: Desk, arguments: list[str], code: int, said: str) -> None:
    done = desk.ask(*arguments)
    assert done.return_value == code
    assert said in done.output
    assert desk.json("list", "--all") == []


def test_a_spool_whose_documents_count_in_another_is_not_what_is_held(desk: Desk) -> None:
    with closing(desk.open()) as journal:
        journal.set_aside(spool_id(1), SpoolState.CORRUPT, [FAULT], 20.0)
        store(journal, 3, BILL)
    done = desk.ask("place", "--matter", "M", "--spool", spool_id(1))
    assert done.return_value == EX_USAGE
    assert f"--document {spool_id(1)}" in done.output
    assert desk.json("list", "--all") == []
    placed = desk.json("place", "--matter", "M", "--document", spool_id(1))
    assert placed["documents"] == 1
    assert desk.marks(3) == (placed["id"],)
    with closing(desk.open()) as journal:
        assert set(journal.holds_upon_documents([BILL.identity])) == {BILL.identity}


def test_a_command_that_was_killed_is_finished_by_the_next(desk: Desk) -> None:
    def hook(name: str) -> None:
        if name == "hold.journalled":
            crashpoints.arm(None)
            raise ProcessKilledError

    crashpoints.arm(hook)
    with pytest.raises(ProcessKilledError):
        desk.ask("place", "--matter", "M-1", "--customer", "C-1")
    (left,) = desk.json("list")
    assert left["acknowledged"] is None
    assert "not marked everywhere" in desk.ask("list").output
    desk.json("place", "--matter", "M-2", "--customer", "C-9")
    assert desk.json("list")[0]["acknowledged"] is not None
    assert desk.marks(1) == (left["id"],)


def test_without_its_store_a_hold_is_in_force_and_not_acknowledged(desk: Desk) -> None:
    (desk.root / "store").rename(desk.root / "away")
    done = desk.ask("place", "--matter", "M-1", "--customer", "C-1")
    assert isinstance(done.exception, OperatorFault)
    assert "is in force" in done.output
    (left,) = desk.json("list")
    assert (left["in_force"], left["acknowledged"]) == (True, None)


def test_roles_say_who_may(desk: Desk) -> None:
    placed = desk.json("place", "--matter", "M-1", "--customer", "C-1")
    desk.write(
        '\n[roles]\nhold = ["nobody-else"]\nrelease = ["@no-such-group"]\n'
        f'[roles.units.RETAIL]\nhold = ["{ME}"]\n'
    )
    for arguments in (
        ("place", "--matter", "M-2", "--customer", "C-1"),
        ("release", placed["id"], "--reason", "x"),
    ):
        done = desk.ask(*arguments)
        assert isinstance(done.exception, HotfolderError)
        assert (done.exception.code, done.exception.exit_code) == ("role.refused", 77)
    assert desk.actions()[-2:] == [("access.refused", ME)] * 2
    assert [row["matter"] for row in desk.json("list")] == ["M-1"]
    desk.json("place", "--matter", "M-3", "--unit", "RETAIL", "--customer", "C-1")
    assert len(desk.json("list")) == 2


def test_groups_of_the_system_are_lists_too(desk: Desk) -> None:
    import grp

    group_name = grp.getgrgid(os.getgid()).gr_name
    desk.write(f'\n[roles]\nhold = ["@{group_name}"]\n')
    desk.json("place", "--matter", "M-1", "--customer", "C-1")


def test_lists_of_a_unit_that_is_none_are_a_fault(desk: Desk) -> None:
    text = sound_text(desk.root) + '\n[roles.units.NONE]\nhold = ["anna"]\n'
    assert "roles.unit" in {fault.code for fault in faults_in(desk.root, text)}
