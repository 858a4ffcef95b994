"""Builds and runs ``floor.c``, beside which everything that takes files in is measured."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bench.common import Measured, run_child, settle_disk

ONE_BY_ONE = 0
TOGETHER = 256  # as many as hotfolder syncs together


def build_floor(place: Path) -> Path:
    """The program, compiled into ``place``. ``SystemExit`` without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("a C compiler and OpenSSL's headers are needed to measure the floor")
    program = place / "floor"
    source = Path(__file__).with_name("floor.c")
    subprocess.run([compiler, "-O2", "-o", program, source, "-lcrypto"], check=True)
    return program


def run_floor(program: Path, source: Path, target: Path, batch: int) -> Measured:
    """Copy every file of ``source`` into the new folder ``target``."""
    target.mkdir()
    settle_disk()
    return run_child([str(program), str(source), str(target), str(batch)])
