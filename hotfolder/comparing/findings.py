"""What is asked of a comparison, and what it finds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, NamedTuple

ARCHIVED, RERENDERED = "archived", "re-rendered"  # how the two sides are called
MOST_LISTED = 100  # changes, regions or tags of a page that are told one by one
MOST_PAGES = 1000  # differing pages that are told one by one


class Outcome(StrEnum):
    """What came of a comparison."""

    IDENTICAL = "identical"  # the same bytes
    EQUAL = "equal"  # other bytes, the same content
    DIFFERENT = "different"


class Region(NamedTuple):
    """A rectangle on a page, in points (1/72 inch) from its upper left corner as shown."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a comparison is made.

    A pixel differs if one of its colours (0 to 255) is more than ``tolerance`` away from
    the other picture's, within ``shift`` pixels around it. ``ignored_regions`` are of a
    page, or of all (0).
    """

    dpi: int = 100
    tolerance: int = 8
    shift: int = 0
    ignored_regions: tuple[tuple[int, Region], ...] = ()
    ignored_texts: tuple[str, ...] = ()  # regular expressions, within a line
    code_page: str = "500"  # of AFP that does not say
    most_pages: int = 10_000
    page_seconds: float = 30.0
    memory: int = 1 << 30  # bytes that reading one file may take

    def regions_of(self, page: int) -> tuple[Region, ...]:
        """What is not to be looked at on the page with this number."""
        return tuple(region for number, region in self.ignored_regions if number in (0, page))

    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """``ignored_texts``, compiled. Raises ``re.error``."""
        return tuple(re.compile(text) for text in self.ignored_texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two files. ``derived``: it was made of archived bytes to stand alone."""

    name: str  # for people
    stream: BinaryIO = field(repr=False)
    size: int
    sha256: str
    format_name: str
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Words that became others; ``lead`` and ``trail`` are the words around them."""

    before: str
    after: str
    lead: str = ""
    trail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All changes of a text: the first ``MOST_LISTED``, and how many there are."""

    listed: tuple[Change, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFinding:
    """How two pictures of a page differ. ``greatest`` is the largest step of a colour,
    also where it is tolerated; ``pixels`` counts those that are not."""

    pixels: int = 0
    greatest: int = 0
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that the two sides have otherwise, or only one of them has ("")."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFinding:
    """What differs on a page. ``only_in`` names the side that alone has it."""

    number: int
    only_in: str = ""
    text: Changes = field(default_factory=Changes)
    picture: PictureFinding = field(default_factory=PictureFinding)
    dpi: int = 0  # of the pictures; 0: there are none
    differences: tuple[Difference, ...] = ()  # size, tags, structured fields
    picture_name: str = ""  # of the file that shows both

    @property
    def different(self) -> bool:
        """Whether anything is."""
        return bool(self.only_in or self.text.count or self.picture.pixels or self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A whole comparison. ``remarks`` differ too, but are no content; ``notes`` say what
    was not looked at."""

    outcome: Outcome
    pages: tuple[int | None, int | None] = (None, None)
    differences: tuple[Difference, ...] = ()  # of the whole document
    different_pages: tuple[PageFinding, ...] = ()  # the first ``MOST_PAGES`` of them
    pages_different: int = 0
    pages_tolerated: int = 0  # whose pictures differ no more than is tolerated
    remarks: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()


ShowPage = Callable[[PageFinding, Callable[[], bytes]], PageFinding]
"""Takes a differing page and what draws its picture (PNG) if wanted; returns it with the
picture's name."""
