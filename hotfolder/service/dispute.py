"""The demo's dispute: found by its reference, given back, proved, and the proof verified.

Everything is done by the commands that a case worker would give, and the proof is checked
by the program in the bag, which knows nothing of hotfolder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

REFERENCE = "DISPUTE-2026-10001"
_REASON = f"the customer disputes what was sent, {REFERENCE}"
_FOLDER = "dispute"
_TIME_LIMIT = 120.0  # seconds for one command
# The demonstration plays a second person: really, nobody can choose who they are.
_AS = (
    "import sys; from hotfolder.service import actor; user = sys.argv.pop(1);"
    " actor.actor = lambda: user; from hotfolder.service.cli import main; main()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """How it went; ``failed`` is the step that did not do what it should, in words."""

    documents: int = 0
    identity: str = ""
    checks: tuple[str, ...] = ()  # what verify.py says that it checked
    failed: str = ""


def make_key(root: Path) -> Path:
    """The key that signs the demo's audit chain. Raises ``CalledProcessError``."""
    path = root / "audit-signing-key"
    run_command("audit", "make-key", str(path))
    return path


def settle_dispute(root: Path, config: Path) -> Dispute:
    """From the reference of the dispute to verified evidence, under ``root``."""
    folder = root / _FOLDER
    try:
        found = _ask(config, "case", REFERENCE)
        identity = str(found["documents"][0]["identity"])
        _ask(config, "retrieve", identity, "--out", str(folder), "--reason", _REASON)
        bag = folder / "evidence.zip"
        _ask(config, "evidence", identity, "--out", str(bag))
        checks = _verify(folder, bag)
    except subprocess.CalledProcessError as error:
        words = str(error.stderr or error.stdout).strip()
        return Dispute(failed=f"{' '.join(map(str, error.cmd[3:5]))}: {words}")
    return Dispute(documents=len(found["documents"]), identity=identity, checks=checks)


def _verify(folder: Path, bag: Path) -> tuple[str, ...]:
    """Let the bag's own program check the bag, without site packages."""
    with zipfile.ZipFile(bag) as stored:
        name = next(item for item in stored.namelist() if item.endswith("verify.py"))
        program = folder / "verify.py"
        program.write_bytes(stored.read(name))
    done = subprocess.run(
        [sys.executable, "-I", str(program), str(bag)],
        capture_output=True,
        text=True,
        check=True,
        timeout=_TIME_LIMIT,
    )
    return tuple(line for line in done.stdout.splitlines() if line)


def _ask(config: Path, *arguments: str) -> Any:
    return json.loads(run_command(*arguments, "--json", config=config))


def run_command(*arguments: str, config: Path | None = None, user: str = "") -> str:
    """What a command of hotfolder prints; as ``user``, if one is named, whom the
    demonstration plays. Raises ``CalledProcessError``."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("HOTFOLDER_")
    }
    named = [] if config is None else ["--config", str(config)]
    return subprocess.run(
        [sys.executable, *(("-c", _AS, user) if user else ("-m", "hotfolder")), *arguments, *named],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=_TIME_LIMIT,
        env=environment,
    ).stdout


def show_dispute(root: Path, config: Path, dispute: Dispute) -> None:
    """Say how it went, and how to do it again."""
    if dispute.failed:
        click.echo(f"The dispute {REFERENCE} was NOT settled: {dispute.failed}")
        return
    program, where = os.path.relpath(sys.argv[0]), os.path.relpath(config)
    folder = os.path.relpath(root / _FOLDER)
    click.echo(
        f"A dispute, {REFERENCE}: {dispute.documents} document found, given back with its"
        " metadata, and proved. The bag's own program, which needs nothing but Python, says:"
    )
    for line in dispute.checks:
        click.echo(f"  {line}")
    click.echo(f"  {program} case {REFERENCE} --config {where}")
    click.echo(f"  python3 -I {folder}/verify.py {folder}/evidence.zip")
