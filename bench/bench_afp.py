"""AFP: finding the documents of a spool, beside a loop that only hops from field to field.

    python -m bench.bench_afp [--mib 256] [--place FOLDER]

Two spools as ``sandbox/afpwriter.py`` writes them, multiplied: ``short`` documents of
one to three pages, 25 fields and 5 KB, nearly half of which are tags and bounds that
must be looked at; and ``long`` ones of ten pages. All times are of the processor, the
least of some runs. The bar is set against the floor as it is usually written; the floor
with a compiled format is shown too. A spool that is ten times as large tells whether
memory grows. Where Java and Apache FOP's ``fop.jar`` are, its parser reads the same file
(fields only: no names, no values; with its own start); its file name is taken from
``FOP_JARS``, by default those of Debian's ``fop``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.common import (
    Bar,
    Measured,
    Report,
    arguments,
    place_for,
    run_child,
    run_part,
)
from hotfolder.sandbox.afpwriter import write_afp
from hotfolder.sandbox.communications import make_communication

RATE_BAR = 0.5  # of the floor
MEMORY_BAR = 150.0  # MB
ROUNDS = 5
SEED_DOCUMENTS = 2000
BOUND = 17  # bytes of a BDT, BNG, ENG or EDT as the writer makes them
_FOP_JARS = "fop.jar:commons-logging.jar:xmlgraphics-commons.jar:commons-io.jar"


def main(arguments_: list[str]) -> int:
    parser = arguments("finding the documents of AFP spools")
    parser.add_argument("--mib", type=int, default=256, help="size of each spool")
    options = parser.parse_args(arguments_)
    report = Report(name="afp")
    with place_for(options.place) as place:
        short, long = _short(), _long()
        for kind, document in (("short", short), ("long", long)):
            path = place / f"{kind}.afp"
            count = _multiply(document, options.mib << 20, path)
            _compare(report, kind, path, count)
            _compare_java(report, kind, path, place)
            path.unlink()
        _compare_memory(report, place, short, options.mib << 20)
    return report.finish(options.output)


def _short() -> bytes:
    return write_afp([make_communication(5, number) for number in range(SEED_DOCUMENTS)])


def _long() -> bytes:
    """The same in groups of ten pages: pages move from group to group."""
    return b"".join(_regroup(_short(), 10))


def _regroup(data: bytes, most: int) -> Iterator[bytes]:
    head: list[bytes] = []
    pages: list[bytes] = []
    start = page = 0
    place = BOUND
    yield data[:BOUND]
    while place < len(data) - BOUND:
        end = place + 1 + int.from_bytes(data[place + 1 : place + 3], "big")
        kind = data[place + 3 : place + 6]
        if kind in (b"\xd3\xa8\xad", b"\xd3\xa0\x90"):
            head = [] if kind == b"\xd3\xa8\xad" else head
            head.append(data[place:end])
        elif kind == b"\xd3\xa8\xaf":
            start = place
        elif kind == b"\xd3\xa9\xaf":
            pages.append(data[start:end])
            page += 1
            if len(pages) == most:
                bound = head[0]
                yield b"".join([*head, *pages, bound[:4] + b"\xa9" + bound[5:]])
                pages.clear()
        place = end
    yield data[-BOUND:]


def _multiply(seed: bytes, size: int, path: Path) -> int:
    """Write a spool of about ``size`` bytes that has the groups of ``seed`` many times."""
    body = seed[BOUND:-BOUND]
    times = max(1, size // len(body))
    with path.open("wb") as stream:
        stream.write(seed[:BOUND])
        for _ in range(times):
            stream.write(body)
        stream.write(seed[-BOUND:])
    return times * body.count(b"\xd3\xa8\xad\0\0\0")


def _compare(report: Report, kind: str, path: Path, documents: int) -> None:
    best: dict[str, float] = {}
    fields = 0.0
    for _ in range(ROUNDS):  # in turns, so that what else the machine does falls on all
        parts = {
            "floor": run_part("afpfloor", str(path)),
            "floor, compiled": run_part("afpfloor", str(path), "struct"),
            "hotfolder": run_part("afpreading", str(path)),
        }
        for name, found in parts.items():
            seconds = float(found.answer["seconds"])
            best[name] = min(best.get(name, seconds), seconds)
        fields = float(parts["floor"].answer["fields"])
        if parts["hotfolder"].answer["documents"] != documents:
            raise SystemExit(f"read {parts['hotfolder'].answer}, not {documents} documents")
    megabytes = path.stat().st_size / 1e6
    report.add(f"{kind}: fields a document", fields / documents, f"{fields / documents:.0f}")
    for name, seconds in best.items():
        shown = f"{documents / seconds:,.0f} documents/s, {megabytes / seconds:,.0f} MB/s"
        report.add(f"{kind}: {name}", documents / seconds, shown)
        report.numbers[f"{kind}: {name}, MB/s"] = megabytes / seconds
    ratio = best["floor, compiled"] / best["hotfolder"]
    report.add(f"{kind}: hotfolder / floor, compiled", ratio, f"{ratio:.2f}")
    report.bars.append(
        Bar(
            what=f"{kind}: hotfolder / floor",
            value=best["floor"] / best["hotfolder"],
            limit=RATE_BAR,
        )
    )


def _compare_memory(report: Report, place: Path, seed: bytes, size: int) -> None:
    path = place / "memory.afp"
    peaks = []
    for times in (1, 10):
        _multiply(seed, times * size, path)
        peaks.append(float(run_part("afpreading", str(path)).answer["peak"]))
        path.unlink()
    for times, peak in zip((1, 10), peaks, strict=True):
        name = f"peak, {times * size >> 20} MiB"
        report.add(name, peak, f"{peak / 1e6:.1f} MB")
    report.bars.append(Bar(what="peak MB", value=max(peaks) / 1e6, limit=MEMORY_BAR, at_most=True))


def _compare_java(report: Report, kind: str, path: Path, place: Path) -> None:
    """The parser of Apache FOP, if it is there; a figure to go by, no bar."""
    jars = os.environ.get(
        "FOP_JARS", ":".join(f"/usr/share/java/{name}" for name in _FOP_JARS.split(":"))
    )
    java = shutil.which("java")
    if java is None or not all(Path(jar).is_file() for jar in jars.split(":")):
        report.rows.append((f"{kind}: Apache FOP", "not there"))
        return
    source = Path(__file__).with_name("AfpWalk.java")
    found = _run_java([java, "-Xmx256m", "-cp", f"{jars}:{place}", str(source), str(path)])
    if found is None:
        report.rows.append((f"{kind}: Apache FOP", "does not run"))
        return
    seconds = float(found.answer["seconds"])
    documents = float(found.answer["documents"])
    megabytes = path.stat().st_size / 1e6
    shown = f"{documents / seconds:,.0f} documents/s, {megabytes / seconds:,.0f} MB/s"
    report.add(f"{kind}: Apache FOP", documents / seconds, shown)


def _run_java(command: list[str]) -> Measured | None:
    try:
        return run_child(command)
    except subprocess.CalledProcessError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
