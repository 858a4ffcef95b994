"""AFP that tells its own documents: page groups, and tags (TLE) in groups and pages.

The outermost page group is the document; groups in it are parts of it. Pages outside
of groups are banners, and tags outside of groups tell nothing of a document. In a file
without any group every BDT…EDT is a document, also if it is the only one: it is the
file without what stands around it (reference/exstream-output-and-records-rules.md,
section 3).
"""

from __future__ import annotations

from collections.abc import Iterator
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
    """Where the reading stands: in how many groups, and what the open document has.
    ``taking``: it takes tags; ``checked``: its fields need no further look."""

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
        self._start: int | None = None  # of the open document
        self._first_page = 0
        self._fields: list[tuple[str, str]] = []
        self._taking = False
        self._checked = True
        self._bad: BadDocument | None = None
        self._bad_at: int | None = None  # the byte of its tag

    def take(self, batch: Batch) -> Iterator[IndexedDocument]:  # noqa: C901  one loop: its rate
        """The documents that end in ``batch``."""
        base, data, fields, _ = batch
        known, decode, introducer = self._tags.names.get, self._tags.decode, self._introducer
        add, taking = self._fields.append, self._taking
        for start, end, kind in fields:
            if kind == TLE:
                if not taking:
                    continue
                body = start + introducer
                value = body + data[body] if body < end else end
                rest = end - value
                # Nearly all tags: a known name and one value. The others take their time.
                if (
                    (name := known(data[body:value])) is not None
                    and rest >= 4
                    and data[value] == rest
                    and data[value + 1] == ATTRIBUTE_VALUE
                ):
                    try:
                        text = decode(data[value + 4 : end])
                    except UnicodeDecodeError:
                        text = "\0"  # is read again, and refused
                    if text.isprintable():
                        add((name, text))
                        continue
                self._tag(data[body:end], data[body - 3], base + start)
                taking = self._taking
            elif kind == BPG:
                self._pages += 1
            else:
                if self._bound(kind, base + start):
                    found = self._close(base + end)
                    add = self._fields.append
                    if found is not None:
                        yield found
                taking = self._taking
        if self._start is not None:
            self._limit()

    def finish(self) -> None:
        """Raise ``DamagedWalkError`` if the file ended in a document or group."""
        if self._in_document or self._depth:
            raise DamagedWalkError(
                self._size, "the file ends in a document or page group", "afp.truncated"
            )

    def _bound(self, kind: int, start: int) -> bool:
        """A group or document begins or ends; whether ours is complete by that."""
        if kind == ENG:
            self._depth -= 1
            if self._depth < 0:
                raise DamagedWalkError(start, "a page group ends that has not begun")
            return not self._depth
        if kind == BNG:
            self._depth += 1
            if self._depth > DEEPEST:
                raise DamagedWalkError(start, f"page groups are nested deeper than {DEEPEST}")
            if self._depth > 1:
                return False
        else:
            if self._in_document == (kind == BDT) or self._depth:
                raise DamagedWalkError(
                    start, "a document begins or ends inside a page group or another document"
                )
            self._in_document = kind == BDT
            if self._grouped or kind == EDT:
                return not self._grouped
        self._ordinal += 1
        self._start, self._first_page, self._taking = start, self._pages + 1, True
        return False

    def _tag(self, data: bytes, flags: int, place: int) -> None:
        """A tag that is not like the others, at byte ``place``."""
        self._checked = False
        try:
            self._fields.append(self._tags.read(data, flags))
        except BadDocument as bad:
            self._blame(bad, place)

    def _blame(self, bad: BadDocument, place: int | None = None) -> None:
        """The first fault is kept, and no more tags are."""
        if self._bad is None:
            self._bad, self._bad_at = bad, place
        self._taking = False
        self._fields.clear()

    def _check(self) -> None:
        try:
            check_fields(self._fields)
        except BadDocument as bad:
            self._blame(bad)

    def _limit(self) -> None:
        """Hold no more of a document than it may have, before the next batch adds to it."""
        self._check()
        if sum(len(name) + len(value) for name, value in self._fields) > MAX_TEXT:
            self._blame(
                BadDocument(
                    "index.fields",
                    f"the fields of the document have more than {MAX_TEXT} characters",
                    "leave out what does not describe the document",
                )
            )

    def _close(self, end: int) -> IndexedDocument | None:
        """The document that is complete; None if it is bad and was skipped."""
        if not self._checked or len(self._fields) > MAX_FIELDS:
            self._check()
        start, fields, bad, bad_at = self._start, self._fields, self._bad, self._bad_at
        assert start is not None
        self._start, self._fields, self._bad, self._bad_at = None, [], None, None
        self._taking, self._checked = False, True
        pages = self._pages + 1 - self._first_page
        if not pages:
            bad = bad or BadDocument(
                "afp.empty", "the document has no page", "leave it out, or write its pages"
            )
        if bad is not None:
            at = start if bad_at is None else bad_at
            blame(bad.fault(self._name, f"byte {at} (document {self._ordinal})"), self._skip)
            return None
        return IndexedDocument(
            ordinal=self._ordinal,
            place=f"byte {start}",
            fields=tuple(fields),
            offset=start,
            length=end - start,
            first_page=self._first_page,
            pages=pages,
        )
