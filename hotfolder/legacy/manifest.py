"""One list of files and their fields: CSV, a line for each file.

The first line names the columns; UTF-8, with or without a byte order mark; comma, semicolon
or tab, whichever the first line has most of; quotes as in RFC 4180. The column with the file
has its path relative to the folder of the list. Read line by line: there may be millions.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

from hotfolder.core.errors import InputFault
from hotfolder.core.legacy import LegacyItem, MigrationProfile, OpenedItem, Part, Seen
from hotfolder.files.content import open_regular
from hotfolder.files.legacytree import Entry, LegacyTree
from hotfolder.files.scratch import Scratch
from hotfolder.legacy.folder import ignored
from hotfolder.legacy.parts import (
    SIDECAR,
    fault,
    item_of,
    missing,
    not_named,
    not_regular,
    shown,
    sidecar,
    spool_name,
)

FILE_FIELDS = ("file", "filename", "file name", "path")  # of the column with the file
_MOST_COLUMNS = 1000
_LONGEST = 131_072  # characters of a field


class ManifestSource:
    """See ``core.legacy.LegacySource``. The order is that of the lines; then the files that
    no line names."""

    def __init__(
        self,
        profile: MigrationProfile,
        tree: LegacyTree,
        manifest: bytes,
        scratch: Scratch,
        seen: Seen,
    ) -> None:
        """``manifest`` is the name of the list in ``tree``."""
        self._profile = profile
        self._tree = tree
        self._manifest = manifest
        self._scratch = scratch
        self._seen = seen
        self._content_name = b""
        self._fields: dict[str, list[str]] = {}

    def items(self) -> Iterator[LegacyItem]:
        """Every line, and every file without one. Raises ``InputFault`` if the rest of the
        list cannot be read."""
        with self._tree.path_of(self._manifest) as path, open_regular(path) as stream:
            # What is no UTF-8 is found line by line: so the line can be told.
            text = io.TextIOWrapper(
                stream, encoding="utf-8-sig", errors="surrogateescape", newline=""
            )
            yield from self._lines(text)
        for folder, entries in self._tree.folders():
            for entry in entries:
                name = folder + entry.name
                if name == self._manifest or ignored(self._profile, entry.name):
                    continue
                if not self._seen.has(name):
                    place = shown(name)
                    why = not_named(place) if entry.regular else not_regular(place)
                    yield item_of(place, place, entry, faults=(why,))

    def _lines(self, text: io.TextIOWrapper) -> Iterator[LegacyItem]:
        csv.field_size_limit(_LONGEST)
        line = 0
        try:
            first = text.readline(_LONGEST)
            separator = max(",;\t", key=first.count)
            reader = csv.reader(_checked(text, first), delimiter=separator, strict=True)
            columns = [cell.strip() for cell in next(reader, [])]
            column = self._file_column(columns)
            for cells in reader:
                line = reader.line_num
                if any(cell.strip() for cell in cells):
                    yield self._line(line, columns, column, cells)
        except UnicodeEncodeError:
            self._refuse("it is not UTF-8", f"behind line {line}", "save the whole list as UTF-8")
        except (csv.Error, _BadLineError):
            self._refuse("a line of it cannot be read as CSV", f"behind line {line}")

    def _file_column(self, columns: list[str]) -> int:
        wanted = [self._profile.file_field] if self._profile.file_field else [*FILE_FIELDS]
        folded = [name.casefold() for name in columns]
        found = [folded.index(name.casefold()) for name in wanted if name.casefold() in folded]
        known = [name for name in folded if name]
        if not found or len(set(known)) != len(known) or len(columns) > _MOST_COLUMNS:
            self._refuse("its first line does not name the columns, with the file's", "line 1")
        return found[0]

    def _line(self, line: int, columns: list[str], column: int, cells: list[str]) -> LegacyItem:
        where = f"{shown(self._manifest)}, line {line}"
        text = cells[column].strip() if column < len(cells) else ""
        name = text.replace("\\", "/").encode("utf-8")
        while name.startswith(b"./"):  # the folder of the list itself
            name = name[2:]
        nowhere = Entry(os.path.basename(name) or b"document", 0, 0, regular=True)
        source_id = shown(name) if name else f"line {line}"
        try:
            entry = self._tree.look(name)
        except ValueError:
            why = fault(
                "name",
                "the line names no file inside the export",
                "write the path from the folder of the list, without ..",
                file=where,
            )
            return item_of(f"{source_id}@line {line}", where, nowhere, faults=(why,))
        if not self._seen.add(name):
            why = fault(
                "twice",
                "an earlier line names the same file",
                "leave one of the two",
                file=where,
            )
            return item_of(f"{source_id}@line {line}", where, nowhere, faults=(why,))
        if len(cells) > len(columns):
            why = fault("csv", "the line has more values than columns", "correct it", file=where)
            return item_of(source_id, where, entry or nowhere, faults=(why,))
        if entry is None:
            return item_of(source_id, where, nowhere, faults=(missing(where),))
        if not entry.regular:
            return item_of(source_id, where, entry, faults=(not_regular(where),))
        self._content_name = name
        self._fields = {
            title: [cell]
            for number, (title, cell) in enumerate(zip(columns, cells, strict=False))
            if title and cell.strip() and number != column
        }
        return LegacyItem(
            source_id=source_id,
            place=where,
            name=spool_name(entry.name),
            size=entry.size,
            mtime_ns=entry.mtime_ns,
        )

    @contextmanager
    def open(self, item: LegacyItem) -> Iterator[OpenedItem]:
        """See ``LegacySource``."""
        own = item.name + SIDECAR
        with ExitStack() as stack:
            content = stack.enter_context(self._tree.path_of(self._content_name))
            data = sidecar(self._profile, item, self._fields)
            said = stack.enter_context(self._scratch.holding(own, data))
            yield OpenedItem(
                content=Part(name=item.name, path=content),
                sidecars=(Part(name=own, path=said),),
            )

    def _refuse(self, message: str, place: str, remedy: str = "correct it there") -> NoReturn:
        raise InputFault(
            [
                fault(
                    "manifest",
                    f"the list cannot be used: {message}",
                    f"{remedy}; what comes before that place can be taken all the same",
                    file=shown(self._manifest),
                    place=place,
                )
            ]
        )


class _BadLineError(Exception):
    """A line with a NUL, which no text has, or one without end."""


def _checked(text: io.TextIOWrapper, first: str) -> Iterator[str]:
    """The lines. Raises ``UnicodeEncodeError`` at one that is no UTF-8."""
    line = first
    while line:
        if not line.isascii():
            line.encode()
        # A part of a line would be read as a line of its own.
        if "\0" in line or (len(line) >= _LONGEST and not line.endswith("\n")):
            raise _BadLineError
        yield line
        line = text.readline(_LONGEST)
