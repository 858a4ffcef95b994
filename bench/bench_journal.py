"""The journal: how fast it takes a burst, and how it looks at a million spools.

    python -m bench.bench_journal [--small] [--burst 30000] [--spools 1000000]

A burst goes through every state, in the batches of the daemon, and some spools one by
one. Beside it the same rows in bare tables of SQLite, as durable, and the same bytes
written and synced by fdatasync (``bare.py``). The large journal has ``--spools``
finished spools with a document each and ``--waiting`` that are stored and wait for a
unit. Bars: the claims of 30,000 spools in 5 s, 1,000 spools in 100 ms for every method,
a start in 2 s and 100 MB, and no look above 50 ms.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bench.bare import STEPS
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
from bench.journalling import UNIT_SIZE
from hotfolder.flows.intake import BATCH

SEED = 20_000  # spools that the journal itself writes before they are multiplied
LOOKS = 20
DELIVERY = ("plan_unit", "mark_sent", "confirm_unit", "record_receipted")
METHOD_BAR = 100.0  # ms for 1,000 spools
BURST, BURST_BAR = 30_000, 5.0  # seconds
LOOK_BAR = 50.0  # ms


def main(arguments_: list[str]) -> int:
    parser = arguments("the journal, in a burst and after a restart")
    add_small(parser)
    parser.add_argument("--burst", type=int, default=BURST, help="spools that come at once")
    parser.add_argument("--single", type=int, default=500, help="spools that come one by one")
    parser.add_argument("--spools", type=int, default=1_000_000, help="spools done long ago")
    parser.add_argument("--waiting", type=int, default=100_000, help="spools that wait")
    options = parser.parse_args(arguments_)
    if options.small:
        options.burst, options.single = 2000, 50
        options.spools, options.waiting = SEED, 2000
    report = Report(name="journal")
    with place_for(options.place) as place:
        _burst(report, place, options.burst)
        _single(report, place, options.single)
        _restart(report, place, options.spools, options.waiting)
    return report.finish(options.output)


def _compare(place: Path, name: str, count: int, batch: int) -> tuple[dict[str, Any], ...]:
    """The journal, bare rows, synced bytes."""
    sizes = (str(count), str(batch))
    settle_disk()
    ours = run_part("journalling", "burst", str(place / f"{name}.db"), *sizes).answer
    settle_disk()
    rows = run_part("bare", "rows", str(place / f"{name}.bare"), *sizes, str(UNIT_SIZE)).answer
    settle_disk()
    size = str(round(ours["written"]))
    synced = run_part("bare", "sync", str(place / f"{name}.bytes"), *sizes, size).answer
    return ours, rows, synced


def _add_steps(
    report: Report,
    what: str,
    steps: tuple[str, ...],
    count: int,
    found: tuple[dict[str, Any], ...],
) -> None:
    ours, rows, _ = found
    for step in steps:
        seconds, calls = ours[f"{step} s"], ours[f"{step} calls"]
        report.add(
            f"{what}: {step}, transactions/s",
            calls / seconds,
            f"{calls / seconds:,.0f}/s, {count / seconds:,.0f} documents/s,"
            f" {rows[f'{step} s'] / seconds:.2f} of bare rows",
        )
        report.numbers[f"{what}: {step}, documents/s"] = count / seconds
        report.numbers[f"{what}: {step} / bare rows"] = rows[f"{step} s"] / seconds
        report.numbers[f"{what}: {step}, longest ms"] = ours[f"{step} longest"] * 1000
    if steps is STEPS:
        total, bare, sync = (sum(part[f"{step} s"] for step in STEPS) for part in found)
        report.add(
            f"{what}: claim to stored, documents/s",
            count / total,
            f"{count / total:,.0f}/s, {bare / total:.2f} of bare rows,"
            f" {sync / total:.2f} of fdatasync",
        )
        report.numbers[f"{what}: claim to stored / bare rows"] = bare / total
        report.numbers[f"{what}: claim to stored / fdatasync"] = sync / total
        report.numbers[f"{what}: bytes a transaction"] = ours["written"]


def _burst(report: Report, place: Path, count: int) -> None:
    found = _compare(place, "burst", count, BATCH)
    ours = found[0]
    what = f"batches of {BATCH}"
    _add_steps(report, what, STEPS, count, found)
    _add_steps(report, f"units of {UNIT_SIZE}", DELIVERY, count, found)
    for step in (*STEPS, *DELIVERY):
        mean = ours[f"{step} s"] / count * 1000 * 1000
        report.bars.append(
            Bar(what=f"{step}, ms for 1,000", value=mean, limit=METHOD_BAR, at_most=True)
        )
    claims = float(ours["begin_claims s"]) + float(ours["finish_claims s"])
    report.bars.append(
        Bar(
            what=f"journal's share of claiming {BURST:,}, s",
            value=claims / count * BURST,
            limit=BURST_BAR,
            at_most=True,
        )
    )


def _single(report: Report, place: Path, count: int) -> None:
    _add_steps(report, "one by one", STEPS, count, _compare(place, "single", count, 1))


def _restart(report: Report, place: Path, spools: int, waiting: int) -> None:
    path = str(place / "large.db")
    seed = min(SEED, spools)
    spools = seed * (spools // seed)
    made = run_part("multiplying", path, str(seed), str(spools // seed))
    filled = run_part("journalling", "fill", path, str(spools), str(waiting), "0")
    report.add("large: spools", spools + waiting, f"{spools:,} done, {waiting:,} waiting")
    report.add(
        "large: size",
        filled.answer["bytes"],
        f"{mebibytes(filled.answer['bytes'])}, made in {made.seconds + filled.seconds:.0f} s",
    )
    settle_disk()
    first = run_part("journalling", "restart", path, str(LOOKS), str(spools - 1))
    for name, value in first.answer.items():
        if name.endswith(" ms"):
            report.bars.append(
                Bar(what=f"large: {name}", value=value, limit=LOOK_BAR, at_most=True)
            )
    report.bars += [
        Bar(what="large: start, s", value=first.answer["seconds"], limit=2.0, at_most=True),
        Bar(
            what="large: start, peak MB",
            value=first.answer["peak"] / 1e6,
            limit=100.0,
            at_most=True,
        ),
        Bar(
            what="large: all looks, peak MB",
            value=first.peak_bytes / 1e6,
            limit=100.0,
            at_most=True,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
