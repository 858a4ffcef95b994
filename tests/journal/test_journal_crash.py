"""Killed, out of space, refused by the disk, written by two: what was acknowledged is there."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from hotfolder.core.errors import Transient
from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES, SpoolState, UnitState
from hotfolder.journal.journal import SqliteJournal
from tests.support.crash import inject, run_python
from tests.support.journals import claim, make_document, spool_id, store, store_many

ROOT = Path(__file__).parent.parent.parent

# Takes one spool after another all the way and says after every commit what was promised.
WORK = """
import os, sys
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import *

path, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
journal = SqliteJournal(os.fsencode(path))

def say(number, state):
    print(spool_id(number), state, flush=True)

for number in range(first, first + count):
    journal.begin_claims([(spool_id(number), UNIT, make_drop(number))], 1)
    say(number, "CLAIMING")
    journal.finish_claims([spool_id(number)], 2)
    say(number, "CLAIMED")
    journal.record_readings([make_reading(number, make_document(f"k{number}"))], 3)
    say(number, "READ")
    journal.record_stored([make_object(number)], 4)
    say(number, "STORED")
    journal.append_audit("test", "crash.step", str(number), {}, 4)
    unit = journal.plan_unit(*PLACE, 5, 5)
    if unit is None:
        continue  # the other process took it
    journal.mark_sent(unit.ref_id, 6)
    for done in journal.confirm_unit(unit.ref_id, None, uris(unit.identities), 7):
        print(done, "DELIVERED", flush=True)
journal.close()
"""
ORDER = ["CLAIMING", "CLAIMED", "READ", "STORED", "DELIVERED"]


def check_acknowledged(path: Path, said: str) -> dict[str, int]:
    """Every line that was said whole is true after reopening, every history is legal,
    and the counters agree with the rows. Returns the counts by state."""
    journal = SqliteJournal(os.fsencode(path))
    try:
        lines = said.rsplit("\n", 1)[0].splitlines() if "\n" in said else []
        for line in lines:
            name, state = line.split()
            row = journal.get_spool(name)
            assert row is not None, f"{name} was acknowledged and is not there"
            assert ORDER.index(row.state) >= ORDER.index(state)
        found: dict[str, int] = {}
        for row in journal.spools([], limit=100_000):
            found[row.state] = found.get(row.state, 0) + 1
            steps = [SpoolState(step.new) for step in journal.history(row.id)]
            assert steps[0] is SpoolState.CLAIMING
            assert all(b in SPOOL_MOVES[a] for a, b in pairwise(steps))
        for unit in journal.units(list(UnitState), limit=100_000):
            moves = [UnitState(step.new) for step in journal.history(unit.ref_id)]
            assert all(b in UNIT_MOVES[a] for a, b in pairwise(moves))
        assert journal.status().spools == found
        assert journal.check() == []
        return found
    finally:
        journal.close()


@pytest.mark.parametrize("lines", [1, 2, 7, 33, 150])
def test_killed_at_any_moment_it_keeps_its_word(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "j.db"
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(path), "0", "100000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        said = "".join(child.stdout.readline() for _ in range(lines))
        child.send_signal(signal.SIGKILL)
        said += child.stdout.read()
    assert child.returncode == -signal.SIGKILL
    found = check_acknowledged(path, said)
    assert sum(found.values()) >= lines // 5
    assert run_python(WORK, str(path), "200000", "2").stderr == ""


@pytest.mark.sweep
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
@pytest.mark.parametrize("when", [1, 2, 3, 5, 8, 13, 21, 34])
def test_killed_in_the_middle_of_a_commit(tmp_path: Path, call: str, when: int) -> None:
    path = tmp_path / "j.db"
    SqliteJournal(os.fsencode(path)).close()
    strace = inject(call, f"signal=SIGKILL:when={when}", tmp_path / "log")
    died = run_python(WORK, str(path), "0", "6", strace=strace)
    assert died.returncode == -signal.SIGKILL
    check_acknowledged(path, died.stdout)
    again = run_python(WORK, str(path), "100", "4")
    assert again.stderr == ""
    check_acknowledged(path, died.stdout + again.stdout)


def test_a_sync_that_fails_is_no_acknowledgement(tmp_path: Path) -> None:
    program = """
import os, sys
from hotfolder.core.errors import Transient
from hotfolder.journal.journal import SqliteJournal
from tests.support.journals import claim, spool_id
journal = SqliteJournal(os.fsencode(sys.argv[1]))
for number in range(6):
    try:
        claim(journal, number)
        print(spool_id(number), "CLAIMED")
    except Transient as error:
        print("refused", error.code)
