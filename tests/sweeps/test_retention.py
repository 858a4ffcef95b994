"""Dates are computed anew by a process that is killed at every statement and named point."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

from hotfolder.core.clocks import NewEvent
from hotfolder.core.crashpoints import RETENTION_POINTS
from hotfolder.core.records import DocumentMetadata
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger, Subject, decide
from hotfolder.journal.journal import SqliteJournal
from tests.support import forked
from tests.support.journals import confirm, make_document, plan, store

_DOCUMENTS = 5
_CHILD = """
import os, sys
from hotfolder.core import crashpoints
from hotfolder.flows.retention import Retaining
from hotfolder.journal.journal import SqliteJournal
from tests.support.flow_world import FixedClock
from tests.sweeps.test_retention import SCHEDULE

path, lives, point = sys.argv[1], int(sys.argv[2]), sys.argv[3]
journal = SqliteJournal(os.fsencode(path))
count = 0
def die(what):
    global count
    if point and what != point:
        return
    count += 1
    if count == lives:
        os._exit(9)
if point:
    crashpoints.arm(die)
else:
    journal._db._writer.set_trace_callback(die)
retaining = Retaining(
    journal=journal, schedule=SCHEDULE, clock=FixedClock(), emit=lambda *a, **k: None, page=2
)
retaining.adopt()
while retaining.step() == 0.0:
    pass
"""
SCHEDULE = {
    "POL": RetentionClass(
        code="POL",
        title="Policies",
        trigger=RetentionTrigger.EVENT,
        event="contract-end",
        period=Period(years=10),
    )
}
ENDED = date(2026, 3, 31)


def make_journal(path: Path) -> list[str]:
    """Documents of one policy that ArchivesSpace has, and the end of their contract."""
    journal = SqliteJournal(os.fsencode(path))
    identities = []
    for number in range(1, _DOCUMENTS + 1):
        metadata = DocumentMetadata(
            retention_class="POL", policy_number="P-77", issue_date=date(2020, 1, number)
        )
        document = replace(make_document(f"k{number}", metadata=metadata), class_version=1)
        store(journal, number, document)
        identities.append(document.identity)
    confirm(journal, plan(journal))
    event = NewEvent(
        kind=Subject.POLICY, subject="P-77", event="contract-end", day=ENDED, actor="me"
    )
    journal.record_events([event], 9)
    journal.close()
    return identities


def run(path: Path, lives: int, point: str) -> int:
    child = [sys.executable, "-c", _CHILD, str(path), str(lives), point]
    return forked.run(child, cwd=forked.ROOT).returncode


def judge(path: Path, identities: list[str]) -> None:
    journal = SqliteJournal(os.fsencode(path))
    for identity in identities:
        found = journal.retained_document(identity)
        assert found is not None
        said = decide(found.facts, SCHEDULE, found.events)
        assert said.retain_until == date(2036, 3, 31)
        assert (found.version, found.cutoff, found.retain_until) == (1, ENDED, said.retain_until)
        changes = [change.field for change in journal.retention_changes(identity)]
        assert sorted(changes) == ["cutoff", "retain_until"]
    assert journal.retention_backlog() == 0
    told = [row for row in journal.audit() if row.action == "retention.changed"]
    assert [row.details["documents"] for row in told] == [_DOCUMENTS]
    journal.verify_chain()
    assert journal.check() == []
    journal.close()
    conn = sqlite3.connect(path)
    bodies = conn.execute("SELECT body FROM updates ORDER BY document").fetchall()
    conn.close()
    assert [json.loads(body)["retain_until"] for (body,) in bodies] == ["2036-03-31"] * _DOCUMENTS


def sweep(folder: Path, point: str, step: int = 1) -> int:
    """Each kill on a journal of its own, then once more without; how many were killed."""
    kills = 0
    while True:
        path = folder / f"{point or 'statement'}-{kills}.db"
        identities = make_journal(path)
        killed = run(path, 1 + kills * step, point) == 9
        assert run(path, 0, "") == 0
        judge(path, identities)
        if not killed:
            return kills
        kills += 1


def test_killed_at_every_named_point(tmp_path: Path) -> None:
    for point in RETENTION_POINTS:
        assert sweep(tmp_path, point) >= 1


def test_killed_between_statements(tmp_path: Path) -> None:
    assert sweep(tmp_path, "", step=29) > 2
