"""Two PDFs, page by page: sizes, texts, pictures; at most two pages of each in memory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from hotfolder.comparing.findings import (
    ARCHIVED,
    MOST_PAGES,
    RERENDERED,
    Difference,
    Findings,
    Outcome,
    PageFinding,
    PictureFinding,
    Region,
    Rules,
    ShowPage,
    Side,
)
from hotfolder.comparing.pdfpages import PdfPage, PdfPages
from hotfolder.comparing.pictures import compare_pictures, draw_pair, same_size
from hotfolder.comparing.summary import describe_page
from hotfolder.comparing.words import compare_lines

_SAME_SIZE = 0.5  # points, less than a pixel; A4 is 595 to one producer and 595.28 to another
_AHEAD = 2  # pages that are being read


@dataclass(slots=True)
class _Tally:
    pages: list[PageFinding] = field(default_factory=list)
    different: int = 0
    tolerated: int = 0


def compare_pdfs(archived: Side, rerendered: Side, rules: Rules, show: ShowPage) -> Findings:
    """Compare two PDFs. ``show`` gets each differing page and its picture.

    Entries of the document information, dates and identifiers are remarks. Raises
    ``InputFault`` if one cannot be read.
    """
    with ExitStack() as stack:
        sides = [stack.enter_context(PdfPages(side, rules)) for side in (archived, rerendered)]
        for side in sides:
            side.open()
        tally = _compare_pages(sides[0], sides[1], rules, show)
        before, after = sides
        differences: list[Difference] = []
        remarks = _remarks(before.info, after.info)
        if before.pages != after.pages:
            differences.append(
                Difference(what="pages", before=str(before.pages), after=str(after.pages))
            )
        attached = _remarks(before.attachments, after.attachments, "attachment ")
        # Pages that were taken out of a spool have left its attachments behind.
        (remarks if archived.derived else differences).extend(attached)
        same = not differences and not tally.pages
        return Findings(
            outcome=Outcome.EQUAL if same else Outcome.DIFFERENT,
            pages=(before.pages, after.pages),
            differences=tuple(differences),
            different_pages=tuple(tally.pages),
            pages_different=tally.different,
            pages_tolerated=tally.tolerated,
            remarks=tuple(remarks),
        )


def _remarks(before: dict[str, str], after: dict[str, str], prefix: str = "") -> list[Difference]:
    return [
        Difference(what=prefix + name, before=before.get(name, ""), after=after.get(name, ""))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _compare_pages(before: PdfPages, after: PdfPages, rules: Rules, show: ShowPage) -> _Tally:
    tally = _Tally()
    last = max(before.pages, after.pages)
    for number in range(1, last + _AHEAD):
        if number <= last:
            for side in (before, after):
                if number <= side.pages:
                    side.ask(number)
        done = number - _AHEAD + 1
        if done >= 1:
            one = before.take() if done <= before.pages else None
            other = after.take() if done <= after.pages else None
            _compare_page(done, one, other, rules, show, tally)
    return tally


def _compare_page(
    number: int,
    before: PdfPage | None,
    after: PdfPage | None,
    rules: Rules,
    show: ShowPage,
    tally: _Tally,
) -> None:
    if before is None or after is None:
        alone = before or after
        assert alone is not None
        finding = PageFinding(
            number=number,
            only_in=ARCHIVED if after is None else RERENDERED,
            text=compare_lines(
                () if before is None else before.lines, () if after is None else after.lines
            ),
            dpi=alone.dpi,
        )
    else:
        finding = PageFinding(
            number=number,
            text=compare_lines(before.lines, after.lines),
            picture=_compare_pictures(number, before, after, rules),
            dpi=min(before.dpi, after.dpi),
            differences=_compare_sizes(before, after),
        )
        tally.tolerated += not finding.different and finding.picture.greatest > 0
    if finding.different:
        tally.different += 1
        if tally.different <= MOST_PAGES:
            ignored = rules.regions_of(number)
            tally.pages.append(show(finding, lambda: _draw(finding, before, after, ignored)))


def _compare_sizes(before: PdfPage, after: PdfPage) -> tuple[Difference, ...]:
    if (
        abs(before.width - after.width) <= _SAME_SIZE
        and abs(before.height - after.height) <= _SAME_SIZE
    ):
        return ()
    return (
        Difference(
            what="page size in points",
            before=f"{before.width:.1f} by {before.height:.1f}",
            after=f"{after.width:.1f} by {after.height:.1f}",
        ),
    )


def _compare_pictures(number: int, before: PdfPage, after: PdfPage, rules: Rules) -> PictureFinding:
    if before.dpi != after.dpi:
        return PictureFinding()  # one page is far larger, and differs by that
    if before.raw == after.raw and before.picture.size == after.picture.size:
        return PictureFinding()
    return compare_pictures(
        before.picture,
        after.picture,
        dpi=before.dpi,
        tolerance=rules.tolerance,
        shift=rules.shift,
        ignored=rules.regions_of(number),
    )


def _draw(
    finding: PageFinding,
    before: PdfPage | None,
    after: PdfPage | None,
    ignored: Sequence[Region],
) -> bytes:
    one = None if before is None else before.picture
    other = None if after is None else after.picture
    if one is not None and other is not None and finding.picture.pixels:
        one, other = same_size(one, other)
    return draw_pair(
        one,
        other,
        finding.picture.regions,
        dpi=finding.dpi,
        titles=(f"{ARCHIVED}, page {finding.number}", f"{RERENDERED}, page {finding.number}"),
        foot=describe_page(finding)
        + f" · {finding.dpi} dpi"
        + (" · some regions are ignored" if ignored else ""),
    )
