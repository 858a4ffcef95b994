"""Whether the ranges that an index gives fit the files they lie in.

Inside the file, in order, not overlapping unless that is allowed; what lies between
documents is counted. One document at a time, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.faults import BadDocument, Skip, blame, reject

MAX_GAPS = 100  # that are kept with their places


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How large a file of the drop is. ``pages`` None: nobody has counted them."""

    size: int
    pages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What lies between documents and belongs to none: ``length`` bytes from offset
    ``start``, or pages from page ``start``; of ``file``, or of the spool."""

    unit: str  # "bytes" or "pages"
    start: int
    length: int
    file: bytes | None = None


@dataclass(slots=True)
class Gaps:
    """All gaps, and the first ``MAX_GAPS`` of them with their places."""

    first: list[Gap] = field(default_factory=list)
    count: int = 0
    bytes: int = 0
    pages: int = 0

    def add(self, gap: Gap) -> None:
        """Count one more."""
        self.count += 1
        if gap.unit == "bytes":
            self.bytes += gap.length
        else:
            self.pages += gap.length
        if len(self.first) < MAX_GAPS:
            self.first.append(gap)


@dataclass(slots=True)
class _Track:
    """How far the documents of one file have come, in one unit. Positions from 0."""

    unit: str
    file: bytes | None
    whole: int | None
    start: int = 0
    covered: int = 0
    last: str = ""


@dataclass(slots=True)
class _Progress:
    bytes: _Track
    pages: _Track
    units: tuple[bool, bool] | None = None  # whether documents have bytes, and pages


class CheckedRanges(Iterator[IndexedDocument]):
    """The documents whose ranges fit. ``gaps`` is complete when there are no more;
    ``unended`` is the place of the last one, if the index lacks its line end."""

    def __init__(
        self,
        documents: Iterable[IndexedDocument],
        spool: Extent,
        *,
        allow_overlap: bool,
        name: bytes,
        others: Mapping[bytes, Extent],
        index: str,
        skip: Skip | None,
    ) -> None:
        self.gaps = Gaps()
        self.unended = ""
        self._allow_overlap = allow_overlap
        self.index = index
        self._skip = skip
        self._spool = _progress(spool, None)
        self._files = {other: _progress(extent, other) for other, extent in others.items()}
        self._name = name
        self._checked = self._check(documents)

    def __next__(self) -> IndexedDocument:
        """The next one. Raises ``InputFault`` if it does not fit and nobody skips it."""
        return next(self._checked)

    def _check(self, documents: Iterable[IndexedDocument]) -> Iterator[IndexedDocument]:
        for document in documents:
            if document.cut:
                self.unended = document.place
            try:
                fitting = self._fit(document)
            except BadDocument as bad:
                place = f"{document.place} (document {document.ordinal})"
                blame(bad.fault(self.index, place), self._skip)
            else:
                yield fitting
        for progress in (self._spool, *self._files.values()):
            self._finish(progress)

    def _fit(self, document: IndexedDocument) -> IndexedDocument:
        """The document with its range spelt out. Nothing is booked of a bad one."""
        file = document.file
        if file is not None and file == self._name:
            file = None
        progress = self._spool if file is None else self._files.get(file)
        if progress is None:
            raise BadDocument(
                "ranges.file",
                "the index names a file that is not in this drop",
                "send it with the others, or correct the name",
            )
        offset, length = document.offset, document.length
        first, pages = document.first_page, document.pages
        if offset is None and length is None and first is None:
            offset, length = 0, progress.bytes.whole
        has_bytes, has_pages = offset is not None or length is not None, first is not None
        if progress.units not in (None, (has_bytes, has_pages)):
            raise BadDocument(
                "ranges.mixed",
                "some documents of the file have byte ranges, others page ranges",
                "use one of them for all",
            )
        if has_bytes:
            self._place(progress.bytes, offset, length, 0)
        if has_pages:
            self._place(progress.pages, first, pages, 1)
        if has_bytes:
            self._book(progress.bytes, offset or 0, length or 0, document.place, counts=True)
        if has_pages:
            begin = (first or 1) - 1
            # Gaps are counted once: in bytes, where documents have both.
            self._book(progress.pages, begin, pages or 0, document.place, counts=not has_bytes)
        progress.units = (has_bytes, has_pages)
        if file is document.file and offset == document.offset:
            return document
        return document._replace(file=file, offset=offset, length=length)

    def _place(self, track: _Track, start: int | None, length: int | None, least: int) -> None:
        """Raise ``BadDocument`` if a range is none, or not where it may be."""
        if start is None or length is None:
            raise BadDocument(
                "ranges.half", f"half of a range of {track.unit} is missing", "give both numbers"
            )
        if start < least or length < 1:
            raise BadDocument(
                "ranges.empty",
                f"the range of {track.unit} is empty or begins before the file",
                "correct it",
            )
        begin = start - least
        if track.whole is not None and begin + length > track.whole:
            raise BadDocument(
                "ranges.outside",
                f"the document ends at {_word(track.unit)} {begin + length}, the file has"
                f" {track.whole} {track.unit}",
                "send the index that belongs to this file; a file cut off, or converted in a"
                " text-mode transfer, are the usual causes",
            )
        if begin < track.start:
            raise BadDocument(
                "ranges.order",
                f"the document begins at {_word(track.unit)} {start}, before the one in"
                f" {track.last}",
                "list documents in the order of the file",
            )
        if begin < track.covered and not self._allow_overlap:
            raise BadDocument(
                "ranges.overlap",
                f"the document begins at {_word(track.unit)} {start}, before the one in"
                f" {track.last} has ended",
                "correct the index, or allow overlapping documents for this folder",
            )

    def _book(self, track: _Track, begin: int, length: int, place: str, *, counts: bool) -> None:
        if counts and begin > track.covered:
            self._gap(track, begin)
        track.start = begin
        track.last = place
        track.covered = max(track.covered, begin + length)

    def _finish(self, progress: _Progress) -> None:
        has_bytes, has_pages = progress.units or (True, False)
        if has_bytes:
            self._finish_track(progress.bytes)
        elif has_pages:
            self._finish_track(progress.pages)

    def _finish_track(self, track: _Track) -> None:
        if track.whole is not None and track.whole > track.covered:
            if self.unended:
                raise self._cut_off(track, track.whole)
            self._gap(track, track.whole)

    def _cut_off(self, track: _Track, whole: int) -> InputFault:
        """No line end, and nobody has the rest of the file: two signs of one thing. A
        number that lost its last digits is a number still."""
        return reject(
            "index.truncated",
            f"the index ends without a line end, and the last {whole - track.covered}"
            f" {track.unit} of the file are in no document: the index was cut off",
            "send the whole index again; if nothing is missing, with a line end at its end",
            file=self.index,
            place=self.unended,
        )

    def _gap(self, track: _Track, end: int) -> None:
        first = 1 if track.unit == "pages" else 0
        self.gaps.add(
            Gap(
                unit=track.unit,
                start=track.covered + first,
                length=end - track.covered,
                file=track.file,
            )
        )


def check_ranges(
    documents: Iterable[IndexedDocument],
    size: int,
    pages: int | None,
    *,
    allow_overlap: bool,
    name: bytes = b"",
    others: Mapping[bytes, Extent] | None = None,
    index: str = "",
    skip: Skip | None = None,
) -> CheckedRanges:
    """Give out the documents whose ranges fit into the spool, one by one.

    ``size`` and ``pages`` are the spool's (None: nobody has counted its pages), ``name``
    is what an index may call it, ``others`` are the further files of the drop, and
    ``index`` is the name of the index for notes. A document without a range is the whole
    of its file and is given out with that as its range; the spool's own name becomes
    None. Documents that do not fit are given to ``skip``; without it the first one ends in
    ``InputFault``.
    """
    return CheckedRanges(
        documents,
        Extent(size=size, pages=pages),
        allow_overlap=allow_overlap,
        name=name,
        others=others or {},
        index=index,
        skip=skip,
    )


def describe_gaps(gaps: Gaps) -> Fault | None:
    """What is in no document, as a warning; None if every byte is accounted for."""
    if not gaps.count:
        return None
    parts = [f"{n} {unit}" for n, unit in ((gaps.bytes, "bytes"), (gaps.pages, "pages")) if n]
    gap = gaps.first[0]
    return Fault(
        code="ranges.gap",
        message=f"{' and '.join(parts)} in {gaps.count} places belong to no document",
        remedy="nothing, if these are banner pages or resources; else correct the index",
        file="" if gap.file is None else gap.file.decode("utf-8", "backslashreplace"),
        place=f"{_word(gap.unit)} {gap.start}",
    )


def describe_end(ranges: CheckedRanges) -> Fault | None:
    """That the last line of an index has no line end, as a warning."""
    if not ranges.unended:
        return None
    return Fault(
        code="index.unended",
        message="the last line of the index has no line end: if it was cut off there, the"
        " fields of the last document are not whole",
        remedy="compare the last document with its line; write a line end behind every line",
        file=ranges.index,
        place=ranges.unended,
    )


def _word(unit: str) -> str:
    return unit.removesuffix("s")


def _progress(extent: Extent, file: bytes | None) -> _Progress:
    return _Progress(
        bytes=_Track("bytes", file, extent.size), pages=_Track("pages", file, extent.pages)
    )
