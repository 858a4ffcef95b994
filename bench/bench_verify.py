"""The scrub of the store against bare SHA-256 over the same files.

    python -m bench.bench_verify [--small 5000] [--large-mib 1024] [--rounds 3]

Small spools cost the scrub their inventories (two, with their checksums, parsed and
compared) and a row of the journal; a large one is hashing alone. Best of the rounds, in turn.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench.common import Bar, Report, arguments, mebibytes, place_for, run_part, settle_disk
from bench.works import open_works, take_all
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.pdfwriter import large_pdf_chunks
from hotfolder.sandbox.sidecarwriter import fields_of, write_json
from hotfolder.sandbox.writers import write_bulk

MEMORY_BAR = 120.0  # MB


def main(arguments_: list[str]) -> int:
    parser = arguments("the scrub against bare SHA-256")
    parser.add_argument("--small", type=int, default=5_000, help="how many small spools")
    parser.add_argument("--large-mib", type=int, default=1024, help="size of the large one")
    parser.add_argument("--rounds", type=int, default=3, help="of each, in turn; the best counts")
    options = parser.parse_args(arguments_)
    report = Report(name="verify")
    with place_for(options.place) as place:
        small, large = place / "small", place / "large"
        for root in (small, large):
            (root / "hot").mkdir(parents=True)
        write_bulk_all(small, options.small)
        write_large(large, options.large_mib << 20)
        for name, root, limit in (("small", small, None), ("large", large, 0.9)):
            works = open_works(root)
            take_all(works, root)
            works.close()
            _compare(report, name, root, options.rounds, limit)
    return report.finish(options.output)


def write_bulk_all(root: Path, count: int) -> None:
    """Small PDFs with JSON in the hot folder."""
    sum(item.size for item in write_bulk(os.fsencode(root / "hot"), count, 1))


def write_large(root: Path, size: int) -> None:
    """One large PDF with JSON in the hot folder."""
    communication = make_communication(1, 1)
    with (root / "hot" / "large.pdf").open("wb") as stream:
        stream.writelines(large_pdf_chunks(size, 1))
    (root / "hot" / "large.pdf.json").write_bytes(write_json(fields_of(communication)))


def _compare(report: Report, name: str, root: Path, rounds: int, limit: float | None) -> None:
    best = {"scrub": float("inf"), "bare": float("inf")}
    read = peak = 0
    for _ in range(rounds):
        for part in ("scrub", "bare"):
            settle_disk()
            found = run_part("verifying", part, str(root))
            best[part] = min(best[part], float(found.answer["seconds"]))
            if part == "scrub":
                read = int(found.answer["bytes"])
                peak = max(peak, found.peak_bytes)
                spools = int(found.answer["spools"])
            else:
                total = int(found.answer["bytes"])
    report.add(f"{name}: spools", spools, f"{spools:,}; {mebibytes(total)} in all files")
    report.add(f"{name}: of that content", read, mebibytes(read))
    for part, seconds in best.items():
        rate = total / seconds / 1e6
        report.add(f"{name}: {part}", rate, f"{rate:,.0f} MB/s, {spools / seconds:,.0f} spools/s")
    if limit is None:
        ratio = best["bare"] / best["scrub"]
        report.add(f"{name}: scrub / bare", ratio, f"{ratio:.2f}")
    else:
        report.bars.append(
            Bar(what=f"{name}: scrub / bare", value=best["bare"] / best["scrub"], limit=limit)
        )
    report.bars.append(
        Bar(what=f"{name}: peak MB", value=peak / 1e6, limit=MEMORY_BAR, at_most=True)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
