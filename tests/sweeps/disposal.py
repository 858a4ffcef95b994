"""The disposal sweep, whole:

    python -m tests.sweeps.disposal [--every K] [--pairs N] [--seed S] [--jobs N]

One approved list is executed by a process that is killed at every named point, between any
two statements of SQL, and on entering every system call that changes something; or whose
system calls fail with ENOSPC and EIO. The next process only completes what has begun, as the
daemon does. Whatever happened: either nothing was destroyed, or all that the decision named
was, in every root, and certified, told and on the audit chain once; and what is held, in
time, or not on the list is whole.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hotfolder.core import crashpoints
from hotfolder.core.crashpoints import DISPOSAL_POINTS
from hotfolder.core.disposals import DisposalState
from hotfolder.core.errors import HotfolderError
from tests.support import forked
from tests.support.disposal import DisposalWorld, hold
from tests.support.journals import spool_id
from tests.sweeps.attempts import EX_TEMPFAIL, run_sweep
from tests.sweeps.scenes import can_trace
from tests.sweeps.syscalls import CALLS

KILLED = 9
ERRORS = ("ENOSPC", "EIO")
# Those of people come before anything is decided, and have tests of their own.
POINTS = [
    name for name in DISPOSAL_POINTS if name not in ("disposal.proposed", "disposal.approved")
]
GONE, HELD, WITHHELD, CARRIED, IN_TIME, BY_KEY = 1, 2, 3, 4, 5, 6
ROOT = Path(__file__).parent.parent.parent
_CALL = re.compile(r"(?:\d+ +)?(\w+)\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a process dies, or which call of it fails; then perhaps another one."""

    kind: str  # point | statement | call | ENOSPC | EIO
    name: str
    number: int
    again: Point | None = None

    def __str__(self) -> str:
        then = f", then {self.again}" if self.again else ""
        return f"{self.kind} {self.name} {self.number}{then}"


# -- the process that dies -------------------------------------------------------------
def execute(root: Path, kind: str, name: str, lives: int) -> int:
    """Begin the approved disposal, if it is not begun, and complete it."""
    world = DisposalWorld(root)
    left = lives

    def die(what: str) -> None:
        nonlocal left
        left -= kind == "statement" or what == name
        if left == 0:
            os._exit(KILLED)

    if kind == "point":
        crashpoints.arm(die)
    elif kind == "statement":
        world.journal._db._writer.set_trace_callback(die)
    try:
        (row,) = world.journal.disposals()
        if row.state is DisposalState.APPROVED:
            world.flow.begin(row.id, actor="cem")
        world.flow.complete(row.id)
    except HotfolderError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


# -- from outside ----------------------------------------------------------------------
def prepare(root: Path) -> None:
    """Spools of every kind, one list of what is due, approved, and a hold since then."""
    world = DisposalWorld(root)
    world.add(GONE, "D")
    world.add(HELD, "D", customer="C-held")
    world.add(WITHHELD, "D", "L")
    world.add(CARRIED, "D", "D", carried=True)
    world.add(IN_TIME, "L")
    world.add(BY_KEY, "D", "L", encrypted=True)
    world.approved()
    hold(world, "1", customer_id="C-held")
    world.close()


class Scene:
    """A copy of what was prepared."""

    def __init__(self, prepared: Path, place: Path) -> None:
        self.root = place / "world"
        shutil.copytree(prepared, self.root, copy_function=shutil.copy2)

    def run(self, point: Point | None) -> int:
        """One process; its exit code, 9 if it was killed."""
        kind, name, lives = ("", "", 0) if point is None else (point.kind, point.name, point.number)
        command = [
            sys.executable,
            *("-m", "tests.sweeps.disposal", "--execute", str(self.root)),
            *(kind if kind in ("point", "statement") else "-", name, str(lives)),
        ]
        strace: list[str] = []
        if kind in ("call", *ERRORS):
            action = "signal=SIGKILL" if kind == "call" else f"error={kind}"
            strace = [
                *("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}"),
                *("-e", f"inject={name}:{action}:when={lives}"),
            ]
        done = forked.run(command, cwd=ROOT, strace=strace)
        if done.returncode in (-9, 137):
            return KILLED
        if done.returncode == 1 and kind in ERRORS:
            return EX_TEMPFAIL  # Python itself met the error, in its start or its end
        assert done.returncode in (0, KILLED, 74, EX_TEMPFAIL, 78), done.stderr[-2000:]
        return done.returncode

    def complete(self) -> None:
        """What the daemon does after its next start."""
        world = DisposalWorld(self.root)
        world.store.clean()
        while world.flow.step() == 0.0:
            pass
        world.close()

    def check(self) -> bool:
        """``AssertionError`` unless it is one of both; True if it was all destroyed."""
        world = DisposalWorld(self.root)
        try:
            (row,) = world.journal.disposals()
            world.journal.verify_chain()
            assert world.journal.check() == []
            for number in (HELD, WITHHELD, IN_TIME, BY_KEY):
                assert self._places(number) == 2, number
                assert world.store.verify(spool_id(number))
                assert world.store.tombstone(spool_id(number)) is None
            if row.state is DisposalState.APPROVED:
                self._check_untouched(world)
                return False
            assert row.state is DisposalState.DONE, row.state
            self._check_done(world, row.id)
            return True
        finally:
            world.close()

    def _places(self, number: int) -> int:
        """In how many places anything of a spool's object is."""
        found = {
            path.relative_to(self.root).parts[:3]
            for path in self.root.rglob(f"*{spool_id(number)}*")
            if "extensions" not in path.parts and "working" not in path.parts
        }
        return len(found)

    def _check_untouched(self, world: DisposalWorld) -> None:
        for number in (GONE, CARRIED):
            assert self._places(number) == 2
            assert world.store.verify(spool_id(number))
            assert world.store.tombstone(spool_id(number)) is None
        assert not any(root.destroyed_parts(spool_id(BY_KEY)) for root in world.store.roots)
        assert list(world.store.part_tombstones()) == []
        assert not any(link.action == "document.destroyed" for link in world.journal.audit())
        assert not list((self.root / "certificates").glob("*"))

    def _check_done(self, world: DisposalWorld, disposal: str) -> None:
        journal = world.journal
        for number in (GONE, CARRIED):
            assert self._places(number) == 0, number
            for root in world.store.roots:
                assert root.tombstone(spool_id(number)) is not None
        for root in world.store.roots:
            assert root.destroyed_parts(spool_id(BY_KEY)) == {1}
            assert [spool for spool, _ in root.part_tombstones()] == [spool_id(BY_KEY)]
        outcomes = Counter(item.outcome for item in journal.disposal_members(disposal))
        assert outcomes == {"destroyed": 4, "excluded": 1, "withheld": 1}
        links = Counter(link.action for link in journal.audit(limit=10_000))
        assert links["document.destroyed"] == 4
        assert links["disposal.begun"] == links["disposal.done"] == 1
        certificate = journal.disposal_certificate(disposal)
        row = journal.get_disposal(disposal)
        assert certificate is not None
        assert row is not None
        assert hashlib.sha256(certificate).hexdigest() == row.certificate_sha256
        folder = self.root / "certificates"
        assert (folder / f"{disposal}.json").read_bytes() == certificate
        assert (folder / f"{disposal}.pdf").read_bytes().rstrip().endswith(b"%%EOF")
        body = json.loads(certificate)["certificate"]
        destroyed = {item["identity"] for item in body["destroyed"]}
        assert destroyed == {
            item.identity
            for item in journal.disposal_members(disposal)
            if item.outcome == "destroyed"
        }
        assert all(journal.get_document(identity) is None for identity in destroyed)
        conn = sqlite3.connect(self.root / "journal.db")
        try:
            (updates,) = conn.execute(
                "SELECT count(*) FROM updates WHERE kind = 'destroyed'"
            ).fetchone()
            refids = conn.execute("SELECT refid FROM outbox ORDER BY number").fetchall()
        finally:
            conn.close()
        assert updates == 3  # of two documents, and of the record of a whole spool
        assert [refid for (refid,) in refids] == [disposal]


