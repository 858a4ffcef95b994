"""Delivery against a script that posts document, archival object and event one by one.

    python -m bench.bench_delivery [--documents 1000]

Both talk to the sandbox with the costs that a real server was measured to have
(v4.2.1 on two cores): a single POST takes so long that the script makes 7 documents a
second, as it did there; an import takes 35 ms for each digital object and ends at a
whole second; two requests are worked on at a time. Bar: 5 times the script.

On the real server four imports side by side reach 42 documents a second, less than
twice 1/35 ms: ``contended`` repeats the measurement with the cost that gives that.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.common import ROOT, Bar, Report, arguments, place_for, run_part
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.exstream import make_output
from hotfolder.sandbox.writers import put_file

SCRIPT_RATE = 7.0  # documents/s of the script on the real server: three POSTs each
POST = 1 / SCRIPT_RATE / 3
DOCUMENT = 0.035  # seconds for a digital object in an import
CONTENDED = 2 / 42  # the same, where two cores make 42 a second between them
_SERIES = ("statement", "policy", "notice", "letter")


def main(arguments_: list[str]) -> int:
    parser = arguments("delivery against single POSTs")
    parser.add_argument("--documents", type=int, default=1000, help="for hotfolder")
    parser.add_argument("--posted", type=int, default=60, help="for the script")
    parser.add_argument("--unit-size", type=int, default=200)
    options = parser.parse_args(arguments_)
    report = Report(name="delivery")
    with place_for(options.place) as place:
        with _sandbox(DOCUMENT) as url:
            found = run_part("posting", url, str(options.posted)).answer
        script = options.posted / float(found["seconds"])
        report.add("script, one by one", script, f"{script:.1f} documents/s")
        for name, series, cost in (
            ("one series", 1, DOCUMENT),
            ("four series", 4, DOCUMENT),
            ("four series, contended", 4, CONTENDED),
        ):
            root = place / name.replace(" ", "-")
            _write(root / "hot", options.documents, series)
            with _sandbox(cost) as url:
                part = run_part("delivering", url, str(root), str(options.unit_size))
            rate = options.documents / float(part.answer["seconds"])
            report.add(name, rate, f"{rate:.1f} documents/s, {rate / script:.1f} times the script")
            if series > 1:
                report.bars.append(Bar(what=f"{name} / script", value=rate / script, limit=5))
    return report.finish(options.output)


@contextmanager
def _sandbox(document_cost: float) -> Iterator[str]:
    """A sandbox in a process of its own; its url."""
    command = [sys.executable, "-m", "hotfolder.sandbox", "--port", "0", "--whole-seconds"]
    command += ["--document-cost", str(document_cost), "--post-cost", str(POST), "--at-once", "2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            yield next(word for word in line.split() if word.startswith("http://"))
        finally:
            server.terminate()
            server.wait(30)


def _write(folder: Path, count: int, series: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        kind = _SERIES[number % series]
        output = make_output(make_communication(1, number, document_type=kind))
        put_file(bytes(folder), output.name, output.data)
        assert output.sidecar_name is not None
        put_file(bytes(folder), output.sidecar_name, output.sidecar)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
