"""Retrieve: the bytes of one document, out of the spool that holds it.

Nothing is given out before the whole spool has been compared with its inventory, and the
document's own range with what was journalled of it at intake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from hotfolder.core.errors import Corrupt, Destroyed, OperatorFault, Transient
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.ports import Journal, Store
from hotfolder.core.records import CatalogueRow
from hotfolder.files.faults import os_errors
from hotfolder.flows.gone import require_given, require_whole
from hotfolder.formats.afpwrap import wrap_document
from hotfolder.formats.pdfextract import extract_pages
from hotfolder.formats.window import Window

_CHUNK = 1 << 20
_NOT_STORED = (SpoolState.CLAIMING, SpoolState.CLAIMED, SpoolState.READ)
_IN_MEMORY = 8 << 20  # bytes of extracted pages; more go into a file without a name


class Form(StrEnum):
    """In which form a document is given back."""

    EXACT = "exact"  # the bytes of its range, as they were sent
    ALONE = "alone"  # made to be printed or shown by itself; derived from the spool
    SPOOL = "spool"  # the whole spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """A document that was found whole, and the pieces of its bytes."""

    row: CatalogueRow
    form: Form
    derived: bool  # these bytes were never sent: they were made of those that were
    pieces: Iterator[bytes]
    sha256: str | None  # of the bytes; None where they are derived

    @property
    def size(self) -> int | None:
        """How many bytes; None where they are derived."""
        if self.derived:
            return None
        if self.form is Form.SPOOL:
            return self.row.spool_size
        return self.row.document.range.length


class OpenSpool:
    """The spool that was opened last, so that the next document of it is given, or found
    to be damaged, without looking all of it over again. To be closed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._spool_id = ""
        self._stream: BinaryIO | None = None
        self._damage: Corrupt | None = None
        self.destroyed: frozenset[int] = frozenset()  # ordinals in the spool that is open

    def open(self, row: CatalogueRow) -> BinaryIO:
        """The verified bytes of the spool; what the last call gave is closed if it was
        another one. Raises as ``Store.open_content`` does."""
        if row.spool_id != self._spool_id:
            self.close()
            try:
                self.destroyed = self._store.destroyed_parts(row.spool_id)
                self._stream = self._store.open_content(row.spool_id, sha256=row.spool_sha256)
            except Corrupt as error:
                self._damage = error
            self._spool_id = row.spool_id
        if self._stream is None:
            assert self._damage is not None
            raise self._damage
        return self._stream

    def close(self) -> None:
        """Close the spool that is open."""
        if self._stream is not None:
            self._stream.close()
        self._spool_id, self._stream, self._damage = "", None, None
        self.destroyed = frozenset()


@contextmanager
def retrieve(
    journal: Journal,
    store: Store,
    identity: str,
    form: Form | None = None,
    *,
    spools: OpenSpool | None = None,
) -> Iterator[Retrieved]:
    """The document called ``identity``; its pieces can be taken until the block ends.

    Without ``form`` it is the exact bytes, or the pages alone where a document has no
    bytes of its own. With ``spools`` the spool stays open for the next document. Raises
    ``KeyError`` if there is no such document, ``Corrupt`` if spool or range are not what
    they were or the store has lost them, ``Transient`` if it is not stored yet,
    ``OperatorFault`` if the form cannot be had, or it (or, for the whole spool, another in
    it) is withheld, ``Destroyed`` if it, or its key, was destroyed.
    """
    row = require_given(journal, identity)
    place = row.document.range
    if form is None:
        form = Form.ALONE if place.by_pages else Form.EXACT
    if form is Form.EXACT and place.by_pages:
        raise OperatorFault(
            "the document is some pages of a PDF and has no bytes of its own",
            hint="ask for it alone (derived from the spool), or for the whole spool",
            code="retrieve.form",
        )
    if form is Form.SPOOL:
        require_whole(journal, row.spool_id)
    opened = spools or OpenSpool(store)
    try:
        stream = _open(journal, opened, row)
        gone = _spans_gone(journal, row, form, opened.destroyed)
        with os_errors("reading the store"):
            yield _find(row, form, stream, gone)
    finally:
        if spools is None:
            opened.close()


