"""The parts of ``bench_compare`` that are measured.

python -m bench.comparing PART FOLDER
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pypdfium2

from bench.common import answer, own_peak
from hotfolder.comparing.findings import PageFinding, Rules
from hotfolder.flows.compare import compare, sides_of_files


def main(part: str, place: Path) -> None:
    """Do one part once."""
    if part == "floor":
        _floor(place)
        return
    kind = "afp" if part == "afp" else "pdf"
    before, after = (str(place / f"{name}.{kind}").encode() for name in ("before", "after"))
    if part == "identical pages":
        after = _resaved(place)
    started = _processor_time()
    with sides_of_files(before, after) as sides:
        found = compare(*sides, Rules(), _draw if part == "pictures" else _leave)
    seconds = _processor_time() - started
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    peak = own_peak() + (2 * children if kind == "pdf" else 0)
    pages = found.pages[0] or 0
    answer(seconds=seconds, different=found.pages_different, pages=pages, peak=peak)


def _processor_time() -> float:
    """Of this process and those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _floor(place: Path) -> None:
    started = _processor_time()
    for name in ("before.pdf", "after.pdf"):
        document = pypdfium2.PdfDocument(place / name)
        for page in document:
            page.get_textpage().get_text_range()
            page.render(scale=Rules().dpi / 72).to_pil()
            page.close()
        document.close()
    answer(seconds=_processor_time() - started, peak=own_peak())


def _resaved(place: Path) -> bytes:
    """The first file with one more comment: other bytes, the same pages."""
    target = place / "resaved.pdf"
    target.write_bytes((place / "before.pdf").read_bytes() + b"% again\n%%EOF\n")
    return str(target).encode()


def _leave(page: PageFinding, _draw: Callable[[], bytes]) -> PageFinding:
    return page


def _draw(page: PageFinding, draw: Callable[[], bytes]) -> PageFinding:
    draw()
    return page


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
