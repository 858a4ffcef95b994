"""What the measurements share: children with their peak memory, tables, JSON.

A measurement runs in a process of its own, so that its peak resident set is its own;
it prints one JSON object as its last line. Ratios are between things measured in the
same run on the same disk; absolute numbers are this machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A finished child: wall seconds, peak resident bytes, its last line as JSON."""

    seconds: float
    peak_bytes: int
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a number must be: at least (or at most) ``limit``. ``met`` says whether it is."""

    what: str
    value: float
    limit: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit


@dataclass(slots=True, kw_only=True)
class Report:
    """Rows for people, numbers for programs, bars for both."""

    name: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)

    def add(self, what: str, number: float, shown: str) -> None:
        """One number."""
        self.rows.append((what, shown))
        self.numbers[what] = number

    def finish(self, output: str | None) -> int:
        """Print the table, write the JSON; 1 if a bar is not met."""
        # Not at the top: the measured parts import this module, and their memory counts.
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table("what", "measured", "bar", title=self.name)
        for what, shown in self.rows:
            table.add_row(what, shown, "")
        for bar in self.bars:
            sign = "at most" if bar.at_most else "at least"
            verdict = f"{sign} {bar.limit:g}: {'met' if bar.met else 'NOT MET'}"
            table.add_row(bar.what, f"{bar.value:.3g}", verdict)
        Console().print(table)
        found = {
            "bench": self.name,
            "machine": machine(),
            "numbers": self.numbers,
            "bars": [{**asdict(bar), "met": bar.met} for bar in self.bars],
        }
        if output:
            Path(output).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        return 0 if all(bar.met for bar in self.bars) else 1


def machine() -> dict[str, Any]:
    """What a reader of the numbers must know of the machine."""
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 1),
    }


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with what every measurement takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", dest="output", help="write the numbers to this file")
    parser.add_argument("--place", help="a folder on the disk to measure; default: a temporary one")
    return parser


def add_small(parser: argparse.ArgumentParser) -> None:
    """For measurements whose whole run takes minutes."""
    parser.add_argument(
        "--small", action="store_true", help="a hundredth or so of everything: does it run at all"
    )


@contextmanager
def place_for(chosen: str | None) -> Iterator[Path]:
    """A folder to work in, on the disk to be measured; emptied afterwards."""
    if chosen is not None:
        Path(chosen).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hotfolder-bench-", dir=chosen) as found:
        yield Path(found)


def run_child(command: Sequence[str]) -> Measured:
    """Run ``command`` to its end. Raises ``CalledProcessError`` if it fails."""
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise subprocess.CalledProcessError(child.returncode, command, output)
    last = output.strip().rsplit(b"\n", 1)[-1] or b"{}"
    return Measured(
        seconds=time.monotonic() - started,
        peak_bytes=usage.ru_maxrss * 1024,  # getrusage(2): kilobytes on Linux
        answer=json.loads(last),
    )


def run_part(module: str, *parameters: str) -> Measured:
    """Run a part of a measurement, ``python -m bench.module …``, on its own."""
    return run_child([sys.executable, "-m", f"bench.{module}", *parameters])


def answer(**numbers: float | str) -> None:
    """What a part says to the measurement that started it."""
    print(json.dumps(numbers), flush=True)


def own_peak(pid: int | str = "self") -> int:
    """The peak resident bytes of a process so far, without those of its children, which
    ``wait4`` counts in, and without those of its parent before the ``exec``."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def settle_disk() -> None:
    """Write everything out, so that one measurement does not pay for another's pages."""
    os.sync()


def mebibytes(count: float) -> str:
    """Bytes for people."""
    return f"{count / (1 << 20):,.1f} MiB"
