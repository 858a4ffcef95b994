"""What the sweeps run and harm: a folder with drops, a server, and a process on them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from hotfolder.sandbox.exstream import Expected
from hotfolder.sandbox.sandbox import Sandbox
from hotfolder.sandbox.writers import put_file
from tests.support.drop_mix import write_drops
from tests.support.line import RULES, build_line
from tests.support.outcome import check_outcome
from tests.support.serving import serving

ROOT = Path(__file__).parent.parent.parent
SCENES = ("daemon", "line", "replay")
_TIMEOUT = 120
_CALL = re.compile(r"^(\d+) +(\w+)\(")
_CONFIGURATION = """\
[archivesspace]
url = "{url}"
username = "admin"
password_file = "{root}/password"
[journal]
path = "{root}/journal.db"
[store]
path = "{root}/store"
[metrics]
port = 0
[units.RETAIL]
name = "Retail"
repository = "RETAIL"
[series.STMT]
title = "Statements"
document_types = ["statement", "bill"]
key = ["customer_id", "document_type", "issue_date"]
[series.LETT]
title = "Letters and policies"
document_types = ["policy", "notice", "letter"]
key = ["customer_id", "document_type", "issue_date"]
{retention}
[folders.hot]
path = "{root}/hot"
business_unit = "RETAIL"
completion = {{ rule = "trigger", sidecar_wait = 0.5 }}
"""
_RETENTION = '[retention.{code}]\ntitle = "{code}"\ntrigger = "issue_date"\nperiod = "P7Y"\n'


class Scene:
    """A folder, a server, and what is run on them."""

    def __init__(self, name: str, root: Path, sandbox: Sandbox) -> None:
        self.name = name
        self.root = root
        self.sandbox = sandbox
        (root / "hot").mkdir()
        self.expected: Sequence[Expected] = write_drops(root / "hot")
        if name == "daemon":
            self._configure()
            for item in self.expected:
                put_file(os.fsencode(root / "hot"), item.name + b".done", b"")
        if name == "replay":
            older = str(root / "older.db")
            sandbox.snapshot(older)
            self.complete("line")
            sandbox.restore(older)

    def check(self) -> None:
        """Everything once, and in its place."""
        line = build_line(self.root, self.sandbox.url)
        try:
            check_outcome(line, self.root, self.sandbox.url, self.expected)
        finally:
            line.works.close()

    def _command(self, name: str) -> list[str]:
        if name == "daemon":
            config = str(self.root / "hotfolder.toml")
            return [sys.executable, "-m", "hotfolder", "run", "--until-idle", "--config", config]
        command = [sys.executable, "-m", "tests.support.line", str(self.root), self.sandbox.url]
        return [*command, "--replay"] if name == "replay" else command

    def trace(self, *options: str) -> subprocess.CompletedProcess[str]:
        """One run under strace with these options."""
        # No --seccomp-bpf: with it strace 6.1 does not inject at all.
        strace = ["strace", "-f", "-qq", *options]
        return call([*strace, *self._command(self.name)])

    def complete(self, name: str = "") -> None:
        """One run with nothing in its way, to the end."""
        done = call(self._command(name or self.name))
        assert done.returncode == 0, done.stdout + done.stderr

    def _configure(self) -> None:
        secret = self.root / "password"
        secret.write_text("admin")
        secret.chmod(0o600)
        codes = sorted(RULES.retention_classes)
        (self.root / "hotfolder.toml").write_text(
            _CONFIGURATION.format(
                url=self.sandbox.url,
                root=self.root,
                retention="".join(_RETENTION.format(code=code) for code in codes),
            )
        )


def call(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A process from its start to its end."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )


def can_trace() -> bool:
    """Whether strace is there and may trace."""
    strace = shutil.which("strace")
    return strace is not None and call([strace, "-o", "/dev/null", "true"]).returncode == 0


def count_calls(name: str, calls: Sequence[str]) -> Mapping[str, int]:
    """Run a scene of its own to the end; how often each call is made, by the thread
    that makes it most."""
    with tempfile.TemporaryDirectory() as place, serving() as sandbox:
        scene = Scene(name, Path(place), sandbox)
        log = scene.root / "trace"
        done = scene.trace("-o", str(log), "-e", f"trace={','.join(calls)}")
        assert done.returncode == 0, done.stdout + done.stderr
        counted: Counter[tuple[str, str]] = Counter()
        for line in log.read_text(errors="replace").splitlines():
            if found := _CALL.match(line):
                counted[found[2], found[1]] += 1
        scene.check()
    return {
        call: max((count for (name, _), count in counted.items() if name == call), default=0)
        for call in calls
    }


def explain(error: BaseException) -> str:
    """What was wrong, and which line says so."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{error or type(error).__name__} [{Path(frame.filename).name}: {frame.line}]"
