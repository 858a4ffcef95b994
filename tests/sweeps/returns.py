"""The sweeps of the way out again, whole:

    python -m tests.sweeps.returns [--pairs N] [--faults N] [--seed S]

Kills: every named point of returns and requests, its first and second occurrence, then
pairs of points (all of them, or N drawn by the seed). The process dies at each and is
started again; between the lives a reader takes out of the return folder whatever is
complete there, as Exstream would. Then the network: every fault for every request to the
server, and for every POST to the receiver. Folders, receiver, server, journal and audit
chain are checked from outside.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hotfolder.core.crashpoints import RETURN_POINTS
from hotfolder.sandbox.faults import Fault
from hotfolder.sandbox.sandbox import Sandbox
from tests.support import forked
from tests.support.archivist import SandboxArchivist
from tests.support.drop_mix import write_drops
from tests.support.line import run_line
from tests.support.outward import Exstream, ask_everywhere, build, check, run
from tests.support.receiver import (
    Answer,
    Receiver,
    hang_up,
    lose_answer,
    receiving,
    status,
    take_it,
)
from tests.support.serving import serving
from tests.sweeps.attempts import run_sweep
from tests.sweeps.network import FAULTS, READ_TIMEOUT

KILLED = 137
ANSWERS: dict[str, Answer] = {
    "receiver: 500": status(500),
    "receiver: 503": status(503),
    "receiver: 409": status(409),
    "receiver: closes": hang_up,
    "receiver: takes it, and the answer is lost": lose_answer,
}
ROOT = Path(__file__).parent.parent.parent
Kill = tuple[str, int]


class Scene:
    """Documents in store and server, a receiver, and everything asked that is asked; made
    once, and as it was then again and again."""

    def __init__(
        self, base: Path, sandbox: Sandbox, receiver: Receiver, archivist: SandboxArchivist
    ) -> None:
        self._base = base
        self.sandbox = sandbox
        self.receiver = receiver
        self.archivist = archivist
        (base / "hot").mkdir()
        write_drops(base / "hot", good=6)
        line = build(base, sandbox.url, receiver.url)
        try:
            assert run_line(line)
            ask_everywhere(line.works, base, archivist)
        finally:
            line.works.close()
        self._older = str(base / "older.db")
        sandbox.snapshot(self._older)

    def renew(self, root: Path) -> None:
        """All of it under ``root``, as if nothing had happened since."""
        # Copies have other inodes and times than what was seen; nothing is claimed yet.
        shutil.copytree(self._base, root, dirs_exist_ok=True)
        self.sandbox.restore(self._older)
        self.archivist.log_in()  # of sessions the server has those of then
        self.receiver.forget()


@contextmanager
def prepared(base: Path) -> Iterator[Scene]:
    """A scene with its server and its receiver."""
    with serving() as sandbox, receiving() as receiver, SandboxArchivist(sandbox) as archivist:
        yield Scene(base, sandbox, receiver, archivist)


def run_process(root: Path, url: str, receiver: str, kill: Kill) -> int:
    """One life as a process of its own; its exit code."""
    command = [sys.executable, "-m", "tests.support.outward", str(root), url, receiver]
    done = forked.run(
        [*command, "--crash", kill[0], "--occurrence", str(kill[1])],
        cwd=ROOT,
        timeout=120,
    )
    if done.returncode not in (0, KILLED, -9):
        raise AssertionError(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.returncode


def kill_and_recover(scene: Scene, root: Path, kills: Sequence[Kill]) -> int:
    """Live through each kill in turn, then to the end, and check; returns how many of
    the kills happened."""
    scene.renew(root)
    exstream = Exstream(root / "back")
    url, receiver = scene.sandbox.url, scene.receiver
    reached = 0
    for kill in kills:
        reached += run_process(root, url, receiver.url, kill) == KILLED
        exstream.take()
    line = build(root, url, receiver.url)
    try:
        assert run(line, root), "something is still waiting"
        check(line.works, root, exstream, receiver, scene.archivist)
    finally:
        line.works.close()
    return reached


def meet(
    scene: Scene, root: Path, fault: Fault | None, answers: Sequence[Answer] = ()
) -> tuple[bool, int]:
    """Live once with a server that meets a request with ``fault``, and a receiver that
    begins with ``answers``; then check. Whether they struck, and how many requests there
    were."""
    scene.renew(root)
    exstream = Exstream(root / "back")
    faults, receiver = scene.sandbox.faults, scene.receiver
    faults.clear()
    if fault is not None:
        faults.add(fault)
    receiver.faults = list(answers)
    line = build(root, scene.sandbox.url, receiver.url, read_timeout=READ_TIMEOUT)
    try:
        finished = run(line, root)
        struck = not faults.waiting() and not receiver.faults
        requests = len(faults.seen())
        faults.clear()
        assert finished, "something is still waiting"
        scene.archivist.log_in()  # a fault may have ended the sessions of all
        check(line.works, root, exstream, receiver, scene.archivist)
    finally:
        line.works.close()
    return struck, requests


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=0, help="how many pairs; 0 for all")
    parser.add_argument("--faults", type=int, default=0, help="how many faults; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    choose = random.Random(options.seed)
    sweeps = [[(point, number)] for point in RETURN_POINTS for number in (1, 2)]
    pairs = [[(one, 1), (two, 1)] for one, two in itertools.product(RETURN_POINTS, RETURN_POINTS)]
    if options.pairs:
        pairs = choose.sample(pairs, min(options.pairs, len(pairs)))
    with tempfile.TemporaryDirectory() as base, prepared(Path(base)) as scene:

        def die(kills: Sequence[Kill]) -> bool:
            with tempfile.TemporaryDirectory() as place:
                return kill_and_recover(scene, Path(place), kills) == len(kills)

        def fail(case: tuple[str, int]) -> bool:
            with tempfile.TemporaryDirectory() as place:
                if case[0] in ANSWERS:
                    plain: list[Answer] = [take_it] * (case[1] - 1)
                    return meet(scene, Path(place), None, [*plain, ANSWERS[case[0]]])[0]
                return meet(scene, Path(place), FAULTS[case[0]](case[1]))[0]

        with tempfile.TemporaryDirectory() as place:
            requests = meet(scene, Path(place), None)[1]
        cases = [(name, nth) for nth in range(1, requests + 1) for name in FAULTS]
        cases += [(name, nth) for nth in (1, 2) for name in ANSWERS]
        if options.faults:
            cases = choose.sample(cases, min(options.faults, len(cases)))
        wrong = run_sweep("faults of server and receiver", cases, fail)
        return run_sweep("kills of returns and requests", [*sweeps, *pairs], die) or wrong


if __name__ == "__main__":
    sys.exit(main())
