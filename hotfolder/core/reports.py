"""What a report consists of, whatever it is about: figures, tables, charts. The same report
is shown on a terminal, written as CSV, and drawn on a page (``core.reportpage``)."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from hotfolder.core.notes import printable

# What a spreadsheet would carry out, the wide forms of East Asian keyboards too.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
Cell = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table of a report."""

    name: str  # a slug: it becomes the name of a CSV file
    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Horizontal bars, each of parts that stand one behind the other."""

    title: str
    parts: tuple[str, ...]  # what each colour means
    bars: tuple[tuple[str, tuple[int, ...]], ...]  # label, and a number for each part


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Sheets and charts of one moment."""

    title: str
    at: str  # ISO 8601, UTC
    totals: tuple[tuple[str, int], ...]  # what everybody asks for first
    sheets: tuple[Sheet, ...]
    charts: tuple[Chart, ...]
    notes: tuple[str, ...] = ()  # what one has to know to read it


def sheet_csv(sheet: Sheet) -> bytes:
    """A table for a spreadsheet (RFC 4180, UTF-8); a text that would be a formula there
    gets a quote before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(sheet.headers)
    writer.writerows([[csv_cell(cell) for cell in row] for row in sheet.rows])
    return text.getvalue().encode("utf-8", "backslashreplace")


def csv_cell(cell: Cell) -> Cell:
    """A value as it may stand in a file that spreadsheets open."""
    if isinstance(cell, int):
        return cell
    shown = printable(cell)
    return "'" + shown if shown.startswith(_FORMULA) else shown
