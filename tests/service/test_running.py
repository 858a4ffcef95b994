"""The daemon as systemd would run it: a process of its own, from start to stop."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_CONFIG, EX_OK
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox import Action, Fault
from tests.support.daemon import PATIENCE, Daemon
from tests.support.serving import server_documents, serving


def test_from_start_to_stop(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        with daemon.running():
            daemon.hear("WATCHDOG=1")
            daemon.drop("first", "a.txt")
            daemon.wait_for("spool.done")
            assert daemon.metric("hotfolder_done_spools_total") == 1
            assert daemon.metric("hotfolder_loop_beat_age_seconds") >= 0
            assert daemon.metric('hotfolder_folder_up{folder="first"}') == 1
            assert daemon.metric("hotfolder_archivesspace_up") in (0, 1)
            assert daemon.stop() == EX_OK
            daemon.hear("STOPPING=1")
        assert len(server_documents(sandbox.url)) == 1
        assert daemon.events()[-1]["event"] == "daemon.stopped"
        log = daemon.log_path.read_text()
    assert "4711" not in log
    assert "Mustermann" not in log
    assert "dropped" not in {key for line in daemon.events() for key in line}
    assert not list((tmp_path / "first" / "_working").iterdir())


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        with daemon.running() as process:
            second = subprocess.run(
                daemon.command("run"),
                env=daemon.environ,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            assert second.returncode == EX_CONFIG
            assert f"process {process.pid}".encode() in second.stderr
            assert daemon.stop() == EX_OK


def test_a_reload_takes_new_folders_and_refuses_faults(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        with daemon.running() as process:
            sound = daemon.config.read_text()
            daemon.config.write_text(sound + "[folders.second]\n")
            process.send_signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in daemon.hear("RELOADING=1")
            daemon.hear("READY=1")
            assert daemon.wait_for("configuration.refused")[0]["faults"] >= 2
            (tmp_path / "second").mkdir()
            daemon.config.write_text(
                sound
                + f'[folders.second]\npath = "{tmp_path}/second"\nbusiness_unit = "RETAIL"\n'
                + 'completion = { rule = "trigger" }\n'
            )
            process.send_signal(signal.SIGHUP)
            daemon.hear("READY=1")
            (reloaded,) = daemon.wait_for("configuration.reloaded")
            assert reloaded["folders"] == 2
            daemon.drop("first", "a.txt", customer_id="C-1")
            daemon.drop("second", "b.txt", customer_id="C-2")
            daemon.wait_for("spool.done", 2)
            assert daemon.stop() == EX_OK
        assert len(server_documents(sandbox.url)) == 2


def test_a_stop_does_not_wait_for_a_server_that_hangs(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url, stop_timeout=3)
        with daemon.running():
            sandbox.faults.add(
                Fault(action=Action.DELAY, path="batch_imports", seconds=150, count=None)
            )
            daemon.drop("first", "a.txt")
            deadline = time.monotonic() + PATIENCE
            while not any("batch_imports" in seen.path for seen in sandbox.faults.seen()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert daemon.stop() == EX_OK
        sandbox.faults.clear()


_HICCUP = """
import sys
from hotfolder.core.errors import Transient
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.cli import main

whole, left = SqliteJournal.status, [2]

def status(journal):
    if left[0]:
        left[0] -= 1
        raise Transient("the disk stutters", code="disk.io")
    return whole(journal)

SqliteJournal.status = status
main(sys.argv[1:])
"""


def test_a_journal_that_cannot_be_counted_does_not_end_the_daemon(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        daemon.program = [sys.executable, "-c", _HICCUP]
        with daemon.running():
            daemon.wait_for("loop.paused", 2)
            daemon.drop("first", "a.txt")
            daemon.wait_for("spool.done")
            assert daemon.stop() == EX_OK


def test_a_daemon_whose_standard_error_is_closed_runs(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        program = 'exec "$0" "$@" <&- >&- 2>&-'
        daemon.program = ["sh", "-c", program, sys.executable, "-m", "hotfolder"]
        with daemon.running():
            daemon.drop("first", "a.txt")
            deadline = time.monotonic() + PATIENCE
            while not list((tmp_path / "first").glob("_receipts/*")):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert daemon.stop() == EX_OK


_HANGING = """
import os, sys, time
from hotfolder.flows.intake import Intake
from hotfolder.service.cli import main

whole, root = Intake.claim, sys.argv.pop(1)

def claim(intake, drops, ids=None):
    while drops and os.path.exists(f"{root}/hang"):
        open(f"{root}/hangs", "w").close()
        time.sleep(0.05)
    return whole(intake, drops, ids)

