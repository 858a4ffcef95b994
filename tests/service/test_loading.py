"""What few need is loaded when it is needed: a daemon that never splits a PDF by its text,
signs or draws, does not hold the libraries for it for years."""

from __future__ import annotations

import subprocess
import sys

LARGE = {"PIL", "cryptography", "pypdf", "pypdfium2", "reportlab"}


def test_the_daemon_starts_without_what_it_may_never_need() -> None:
    program = "import sys; import hotfolder.service.running; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    ).stdout.split()
    assert "hotfolder.flows.intake" in loaded
    assert LARGE.isdisjoint(loaded)
