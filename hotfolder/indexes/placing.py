"""Which names say where a document lies, and what they say.

Names are compared without case, blanks and marks. A folder's own names come first,
then what the columns are usually called.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from hotfolder.core.errors import OperatorFault
from hotfolder.indexes.faults import MAX_NAME, BadDocument, read_file_name, read_number

_REMEMBERED = 4096  # names
_RANGE = re.compile(r"\s*([0-9]+)\s*(?:[-\u2013:]\s*([0-9]+)\s*)?", re.ASCII)


class Role(StrEnum):
    """What a name says of the place of a document."""

    OFFSET = "offset"  # bytes before it
    LENGTH = "length"  # bytes
    FIRST_PAGE = "first_page"  # from 1
    LAST_PAGE = "last_page"  # inclusive
    PAGES = "pages"  # how many
    PAGE_RANGE = "page_range"  # "3-7", or "3"
    FILE = "file"  # the bare name of a file of the drop


_SYNONYMS: Mapping[Role, tuple[str, ...]] = {
    Role.OFFSET: ("byte offset", "start byte", "start offset", "first byte", "group offset"),
    Role.LENGTH: ("byte length", "byte count", "document length", "group length"),
    Role.FIRST_PAGE: ("start page", "from page", "page from", "page start", "begin page"),
    Role.LAST_PAGE: ("end page", "to page", "page to", "page end"),
    Role.PAGES: ("page count", "number of pages", "pagecnt", "no of pages"),
    Role.PAGE_RANGE: ("pages from to", "range of pages"),
    Role.FILE: ("file name", "document file", "spool file", "group filename", "dateiname"),
}


@lru_cache(maxsize=_REMEMBERED)
def fold(name: str) -> str:
    """A name without what people vary in it."""
    return re.sub(r"[\s._\-:/]+", "", unicodedata.normalize("NFKC", name)).casefold()


_KNOWN: dict[str, Role] = {fold(role): role for role in Role}
for _role, _names in _SYNONYMS.items():
    _KNOWN.update({fold(_name): _role for _name in _names})


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a document: see ``IndexedDocument``."""

    offset: int | None = None
    length: int | None = None
    first_page: int | None = None
    pages: int | None = None
    file: bytes | None = None


class Placing:
    """The names that one folder uses for places."""

    def __init__(self, own: Mapping[str, str]) -> None:
        """``own`` maps roles (``offset``, ``first_page``, ...) to the producer's names.
        Raises ``OperatorFault`` for a role that there is not."""
        known = dict(_KNOWN)
        for role, name in own.items():
            if role not in Role.__members__.values():
                raise OperatorFault(
                    f"an index column cannot be configured as {role}",
                    hint="the roles are " + ", ".join(Role),
                    code="index.columns",
                )
            known = {key: value for key, value in known.items() if value != role}
            known[fold(name)] = Role(role)
        self._known = known

    def role(self, name: str) -> Role | None:
        """What a name says of the place, or None if it is a field."""
        # What is longer is no name of ours, and is not to be remembered.
        return self._known.get(fold(name)) if len(name) <= MAX_NAME else None

    def split(
        self, pairs: Iterable[tuple[str, str]]
    ) -> tuple[dict[Role, str], list[tuple[str, str]]]:
        """What says where the document lies, and its fields. Raises ``BadDocument``."""
        places: dict[Role, str] = {}
        fields: list[tuple[str, str]] = []
        spare: list[tuple[Role, tuple[str, str]]] = []
        for pair in pairs:
            role = self.role(pair[0])
            if role is None:
                fields.append(pair)
                continue
            if role in places:
                raise BadDocument(
                    "index.columns", f"two names stand for the {words(role)}", "leave one"
                )
            places[role] = pair[1]
            spare.append((role, pair))
        used = choose(frozenset(places))
        fields += [pair for role, pair in spare if role not in used]
        return {role: value for role, value in places.items() if role in used}, fields


def words(role: Role) -> str:
    """A role for people."""
    return role.value.replace("_", " ")


@lru_cache(maxsize=256)
def choose(present: frozenset[Role]) -> frozenset[Role]:
    """Which of the names that are there place the document; the others describe it (a
    page count beside a byte range, a length without an offset). Raises ``BadDocument``
    if none do."""
    used: set[Role] = set()
    if Role.OFFSET in present:
        if Role.LENGTH not in present:
            raise BadDocument(
                "index.columns", "there is an offset, but no length", "add the length"
            )
        used |= {Role.OFFSET, Role.LENGTH}
    if Role.PAGE_RANGE in present:
        used.add(Role.PAGE_RANGE)
    elif Role.FIRST_PAGE in present:
        ends = {Role.LAST_PAGE, Role.PAGES} & present
        if not ends:
            raise BadDocument(
                "index.columns",
                "there is a first page, but neither a last page nor a number of pages",
                "add one of them",
            )
        used |= {Role.FIRST_PAGE, *ends}
    if Role.FILE in present:
        used.add(Role.FILE)
    if not used:
        raise BadDocument(
            "index.columns",
            "nothing says where the document lies",
            "add offset and length, first and last page, or a file name; other names can be"
            " configured",
        )
    return frozenset(used)


def locate(places: Mapping[Role, str]) -> Where:
    """Where a document lies. Raises ``BadDocument``.

    Without any number, and with a file name, it is the whole of that file.
    """
    name = places.get(Role.FILE, "").strip()
    file = read_file_name(name) if name else None
    if file is not None and not any(
        value.strip() for role, value in places.items() if role is not Role.FILE
    ):
        return Where(file=file)
    offset = length = first = pages = None
    if Role.OFFSET in places:
        offset = read_number(places[Role.OFFSET], "the offset")
        length = read_number(places[Role.LENGTH], "the length", 1)
    if Role.PAGE_RANGE in places:
        first, pages = _read_range(places[Role.PAGE_RANGE])
    elif Role.FIRST_PAGE in places:
        first, pages = _read_pages(places)
    if offset is None and first is None:
        raise BadDocument(
            "index.place", "nothing says where the document lies", "name its file or its range"
        )
    return Where(offset, length, first, pages, file)


def _read_range(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise BadDocument(
            "index.number", "the page range is none", "write it as 3-7, or 3 for one page"
        )
    first = read_number(match[1], "the first page", 1)
    last = read_number(match[2] or match[1], "the last page", 1)
    return first, _between(first, last)


def _read_pages(places: Mapping[Role, str]) -> tuple[int, int]:
    first = read_number(places[Role.FIRST_PAGE], "the first page", 1)
    pages: int | None = None
    if Role.LAST_PAGE in places:
        pages = _between(first, read_number(places[Role.LAST_PAGE], "the last page", 1))
    if Role.PAGES in places:
        count = read_number(places[Role.PAGES], "the number of pages", 1)
        if pages is not None and pages != count:
            raise BadDocument(
                "index.number",
                f"first and last page make {pages} pages, the number of pages is {count}",
                "correct one of them",
            )
        pages = count
    assert pages is not None  # choose() saw to it
    return first, pages


def _between(first: int, last: int) -> int:
    if last < first:
        raise BadDocument(
            "index.number", "the last page comes before the first", "correct one of them"
        )
    return last - first + 1
