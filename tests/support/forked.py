"""Programs of the tests, forked from a process that has imported them already.

``run`` does what ``subprocess.run([sys.executable, "-m" | "-c", ...])`` does, in a process
of its own that can be killed like any other, without the second of imports that a fresh
interpreter takes. With ``strace`` the process is traced from when its imports are done: they
write nothing. Where strace may not attach, it is started with a fresh interpreter in it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import random
import runpy
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

ROOT = Path(__file__).parent.parent.parent
_IMPORTED = (
    "hotfolder.service.cli",
    "hotfolder.service.composition",
    "hotfolder.service.running",
    "hotfolder.service.supervisor",
    "tests.support.line",
    "tests.support.outward",
    "tests.support.feedback",
    "tests.support.disposal",
    "tests.support.templates",
)
# prctl(2), PR_SET_PTRACER, PR_SET_PTRACER_ANY: without it Yama lets parents trace alone.
_LET_TRACE = "import ctypes; ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0)"
_idle: list[_Parent] = []
_lock = Lock()


def run(
    command: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
    strace: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m MODULE`` or ``python -c PROGRAM`` to its end; ``strace`` is that
    program with its options."""
    assert command[0] == sys.executable
    assert command[1] in ("-m", "-c")
    if strace and not _can_attach():
        return _start([*strace, *command], cwd, env, timeout)
    with _lock:
        parent = _idle.pop() if _idle else _Parent()
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place) / "out", Path(place) / "err"
        code = parent.run(
            {
                "how": command[1],
                "what": command[2],
                "arguments": list(command[3:]),
                "cwd": str(cwd or os.getcwd()),
                "env": dict(os.environ if env is None else env),
                "traced": bool(strace),
                "files": [str(out), str(err)],
            },
            timeout,
            strace,
        )
        with _lock:
            _idle.append(parent)
        return subprocess.CompletedProcess(list(command), code, out.read_text(), err.read_text())


def _start(
    command: Sequence[str],
    cwd: Path | str | None,
    env: Mapping[str, str] | None,
    timeout: float,
) -> subprocess.CompletedProcess[str]:
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            # The whole group: what strace runs goes on without it.
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)


@cache
def _can_attach() -> bool:
    """Whether strace may be attached to a process that is not its child."""
    with subprocess.Popen([sys.executable, "-c", f"{_LET_TRACE}; input()"],
                          stdin=subprocess.PIPE) as probe:  # fmt: skip
        with _tracing(probe.pid, ("strace", "-qq", "-o", os.devnull)) as attached:
            probe.communicate(b"\n")
        return attached


@contextmanager
def _tracing(pid: int, strace: Sequence[str]) -> Iterator[bool]:
    """strace on a process; whether it is there. Waits for its end, which is that of the
    process."""
    with subprocess.Popen([*strace, "-p", str(pid)], start_new_session=True) as tracer:
        while (tracing := _status(pid, "TracerPid")) == "0" and tracer.poll() is None:
            time.sleep(0.002)
        yield tracing != "0"


def _status(pid: int, field: str) -> str:
    """A field of proc(5), ``/proc/pid/status``."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
        return next(line.split()[1] for line in lines if line.startswith(f"{field}:"))


class _Parent:
    """A process that forks one program after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forked"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._heard = b""

    def run(self, request: Mapping[str, Any], timeout: float, strace: Sequence[str]) -> int:
        process = self._process
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        pid = self._hear(timeout, str(request["what"]))
        if not strace:
            return self._hear(timeout, str(request["what"]))
        while _status(pid, "State") not in "Tt":
            time.sleep(0.002)
        with _tracing(pid, strace) as attached:
            os.kill(pid, signal.SIGCONT if attached else signal.SIGKILL)
            code = self._hear(timeout, str(request["what"]))
        assert attached, "strace could be attached before"
        return code

    def _hear(self, timeout: float, what: str) -> int:
        """The next number. A program that has ended at once has sent both numbers before the
        first is asked for: what was read too far is kept, as no selector would tell of it."""
        process = self._process
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._heard:
                if not selector.select(timeout):
                    os.killpg(process.pid, signal.SIGKILL)
                    process.communicate()
                    raise subprocess.TimeoutExpired(what, timeout)
                more = os.read(process.stdout.fileno(), 64)
                assert more, "the process that forks has ended"
                self._heard += more
        line, self._heard = self._heard.split(b"\n", 1)
        return int(line)

    def close(self) -> None:
        self._process.communicate()


@atexit.register
def _close() -> None:
    while _idle:
        _idle.pop().close()


# -- the other side ---------------------------------------------------------------------------
def _serve() -> dict[str, Any] | None:
    """Fork a child for each request: in the child, what it asks for; None at the end."""
    replies = os.dup(1)
    os.dup2(2, 1)
    while line := sys.stdin.buffer.readline():
        child = os.fork()
        if child == 0:
            os.close(replies)
            found: dict[str, Any] = json.loads(line)
            return found
        os.write(replies, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(replies, b"%d\n" % os.waitstatus_to_exitcode(status))
    return None


def _become(request: Mapping[str, Any]) -> None:
    """As if this process had been started with it."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    for number, name in enumerate(request["files"], 1):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["env"])
    # Read at the start of an interpreter. What it writes is none of the program's calls.
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    os.chdir(request["cwd"])
    random.seed()
    if request["traced"]:
        exec(_LET_TRACE)
        os.kill(os.getpid(), signal.SIGSTOP)
    if request["how"] == "-m":
        sys.argv = [request["what"], *request["arguments"]]
        with warnings.catch_warnings():
            # It was imported before it is run; that is the point.
            warnings.filterwarnings("ignore", "'.*' found in sys.modules", RuntimeWarning)
            runpy.run_module(request["what"], run_name="__main__", alter_sys=True)
    else:
        sys.argv = ["-c", *request["arguments"]]
        names = {"__name__": "__main__", "__builtins__": __builtins__}
        exec(compile(request["what"], "<program>", "exec"), names)


if __name__ == "__main__":
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    if (wanted := _serve()) is not None:
        _become(wanted)
