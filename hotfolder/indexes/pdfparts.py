"""PDF that tells its own documents: by its bookmarks, or by a text on their first pages.

A document reaches from its first page to the page before the next document's. Pages
before the first are in no document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pikepdf

from hotfolder.core.errors import OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.formats.window import Window
from hotfolder.indexes.faults import BadDocument, Skip, blame, check_fields, reject
from hotfolder.indexes.pdftext import page_texts

MAX_BOOKMARKS = 2_000_000
_Begun = tuple[int, int, tuple[tuple[str, str], ...]]  # ordinal, first page, fields
_PAIR = re.compile(r"\s*([^:=]{1,80}?)\s*[:=]\s*(.+?)\s*")


def read_pdf_bookmarks(
    stream: BinaryIO, size: int, name: str, *, level: int = 1, skip: Skip | None = None
) -> Iterator[IndexedDocument]:
    """The documents that bookmarks of ``level`` (from 1) begin, in the order of pages.

    Fields are ``bookmark``, the title, and every ``name: value`` or ``name = value`` in
    it (between semicolons). Raises ``InputFault`` if the PDF cannot be opened, or if a
    bookmark does not lead to a page behind that of the one before: nobody can say then
    where the document before it ends.
    """
    with _open(stream, size, name) as document, _readable(name):
        count = len(document.pages)
        numbers = {page.obj.objgen: place for place, page in enumerate(document.pages, 1)}
        before: _Begun | None = None
        last = 0
        for ordinal, (title, target) in enumerate(_bookmarks(document, level, name), 1):
            first = numbers.get(target, 0)
            _check_page(first, last, name, f"bookmark {ordinal}")
            last = first
            if before is not None:
                yield _document(before, first)
            before = None
            try:
                fields = _fields(title)
                check_fields(fields)
            except BadDocument as bad:
                blame(bad.fault(name, f"bookmark {ordinal}"), skip)
            else:
                before = (ordinal, first, tuple(fields))
        if before is not None:
            yield _document(before, count + 1)


def read_pdf_marked(
    stream: BinaryIO, size: int, name: str, *, pattern: str, skip: Skip | None = None
) -> Iterator[IndexedDocument]:
    """The documents that begin on the pages whose text matches ``pattern``, a regular
    expression; its named groups are fields. A page without a match goes on with the
    document before it.

    Raises ``OperatorFault`` if ``pattern`` is none, ``InputFault`` if the PDF cannot be
    opened, the text of a page cannot be read, or no page matches.
    """
    try:
        marker = re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise OperatorFault(
            "the marker of documents is no regular expression",
            hint=str(error.msg),
            code="documents.marker",
        ) from error
    with _open(stream, size, name) as document, _readable(name):
        ordinal = first = 0
        fields: tuple[tuple[str, str], ...] | None = None
        for number, text in page_texts(document, name):
            match = marker.search(text)
            if match is None:
                continue
            if fields is not None:
                yield _marked(ordinal, first, number, fields)
            ordinal, first, fields = ordinal + 1, number, None
            try:
                found = [(key, value) for key, value in match.groupdict("").items() if value]
                check_fields(found)
            except BadDocument as bad:
                blame(bad.fault(name, f"page {number}"), skip)
            else:
                fields = tuple(found)
        if fields is not None:
            yield _marked(ordinal, first, len(document.pages) + 1, fields)


def _marked(
    ordinal: int, first: int, following: int, fields: tuple[tuple[str, str], ...]
) -> IndexedDocument:
    return IndexedDocument(
        ordinal=ordinal,
        place=f"page {first}",
        fields=fields,
        first_page=first,
        pages=following - first,
    )


def _check_page(first: int, last: int, name: str, place: str) -> None:
    if not first:
        raise reject(
            "bookmark.page",
            "the bookmark leads to no page of the file",
            "write the PDF anew",
            file=name,
            place=place,
        )
    if first <= last:
        raise reject(
            "bookmark.order",
            f"the bookmark leads to page {first}, the one before it to page {last}",
            "give each document a bookmark on its first page, in the order of pages",
            file=name,
            place=place,
        )


def _fields(title: str) -> list[tuple[str, str]]:
    found = [("bookmark", title)]
    for part in title.split(";"):
        match = _PAIR.fullmatch(part)
        if match is not None:
            found.append((match[1], match[2]))
    return found


def _document(begun: _Begun, following: int) -> IndexedDocument:
    ordinal, first, fields = begun
    return IndexedDocument(
        ordinal=ordinal,
        place=f"bookmark {ordinal}",
        fields=fields,
        first_page=first,
        pages=following - first,
    )


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """What qpdf and pikepdf make of damage inside an open file becomes ``InputFault``."""
    try:
        yield
    except (
        pikepdf.PdfError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise reject(
            "pdf.damaged",
            f"the PDF cannot be read ({type(error).__name__})",
            "send it again",
            file=name,
        ) from error


def _open(stream: BinaryIO, size: int, name: str) -> pikepdf.Pdf:
    try:
        return pikepdf.open(
            Window(stream, size).reader(),
            attempt_recovery=False,
            suppress_warnings=True,
            access_mode=pikepdf.AccessMode.stream,
        )
    except pikepdf.PasswordError as error:
        raise reject(
            "pdf.encrypted",
            "the PDF is encrypted: its documents cannot be told",
            "send it without a password, or to a hot folder for single documents",
            file=name,
        ) from error
    except (pikepdf.PdfError, RuntimeError, ValueError) as error:
        raise reject(
            "pdf.damaged", "the PDF cannot be opened", "send it again", file=name
        ) from error


def _bookmarks(
    document: pikepdf.Pdf, level: int, name: str
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Title and page (its object) of the bookmarks of one level, in order."""
    outlines = document.Root.get("/Outlines")
    seen: set[tuple[int, int]] = set()
    if isinstance(outlines, pikepdf.Dictionary):
        yield from _walk(document, outlines, level, seen, name)


