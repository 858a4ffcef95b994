"""The kill sweep, whole:

    python -m tests.sweeps.kill_points [--pairs N] [--seed S]

Every named point, then pairs of points (all of them, or N drawn by the seed): the line
is run as a process that dies at the first point, again to die at the second, and then
to the end; store, server, journal and folders are checked from outside. Prints how many
kills were tried and how many points were reached.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hotfolder.core.crashpoints import POINTS
from tests.support import forked
from tests.support.drop_mix import write_drops
from tests.support.line import build_line, run_line
from tests.support.outcome import check_outcome
from tests.support.serving import serving

KILLED = 137
ROOT = Path(__file__).parent.parent.parent


def run_process(root: Path, url: str, *arguments: str) -> int:
    """One run of the line as a process of its own; its exit code."""
    done = forked.run(
        [sys.executable, "-m", "tests.support.line", str(root), url, *arguments],
        cwd=ROOT,
        timeout=120,
    )
    if done.returncode not in (0, KILLED, -9):
        raise AssertionError(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.returncode


def kill_and_recover(
    root: Path, kills: Sequence[tuple[str, int]], *, arguments: Sequence[str] = ()
) -> int:
    """Run with each kill in turn, then to the end, and check; returns how many of the
    kills happened (a point may lie behind the end)."""
    with serving() as sandbox:
        (root / "hot").mkdir()
        expected = write_drops(root / "hot")
        reached = 0
        for point, occurrence in kills:
            code = run_process(
                root, sandbox.url, "--crash", point, "--occurrence", str(occurrence), *arguments
            )
            reached += code == KILLED
        line = build_line(root, sandbox.url)
        try:
            assert run_line(line), "something is still waiting"
            check_outcome(line, root, sandbox.url, expected)
        finally:
            line.works.close()
        return reached


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=0, help="how many pairs; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sweeps = [[(point, 1)] for point in POINTS]
    pairs = [[(one, 1), (two, 1)] for one, two in itertools.product(POINTS, POINTS)]
    if options.pairs:
        pairs = random.Random(options.seed).sample(pairs, min(options.pairs, len(pairs)))
    kills = reached = 0
    for number, sweep in enumerate([*sweeps, *pairs], 1):
        with tempfile.TemporaryDirectory() as place:
            reached += kill_and_recover(Path(place), sweep)
        kills += len(sweep)
        print(f"{number}/{len(sweeps) + len(pairs)} {sweep}", flush=True)
    print(f"{kills} kills tried, {reached} points reached, nothing lost, nothing twice")


if __name__ == "__main__":
    main()
