"""What the sweeps run and harm: a folder with drops, a server, and a process on them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hotfolder.sandbox.exstream import Expected, make_resent
from hotfolder.sandbox.sandbox import Sandbox
from hotfolder.sandbox.writers import put_file
from tests.support import forked
from tests.support.drop_mix import outputs_of, write_drops
from tests.support.line import RULES, build_line
from tests.support.outcome import check_outcome
from tests.support.serving import serving

ROOT = Path(__file__).parent.parent.parent
ENVIRON = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
SCENES = ("daemon", "line", "replay")
# No --seccomp-bpf: with it strace 6.1 does not inject at all.
STRACE = ("strace", "-f", "-qq")
_TIMEOUT = 240  # seconds for one run; the machine may be busy
_CALL = re.compile(r"^(\d+) +(\w+)\(")
_CONFIGURATION = """\
[archivesspace]
url = "{url}"
username = "admin"
password_file = "{root}/password"
[journal]
path = "{root}/journal.db"
[store]
path = "{store}"
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

    def __init__(
        self, name: str, root: Path, sandbox: Sandbox, *, store: Path | None = None
    ) -> None:
        self.name = name
        self.root = root
        self.store = store or root / "store"
        self.sandbox = sandbox
        (root / "hot").mkdir(exist_ok=True)
        self.expected: Sequence[Expected] = [*write_drops(root / "hot"), _resend(root / "hot")]
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
        line = build_line(self.root, self.sandbox.url, store=self.store)
        try:
            check_outcome(line, self.root, self.sandbox.url, self.expected)
        finally:
            line.works.close()

    def command(self, name: str, *, until_idle: bool = True) -> list[str]:
        """What is run."""
        if name == "daemon":
            run = [sys.executable, "-m", "hotfolder", "run", "--config"]
            return [*run, str(self.root / "hotfolder.toml"), *["--until-idle"][:until_idle]]
        command = [sys.executable, "-m", "tests.support.line", str(self.root), self.sandbox.url]
        command += ["--store", str(self.store)]
        return [*command, "--replay"] if name == "replay" else command

    def trace(self, *options: str) -> subprocess.CompletedProcess[str]:
        """One run under strace with these options."""
        return call(self.command(self.name), options)

    @contextmanager
    def daemon(self, *options: str) -> Iterator[RunningDaemon]:
        """``hotfolder run``, under strace if there are options for it."""
        command = self.command("daemon", until_idle=False)
        if options:
            # -D: the process that is started is the daemon, and strace stands aside.
            command = [*STRACE, "-D", *options, *command]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                command, cwd=ROOT, env=ENVIRON, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
            try:
                yield RunningDaemon(self, process, said.fileno())
            finally:
                process.kill()
                process.wait()

    def complete(self, name: str = "") -> None:
        """One run with nothing in its way, to the end."""
        done = call(self.command(name or self.name))
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
                store=self.store,
                retention="".join(_RETENTION.format(code=code) for code in codes),
            )
        )


class RunningDaemon:
    """A daemon on a scene: what it says, and whether it has done everything."""

    def __init__(self, scene: Scene, process: subprocess.Popen[bytes], said: int) -> None:
        self._scene = scene
        self._process = process
        self._said = said

    def text(self) -> str:
        """All that it has said."""
        return os.pread(self._said, 1 << 24, 0).decode(errors="replace")

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Its log, or the events of one name."""
        lines = [json.loads(line) for line in self.text().split("\n")[:-1] if line[:1] == "{"]
        return [line for line in lines if name in (None, line["event"])]

    def ended(self) -> int | None:
        """Its exit code, if it has ended."""
        return self._process.poll()

    def is_finished(self) -> bool:
        """Whether, from outside, everything has come to its end."""
        hot = self._scene.root / "hot"
        left = [path for path in hot.iterdir() if not path.name.startswith("_")]
        if left or not self.events() or any((hot / "_working").iterdir()):
            return False
        try:
            self._scene.check()
        except AssertionError:
            return False
        return True

    def wait_for(self, reached: Callable[[], bool]) -> None:
        """Wait for a state; ``AssertionError`` if it never comes."""
        limit = time.monotonic() + _TIMEOUT
        while not reached():
            assert time.monotonic() < limit, f"it does not come to its end: {self.text()}"
            time.sleep(0.3)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._process.wait(_TIMEOUT)


def _resend(hot: Path) -> Expected:
    """A duplicate of the first of the drops, under another name."""
    output = make_resent(outputs_of(1, 1)[0], b"resent.pdf")
    put_file(os.fsencode(hot), output.name, output.data)
    assert output.sidecar_name is not None
    put_file(os.fsencode(hot), output.sidecar_name, output.sidecar)
    return output.expected


def call(command: Sequence[str], strace: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """A process from its start to its end, under strace if there are options for it."""
    tracer = [*STRACE, *strace] if strace else ()
    return forked.run(command, cwd=ROOT, env=ENVIRON, timeout=_TIMEOUT, strace=tracer)


def can_trace() -> bool:
    """Whether strace is there and may trace."""
    strace = shutil.which("strace")
    if strace is None:
        return False
    probe = subprocess.run(
        [strace, "-o", "/dev/null", "true"], capture_output=True, check=False, timeout=_TIMEOUT
    )
    return probe.returncode == 0


def count_calls(name: str, calls: Sequence[str]) -> Mapping[str, int]:
    """``count_in`` a scene of its own."""
    with tempfile.TemporaryDirectory() as place, serving() as sandbox:
        return count_in(Scene(name, Path(place), sandbox), calls)


def count_in(scene: Scene, calls: Sequence[str]) -> Mapping[str, int]:
    """Run a scene to its end; how often each call is made, by the thread that makes it
    most."""
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


def add_copy(scene: Scene, more: str) -> None:
    """Configure a second copy of the store, ``second``, and what else is in ``more``."""
    config = scene.root / "hotfolder.toml"
    text = config.read_text()
    path = f'path = "{scene.store}"'
    assert path in text
    config.write_text(text.replace(path, f'{path}\ncopies = ["{scene.root}/second"]') + f"\n{more}")
