"""The command line as a person or a script uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hotfolder.sandbox.exstream import Outcome
from tests.sweeps.scenes import Scene, call


def run(scene: Scene, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``hotfolder`` with the scene's configuration."""
    config = str(scene.root / "hotfolder.toml")
    return call([sys.executable, "-m", "hotfolder", *arguments, "--config", config])


def ask(scene: Scene, *arguments: str, code: int = 0) -> Any:
    """The answer to a command with ``--json``: one value, and nothing else."""
    done = run(scene, *arguments, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def spool_ids(scene: Scene, state: str) -> list[str]:
    """The spools in a state, oldest first."""
    rows = ask(scene, "list", "--state", state, "--oldest-first")
    return [row["id"] for row in rows]


def hot(scene: Scene) -> Path:
    """The scene's hot folder."""
    return scene.root / "hot"


def expected_states(scene: Scene) -> dict[str, int]:
    """How many spools end in which state."""
    states = {Outcome.REJECTED: "REJECTED", Outcome.DUPLICATE: "DUPLICATE"}
    return dict(Counter(states.get(item.outcome, "DONE") for item in scene.expected))
