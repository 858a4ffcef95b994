"""Holds are placed and released by a process that is killed at statements, and judged after
the next has finished them."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import pytest

from hotfolder.core.holds import Criteria, HoldPhase
from hotfolder.core.records import DocumentMetadata
from hotfolder.flows.holding import Holding, hold_id_of
from hotfolder.journal.holding import holds_upon
from hotfolder.journal.journal import SqliteJournal
from hotfolder.store.ocfl import OcflStore
from tests.support import forked
from tests.support.flow_world import FixedClock
from tests.support.journals import make_document, spool_id, store

DOCUMENTS = 4
KEY = "order"
_CHILD = """
import os, sys
from tests.sweeps.test_holds import act, open_flow

root, lives, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
journal, _, flow = open_flow(root)
count = 0
def die(_):
    global count
    count += 1
    if count == lives:
        os._exit(9)
journal._db._writer.set_trace_callback(die)
act(flow, what)
"""


def open_flow(root: str | Path) -> tuple[SqliteJournal, OcflStore, Holding]:
    """Journal, store and flow, as a daemon or a command opens them."""
    journal = SqliteJournal(os.fsencode(Path(root) / "j.db"))
    kept = OcflStore(os.fsencode(Path(root) / "store"), clock=FixedClock())
    kept.initialise()
    flow = Holding(
        journal=journal,
        store=kept,
        clock=FixedClock(),
        emit=lambda *_, **__: None,
        new_id=lambda: "",
        page=2,
        batch=2,
    )
    return journal, kept, flow


def act(flow: Holding, what: str) -> None:
    """Place the hold, or release it."""
    if what == "place":
        flow.place(matter="M-1", criteria=Criteria(customer_id="C"), actor="anna", key=KEY)
    else:
        flow.release(hold_id_of(KEY), actor="ben", reason="settled")


def judge(root: Path, what: str) -> None:
    journal, kept, flow = open_flow(root)
    upon: dict[int, tuple[str, ...]] = {}
    if journal.get_hold(hold_id_of(KEY)) is not None:
        while flow.step() == 0.0:
            pass
        (row,) = journal.holds(released=True)
        assert row.phase is (HoldPhase.PLACED if row.in_force else HoldPhase.LIFTED)
        assert (row.documents, row.spools) == (DOCUMENTS, DOCUMENTS)
        if row.in_force:
            upon = dict.fromkeys(range(1, DOCUMENTS + 1), (row.id,))
    # Killed before the journal had it, nothing was promised.
    assert what == "place" or journal.get_hold(hold_id_of(KEY)) is not None
    with journal._db.reading() as conn:
        assert holds_upon(conn, range(1, DOCUMENTS + 1)) == upon
    marks = {number: kept.holds_on(spool_id(number)) for number in range(1, DOCUMENTS + 1)}
    assert {number: holds for number, holds in marks.items() if holds} == upon
    journal.verify_chain()
    assert journal.check() == []
    journal.close()


def make(root: Path) -> None:
    root.mkdir()
    journal, _, _ = open_flow(root)
    for number in range(1, DOCUMENTS + 1):
        metadata = DocumentMetadata(customer_id="C", issue_date=date(2026, 6, number))
        store(journal, number, make_document(f"k{number}", metadata=metadata))
    journal.close()


@pytest.mark.parametrize("what", ["place", "release"])
def test_killed_between_statements(tmp_path: Path, what: str) -> None:
    for kills in range(100):
        root = tmp_path / str(kills)
        make(root)
        if what == "release":
            journal, _, flow = open_flow(root)
            act(flow, "place")
            journal.close()
        child = [sys.executable, "-c", _CHILD, str(root), str(1 + kills * 31), what]
        killed = forked.run(child, cwd=forked.ROOT).returncode == 9
        judge(root, what)
        if not killed:
            assert kills > 2
            return
