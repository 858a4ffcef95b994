"""``hotfolder demo-migration``: an old archive of several thousand documents is moved in.

Exports of four kinds are made by the sandbox's generator, with trouble in them. A daemon
runs as a process of its own and goes on taking what is dropped into a hot folder, while
each export is planned, moved in and reconciled by the commands that an operator gives.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import click

from hotfolder.core.errors import EX_OK, EX_SOFTWARE
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.configuration import REPOSITORIES, demo_configuration, hot_folders
from hotfolder.sandbox.legacy import KINDS, Expected, legacy_tables, make_export, write_export
from hotfolder.sandbox.sandbox import Sandbox
from hotfolder.service.demonstration import prepare_place, running_daemon, stop_daemon
from hotfolder.service.dispute import make_key
from hotfolder.service.terminal import print_json, print_table

# Documents of each kind; those of loads are described by their spools.
COUNTS: Mapping[str, int] = {"folder": 400, "cmod": 2_400, "csv": 400, "sip": 300}
_PASSWORD = "admin"  # noqa: S105  the sandbox's own, on loopback
_UNIT = 200


def run_demo(place: Path, *, seed: int, scale: float, as_json: bool) -> int:
    """Run it under ``place``; 0 only if every item became what it must and the proofs say
    so."""
    began = time.monotonic()
    root = prepare_place(place)
    for kind in KINDS:
        (root / "inbox" / kind).mkdir(parents=True)
    for path in hot_folders(str(root)).values():
        os.makedirs(path)
    secret = root / "password"
    secret.write_text(_PASSWORD)
    secret.chmod(0o600)
    config = root / "hotfolder.toml"

    def say(text: str) -> None:
        if not as_json:
            click.echo(text)

    expected: dict[str, Expected] = {}
    for kind in KINDS:
        export = make_export(kind, seed, max(12, round(COUNTS[kind] * scale)))
        write_export(export, str(root / "export" / kind))
        expected[kind] = export.expected
        files = len(export.files)
        say(f"{root / 'export' / kind}: {export.documents:,} documents in {files:,} files")
    with Sandbox(state_path=str(root / "sandbox.db")) as sandbox:
        for code, title in REPOSITORIES.items():
            sandbox.add_repository(code, title)
        config.write_text(
            demo_configuration(
                str(root),
                sandbox.url,
                password_file=str(secret),
                signing_key=str(make_key(root)),
                unit_size=_UNIT,
                log_format="json",
            )
            + "\n"
            + legacy_tables(str(root / "export"), str(root / "inbox"))
        )
        say(f"A sandbox ArchivesSpace listens at {sandbox.url} (for trying out, no archive).")
        with running_daemon(config, root / "hotfolder.log") as daemon:
            say(f"The daemon runs (process {daemon.pid}); its log is {root / 'hotfolder.log'}")
            results = {kind: _move(config, root, kind, say) for kind in KINDS}
            stopped = stop_daemon(daemon)
    wrong = [kind for kind in KINDS if not _is_right(root, kind, results[kind], expected[kind])]
    ok = not wrong and stopped == EX_OK
    _tell(root, config, results, expected, ok, time.monotonic() - began, as_json=as_json)
    return EX_OK if ok else EX_SOFTWARE


def _move(config: Path, root: Path, kind: str, say: Any) -> dict[str, Any]:
    """Plan, run, reconcile, as an operator does; what each of them printed."""
    found: dict[str, Any] = {}
    for step, more in (
        ("plan", ("--html", str(root / f"plan-{kind}.html"))),
        ("run", ()),
        ("reconcile", ("--report", str(root / f"proof-{kind}.json"),
                       "--html", str(root / f"proof-{kind}.html"))),
    ):  # fmt: skip
        began = time.monotonic()
        code, found[step] = _give(root / f"{step}-{kind}.log", "migrate", step, kind,
                                  "--config", str(config), "--json", *more)  # fmt: skip
        say(f"hotfolder migrate {step} {kind}: exit {code}, {time.monotonic() - began:.1f} s")
    return found


def _give(log: Path, *arguments: str) -> tuple[int, Any]:
    """A command in this process, with its log in a file: its exit code and what it printed."""
    from hotfolder.service.cli import group  # noqa: PLC0415  which has this command too

    told = io.StringIO()
    with log.open("w") as stream, redirect_stdout(told), redirect_stderr(stream):
        code = group.main(arguments, prog_name="hotfolder", standalone_mode=False)
    return code, json.loads(told.getvalue() or "{}")


def _is_right(root: Path, kind: str, found: Mapping[str, Any], expected: Expected) -> bool:
    """Whether every item became what the generator says, and the proof says so too."""
    statement = found["reconcile"].get("statement", {})
    if not statement.get("proven") or found["reconcile"].get("signature") is None:
        return False
    journal = SqliteJournal(os.fsencode(root / "journal.db"))
    try:
        became = dict(journal.migration_counts(kind).items)
    finally:
        journal.close()
    reasons: Mapping[str, int] = statement["rejected_by_reason"]
    return became == dict(expected.outcomes) and dict(reasons) == dict(expected.reasons)


def _tell(
    root: Path,
    config: Path,
    results: Mapping[str, Mapping[str, Any]],
    expected: Mapping[str, Expected],
    ok: bool,
    seconds: float,
    *,
    as_json: bool,
) -> None:
    rows = []
    for kind in KINDS:
        statement = results[kind]["reconcile"].get("statement", {})
        outcomes = statement.get("outcomes", {})
        rows.append(
            {
                "export": kind,
                "items": statement.get("source", {}).get("items", 0),
                "documents": statement.get("source", {}).get("documents", 0),
                **{
                    name: outcomes.get(name, {}).get("items", 0)
                    for name in ("archived", "duplicate", "rejected")
                },
                "expected": dict(expected[kind].outcomes),
                "proven": bool(statement.get("proven")),
            }
        )
    if as_json:
        print_json({"ok": ok, "seconds": round(seconds, 1), "exports": rows, "root": str(root)})
        return
    headers = ("export", "items", "documents", "archived", "duplicate", "rejected", "proven")
    print_table("", headers, [tuple(row[name] for name in headers) for row in rows])
    total = sum(row["documents"] for row in rows)
    click.echo(f"{total:,} documents in {seconds:.0f} s; the exports are as they were.")
    click.echo(f"Look around: hotfolder migrate status --config {config}")
    click.echo(f"The proofs: {root}/proof-*.json and .html, signed; the plans: plan-*.html")
    if ok:
        click.echo("Every item of the old archive is accounted for.")
