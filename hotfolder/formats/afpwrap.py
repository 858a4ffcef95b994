"""One document of an AFP spool with all that it needs to be printed by itself.

What a page group needs stands around it: the resource groups of the print file, the
environment at the start of its document (form map, resource mappings), and the medium
map that was last invoked, which is in force until the next (MO:DCA Reference,
AFPC-0004: print file, Begin Document, Invoke Medium Map).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hotfolder.core.errors import Fault, InputFault
from hotfolder.formats.afp import DEEPEST
from hotfolder.formats.afpfields import Batch, DamagedWalkError, explain, framing_of, read_batches
from hotfolder.formats.afpframing import (
    BDI,
    BDT,
    BEGIN,
    BEGINS_AND_ENDS,
    BNG,
    BPG,
    BRG,
    END,
    IMM,
    Framing,
)
from hotfolder.formats.window import Window

_CHUNK = 1 << 20  # bytes that are given at once
_PIECES = 10_000  # that what stands around a document may have
_WANTED = BEGINS_AND_ENDS | {IMM}
_STARTS = (BDT, BNG, BPG)  # a document is one of these, or several

_Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A Begin field that has no End yet."""

    kind: int
    name: bytes
    start: int


@dataclass(slots=True)
class _Surroundings:
    """What a document needs of all that stands before it.

    ``head``: before the first document, and resource groups between documents.
    ``environment``: of its own document, before its first page or group, without
    invocations of medium maps; ``invoked`` is the last of those. ``mark``: from where on
    fields go to one of the two, which they do before there are pages (``copying``).
    """

    head: list[_Span] = field(default_factory=list)
    environment: list[_Span] = field(default_factory=list)
    invoked: _Span | None = None
    open: list[_Begun] = field(default_factory=list)
    mark: int = 0
    copying: bool = True
    resume: bool = False  # whether copying goes on behind an index

    @property
    def inside(self) -> bool:
        """Whether a document has begun."""
        return any(begun.kind == BDT for begun in self.open)

    def keep(self, upto: int) -> None:
        """Keep what stands between the mark and ``upto``."""
        if self.copying and upto > self.mark:
            _add(self.environment if self.inside else self.head, (self.mark, upto))

    def pass_over(self, start: int, end: int) -> None:
        """A document that is no more: as if it had begun and ended."""
        self.keep(start)
        self.mark, self.copying = end, False

    def begin(self, begun: _Begun) -> None:
        """A Begin field."""
        if begun.kind in _STARTS or begun.kind == BDI:
            self.keep(begun.start)
            self.mark = begun.start
            self.resume = self.copying
            self.copying = begun.kind == BDT
        if len(self.open) >= DEEPEST:
            raise DamagedWalkError(begun.start, f"fields are nested deeper than {DEEPEST}")
        self.open.append(begun)

    def end(self, kind: int, start: int, end: int) -> None:
        """An End field."""
        if not self.open or self.open[-1].kind != kind - END + BEGIN:
            raise DamagedWalkError(start, "an End field has no Begin")
        begun = self.open.pop()
        if begun.kind == BDT:
            self.environment, self.invoked, self.copying = [], None, False
        elif begun.kind == BDI:
            self.mark, self.copying = end, self.resume
        elif begun.kind == BRG and not self.copying and not self.inside:
            _add(self.head, (begun.start, end))

    def invoke(self, start: int, end: int) -> None:
        """An invocation of a medium map."""
        if self.inside:
            self.keep(start)
            self.mark, self.invoked = end, (start, end)


def _add(spans: list[_Span], span: _Span) -> None:
    """One more span, joined to the last if it follows it at once."""
    if spans and spans[-1][1] == span[0]:
        spans[-1] = (spans[-1][0], span[1])
        return
    if len(spans) >= _PIECES:
        raise DamagedWalkError(span[0], f"what documents need has more than {_PIECES} pieces")
    spans.append(span)