Intake.claim = claim
main(sys.argv[1:])
"""


def test_a_reload_waits_for_a_folder_that_hangs_and_nothing_else_does(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url, stop_timeout=2)
        daemon.program = [sys.executable, "-c", _HANGING, str(tmp_path)]
        (tmp_path / "hang").touch()
        with daemon.running() as process:
            daemon.drop("first", "a.txt", customer_id="C-1")
            deadline = time.monotonic() + PATIENCE
            while not (tmp_path / "hangs").exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            daemon.config.write_text(daemon.config.read_text() + "rescan = 55\n")
            process.send_signal(signal.SIGHUP)
            daemon.hear("RELOADING=1")
            heard = [daemon.hear("")]
            while heard[-1] != "READY=1":
                heard.append(daemon.hear(""))
            assert "WATCHDOG=1" in heard, "the watchdog would end a daemon that waits"
            assert daemon.wait_for("loop.late")[0]["loops"] == "folder:first"
            daemon.wait_for("configuration.reloaded")
            (tmp_path / "hang").unlink()
            daemon.wait_for("spool.done")
            daemon.drop("first", "b.txt", customer_id="C-2")
            daemon.wait_for("spool.done", 2)
            assert daemon.stop() == EX_OK
        assert not daemon.events("spool.abandoned"), "two loops of one folder"
        assert len(server_documents(sandbox.url)) == 2


def test_it_starts_without_a_server_and_delivers_later(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        sandbox.stop()
        with daemon.running():
            daemon.drop("first", "a.txt")
            daemon.wait_for("spool.stored")
            daemon.wait_for("server.lost")
            sandbox.start()
            daemon.wait_for("spool.done")
            assert daemon.stop() == EX_OK
        assert len(server_documents(sandbox.url)) == 1


def test_what_waits_for_a_folder_that_is_not_configured_is_no_work(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        sandbox.stop()
        with daemon.running():
            daemon.drop("first", "a.txt")
            daemon.wait_for("spool.stored")
            assert daemon.stop() == EX_OK
        (tmp_path / "second").mkdir()
        daemon.config.write_text(
            daemon.config.read_text()
            .replace("[folders.first]", "[folders.second]")
            .replace(f"{tmp_path}/first", f"{tmp_path}/second")
        )
        sandbox.start()
        idle = subprocess.run(
            [*daemon.command("run"), "--until-idle"],
            env=daemon.environ, capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert idle.returncode == EX_OK
        assert b"folder.missing" in idle.stderr
        assert len(server_documents(sandbox.url)) == 1


def test_in_the_background_it_does_the_same(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        pid_path = tmp_path / "run.pid"
        started = subprocess.run(
            [
                *daemon.command("run", "--background"),
                "--pid-file",
                str(pid_path),
                "--log-file",
                str(daemon.log_path),
            ],
            env=daemon.environ,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        daemon.listener.close()
        assert (started.returncode, started.stderr) == (0, b"")
        deadline = time.monotonic() + PATIENCE
        while not daemon.log_path.exists() or not daemon.events("daemon.started"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        pid = int(pid_path.read_text())
        try:
            daemon.drop("first", "a.txt")
            daemon.wait_for("spool.done")
        finally:
            os.kill(pid, signal.SIGTERM)
        daemon.wait_for("daemon.stopped")
        while pid_path.exists():
            assert time.monotonic() < deadline + PATIENCE
            time.sleep(0.05)
        assert len(server_documents(sandbox.url)) == 1


@pytest.mark.parametrize("edit", ["relative", "unknown"])
def test_a_faulty_configuration_is_told_and_exits_78(tmp_path: Path, edit: str) -> None:
    daemon = Daemon(tmp_path, "http://127.0.0.1:1")
    daemon.listener.close()
    text = daemon.config.read_text()
    daemon.config.write_text(
        text.replace(f'"{tmp_path}/first"', '"first"') if edit == "relative" else text + "[x]\n"
    )
    done = subprocess.run(
        daemon.command("run", "--json"),
        env=daemon.environ,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == EX_CONFIG
    assert len(json.loads(done.stdout)["faults"]) == 1


def test_the_governance_file_in_force_is_on_the_audit_chain(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        file = tmp_path / "governance.toml"
        file.write_text('[[rules]]\nname = "names"\nrequire = ["title", "policy_number"]\n')
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        plain = daemon.config.read_text()
        daemon.config.write_text(f'{plain}[governance]\nfile = "{file}"\n')
        with daemon.running() as process:
            daemon.drop("first", "a.txt")
            daemon.wait_for("spool.rejected")
            told = _note(tmp_path / "first" / "_failed")
            assert "rule 'names': title is missing" in told
            assert "rule 'names': policy_number is missing" in told
            # Another rule waits for a restart.
            file.write_text('[[rules]]\nname = "names"\nrequire = ["title"]\n')
            process.send_signal(signal.SIGHUP)
            assert "restart" in daemon.wait_for("configuration.refused")[0]["error"]
            assert daemon.stop() == EX_OK
        for _ in range(2):  # the second time nothing is new
            idle = [*daemon.command("run"), "--until-idle"]
            subprocess.run(idle, env=daemon.environ, capture_output=True, check=True)
    journal = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    try:
        links = [item.details for item in journal.audit_of(["governance"])]
    finally:
        journal.close()
    assert [item["sha256"] for item in links] == [
        digest,
        hashlib.sha256(file.read_bytes()).hexdigest(),
    ]
    assert links[1]["before"] == digest


def _note(failed: Path) -> str:
    """The error note, which is written after the rejection is journalled."""
    deadline = time.monotonic() + PATIENCE
    while not (notes := list(failed.rglob("*.ERROR.txt"))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return notes[0].read_text()
