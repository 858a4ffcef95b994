"""Event folders: each line counts once, whatever happens, and a faulty file not at all."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.crashpoints import EVENT_POINTS
from hotfolder.core.profiles import EventFolder
from hotfolder.core.records import Drop
from hotfolder.files.layout import make_folders
from hotfolder.flows.eventfiles import EventFiles
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.parts import SpoolIds
from tests.support import forked
from tests.support.flow_world import FixedClock
from tests.support.journals import make_document, store
from tests.support.line import look

GOOD = "kind,subject,event,day\n" + "".join(
    f"policy,P-{number},contract-end,2026-03-{number:02}\n" for number in range(1, 8)
)
BAD = "kind,subject,event,day\npolicy,P-9,contract-end,2026-03-09\npolicy,P-9,divorce,2026-03-09\n"


def files_of(root: Path, journal: SqliteJournal) -> EventFiles:
    """The flow over ``root``, two events in a transaction."""
    return EventFiles(
        journal=journal,
        folders={"contracts": EventFolder(name="contracts", path=str(root), owner="Records")},
        known={"contract-end"},
        clock=FixedClock(),
        emit=lambda *_a, **_k: None,
        new_id=SpoolIds(),
        page=2,
    )


def drop(root: Path, flow: EventFiles) -> None:
    """Claim what lies in the folder, and take it."""
    names = sorted(path.name for path in root.iterdir() if path.is_file())
    drops = [Drop(folder="contracts", spool=look(root, os.fsencode(n), "contracts")) for n in names]
    flow.claim("contracts", drops)
    flow.advance("contracts")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = tmp_path / "events"
    found.mkdir()
    make_folders(os.fsencode(found))
    return found


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(os.fsencode(tmp_path / "journal.db"))


def failed(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "_failed").rglob("*") if path.is_file())


def receipts(root: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted((root / "_receipts").iterdir())]


def test_a_file_is_taken(root: Path, journal: SqliteJournal) -> None:
    (root / "night.csv").write_text(GOOD)
    drop(root, files_of(root, journal))
    rows = journal.retention_events()
    assert [(row.subject, row.day.day) for row in rows] == [(f"P-{n}", n) for n in range(1, 8)]
    (receipt,) = receipts(root)
    assert receipt["events"] == [{"line": n + 1, "number": n} for n in range(1, 8)]
    assert receipt["file"]["name"] == "night.csv"
    (name,) = os.listdir(root / "_receipts")
    assert name == f"night.csv.{receipt['file']['id'][-8:]}.receipt.json"
    assert not list((root / "_working").iterdir())
    assert len([row for row in journal.audit() if row.action == "retention.event"]) == 7
    assert "P-1" not in str([row.details for row in journal.audit()])


def test_a_faulty_file_counts_for_nothing(root: Path, journal: SqliteJournal) -> None:
    (root / "night.csv").write_text(BAD)
    drop(root, files_of(root, journal))
    assert journal.retention_events() == []
    assert failed(root) == ["night.csv", "night.csv.ERROR.txt"]
    (note,) = (root / "_failed").rglob("*.txt")
    text = note.read_text()
    assert "line 3" in text
    assert "Records" in text
    assert "Reference: " in text
    assert "P-9" not in text
    assert (note.parent / "night.csv").read_text() == BAD
    assert receipts(root) == []


def test_the_same_name_every_night(root: Path, journal: SqliteJournal) -> None:
    flow = files_of(root, journal)
    for _ in range(2):
        (root / "night.csv").write_text(GOOD)
        drop(root, flow)
    assert len(receipts(root)) == 2
    assert len(journal.retention_events()) == 14


def test_a_document_that_is_not_there(root: Path, journal: SqliteJournal) -> None:
    document = make_document("k1")
    store(journal, 1, document)
    head = "kind;subject;event;day\n"
    flow = files_of(root, journal)
    (root / "a.csv").write_text(head + f"document;{document.identity};contract-end;2026-03-31\n")
    drop(root, flow)
    assert [row.subject for row in journal.retention_events()] == [document.identity]
    (root / "b.csv").write_text(head + f"document;hf-{'0' * 64};contract-end;2026-03-31\n")
    drop(root, flow)
    assert len(journal.retention_events()) == 1
    assert failed(root) == ["b.csv", "b.csv.ERROR.txt"]


_CHILD = """
import os, sys
from pathlib import Path
from hotfolder.core import crashpoints
from hotfolder.journal.journal import SqliteJournal
from tests.flows.test_eventfiles import drop, files_of

root, path, lives, point = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
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
flow = files_of(root, journal)
flow.recover("contracts")
drop(root, flow)
"""


def run(root: Path, path: Path, lives: int, point: str) -> int:
    child = [sys.executable, "-c", _CHILD, str(root), str(path), str(lives), point]
    return forked.run(child, cwd=forked.ROOT).returncode


def judge(root: Path, path: Path) -> None:
    journal = SqliteJournal(os.fsencode(path))
    rows = journal.retention_events()
    assert [row.subject for row in rows] == [f"P-{number}" for number in range(1, 8)]
    journal.verify_chain()
    journal.close()
    assert [len(item["events"]) for item in receipts(root)] == [7]
    assert failed(root) == ["bad.csv", "bad.csv.ERROR.txt"]
    assert not list((root / "_working").iterdir())
    assert not [path for path in root.iterdir() if path.is_file()]


@pytest.mark.parametrize(
    ("point", "lives"),
    [*((point, 1) for point in EVENT_POINTS), *(("", lives) for lives in range(1, 60, 20))],
)
def test_killed_anywhere(tmp_path: Path, root: Path, point: str, lives: int) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(os.fsencode(path)).close()
    (root / "bad.csv").write_text(BAD)
    (root / "good.csv").write_text(GOOD)
    code = run(root, path, lives, point)
    assert code == 9 if point else code in (0, 9)
    assert run(root, path, 0, "") == 0
    judge(root, path)
