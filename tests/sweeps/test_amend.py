"""ArchivesSpace is told of changes by a process that is killed at every named point and
between statements of the journal; judged by what the server has, over HTTP."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from hotfolder.core.crashpoints import AMEND_POINTS
from hotfolder.core.profiles import ChangesProfile
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.composition import Works
from tests.support import forked
from tests.support.changes import decide_end, place_hold
from tests.support.drop_mix import write_drops
from tests.support.line import build_line, run_line
from tests.support.serving import call, log_in, records, serving

_CHILD = """
import os, sys
from pathlib import Path
from hotfolder.core import crashpoints
from tests.sweeps.test_amend import tell, made

root, url, lives, point = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
works = made(root, url)
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
    works.journal._db._writer.set_trace_callback(die)
tell(works)
"""
_DOCUMENTS = 3
_FIRST_END = date(2040, 1, 1)


@contextmanager
def archived(root: Path) -> Iterator[tuple[str, list[str]]]:
    """A server that has documents of ours: its address, and their identities."""
    with serving() as sandbox:
        (root / "hot").mkdir()
        write_drops(root / "hot", good=_DOCUMENTS)
        line = build_line(root, sandbox.url)
        try:
            assert run_line(line)
        finally:
            line.works.close()
        there = records(sandbox.url, "/repositories/2/digital_objects")
        yield sandbox.url, sorted(record["digital_object_id"] for record in there)


def made(root: Path, url: str) -> Works:
    return build_line(root, url, outward={"changes": ChangesProfile(rate=0)}).works


def tell(works: Works) -> None:
    """Until nothing waits; closes everything."""
    for _ in range(50):
        works.amend.step(limit=2)
        works.tell.step()
        now = works.clock.now()
        if not works.journal.has_changes_due(now) and not works.journal.count_waiting_events():
            works.close()
            return
    raise AssertionError("there is no end to it")


def killed(root: Path, url: str, lives: int, point: str) -> bool:
    child = [sys.executable, "-c", _CHILD, str(root), url, str(lives), point]
    code = forked.run(child, cwd=forked.ROOT).returncode
    assert code in (0, 9)
    return code == 9


def happen(root: Path, identities: list[str], number: int) -> None:
    """A hold on all, and another last day of the first."""
    journal = SqliteJournal(os.fsencode(root / "journal.db"))
    place_hold(journal, number, identities)
    decide_end(journal, identities[0], _FIRST_END + timedelta(number), 1_795_000_000.0 + number)
    journal.close()


def judge(root: Path, url: str, identities: list[str], number: int) -> None:
    """Each hold so far is in each record once, the title is the archivist's, and each
    change set of each document has one event."""
    there = {
        record["digital_object_id"]: record
        for record in records(url, "/repositories/2/digital_objects")
    }
    assert sorted(there) == identities
    for record in there.values():
        held = [item["identifier"] for item in record["rights_statements"]]
        assert sorted(name for name in held if name.startswith("hold:")) == sorted(
            f"hold:M-{each} hold-{each:012d}" for each in range(1, number + 1)
        )
        assert record["title"] == "Theirs"
        assert len(record["file_versions"]) == 1
    day = there[identities[0]]["user_defined"]["date_1"]
    assert day == (_FIRST_END + timedelta(number)).isoformat()
    events = [
        event
        for event in records(url, "/repositories/2/events")
        if event["event_type"] == "assessment"
    ]
    linked = [item["ref"] for event in events for item in event["linked_records"]]
    assert len(linked) == number * (_DOCUMENTS + 1)
    journal = SqliteJournal(os.fsencode(root / "journal.db"))
    told = [row for row in journal.audit(limit=10_000) if row.action == "archive.told"]
    assert {row.details["refid"] for row in told} == {event["refid"] for event in events}
    assert journal.count_changes() == (0, 0)
    journal.verify_chain()
    journal.close()


def edit_titles(url: str) -> None:
    token = log_in(url)
    for record in records(url, "/repositories/2/digital_objects"):
        call(url, record["uri"], token, {**record, "title": "Theirs"})


def sweep(root: Path, point: str, step: int = 1) -> int:
    """Each kill upon a hold of its own, then once more without; how many were killed."""
    with archived(root) as (url, identities):
        edit_titles(url)
        kills = 0
        while True:
            happen(root, identities, kills + 1)
            was_killed = killed(root, url, 1 + kills * step, point)
            tell(made(root, url))
            judge(root, url, identities, kills + 1)
            if not was_killed:
                return kills
            kills += 1


def test_killed_at_every_named_point(tmp_path: Path) -> None:
    for point in AMEND_POINTS:
        root = tmp_path / point
        root.mkdir()
        assert sweep(root, point) >= 2


def test_killed_between_statements(tmp_path: Path) -> None:
    assert sweep(tmp_path, "", step=17) > 2
