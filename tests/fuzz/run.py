"""Fuzzing, for as long as it is wanted:

    python -m tests.fuzz.run [--reader NAME] [--runs N | --seconds S] [--seed N]

Samples are harmed (``mutation``) and read (``readers``). What is found is written to
``tests/fuzz/found/READER/``, which ``test_fuzz`` reads again from then on. Prints how
many inputs were read, how many of them were accepted, and what was found.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import random
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hotfolder.core.errors import InputFault
from tests.fuzz.mutation import mutate
from tests.fuzz.readers import Reader, make_readers

FOUND = Path(__file__).parent / "found"
_MEMORY = 2 << 30  # bytes of address space
_HANG = 20  # seconds for one small input


@dataclass(slots=True)
class Tally:
    """What came of one reader."""

    runs: int = 0
    accepted: int = 0
    found: list[tuple[bytes, BaseException]] = field(default_factory=list)


def fuzz(reader: Reader, seed: int, runs: int, seconds: float) -> Tally:
    """Read harmed samples until ``runs`` or ``seconds`` are over (0: no such limit)."""
    tally = Tally()
    end = time.monotonic() + seconds
    for number in itertools.count() if not runs else range(runs):
        if seconds and time.monotonic() > end:
            break
        data = mutate(random.Random(f"{seed}:{number}"), reader.samples)
        tally.runs += 1
        try:
            with hang_limit():
                answer = reader.read(data)
            tally.accepted += getattr(answer, "fault", None) is None
        except InputFault:
            pass
        except Exception as error:  # noqa: BLE001  this is what is looked for
            tally.found.append((data, error))
    return tally


@contextmanager
def hang_limit() -> Iterator[None]:
    """``TimeoutError`` if it takes far too long (in the main thread only)."""

    def give_up(_signal: int, _frame: object) -> None:
        raise TimeoutError("it does not end")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_HANG)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    readers = make_readers()
    parser = argparse.ArgumentParser()
    parser.add_argument("--reader", choices=sorted(readers), action="append")
    parser.add_argument("--runs", type=int, default=0, help="of each reader")
    parser.add_argument("--seconds", type=float, default=0, help="for each reader; 60 if no limit")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    seconds = options.seconds or (0 if options.runs else 60)
    findings = 0
    for name in options.reader or readers:
        tally = fuzz(readers[name], options.seed, options.runs, seconds)
        kinds: dict[str, bytes] = {}
        for data, error in tally.found:
            kind = f"{type(error).__name__}: {str(error)[:100]}"
            if kind not in kinds or len(data) < len(kinds[kind]):
                kinds[kind] = data
        for kind, data in kinds.items():
            place = FOUND / name
            place.mkdir(parents=True, exist_ok=True)
            (place / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
            print(f"  FOUND in {name}: {kind}")
        findings += len(kinds)
        print(
            f"{name}: {tally.runs} inputs, {tally.accepted} accepted, {len(kinds)} findings",
            flush=True,
        )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
