"""Texts beside one another: no change is missed, none is made up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.comparing import words
from hotfolder.comparing.findings import MOST_LISTED
from hotfolder.comparing.words import compare_lines, compare_words, tidy_lines

WORDS = st.lists(st.sampled_from(["to", "be", "or", "not", "that", "is"]), max_size=30)
LINES = st.lists(st.text(max_size=20), max_size=10)


@given(LINES)
def test_a_text_is_equal_to_itself_however_its_lines_are_broken(lines: list[str]) -> None:
    tidy = tidy_lines("\n".join(lines))
    assert not compare_lines(tidy, tidy).count
    assert not compare_lines(tidy, " ".join(tidy).split()).count


@given(WORDS, st.data())
def test_a_change_of_any_word_is_found_and_told(text: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    taken = data.draw(st.integers(0, 1)) if place < len(text) else 0
    after = [*text[:place], "CHANGED", *text[place + taken :]]
    found = compare_words(text, after)
    assert found.count == 1
    (change,) = found.listed
    assert "CHANGED" in change.after.split()
    assert compare_words(after, text).count == 1


@given(WORDS, WORDS)
def test_changes_lead_from_the_one_text_to_the_other(before: list[str], after: list[str]) -> None:
    found = compare_words(before, after)
    assert (found.count == 0) == (before == after)
    assert found.count == len(found.listed)
    left = [word for change in found.listed for word in change.before.split()]
    right = [word for change in found.listed for word in change.after.split()]
    assert len(before) - len(left) == len(after) - len(right)  # what stays is in both
    place = 0
    rest = []
    for change in found.listed:
        taken = change.before.split()
        while (
            before[place : place + len(taken)] != taken
            or before[max(0, place - 5) : place] != change.lead.split()
        ):
            rest.append(before[place])
            place += 1
        rest += change.after.split()
        place += len(taken)
    assert [*rest, *before[place:]] == after


def test_the_fewest_changes_are_told() -> None:
    found = compare_lines(["Total 10.00 EUR due", "on 1 May"], ["Total 10.01 EUR", "due on 2 May"])
    assert [(change.before, change.after) for change in found.listed] == [
        ("10.00", "10.01"),
        ("1", "2"),
    ]
    assert (found.listed[1].lead, found.listed[1].trail) == ("Total 10.00 EUR due on", "May")


def test_many_changes_are_counted_and_some_are_told() -> None:
    before = [f"word{number}" for number in range(400)]
    after = [f"other{number}" if number % 2 else word for number, word in enumerate(before)]
    found = compare_words(before, after)
    assert (found.count, len(found.listed)) == (200, MOST_LISTED)


def test_texts_without_end_take_bounded_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_MOST_STEPS", 1000)
    found = compare_words(["x", "y"] * 500, ["y", "z"] * 500)
    assert found.count == 1
    assert len(found.listed[0].before) <= 500


def test_what_is_ignored_is_no_change() -> None:
    ignored = [re.compile(r"printed on \S+")]
    before = tidy_lines("Dear  Sir\nprinted on 1.5.2026 by A\n\n", ignored)
    assert before == ["Dear Sir", "by A"]
    assert not compare_lines(before, tidy_lines("Dear Sir printed on 2.6. by A", ignored)).count
    assert compare_lines(before, tidy_lines("Dear Sir printed on 2.6. by B", ignored)).count == 1
