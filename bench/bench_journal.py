"""The journal: how fast it takes a burst, how fast it starts when it has grown large.

    python -m bench.bench_journal [--burst 30000] [--spools 1000000] [--waiting 100000]

The burst goes through every state in synced batches; beside it, the same rows inserted
once into one bare table. The large journal has ``--spools`` finished spools with a
document each and ``--waiting`` that are stored and wait for a unit. Bars: the claims of
30,000 spools in 5 s, 1,000 spools in 100 ms for every method, a start in 2 s and 100 MB,
and no repeated look above 50 ms.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.common import Bar, Report, arguments, mebibytes, place_for, run_part, settle_disk

BATCH = 1000
LOOKS = 20
METHODS = ("begin_claims", "finish_claims", "record_readings", "record_stored")
DELIVERY = ("plan_unit", "mark_sent", "unit_request", "confirm_unit", "record_receipted")


def main(arguments_: list[str]) -> int:
    parser = arguments("the journal, in a burst and after a restart")
    parser.add_argument("--burst", type=int, default=30_000, help="spools that come at once")
    parser.add_argument("--spools", type=int, default=1_000_000, help="spools done long ago")
    parser.add_argument("--waiting", type=int, default=100_000, help="spools that wait")
    options = parser.parse_args(arguments_)
    report = Report(name="journal")
    with place_for(options.place) as place:
        _burst(report, place, options.burst)
        _restart(report, place, options.spools, options.waiting)
    return report.finish(options.output)


def _burst(report: Report, place: Path, count: int) -> None:
    settle_disk()
    floor = run_part("journalling", "bare", str(place / "bare.db"), str(count), str(BATCH))
    settle_disk()
    found = run_part("journalling", "burst", str(place / "burst.db"), str(count), str(BATCH))
    bare = float(floor.answer["seconds"])
    report.add("burst: spools", count, f"{count:,} in batches of {BATCH:,}")
    report.add("burst: floor, one bare insert each", count / bare, f"{count / bare:,.0f}/s")
    taken = float(found.answer["taken"])
    rate = count / taken
    report.add("burst: claim to stored, four synced steps", rate, f"{rate:,.0f} spools/s")
    report.add("burst: of the floor", bare / taken, f"{bare / taken:.3f}")
    for name in METHODS:
        mean = found.answer[f"{name} s"] / count * 1000 * 1000
        longest = found.answer[f"{name} longest"] * 1000
        report.add(f"burst: {name} ms", mean, f"{mean:.1f} ms per 1,000, longest {longest:.0f}")
        report.bars.append(Bar(what=f"{name}, ms per 1,000", value=mean, limit=100.0, at_most=True))
    for name in DELIVERY:
        mean = found.answer[f"{name} s"] / count * 1000 * 1000
        report.add(f"delivery: {name} ms", mean, f"{mean:.1f} ms per 1,000 documents")
    claims = float(found.answer["begin_claims s"]) + float(found.answer["finish_claims s"])
    report.bars.append(
        Bar(
            what="journal's share of claiming 30,000, s",
            value=claims / count * 30_000,
            limit=5.0,
            at_most=True,
        )
    )


def _restart(report: Report, place: Path, spools: int, waiting: int) -> None:
    path = str(place / "large.db")
    run_part("journalling", "fill", path, "0", str(spools), "1")
    filled = run_part("journalling", "fill", path, str(spools), str(waiting), "0")
    settle_disk()
    first = run_part("journalling", "restart", path, str(LOOKS))
    report.add("restart: spools", spools + waiting, f"{spools:,} done, {waiting:,} waiting")
    report.add("restart: size", filled.answer["bytes"], mebibytes(filled.answer["bytes"]))
    for name, value in first.answer.items():
        if name.endswith(" ms"):
            report.add(f"restart: {name}", value, f"{value:.2f} ms")
            report.bars.append(
                Bar(what=f"repeated look: {name}", value=value, limit=50.0, at_most=True)
            )
    report.bars += [
        Bar(what="restart, s", value=first.answer["seconds"], limit=2.0, at_most=True),
        Bar(what="restart, peak MB", value=first.peak_bytes / 1e6, limit=100.0, at_most=True),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