def _open(journal: Journal, spools: OpenSpool, row: CatalogueRow) -> BinaryIO:
    try:
        return spools.open(row)
    except KeyError:
        spool = journal.get_spool(row.spool_id)
        if spool is not None and (spool.held_from or spool.state) in _NOT_STORED:
            raise Transient(
                "the spool is not in the store yet",
                hint="`hotfolder show` says how far it has come",
                code="retrieve.not_stored",
            ) from None
        raise Corrupt(
            "the store has lost the spool",
            hint="restore the object from a backup, or from a copy with `hotfolder fill`",
            code="store.missing",
        ) from None


def _spans_gone(
    journal: Journal, row: CatalogueRow, form: Form, gone: frozenset[int]
) -> list[tuple[int, int]] | None:
    """Where in its spool documents are destroyed that come before this one; None if none
    is destroyed at all, or the form does not ask for what stands before it. Raises
    ``Destroyed`` if it is one of them itself, or the whole spool is asked for."""
    place = row.document.range
    whole = form is Form.SPOOL or place.by_pages or place.length == row.spool_size
    if place.ordinal in gone or (gone and whole):
        raise Destroyed(
            "the document was destroyed" if place.ordinal in gone else "a part was destroyed",
            hint="the tombstone and the certificate of its disposal tell when and by whom",
            code="document.destroyed",
        )
    if not gone or form is not Form.ALONE:
        return None
    found = (item.document.range for item in journal.iterate_documents(row.spool_id))
    return [
        (item.offset, item.offset + item.length)
        for item in found
        if item.ordinal in gone and item.offset < place.offset
    ]


def _find(
    row: CatalogueRow, form: Form, stream: BinaryIO, gone: Sequence[tuple[int, int]] | None
) -> Retrieved:
    place = row.document.range
    window = Window(stream, row.spool_size)
    offset, length = (
        (0, row.spool_size)
        if form is Form.SPOOL or place.by_pages
        else (place.offset, place.length)
    )
    whole = length == row.spool_size
    expected = row.spool_sha256 if whole else place.sha256
    if not whole:  # all of it was compared when it was opened
        _check(window, offset, length, expected)
    if form is not Form.ALONE:
        derived, pieces = False, _pieces(window, offset, length)
    else:
        derived, pieces = _alone(row, stream, window, gone)
    return Retrieved(
        row=row, form=form, derived=derived, pieces=pieces, sha256=None if derived else expected
    )


def _check(window: Window, offset: int, length: int, expected: str) -> None:
    digest = hashlib.sha256()
    for piece in _pieces(window, offset, length):
        digest.update(piece)
    if digest.hexdigest() != expected:
        raise Corrupt(
            "the bytes in the store are not those that were journalled",
            hint="nothing is given out; `hotfolder show` tells what was journalled",
            code="retrieve.fixity",
        )


def _pieces(window: Window, offset: int, length: int) -> Iterator[bytes]:
    for start in range(offset, offset + length, _CHUNK):
        yield window.read(start, min(_CHUNK, offset + length - start))


def _pages(row: CatalogueRow, stream: BinaryIO, first_page: int, pages: int) -> Iterator[bytes]:
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as made:
        extract_pages(
            stream,
            row.spool_size,
            first_page,
            pages,
            cast("BinaryIO", made),
            spool_sha256=row.spool_sha256,
        )
        made.seek(0)
        while piece := made.read(_CHUNK):
            yield piece


def _alone(
    row: CatalogueRow, stream: BinaryIO, window: Window, gone: Sequence[tuple[int, int]] | None
) -> tuple[bool, Iterator[bytes]]:
    """Whether it had to be derived, and its pieces."""
    place = row.document.range
    if (place.offset, place.length) == (0, row.spool_size) and not place.by_pages:
        return False, _pieces(window, 0, row.spool_size)
    if place.by_pages:
        assert place.first_page is not None
        assert place.pages is not None
        return True, _pages(row, stream, place.first_page, place.pages)
    if row.format_name == "afp":
        return True, wrap_document(window, place.offset, place.length, without=gone)
    raise OperatorFault(
        f"a part of a {row.format_name} spool cannot be made to stand alone",
        hint="ask for its exact bytes, or for the whole spool",
        code="retrieve.form",
    )
