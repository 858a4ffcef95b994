"""The index file of StreamServe's Generic Archive output connector.

A line for each document; its attributes stand in a configured order, with configured
separators given in hexadecimal, between attributes and between lines. One attribute is
the path of the data file, relative to the index (reference section 1.B, sources [5]
and [6]). The connector writes no names: they are configured, or stand in the first line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from hotfolder.core.errors import OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.csvranges import Table, lay_out
from hotfolder.indexes.faults import BadDocument, Skip, blame
from hotfolder.indexes.lines import Lines, Source
from hotfolder.indexes.placing import Placing, Role
from hotfolder.indexes.scripts import open_text

_LONGEST = 16  # bytes of a separator
_HERE = re.compile(r"\A\s*\.[/\\]")


def read_streamserve(
    stream: BinaryIO,
    file: str,
    *,
    attributes: Sequence[str] = (),
    attribute_separator: str = "09",
    line_separator: str = "0A",
    columns: Mapping[str, str] | None = None,
    code_page: str = "",
    skip: Skip | None = None,
) -> Iterator[IndexedDocument]:
    """The documents of an index called ``file``.

    ``attributes`` are their names in order; without them the first line has the names.
    ``columns`` maps roles to names as for CSV. Separators are bytes of the index as it is
    written (in UTF-16 those of UTF-8). Raises ``OperatorFault`` if they cannot be any.
    """
    between = parse_separator(attribute_separator)
    newline = parse_separator(line_separator)
    if between in newline or newline in between:
        raise OperatorFault(
            "the separators of an index contain each other",
            hint="configure two that can be told apart",
            code="index.separator",
        )
    source = Source(stream, file)
    text = open_text(source, code_page)
    placing = Placing(columns or {})
    table = lay_out(attributes, placing, file, "the configured names") if attributes else None
    lines = Lines(source, newline)
    ordinal = 0
    for number, line in lines:
        if newline == b"\n":
            line = line.removesuffix(b"\r")  # noqa: PLW2901
        if not line.strip(b" \r\n\x1a"):
            continue
        place = f"line {number}"
        ordinal += table is not None
        try:
            row = [text.decode(part, number) for part in line.split(between)]
            if table is None:
                table = lay_out(row, placing, file, place)
                continue
            document = table.document(_shorten_path(table, row), ordinal, place)
        except BadDocument as bad:
            blame(bad.fault(file, place), skip if table is not None else None, cut=lines.cut)
        else:
            yield document._replace(cut=True) if lines.cut else document


def parse_separator(text: str) -> bytes:
    """A separator from its hexadecimal digits: ``0D0A``, ``0x3B``, ``3b 3b``. Raises
    ``OperatorFault`` if it is none."""
    digits = re.sub(r"0[xX]|[\s,<>]", "", text)
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        found = b""
    if not found or len(found) > _LONGEST:
        raise OperatorFault(
            "a separator of an index is not given in hexadecimal",
            hint=f"write one to {_LONGEST} bytes like 09 or 0D0A",
            code="index.separator",
        )
    return found


def _shorten_path(table: Table, row: list[str]) -> list[str]:
    """A path beside the index may begin with ``./``."""
    column = next((column for role, column in table.places if role is Role.FILE), None)
    if column is not None and column < len(row):
        row[column] = _HERE.sub("", row[column], count=1)
    return row