def wrap_document(
    window: Window, offset: int, length: int, *, without: Sequence[_Span] | None = None
) -> Iterator[bytes]:
    """The document at ``offset`` as an AFP file that prints by itself, in chunks of at
    most 1 MiB.

    It is derived: bytes of the document, resources and environment are those of the
    spool and in its order, but End fields that the spool has further on are written
    anew, and indexes (BDI…EDI) are left out, as their offsets would not hold. The spool
    is walked up to the document. Where documents of it are no more, ``without`` has the
    (start, end) of those before this one, in order, and nothing behind this one is read
    either. Raises ``InputFault`` if the range is no whole
    document, group or pages, or if the spool is damaged before it.
    """
    framing = (
        framing_of(window)
        if without is None
        # By its own fields: those at the head may be of a document that is no more.
        else framing_of(window, offset, offset + length)
    )
    try:
        around = _look_around(window, framing, (offset, offset + length), without)
        _check_range(window, framing, offset, length)
    except DamagedWalkError as error:
        raise InputFault([explain(window, error)]) from error
    return _write(window, framing, around, (offset, offset + length))


def _batches(
    window: Window,
    framing: Framing,
    end: int,
    around: _Surroundings,
    without: Sequence[_Span] | None,
) -> Iterator[Batch]:
    if without is None:
        yield from read_batches(window, _WANTED)
        return
    start = 0
    for first, last in without:
        yield from read_batches(window, _WANTED, start=start, end=first, framing=framing)
        around.pass_over(first, last)
        start = last
    yield from read_batches(window, _WANTED, start=start, end=end, framing=framing)


def _look_around(
    window: Window, framing: Framing, document: _Span, without: Sequence[_Span] | None
) -> _Surroundings:
    around = _Surroundings()
    offset = document[0]
    for base, data, fields, _ in _batches(window, framing, document[1], around, without):
        for place, after, kind in fields:
            start, end = base + place, base + after
            if start > offset:
                raise _no_range(offset, "does not start with a document, page group or page")
            if start == offset and kind in _STARTS:
                around.keep(offset)
                return around
            if kind == IMM:
                around.invoke(start, end)
            elif kind < END:
                body = place + framing.introducer
                name = data[body : min(body + 8, after)]
                around.begin(_Begun(kind=kind, name=name, start=start))
            else:
                around.end(kind, start, end)
    raise _no_range(offset, "does not start with a document, page group or page")


def _check_range(window: Window, framing: Framing, offset: int, length: int) -> None:
    """Raise ``InputFault`` unless the range is whole fields, and every Begin in it has
    its End."""
    end = offset + length
    depth = 0
    try:
        for batch in read_batches(window, BEGINS_AND_ENDS, start=offset, end=end, framing=framing):
            for _, _, kind in batch.fields:
                depth += 1 if kind < END else -1
                if depth < 0:
                    raise _no_range(offset, "ends more than it begins")
    except DamagedWalkError as error:
        raise _no_range(offset, "is not whole fields") from error
    if depth or end > window.size or length <= 0:
        raise _no_range(offset, "does not end where what it begins ends")


def _no_range(offset: int, what: str) -> InputFault:
    return InputFault(
        [
            Fault(
                code="afp.range",
                message=f"the range of the document {what}",
                remedy="correct the index that tells where it lies",
                place=f"byte {offset}",
            )
        ]
    )


def _write(
    window: Window, framing: Framing, around: _Surroundings, document: _Span
) -> Iterator[bytes]:
    before = [*around.head, *around.environment]
    invoked = [] if around.invoked is None else [around.invoked]
    for first, last in [*before, *invoked, document]:
        for start in range(first, last, _CHUNK):
            yield window.read(start, min(_CHUNK, last - start))
    for begun in reversed(around.open):
        if any(first <= begun.start < last for first, last in before):
            yield framing.make(begun.kind - BEGIN + END, begun.name)
