"""What became of the demo's files: against what was expected, and for people to read."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import SpoolRow
from hotfolder.flows.retrieve import retrieve
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.exstream import Expected, Outcome
from hotfolder.sandbox.scenario import FOLDERS, DemoScenario, Wanted
from hotfolder.service.parts import SystemClock
from hotfolder.service.terminal import print_table
from hotfolder.store.ocfl import OcflStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of one file."""

    folder: str
    name: str
    expected: str
    became: str
    reason: str
    expected_reason: str = ""
    spool: str = ""

    @property
    def right(self) -> bool:
        """Whether it became what it should, for the reason that it should."""
        return (self.expected, self.expected_reason) == (self.became, self.reason)


def account(root: Path, scenario: DemoScenario) -> list[Account]:
    """Every drop of the scenario against what the journal says became of it."""
    journal = SqliteJournal(os.fsencode(root / "journal.db"))
    try:
        rows = [
            row
            for row in journal.spools([], limit=100_000)
            if row.state != "ABANDONED" and row.folder in FOLDERS
        ]
        became = {row.id: _outcome(journal, row) for row in rows}
    finally:
        journal.close()
    left = list(rows)
    accounts: list[Account] = []
    for step in scenario.steps:
        expected = step.output.expected
        row = _match(left, step.folder, expected)
        if row is not None:
            left.remove(row)
        accounts.append(
            Account(
                folder=step.folder,
                name=expected.name.decode("utf-8", "backslashreplace"),
                expected=str(expected.outcome),
                became=became[row.id] if row is not None else "not seen",
                reason=", ".join(fault.code for fault in row.faults) if row is not None else "",
                expected_reason=", ".join(expected.reason_codes),
                spool=row.id if row is not None else "",
            )
        )
    accounts += [
        Account(
            folder=row.folder,
            name=row.name.decode("utf-8", "backslashreplace"),
            expected="nothing",
            became=became[row.id],
            reason=", ".join(fault.code for fault in row.faults),
        )
        for row in left
    ]
    return accounts


def _match(rows: list[SpoolRow], folder: str, expected: Expected) -> SpoolRow | None:
    """The row of a drop: same folder and name, and the same bytes where they were read."""
    for row in rows:
        same_bytes = row.sha256 == expected.sha256 or (
            row.sha256 is None and row.size == expected.size
        )
        if row.folder == folder and row.name == expected.name and same_bytes:
            return row
    return None


def _outcome(journal: SqliteJournal, row: SpoolRow) -> str:
    if row.state is SpoolState.DUPLICATE:
        return str(Outcome.DUPLICATE)
    if row.state is SpoolState.REJECTED:
        return str(Outcome.REJECTED)
    if row.state is not SpoolState.DONE:
        return str(row.state)
    documents = journal.documents_of(row.id)
    newer = any(item.document.version > 1 for item in documents)
    return str(Outcome.VERSION if newer else Outcome.ARCHIVED)


def count_outcomes(accounts: list[Account]) -> dict[str, int]:
    """How many files there were, and of each outcome."""
    counted = Counter(item.became for item in accounts)
    names = ("archived", "duplicate", "version", "rejected")
    others = {name: count for name, count in counted.items() if name not in names}
    return {"seen": len(accounts), **{name: counted[name] for name in names}, **others}


def show_accounts(
    root: Path, config: Path, accounts: list[Account], totals: dict[str, int], stopped: int
) -> None:
    """Tables for a person, and what to try next."""
    print_table("What became of them", ("outcome", "files"), list(totals.items()))
    print_table(
        "Rejected, and why",
        ("hot folder", "file", "reason"),
        [(item.folder, item.name, item.reason) for item in accounts if item.became == "rejected"],
    )
    wrong = [item for item in accounts if not item.right]
    if wrong:
        print_table(
            "NOT AS EXPECTED",
            ("hot folder", "file", "expected", "became", "reason"),
            [(item.folder, item.name, item.expected, item.became, item.reason) for item in wrong],
        )
    if stopped:
        click.echo(f"The daemon ended with exit code {stopped}.")
    click.echo("Where everything lies:")
    for what, where in (
        ("configuration", config),
        ("journal", root / "journal.db"),
        ("store (OCFL)", root / "store"),
        ("receipts", root / "exstream" / "*" / "_receipts"),
        ("rejected, with notes", root / "exstream" / "*" / "_failed"),
        ("the daemon's log", root / "hotfolder.log"),
    ):
        click.echo(f"  {what:<22}{where}")
    program = os.path.relpath(sys.argv[0])
    told = next((item.spool for item in accounts if item.became == "version"), "")
    click.echo("Three commands to try next:")
    for command in ("status", "list --state REJECTED", f"show {told[:16]}"):
        click.echo(f"  {program} {command} --config {os.path.relpath(config)}")


def read_back(root: Path, wanted: Wanted) -> str:
    """The identity of the document of one customer of the run, if its bytes are those
    that were composed; else empty."""
    journal = SqliteJournal(os.fsencode(root / "journal.db"))
    try:
        store = OcflStore(os.fsencode(root / "store"), clock=SystemClock())
        query = DocumentQuery(customer_id=wanted.customer_id, document_type="statement")
        for row in journal.find_documents(query, limit=100):
            with retrieve(journal, store, row.document.identity) as found:
                if b"".join(found.pieces) == wanted.data:
                    return row.document.identity
    finally:
        journal.close()
    return ""


def show_read_back(wanted: Wanted, found: str, config: Path) -> None:
    """Say whether the customer of the run was read back, and how to do it again."""
    program, where = os.path.relpath(sys.argv[0]), os.path.relpath(config)
    if found:
        click.echo(
            f"Of {wanted.customers} customers in one spool, {wanted.customer_id} was found and"
            f" read back: {len(wanted.data):,} bytes, as they were sent."
        )
        click.echo(f"  {program} retrieve {found} --as alone -o statement.afp --config {where}")
    else:
        click.echo(f"Customer {wanted.customer_id} of the run was NOT read back.")
