"""Finding among ten million documents, and loading more.

    python -m bench.bench_find [--small] [--documents 10000000] [--place FOLDER]
    python -m bench.bench_find --catalogue FILE     # one that ``bench.catalogue`` made

Every question is asked with values chosen by chance, warm (asked once before) and cold
(the file put out of the page cache and opened anew before each). The floor is one
statement of the bare sqlite3 module for the same rows by the same index. Then one more
spool is loaded through the journal's own methods, and into an empty bare table. Bar: 50 ms for
every find that is warm, and for customer and days cold too. Others tell, cold, how many pages
the disk had to be asked for; counts look at all that is counted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

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
from bench.finding import PAGED, QUESTIONS

FIND_BAR = 50.0  # ms
MEMORY_BAR = 100.0  # MB
PAGES = (1, 99)  # the second and the hundredth
LOADED = 20_000  # documents of one more spool


def main(arguments_: list[str]) -> int:
    parser = arguments("finding among many documents")
    add_small(parser)
    parser.add_argument("--documents", type=int, default=10_000_000)
    parser.add_argument("--catalogue", help="use this one and keep it; more is loaded into it")
    parser.add_argument("--rounds", type=int, default=100, help="values of each question, warm")
    parser.add_argument("--cold", type=int, default=20, help="values of each question, cold")
    parser.add_argument("--only", nargs="*", help="these questions alone")
    options = parser.parse_args(arguments_)
    if options.small:
        options.documents, options.rounds, options.cold = 100_000, 20, 5
    report = Report(name="find")
    with place_for(options.place) as place:
        path = Path(options.catalogue) if options.catalogue else place / "catalogue.db"
        if not path.exists():
            made = run_part("catalogue", str(path), str(options.documents))
            report.add(
                "catalogue", made.answer["bytes"],
                f"{options.documents:,} documents in {made.answer['spools']:,} spools,"
                f" made in {made.answer['seconds']:,.0f} s",
            )  # fmt: skip
        size = path.stat().st_size
        report.add(
            "size", size / options.documents,
            f"{mebibytes(size)}, {size / options.documents:,.0f} bytes a document",
        )  # fmt: skip
        settle_disk()
        peak = 0.0
        for name in options.only or QUESTIONS:
            peak = max(peak, _ask(report, name, path, (name, 0), options))
            for pages in PAGES if name in PAGED else ():
                _ask(report, f"{name}: page {pages + 1}", path, (name, pages), options)
        report.bars.append(Bar(what="peak MB", value=peak / 1e6, limit=MEMORY_BAR, at_most=True))
        if not options.only:
            _compare(report, path, place / "bare.db", options)
    return report.finish(options.output)


def _ask(report: Report, what: str, path: Path, asked: tuple[str, int], options: Any) -> float:
    name, pages = asked
    warm = run_part("finding", "ask", str(path), name, str(options.rounds), "0", str(pages)).answer
    cold = run_part("finding", "ask", str(path), name, str(options.cold), "1", str(pages)).answer
    report.add(
        f"{what}, ms", warm["find p50"],
        f"{warm['find p50']:.2f} / {warm['find p99']:.2f} warm,"
        f" {cold['find p50']:.1f} / {cold['find p99']:.1f} cold, {warm['rows']:.0f} rows",
    )  # fmt: skip
    print(f"{what}: {report.rows[-1][1]}", file=sys.stderr, flush=True)  # it takes long
    for part, found in (("warm", warm), ("cold", cold)):
        report.numbers |= {f"{what}, {part} {key}": value for key, value in found.items()}
        if part == "warm" or what == "customer and days":
            found_in = found["find p99"]
            report.bars.append(
                Bar(what=f"{what}: {part} p99", value=found_in, limit=FIND_BAR, at_most=True)
            )
    if "count p50" in warm:
        report.add(
            f"{what}: count, ms", warm["count p50"],
            f"{warm['count p50']:.2f} / {warm['count p99']:.2f} warm",
        )  # fmt: skip
    return float(warm["peak"])


def _compare(report: Report, path: Path, bare: Path, options: Any) -> None:
    for part, rounds in (("warm", options.rounds), ("cold", options.cold)):
        chosen = ("ask_floor", str(path), str(rounds), str(int(part == "cold")))
        floor = run_part("finding", *chosen).answer
        ours = report.numbers[f"customer and days, {part} find p50"]
        report.add(
            f"floor: customer and days, {part}, ms", floor["find p50"],
            f"{floor['find p50']:.3f} / {floor['find p99']:.3f};"
            f" hotfolder takes {ours / floor['find p50']:.2f} of it",
        )  # fmt: skip
    settle_disk()
    loaded = run_part("finding", "load", str(path), str(bare), str(LOADED))
    for what, key in (("record_readings", "read"), ("record_stored", "stored")):
        rate = loaded.answer[key]
        report.add(f"load: {what}, documents/s", rate, f"{rate:,.0f}/s")
    report.add(
        "load: bare rows/s", loaded.answer["floor"],
        f"{loaded.answer['floor']:,.0f}/s; record_readings reaches"
        f" {loaded.answer['read'] / loaded.answer['floor']:.2f} of it",
    )  # fmt: skip
    report.add("load: growth", loaded.answer["grown"], f"{loaded.answer['grown']:,.0f} bytes each")
    report.add(
        "load: peak MB", loaded.answer["peak"] / 1e6, f"{loaded.answer['peak'] / 1e6:.0f} MB"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
