"""Running in the background: detached for real, stopped by SIGTERM, found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hotfolder.core.errors import OperatorFault
from hotfolder.service.background import PidFile, run_in_background

_PROGRAM = """
import os, signal, sys, threading
from hotfolder.service.background import run_in_background

pid, log, facts, mode = sys.argv[1:]
stopped = threading.Event()

def run():
    if mode == "fail":
        return 70
    if mode == "raise":
        raise RuntimeError("it broke")
    if mode != "early":
        signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    print("to standard output", flush=True)
    print("to standard error", file=sys.stderr, flush=True)
    with open(facts + ".part", "w") as stream:
        print(os.getpid(), os.getppid(), os.getsid(0), os.getcwd(), oct(os.umask(0o077)),
              os.path.realpath("/proc/self/fd/0"), file=stream)
    os.rename(facts + ".part", facts)
    while not stopped.wait(1):
        pass
    return 0

code = run_in_background(pid, log, run)
with open(facts + ".code", "w") as stream:
    stream.write(str(code))
sys.exit(code)
"""


class Background:
    """A program that detaches, in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.pid_path = root / "run.pid"
        self.log_path = root / "run.log"
        self.facts_path = root / "facts"
        self.code_path = root / "facts.code"

    def start(self, mode: str = "", *, stdin: bool = True) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [
                *([] if stdin else ["/bin/sh", "-c", 'exec "$@" <&-', "sh"]),
                sys.executable,
                "-c",
                _PROGRAM,
                str(self.pid_path),
                str(self.log_path),
                str(self.facts_path),
                mode,
            ],
            capture_output=True,
            timeout=60,
            check=False,
        )

    def wait_for(self, path: Path) -> str:
        deadline = time.monotonic() + 60
        while not path.exists() or not path.read_text():
            assert time.monotonic() < deadline, f"{path} never came"
            time.sleep(0.02)
        return path.read_text()

    def pid(self) -> int:
        return int(self.wait_for(self.pid_path))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        pid = self.pid()
        os.kill(pid, number)
        deadline = time.monotonic() + 60
        while _runs(pid):
            assert time.monotonic() < deadline, "it does not stop"
            time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether the process lives; one that nobody has reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Background]:
    found = Background(tmp_path)
    yield found
    if found.pid_path.exists() and found.pid_path.read_text():
        with suppress(ProcessLookupError):
            os.kill(int(found.pid_path.read_text()), signal.SIGKILL)


def test_it_detaches_and_stops_with_exit_code_0(background: Background) -> None:
    started = background.start()
    assert (started.returncode, started.stdout, started.stderr) == (0, b"", b"")
    facts = background.wait_for(background.facts_path).split()
    assert int(facts[0]) == background.pid()
    assert int(facts[2]) not in (os.getsid(0), int(facts[0]))  # a session of its own, not led
    assert facts[3:] == ["/", "0o27", "/dev/null"]
    background.stop()
    assert background.wait_for(background.code_path) == "0"
    assert not background.pid_path.exists()
    log = background.log_path.read_text().splitlines()
    assert sorted(log) == ["to standard error", "to standard output"]
    assert background.log_path.stat().st_mode & 0o777 == 0o640


def test_a_stop_before_the_handlers_are_in_place_is_clean(background: Background) -> None:
    background.start("early")
    background.wait_for(background.facts_path)
    background.stop()
    assert not background.pid_path.exists()
    assert "Traceback" not in background.log_path.read_text()


def test_a_hangup_does_not_end_it(background: Background) -> None:
    background.start()
    background.wait_for(background.facts_path)
    os.kill(background.pid(), signal.SIGHUP)
    background.stop()
    assert background.wait_for(background.code_path) == "0"


def test_the_exit_code_is_that_of_the_run(background: Background) -> None:
    assert background.start("fail").returncode == 0  # it was started all right
    assert background.wait_for(background.code_path) == "70"
    assert not background.pid_path.exists()


def test_an_error_is_in_the_log(background: Background) -> None:
    background.start("raise")
    deadline = time.monotonic() + 60
    while "it broke" not in (
        background.log_path.read_text() if background.log_path.exists() else ""
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_one_is_refused_in_the_foreground(background: Background) -> None:
    background.start()
    background.wait_for(background.facts_path)
    pid = background.pid()
    second = background.start()
    assert second.returncode != 0
    assert f"process {pid}".encode() in second.stderr
    assert background.pid() == pid
    background.stop()


def test_after_a_kill_the_next_start_works(background: Background) -> None:
    background.start()
    background.wait_for(background.facts_path)
    first = background.pid()
    background.stop(signal.SIGKILL)
    assert background.pid_path.exists()  # a crash leaves it behind
    background.facts_path.unlink()
    assert background.start().returncode == 0
    assert int(background.wait_for(background.facts_path).split()[0]) != first
    background.stop()


def test_a_stale_file_with_the_id_of_a_living_stranger_does_not_count(
    background: Background,
) -> None:
    background.pid_path.write_text(f"{os.getpid()}\n")
    assert background.start().returncode == 0
    assert int(background.wait_for(background.facts_path).split()[0]) == background.pid()
    background.stop()


def test_a_closed_standard_input_does_not_matter(background: Background) -> None:
    assert background.start(stdin=False).returncode == 0
    background.wait_for(background.facts_path)
    background.stop()


def test_what_cannot_be_written_is_told_before_detaching(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault, match="--log-file"):
        run_in_background(str(tmp_path / "pid"), str(tmp_path / "no" / "log"), lambda: 0)
    with pytest.raises(OperatorFault, match="--pid-file"):
        run_in_background(str(tmp_path / "no" / "pid"), str(tmp_path / "log"), lambda: 0)


def test_a_link_is_no_pid_file(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "pid").symlink_to(target)
    with pytest.raises(OperatorFault):
        PidFile(str(tmp_path / "pid")).check_free()
    assert target.read_text() == "precious"


def test_a_pid_file_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with PidFile(str(path)):
        assert path.read_text() == f"{os.getpid()}\n"
        with pytest.raises(OperatorFault, match="runs already"):
            PidFile(str(path)).check_free()
    assert not path.exists()
