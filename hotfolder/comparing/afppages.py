"""The content of an AFP document: its pages with texts, tags and a digest of all fields.

Content is what stands in the outermost page groups; in a file without any, in its
documents (BDT…EDT). Around it are resources, which are looked at by themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hotfolder.comparing.ptoca import LONGEST, FontPages, PageText, without_texts
from hotfolder.comparing.words import tidy_lines
from hotfolder.formats.afpfields import DamagedWalkError, explain, framing_of, read_batches
from hotfolder.formats.afpframing import (
    BDT,
    BEGIN,
    BEGINS_AND_ENDS,
    BNG,
    BPG,
    EDT,
    ENG,
    EPG,
    TLE,
)
from hotfolder.formats.window import Window
from hotfolder.indexes.afptags import TagReader, without_padding
from hotfolder.indexes.codepages import find_code_page
from hotfolder.indexes.faults import BadDocument, reject

NOP, PTX, PTD = 0xEEEE, 0xEE9B, 0xB19B
BRS, ERS = 0xA8CE, 0xA9CE  # an inline resource
MCF, MCF_1, MDR = 0xAB8A, 0xB18A, 0xABC3  # fonts
_NAMED = {0xABCC: "medium map", 0xAFD8: "overlay", 0xAF5F: "page segment", 0xAFC3: "object"}
_FONT_NAMES = {0x84: "font", 0x85: "code page", 0x86: "character set", 0x8E: "coded font"}
_FQN, _CODED_SET, _LOCAL_ID = 0x02, 0x01, 0x24
_OF_DATA_OBJECT, _CODE_PAGE = 0xBE, 0x85  # types of a fully qualified name
_ALL = range(0x10000)
_MOST_NAMES = 10_000
_MOST_TAGS = 2_000  # of a page


class ContentField(NamedTuple):
    """A field of the content: ``key`` is what of it is compared."""

    offset: int
    kind: int
    key: bytes
    data: bytes


@dataclass(slots=True, kw_only=True)
class AfpPage:
    """A page with what stands before it since the page before; number 0: what stands
    behind the last."""

    number: int = 0
    lines: Sequence[str] = ()
    tags: list[tuple[str, str]] = field(default_factory=list)
    fields: int = 0
    digest: bytes = b""


class AfpContent:
    """Reads one file from the start, as often as it is asked. Memory: a batch of fields and
    a page. Raises ``InputFault`` that names ``name``."""

    def __init__(self, window: Window, name: str, *, code_page: str, texts_ignored: bool) -> None:
        self._window = window
        self._name = name
        self._texts_ignored = texts_ignored
        self._tags = TagReader(code_page)
        page = find_code_page(code_page)
        assert page is not None  # the reader of tags has asked already
        self._fonts = FontPages(page)
        self._introducer = framing_of(window).introducer
        self.named: set[tuple[str, str]] = set()
        self.resources: dict[str, bytes] = {}  # inline, by name: digests
        self.comments = 0
        self._scope = self._find_scope()

    def _find_scope(self) -> tuple[int, int] | None:
        """What opens and closes the content."""
        kinds = {kind for kind, *_ in self._walk(frozenset((BNG, BDT)))}
        return (BNG, ENG) if BNG in kinds else (BDT, EDT) if BDT in kinds else None

    def _walk(self, wanted: frozenset[int] | range) -> Iterator[tuple[int, int, bytes, int]]:
        """Id, offset, data and flags of fields."""
        try:
            for base, data, fields, _ in read_batches(self._window, wanted):
                for start, end, kind in fields:
                    body = start + self._introducer
                    yield kind, base + start, data[body:end], data[body - 3]
        except DamagedWalkError as error:
            fault = explain(self._window, error)
            raise reject(
                fault.code, fault.message, fault.remedy, file=self._name, place=fault.place
            ) from error

    def fields(self) -> Iterator[ContentField]:
        """The fields of the content in order, without comments (NOP)."""
        opens, closes = self._scope or (-1, -1)
        depth = 0 if self._scope else 1
        resource: str | None = None
        digest = hashlib.sha256()
        self.resources.clear()
        self.comments = 0
        for kind, offset, data, flags in self._walk(_ALL):
            if kind == BRS:
                resource, digest = _name_of(data), hashlib.sha256()
            elif kind == ERS and resource is not None:
                if len(self.resources) < _MOST_NAMES:
                    self.resources[resource] = digest.digest()
                resource = None
            elif resource is not None:
                digest.update(kind.to_bytes(2, "big") + data)
            inside = depth > 0
            if kind == opens:
                depth += 1
                inside = inside or opens == BNG  # a group belongs to itself
            elif kind == closes:
                depth -= 1
                inside = inside and (depth > 0 or opens == BNG)
            if kind == NOP:
                self.comments += inside
            elif inside:
                whole = without_padding(data, flags)
                yield ContentField(offset, kind, self._key(kind, whole), whole)

    def _key(self, kind: int, data: bytes) -> bytes:
        """What counts of a field. The names of pages and groups are numbers of the run."""
        if kind in BEGINS_AND_ENDS:
            return data[8:]
        if kind == PTX and self._texts_ignored:
            return without_texts(data)
        return data

    def pages(self, ignored: Sequence[re.Pattern[str]]) -> Iterator[AfpPage]:
        """The pages in order, and after the last what stands behind it (number 0)."""
        number = 0
        page, digest, text = AfpPage(), hashlib.sha256(), PageText(self._fonts)
        for item in self.fields():
            kind, data = item.kind, item.data
            page.fields += 1
            if kind == TLE and len(page.tags) < _MOST_TAGS:
                page.tags.append(self._tag(data))
            digest.update(b"%d %d " % (kind, len(item.key)) + item.key)
            if kind == PTX:
                text.take(data)
            elif kind == PTD:
                text.measure(int.from_bytes(data[2:4], "big"))
            elif kind == BPG:
                self._fonts.clear()
            elif kind != TLE and not BEGIN <= kind < BEGIN + 0x200:
                self._note_names(kind, data)
            if kind == EPG:
                number += 1
                page.number, page.digest = number, digest.digest()
                page.lines = self._lines(text, ignored, number)
                yield page
                page, digest, text = AfpPage(), hashlib.sha256(), PageText(self._fonts)
        page.digest = digest.digest()
        page.lines = self._lines(text, ignored, number)
        yield page

    def _lines(
        self, text: PageText, ignored: Sequence[re.Pattern[str]], number: int
    ) -> Sequence[str]:
        if not text.whole:
            raise reject(
                "compare.text",
                f"the page has more than {LONGEST} characters",
                "compare it by other means",
                file=self._name,
                place=f"page {number}",
            )
        return tidy_lines(text.text(), ignored)

    def _tag(self, data: bytes) -> tuple[str, str]:
        try:
            return self._tags.read(data, 0)
        except BadDocument:
            return "(unreadable)", data.hex()

    def _note_names(self, kind: int, data: bytes) -> None:
        """Resources that the field names, and the code pages of the fonts it maps."""
        if kind in _NAMED:
            self._note(_NAMED[kind], _name_of(data))
        elif kind in (MCF, MDR):
            for group in _groups(data):
                self._map_font(group)
        elif kind == MCF_1 and data and data[0] >= 20:
            for start in range(4, len(data), data[0]):
                group = data[start : start + data[0]]
                if len(group) >= 20:
                    self._note("code page", _name_of(group[12:]))
                    self._fonts.add(group[0], _name_of(group[12:]))

    def _map_font(self, group: bytes) -> None:
        local: int | None = None
        code_page = ""
        for kind, body in _triplets(group):
            if kind == _FQN and body[:1] == bytes((_OF_DATA_OBJECT,)):
                local = body[-1]
            elif kind == _FQN and body[:1] and body[0] in _FONT_NAMES:
                name = _text_of(body[2:])
                self._note(_FONT_NAMES[body[0]], name)
                code_page = name if body[0] == _CODE_PAGE else code_page
            elif kind == _FQN and len(body) > 2:
                self._note("object", _text_of(body[2:]))
            elif kind == _LOCAL_ID and len(body) >= 2:
                local = body[1]
            elif kind == _CODED_SET and len(body) >= 4:
                code_page = f"{int.from_bytes(body[2:4], 'big'):04d}"
        if local is not None and code_page:
            self._fonts.add(local, code_page)

    def _note(self, what: str, name: str) -> None:
        if name and len(self.named) < _MOST_NAMES:
            self.named.add((what, name))


def _groups(data: bytes) -> Iterator[bytes]:
    """Repeating groups with their lengths before them."""
    place = 0
    while place + 2 < len(data):
        length = int.from_bytes(data[place : place + 2], "big")
        if length < 2:
            return
        yield data[place + 2 : place + length]
        place += length


def _triplets(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 1 < len(data) and data[place] >= 2:
        yield data[place + 1], data[place + 2 : place + data[place]]
        place += data[place]


def _name_of(data: bytes) -> str:
    """The eight EBCDIC bytes that begin ``data``; empty if they are a null name."""
    return "" if data[:2] == b"\xff\xff" else _text_of(data[:8])


def _text_of(data: bytes) -> str:
    if data[:1] == b"\0" and len(data) % 2 == 0:
        return data.decode("utf-16-be", "replace").strip()
    return data.decode("cp500").strip().strip("\0")
