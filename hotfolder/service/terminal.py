"""Answers on a terminal: JSON, tables, faults, progress."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

import click
from rich import progress as rich_progress
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hotfolder.core import notes
from hotfolder.core.errors import Fault, HotfolderError, InputFault, OperatorFault

_LINE_EVERY = 10.0  # seconds between progress lines where there is no terminal
_WIDE = 200  # columns of a table in a file or pipe: nothing is cut off there


def open_missing_streams() -> None:
    """Lead standard input, output and error to nowhere where whoever started us has closed
    them. Else the next file that is opened gets the number of one, and what is meant to be
    printed gets into it; and a log without a stream would end the daemon."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  lives as long as the process
            setattr(sys, name, stream)


def output_fails() -> bool:
    """Whether standard output is at fault: what it did not take is in its buffer still, or it
    takes no more without one (PYTHONUNBUFFERED)."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def drop_output() -> None:
    """Print nothing more: what is in the buffer would fail once more at the end, with an exit
    code of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: object) -> str:
    """Text without control characters: a file name may hold a terminal's escape sequence."""
    return notes.printable(str(text))


def print_json(value: object) -> None:
    """One JSON value on standard output."""
    click.echo(json.dumps(value, ensure_ascii=True, indent=2, default=str))


def print_table(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output, as wide as the terminal; numbers to the right."""
    body = [[printable(cell) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False)
    for index, header in enumerate(headers):
        numeric = bool(body) and all(_is_number(row[index]) for row in body)
        table.add_column(header, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        table.add_row(*(Text(cell) for cell in row))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(table)
    if title:
        click.echo(title)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).isdigit()


def fault_data(fault: Fault) -> dict[str, str]:
    """A fault for ``--json``."""
    return {
        "code": fault.code,
        "message": fault.message,
        "remedy": fault.remedy,
        "file": fault.file,
        "place": fault.place,
    }


def faults_of(error: HotfolderError) -> tuple[Fault, ...]:
    """Every fault that an error carries."""
    return error.faults if isinstance(error, OperatorFault | InputFault) else ()


def show_error(error: HotfolderError, *, as_json: bool) -> None:
    """What went wrong, every fault with its remedy: JSON on standard output, or words on
    standard error. The exit code is ``error.exit_code``."""
    faults = faults_of(error)
    if as_json:
        print_json(
            {
                "error": error.code,
                "kind": error.kind,
                "message": error.message,
                "remedy": error.hint,
                "exit_code": error.exit_code,
                "faults": [fault_data(fault) for fault in faults],
            }
        )
        return
    click.echo(f"hotfolder: {printable(error.message)}", err=True)
    for fault in faults:
        where = ", ".join(part for part in (fault.file, fault.place) if part)
        click.echo(f"  {printable(where)}" if where else "  -", err=True)
        click.echo(f"    {printable(fault.message)}", err=True)
        click.echo(f"    -> {printable(fault.remedy)}", err=True)
    if error.hint:
        click.echo(f"  {printable(error.hint)}", err=True)


class Progress:
    """How far a long command is: a bar on a terminal, a line now and then elsewhere.

    Always on standard error, so that ``--json`` stays one value on standard output.
    """

    def __init__(
        self,
        label: str,
        *,
        as_json: bool = False,
        total: int | None = None,
        time_left: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label = label
        self._total = total
        self._monotonic = monotonic
        self._done = self._told_of = 0
        self._told: float | None = None
        self._time_left = time_left
        self._began: tuple[float, int] | None = None
        self._silent = as_json
        self._bar: rich_progress.Progress | None = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if not self._silent and sys.stderr.isatty():
            self._bar = rich_progress.Progress(
                rich_progress.SpinnerColumn(),
                rich_progress.TextColumn("{task.description}", markup=False),
                rich_progress.BarColumn(),
                rich_progress.MofNCompleteColumn(),
                rich_progress.TimeRemainingColumn()
                if self._time_left
                else rich_progress.TimeElapsedColumn(),
                console=Console(file=sys.stderr),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._total)
        return self

    def reached(self, done: int, total: int | None = None) -> None:
        """So many are done, of ``total`` if that is known."""
        self._done = done
        self._total = total if total is not None else self._total
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self._total)
        elif not self._silent:
            now = self._monotonic()
            if self._told is None or now - self._told >= _LINE_EVERY:
                self._told = now
                self._tell()

    def _tell(self) -> None:
        of = f" of {self._total:,}" if self._total is not None else ""
        click.echo(f"{self._label}: {self._done:,}{of}{self._left()}", err=True)
        self._told_of = self._done

    def _left(self) -> str:
        """How long it will take at the rate so far, where that can be told."""
        if not self._time_left or self._total is None:
            return ""
        now = self._monotonic()
        if self._began is None:
            self._began = (now, self._done)
        seconds, done = now - self._began[0], self._done - self._began[1]
        if not done or seconds <= 0 or self._done >= self._total:
            return ""
        minutes = (self._total - self._done) * seconds / done / 60
        return f", about {minutes:,.0f} minutes left"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if not self._silent and self._done != self._told_of:
            self._tell()
