"""Who may find and retrieve what, by business unit."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.disposals import Tombstone
from hotfolder.core.errors import EX_NOINPUT, EX_OK, HotfolderError
from hotfolder.core.records import Document, DocumentMetadata
from hotfolder.core.shielding import pseudonym
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.cli import group
from hotfolder.store.ocfl import OcflStore
from tests.support.doomed import doom
from tests.support.journals import make_document, spool_id, store
from tests.support.settings import sound_text
from tests.support.spools import FixedClock

ME = actor()
KEYS = ("k" * 64, "o" * 64)


def document(unit: str) -> Document:
    metadata = DocumentMetadata(
        customer_id="C-1", issue_date=date(2026, 6, 30), case_refs=("K-1",), document_type="bill"
    )
    return make_document(unit, metadata=metadata)


MINE, THEIRS = document("RETAIL"), document("LIFE")


@dataclass
class Desk:
    """Documents of two units, one of which is not for us."""

    root: Path

    def write(self, roles: str) -> None:
        text = sound_text(self.root).replace(
            "[series.STMT]", '[units.LIFE]\nname = "Life"\nrepository = "LIFE"\n\n[series.STMT]'
        )
        (self.root / "hotfolder.toml").write_text(text + roles)

    def call(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, [*arguments, *config], standalone_mode=False)

    def ask(self, *arguments: str, code: int = EX_OK) -> Any:
        done = self.call(*arguments, "--json")
        if done.exception is not None:
            raise done.exception
        assert done.return_value == code, done.output
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> None:
        before = len(self.links("access.refused"))
        done = self.call(*arguments)
        assert isinstance(done.exception, HotfolderError), done.output
        assert (done.exception.code, done.exception.exit_code) == ("role.refused", 77)
        assert len(self.links("access.refused")) == before + 1

    def links(self, action: str) -> list[dict[str, Any]]:
        journal = SqliteJournal(os.fsencode(self.root / "journal.db"))
        try:
            return [dict(row.details) for row in journal.audit() if row.action == action]
        finally:
            journal.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    journal = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    store(journal, 1, MINE, unit="RETAIL")
    store(journal, 2, THEIRS, unit="LIFE")
    journal.close()
    OcflStore(os.fsencode(tmp_path / "store"), clock=FixedClock()).initialise()
    desk.write('\n[roles.units.LIFE]\nfind = ["nobody-else"]\nretrieve = ["nobody-else"]\n')
    return desk


def test_what_is_not_for_us_is_left_out_and_said_to_be(desk: Desk) -> None:
    for arguments in (("find",), ("find", "--customer", "C-1"), ("case", "K-1")):
        found = desk.ask(*arguments)
        assert [item["business_unit"] for item in found["documents"]] == ["RETAIL"]
        assert found["units_left_out"] == 1
        assert "1 business unit was left out" in desk.call(*arguments).stderr
    assert desk.ask("find", "--count") == {"count": 1, "units_left_out": 1}
    assert len(desk.ask("case", "K-1")["parties"]) == 1
    assert not desk.links("access.refused")  # nobody asked for it


def test_what_is_asked_for_by_name_is_refused_on_the_record(desk: Desk) -> None:
    desk.refused("find", "--unit", "LIFE")
    desk.refused("find", "--unit", "RETAIL", "--unit", "LIFE")
    desk.refused("case", "K-1", "--unit", "LIFE")
    desk.refused("show", spool_id(2))
    desk.refused("show", THEIRS.identity)
    desk.refused("retention", "show", THEIRS.identity)
    desk.refused("retrieve", THEIRS.identity, "--output", str(desk.root / "out"))
    desk.refused("retrieve", MINE.identity, THEIRS.identity, "--out", str(desk.root / "out"))
    desk.refused("compare", THEIRS.identity, str(desk.root / "hotfolder.toml"))
    assert not (desk.root / "out").exists()
    assert desk.links("access.refused")[0] == {"duty": "find", "business_unit": "LIFE"}
    assert [item["identity"] for item in desk.ask("find", "--unit", "RETAIL")["documents"]] == [
        MINE.identity
    ]
    assert desk.ask("show", MINE.identity)["id"] == spool_id(1)


def test_a_document_is_given_back_by_order_or_as_evidence_to_those_who_may(desk: Desk) -> None:
    (desk.root / "back").mkdir()
    desk.write(
        f'\n[return.back]\npath = "{desk.root}/back"\n'
        '\n[roles.units.LIFE]\nretrieve = ["nobody-else"]\n'
    )
    desk.refused("return", THEIRS.identity, "--to", "back")
    assert desk.ask("orders") == []
    done = desk.call("evidence", THEIRS.identity, "--out", str(desk.root / "e.zip"), "--offline")
    assert done.return_value == 77
    assert len(desk.links("access.refused")) == 2
    assert not (desk.root / "e.zip").exists()
    # Of the case only ours is taken.
    done = desk.call("evidence", "--case", "K-1", "--out", str(desk.root / "e"), "--offline")
    assert "left out" in done.stderr
    assert THEIRS.identity[:19] not in done.output


def test_what_was_destroyed_is_told_to_those_who_might_have_had_it(desk: Desk) -> None:
    journal = SqliteJournal(os.fsencode(desk.root / "journal.db"))
    with journal._db.writing() as conn:
        doom(conn, 2)
        conn.execute("UPDATE documents SET disposition = 'destroyed' WHERE number = 2")
    left = Tombstone(
        identity=THEIRS.identity,
        disposal="disposal-0123456789ab",
        spool_id=spool_id(2),
        business_unit="LIFE",
        sha256=THEIRS.range.sha256,
        retention_class="R7",
        class_version=1,
        cutoff=None,
        retain_until=date(2020, 1, 1),
        begun_on=date(2026, 7, 1),
    )
    journal.restore_tombstones([left], 1.0)
    journal.close()
    (desk.root / "back").mkdir()
    desk.write(
        f'\n[return.back]\npath = "{desk.root}/back"\n'
        '\n[roles.units.LIFE]\nretrieve = ["nobody-else"]\n'
    )
    desk.refused("retrieve", THEIRS.identity, "--output", str(desk.root / "out"))
    desk.refused("compare", THEIRS.identity, str(desk.root / "hotfolder.toml"))
    desk.refused("return", THEIRS.identity, "--to", "back")
    done = desk.call("evidence", THEIRS.identity, "--out", str(desk.root / "e.zip"), "--offline")
    assert done.return_value == 77
    assert len(desk.links("access.refused")) == 4
    assert not desk.links("retrieval.refused")
    done = desk.call("retrieve", "--case", "K-1", "--out", str(desk.root / "e"))
    assert "left out" in done.stderr


def test_who_finds_nothing_is_told_what_was_left_out(desk: Desk) -> None:
    desk.write('\n[roles]\nretrieve = ["nobody-else"]\n')
    done = desk.call("retrieve", "--case", "K-1", "--out", str(desk.root / "e"))
    assert done.return_value == EX_NOINPUT
    assert "2 business units were left out" in done.stderr


def test_a_general_list_keeps_units_that_nobody_configured(desk: Desk) -> None:
    desk.write(f'\n[roles]\nfind = ["nobody-else"]\n[roles.units.LIFE]\nfind = ["{ME}"]\n')
    found = desk.ask("find")
    assert [item["business_unit"] for item in found["documents"]] == ["LIFE"]
    desk.refused("show", MINE.identity)


def test_without_lists_everybody_sees_everything(desk: Desk) -> None:
    desk.write("")
    found = desk.ask("find")
    assert (len(found["documents"]), found["units_left_out"]) == (2, 0)
    assert "unit" in desk.call("find").stdout.splitlines()[0]


def test_pseudonyms_are_told_to_those_who_may(desk: Desk) -> None:
    (desk.root / "keys").write_text("\n".join(KEYS) + "\n")
    fields = f'pseudonyms = ["customer_id"]\nkey_file = "{desk.root}/keys"\n'
    desk.write(
        f'\n[archivesspace.fields]\n{fields}[roles.units.LIFE]\npseudonym = ["nobody-else"]\n'
    )
    desk.refused("pseudonym", "C-4711")
    told = desk.ask("pseudonym", "C-4711", "--unit", "RETAIL")["pseudonyms"]
    assert [(item["pseudonym"], item["in_force"]) for item in told] == [
        (pseudonym(KEYS[0], "RETAIL", "customer_id", "C-4711"), True),
        (pseudonym(KEYS[1], "RETAIL", "customer_id", "C-4711"), False),
    ]
    (link,) = desk.links("pseudonym.told")
    assert link == {"field": "customer_id", "business_units": ["RETAIL"]}
    done = desk.call("pseudonym", "A-1", "--field", "account_number", "--unit", "RETAIL")
    assert isinstance(done.exception, HotfolderError)
    assert done.exception.code == "pseudonym.none"
    assert "C-4711" not in json.dumps(desk.links("pseudonym.told"))
