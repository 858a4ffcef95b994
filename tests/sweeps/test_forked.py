"""The process that forks programs tells of each of them, however soon it has ended."""

from __future__ import annotations

import fcntl
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.support import forked

DIES = "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); os._exit(137)"


def test_a_program_that_ended_before_anybody_listened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "pid"
    hear = forked._Parent._hear

    def hear_late(self: forked._Parent, timeout: float, what: str) -> int:
        sent = self._process.stdout
        assert sent is not None
        while not note.exists() or not note.read_text():
            time.sleep(0.01)
        expected = len(f"{note.read_text()}\n137\n")
        while not self._heard and waiting(sent.fileno()) < expected:
            time.sleep(0.01)
        return hear(self, timeout, what)

    monkeypatch.setattr(forked._Parent, "_hear", hear_late)
    for _ in range(2):
        note.unlink(missing_ok=True)
        ended = forked.run([sys.executable, "-c", DIES, str(note)], timeout=20)
        assert ended.returncode == 137


def waiting(pipe: int) -> int:
    """Bytes in a pipe, ioctl_tty(2), FIONREAD."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0])


def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run([sys.executable, "-c", "import time; time.sleep(600)"], timeout=1)
    assert forked.run([sys.executable, "-c", "print(1)"], timeout=60).stdout == "1\n"
