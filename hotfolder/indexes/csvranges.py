"""CSV with a row for each document: its byte or page range, and its fields.

The first line has the names. Comma, semicolon, tab or bar is told from it. A name
that comes more than once gives several values. Solimar Rubika writes such tables (file,
page range, index fields: reference section 2); so do most tools that cut spools.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from hotfolder.core.errors import InputFault, OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.codepages import Text
from hotfolder.indexes.faults import (
    MAX_FIELDS,
    BadDocument,
    Skip,
    blame,
    check_fields,
    reject,
)
from hotfolder.indexes.lines import MAX_LINE, Lines, Source
from hotfolder.indexes.placing import Placing, Role, choose, locate, words
from hotfolder.indexes.scripts import open_text

_SEPARATORS = ",;\t|"


def read_csv_ranges(
    stream: BinaryIO,
    file: str,
    *,
    columns: Mapping[str, str] | None = None,
    code_page: str = "",
    separator: str = "",
    skip: Skip | None = None,
) -> Iterator[IndexedDocument]:
    """The documents of a table called ``file``. ``columns`` maps roles (``offset``,
    ``first_page``, ...) to the names in the first line; UTF-8 unless ``code_page``."""
    if len(separator) > 1 or (separator and separator in '\r\n"'):
        raise OperatorFault(
            "the separator of a table is not one character",
            hint="configure a comma, semicolon, tab or bar",
            code="index.separator",
        )
    source = Source(stream, file)
    feed = _Feed(source, open_text(source, code_page))
    texts = iter(feed)
    rows = csv.reader(
        feed.peeked(texts), delimiter=separator or _separator(feed.first(texts)), strict=True
    )
    try:
        header = next(rows, None)
        if header is None:
            return
        feed.check_header()
        table = lay_out(header, Placing(columns or {}), file, "line 1")
        feed.begin()
        ordinal = 0
        for row in rows:
            if row:
                ordinal += 1
                place = f"line {feed.start}"
                try:
                    feed.check()
                    document = table.document(row, ordinal, place)
                except BadDocument as bad:
                    blame(bad.fault(file, place), skip, cut=feed.cut)
                else:
                    yield document._replace(cut=True) if feed.cut else document
            feed.begin()
    except csv.Error as error:
        raise reject(
            "index.csv",
            f"the table cannot be read: {error}",
            "save it again as CSV; a quote that is not closed is the usual cause",
            file=file,
            place=f"line {feed.start}",
        ) from error


def _separator(first: str) -> str:
    return max(_SEPARATORS, key=first.count)


class _Feed:
    """Lines as text for ``csv.reader``, which asks for more while a quote is open.

    It never holds more than one row: a row of more than ``MAX_LINE`` bytes is refused,
    in one line or in many.
    """

    def __init__(self, source: Source, text: Text) -> None:
        self._lines = Lines(source)
        self._text = text
        self._file = source.file
        self._held = 0
        self._bad: BadDocument | None = None
        self._first: str | None = None
        self.start = 1

    @property
    def cut(self) -> bool:
        """Whether the last line was given and had no end."""
        return self._lines.cut

    def __iter__(self) -> Iterator[str]:
        for number, line in self._lines:
            self._held += len(line) + 1
            if self._held > MAX_LINE:
                raise reject(
                    "index.line",
                    f"a row is longer than {MAX_LINE} bytes",
                    "check the row; a quote that is not closed is the usual cause",
                    file=self._file,
                    place=f"line {self.start}",
                )
            try:
                yield self._text.decode(line, number) + "\n"
            except BadDocument as bad:
                self._bad = self._bad or bad
                yield line.decode("ascii", "replace") + "\n"

    def first(self, texts: Iterator[str]) -> str:
        """The first line, which is given out again."""
        self._first = next(texts, "")
        return self._first

    def peeked(self, texts: Iterator[str]) -> Iterator[str]:
        """All lines, with the one that was looked at."""
        if self._first:
            yield self._first
        yield from texts

    def begin(self) -> None:
        """The next line begins a row."""
        self._held = 0
        self._bad = None
        self.start = self._lines.number + 1

    def check_header(self) -> None:
        """Raise ``InputFault`` if the first line was no text: nothing can be read without."""
        if self._bad is not None:
            raise InputFault([self._bad.fault(self._file, "line 1")])

    def check(self) -> None:
        """Raise ``BadDocument`` if a line of this row was no text."""
        if self._bad is not None:
            raise self._bad


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the columns of a table are."""

    width: int
    places: tuple[tuple[Role, int], ...]
    fields: tuple[tuple[str, int], ...]

    def document(self, row: Sequence[str], ordinal: int, place: str) -> IndexedDocument:
        """A row as a document; a separator at its end does no harm. Raises ``BadDocument``."""
        if len(row) != self.width and (len(row) != self.width + 1 or row[-1]):
            raise BadDocument(
                "index.row",
                f"the row has {len(row)} values for {self.width} columns",
                "put values with the separator in them into quotes; a row cut short is a sign"
                " of an index cut short",
            )
        fields = tuple(
            [(name, value) for name, column in self.fields if (value := row[column].strip())]
        )
        check_fields(fields)
        where = locate({role: row[column] for role, column in self.places})
        return IndexedDocument(
            ordinal=ordinal,
            place=place,
            fields=fields,
            offset=where.offset,
            length=where.length,
            first_page=where.first_page,
            pages=where.pages,
            file=where.file,
        )


def lay_out(header: Sequence[str], placing: Placing, file: str, place: str) -> Table:
    """The columns by their names. Raises ``InputFault``: nothing can be read without."""
    names = [name.strip() for name in header]
    if len(names) > MAX_FIELDS:
        raise reject(
            "index.columns",
            f"there are more than {MAX_FIELDS} columns",
            "leave out what does not describe documents",
            file=file,
            place=place,
        )
    roles: dict[Role, int] = {}
    for column, name in enumerate(names):
        role = placing.role(name)
        if role is None:
            continue
        if role in roles:
            raise reject(
                "index.columns",
                f"columns {roles[role] + 1} and {column + 1} both give the {words(role)}",
                "leave one, or configure which one counts",
                file=file,
                place=place,
            )
        roles[role] = column
    try:
        check_fields([(name, "") for name in names])
        used = choose(frozenset(roles))
    except BadDocument as bad:
        raise reject(bad.code, bad.message, bad.remedy, file=file, place=place) from bad
    placed = {roles[role] for role in used}
    return Table(
        width=len(names),
        places=tuple((role, roles[role]) for role in sorted(used)),
        fields=tuple((n or f"column {c + 1}", c) for c, n in enumerate(names) if c not in placed),
    )
