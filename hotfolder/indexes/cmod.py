"""The generic index of IBM Content Manager OnDemand (reference section 2, peers).

``CODEPAGE:`` first, then a group for each document: ``GROUP_FIELD_NAME:`` with the
``GROUP_FIELD_VALUE:`` that follows it, up to 128 times, then ``GROUP_OFFSET:``,
``GROUP_LENGTH:`` and ``GROUP_FILENAME:``, which ends the group. A blank GROUP_FILENAME
stands for the one before, and for the spool in the first group. Offset 0 with length 0
is the whole file. (IBM Content Manager OnDemand, Indexing Reference, generic indexer.)

IBM's loader takes full path names in GROUP_FILENAME; here only a file of the same drop
may be named. ``IGNORE_PREPROCESSING:`` and ``IGNORE_DATA_EVAL:``, which stand before the
groups in what publishing tools write, tell the loader what to leave undone: they say
nothing of a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.codepages import CodePage, Text, describe, find_code_page
from hotfolder.indexes.faults import (
    BadDocument,
    Skip,
    blame,
    check_fields,
    read_file_name,
    read_number,
    reject,
)
from hotfolder.indexes.lines import Lines, Script, Source

MAX_GROUP_FIELDS = 128
_FOR_THE_LOADER = ("COMMENT", "IGNORE_PREPROCESSING", "IGNORE_DATA_EVAL")
_KEYWORDS = (
    *_FOR_THE_LOADER, "CODEPAGE", "GROUP_FIELD_NAME", "GROUP_FIELD_VALUE",
    "GROUP_OFFSET", "GROUP_LENGTH", "GROUP_FILENAME",
)  # fmt: skip
_ASCII = {word.encode(): word for word in _KEYWORDS}
_EBCDIC = {word.encode("cp500"): word for word in _KEYWORDS}


def read_cmod(
    stream: BinaryIO,
    file: str,
    *,
    code_page: str = "",
    skip: Skip | None = None,
    file_name: Callable[[str], bytes] = read_file_name,
) -> Iterator[IndexedDocument]:
    """The documents of a generic index called ``file``.

    ``code_page`` overrules the index's own CODEPAGE line; a byte order mark overrules
    both. Without any, an index is UTF-8, or EBCDIC 500 if it looks like EBCDIC.
    ``file_name`` makes a name of what GROUP_FILENAME says, or raises ``BadDocument``.
    """
    source = Source(stream, file)
    lines = Lines(source)
    groups = _Groups(source, lines, code_page, skip, file_name)
    colon = b"\x7a" if groups.ebcdic else b":"
    keywords = _EBCDIC if groups.ebcdic else _ASCII
    blank = b"\x40\r\x25\x05" if groups.ebcdic else b" \r\t\x1a"
    for number, line in lines:
        word, mark, value = line.partition(colon)
        keyword = keywords.get(word) if mark else None
        if keyword is None:
            stripped = line.strip(blank)
            if not stripped:
                continue
            keyword = _keyword(word, mark, groups.ebcdic)
        document = groups.take(keyword, value.strip(blank), number)
        if document is not None:
            yield document
    groups.end(lines.number)


def _keyword(word: bytes, mark: bytes, ebcdic: bool) -> str:
    """A keyword that is not written exactly as it should be, or nothing."""
    text = word.decode("cp500" if ebcdic else "latin-1").strip().upper()
    return text if mark and text in _KEYWORDS else ""


class _Groups:
    """The group that is being read, and what holds for the next ones."""

    def __init__(
        self,
        source: Source,
        lines: Lines,
        code_page: str,
        skip: Skip | None,
        file_name: Callable[[str], bytes],
    ) -> None:
        self._file_name = file_name
        self.ebcdic = source.script is Script.EBCDIC
        self._file = source.file
        self._lines = lines
        self._script = source.script
        self._skip = skip
        self._given = bool(code_page)
        self._declared = ""
        self._text = Text(self._first_page(code_page), self._file)
        self._ordinal = 0
        self._inherited: bytes | None = None
        self._inherited_bad = False
        self._begin()

    def _first_page(self, code_page: str) -> CodePage:
        if self._script in (Script.UTF8, Script.UTF16):
            return self._known("1208", 1)
        return self._known(code_page or ("500" if self.ebcdic else "1208"), 1)

    def _begin(self) -> None:
        self._start = 0
        self._fields: list[tuple[str, str]] = []
        self._name: str | None = None
        self._offset: int | None = None
        self._length: int | None = None
        self._placed = False
        self._bad = False

    def take(self, keyword: str, value: bytes, number: int) -> IndexedDocument | None:
        """One line; the document if it ends one."""
        if keyword in _FOR_THE_LOADER:
            return None
        if keyword == "CODEPAGE":
            self._take_code_page(value, number)
            return None
        if not keyword and not (self._ordinal or self._start or self._declared):
            raise reject(
                "index.format",
                "this is no generic index: the first line has none of its keywords",
                "check that it is the index, and which format is configured",
                file=self._file,
                place=f"line {number}",
            )
        if keyword == "GROUP_FIELD_NAME" and self._placed:
            self._close_unnamed(number)
        self._placed |= keyword in ("GROUP_OFFSET", "GROUP_LENGTH")
        self._start = self._start or number
        try:
            if keyword == "GROUP_FILENAME":
                return self._close(value, number)
            if not self._bad:
                self._take_part(keyword, value, number)
        except BadDocument as bad:
            self._blame(bad, number)
            if keyword == "GROUP_FILENAME":
                self._begin()
        return None

    def _take_part(self, keyword: str, value: bytes, number: int) -> None:
        if self._name is not None and keyword != "GROUP_FIELD_VALUE":
            raise BadDocument(
                "index.group",
                "a GROUP_FIELD_NAME has no GROUP_FIELD_VALUE behind it",
                "write both, one after the other",
            )
        if keyword == "GROUP_FIELD_NAME":
            self._name = self._text.decode(value, number)
            if not self._name:
                raise BadDocument("index.group", "a field has no name", "give it one")
        elif keyword == "GROUP_FIELD_VALUE":
            self._take_value(self._text.decode(value, number))
        elif keyword == "GROUP_OFFSET":
            if self._offset is not None:
                raise _twice(keyword)
            self._offset = read_number(self._text.decode(value, number), "the offset")
        elif keyword == "GROUP_LENGTH":
            if self._length is not None:
                raise _twice(keyword)
            self._length = read_number(self._text.decode(value, number), "the length")
        else:
            raise BadDocument(
                "index.group",
                "the line does not begin with a keyword of the generic index and a colon",
                "correct it; a line end inside a value is the usual cause",
            )

    def _take_value(self, value: str) -> None:
        if self._name is None:
            raise BadDocument(
                "index.group",
                "a GROUP_FIELD_VALUE has no GROUP_FIELD_NAME before it",
                "write both, one after the other",
            )
        field = (self._name, value)
        self._name = None
        check_fields((field,))
        if len(self._fields) >= MAX_GROUP_FIELDS:
            raise BadDocument(
                "index.fields",
                f"the group has more than {MAX_GROUP_FIELDS} fields",
                "leave out what does not describe the document",
            )
        self._fields.append(field)

    def _close(self, name: bytes, number: int) -> IndexedDocument | None:
        """The group ends here. What the next ones inherit is settled even if it is bad."""
        self._ordinal += 1
        if name:
            self._inherited_bad = True
            self._inherited = self._file_name(self._text.decode(name, number))
            self._inherited_bad = False
        if self._bad:
            self._begin()
            return None
        self._check_whole()
        whole = self._offset == 0 and self._length == 0
        document = IndexedDocument(
            ordinal=self._ordinal,
            place=f"line {self._start}",
            fields=tuple(self._fields),
            offset=None if whole else self._offset,
            length=None if whole else self._length,
            file=self._inherited,
        )
        self._begin()
        return document

    def _check_whole(self) -> None:
        if self._inherited_bad:
            raise BadDocument(
                "index.path",
                "the group inherits a file name that cannot be used",
                "correct the GROUP_FILENAME before it",
            )
        for value, keyword in ((self._offset, "GROUP_OFFSET"), (self._length, "GROUP_LENGTH")):
            if value is None:
                raise BadDocument("index.group", f"the group has no {keyword}", "add it")
        if self._name is not None or not self._fields:
            raise BadDocument(
                "index.group",
                "the group has no field, or the last one has no GROUP_FIELD_VALUE",
                "write a name and a value for each field",
            )
        if self._length == 0 and self._offset:
            raise BadDocument(
                "index.number",
                "the length is 0 although the offset is not",
                "write the length; 0 and 0 stand for the whole file",
            )

    def _close_unnamed(self, number: int) -> None:
        """A new group begins although the last has no GROUP_FILENAME."""
        self._ordinal += 1
        if not self._bad:
            self._blame(
                BadDocument(
                    "index.group",
                    "a group begins, but the one before has no GROUP_FILENAME",
                    "end each group with it; it may be blank",
                ),
                number,
            )
        self._begin()

    def end(self, number: int) -> None:
        """Nothing follows. Raises ``InputFault`` if a group is still open."""
        if self._start:
            raise reject(
                "index.truncated",
                f"the index ends in the middle of the group that begins in line {self._start}",
                "send the whole index again",
                file=self._file,
                place=f"line {number}",
            )

    def _blame(self, bad: BadDocument, number: int) -> None:
        if not self._bad:
            self._bad = True
            self._fields = []
            blame(bad.fault(self._file, f"line {number}"), self._skip, cut=self._lines.cut)

    def _take_code_page(self, value: bytes, number: int) -> None:
        declared = value.decode("cp500" if self.ebcdic else "latin-1").strip()
        late = self._ordinal or self._start
        if late or self._declared not in ("", declared):
            raise reject(
                "index.codepage",
                "a CODEPAGE line stands behind a group, or contradicts another",
                "write it once, in the first line",
                file=self._file,
                place=f"line {number}",
            )
        self._declared = declared
        page = self._known(declared, number)
        if self._given or self._script in (Script.UTF8, Script.UTF16):
            return
        if page.ebcdic != self.ebcdic or page.utf16:
            found = "EBCDIC" if self.ebcdic else "ASCII or one of its relatives"
            raise reject(
                "index.codepage",
                f"the index calls itself {describe(page)}, but is written in {found}",
                "correct CODEPAGE, or transfer the index in binary mode",
                file=self._file,
                place=f"line {number}",
            )
        self._text = Text(page, self._file)

    def _known(self, number: str, line: int) -> CodePage:
        page = find_code_page(number)
        if page is None:
            raise reject(
                "index.codepage",
                "the index names a code page that is not known",
                "use 1208 (UTF-8), 819, 850, 923, 1252, 37, 273, 500, 1047 or 1140",
                file=self._file,
                place=f"line {line}",
            )
        return page


def _twice(keyword: str) -> BadDocument:
    return BadDocument("index.group", f"{keyword} stands in the group twice", "leave one")
