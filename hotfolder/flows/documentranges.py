"""Where the documents of a spool lie, once their index is held against its bytes."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.identity import page_digest
from hotfolder.core.indexed import IndexedDocument
from hotfolder.core.records import DocumentRange
from hotfolder.formats.afpfields import framing_of, starts_field
from hotfolder.formats.window import Window
from hotfolder.indexes.selection import SpoolFile

_CHUNK = 1 << 20


class DocumentRanges:
    """Where documents lie, with the SHA-256 of what lies there."""

    def __init__(self, stream: BinaryIO, sha256: str, size: int, *, of_fields: bool) -> None:
        """``stream`` is the spool, for nobody else to read; ``of_fields``: it is AFP, and an
        index file says where its documents lie."""
        self._stream = stream
        self.sha256 = sha256  # of the whole spool
        self._size = size
        self._window = Window(stream, size)
        self._framing = framing_of(self._window) if of_fields else None

    def place(self, found: IndexedDocument, spool: SpoolFile) -> DocumentRange:
        """The checked range of ``found``. Raises ``InputFault`` for bytes that are no whole
        fields of an AFP file, and for pages of a format whose pages nobody could give back."""
        if found.offset is not None and found.length is not None:
            for at in (found.offset, found.offset + found.length):
                if self._framing and not starts_field(self._window, self._framing, at):
                    raise InputFault([_no_field(at, found, spool)])
            return DocumentRange(
                ordinal=found.ordinal,
                offset=found.offset,
                length=found.length,
                sha256=self._hash(found.offset, found.length),
                first_page=found.first_page,
                pages=found.pages,
            )
        assert found.first_page is not None  # a checked range has the one or the other
        assert found.pages is not None
        if spool.format_name != "pdf":
            raise InputFault(
                [
                    Fault(
                        code="ranges.pages",
                        message=f"the index gives pages, and pages of a {spool.format_name} file"
                        " cannot be given back one by one",
                        remedy="write offsets and lengths in bytes into the index",
                        file=spool.shown,
                        place=found.place,
                    )
                ]
            )
        return DocumentRange(
            ordinal=found.ordinal,
            offset=0,
            length=self._size,
            sha256=page_digest(self.sha256, found.first_page, found.pages),
            first_page=found.first_page,
            pages=found.pages,
            by_pages=True,
        )

    def _hash(self, offset: int, length: int) -> str:
        if (offset, length) == (0, self._size):
            return self.sha256
        digest = hashlib.sha256()
        self._stream.seek(offset)
        while length:
            data = self._stream.read(min(length, _CHUNK))
            if not data:
                raise OSError("the file has become shorter")
            digest.update(data)
            length -= len(data)
        return digest.hexdigest()


def _no_field(at: int, found: IndexedDocument, spool: SpoolFile) -> Fault:
    return Fault(
        code="ranges.field",
        message=f"the document begins or ends at byte {at}, in the middle of an AFP field",
        remedy="send the index that belongs to this file; a file changed by its transfer, or an"
        " index made before that, are the usual causes",
        file=spool.shown,
        place=f"{found.place} (document {found.ordinal})",
    )
