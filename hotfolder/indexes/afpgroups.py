"""AFP that tells its own documents: page groups, and tags (TLE) in groups and pages.

The outermost page group is the document; groups in it are parts of it. Pages before the
first group are banners. A file without groups has a document in each BDT…EDT
(reference/exstream-output-and-records-rules.md, section 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from hotfolder.core.errors import OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.formats.afp import DamagedWalkError, StructuredField, explain, walk
from hotfolder.formats.window import Window
from hotfolder.indexes.codepages import CodePage, find_code_page
from hotfolder.indexes.faults import MAX_FIELDS, BadDocument, Skip, blame, check_fields, reject

BDT, EDT = 0xD3A8A8, 0xD3A9A8
BNG, ENG = 0xD3A8AD, 0xD3A9AD
BPG = 0xD3A8AF
TLE = 0xD3A090

_CODED_GRAPHIC_SET, _QUALIFIED_NAME, _ATTRIBUTE_VALUE = 0x01, 0x02, 0x36
_ATTRIBUTE_NAME = 0x0B
_INTRODUCER = 9  # bytes, with the 5A


@dataclass(slots=True)
class _Open:
    """The document that is being read."""

    start: int
    first_page: int
    fields: list[tuple[str, str]] = field(default_factory=list)
    bad: BadDocument | None = None


def read_afp_groups(
    stream: BinaryIO, size: int, name: str, *, code_page: str = "500", skip: Skip | None = None
) -> Iterator[IndexedDocument]:
    """The documents of the AFP file called ``name``, with their bytes and pages.

    ``code_page`` is that of tags that do not say. Raises ``OperatorFault`` if nobody
    knows it, ``InputFault`` if the chain of fields breaks.
    """
    page = find_code_page(code_page)
    if page is None:
        raise OperatorFault(
            f"the code page {code_page[:40]} of AFP tags is not known",
            hint="use 500, 37, 273, 1047, 1140 to 1148 or 819",
            code="index.codepage",
        )
    window = Window(stream, size)
    reader = _Groups(window, page, name, skip, grouped=_has_groups(window))
    try:
        yield from reader.read()
    except DamagedWalkError as error:
        fault = explain(window, error)
        raise reject(
            fault.code, fault.message, fault.remedy, file=name, place=fault.place
        ) from error


def _has_groups(window: Window) -> bool:
    try:
        return any(found.id == BNG for found in walk(window))
    except DamagedWalkError:
        return True  # the reading says where


class _Groups:
    def __init__(
        self, window: Window, page: CodePage, name: str, skip: Skip | None, *, grouped: bool
    ) -> None:
        self._window = window
        self._page = page
        self._name = name
        self._skip = skip
        self._begin, self._end = (BNG, ENG) if grouped else (BDT, EDT)
        self._depth = 0
        self._pages = 0
        self._ordinal = 0
        self._open: _Open | None = None

    def read(self) -> Iterator[IndexedDocument]:
        for found in walk(self._window):
            if found.id == self._begin:
                self._depth += 1
                if self._depth == 1:
                    self._ordinal += 1
                    self._open = _Open(found.offset, self._pages + 1)
            elif found.id == self._end and self._open is not None:
                self._depth -= 1
                if self._depth == 0:
                    document = self._close(self._open, found.offset + found.length)
                    self._open = None
                    if document is not None:
                        yield document
            elif found.id == BPG:
                self._pages += 1
            elif found.id == TLE and self._open is not None and self._open.bad is None:
                self._take(self._open, found)

    def _take(self, document: _Open, found: StructuredField) -> None:
        data = self._window.read(found.offset + _INTRODUCER, found.length - _INTRODUCER)
        try:
            document.fields.append(self._tag(data))
            if len(document.fields) > MAX_FIELDS:
                check_fields(document.fields)
        except BadDocument as bad:
            document.bad = bad
            document.fields.clear()

    def _tag(self, data: bytes) -> tuple[str, str]:
        """Name and value of a TLE. Raises ``BadDocument``."""
        name = value = b""
        page = self._page
        place = 0
        while place < len(data):
            length = data[place]
            if length < 2 or place + length > len(data):
                raise BadDocument(
                    "afp.triplet", "a tag has a part with a length that cannot be", "send it again"
                )
            kind, body = data[place + 1], data[place + 2 : place + length]
            if kind == _QUALIFIED_NAME and body[:1] == bytes((_ATTRIBUTE_NAME,)):
                name += body[2:]
            elif kind == _ATTRIBUTE_VALUE:
                value += body[2:]
            elif kind == _CODED_GRAPHIC_SET and len(body) >= 4:
                number = int.from_bytes(body[2:4], "big")
                found = find_code_page(str(number))
                if found is None:
                    raise BadDocument(
                        "afp.codepage",
                        f"a tag is in code page {number}, which is not known",
                        "write tags in 500",
                    )
                page = found
            place += length
        try:
            return page.decode(name), page.decode(value)
        except UnicodeDecodeError as error:
            raise BadDocument(
                "afp.codepage", f"a tag is not in code page {page.name}", "configure its code page"
            ) from error

    def _check(self, document: _Open) -> int:
        """How many pages it has. Raises ``BadDocument``."""
        check_fields(document.fields)
        pages = self._pages + 1 - document.first_page
        if not pages:
            raise BadDocument("afp.empty", "the page group has no page", "send it again")
        return pages

    def _close(self, document: _Open, end: int) -> IndexedDocument | None:
        place = f"byte {document.start}"
        try:
            if document.bad is not None:
                raise document.bad
            pages = self._check(document)
        except BadDocument as bad:
            blame(bad.fault(self._name, place), self._skip)
            return None
        return IndexedDocument(
            ordinal=self._ordinal,
            place=place,
            fields=tuple(document.fields),
            offset=document.start,
            length=end - document.start,
            first_page=document.first_page,
            pages=pages,
        )
