"""Rejected drops: untouched, with a note, never over another, whatever dies on the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hotfolder.core.errors import Corrupt
from hotfolder.files.aside import move_aside
from hotfolder.files.claim import return_claim
from hotfolder.files.working import list_files, list_working, remove_working
from tests.support.crash import KILLED, inject, run_python
from tests.support.drops import make_hot_folder, put, spool_id

DAY = "2026-11-23"
MOVE = """
import os, sys
from hotfolder.core.errors import HotfolderError
from hotfolder.files.aside import move_aside
from hotfolder.files.claim import return_claim
from tests.support.drops import spool_id
try:
    move_aside(os.fsencode(sys.argv[1]), spool_id(1), "2026-11-23", b"a.pdf", b"the note")
except HotfolderError as error:
    print(error.code)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    return make_hot_folder(tmp_path / "hot")


def work(root: bytes, number: int, *names: bytes) -> None:
    """Put files into the working folder of a spool."""
    for name in names:
        put(root, b"_working/" + spool_id(number).encode() + b"/" + name, b"%d" % number + name)


def failed(root: bytes, day: str = DAY) -> dict[bytes, bytes]:
    folder = os.path.join(root, b"_failed", day.encode())
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as stream:
            found[name] = stream.read()
    return found


def test_a_drop_goes_with_its_note(root: bytes) -> None:
    work(root, 1, b"a.pdf", b"a.pdf.json")
    assert move_aside(root, spool_id(1), DAY, b"a.pdf", b"note") == b"_failed/2026-11-23/a.pdf"
    assert failed(root) == {
        b"a.pdf": b"1a.pdf",
        b"a.pdf.json": b"1a.pdf.json",
        b"a.pdf.ERROR.txt": b"note",
    }
    assert move_aside(root, spool_id(1), "2026-11-24", b"a.pdf", b"note") is None
    assert remove_working(root, [spool_id(1)]) == 1
    assert os.listdir(os.path.join(root, b"_working")) == []


def test_nothing_is_overwritten(root: bytes) -> None:
    for number in (1, 2, 3):
        work(root, number, b"a.pdf", b"a.xml", b"metadata.csv")
        move_aside(root, spool_id(number), DAY, b"a.pdf", b"note %d" % number)
    found = failed(root)
    assert len(found) == 12
    assert found[b"a.pdf"] == b"1a.pdf"
    assert found[b"a.1.pdf"] == b"2a.pdf"
    assert found[b"a.1.xml"] == b"2a.xml"
    assert found[b"a.1.pdf.ERROR.txt"] == b"note 2"
    assert found[b"a.2.pdf.ERROR.txt"] == b"note 3"


def test_a_note_that_is_in_the_way_is_kept(root: bytes) -> None:
    put(root, b"_failed/2026-11-23/a.pdf.ERROR.txt", b"a clerk's")
    work(root, 1, b"a.pdf")
    assert move_aside(root, spool_id(1), DAY, b"a.pdf", b"ours") == b"_failed/2026-11-23/a.1.pdf"
    assert failed(root)[b"a.pdf.ERROR.txt"] == b"a clerk's"


@pytest.mark.parametrize(
    "name", [b"x" * 251 + b".pdf", b"\xff" * 255, b"a\nb", b"-", "ä".encode() * 127, b".pdf"]
)
def test_odd_and_long_names_get_a_note(root: bytes, name: bytes) -> None:
    for number in (1, 2):
        work(root, number, name)
        assert move_aside(root, spool_id(number), DAY, name, b"note") is not None
    found = failed(root)
    assert len(found) == 4
    assert found[name] == b"1" + name
    assert sum(text == b"note" for text in found.values()) == 2


