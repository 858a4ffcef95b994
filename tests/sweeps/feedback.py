"""What comes back and goes downstream, killed at named points and started again: every
decision carried out once, every fact in one file, every file taken once.

python -m tests.sweeps.feedback     every pair of points, and later occurrences
"""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hotfolder.core.crashpoints import FEED_POINTS
from hotfolder.sandbox.sandbox import Sandbox
from tests.conformance.desk_suite import hold_statement
from tests.flows.test_feeding import Consumer, consuming
from tests.support import forked
from tests.support.archivist import SandboxArchivist
from tests.support.drop_mix import write_drops
from tests.support.feedback import PLACED, RELEASED, build, feed, feedback_of, run
from tests.support.line import run_line
from tests.support.serving import serving
from tests.sweeps.scenes import ROOT

KILLED = 137
Kill = tuple[str, int]  # point, occurrence


class Scene:
    """A hotfolder whose documents an archivist has worked on, as it was then, again and
    again."""

    def __init__(self, base: Path, sandbox: Sandbox, consumer: Consumer) -> None:
        self._base = base
        self.sandbox = sandbox
        self.consumer = consumer
        (base / "hot").mkdir()
        write_drops(base / "hot", good=5)
        with SandboxArchivist(sandbox) as archivist:
            line = build(base, sandbox.url, consumer.url)
            try:
                assert run_line(line)
                feedback_of(line.works).poll()
                rows = [
                    row
                    for spool in line.works.journal.spools([])
                    for row in line.works.journal.documents_of(spool.id)
                    if row.record_uri
                ]
                uris = [str(row.record_uri) for row in rows]
                ours = archivist.read(uris[0])["rights_statements"]
                archivist.edit(uris[0], rights_statements=[*ours, hold_statement("one")])
                feedback_of(line.works).poll()  # placed before: it is released in the sweep
                archivist.edit(uris[0], rights_statements=ours)
                theirs = archivist.read(uris[1])["rights_statements"]
                archivist.edit(uris[1], rights_statements=[*theirs, hold_statement("two")])
                archivist.ask(uris[1:3], event_type=PLACED, outcome="pass")
                archivist.ask(uris[3:4], event_type=PLACED, outcome="pass")
                archivist.ask(uris[3:4], event_type=RELEASED, outcome="pass")
                archivist.delete(uris[4])
                feed(line.works)
                while line.works.feeding.post():
                    pass
            finally:
                line.works.close()
        self._older = str(base / "older.db")
        sandbox.snapshot(self._older)
        self._taken = dict(consumer.bodies)

    def renew(self, root: Path) -> None:
        """All of it under ``root``, as if nothing had happened since."""
        shutil.copytree(self._base, root, dirs_exist_ok=True)
        self.sandbox.restore(self._older)
        self.consumer.bodies = dict(self._taken)
        self.consumer.order = list(self._taken)


@contextmanager
def prepared(base: Path) -> Iterator[Scene]:
    """A scene with its server and its consumer."""
    with serving() as sandbox, consuming() as consumer:
        yield Scene(base, sandbox, consumer)


def run_process(root: Path, scene: Scene, kill: Kill) -> int:
    """One life as a process of its own; its exit code."""
    url, callback = scene.sandbox.url, scene.consumer.url
    command = [sys.executable, "-m", "tests.support.feedback", str(root), url, callback]
    done = forked.run(
        [*command, "--crash", kill[0], "--occurrence", str(kill[1])],
        cwd=ROOT,
        timeout=120,
    )
    if done.returncode not in (0, KILLED):
        raise AssertionError(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.returncode


def kill_and_recover(scene: Scene, root: Path, kills: Sequence[Kill]) -> int:
    """Live through each kill in turn, then to the end, and check; returns how many of
    the kills happened. Somebody takes the files away as soon as they are there."""
    scene.renew(root)
    taken: Counter[str] = Counter()
    lines: list[dict[str, object]] = []
    take(root / "feed", taken, lines)
    reached = 0
    for kill in kills:
        reached += run_process(root, scene, kill) == KILLED
        take(root / "feed", taken, lines)
    line = build(root, scene.sandbox.url, scene.consumer.url)
    try:
        assert run(line), "something is still waiting"
        take(root / "feed", taken, lines)
        assert run(line)
        take(root / "feed", taken, lines)
        check(line.works.journal.facts(limit=10_000), scene, taken, lines)
        line.works.journal.verify_chain()
        holds = line.works.journal.holds(released=True)
        assert Counter((hold.matter, hold.in_force) for hold in holds) == {
            ("one", False): 1,
            ("two", True): 1,
            (holds[-2].matter, True): 1,
            (holds[-1].matter, False): 1,
        }
        for hold in holds:
            assert hold.acknowledged_at is not None
    finally:
        line.works.close()
    return reached


def take(folder: Path, taken: Counter[str], lines: list[dict[str, object]]) -> None:
    """What a consumer does: every file that has its name, whole."""
    for path in sorted(folder.glob("hotfolder-facts-*")):
        taken[path.name] += 1
        if path.suffix == ".jsonl":
            lines += [json.loads(text) for text in path.read_text().splitlines()]
        path.unlink()


def check(
    facts: Sequence[object], scene: Scene, taken: Counter[str], lines: list[dict[str, object]]
) -> None:
    """Each fact in one file, once; each file once, without gaps; the callback alike."""
    assert set(taken.values()) == {1}, taken
    numbers = sorted({int(name.split("-")[2].split(".")[0]) for name in taken})
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(taken) == 2 * len(numbers)
    told = [line["fact"] for line in lines]
    assert sorted(told) == list(range(1, len(facts) + 1)), "each fact once"  # type: ignore[type-var]
    assert [key.rpartition("-")[2] for key in scene.consumer.order] == list(map(str, numbers))
    posted = [
        json.loads(text) for body in scene.consumer.bodies.values() for text in body.splitlines()
    ]
    assert sorted(line["fact"] for line in posted) == sorted(told)  # type: ignore[type-var]
    assert all(line["hold"] for line in lines if str(line["kind"]).startswith("hold."))
    kinds = Counter(line["kind"] for line in lines if line["source"] == "archivesspace")
    assert kinds == {"hold.placed": 4, "hold.released": 2, "record.deleted": 1}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        base.mkdir()
        with prepared(base) as scene:
            sweep(scene, Path(folder))


def sweep(scene: Scene, folder: Path) -> None:
    """Every pair of points, the second at its first and second occurrence."""
    happened = 0
    pairs = [
        ((one, 1), (other, occurrence))
        for one, other in itertools.product(FEED_POINTS, repeat=2)
        for occurrence in (1, 2)
    ]
    for number, pair in enumerate(pairs):
        happened += kill_and_recover(scene, folder / str(number), pair)
        shutil.rmtree(folder / str(number))
        if number % 25 == 0:
            print(f"{number}/{len(pairs)}", flush=True)
    print(f"{2 * len(pairs)} kills tried, {happened} happened, 0 wrong")


if __name__ == "__main__":
    main()
