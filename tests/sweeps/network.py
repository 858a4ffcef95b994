"""The network sweep, whole:

    python -m tests.sweeps.network

A delivery is run once to learn its requests. Then, for every one of them and every
fault of the network or the server, a fresh line delivers to a fresh server that makes
this request meet this fault; the outcome is checked from the server's side. Once by
imports, once by single POSTs (``least_privilege``). Prints how many were tried.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from hotfolder.sandbox.faults import Action, Fault
from tests.support.drop_mix import write_drops
from tests.support.line import build_line, run_line
from tests.support.outcome import check_outcome
from tests.support.serving import serving

READ_TIMEOUT = 0.4  # seconds; shorter than the delays below
DELAY = 0.8

# name, and the fault for the request with this number
FAULTS = {
    "refused": lambda nth: Fault(action=Action.REFUSE, nth=nth, seconds=0.2),
    "closed before": lambda nth: Fault(action=Action.CLOSE, nth=nth),
    "reset before": lambda nth: Fault(action=Action.RESET, nth=nth),
    "reset after commit": lambda nth: Fault(action=Action.RESET, nth=nth, committed=True),
    "timeout, then commit": lambda nth: Fault(action=Action.DELAY, nth=nth, seconds=DELAY),
    "500 before": lambda nth: Fault(action=Action.STATUS, nth=nth, status=500),
    "500 after commit": lambda nth: Fault(
        action=Action.STATUS, nth=nth, status=500, committed=True
    ),
    "503 before": lambda nth: Fault(action=Action.STATUS, nth=nth, status=503),
    "409": lambda nth: Fault(action=Action.STATUS, nth=nth, status=409),
    "cut after commit": lambda nth: Fault(action=Action.CUT, nth=nth, committed=True),
    "session expired": lambda nth: Fault(action=Action.EXPIRE, nth=nth),
    "session gone": lambda nth: Fault(action=Action.FORGET, nth=nth),
}


def learn_requests(*, least_privilege: bool) -> list[str]:
    """The requests of one delivery without faults, in order."""
    with tempfile.TemporaryDirectory() as place, serving() as sandbox:
        root = Path(place)
        (root / "hot").mkdir()
        write_drops(root / "hot", good=2)
        sandbox.faults.clear()
        line = build_line(root, sandbox.url, least_privilege=least_privilege)
        try:
            assert run_line(line)
        finally:
            line.works.close()
        return [f"{seen.method} {seen.path}" for seen in sandbox.faults.seen()]


def deliver_through(root: Path, name: str, nth: int, *, least_privilege: bool) -> bool:
    """One delivery whose request ``nth`` meets the fault; checks the outcome. True if
    the fault struck."""
    with serving() as sandbox:
        (root / "hot").mkdir()
        expected = write_drops(root / "hot", good=2)
        sandbox.faults.clear()
        sandbox.faults.add(FAULTS[name](nth))
        line = build_line(
            root, sandbox.url, least_privilege=least_privilege, read_timeout=READ_TIMEOUT
        )
        try:
            finished = run_line(line)
            struck = not sandbox.faults.waiting()
            sandbox.faults.clear()
            assert finished, "something is still waiting"
            check_outcome(line, root, sandbox.url, expected)
        finally:
            line.works.close()
        return struck


def every_case(*, least_privilege: bool) -> Iterator[tuple[str, int]]:
    """Every fault for every request."""
    for nth in range(1, len(learn_requests(least_privilege=least_privilege)) + 1):
        for name in FAULTS:
            yield name, nth


def main() -> None:
    tried = struck = 0
    for least_privilege in (False, True):
        for name, nth in every_case(least_privilege=least_privilege):
            with tempfile.TemporaryDirectory() as place:
                struck += deliver_through(Path(place), name, nth, least_privilege=least_privilege)
            tried += 1
            print(f"{tried} request {nth}: {name}", flush=True)
    print(f"{tried} faults tried, {struck} struck, each document exactly once")


if __name__ == "__main__":
    main()
