"""``hotfolder verify`` at a terminal and in scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import (
    EX_IOERR,
    EX_NOINPUT,
    EX_NOPERM,
    EX_OK,
    EX_TEMPFAIL,
    EX_USAGE,
    OperatorFault,
)
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service import verifying
from hotfolder.service.cli import group
from tests.support.flow_world import World, content_of, sidecar_of
from tests.support.settings import sound_text


@dataclass
class Site:
    """Three delivered spools in a store with a copy, and the commands."""

    root: Path
    ids: list[str]

    def call(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, [*arguments, *config], standalone_mode=False)

    def ask(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        done = self.call("verify", "--json", *arguments)
        assert done.exception is None, done.exception
        return done.return_value, json.loads(done.stdout)

    def damage(self, spool_id: str, root: str = "store") -> Path:
        (place,) = (self.root / root).rglob(f"*{spool_id}")
        (path,) = (place / "v1" / "content").glob("*.txt")
        path.chmod(0o600)
        path.write_bytes(b"damaged")
        return path


@pytest.fixture
def site(tmp_path: Path) -> Site:
    world = World(root=tmp_path, copies=1)
    world.start()
    for key in "abc":
        content = content_of(key, "text")
        world.drop(content, sidecar_of(content), key)
    world.settle()
    ids = sorted(row.id for row in world.rows())
    world.stop()
    text = sound_text(tmp_path).replace(
        f'path = "{tmp_path}/store"\n',
        f'path = "{tmp_path}/store"\ncopies = ["{tmp_path}/copy0"]\n'
        "[verify]\narchivesspace_events = true\n",
    )
    (tmp_path / "hotfolder.toml").write_text(text)
    return Site(tmp_path, ids)


def test_a_whole_store_is_said_to_be_whole(site: Site) -> None:
    code, told = site.ask()
    assert code == EX_OK
    assert told["round"] == 1
    assert told["finished"] is True
    assert told["spools"] == 3
    assert told["damaged"] == []
    done = site.call("verify")
    assert done.return_value == EX_OK
    assert "3 spools verified" in done.stdout
    assert "all whole; round 2 is finished" in done.stdout
    journal = SqliteJournal(os.fsencode(site.root / "journal.db"))
    assert {item.event.event_type for item in journal.waiting_events()} == {"fixity_check"}
    journal.close()


def test_damage_is_named_and_mended(site: Site) -> None:
    path = site.damage(site.ids[1])
    code, told = site.ask()
    assert code == EX_IOERR
    assert told["damaged"] == [{"spool": site.ids[1], "root": 1, "outcome": "damaged"}]
    assert told["finished"] is True
    done = site.call("verify", "--all")
    assert done.return_value == EX_IOERR
    assert f"hotfolder verify --mend {site.ids[1][:16]}" in done.stdout
    status = json.loads(site.call("status", "--json").stdout)["fixity"]
    assert (status["not_whole"], status["never_verified"]) == (1, 0)
    assert "root 2 has it whole" in site.call("show", site.ids[1]).stdout

    code, mended = site.ask("--mend", site.ids[1])
    assert code == EX_OK
    assert mended == {"id": site.ids[1], "from": 2, "mended": [1], "state": "DELIVERED"}
    assert path.read_bytes() != b"damaged"
    assert "is whole in every root" in site.call("verify", "--mend", site.ids[1]).stdout
    assert site.ask("--spool", site.ids[1])[1]["damaged"] == []
    assert site.ask()[0] == EX_OK


def test_status_tells_of_rounds(site: Site) -> None:
    assert "the store was never verified" in site.call("status").stdout
    site.ask()
    text = site.call("status").stdout
    assert "(round 1)" in text
    assert "3 spools verified in the last 30 days" in text
    status = json.loads(site.call("status", "--json").stdout)["fixity"]
    assert status["last_round"]["number"] == 1
    assert status["last_round"]["objects"] == {"whole": 6, "unknown": 0}
    assert status["open_round"] is None
    assert status["verified_in_30_days"] == 3


def send_term() -> bool:
    os.kill(os.getpid(), signal.SIGTERM)
    return True


def test_a_signal_ends_it_and_the_next_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(verifying, "give_way", send_term)
        code, told = site.ask()
    assert (code, told["finished"], told["spools"]) == (EX_TEMPFAIL, False, 0)
    assert signal.getsignal(signal.SIGTERM) is handler
    assert "round 1 is under way" in site.call("status").stdout
    code, told = site.ask()
    assert (code, told["round"]) == (EX_OK, 1)


def test_no_time_left_is_not_finished(site: Site) -> None:
    done = site.call("verify", "--for", "0s")
    assert done.return_value == EX_TEMPFAIL
    assert "not finished" in done.stdout
    assert site.ask("--all", "--for", "2h")[1]["round"] == 2


@pytest.mark.parametrize("text", ["2", "2w", "-1h", "soon"])
def test_a_duration_is_a_number_and_a_unit(site: Site, text: str) -> None:
    done = site.call("verify", "--for", text)
    assert isinstance(done.exception, OperatorFault)
    assert done.exception.code == "verify.for"


def test_spools_can_be_chosen(site: Site) -> None:
    assert site.ask("--spool", site.ids[0])[1]["spools"] == 1
    assert site.ask("--since", "2020-01-01")[1]["spools"] == 3
    assert site.ask("--since", "2120-01-01")[1]["spools"] == 0
    assert site.ask("--folder", "statements")[1]["spools"] == 0
    unknown = site.call("verify", "--folder", "elsewhere").exception
    assert isinstance(unknown, OperatorFault)
    assert site.call("verify", "--spool", "ffffffff").return_value == EX_NOINPUT
    assert site.call("verify", "--mend", "ffffffff").return_value == EX_NOINPUT
    assert site.call("verify", "--all", "--folder", "statements").return_value == EX_USAGE


def test_one_at_a_time_and_beside_the_daemon(site: Site) -> None:
    journal = os.fsencode(site.root / "journal.db")
    daemon = acquire_daemon_lock(journal)
    other = acquire_daemon_lock(journal + b".verify")
    refused = site.call("verify").exception
    assert isinstance(refused, OperatorFault)
    assert refused.code == "verify.in_use"
    other.release()
    assert site.ask()[0] == EX_OK
    daemon.release()


def test_a_copy_that_is_not_mounted_is_no_damage(site: Site) -> None:
    (site.root / "copy0").rename(site.root / "away")
    for arguments in ([], ["--mend", site.ids[0]]):
        away = site.call("verify", *arguments).exception
        assert isinstance(away, OperatorFault)
        assert away.code == "verify.root"


def test_as_a_program_it_exits_with_what_it_found(site: Site) -> None:
    site.damage(site.ids[0], "copy0")
    done = subprocess.run(
        [sys.executable, "-m", "hotfolder", "verify", "--config", site.root / "hotfolder.toml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == EX_IOERR, done.stderr
    assert site.ids[0] in done.stdout
    assert "spools verified: 3 of 3" in done.stderr


def test_only_who_may_execute_discards(site: Site) -> None:
    config = site.root / "hotfolder.toml"
    plain = config.read_text()
    config.write_text(f'{plain}\n[roles]\nexecute = ["nobody-else"]\n')
    refused = site.call("discard", site.ids[0], "--reason", "sent again")
    assert isinstance(refused.exception, OperatorFault)
    assert refused.exception.exit_code == EX_NOPERM
    config.write_text(plain)
    assert site.call("discard", site.ids[0], "--reason", "sent again").return_value == EX_USAGE
