"""Comparing: pages a second, beside drawing and reading the same pages and doing no more.

    python -m bench.bench_compare [--pages 400] [--place FOLDER]

PDF: statements as ``sandbox/pdfwriter.py`` writes them, joined to one file, and the same
file with a word changed on every tenth page. The floor opens both files with pypdfium2 in
one process, draws every page in the same resolution and takes its text: what no comparison
can do without. AFP: a spool of statements beside itself with one word changed on every
tenth page, in pages and bytes. Times are of the processor, of all processes together and
with their start, the least of some rounds: both files are read at the same time on two
processors. Peak memory is that of the whole.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pikepdf

from bench.common import Bar, Measured, Report, arguments, place_for, run_part
from hotfolder.sandbox.afpwriter import write_afp
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.pdfwriter import write_pdf

RATE_BAR = 0.4  # of the floor
MEMORY_BAR = 400.0  # MB
ROUNDS = 3


def main(arguments_: list[str]) -> int:
    parser = arguments("comparing two renderings")
    parser.add_argument("--pages", type=int, default=400, help="of each PDF, about")
    options = parser.parse_args(arguments_)
    report = Report(name="compare")
    with place_for(options.place) as place:
        pages = _write_pdfs(place, options.pages)
        _compare(report, place, pages)
        _compare_afp(report, place, options.pages * 10)
    return report.finish(options.output)


def _write_pdfs(place: Path, wanted: int) -> int:
    """Two PDFs; every tenth page of the second has another word."""
    with pikepdf.new() as joined:
        number = 0
        while len(joined.pages) < wanted:
            with pikepdf.open(io.BytesIO(write_pdf(make_communication(3, number)))) as one:
                joined.pages.extend(one.pages)
            number += 1
        joined.save(place / "before.pdf", deterministic_id=True)
        for page in list(joined.pages)[::10]:
            page.contents_add(b"BT /F1 9 Tf 400 30 Td (again) Tj ET")
        joined.save(place / "after.pdf", deterministic_id=True)
        return len(joined.pages)


def _compare(report: Report, place: Path, pages: int) -> None:
    best: dict[str, Measured] = {}
    for _ in range(ROUNDS):
        for part in ("floor", "identical pages", "compare", "pictures"):
            found = run_part("comparing", part, str(place))
            if part not in best or _seconds(found) < _seconds(best[part]):
                best[part] = found
            if part == "compare" and found.answer["different"] != -(-pages // 10):
                raise SystemExit(f"{found.answer['different']} of {pages} pages differ")
    report.add("pages of each", pages, f"{pages:,}")
    for part, found in best.items():
        rate = pages / _seconds(found)
        report.add(f"PDF: {part}", rate, f"{rate:,.0f} pages/s")
    ratio = _seconds(best["floor"]) / _seconds(best["compare"])
    report.bars.append(Bar(what="PDF: hotfolder / floor", value=ratio, limit=RATE_BAR))
    peak = max(float(found.answer["peak"]) for part, found in best.items() if part != "floor")
    report.bars.append(Bar(what="peak MB", value=peak / 1e6, limit=MEMORY_BAR, at_most=True))


def _compare_afp(report: Report, place: Path, wanted: int) -> None:
    spool = write_afp([make_communication(3, number) for number in range(wanted // 2)])
    (place / "before.afp").write_bytes(spool)
    word, other = ("TOTAL".encode("cp500"), "TOTAI".encode("cp500"))
    (place / "after.afp").write_bytes(spool.replace(word, other, wanted // 20))
    found = run_part("comparing", "afp", str(place))
    pages, seconds = float(found.answer["pages"]), _seconds(found)
    megabytes = len(spool) / 1e6
    shown = f"{pages / seconds:,.0f} pages/s, {megabytes / seconds:,.1f} MB/s"
    report.add("AFP: compare", pages / seconds, shown)
    report.add("AFP: peak", float(found.answer["peak"]), f"{found.answer['peak'] / 1e6:.0f} MB")


def _seconds(found: Measured) -> float:
    return float(found.answer["seconds"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
