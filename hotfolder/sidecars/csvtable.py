"""``metadata.csv``: one table for all spools of a folder, one row for each.

UTF-8, a header line, a column ``filename``. A column that comes more than once gives
several values. Comma, semicolon or tab is told from the header line.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from typing import Protocol

from hotfolder.sidecars.raw import (
    RawField,
    RawMetadata,
    check_fields,
    check_size,
    decode_text,
    display,
    reject,
)


class _Rows(Protocol):
    """What ``csv.reader`` returns."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


_MOST_ROWS = 500_000
_NAME_COLUMNS = ("filename", "file", "file name", "dateiname")


def read_csv(data: bytes, file: str, spool_name: bytes, rank: int = 0) -> RawMetadata | None:
    """The row of ``spool_name`` in a folder's table, or None if it has none.

    Raises ``InputFault`` if the table is no such, or has two rows for this file.
    """
    check_size(data, file)
    text = decode_text(data, file)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return _find_row(rows, file, spool_name, rank)
    except csv.Error as error:
        raise reject(
            "sidecar.csv",
            f"the table cannot be read: {error}",
            "save it again as CSV; a quote that is not closed is the usual cause",
            file=file,
            place=f"line {rows.line_num}",
        ) from error


def _find_row(rows: _Rows, file: str, spool_name: bytes, rank: int) -> RawMetadata | None:
    header = [name.strip() for name in next(rows, [])]
    column = next((i for i, name in enumerate(header) if name.lower() in _NAME_COLUMNS), None)
    if column is None:
        raise reject(
            "sidecar.csv",
            "the table has no column called filename",
            "add it; it says which row belongs to which file",
            file=file,
            place="line 1",
        )
    wanted = {display(spool_name), os.fsdecode(os.path.basename(spool_name))}
    found: tuple[int, list[str]] | None = None
    for row in rows:
        if rows.line_num > _MOST_ROWS:
            raise reject(
                "sidecar.csv",
                f"the table has more than {_MOST_ROWS} lines",
                "split it",
                file=file,
                place=f"line {rows.line_num}",
            )
        if len(row) <= column or row[column].strip().rsplit("/", 1)[-1] not in wanted:
            continue
        if found is not None:
            raise reject(
                "sidecar.twice",
                f"the table has two rows for this file, in lines {found[0]} and {rows.line_num}",
                "leave one",
                file=file,
                place=f"line {rows.line_num}",
            )
        if len(row) > len(header):
            raise reject(
                "sidecar.csv",
                f"the row has {len(row)} values for {len(header)} columns",
                "put values with the separator in them into quotes",
                file=file,
                place=f"line {rows.line_num}",
            )
        found = rows.line_num, row
    if found is None:
        return None
    fields = [
        RawField(name, value.strip(), f"line {found[0]}, column {name}")
        for position, (name, value) in enumerate(zip(header, found[1], strict=False))
        if position != column and name and value.strip()
    ]
    check_fields(fields, file)
    return RawMetadata(source=file, rank=rank, fields=tuple(fields))
