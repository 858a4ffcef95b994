"""``hotfolder setup`` over a real socket: planned, made, run again, interrupted."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result

from hotfolder.archivesspace.preparing import KEEPS_ITS_OWN
from hotfolder.core.errors import EX_OK, EX_TEMPFAIL, HotfolderError
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox import Action, Fault, Sandbox
from hotfolder.service.cli import group
from tests.archivesspace.test_delivery import call
from tests.support.settings import sound_text

ADMIN = "the administrator's own word"
LEAST = {"view_repository", "update_digital_object_record", "update_event_record",
         "update_resource_record", "import_records"}  # fmt: skip


class Place:
    """A configuration for a server on which nothing is prepared."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root = root
        self.sandbox = sandbox
        self.secret = root / "new-password"
        (root / "admin-password").write_text(ADMIN + "\n")
        self.configure()

    def configure(self, more: str = "") -> None:
        text = sound_text(self.root).replace("http://localhost:8089", self.sandbox.url)
        text += f'\n[archivesspace.slots]\nchannel = "enum_1"\n{more}'
        (self.root / "hotfolder.toml").write_text(text)

    def run(self, *words: str, typed: str | None = None) -> Result:
        admin = ["--admin-password-file", str(self.root / "admin-password")]
        config = ["--config", str(self.root / "hotfolder.toml")]
        arguments = ["setup", *words, *admin, *config]
        return CliRunner().invoke(group, arguments, input=typed, standalone_mode=False)

    def make(self, *words: str, code: int = EX_OK) -> dict[str, Any]:
        done = self.run("--yes", "--json", "--password-file", str(self.secret), *words)
        if done.exception is not None:
            raise done.exception
        assert done.return_value == code
        return {
            f"{step['kind']} {step['subject']}": step for step in json.loads(done.stdout)["steps"]
        }

    def log_in(self, password: str) -> dict[str, Any]:
        answer = call(self.sandbox, "POST", f"/users/hotfolder/login?password={password}")
        return dict(answer["user"]["permissions"])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Sandbox(admin_password=ADMIN) as sandbox:
        yield Place(tmp_path, sandbox)


def test_a_plan_makes_nothing(place: Place) -> None:
    before = place.sandbox.records()
    done = place.run("--plan")
    assert done.return_value == EX_OK
    for words in ("RETAIL", "user_defined_enum_1: print", "hotfolder-service", "STMT in RETAIL"):
        assert words in done.stdout
    assert place.sandbox.records() == before
    assert not place.secret.exists()


def test_everything_is_made_once(place: Place) -> None:
    made = place.make()
    assert not [name for name, step in made.items() if step["done"] == "was there"]
    (repository,) = [
        item for item in place.sandbox.records("repository") if item["repo_code"] == "RETAIL"
    ]
    assert (repository["name"], repository["publish"]) == ("Retail", False)
    assert stat.S_IMODE(place.secret.stat().st_mode) == 0o600
    held = place.log_in(place.secret.read_text().strip())
    assert set(held[repository["uri"]]) >= LEAST
    assert not {
        right for right in held[repository["uri"]] if right.startswith(("delete", "manage"))
    }
    before = place.sandbox.records()

    again = place.make()
    assert {step["done"] for step in again.values()} == {"was there"}
    assert place.sandbox.records() == before
    assert [item["id_0"] for item in place.sandbox.records("resource")] == ["STMT"]

    # Then the service finds all that it needs.
    place.configure()
    text = (place.root / "hotfolder.toml").read_text()
    (place.root / "hotfolder.toml").write_text(
        text.replace(f"{place.root}/password", str(place.secret))
    )
    words = ["check", "--json", "--config", str(place.root / "hotfolder.toml")]
    done = CliRunner().invoke(group, words, standalone_mode=False)
    assert json.loads(done.stdout)["ok"] is True, done.stdout

    # And what would be refused later is said now.
    with (place.root / "hotfolder.toml").open("a") as more:
        more.write('\n[disposal]\nevent = "asked_the_board"\n')
    done = CliRunner().invoke(group, words, standalone_mode=False)
    assert json.loads(done.stdout)["ok"] is False
    assert "'asked_the_board'" in done.stdout


def test_no_secret_is_shown_or_kept(place: Place) -> None:
    done = place.run("--yes", "--password-file", str(place.secret))
    assert done.return_value == EX_OK, done.output
    password = place.secret.read_text().strip()
    journal = SqliteJournal(os.fsencode(place.root / "journal.db"))
    try:
        (link,) = [row for row in journal.audit() if row.action == "setup.made"]
    finally:
        journal.close()
    assert "repository RETAIL" in link.details
    kept = [path for path in place.root.iterdir() if path.is_file()]
    for secret in (password, ADMIN):
        assert secret not in done.output
        assert secret not in json.dumps(dict(link.details))
        having = {path.name for path in kept if secret.encode() in path.read_bytes()}
        assert having == {"new-password" if secret == password else "admin-password"}
    # The administrator's session is over.
    rows = place.sandbox._state.rows("SELECT * FROM session WHERE username = 'admin'")
    assert list(rows) == []


def test_each_list_value_is_asked_for(place: Place) -> None:
    typed = "y\nn\ny\n"  # the rest yes, email no, print yes
    done = place.run("--password-file", str(place.secret), typed=typed)
    assert done.return_value == EX_TEMPFAIL, done.output
    steps = place.make()  # what was declined is made now, and nothing else
    assert [name for name, step in steps.items() if step["done"] != "was there"] == [
        "value user_defined_enum_1: email"
    ]