@pytest.mark.parametrize("point", ["aside.note_written", "aside.moved"])
def test_killed_at_a_point_the_next_day_goes_on(root: bytes, point: str) -> None:
    work(root, 1, b"a.pdf", b"a.pdf.json")
    died = run_python(MOVE, os.fsdecode(root), crash_at=point)
    assert died.returncode == KILLED, died.stderr
    assert b"a.pdf.ERROR.txt" in failed(root)
    move_aside(root, spool_id(1), "2026-11-24", b"a.pdf", b"the note")
    check_moved(root)


def test_killed_and_taken_out_by_a_clerk_there_is_no_new_note(root: bytes) -> None:
    work(root, 1, b"a.pdf", b"a.pdf.json")
    died = run_python(MOVE, os.fsdecode(root), crash_at="aside.moved")
    assert died.returncode == KILLED, died.stderr
    for name in failed(root):
        os.unlink(os.path.join(root, b"_failed", DAY.encode(), name))
    move_aside(root, spool_id(1), DAY, b"a.pdf", b"the note")
    assert failed(root) == {}


@pytest.mark.parametrize("point", ["aside.note_written", "aside.moved"])
def test_killed_and_the_journal_lost_nothing_is_left_of_the_plan(root: bytes, point: str) -> None:
    work(root, 1, b"a.pdf", b"a.pdf.json")
    died = run_python(MOVE, os.fsdecode(root), crash_at=point)
    assert died.returncode == KILLED, died.stderr
    assert return_claim(root, spool_id(1)) == (2 if point == "aside.note_written" else 0)
    assert os.listdir(os.path.join(root, b"_working")) == []


@pytest.mark.parametrize("when", range(1, 8))
def test_killed_at_each_rename_and_sync(root: bytes, tmp_path: Path, when: int) -> None:
    for calls in ("rename,renameat,renameat2", "fsync"):
        work(root, 1, b"a.pdf", b"a.pdf.json")
        strace = inject(calls, f"signal=SIGKILL:when={when}", tmp_path / "log")
        run_python(MOVE, os.fsdecode(root), strace=strace)
        move_aside(root, spool_id(1), DAY, b"a.pdf", b"the note")
        check_moved(root)
        for name in failed(root):
            os.unlink(os.path.join(root, b"_failed", DAY.encode(), name))


def check_moved(root: bytes) -> None:
    assert failed(root) == {
        b"a.pdf": b"1a.pdf",
        b"a.pdf.json": b"1a.pdf.json",
        b"a.pdf.ERROR.txt": b"the note",
    }
    assert list_files(root, spool_id(1)) == []
    remove_working(root, [spool_id(1)])
    assert list_working(root) == []
    assert os.listdir(os.path.join(root, b"_working")) == []


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_full_or_failing_disk_keeps_the_drop(root: bytes, tmp_path: Path, error: str) -> None:
    work(root, 1, b"a.pdf", b"a.pdf.json")
    strace = inject("fsync,syncfs", f"error={error}", tmp_path / "log")
    refused = run_python(MOVE, os.fsdecode(root), strace=strace)
    assert refused.returncode == 75, refused.stderr
    assert list_files(root, spool_id(1)) == [b"a.pdf", b"a.pdf.json"]
    move_aside(root, spool_id(1), DAY, b"a.pdf", b"the note")
    check_moved(root)


def test_a_damaged_plan_is_told_and_nothing_moves(root: bytes) -> None:
    work(root, 1, b"a.pdf")
    put(root, b"_working/" + spool_id(1).encode() + b".aside", b"{}")
    with pytest.raises(Corrupt, match="plan"):
        move_aside(root, spool_id(1), DAY, b"a.pdf", b"note")
    assert list_files(root, spool_id(1)) == [b"a.pdf"]


def test_a_place_outside_is_refused(root: bytes) -> None:
    work(root, 1, b"a.pdf")
    for day, name in (
        ("../..", b"a.pdf"),
        ("..", b"a.pdf"),
        ("2026-11-23\n", b"a.pdf"),
        (DAY, b"../a.pdf"),
    ):
        with pytest.raises(ValueError, match="last part"):
            move_aside(root, spool_id(1), day, name, b"note")
