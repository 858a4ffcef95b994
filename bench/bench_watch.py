"""Watching: from a finished file to its durable journal row, and bursts.

    python -m bench.bench_watch [--small] [--files 1000] [--bursts 30000 200000]

Idle: files finished one after another, by a rename into place or by their close. For
hotfolder the time ends when the claim's intent is synced, and again when the file is
claimed. The peers, a bare watchdog handler and watchfiles, insert the bare name into a
bare table, as durably. watchfiles tells no close: it has no column there.

Bursts: two processes write as fast as they can. hotfolder claims and journals; the
handler of watchdog does nothing but note the name. Once more with room for 16 events
in the kernel's queue, where this account may set that. A file that hotfolder loses
makes the run fail, whatever else it measured.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.common import Bar, Report, add_small, arguments, place_for, run_part, settle_disk
from bench.looking import LIMIT

SHORT_QUEUE = 16
MEMORY_BAR = 120.0  # MB
MEDIAN_BAR, TAIL_BAR = 5.0, 25.0  # ms
BURST_BAR = 5.0  # seconds of intake for BURST files
BURST = 30_000


def main(arguments_: list[str]) -> int:
    parser = arguments("watching: how soon, how many, none lost")
    add_small(parser)
    parser.add_argument("--files", type=int, default=1000, help="finished singly")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between those")
    parser.add_argument("--bursts", type=int, nargs="*", default=[BURST, 200_000])
    options = parser.parse_args(arguments_)
    files, bursts = (100, [1000]) if options.small else (options.files, options.bursts)
    report = Report(name="watch")
    with place_for(options.place) as place:
        for way in ("rename", "close"):
            _idle(report, place, way, files, options.pause)
        for count in bursts:
            for queue in (0, SHORT_QUEUE):
                if queue and not os.access(LIMIT, os.W_OK):
                    report.rows.append((f"burst of {count:,}, short queue", "skipped: not root"))
                    continue
                _burst(report, place, count, queue)
    return report.finish(options.output)


def _run(
    place: Path, watcher: str, way: str, count: int, pause: float, queue: int
) -> dict[str, Any]:
    # Nothing is removed before the end: ext4 without a journal is slow to make files
    # where many were removed a moment ago, and that would be measured.
    root = Path(tempfile.mkdtemp(prefix=f"{watcher}-", dir=place))
    settle_disk()
    return run_part("looking", watcher, way, str(root), str(count), str(pause), str(queue)).answer


def _idle(report: Report, place: Path, way: str, count: int, pause: float) -> None:
    peers = ["watchdog"]
    if way == "rename":
        if find_spec("watchfiles") is None:
            report.rows.append(("idle: watchfiles", "skipped: not installed"))
        else:
            peers += ["watchfiles", "watchfiles-tuned"]
    found = _run(place, "intake", way, count, pause, 0)
    for name, what in (("kept", "row durable"), ("heard", "settled")):
        _add_delays(report, f"idle, {way}: hotfolder, {what}", found, name)
    report.bars += [
        Bar(
            what=f"idle, {way}: {which}, ms",
            value=found[f"kept {which}"] * 1000,
            limit=limit,
            at_most=True,
        )
        for which, limit in (("p50", MEDIAN_BAR), ("p99", TAIL_BAR))
    ]
    _add_lost(report, f"idle, {way}", found)
    for peer in peers:
        other = _run(place, peer, way, count, pause, 0)
        _add_delays(report, f"idle, {way}: {peer}, row durable", other, "kept")
        _add_delays(report, f"idle, {way}: {peer}, heard", other, "heard")


def _add_delays(report: Report, what: str, found: dict[str, Any], name: str) -> None:
    median, tail = found[f"{name} p50"] * 1000, found[f"{name} p99"] * 1000
    report.add(f"{what}: p50 ms", median, f"{median:.2f} ms, p99 {tail:.2f} ms")
    report.numbers[f"{what}: p99 ms"] = tail


def _burst(report: Report, place: Path, count: int, queue: int) -> None:
    what = f"burst of {count:,}" + (f", queue of {queue}" if queue else "")
    ours = _run(place, "intake", "rename", count, 0.0, queue)
    rate = count / ours["claimed"]
    report.add(
        f"{what}: written in, s", ours["written"], f"{ours['written']:.1f} s by two processes"
    )
    report.add(
        f"{what}: claimed, files/s", rate, f"{rate:,.0f} files/s, all after {ours['claimed']:.1f} s"
    )
    report.add(f"{what}: in claims, s", ours["claiming"], f"{ours['claiming']:.1f} s of that")
    report.add(
        f"{what}: overflows",
        ours["overflows"],
        f"{ours['overflows']:,} overflows, {ours['scans']:,} scans",
    )
    _add_lost(report, what, ours)
    report.bars.append(
        Bar(what=f"{what}: peak MB", value=ours["peak"] / 1e6, limit=MEMORY_BAR, at_most=True)
    )
    if count == BURST and not queue:
        report.bars.append(
            Bar(what=f"{what}: claims, s", value=ours["claiming"], limit=BURST_BAR, at_most=True)
        )
    alone = _run(place, "hotfolder", "rename", count, 0.0, queue)
    rate = count / alone["claimed"]
    report.add(
        f"{what}: watcher alone, files/s",
        rate,
        f"{rate:,.0f} files/s, {alone['peak'] / 1e6:.0f} MB, {alone['overflows']:,} overflows",
    )
    _add_lost(report, f"{what}, watcher alone", alone)
    bare = _run(place, "watchdog", "rename", count, 0.0, queue)
    report.add(
        f"{what}: bare watchdog, lost",
        bare["heard lost"],
        f"{bare['heard lost']:,} of {count:,} lost, {bare['peak'] / 1e6:.0f} MB",
    )


def _add_lost(report: Report, what: str, found: dict[str, Any]) -> None:
    lost = max(found["heard lost"], found.get("kept lost", 0), found["left"])
    report.bars.append(Bar(what=f"{what}: lost", value=lost, limit=0, at_most=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
