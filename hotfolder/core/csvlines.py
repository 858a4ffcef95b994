"""CSV that people and other programs make: the first line names the columns.

UTF-8, with or without a byte order mark; comma, semicolon or tab, whichever the first line
has most of; quotes as in RFC 4180. No fault quotes a value.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from typing import NoReturn

from hotfolder.core.errors import Fault, InputFault


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvLines:
    """What may stand in a file, and what it is called in faults (``request.csv`` …)."""

    code: str
    columns: tuple[str, ...]
    limit: int  # lines

    def read(self, text: str, faults: list[Fault]) -> list[tuple[int, dict[str, str]]]:
        """(number of the line in the file, its values by column, empty ones left out).
        What is wrong with one line goes into ``faults``; raises ``InputFault`` if the rest
        cannot be told."""
        if "\0" in text:
            self._reject("csv", "there is a NUL in it", "save it as text")
        first = text.split("\n", 1)[0]
        separator = max(",;\t", key=first.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        items: list[tuple[int, dict[str, str]]] = []
        names: list[str] = []
        try:
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                if not names:
                    names = [cell.strip().lower() for cell in row]
                    self._check_names(names)
                    continue
                if len(row) > len(names):
                    faults.append(self._crowded(reader.line_num))
                    continue
                cells = zip(names, row, strict=False)
                items.append((reader.line_num, {n: v.strip() for n, v in cells if n and v.strip()}))
                if len(items) > self.limit:
                    self._reject(
                        "lines", f"it has more than {self.limit:,} lines", "make several of it"
                    )
        except csv.Error:
            self._reject(
                "csv",
                "it cannot be read as CSV",
                "put quotes around values with commas or quotes in them",
                f"line {reader.line_num}",
            )
        return items

    def _check_names(self, names: Collection[str]) -> None:
        known = [name for name in names if name]
        if len(set(known)) != len(known) or not set(known) <= set(self.columns) or not known:
            self._reject(
                "columns",
                "the first line does not name the columns",
                f"use some of {', '.join(self.columns)}, each once",
                "line 1",
            )

    def _crowded(self, number: int) -> Fault:
        return Fault(
            code=f"{self.code}.csv",
            message="a line has more values than names",
            remedy="correct it there",
            place=f"line {number}",
        )

    def _reject(self, code: str, message: str, remedy: str, place: str = "") -> NoReturn:
        code = f"{self.code}.{code}"
        raise InputFault([Fault(code=code, message=message, remedy=remedy, place=place)])


def decode(data: bytes, code: str) -> str:
    """The text of a file. Raises ``InputFault`` if it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = Fault(code=f"{code}.encoding", message="it is not UTF-8", remedy="save it as UTF-8")
        raise InputFault([fault]) from error
