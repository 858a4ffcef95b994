"""``hotfolder disposal`` at a terminal and in scripts."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import (
    EX_NOINPUT,
    EX_NOPERM,
    EX_OK,
    EX_TEMPFAIL,
    EX_UNAVAILABLE,
    EX_USAGE,
    HotfolderError,
)
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.certifying import render_certificate
from hotfolder.service.cli import group
from hotfolder.service.signingkey import make_key
from tests.support.disposal import DisposalWorld
from tests.support.journals import UNIT
from tests.support.settings import load_text, sound_text

ME = actor()
_CLASSES = """
[retention.D]
title = "Letters"
mandate = "HGB 257"
period = "P1Y"
action = "destroy"

[retention.L]
title = "Contracts"
period = "P30Y"
"""


@dataclass
class Desk:
    """A configuration, and a journal and a store with spools that are past their time."""

    root: Path

    def text(self) -> str:
        return sound_text(self.root).replace("RETAIL", UNIT) + _CLASSES

    def write(self, more: str = "") -> None:
        (self.root / "hotfolder.toml").write_text(self.text() + more)

    def ask(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, [*arguments, *config], standalone_mode=False)

    def json(self, *arguments: str, code: int = EX_OK) -> Any:
        done = self.ask(*arguments, "--json")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.return_value == code, done.output
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> HotfolderError:
        done = self.ask(*arguments)
        assert isinstance(done.exception, HotfolderError), done.output
        return done.exception

    def approve(self, disposal: str) -> None:
        """As somebody else: the command line knows one person only."""
        journal = SqliteJournal(os.fsencode(self.root / "journal.db"))
        journal.approve_disposal(disposal, "somebody-else", "the board", 5.0)
        journal.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write()
    schedule = load_text(tmp_path, (tmp_path / "hotfolder.toml").read_text()).rules
    world = DisposalWorld(tmp_path, schedule=schedule.retention_classes, names=("store",))
    world.add(1, "D", issued=date(2015, 1, 31))
    world.add(2, "L", issued=date(2015, 1, 31))
    world.add(3, "D", "L", issued=date(2016, 1, 31))
    world.close()
    return desk


def propose(desk: Desk) -> str:
    (row,) = desk.json("disposal", "propose", "--unit", UNIT, "--reason", "yearly")
    assert row["proposed_by"] == ME
    return str(row["id"])


def test_from_what_is_due_to_the_certificate(desk: Desk, tmp_path: Path) -> None:
    due = desk.json("disposal", "due")["documents"]
    assert [(item["standing"], item["retain_until"]) for item in due] == [
        ("due", "2016-01-31"),
        ("pending", "2017-01-31"),
    ]
    assert "1 documents of its spool are not due" in desk.ask("disposal", "due").output
    disposal = propose(desk)
    assert desk.refused("disposal", "approve", disposal).code == "disposal.same_person"
    assert desk.refused("disposal", "execute", disposal).code == "disposal.state"
    desk.approve(disposal)
    done = desk.json("disposal", "execute", disposal)
    assert done["state"] == "DONE"
    assert done["outcomes"] == {"destroyed": 1, "withheld": 1}
    shown = desk.json("disposal", "show", disposal)
    assert [item["outcome"] for item in shown["members"]].count("destroyed") == 1
    listed = desk.json("disposal", "list", "--state", "done")
    assert [item["id"] for item in listed] == [disposal]
    folder = tmp_path / "audit"
    folder.mkdir()
    written = desk.json("disposal", "certificate", disposal, "--to", str(folder))
    assert [Path(name).suffix for name in written["files"]] == [".json", ".pdf"]
    assert desk.json("disposal", "execute", disposal)["state"] == "DONE"  # harmless to repeat
    # What was destroyed is answered with what is left of it.
    gone = due[0]["identity"]
    told = desk.json("show", gone)
    assert (told["disposal"], told["retain_until"]) == (disposal, "2016-01-31")
    refused = desk.refused("retrieve", gone, "--output", str(tmp_path / "x.pdf"))
    assert refused.exit_code == EX_UNAVAILABLE
    assert disposal in refused.message
    assert desk.refused("retrieve", due[1]["identity"], "--output", "x").exit_code == EX_NOPERM
    assert desk.json("find", "--text", "mustermann", "--count")["count"] == 3


def test_a_rebuild_stops_disposals_until_they_are_resumed(desk: Desk) -> None:
    disposal = propose(desk)
    desk.approve(disposal)
    journal = SqliteJournal(os.fsencode(desk.root / "journal.db"))
    journal.append_audit("ada", "operator.rebuild", "journal", {}, 5.0)
    journal.close()
    assert desk.refused("disposal", "execute", disposal).code == "disposal.rebuilt"
    assert desk.ask("disposal", "resume", "--reason", " ").return_value == EX_USAGE
    said = ("disposal", "resume", "--reason", "events given again")
    assert desk.json(*said) == {"resumed": True}
    assert desk.json(*said) == {"resumed": False}
    assert desk.json("disposal", "execute", disposal)["state"] == "DONE"
    (link,) = [row for row in desk.json("audit", "list") if row["action"] == "disposal.resumed"]
    assert (link["actor"], link["details"]) == (ME, {"reason": "events given again"})


def test_a_due_list_goes_into_a_file(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "due.csv"
    assert desk.json("disposal", "due", "--csv", str(path)) == {"file": str(path), "documents": 2}
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["standing"] for row in rows] == ["due", "pending"]
    with closing(sqlite3.connect(tmp_path / "journal.db")) as conn, conn:
        conn.execute("UPDATE documents SET business_unit = '=SUM(A1)' WHERE spool = 1")
    desk.json("disposal", "due", "--csv", str(path))
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert "'=SUM(A1)" in [row["business_unit"] for row in rows], "no spreadsheet reckons with it"
    assert desk.json("disposal", "due", "--class", "L")["documents"] == []
    page = desk.json("disposal", "due", "--limit", "1")
    rest = desk.json("disposal", "due", "--after", page["next"])
    assert [item["standing"] for item in rest["documents"]] == ["pending"]
    assert desk.ask("disposal", "due", "--after", "x").return_value == EX_USAGE


def test_a_csv_that_cannot_be_written_is_a_fault_of_use(desk: Desk, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere" / "due.csv"):
        done = desk.ask("disposal", "due", "--csv", str(place))
        assert done.return_value == EX_USAGE
        assert "cannot be written" in done.output


def test_what_is_unknown(desk: Desk) -> None:
    for arguments in (
        ("approve", "disposal-0000"),
        ("withdraw", "disposal-0000", "--reason", "x"),
        ("execute", "disposal-0000"),
        ("show", "disposal-0000"),
        ("certificate", "disposal-0000", "--to", "/tmp"),
    ):
        assert desk.ask("disposal", *arguments).return_value == EX_NOINPUT
    assert desk.ask("disposal", "list", "--state", "odd").return_value == EX_USAGE
    disposal = propose(desk)
    assert desk.ask("disposal", "certificate", disposal, "--to", "/tmp").return_value == EX_NOINPUT
    assert desk.ask("disposal", "execute", disposal, "--today-is", "x").return_value == EX_USAGE


def test_a_list_is_withdrawn(desk: Desk) -> None:
    disposal = propose(desk)
    assert desk.ask("disposal", "propose").return_value == EX_NOINPUT  # all of it is on the list
    assert desk.json("disposal", "withdraw", disposal, "--reason", "no")["state"] == "WITHDRAWN"
    assert propose(desk) != disposal


def test_roles_decide_who_may(desk: Desk) -> None:
    desk.write('\n[roles]\npropose = ["nobody-else"]\nexecute = ["nobody-else"]\n')
    assert desk.refused("disposal", "propose", "--unit", UNIT).code == "role.refused"
    desk.write()
    disposal = propose(desk)
    desk.approve(disposal)
    desk.write('\n[roles]\napprove = ["nobody-else"]\nexecute = ["nobody-else"]\n')
    assert desk.refused("disposal", "execute", disposal).code == "role.refused"
    assert desk.refused("disposal", "approve", disposal).code == "role.refused"


def test_while_a_daemon_runs_it_does_the_destroying(desk: Desk) -> None:
    disposal = propose(desk)
    desk.approve(disposal)
    lock = acquire_daemon_lock(os.fsencode(desk.root / "journal.db"))
    try:
        waiting = desk.json("disposal", "execute", disposal, "--wait", "0", code=EX_TEMPFAIL)
        assert waiting["state"] == "EXECUTING"
    finally:
        lock.release()
    assert desk.json("disposal", "execute", disposal)["state"] == "DONE"


def test_another_schedule_than_the_daemons_destroys_nothing(desk: Desk) -> None:
    disposal = propose(desk)
    desk.approve(disposal)
    desk.write('\n[retention.X]\ntitle = "x"\nperiod = "P9Y"\n')
    assert desk.refused("disposal", "execute", disposal).code == "disposal.schedule"


def test_the_certificate_is_signed_with_the_sites_key(desk: Desk, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = make_key(str(tmp_path / "key.pem"))
    desk.write(f'\n[audit]\nsigning_key = "{tmp_path}/key.pem"\n')
    disposal = propose(desk)
    desk.approve(disposal)
    desk.json("disposal", "execute", disposal)
    found = json.loads((tmp_path / "certificates" / f"{disposal}.json").read_text())
    import base64

    signed = json.dumps(
        found["certificate"], ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()
    signature = base64.b64decode(found["signature"]["signature"])
    assert base64.b64decode(found["signature"]["public_key"]) == key.public_key
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, signed)


def test_a_person_can_read_the_certificate(desk: Desk, tmp_path: Path) -> None:
    import pypdf

    disposal = propose(desk)
    desk.approve(disposal)
    desk.json("disposal", "execute", disposal)
    reader = pypdf.PdfReader(tmp_path / "certificates" / f"{disposal}.pdf")
    text = "\n".join(page.extract_text() for page in reader.pages)
    (gone,) = [
        item
        for item in desk.json("disposal", "show", disposal)["members"]
        if item["outcome"] == "destroyed"
    ]
    for said in (
        "Certificate of destruction", disposal, "the board", "somebody-else", ME, "HGB 257",
        gone["identity"], gone["sha256"], "1 destroyed", "Storage roots",
    ):  # fmt: skip
        assert said in text, said


def certificate_text(desk: Desk, folder: Path, **other: object) -> str:
    """The words of the PDF of a real certificate in which ``other`` is different."""
    import pypdf

    disposal = propose(desk)
    desk.approve(disposal)
    desk.json("disposal", "execute", disposal)
    found = json.loads((folder / "certificates" / f"{disposal}.json").read_text())
    found["certificate"] |= other
    found["signature"] = {"key": "k" * 64, "public_key": "p" * 44, "signature": "s" * 87 + "="}
    drawn = render_certificate(json.dumps(found).encode())
    pages = pypdf.PdfReader(io.BytesIO(drawn)).pages
    return "\n".join(page.extract_text() for page in pages)


def test_the_pdf_says_why_and_by_which_release(desk: Desk, tmp_path: Path) -> None:
    text = certificate_text(desk, tmp_path, reason="the yearly list", hotfolder="9.8.7")
    assert "Reason" in text
    assert "the yearly list" in text
    assert "hotfolder 9.8.7" in text
    assert "question marks" not in text


def test_the_pdf_shows_letters_that_come_in_parts_and_names_those_it_lacks(
    desk: Desk, tmp_path: Path
) -> None:
    text = certificate_text(desk, tmp_path, authority="Rat fu\u0308r Akten \u05e9", reason="x")
    assert "Rat für Akten ?" in text
    assert "question marks" in text


def test_what_is_long_in_the_pdf_can_be_copied_and_covers_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    code = "COMMERCIAL-CORRESPONDENCE-OF-THE-FORMER-SAVINGS-BANK-10Y"
    document = {
        "identity": "hf-" + "a" * 64, "sha256": "b" * 64, "spool": "1", "series": "letters",
        "retention_class": code, "class_version": 1, "cutoff": None, "destroyed_by": "object",
        "retain_until": "2030-01-02", "action": "destroy",
    }  # fmt: skip
    text = certificate_text(desk, tmp_path, destroyed=[document] * 200)
    signature = text[text.index("Ed25519") : text.index("Method")]
    assert "s" * 87 + "=" in "".join(signature.split("\n"))
    # Where it was cut off, the next column begins behind it.
    assert code not in text
    assert code in text.replace("\n", "")
