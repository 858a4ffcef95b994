"""A daemon in a process of its own, with its notifications and its log."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 60.0
_SIDECAR = {
    "customer_id": "C-4711-SECRET",
    "customer_name": "Erika Mustermann",
    "account_number": "A-1",
    "document_type": "statement",
    "issue_date": "2026-06-30",
    "channel": "print",
}
_CONFIGURATION = """\
[archivesspace]
url = "{url}"
username = "admin"
read_timeout = 200
connect_timeout = 5
[journal]
path = "{root}/journal.db"
[store]
path = "{root}/store"
[metrics]
port = {port}
[service]
stop_timeout = {stop_timeout}
[units.RETAIL]
name = "Retail"
repository = "RETAIL"
[series.STMT]
title = "Statements"
document_types = ["statement"]
[folders.first]
path = "{root}/first"
business_unit = "RETAIL"
completion = {{ rule = "trigger" }}
"""


class Daemon:
    """One daemon, its configuration and its hot folder ``first``."""

    def __init__(self, root: Path, url: str, *, stop_timeout: float = 30) -> None:
        self.root = root
        self.config = root / "hotfolder.toml"
        self.log_path = root / "hotfolder.log"
        self.port = _free_port()
        (root / "first").mkdir()
        credentials = root / "credentials"
        credentials.mkdir()
        (credentials / "archivesspace-password").write_text("admin\n")
        self.config.write_text(
            _CONFIGURATION.format(url=url, root=root, port=self.port, stop_timeout=stop_timeout)
        )
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.listener.bind("")
        self.listener.settimeout(PATIENCE)
        self.environ = {
            **os.environ,
            "NOTIFY_SOCKET": "@" + self.listener.getsockname()[1:].decode(),
            "CREDENTIALS_DIRECTORY": str(credentials),
            "PYTHONFAULTHANDLER": "1",
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.program = [sys.executable, "-m", "hotfolder"]

    def command(self, *arguments: str) -> list[str]:
        return [*self.program, *arguments, "--config", str(self.config)]

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(
                self.command("run"), stdin=subprocess.DEVNULL, stderr=log, env=self.environ
            )
        try:
            self.process = process
            self.hear("READY=1")
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            self.listener.close()

    def hear(self, message: str) -> str:
        """Wait for a notification that begins like this; watchdog pings pass by."""
        while True:
            heard = self.listener.recv(4096).decode()
            if heard.startswith(message):
                return heard

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log_path.read_text().splitlines()]
        return [line for line in lines if name in (None, line["event"])]

    def wait_for(self, event: str, times: int = 1) -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE
        while len(found := self.events(event)) < times:
            assert time.monotonic() < deadline, self.log_path.read_text()
            time.sleep(0.05)
        return found

    def drop(self, folder: str, name: str, content: bytes = b"plain text\n", **fields: str) -> None:
        place = self.root / folder
        (place / name).write_bytes(content)
        (place / f"{name}.json").write_text(json.dumps({**_SIDECAR, **fields}))
        (place / f"{name}.done").touch()

    def stop(self) -> int:
        """Its exit code; a test in which it does not end fails with what its threads did."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(self.log_path.read_text()) from None

    def metric(self, name: str) -> float:
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