def find_points(prepared: Path) -> list[Point]:
    """Every point, counted in runs of their own."""
    found = [Point(kind="point", name=name, number=1) for name in POINTS]
    found += [Point(kind="point", name=name, number=2) for name in POINTS if "disposal.r" in name]
    with tempfile.TemporaryDirectory() as place:
        scene = Scene(prepared, Path(place))
        world = DisposalWorld(scene.root)
        statements = 0

        def count(_what: str) -> None:
            nonlocal statements
            statements += 1

        world.journal._db._writer.set_trace_callback(count)
        (row,) = world.journal.disposals()
        world.flow.begin(row.id, actor="cem")
        world.flow.complete(row.id)
        world.journal._db._writer.set_trace_callback(None)
        world.close()
        found += [
            Point(kind="statement", name="", number=number) for number in range(1, statements + 1)
        ]
    if not can_trace():
        return found
    for call, number in _count_calls(prepared).items():
        for kind in ("call", *ERRORS):
            found += [Point(kind=kind, name=call, number=n) for n in range(1, number + 1)]
    return found


def _count_calls(prepared: Path) -> Counter[str]:
    with tempfile.TemporaryDirectory() as place:
        scene = Scene(prepared, Path(place))
        log = Path(place) / "trace"
        forked.run(
            [
                *(sys.executable, "-m", "tests.sweeps.disposal"),
                *("--execute", str(scene.root), "-", "", "0"),
            ],
            cwd=ROOT,
            strace=("strace", "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(CALLS)}"),
        ).check_returncode()
        lines = log.read_text(errors="replace").splitlines()
        return Counter(match[1] for line in lines if (match := _CALL.match(line)))


def draw_pairs(points: Sequence[Point], count: int, seed: int) -> list[Point]:
    """Pairs: what goes on after the first is killed, too."""
    draw = random.Random(seed)
    return [replace(draw.choice(points), again=draw.choice(points)) for _ in range(count)]


def kill_at(prepared: Path, point: Point) -> bool:
    """One attempt; whether it happened. ``AssertionError`` if something is wrong."""
    with tempfile.TemporaryDirectory() as place:
        scene = Scene(prepared, Path(place))
        happened = scene.run(point) != 0
        if point.again is not None:
            scene.run(point.again)
        scene.complete()
        scene.check()
        return happened


def main() -> int:
    if sys.argv[1:2] == ["--execute"]:
        root, kind, name, lives = sys.argv[2:]
        return execute(Path(root), kind, name, int(lives))
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1, help="every K-th point only")
    parser.add_argument("--pairs", type=int, default=200, help="how many pairs besides")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        prepared = Path(place) / "prepared"
        prepared.mkdir()
        prepare(prepared)
        found = find_points(prepared)
        kinds = Counter(point.kind for point in found)
        print(", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())), flush=True)
        points = found[:: options.every]
        code = run_sweep(
            "kills and faults", points, lambda point: kill_at(prepared, point), options.jobs
        )
        pairs = draw_pairs(found, options.pairs, options.seed)
        return (
            run_sweep("pairs", pairs, lambda point: kill_at(prepared, point), options.jobs) or code
        )


if __name__ == "__main__":
    sys.exit(main())
