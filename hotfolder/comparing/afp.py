"""Two AFP documents: fields in their sequence, and page by page texts and tags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from hotfolder.comparing.afppages import AfpContent, AfpPage, ContentField
from hotfolder.comparing.findings import (
    ARCHIVED,
    MOST_LISTED,
    MOST_PAGES,
    RERENDERED,
    Difference,
    Findings,
    Outcome,
    PageFinding,
    Rules,
    Side,
)
from hotfolder.comparing.words import compare_lines
from hotfolder.formats.afpframing import BPG
from hotfolder.formats.window import Window

# MO:DCA Reference (AFPC-0004): structured fields that differences are told of.
_NAMES = {
    0xA8AF: "BPG (begin page)",
    0xA9AF: "EPG (end page)",
    0xA8AD: "BNG (begin page group)",
    0xA9AD: "ENG (end page group)",
    0xA8C9: "BAG (begin active environment)",
    0xA9C9: "EAG (end active environment)",
    0xA89B: "BPT (begin text)",
    0xA99B: "EPT (end text)",
    0xA090: "TLE (tag)",
    0xA6AF: "PGD (page size)",
    0xAB8A: "MCF (fonts)",
    0xABC3: "MDR (data resources)",
    0xABCC: "IMM (medium map)",
    0xAFC3: "IOB (object)",
    0xAFD8: "IPO (overlay)",
    0xAF5F: "IPS (page segment)",
    0xB19B: "PTD (text area)",
    0xEE9B: "PTX (text)",
    0xEE92: "OCD (object data)",
    0xEEFB: "IPD (image data)",
    0xEEBB: "GAD (graphics data)",
}


def compare_afp(archived: Side, rerendered: Side, rules: Rules) -> Findings:
    """Compare two AFP files. Names of pages and groups, and comments (NOP), are remarks.

    Raises ``InputFault`` if the chain of fields of one breaks.
    """
    before, after = (
        AfpContent(
            Window(side.stream, side.size),
            side.name,
            code_page=rules.code_page,
            texts_ignored=bool(rules.ignored_texts),
        )
        for side in (archived, rerendered)
    )
    fields = _compare_fields(before, after)
    pages = _compare_pages(before, after, rules)
    differences = [*fields.differences, *_compare_names(before, after)]
    if pages.before != pages.after:
        differences.insert(
            0, Difference(what="pages", before=str(pages.before), after=str(pages.after))
        )
    differences += pages.behind
    resources, notes = _compare_resources(before, after)
    differences += resources
    same = not differences and not pages.different
    return Findings(
        outcome=Outcome.EQUAL if same else Outcome.DIFFERENT,
        pages=(pages.before, pages.after),
        differences=tuple(differences),
        different_pages=tuple(pages.listed),
        pages_different=pages.different,
        remarks=tuple(fields.remarks),
        notes=notes,
    )


@dataclass(slots=True)
class _Fields:
    differences: list[Difference] = field(default_factory=list)
    remarks: list[Difference] = field(default_factory=list)


def _compare_fields(before: AfpContent, after: AfpContent) -> _Fields:
    """The sequences of fields beside one another, in the memory of one field each."""
    found = _Fields()
    counts: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    page = names = 0
    for number, (one, other) in enumerate(zip_longest(before.fields(), after.fields()), start=1):
        for item, count in zip((one, other), counts, strict=True):
            if item is not None:
                count[item.kind] += 1
        page += one is not None and one.kind == BPG
        if one is not None and other is not None and one[1:3] == other[1:3]:
            names += one.data != other.data
        elif not found.differences:
            found.differences.append(
                Difference(
                    what=f"first differing field, number {number}, page {page}",
                    before=_place(one),
                    after=_place(other),
                )
            )
    found.differences += _compare_counts(*counts)
    if names:
        found.remarks.append(
            Difference(what="names of pages and groups that differ", before="", after=f"{names:,}")
        )
    if before.comments != after.comments:
        found.remarks.append(
            Difference(
                what="comments (NOP)", before=str(before.comments), after=str(after.comments)
            )
        )
    return found


def _compare_counts(before: Counter[int], after: Counter[int]) -> Iterator[Difference]:
    for kind in sorted(set(before) | set(after)):
        if before[kind] != after[kind]:
            yield Difference(
                what=f"fields {field_name(kind)}",
                before=f"{before[kind]:,}",
                after=f"{after[kind]:,}",
            )


def field_name(kind: int) -> str:
    """A field for people."""
    return _NAMES.get(kind, f"D3{kind:04X}")


def _place(item: ContentField | None) -> str:
    if item is None:
        return "none"
    return f"{field_name(item.kind)}, {len(item.data):,} bytes, at byte {item.offset:,}"


@dataclass(slots=True)
class _Pages:
    before: int = 0
    after: int = 0
    different: int = 0
    listed: list[PageFinding] = field(default_factory=list)
    behind: list[Difference] = field(default_factory=list)


def _compare_pages(before: AfpContent, after: AfpContent, rules: Rules) -> _Pages:
    found = _Pages()
    patterns = rules.patterns()
    left, right = before.pages(patterns), after.pages(patterns)
    tails: list[AfpPage | None] = [None, None]
    number = 0
    while None in tails:
        one = _following(left, tails, 0)
        other = _following(right, tails, 1)
        if one is None and other is None:
            break
        number += 1
        found.before += one is not None
        found.after += other is not None
        finding = _compare_page(number, one, other)
        if finding.different:
            found.different += 1
            if found.different <= MOST_PAGES:
                found.listed.append(finding)
    assert tails[0] is not None
    assert tails[1] is not None
    found.behind = [
        Difference(what=f"behind the last page: {item.what}", before=item.before, after=item.after)
        for item in _compare_parts(tails[0], tails[1])
    ]
    return found


def _following(pages: Iterator[AfpPage], tails: list[AfpPage | None], side: int) -> AfpPage | None:
    """The next page of a side; None at its end, when its tail is put by."""
    if tails[side] is not None:
        return None
    page = next(pages)
    if page.number:
        return page
    tails[side] = page
    return None


def _compare_page(number: int, one: AfpPage | None, other: AfpPage | None) -> PageFinding:
    text = compare_lines(() if one is None else one.lines, () if other is None else other.lines)
    if one is None or other is None:
        return PageFinding(
            number=number, only_in=ARCHIVED if other is None else RERENDERED, text=text
        )
    return PageFinding(number=number, text=text, differences=tuple(_compare_parts(one, other)))


def _compare_parts(one: AfpPage, other: AfpPage) -> list[Difference]:
    found = list(_compare_tags(one.tags, other.tags))
    if one.digest != other.digest:
        same = one.fields == other.fields
        found.append(
            Difference(
                what="structured fields",
                before=f"{one.fields:,}" + (", other content" if same else ""),
                after=f"{other.fields:,}" + (", other content" if same else ""),
            )
        )
    return found


def _compare_tags(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]
) -> Iterator[Difference]:
    """Tags by name where both have the same names in the same order; else one by one."""
    if list(before) == list(after):
        return
    names = [name for name, _ in before]
    if names == [name for name, _ in after]:
        pairs = [(name, one, after[place][1]) for place, (name, one) in enumerate(before)]
    else:
        left, right = Counter(before), Counter(after)
        pairs = [(name, value, "") for name, value in (left - right).elements()]
        pairs += [(name, "", value) for name, value in (right - left).elements()]
        if not pairs:
            pairs = [("order of tags", ", ".join(names), ", ".join(name for name, _ in after))]
    changed = [pair for pair in pairs if pair[1] != pair[2] or not pair[1]]
    for name, one, other in changed[:MOST_LISTED]:
        yield Difference(what=f"tag {name}", before=one, after=other)


def _compare_names(before: AfpContent, after: AfpContent) -> Iterator[Difference]:
    """Resources that only one side names."""
    for what, name in sorted(before.named ^ after.named)[:MOST_LISTED]:
        there = (what, name) in before.named
        yield Difference(
            what=f"names the {what}", before=name if there else "", after="" if there else name
        )


def _compare_resources(
    before: AfpContent, after: AfpContent
) -> tuple[list[Difference], tuple[str, ...]]:
    """Inline resources by name, where both have some."""
    left, right = before.resources, after.resources
    if not left or not right:
        if not left and not right:
            return [], ()
        side = RERENDERED if right else ARCHIVED
        return [], (f"only the {side} document brings its resources along: not compared",)
    return [
        Difference(
            what=f"resource {name}",
            before=left[name].hex()[:16] if name in left else "",
            after=right[name].hex()[:16] if name in right else "",
        )
        for name in sorted(set(left) | set(right))
        if left.get(name) != right.get(name)
    ][:MOST_LISTED], ()
