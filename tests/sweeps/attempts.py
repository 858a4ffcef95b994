"""Trying every point of a sweep and telling what came of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

P = TypeVar("P")
EX_TEMPFAIL = 75  # what a sweep exits with where it may not be run


def try_all(
    points: Sequence[P], attempt: Callable[[P], bool], jobs: int = 1
) -> Iterator[tuple[P, bool | BaseException]]:
    """Try each point; whether it was reached, or what was wrong afterwards."""

    def outcome(point: P) -> tuple[P, bool | BaseException]:
        try:
            return point, attempt(point)
        except Exception as error:  # noqa: BLE001  whatever it is, the other points are tried
            return point, error

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(outcome, points)


def run_sweep(what: str, points: Sequence[P], attempt: Callable[[P], bool], jobs: int = 1) -> int:
    """Try all, print what is wrong and how many were tried; the exit code."""
    tried = reached = failed = 0
    for point, outcome in try_all(points, attempt, jobs):
        tried += 1
        if isinstance(outcome, BaseException):
            failed += 1
            print(f"WRONG {point}: {explain(outcome)}", flush=True)
        else:
            reached += outcome
        if tried % 25 == 0:
            print(f"{tried}/{len(points)}, {failed} wrong", flush=True)
    print(f"{tried} {what} tried, {reached} happened, {failed} left something wrong")
    return 1 if failed else 0


def explain(error: BaseException) -> str:
    """What was wrong, and which line says so."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {error} [{Path(frame.filename).name}: {frame.line}]"
