"""``hotfolder demo``: the main job for real, on an embedded default.

A sandbox on loopback, a daemon as a process of its own, and Exstream's output written
into five hot folders while it runs. In the middle the sandbox goes down and comes back.
At the end every file is accounted for, one customer of a run of hundreds is read back,
a dispute is settled with evidence that checks itself, a hold has stopped a disposal, and a
template has its versions; or the exit code says that it is not so.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hotfolder.core.errors import EX_OK, EX_SOFTWARE, OperatorFault
from hotfolder.core.lifecycle import OPEN_SPOOL_STATES
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.configuration import (
    REPOSITORIES,
    demo_configuration,
    hot_folders,
    template_folder,
)
from hotfolder.sandbox.sandbox import Sandbox
from hotfolder.sandbox.scenario import DemoScenario
from hotfolder.service.accounting import (
    account,
    count_outcomes,
    read_back,
    show_accounts,
    show_read_back,
)
from hotfolder.service.demokeeping import keep, show_kept
from hotfolder.service.dispute import make_key, settle_dispute, show_dispute
from hotfolder.service.parts import SystemClock
from hotfolder.service.terminal import Progress, print_json

_MARK = ".hotfolder-demo"
_PATIENCE = 90.0  # seconds after the last file was written
_PASSWORD = "admin"  # noqa: S105  the sandbox's own, on loopback


def run_demo(place: Path, *, seed: int, scale: float, as_json: bool) -> int:
    """Run the demonstration under ``place``; 0 only if every file is accounted for."""
    root = prepare_place(place)
    scenario = DemoScenario(seed, scale)
    folders = hot_folders(str(root))
    for folder in folders.values():
        os.makedirs(folder)
    os.makedirs(template_folder(str(root)))
    staging = root / "exstream-staging"
    staging.mkdir()
    secret = root / "password"
    secret.write_text(_PASSWORD)
    secret.chmod(0o600)
    config = root / "hotfolder.toml"

    def say(text: str) -> None:
        if not as_json:
            click.echo(text)

    with Sandbox(state_path=str(root / "sandbox.db")) as sandbox:
        for code, title in REPOSITORIES.items():
            sandbox.add_repository(code, title)
        config.write_text(
            demo_configuration(
                str(root),
                sandbox.url,
                password_file=str(secret),
                signing_key=str(make_key(root)),
                log_format="json",
                templates=True,
            )
        )
        say(f"A sandbox ArchivesSpace listens at {sandbox.url} (for trying out, no archive).")
        with running_daemon(config, root / "hotfolder.log") as daemon:
            say(f"The daemon runs (process {daemon.pid}); its log is {root / 'hotfolder.log'}")
            _play(scenario, folders, staging, sandbox, root, say, as_json=as_json)
            # Before anything is destroyed: what was has no name any more.
            accounts = account(root, scenario)
            kept = keep(root, config, say)
            stopped = stop_daemon(daemon)
        say("A customer disputes a letter: it is found, given back and proved.")
        dispute = settle_dispute(root, config)
    wrong = [item for item in accounts if not item.right]
    totals = count_outcomes(accounts)
    found = read_back(root, scenario.wanted)
    ok = not wrong and stopped == 0 and found != "" and not (dispute.failed or kept.failed)
    if as_json:
        print_json(
            {
                "ok": ok,
                "read_back": found,
                "dispute": {"document": dispute.identity, "failed": dispute.failed},
                "keeping": asdict(kept),
                "daemon_exit_code": stopped,
                "totals": totals,
                "files": [
                    {
                        "folder": item.folder,
                        "name": item.name,
                        "expected": item.expected,
                        "became": item.became,
                        "reason": item.reason,
                    }
                    for item in accounts
                ],
                "root": str(root),
            }
        )
    else:
        show_accounts(root, config, accounts, totals, stopped)
        show_read_back(scenario.wanted, found, config)
        show_dispute(root, config, dispute)
        show_kept(root, config, kept)
        if ok:
            click.echo(f"All {totals['seen']} files are accounted for.")
    return EX_OK if ok else EX_SOFTWARE


def prepare_place(place: Path) -> Path:
    """An empty folder; an earlier demonstration is replaced, nothing else ever."""
    root = place.resolve()
    if root.exists() and any(root.iterdir()):
        if not (root / _MARK).exists():
            raise OperatorFault(
                f"{root} is not empty and no earlier demonstration",
                hint="name another folder with --keep",
                code="demo.place",
            )
        # The store is read-only on purpose; an owner may still remove it.
        for folder, _, _ in os.walk(root / "store"):
            os.chmod(folder, 0o700)
        shutil.rmtree(root)
    root.mkdir(parents=True, exist_ok=True)
    (root / _MARK).touch()
    return root


@contextmanager
def running_daemon(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon as a process of its own, watching already; killed if it still runs at the end."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("HOTFOLDER_")
    }
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "hotfolder", "run", "--config", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=environment,
        )
        try:
            _await_start(process, log)
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _await_start(process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the daemon watches: what was written before it would be taken as a backlog."""
    deadline = time.monotonic() + _PATIENCE
    while b"daemon.started" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise OperatorFault("the daemon did not start", hint=f"see {log}", code="demo.daemon")
        time.sleep(0.05)


def stop_daemon(daemon: subprocess.Popen[bytes]) -> int:
    """SIGTERM, as systemd would; the daemon's exit code."""
    if daemon.poll() is None:
        daemon.send_signal(signal.SIGTERM)
    return daemon.wait(timeout=90)


def _play(
    scenario: DemoScenario,
    folders: Mapping[str, bytes],
    staging: Path,
    sandbox: Sandbox,
    root: Path,
    say: Any,
    *,
    as_json: bool,
) -> None:
    """Write everything, with the outage, and wait until all of it is dealt with. What ends the
    writing too early is raised."""
    seen = scenario.totals().seen
    written: Future[None] = Future()

    def go_down() -> None:
        sandbox.stop()
        say("The sandbox is down. Intake goes on; delivery waits.")

    def come_back() -> None:
        sandbox.start()
        say("The sandbox is back. Delivery resumes by itself.")

    def write() -> None:
        try:
            scenario.play(
                folders,
                staging=os.fsencode(staging),
                clock=SystemClock(),
                wait=time.sleep,
                actions=[(scenario.down_at, go_down), (scenario.up_at, come_back)],
            )
        except BaseException as error:  # noqa: BLE001  raised where it is waited for
            written.set_exception(error)
        else:
            written.set_result(None)

    writer = threading.Thread(target=write, name="exstream", daemon=True)
    writer.start()
    deadline = None
    with Progress("files dealt with", as_json=as_json) as progress:
        while True:
            time.sleep(0.5)
            dealt = _count_dealt(root)
            progress.reached(dealt, seen)
            if written.done():
                written.result()
                deadline = deadline or time.monotonic() + _PATIENCE
                if dealt >= seen or time.monotonic() > deadline:
                    break
    writer.join()


def _count_dealt(root: Path) -> int:
    """How many spools have come to an end."""
    path = root / "journal.db"
    if not path.exists():
        return 0
    journal = SqliteJournal(os.fsencode(path))
    try:
        spools = journal.status().spools
    finally:
        journal.close()
    waiting = {str(state) for state in OPEN_SPOOL_STATES} | {"ABANDONED"}
    return sum(count for state, count in spools.items() if state not in waiting)
