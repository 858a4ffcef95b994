"""A child that dies like ``kill -9`` at a named point, and system calls that fail.

``run_python`` runs a program in a fresh interpreter; the program arms nothing itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import forked

KILLED = 137
_ROOT = Path(__file__).parent.parent.parent
_ARM = """
import os
from hotfolder.core import crashpoints
left = {occurrence}
def hook(name):
    global left
    if name == {point!r}:
        left -= 1
        if left == 0:
            os._exit(137)
crashpoints.arm(hook)
"""


def run_python(
    program: str,
    *arguments: str,
    crash_at: str = "",
    occurrence: int = 1,
    strace: list[str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``program``; with ``crash_at`` it exits 137 at that point."""
    armed = _ARM.format(point=crash_at, occurrence=occurrence) if crash_at else ""
    command = [sys.executable, "-c", armed + program, *arguments]
    environ = {**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return forked.run(command, cwd=_ROOT, env=environ, timeout=60, strace=strace or ())


def inject(calls: str, action: str, log: Path) -> list[str]:
    """The strace prefix that makes system calls fail; skips where tracing is denied."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    probe = subprocess.run(
        [strace, "-o", "/dev/null", "true"], capture_output=True, check=False, timeout=20
    )
    if probe.returncode != 0:
        pytest.skip("tracing is not allowed here")
    return [strace, "-f", "-qq", "-o", str(log), "-e", f"inject={calls}:{action}"]
