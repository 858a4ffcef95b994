"""``hotfolder keys``, and the master key in the configuration."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import EX_CONFIG, EX_IOERR, EX_OK, OperatorFault
from hotfolder.core.profiles import KeysProfile
from hotfolder.core.records import StoreRequest
from hotfolder.service.cli import group
from hotfolder.service.masterkey import make_master, read_keyring, read_master
from hotfolder.service.parts import open_store, roots_of
from tests.support.encrypted import make_many
from tests.support.settings import faults_in, load_text, sound_text


@dataclass
class Desk:
    """A configuration with a folder that encrypts, and two spools in the store."""

    root: Path

    def write(self, *old: str) -> str:
        text = encrypting(self.root, *old)
        (self.root / "hotfolder.toml").write_text(text)
        return text

    def ask(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, ["keys", *arguments, *config], standalone_mode=False)

    def json(self, *arguments: str, code: int = EX_OK) -> Any:
        done = self.ask(*arguments, "--json")
        assert done.return_value == code, (done.output, done.exception)
        return json.loads(done.stdout)

    def requests(self) -> list[StoreRequest]:
        return [make_many(self.root / "working", number)[0] for number in (1, 2)]


def encrypting(root: Path, *old: str) -> str:
    """The sound configuration, with a folder that encrypts."""
    text = sound_text(root)
    names = ", ".join(f'"{root / name}"' for name in old)
    keys = f'master_key = "{root / "key"}"\nold_master_keys = [{names}]\n'
    assert text.count("[store]\n") == 1
    assert text.count("[folders.") == 1
    at = text.index("[folders.")
    end = text.index("\n", at) + 1
    return (text[:end] + "encrypt_documents = true\n" + text[end:]).replace(
        "[store]\n", "[store]\n" + keys
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    make_master(str(tmp_path / "key"))
    text = made.write()
    store = open_store(load_text(tmp_path, text), lambda _event, /, **_fields: None)
    store.initialise()
    store.write_spools(made.requests())
    return made


def test_a_key_is_made_once_and_for_the_service_alone(tmp_path: Path) -> None:
    path = tmp_path / "made"
    done = CliRunner().invoke(group, ["keys", "make", str(path), "--json"], standalone_mode=False)
    assert done.return_value == EX_OK
    told = json.loads(done.stdout)
    assert told == {"written": str(path), "key": read_master(str(path)).id.hex()}
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().strip() not in done.stdout
    before = path.read_bytes()
    with pytest.raises(OperatorFault) as caught:
        make_master(str(path))
    assert caught.value.code == "keys.master_exists"
    assert path.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"zz" * 32, b"ab" * 31, b"ab" * 33, b"x" * 31])
def test_what_is_no_key_is_refused_without_telling_it(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(OperatorFault) as caught:
        read_keyring(KeysProfile(master_key=str(tmp_path / "key")))
    assert caught.value.code == "keys.master"
    assert not data or data.decode() not in str(caught.value)


def test_the_credential_comes_before_the_file(desk: Desk, tmp_path: Path) -> None:
    given = tmp_path / "credentials"
    given.mkdir()
    for name in ("store-master-key", "store-master-key-old"):
        make_master(str(given / name))
    make_master(str(tmp_path / "older"))
    environ = {"CREDENTIALS_DIRECTORY": str(given)}
    found = load_text(tmp_path, desk.write("older"), environ).keys
    assert found == KeysProfile(
        master_key=str(given / "store-master-key"),
        old_master_keys=(str(given / "store-master-key-old"), str(tmp_path / "older")),
    )


def test_a_folder_that_encrypts_needs_a_key(desk: Desk, tmp_path: Path) -> None:
    text = desk.write()
    assert faults_in(tmp_path, text) == ()
    without = "\n".join(line for line in text.splitlines() if not line.startswith("master_key"))
    assert [fault.code for fault in faults_in(tmp_path, without)] == ["keys.none"]
    (tmp_path / "key").write_text("nonsense")
    assert [fault.code for fault in faults_in(tmp_path, text)] == ["keys.master"]
    inside = text.replace(f'"{tmp_path / "key"}"', f'"{tmp_path / "store" / "key"}"')
    assert "keys.master" in [fault.code for fault in faults_in(tmp_path, inside)]


def test_without_a_master_key_nothing_is_listed_or_what_lacks_it(
    desk: Desk, tmp_path: Path
) -> None:
    (listed,) = desk.json("list")
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    (missing,) = desk.json("list", code=EX_CONFIG)
    assert missing == {**listed, "current": False, "here": False}
    assert "MISSING" in desk.ask("list").output
    refused = desk.ask("rotate").exception
    assert isinstance(refused, OperatorFault)
    assert refused.code == "keys.none"
    assert "hotfolder keys" in refused.hint
    shutil.rmtree(tmp_path / "store")
    assert desk.json("list") == []
    assert "Nothing is encrypted" in desk.ask("list").output


def test_a_spool_whose_documents_are_pages_is_advised_of(desk: Desk, tmp_path: Path) -> None:
    text = desk.write()
    assert "keys.whole" not in [item.code for item in load_text(tmp_path, text).advice]
    name = text[text.index("[folders.") :].split("]")[0].removeprefix("[")
    text += f'\n[{name}.documents]\nindex = "bookmarks"\n'
    assert "keys.whole" in [item.code for item in load_text(tmp_path, text).advice]


def test_rotating_is_shown_and_can_be_repeated(desk: Desk, tmp_path: Path) -> None:
    first = read_master(str(tmp_path / "key")).id.hex()
    assert desk.json("list") == [
        {"root": 1, "key": first, "spools": 2, "current": True, "here": True}
    ]
    (tmp_path / "key").rename(tmp_path / "before")
    second = make_master(str(tmp_path / "key")).id.hex()
    desk.write()
    shown = {item["key"]: item for item in desk.json("list", code=EX_CONFIG)}
    assert shown[first]["here"] is False
    assert (shown[first]["spools"], shown[second]["spools"]) == (2, 0)
    with pytest.raises(OperatorFault) as caught:
        raise desk.ask("rotate").exception or AssertionError
    assert caught.value.code == "keys.master_other"
    desk.write("before")
    assert desk.json("rotate") == {"wrapped": 2, "before": 0, "damaged": []}
    assert desk.json("rotate") == {"wrapped": 0, "before": 2, "damaged": []}
    text = desk.write()
    assert desk.json("list") == [
        {"root": 1, "key": second, "spools": 2, "current": True, "here": True}
    ]
    store = open_store(load_text(tmp_path, text), lambda _event, /, **_fields: None)
    for request in desk.requests():
        with store.open_content(request.spool_id, sha256=request.sha256) as stream:
            assert len(stream.read()) == request.size
    done = desk.ask("list")
    assert "current" in done.stdout
    told = desk.ask("rotate").stdout
    assert "0 wrapped anew, 2 were already" in told
    assert f"{second}: keep it" in told  # nobody takes it for the one to destroy


def test_damaged_keys_are_named_and_stop_no_other(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "key").rename(tmp_path / "before")
    make_master(str(tmp_path / "key"))
    text = desk.write("before")
    store = open_store(load_text(tmp_path, text), lambda _event, /, **_fields: None)
    bad, good = (request.spool_id for request in desk.requests())
    (root,) = roots_of(store)
    path = Path(os.fsdecode(root.keys.path(bad)))
    data = bytearray(path.read_bytes())
    data[150] ^= 1
    path.write_bytes(data)
    told = desk.json("rotate", code=EX_IOERR)
    assert told["wrapped"] == 1
    assert told["damaged"] == [{"root": 1, "spool": bad, "code": "keys.damaged"}]
    assert path.read_bytes() == data
    assert len(root.keys.masters()) == 2  # the old key is not forgotten
    root.verify(good)


def test_who_may_not_read_the_key_can_still_look(desk: Desk, tmp_path: Path) -> None:
    text = desk.write()
    configuration = load_text(tmp_path, text)
    (tmp_path / "key").unlink()
    store = open_store(configuration, lambda _event, /, **_fields: None)
    request = desk.requests()[0]
    assert store.verify(request.spool_id).content_sha256 == ""
    with pytest.raises(OperatorFault) as caught:
        store.open_content(request.spool_id)
    assert caught.value.code == "keys.none"
    with pytest.raises(OperatorFault) as caught:
        open_store(configuration, lambda _event, /, **_fields: None, must_have_keys=True)
    assert caught.value.code == "keys.master"
