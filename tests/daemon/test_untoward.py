"""A folder that goes away, a replay that is interrupted, a log that is read by others."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from hotfolder.core.errors import EX_OK, EX_TEMPFAIL
from hotfolder.sandbox import Action, Fault
from tests.support.commands import ask, run
from tests.support.daemon import PATIENCE, Daemon
from tests.support.drop_mix import outputs_of
from tests.support.serving import log_in, server_documents, serving
from tests.sweeps.scenes import ROOT, Scene


def test_a_hot_folder_goes_away_and_comes_back(tmp_path: Path) -> None:
    with serving() as sandbox:
        daemon = Daemon(tmp_path, sandbox.url)
        with daemon.running():
            daemon.drop("first", "a.txt", customer_id="C-1")
            daemon.wait_for("spool.done")
            (tmp_path / "first").rename(tmp_path / "away")
            daemon.wait_for("folder.lost")
            (tmp_path / "first").mkdir()
            daemon.wait_for("folder.returned")
            daemon.drop("first", "b.txt", customer_id="C-2")
            daemon.wait_for("spool.done", 2)
            assert daemon.stop() == EX_OK
        assert len(server_documents(sandbox.url)) == 2


def test_a_replay_can_be_interrupted_and_begun_again(tmp_path: Path) -> None:
    with serving() as sandbox:
        older = str(tmp_path / "older.db")
        scene = Scene("daemon", tmp_path, sandbox)
        sandbox.snapshot(older)
        scene.complete()
        sandbox.restore(older)
        sandbox.faults.add(Fault(action=Action.DELAY, path="batch_imports", seconds=5, count=None))
        asked = len(sandbox.faults.seen())
        # A shell that runs the tests in the background has SIGINT ignored, for all of them.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        replay = subprocess.Popen(
            [
                *(sys.executable, "-m", "hotfolder", "replay"),
                *("--config", str(tmp_path / "hotfolder.toml")),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        signal.signal(signal.SIGINT, before)
        limit = time.monotonic() + PATIENCE
        while not any("batch_imports" in seen.path for seen in sandbox.faults.seen()[asked:]):
            assert time.monotonic() < limit
            time.sleep(0.05)
        replay.send_signal(signal.SIGINT)
        _, told = replay.communicate(timeout=PATIENCE)
        assert replay.returncode == EX_TEMPFAIL, told
        assert "interrupted" in told
        assert "Traceback" not in told
        sandbox.faults.clear()
        assert run(scene, "replay", "--verify").returncode == 0
        scene.check()
        assert ask(scene, "replay", "--verify")["units_lost"] == 0


def test_the_log_tells_no_customer_and_no_secret_at_any_level(tmp_path: Path) -> None:
    with serving() as sandbox:
        scene = Scene("daemon", tmp_path, sandbox)
        config = tmp_path / "hotfolder.toml"
        config.write_text(config.read_text() + '[log]\nlevel = "debug"\nformat = "json"\n')
        token = log_in(sandbox.url)
        done = run(scene, "run", "--until-idle")
        assert done.returncode == 0, done.stderr
        assert '"spool.done"' in done.stderr
        secrets = {token, "C0100000"}
        for output in outputs_of(1, 4):
            for name in ("customer_id", "customer_name", "account_number", "title", "address"):
                value = output.fields.get(name)
                if isinstance(value, str) and len(value) > 3:
                    secrets.add(value)
        assert len(secrets) > 6
        assert [value for value in secrets if value in done.stdout + done.stderr] == []
        assert "password" not in done.stderr