os._exit(0)
"""
    path = tmp_path / "j.db"
    SqliteJournal(os.fsencode(path)).close()
    strace = inject("fdatasync", "error=EIO:when=5", tmp_path / "log")
    said = run_python(program, str(path), strace=strace).stdout.splitlines()
    assert said.count("refused journal.io") == 1
    assert "INJECTED" in (tmp_path / "log").read_text()
    promised = [line for line in said if not line.startswith("refused")]
    assert len(promised) == 5
    check_acknowledged(path, "\n".join([*promised, ""]))


def fill_until_refused(journal: SqliteJournal, first: int) -> tuple[int, Transient]:
    """Claim until the disk is full; the number of the one that was refused, and why."""
    for number in range(first, first + 100_000):
        try:
            claim(journal, number)
        except Transient as error:
            return number, error
    raise AssertionError("the disk was never full")


def test_a_full_disk_is_told_and_got_over(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        journal = SqliteJournal(os.fsencode(place / "j.db"))
        (place / "filler").write_bytes(bytes(1 << 20))
        refused, error = fill_until_refused(journal, 0)
        assert error.code == "journal.full"
        assert error.hint
        last = journal.get_spool(spool_id(refused))
        assert last is None or last.state is SpoolState.CLAIMING
        assert journal.status().spools["CLAIMED"] == refused
        assert len(journal.spools([SpoolState.CLAIMED], limit=10_000)) == refused
        with pytest.raises(Transient):
            journal.append_audit("root", "operator.hold", "x", {"y": "z" * 200_000}, 1)
        (place / "filler").unlink()
        store_many(journal, range(90_000, 90_020))
        assert journal.check() == []
        journal.close()
        journal = SqliteJournal(os.fsencode(place / "j.db"))
        assert journal.status().spools["CLAIMED"] == refused
        assert journal.status().spools["STORED"] == 20
        journal.close()
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_file_that_may_not_grow_is_told_and_got_over(tmp_path: Path) -> None:
    """As above where nothing may be mounted: the kernel refuses every write beyond 1 MiB."""
    program = """
import os, resource, signal, sys
from pathlib import Path
sys.path.insert(0, ".")
from hotfolder.journal.journal import SqliteJournal
from tests.journal.test_journal_crash import limited
limited(Path(sys.argv[1]))
"""
    ended = run_python(program, str(tmp_path / "j.db"))
    assert (ended.stdout, ended.stderr) == ("whole\n", "")


def limited(path: Path) -> None:
    """In a process of its own, for the limit is the process's."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = SqliteJournal(os.fsencode(path))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    refused, error = fill_until_refused(journal, 0)
    assert error.code in ("journal.io", "journal.full")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store(journal, 90_000, make_document("a"))
    journal.close()
    journal = SqliteJournal(os.fsencode(path))
    assert journal.status().spools["CLAIMED"] == refused
    assert journal.status().spools["STORED"] == 1
    assert journal.check() == []
    journal.close()
    print("whole")


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda n: run_python(WORK, str(path), str(n * 1000), "60"), range(3)))
    assert [item.stderr for item in ended] == [""] * 3
    found = check_acknowledged(path, "".join(item.stdout for item in ended))
    assert sum(found.values()) == 180
    journal = SqliteJournal(os.fsencode(path))
    units = journal.units(list(UnitState), limit=1000)
    members = [identity for unit in units for identity in unit.identities]
    assert len(members) == len(set(members)) == 180
    assert found == {"DELIVERED": 180}
    steps = [row for row in journal.audit() if row.action == "crash.step"]
    assert len(steps) == 180
    assert len({row.subject for row in journal.audit() if row.action == "spool.stored"}) == 180
    journal.close()


def test_a_command_writes_beside_the_daemon(tmp_path: Path) -> None:
    """`hotfolder hold` in the middle of a burst: neither waits for long, both succeed."""
    path = tmp_path / "j.db"
    journal = SqliteJournal(os.fsencode(path))
    claim(journal, 500_000)
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(path), "0", "200"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    ) as child:
        turns = 0
        while child.poll() is None:
            journal.append_audit("root", "operator.hold", str(turns), {}, turns)
            turns += 1
            time.sleep(0.002)
    assert child.returncode == 0
    assert turns > 1
    assert journal.status().spools == {"CLAIMED": 1, "DELIVERED": 200}
    journal.close()
