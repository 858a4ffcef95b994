"""Migration: a plan over many files, taking them in against plain intake, and a
reconciliation of a million items.

    python -m bench.bench_migrate [--files 200000] [--small 10000] [--items 1000000]

The plan reads small files with a sidecar each, in folders of a thousand. Taking them in
copies, journals, claims, reads and stores; plain intake of the same drops, in the same run,
does without the copy. ArchivesSpace is in none of it: it is slower than either. Bars: a
quarter of plain intake's rate, and memory that does not grow with the export.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from bench.common import (
    Bar,
    Measured,
    Report,
    arguments,
    mebibytes,
    place_for,
    run_part,
    settle_disk,
)
from bench.migrating import SEED
from hotfolder.sandbox.writers import write_bulk

MEMORY_BAR = 200e6
_IN_FOLDER = 1000


def main(arguments_: list[str]) -> int:
    parser = arguments("migration: plan, run, reconcile")
    parser.add_argument("--files", type=int, default=200_000, help="of the plan")
    parser.add_argument("--small", type=int, default=10_000, help="that are taken in")
    parser.add_argument("--items", type=int, default=1_000_000, help="of the reconciliation")
    options = parser.parse_args(arguments_)
    report = Report(name="migrate")
    with place_for(options.place) as place:
        if options.files:
            _plan(report, place, options.files)
        if options.small:
            _take(report, place, options.small)
        if options.items:
            _reconcile(report, place, options.items)
    return report.finish(options.output)


def _plan(report: Report, place: Path, count: int) -> None:
    export, root = place / "export", place / "plan"
    root.mkdir()
    for number in range(count):
        folder = export / f"{number // _IN_FOLDER:04}"
        if not number % _IN_FOLDER:
            folder.mkdir(parents=True)
        name = folder / f"D{number:07}.txt"
        name.write_text(f"Statement {number}\n" * 20)
        day = f"{2000 + number % 20}-{1 + number % 12:02}-{1 + number % 28:02}"
        fields = {"customer_id": f"C{number}", "document_type": "statement", "issue_date": day}
        Path(f"{name}.json").write_text(json.dumps(fields))
    settle_disk()
    found = run_part("migrating", "plan", str(root), str(export))
    rate = found.answer["items"] / found.answer["seconds"]
    report.add("plan: files", count, f"{count:,} with JSON")
    report.add("plan: rate", rate, f"{rate:,.0f} files/s")
    report.bars.append(_memory("plan", found.peak_bytes))
    shutil.rmtree(export)
    shutil.rmtree(root)


def _take(report: Report, place: Path, count: int) -> None:
    export = place / "small"
    export.mkdir()
    size = sum(item.size for item in write_bulk(os.fsencode(export), count, 1))
    report.add("run: files", count, f"{count:,} with JSON, {mebibytes(size)}")
    plain = place / "plain"
    plain.mkdir()
    shutil.copytree(export, plain / "hot", copy_function=os.link)
    settle_disk()
    intake = run_part("taking", str(plain))
    shutil.rmtree(plain)
    root = place / "run"
    root.mkdir()
    settle_disk()
    ours = run_part("migrating", "take", str(root), str(export), str(count))
    for name, found in (("plain intake", intake), ("run", ours)):
        rate = count / found.answer["seconds"]
        report.add(f"{name}: rate", rate, f"{rate:,.0f} files/s")
    ratio = intake.answer["seconds"] / ours.answer["seconds"]
    report.bars += [
        Bar(what="run / plain intake", value=ratio, limit=0.25),
        _memory("run", ours.peak_bytes),
    ]
    shutil.rmtree(root)
    shutil.rmtree(export)


def _reconcile(report: Report, place: Path, count: int) -> None:
    few_root, root = place / "few", place / "reconcile"
    few_root.mkdir()
    root.mkdir()
    few = _compare(few_root, min(count, SEED))
    found = _compare(root, count - count % SEED or count)
    done = found.answer["items"]
    report.add("reconcile: items", done, f"{done:,.0f} archived spools of 2,000 bytes")
    for what, seconds in (
        ("reconcile: rate", found.answer["seconds"]),
        ("reconcile: reading the source", found.answer["reading"]),
        ("reconcile: comparing", found.answer["comparing"]),
        ("outcomes: rate", found.answer["settling"]),
    ):
        report.add(what, done / seconds, f"{done / seconds:,.0f} items/s")
    few_peak = f"{few.peak_bytes / 1e6:,.0f} MB"
    report.add(f"reconcile: peak of {min(count, SEED):,}", few.peak_bytes, few_peak)
    report.bars.append(_memory("reconcile", found.peak_bytes))
    shutil.rmtree(root)


def _compare(root: Path, count: int) -> Measured:
    run_part("migrating", "archive", str(root), str(count))
    settle_disk()
    return run_part("migrating", "reconcile", str(root), str(count))


def _memory(what: str, peak: int) -> Bar:
    return Bar(what=f"{what}: peak MB", value=peak / 1e6, limit=MEMORY_BAR / 1e6, at_most=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
