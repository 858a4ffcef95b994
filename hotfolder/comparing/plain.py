"""Two files of any format: sizes, the first differing byte, and lines where they have some."""

from __future__ import annotations

from itertools import zip_longest

from hotfolder.comparing.findings import (
    Changes,
    Difference,
    Findings,
    Outcome,
    PageFinding,
    Rules,
    Side,
)
from hotfolder.comparing.words import compare_words, tidy_lines
from hotfolder.formats.window import Window

# Formats (formats/registry.py) that are lines of text.
TEXTUAL = frozenset(("txt", "csv", "eml", "xml", "html", "rtf", "postscript", "json", "ppml"))
LONGEST_TEXT = 16 << 20  # bytes; more is compared byte by byte
_CHUNK = 1 << 20


def compare_bytes(archived: Side, rerendered: Side, rules: Rules) -> Findings:
    """Compare two files by their bytes, and by their lines if both are text.

    Lines of text are equal if they have the same words, without what is ignored.
    """
    differences = [_first_difference(archived, rerendered)]
    if archived.size != rerendered.size:
        differences.append(
            Difference(what="bytes", before=f"{archived.size:,}", after=f"{rerendered.size:,}")
        )
    if archived.format_name != rerendered.format_name:
        differences.append(
            Difference(what="format", before=archived.format_name, after=rerendered.format_name)
        )
    elif archived.format_name in TEXTUAL:
        if max(archived.size, rerendered.size) > LONGEST_TEXT:
            return _different(differences, ("the text is too long to be compared by lines",))
        changes = _compare_text(archived, rerendered, rules)
        if not changes.count:
            return Findings(outcome=Outcome.EQUAL, remarks=tuple(differences))
        page = PageFinding(number=0, text=changes)
        return Findings(
            outcome=Outcome.DIFFERENT,
            differences=tuple(differences),
            different_pages=(page,),
        )
    return _different(differences, ())


def _different(differences: list[Difference], notes: tuple[str, ...]) -> Findings:
    return Findings(outcome=Outcome.DIFFERENT, differences=tuple(differences), notes=notes)


def _first_difference(archived: Side, rerendered: Side) -> Difference:
    """Where the first byte differs, and which line that is."""
    before, after = (
        Window(archived.stream, archived.size),
        Window(rerendered.stream, rerendered.size),
    )
    shortest = min(archived.size, rerendered.size)
    lines = 1
    for start in range(0, shortest, _CHUNK):
        one, other = before.read(start, _CHUNK), after.read(start, _CHUNK)
        if one[: shortest - start] != other[: shortest - start]:
            place = next(
                index
                for index, (left, right) in enumerate(zip_longest(one, other))
                if left != right
            )
            line = lines + one.count(b"\n", 0, place)
            return Difference(
                what=f"first differing byte, {start + place:,} (line {line:,})",
                before=one[place : place + 16].hex(" "),
                after=other[place : place + 16].hex(" "),
            )
        lines += one.count(b"\n")
    return Difference(
        what=f"first differing byte, {shortest:,} (line {lines:,})",
        before=before.read(shortest, 16).hex(" ") or "the end",
        after=after.read(shortest, 16).hex(" ") or "the end",
    )


def _compare_text(archived: Side, rerendered: Side, rules: Rules) -> Changes:
    patterns = rules.patterns()
    one, other = (
        tidy_lines(
            Window(side.stream, side.size).read(0, side.size).decode("utf-8", "backslashreplace"),
            patterns,
        )
        for side in (archived, rerendered)
    )
    return compare_words(one, other)
