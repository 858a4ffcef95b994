"""The demo's old letters and its template: how long, may it go, and what made it.

Two letters of 2012 are past their time. A list of both is proposed and approved; then a
hold is placed on one, and what is executed is the other alone. The hold is released, the
second goes too, and each has its certificate. The template has three versions, and the
statements of the demo say that they were made with the second.

Everything is done by the commands that people would give, beside the running daemon.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from hotfolder.core.errors import EX_NOINPUT, EX_UNAVAILABLE
from hotfolder.sandbox.scenario import OLD_CUSTOMERS
from hotfolder.service.dispute import run_command

TEMPLATE = "STMT_MAIN"
_VERSIONS = (
    ("4.1", "", "2024-01-01", "the first that is kept here"),
    ("4.2", "4.1", "2025-01-01", "interest is shown by month"),
    ("4.3", "4.2", "2026-10-01", "the new address"),
)
_RECORDS_MANAGER = "records-manager"
_PATIENCE = 60.0  # seconds


class _WrongError(Exception):
    """Something was not as it should be; says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How it went; ``failed`` says in words what did not do what it should."""

    stopped: str = ""  # the identity that a hold kept
    hold: str = ""
    disposals: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    version: str = ""  # of the template, in force in the middle of 2026
    made_with: int = 0  # documents of the second version
    failed: str = ""


def keep(root: Path, config: Path, say: Callable[[str], None]) -> Kept:
    """Templates, then disposal, with the commands; the daemon runs beside them. ``say`` is
    told what comes next."""
    try:
        say("A template arrives in three versions.")
        version, made_with = _keep_templates(root, config)
        say("Two letters are past their time: a hold, a disposal, a release, another disposal.")
        return _dispose(root, config, version, made_with)
    except subprocess.CalledProcessError as error:
        words = str(error.stderr or error.stdout).strip()
        return Kept(failed=f"{' '.join(map(str, error.cmd[3:6]))}: {words}")
    except _WrongError as error:
        return Kept(failed=str(error))


# -- templates ----------------------------------------------------------------------------
def _keep_templates(root: Path, config: Path) -> tuple[str, int]:
    folder = root / "exstream" / "templates"
    for number, (version, parent, start, note) in enumerate(_VERSIONS):
        data = _package(version, parent, start, note)
        part = folder / f".{version}.part"
        part.write_bytes(data)
        part.rename(folder / f"{TEMPLATE}-{version}.zip")
        _await(config, number + 1)
    day = "2026-06-30"
    told = _ask(config, "templates", "in-force", TEMPLATE, "--on", day)
    documents = _ask(config, "templates", "documents", TEMPLATE, "4.2", "--count")
    return str(told["in_force"]["version"]), int(documents["count"])


def _await(config: Path, versions: int) -> None:
    """Until so many versions are archived."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if _count_versions(config) == versions:
            return
        time.sleep(0.5)
    raise _WrongError(f"version {versions} of the template was not archived")


def _count_versions(config: Path) -> int:
    try:
        return len(_ask(config, "templates", "list")["templates"][0]["versions"])
    except subprocess.CalledProcessError as error:
        if error.returncode == EX_NOINPUT:  # none yet
            return 0
        raise


def _package(version: str, parent: str, start: str, note: str) -> bytes:
    """A template package, the same for the same version."""
    manifest = {
        "format": "hotfolder-template/1",
        "name": TEMPLATE,
        "version": version,
        **({"parent": parent} if parent else {}),
        "title": f"Account statement {version}",
        "effective_from": start,
        "author": "Ada Okafor",
        "change_note": note,
        "retention_class": "REG-PERM",
        "approvals": [
            {"person": "Jana Ito", "role": "legal", "date": start, "decision": "approved"}
        ],
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, text in (
            ("manifest.json", json.dumps(manifest, indent=1)),
            ("statement.txt", f"Account statement, layout {version}\nDear {{customer}}\n"),
        ):
            package.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


# -- disposal -----------------------------------------------------------------------------
def _dispose(root: Path, config: Path, version: str, made_with: int) -> Kept:
    due = _ask(config, "disposal", "due")["documents"]
    if len(due) != len(OLD_CUSTOMERS):
        raise _WrongError(f"{len(due)} documents are due instead of {len(OLD_CUSTOMERS)}")
    first = _approved(config)
    placed = _ask(
        config, "holds", "place", "--customer", OLD_CUSTOMERS[0], "--matter", "Doe v. Bank",
        "--reason", "an action is threatened",
    )  # fmt: skip
    hold = str(placed["id"])
    _execute(config, first)
    (kept,) = _ask(config, "disposal", "due")["documents"]
    if kept["standing"] != "held":
        raise _WrongError(f"the held letter is {kept['standing']}")
    _ask(config, "holds", "release", hold, "--reason", "settled")
    second = _approved(config)
    _execute(config, second)
    _refused(config, str(kept["identity"]))
    folder = root / "certificates-for-audit"
    folder.mkdir()
    for disposal in (first, second):
        run_command("disposal", "certificate", disposal, "--to", str(folder), config=config)
    return Kept(
        stopped=str(kept["identity"]),
        hold=hold,
        disposals=(first, second),
        certificates=tuple(sorted(os.listdir(folder))),
        version=version,
        made_with=made_with,
    )


def _approved(config: Path) -> str:
    """A list of what may go, approved by another person than proposed it."""
    (row,) = _ask(config, "disposal", "propose", "--reason", "yearly disposal")
    _ask(config, "disposal", "approve", row["id"], "--authority", "schedule CORR-6Y", user=True)
    return str(row["id"])


def _execute(config: Path, disposal: str) -> None:
    row = _ask(config, "disposal", "execute", disposal)
    if row["state"] != "DONE" or row["outcomes"].get("destroyed") != 1:
        raise _WrongError(f"{disposal} is {row['state']} with {row['outcomes']}")


def _refused(config: Path, identity: str) -> None:
    """What was destroyed is given to nobody."""
    try:
        run_command("show", identity, "--json", config=config)
        run_command("retrieve", identity, "--out", os.devnull, config=config)
    except subprocess.CalledProcessError as error:
        if error.returncode == EX_UNAVAILABLE:
            return
        raise
    raise _WrongError(f"{identity} was given back after its destruction")


def _ask(config: Path, *arguments: str, user: bool = False) -> Any:
    name = _RECORDS_MANAGER if user else ""
    return json.loads(run_command(*arguments, "--json", config=config, user=name))


def show_kept(root: Path, config: Path, kept: Kept) -> None:
    """Say how it went, and how to look at it."""
    if kept.failed:
        click.echo(f"Retention, disposal and templates were NOT as they should: {kept.failed}")
        return
    program, where = os.path.relpath(sys.argv[0]), os.path.relpath(config)
    click.echo(
        f"Two letters of 2012 were past their time. {kept.hold} stopped the disposal of one,"
        " was released, and both are destroyed and certified:"
    )
    for name in kept.certificates:
        click.echo(f"  {os.path.relpath(root / 'certificates-for-audit' / name)}")
    click.echo(
        f"Of {TEMPLATE} there are {len(_VERSIONS)} versions; {kept.version} was in force on"
        f" 30 June 2026, and {kept.made_with} statements and bills were made with 4.2."
    )
    click.echo(f"  {program} disposal show {kept.disposals[0]} --config {where}")
    click.echo(f"  {program} templates history {TEMPLATE} --config {where}")
