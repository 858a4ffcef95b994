"""A daemon that starts with much behind it: files that wait, spools long done, a backlog.

    python -m bench.bench_restart [--small] [--files 100000] [--spools 1000000]

A real ``hotfolder run`` each time, with no server to deliver to:

files     100,000 files wait in the hot folder (half of them sidecars), nothing is known
          of them. Reconciled is when the first full look is over.
done      the journal has a million spools that are done; one new drop waits.
          ``hotfolder status`` and ``show`` beside the same on an empty journal.
backlog   the server has been away: 100,000 spools are stored and wait for it, each
          with its working copy.

First work is the first claim; the quiet time (1 s here) is part of it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from argparse import Namespace
from pathlib import Path

from bench.common import (
    Bar,
    Report,
    add_small,
    arguments,
    mebibytes,
    place_for,
    run_part,
    settle_disk,
)
from bench.journalling import make_drop, spool_id
from bench.restarting import Daemon
from hotfolder.sandbox.writers import write_bulk

SEED = 20_000  # spools that the journal itself writes before they are multiplied
QUIET = 1.0
READY_BAR = 2.0  # seconds
SCAN_BAR, SCAN_MEMORY_BAR = 2.0, 100.0  # seconds, MB
MEMORY_BAR = 120.0  # MB
LOOK_BAR = 1.0  # seconds for a command
ROUNDS = 5


def main(arguments_: list[str]) -> int:
    parser = arguments("a restart with much behind it")
    add_small(parser)
    parser.add_argument("--files", type=int, default=100_000, help="files that wait")
    parser.add_argument("--spools", type=int, default=1_000_000, help="spools done")
    parser.add_argument("--waiting", type=int, default=100_000, help="spools stored")
    parser.add_argument(
        "--scenes", nargs="*", default=["files", "done", "backlog"], help="which of them"
    )
    options = parser.parse_args(arguments_)
    if options.small:
        options.files, options.spools, options.waiting = 2000, SEED, 2000
    report = Report(name="restart")
    with place_for(options.place) as place:
        for name, scene in (("files", _files), ("done", _done), ("backlog", _backlog)):
            if name in options.scenes:
                root = place / name
                root.mkdir()
                scene(report, root, options)
                shutil.rmtree(root)
    return report.finish(options.output)


def _files(report: Report, root: Path, options: Namespace) -> None:
    what = f"{options.files:,} files"
    daemon = Daemon(root, quiet=QUIET)
    drops = options.files // 2
    size = sum(found.size for found in write_bulk(bytes(root / "hot"), drops, 1))
    report.add(f"{what}: drops", drops, f"{drops:,} with a sidecar each, {mebibytes(size)}")
    settle_disk()
    with daemon.running() as ready:
        _add_ready(report, what, ready)
        scanned = daemon.wait_for_metric("hotfolder_rescans_total", 1)
        _add_seconds(report, f"{what}: all seen", scanned)
        peak = daemon.peak()
        report.bars += [
            Bar(what=f"{what}: reconciled, s", value=scanned - ready, limit=SCAN_BAR, at_most=True),
            Bar(what=f"{what}: then MB", value=peak / 1e6, limit=SCAN_MEMORY_BAR, at_most=True),
        ]
        _add_seconds(report, f"{what}: first claim", daemon.wait_for_event("spool.claimed"))
        took = daemon.wait_for_metric("hotfolder_claimed_spools_total", drops)
        report.add(f"{what}: all claimed, s", took, f"{took:.1f} s, {drops / took:,.0f} drops/s")
        _add_end(report, what, daemon)


def _done(report: Report, root: Path, options: Namespace) -> None:
    what = f"{options.spools:,} done"
    daemon = Daemon(root, quiet=QUIET)
    seed = min(SEED, options.spools)
    filled = run_part(
        "multiplying", str(root / "journal.db"), str(seed), str(options.spools // seed)
    )
    report.add(
        f"{what}: journal, MiB",
        filled.answer["bytes"] / (1 << 20),
        f"{mebibytes(filled.answer['bytes'])}, made in {filled.seconds:.0f} s",
    )
    for _ in write_bulk(bytes(root / "hot"), 1, 1):
        pass
    settle_disk()
    some = spool_id(seed * (options.spools // seed) // 2)
    with daemon.running() as ready:
        _add_ready(report, what, ready)
        _add_seconds(report, f"{what}: first claim", daemon.wait_for_event("spool.claimed"))
        daemon.wait_for_event("spool.stored")
        for name, command in (
            ("status", ("status", "--json")),
            ("show", ("show", some, "--json")),
            ("list", ("list", "--json")),
        ):
            _add_command(report, what, daemon, name, command)
        _add_end(report, what, daemon)


def _backlog(report: Report, root: Path, options: Namespace) -> None:
    what = f"{options.waiting:,} stored"
    daemon = Daemon(root, quiet=QUIET)
    run_part("journalling", "fill", str(root / "journal.db"), "0", str(options.waiting), "0")
    working = root / "hot" / "_working"
    working.mkdir()
    for number in range(options.waiting):
        place = os.fsencode(working / spool_id(number))
        os.mkdir(place)
        drop = make_drop(number)
        for sighting in (drop.spool, *drop.sidecars):
            os.close(os.open(place + b"/" + os.path.basename(sighting.name), os.O_CREAT, 0o640))
    for _ in write_bulk(bytes(root / "hot"), 1, 1):
        pass
    settle_disk()
    with daemon.running() as ready:
        _add_ready(report, what, ready)
        _add_seconds(report, f"{what}: first claim", daemon.wait_for_event("spool.claimed"))
        _, told = daemon.time_command("status", "--json")
        stored = json.loads(told)["spools"].get("STORED", 0)
        report.bars.append(Bar(what=f"{what}: stored still", value=stored, limit=options.waiting))
        _add_end(report, what, daemon)


def _add_ready(report: Report, what: str, ready: float) -> None:
    report.bars.append(Bar(what=f"{what}: ready, s", value=ready, limit=READY_BAR, at_most=True))


def _add_seconds(report: Report, what: str, seconds: float) -> None:
    report.add(f"{what}, s", seconds, f"{seconds:.2f} s after the start")


def _add_command(
    report: Report, what: str, daemon: Daemon, name: str, command: tuple[str, ...]
) -> None:
    seconds = min(daemon.time_command(*command)[0] for _ in range(ROUNDS))
    bare = min(daemon.time_command("--version")[0] for _ in range(ROUNDS))
    report.add(
        f"{what}: hotfolder {name}, s",
        seconds,
        f"{seconds:.2f} s, of which {bare:.2f} s to start a Python that says its version",
    )
    report.bars.append(
        Bar(what=f"{what}: hotfolder {name}, s", value=seconds, limit=LOOK_BAR, at_most=True)
    )


def _add_end(report: Report, what: str, daemon: Daemon) -> None:
    peak = daemon.peak()
    report.bars.append(
        Bar(what=f"{what}: peak MB", value=peak / 1e6, limit=MEMORY_BAR, at_most=True)
    )
    stopped = daemon.stop()
    report.add(f"{what}: stop, s", stopped, f"{stopped:.2f} s to stop")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
