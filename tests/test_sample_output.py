"""sample_output/ shows what this hotfolder writes, byte for byte."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sample_output import TARGET

RENEW = "if this is meant: make sample-output, and read what changed"


def test_samples_are_what_is_written(tmp_path: Path) -> None:
    # A process of its own: the log is set up for a whole process.
    done = subprocess.run(
        [sys.executable, "-m", "tests.sample_output", str(tmp_path)],
        cwd=TARGET.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = _texts(tmp_path)
    kept = _texts(TARGET)
    kept.pop("README.md")
    assert sorted(made) == sorted(kept), RENEW
    for name, text in made.items():
        if text != kept[name]:
            lines = difflib.unified_diff(
                kept[name].splitlines(), text.splitlines(), "kept", "made", lineterm="", n=0
            )
            pytest.fail(f"{name} differs; {RENEW}\n" + "\n".join(list(lines)[:40]))


def test_every_sample_is_explained() -> None:
    told = (TARGET / "README.md").read_text()
    for name in _texts(TARGET):
        assert name == "README.md" or f"`{name}`" in told, name


def _texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }
