"""Texts word by word. White space says nothing: how a line was broken is no difference."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence

from hotfolder.comparing.findings import MOST_LISTED, Change, Changes

_AROUND = 5  # words told before and after a change
_LONGEST = 500  # characters of a change that are told
_MOST_STEPS = 400_000  # that are taken to tell changes apart
Block = tuple[int, int, int, int]


def tidy_lines(text: str, ignored: Iterable[re.Pattern[str]] = ()) -> list[str]:
    """The lines of a text that have a word, with single blanks, without what is ignored."""
    found = []
    patterns = tuple(ignored)
    for line in text.splitlines():
        tidy = " ".join(line.split())
        for pattern in patterns:
            tidy = pattern.sub(" ", tidy)
        if patterns:
            tidy = " ".join(tidy.split())
        if tidy:
            found.append(tidy)
    return found


def compare_lines(before: Sequence[str], after: Sequence[str]) -> Changes:
    """The changes from the words of ``before`` to those of ``after``.

    No changes are found if and only if the words are the same in the same order. Texts
    that have too little in common to be laid beside one another are one change.
    """
    return compare_words(
        [word for line in before for word in line.split()],
        [word for line in after for word in line.split()],
    )


def compare_words(before: Sequence[str], after: Sequence[str]) -> Changes:
    """``compare_lines`` of single words, or of anything that is a whole."""
    start = _common(before, after)
    most = min(len(before), len(after)) - start
    end = _common(before[::-1][:most], after[::-1][:most])
    left, right = before[start : len(before) - end], after[start : len(after) - end]
    if not left and not right:
        return Changes()
    listed: list[Change] = []
    count = 0
    for first, last, first_after, last_after in _blocks(left, right):
        count += 1
        if len(listed) < MOST_LISTED:
            at, upto = start + first, start + last
            listed.append(
                Change(
                    before=_cut(before[at:upto]),
                    after=_cut(after[start + first_after : start + last_after]),
                    lead=_cut(before[max(0, at - _AROUND) : at]),
                    trail=_cut(before[upto : upto + _AROUND]),
                )
            )
    return Changes(listed=tuple(listed), count=count)


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    count = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        count += 1
    return count


def _blocks(left: Sequence[str], right: Sequence[str]) -> Iterable[Block]:
    """The parts that differ: first and last in ``left``, first and last in ``right``."""
    trace = _trace(left, right) if left and right else None
    if trace is None:
        return [(0, len(left), 0, len(right))]
    blocks: list[Block] = []
    x, y = len(left), len(right)
    for depth in range(len(trace) - 1, 0, -1):
        before = trace[depth - 1]
        k = x - y
        down = k == -depth or (k != depth and _at(before, k - 1) < _at(before, k + 1))
        start_x = _at(before, k + 1 if down else k - 1)
        start_y = start_x - (k + 1 if down else k - 1)
        end_x, end_y = (start_x, start_y + 1) if down else (start_x + 1, start_y)
        if blocks and (blocks[-1][0], blocks[-1][2]) == (end_x, end_y):
            _, last_x, _, last_y = blocks.pop()
            blocks.append((start_x, last_x, start_y, last_y))
        else:
            blocks.append((start_x, end_x, start_y, end_y))
        x, y = start_x, start_y
    return reversed(blocks)


def _trace(left: Sequence[str], right: Sequence[str]) -> list[array[int]] | None:
    """How far one gets on every diagonal with 0, 1, 2 … words put in or taken out
    (E. W. Myers, An O(ND) Difference Algorithm, 1986); None if it takes too many steps,
    of which a hostile text would want any number."""
    steps = 0
    trace: list[array[int]] = []
    for depth in range(len(left) + len(right) + 1):
        row = array("q")
        for k in range(-depth, depth + 1, 2):
            if not depth:
                x = 0
            elif k == -depth or (k != depth and _at(trace[-1], k - 1) < _at(trace[-1], k + 1)):
                x = _at(trace[-1], k + 1)
            else:
                x = _at(trace[-1], k - 1) + 1
            y = x - k
            begun = x
            while x < len(left) and y < len(right) and left[x] == right[y]:
                x, y = x + 1, y + 1
            steps += 1 + x - begun
            row.append(x)
            if x >= len(left) and y >= len(right):
                return [*trace, row]
        trace.append(row)
        if steps > _MOST_STEPS:
            return None
    return None  # never: all taken out and all put in is a way


def _at(row: array[int], k: int) -> int:
    """What ``row`` has for the diagonal ``k``."""
    return row[(k + len(row) - 1) // 2]


def _cut(words: Sequence[str]) -> str:
    text = " ".join(words[:_LONGEST])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