def _walk(
    document: pikepdf.Pdf,
    parent: pikepdf.Object,
    level: int,
    seen: set[tuple[int, int]],
    name: str,
) -> Iterator[tuple[str, tuple[int, int]]]:
    item = parent.get("/First")
    while isinstance(item, pikepdf.Dictionary):
        if item.objgen in seen or len(seen) >= MAX_BOOKMARKS:
            raise reject(
                "bookmark.loop",
                "the bookmarks of the PDF lead in a circle, or are too many",
                "write the PDF anew",
                file=name,
            )
        seen.add(item.objgen)
        if level > 1:
            yield from _walk(document, item, level - 1, seen, name)
        else:
            yield str(item.get("/Title", "")), _target(document, item)
        item = item.get("/Next")


def _target(document: pikepdf.Pdf, item: pikepdf.Object) -> tuple[int, int]:
    """The page object that a bookmark leads to; (0, 0) if none (ISO 32000-1, 12.3.2)."""
    found = item.get("/Dest")
    if found is None:
        action = item.get("/A")
        if isinstance(action, pikepdf.Dictionary) and action.get("/S") == "/GoTo":
            found = action.get("/D")
    if isinstance(found, (pikepdf.Name, pikepdf.String)):
        found = _named(document, found)
    if isinstance(found, pikepdf.Dictionary):
        found = found.get("/D")
    if isinstance(found, pikepdf.Array) and len(found):
        page = found[0]
        if isinstance(page, pikepdf.Dictionary):
            return page.objgen
    return (0, 0)


def _named(document: pikepdf.Pdf, name: pikepdf.Object) -> pikepdf.Object | None:
    old = document.Root.get("/Dests")
    if isinstance(name, pikepdf.Name):
        return old.get(str(name)) if isinstance(old, pikepdf.Dictionary) else None
    names = document.Root.get("/Names")
    tree = names.get("/Dests") if isinstance(names, pikepdf.Dictionary) else None
    if not isinstance(tree, pikepdf.Dictionary):
        return None
    return pikepdf.NameTree(tree).get(str(name))
