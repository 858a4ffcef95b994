"""Intake of one spool with many documents, against the floor of the same bytes.

    python -m bench.bench_spool [--documents 100000] [--mib 164]
    python -m bench.bench_spool --documents 100000 --mib 10240    # ten gigabytes

hotfolder claims it, hashes it, walks it, reads every tag, hashes every range, journals
every document, stores the spool, re-reads and compares. The floor (``floor.c``) copies,
hashes and syncs the same file. Bar: at most 150 MB of memory, however large the spool is.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from bench.common import Bar, Report, arguments, mebibytes, place_for, run_part, settle_disk
from bench.floor import ONE_BY_ONE, build_floor, run_floor
from hotfolder.sandbox.afpwriter import (
    BDT,
    BNG,
    BPG,
    BPT,
    EDT,
    ENG,
    EPG,
    EPT,
    PTX,
    make_field,
    make_tag,
)  # fmt: skip

MEMORY_BAR = 150e6
_OVERHEAD = 330  # bytes of a document without its text
_TEXT = 8000  # bytes of one text field, at most


def main(arguments_: list[str]) -> int:
    parser = arguments("intake of a spool with many documents")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--mib", type=int, default=164, help="size of the spool, about")
    options = parser.parse_args(arguments_)
    report = Report(name="spool")
    with place_for(options.place) as place:
        program = build_floor(place)
        source = place / "source"
        source.mkdir()
        with (source / "run.afp").open("wb") as file:
            for chunk in run_chunks(options.documents, options.mib << 20):
                file.write(chunk)
        size = (source / "run.afp").stat().st_size
        report.add("spool", size, f"{options.documents:,} documents, {mebibytes(size)}")
        floor = run_floor(program, source, place / "copied", ONE_BY_ONE)
        shutil.rmtree(place / "copied")
        root = place / "taken"
        root.mkdir()
        shutil.copytree(source, root / "hot", copy_function=os.link)
        settle_disk()
        ours = run_part("spooling", str(root))
        seconds, journalled = ours.answer["seconds"], ours.answer["journalled"]
        below = float(floor.answer["seconds"])
        report.add("floor", size / below, f"{mebibytes(size / below)}/s")
        report.add(
            "hotfolder",
            options.documents / seconds,
            f"{options.documents / seconds:,.0f} documents/s, {mebibytes(size / seconds)}/s",
        )
        report.add("hotfolder / floor", below / seconds, f"{below / seconds:.3g}")
        report.add(
            "one transaction", journalled, f"{journalled:.3g} s for which other writers wait"
        )
        report.add(
            "journal", ours.answer["journal_bytes"] / options.documents,
            f"{ours.answer['journal_bytes'] / options.documents:,.0f} bytes a document",
        )  # fmt: skip
        report.bars.append(
            Bar(what="peak MB", value=ours.peak_bytes / 1e6, limit=MEMORY_BAR / 1e6, at_most=True)
        )
    return report.finish(options.output)


def run_chunks(documents: int, size: int) -> Iterator[bytes]:
    """A print file of one page group with six tags for each customer."""
    yield make_field(BDT, b"\xc4" * 8)
    body = _page(max(100, size // documents - _OVERHEAD))
    for number in range(documents):
        name = f"{number:08}".encode("cp500")
        yield b"".join(
            (
                make_field(BNG, name),
                make_tag("Customer Number", f"C{number:07}"),
                make_tag("Account", f"{number:09}"),
                make_tag("Name", "J\u00f6rg M\u00fcller"),
                make_tag("Statement Date", f"2026-{1 + number % 12:02}-28"),
                make_tag("Document Type", "STATEMENT"),
                make_tag("Channel", "PRINT"),
                body,
                make_field(ENG, name),
            )
        )
    yield make_field(EDT, b"\xc4" * 8)


def _page(size: int) -> bytes:
    name = b"\xd7" * 8
    whole, rest = divmod(size, _TEXT)
    text = [make_field(PTX, b"\x2b\xd3" + b"\x40" * _TEXT)] * whole
    text.append(make_field(PTX, b"\x2b\xd3" + b"\x40" * rest))
    return b"".join(
        (make_field(BPG, name), make_field(BPT, name), *text, make_field(EPT, name),
         make_field(EPG, name))
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
