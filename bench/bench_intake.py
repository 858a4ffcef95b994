"""Intake of many small spools, and of one large, against the floor of the same bytes.

    python -m bench.bench_intake [--small 20000] [--large-mib 2048]

hotfolder claims the drops, reads and checks them and their sidecars, journals them,
stores them as OCFL objects, re-reads and compares. The floor (``floor.c``) copies,
hashes and syncs the same files and does nothing else. Bars: 0.5 of the floor's rate
for small files, 0.85 for a large one, at most 120 MB of memory.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
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
from bench.floor import ONE_BY_ONE, TOGETHER, build_floor, run_floor
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.pdfwriter import large_pdf_chunks
from hotfolder.sandbox.sidecarwriter import fields_of, write_json
from hotfolder.sandbox.writers import write_bulk

MEMORY_BAR = 120e6


def main(arguments_: list[str]) -> int:
    parser = arguments("intake against the floor")
    parser.add_argument("--small", type=int, default=20_000, help="how many small spools")
    parser.add_argument("--large-mib", type=int, default=2048, help="size of the large one")
    parser.add_argument("--rounds", type=int, default=3, help="of each, in turn; the best counts")
    options = parser.parse_args(arguments_)
    report = Report(name="intake")
    with place_for(options.place) as place:
        program = build_floor(place)
        _compare_small(report, place, program, options.small, options.rounds)
        _compare_large(report, place, program, options.large_mib << 20, options.rounds)
    return report.finish(options.output)


def _compare_small(report: Report, place: Path, program: Path, count: int, rounds: int) -> None:
    pristine = place / "small"
    pristine.mkdir()
    size = sum(item.size for item in write_bulk(os.fsencode(pristine), count, 1))
    report.add("small spools", count, f"{count:,} with JSON, {mebibytes(size)}")
    (alone, together), ours = _run(place, pristine, program, (ONE_BY_ONE, TOGETHER), rounds)
    for name, found in (
        ("floor, synced one by one", alone),
        ("floor, synced together", together),
        ("hotfolder", ours),
    ):
        rate = count / _seconds(found)
        report.add(f"small: {name}", rate, f"{rate:,.0f} spools/s")
    report.bars += [
        Bar(what="small: hotfolder / floor", value=_ratio(alone, ours), limit=0.5),
        Bar(
            what="small: peak MB", value=ours.peak_bytes / 1e6, limit=MEMORY_BAR / 1e6, at_most=True
        ),
    ]
    ratio = _ratio(together, ours)
    report.add("small: hotfolder / floor synced together", ratio, f"{ratio:.3g}")
    shutil.rmtree(pristine)


def _compare_large(report: Report, place: Path, program: Path, size: int, rounds: int) -> None:
    pristine = place / "large"
    pristine.mkdir()
    communication = make_communication(1, 1)
    with (pristine / "large.pdf").open("wb") as file:
        for chunk in large_pdf_chunks(size, 1):
            file.write(chunk)
    (pristine / "large.pdf.json").write_bytes(write_json(fields_of(communication)))
    report.add("large spool", size, mebibytes(size))
    (floor,), ours = _run(place, pristine, program, (ONE_BY_ONE,), rounds)
    for name, found in (("floor", floor), ("hotfolder", ours)):
        rate = size / _seconds(found)
        report.add(f"large: {name}", rate, f"{mebibytes(rate)}/s")
    report.bars += [
        Bar(what="large: hotfolder / floor", value=_ratio(floor, ours), limit=0.85),
        Bar(
            what="large: peak MB", value=ours.peak_bytes / 1e6, limit=MEMORY_BAR / 1e6, at_most=True
        ),
    ]
    shutil.rmtree(pristine)


def _seconds(part: Measured) -> float:
    return float(part.answer["seconds"])


def _ratio(floor: Measured, ours: Measured) -> float:
    return _seconds(floor) / _seconds(ours)


def _run(
    place: Path, source: Path, program: Path, batches: Sequence[int], rounds: int
) -> tuple[list[Measured], Measured]:
    """The best of each, floors and hotfolder. They take turns, so that what else the
    machine does hits all of them."""
    floors: dict[int, list[Measured]] = {batch: [] for batch in batches}
    ours: list[Measured] = []
    for _ in range(rounds):
        for batch in batches:
            target = place / "copied"
            floors[batch].append(run_floor(program, source, target, batch))
            shutil.rmtree(target)
        ours.append(_take(place, source))
    return [min(found, key=_seconds) for found in floors.values()], min(ours, key=_seconds)


def _take(place: Path, source: Path) -> Measured:
    root = place / "taken"
    root.mkdir()
    # hard links: claiming takes the names, the pristine files stay for the next round
    shutil.copytree(source, root / "hot", copy_function=os.link)
    settle_disk()
    found = run_part("taking", str(root))
    shutil.rmtree(root)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
