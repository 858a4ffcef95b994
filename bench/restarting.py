"""A real daemon for ``bench_restart``: started, listened to, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.common import ROOT, own_peak

PATIENCE = 900.0
_LOOK = 0.02  # seconds between looks at metrics and log
# Nobody listens on port 9: the server is away, and intake goes on.
_CONFIGURATION = """\
[archivesspace]
url = "http://127.0.0.1:9"
username = "admin"
[journal]
path = "{root}/journal.db"
[store]
path = "{root}/store"
[metrics]
port = {port}
[retention.FIN-7Y]
title = "FIN-7Y"
trigger = "issue_date"
period = "P7Y"
[retention.POL-10Y]
title = "POL-10Y"
trigger = "issue_date"
period = "P10Y"
[retention.REG-PERM]
title = "REG-PERM"
trigger = "permanent"
[retention.CORR-6Y]
title = "CORR-6Y"
trigger = "issue_date"
period = "P6Y"
[units.retail]
name = "Retail"
repository = "RETAIL"
[series.ALL]
title = "Everything"
document_types = ["statement", "bill", "policy", "notice", "letter"]
[folders.statements]
path = "{root}/hot"
business_unit = "retail"
completion = {{ rule = "quiet", quiet = {quiet}, looks = 1 }}
"""


class Daemon:
    """``hotfolder run`` in ``root``, with its hot folder ``root/hot``."""

    def __init__(self, root: Path, *, quiet: float) -> None:
        self.root = root
        self._config = root / "hotfolder.toml"
        self._log = root / "hotfolder.log"
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self._port = int(found.getsockname()[1])
        (root / "hot").mkdir(exist_ok=True)
        credentials = root / "credentials"
        credentials.mkdir()
        (credentials / "archivesspace-password").write_text("admin\n", encoding="ascii")
        self._environ = {
            **os.environ,
            "CREDENTIALS_DIRECTORY": str(credentials),
            "HOTFOLDER_CONFIG": str(self._config),
        }
        self._config.write_text(
            _CONFIGURATION.format(root=root, port=self._port, quiet=quiet), encoding="ascii"
        )
        self.started = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> list[str]:
        """A command line of hotfolder."""
        return [sys.executable, "-m", "hotfolder", *arguments]

    def time_command(self, *arguments: str) -> tuple[float, bytes]:
        """How long a command takes, and what it says. It must succeed."""
        began = time.monotonic()
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            check=True,
        )
        return time.monotonic() - began, done.stdout

    @contextmanager
    def running(self) -> Iterator[float]:
        """Started, and ready after so many seconds; killed at the end if it still runs."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind("")  # Linux gives it an abstract name
            listener.settimeout(PATIENCE)
            address = "@" + listener.getsockname()[1:].decode()
            with self._log.open("ab") as log:
                self.started = time.monotonic()
                process = subprocess.Popen(
                    self.command("run"),
                    cwd=ROOT,
                    env={**self._environ, "NOTIFY_SOCKET": address},
                    stdin=subprocess.DEVNULL,
                    stderr=log,
                )
            try:
                self.process = process
                while not listener.recv(4096).startswith(b"READY=1"):
                    pass
                ready = time.monotonic() - self.started
                listener.close()
                yield ready
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()

    def peak(self) -> int:
        """Peak resident bytes so far."""
        assert self.process is not None
        return own_peak(self.process.pid)

    def wait_for_metric(self, name: str, least: float) -> float:
        """Seconds from the start until the sum of a metric is at least so much."""
        return self._wait(lambda: self._metric(name) >= least, f"{name} of {least:g}")

    def wait_for_event(self, name: str) -> float:
        """Seconds from the start until the log first has an event."""
        wanted = json.dumps({"event": name})[1:-1].encode()
        return self._wait(lambda: wanted in self._log.read_bytes(), name)

    def stop(self) -> float:
        """Seconds that a clean end takes."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(PATIENCE) != 0:
            raise SystemExit("the daemon did not end well")
        return time.monotonic() - began

    def _metric(self, name: str) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def _wait(self, found: Callable[[], bool], what: str) -> float:
        assert self.process is not None
        while not found():
            if self.process.poll() is not None:
                raise SystemExit(f"the daemon ended: {self._log.read_text()[-2000:]}")
            if time.monotonic() - self.started > PATIENCE:
                raise SystemExit(f"no {what} within {PATIENCE:g} s")
            time.sleep(_LOOK)
        return time.monotonic() - self.started