def test_a_suppressed_value_is_named_and_not_said_to_be_made(place: Place) -> None:
    token = call(place.sandbox, "POST", f"/users/admin/login?password={quote(ADMIN)}")["session"]
    name = "/config/enumerations/names/event_event_type"
    (ingestion,) = (
        item
        for item in call(place.sandbox, "GET", name, token=token)["enumeration_values"]
        if item["value"] == "ingestion"
    )
    hidden = f"{ingestion['uri']}/suppressed?suppressed="
    call(place.sandbox, "POST", f"{hidden}true", token=token)
    done = place.run("--yes", "--password-file", str(place.secret))
    assert isinstance(done.exception, HotfolderError)
    assert "'ingestion', suppressed" in done.exception.message
    call(place.sandbox, "POST", f"{hidden}false", token=token)
    place.make()


def test_a_value_is_added_beside_one_that_is_suppressed_and_read_only(place: Place) -> None:
    token = call(place.sandbox, "POST", f"/users/admin/login?password={quote(ADMIN)}")["session"]
    name = "/config/enumerations/names/date_label"
    labels = call(place.sandbox, "GET", name, token=token)
    labels["values"].remove("issued")
    call(place.sandbox, "POST", labels["uri"], labels, token)
    (existence,) = (item for item in labels["enumeration_values"] if item["value"] == "existence")
    assert existence["readonly"]
    call(place.sandbox, "POST", f"{existence['uri']}/suppressed?suppressed=true", token=token)

    assert place.make()["value date_label: issued"]["done"] == labels["uri"]
    labels = call(place.sandbox, "GET", name, token=token)
    assert "issued" in labels["values"]
    assert "existence" not in labels["values"]
    assert "existence" in [item["value"] for item in labels["enumeration_values"]]


def test_a_name_in_capitals_is_the_same_account(place: Place) -> None:
    text = (place.root / "hotfolder.toml").read_text()
    (place.root / "hotfolder.toml").write_text(text.replace('"hotfolder"', '"HotFolder"'))
    assert place.make()["account HotFolder"]["done"].startswith("/users/")
    held = place.log_in(place.secret.read_text().strip())
    assert any(set(rights) >= LEAST for rights in held.values())
    assert {step["done"] for step in place.make().values()} == {"was there"}


@pytest.mark.parametrize("name", ["jörg", "hot  folder", "a/b"])
def test_a_name_that_the_server_takes_for_no_account_is_told(place: Place, name: str) -> None:
    text = (place.root / "hotfolder.toml").read_text()
    (place.root / "hotfolder.toml").write_text(text.replace('"hotfolder"', f'"{name}"'))
    done = place.run("--yes", "--password-file", str(place.secret))
    assert isinstance(done.exception, HotfolderError)
    assert repr(name) in done.exception.message
    assert "`username`" in done.exception.hint


def test_a_short_name_that_differs_in_capitals_is_told(place: Place) -> None:
    place.sandbox.add_repository("Retail", "Retail bank")
    done = place.run("--yes", "--password-file", str(place.secret))
    assert isinstance(done.exception, HotfolderError)
    assert "capitals" in done.exception.message
    assert "[units.RETAIL]" in done.exception.hint


@pytest.mark.parametrize(
    ("called", "words"),
    [("Retail \U0001f600", "Incorrect string value"), ("x" * 300, "name: Must be 255 characters")],
)
def test_what_the_server_says_of_a_record_is_told(place: Place, called: str, words: str) -> None:
    text = (place.root / "hotfolder.toml").read_text()
    assert 'name = "Retail"' in text
    text = text.replace('name = "Retail"', f'name = "{called}"')
    (place.root / "hotfolder.toml").write_text(text)
    done = place.run("--yes", "--password-file", str(place.secret))
    assert isinstance(done.exception, HotfolderError)
    assert "repository RETAIL, with status 400" in done.exception.message
    assert words in done.exception.message
    assert "mend" in done.exception.hint


@pytest.mark.parametrize("number", range(1, 30, 2))
def test_it_goes_on_where_it_was_interrupted(place: Place, number: int) -> None:
    place.sandbox.faults.add(Fault(action=Action.RESET, nth=number, committed=number % 4 == 1))
    first = place.run("--yes", "--json", "--password-file", str(place.secret))
    place.sandbox.faults.clear()
    if first.exception is not None:
        assert isinstance(first.exception, HotfolderError)
    place.make()
    held = place.log_in(place.secret.read_text().strip())
    assert any(set(rights) >= LEAST for rights in held.values())
    assert {step["done"] for step in place.make().values()} == {"was there"}
    assert len(place.sandbox.records("resource")) == 1


def test_an_account_with_another_password_is_left_alone(place: Place) -> None:
    place.sandbox.add_service_account("hotfolder", "its own", [])
    steps = place.make()
    assert steps["account hotfolder"]["done"] == KEEPS_ITS_OWN
    assert not place.secret.exists()
    place.log_in("its own".replace(" ", "%20"))


def test_a_wrong_administrator_is_told(place: Place) -> None:
    (place.root / "admin-password").write_text("wrong\n")
    done = place.run("--plan")
    assert isinstance(done.exception, HotfolderError)
    assert "wrong" not in str(done.exception)
    (place.root / "admin-password").write_text(ADMIN)
    done = place.run("--yes")
    assert isinstance(done.exception, HotfolderError)
    assert done.exception.code == "setup.password"
