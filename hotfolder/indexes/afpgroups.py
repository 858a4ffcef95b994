"""AFP that tells its own documents: page groups, and tags (TLE) in groups and pages.

The outermost page group is the document; groups in it are parts of it. Pages outside
of groups are banners, and tags outside of groups tell nothing of a document. In a file
without any group every BDT…EDT is a document, also if it is the only one: it is the
file without what stands around it (reference/exstream-output-and-records-rules.md,
section 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from hotfolder.core.indexed import IndexedDocument
from hotfolder.formats.afp import DEEPEST
from hotfolder.formats.afpfields import (
    Batch,
    DamagedWalkError,
    explain,
    framing_of,
    read_batches,
)
from hotfolder.formats.afpframing import BDT, BNG, BPG, EDT, ENG, TLE
from hotfolder.formats.window import Window
from hotfolder.indexes.afptags import ATTRIBUTE_VALUE, TagReader
from hotfolder.indexes.faults import MAX_FIELDS, BadDocument, Skip, blame, check_fields, reject

MAX_TEXT = 1 << 20  # characters of all tags of a document

_WANTED = frozenset((BDT, EDT, BNG, ENG, BPG, TLE))


@dataclass(slots=True)
class _Open:
    """The document that is being read. ``checked``: every field is one that may be."""

    start: int
    first_page: int
    fields: list[tuple[str, str]] = field(default_factory=list)
    bad: BadDocument | None = None
    checked: bool = True

    def blame(self, bad: BadDocument) -> None:
        """The first fault is kept, and the fields are of no use any more."""
        self.bad = self.bad or bad
        self.fields.clear()

    def check(self) -> None:
        """Whether the fields are such as a document may have."""
        try:
            check_fields(self.fields)
        except BadDocument as bad:
            self.blame(bad)

    def limit(self) -> None:
        """Hold no more than a document may have, before the next batch adds to it."""
        if len(self.fields) > MAX_FIELDS or self.bad is not None:
            self.check()
            self.fields.clear()
        if sum(len(name) + len(value) for name, value in self.fields) > MAX_TEXT:
            self.blame(
                BadDocument(
                    "index.fields",
                    f"the fields of the document have more than {MAX_TEXT} characters",
                    "leave out what does not describe the document",
                )
            )


def read_afp_groups(
    stream: BinaryIO, size: int, name: str, *, code_page: str = "500", skip: Skip | None = None
) -> Iterator[IndexedDocument]:
    """The documents of the AFP file called ``name``, with their bytes and pages.

    ``code_page`` is that of tags that do not say. Bytes go from the BNG (with what the
    framing puts before it) to the end of the ENG. Memory is bounded by a batch of fields
    and one document; a file without groups is walked twice. Raises ``OperatorFault`` if
    nobody knows the code page, ``InputFault`` if the chain of fields breaks, and for a
    bad document if there is no ``skip``.
    """
    tags = TagReader(code_page)
    window = Window(stream, size)
    try:
        reader = _Groups(window, tags, name, skip, grouped=_has_groups(window))
        for batch in read_batches(window, _WANTED):
            yield from reader.take(batch)
        reader.finish()
    except DamagedWalkError as error:
        fault = explain(window, error)
        raise reject(
            fault.code, fault.message, fault.remedy, file=name, place=fault.place
        ) from error


def _has_groups(window: Window) -> bool:
    return any(batch.fields for batch in read_batches(window, frozenset((BNG,))))


class _Groups:
    def __init__(
        self, window: Window, tags: TagReader, name: str, skip: Skip | None, *, grouped: bool
    ) -> None:
        self._size = window.size
        self._introducer = framing_of(window).introducer
        self._tags = tags
        self._name = name
        self._skip = skip
        self._grouped = grouped
        self._in_document = False
        self._depth = 0
        self._pages = 0
        self._ordinal = 0
        self._open: _Open | None = None

    def take(self, batch: Batch) -> Iterator[IndexedDocument]:
        """The documents that end in ``batch``."""
        base, data, fields, _ = batch
        names, decode = self._tags.names, self._tags.decode
        introducer = self._introducer
        document = self._open
        for start, end, kind in fields:
            if kind == TLE:
                if document is None:
                    continue
                body = start + introducer
                value = body + data[body] if body < end else end
                # Nearly all tags: a known name and one value. The rest takes its time.
                known = names.get(data[body:value])
                if (
                    known is not None
                    and value + 4 <= end
                    and data[value] == end - value
                    and data[value + 1] == ATTRIBUTE_VALUE
                    and (text := decode(data[value + 4 : end])).isprintable()
                ):
                    document.fields.append((known, text))
                else:
                    self._tag(document, data[body:end], data[body - 3])
            elif kind == BPG:
                self._pages += 1
            else:
                found = self._bound(kind, base + start, base + end)
                document = self._open
                if found is not None:
                    yield found
        if document is not None:
            document.limit()

    def finish(self) -> None:
        """Raise ``DamagedWalkError`` if the file ended in a document."""
        if self._open is not None:
            raise DamagedWalkError(
                self._size,
                f"the file ends in the document that begins at byte {self._open.start}",
                "afp.truncated",
            )

    def _tag(self, document: _Open, data: bytes, flags: int) -> None:
        document.checked = False
        try:
            document.fields.append(self._tags.read(data, flags))
        except BadDocument as bad:
            document.blame(bad)

    def _bound(self, kind: int, start: int, end: int) -> IndexedDocument | None:
        """A group or document begins or ends: the document that is complete by that."""
        if kind in (BDT, EDT):
            if self._in_document == (kind == BDT) or self._depth:
                raise DamagedWalkError(
                    start, "a document begins or ends inside a page group or another document"
                )
            self._in_document = kind == BDT
        else:
            self._depth += 1 if kind == BNG else -1
            if self._depth < 0:
                raise DamagedWalkError(start, "a page group ends that has not begun")
            if self._depth > DEEPEST:
                raise DamagedWalkError(start, f"page groups are nested deeper than {DEEPEST}")
        if self._grouped == (kind in (BDT, EDT)):
            return None
        if self._open is None:
            self._ordinal += 1
            self._open = _Open(start, self._pages + 1)
        elif not self._depth:
            document, self._open = self._open, None
            return self._close(document, end)
        return None

    def _close(self, document: _Open, end: int) -> IndexedDocument | None:
        place = f"byte {document.start}"
        pages = self._pages + 1 - document.first_page
        fields = document.fields
        if not pages:
            document.blame(
                BadDocument(
                    "afp.empty", "the document has no page", "leave it out, or write its pages"
                )
            )
        if not document.checked or len(fields) > MAX_FIELDS:
            document.check()
        if document.bad is not None:
            blame(document.bad.fault(self._name, place), self._skip)
            return None
        return IndexedDocument(
            ordinal=self._ordinal,
            place=place,
            fields=tuple(fields),
            offset=document.start,
            length=end - document.start,
            first_page=document.first_page,
            pages=pages,
        )
