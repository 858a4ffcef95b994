"""Notes for people: every fault once, on lines that nothing from outside can forge."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from hotfolder.core.errors import Fault
from hotfolder.core.notes import error_note, printable, skipped_note
from hotfolder.core.profiles import FolderProfile
from tests.support.journals import make_row

NOW = datetime(2026, 11, 23, 17, 5, tzinfo=UTC)
PROFILE = FolderProfile(name="bills", path="/hot", business_unit="RETAIL", owner="Ann, 4711")
# Everything that text and names can hold: control characters, lone surrogates, directions.
TEXT = st.text(st.characters(), max_size=200)
NAMES = st.binary(min_size=1, max_size=60)
FAULTS = st.lists(
    st.builds(Fault, code=st.just("x.y"), message=TEXT, remedy=TEXT, file=TEXT, place=TEXT),
    max_size=12,
)
NASTY = "a\n1. forged\r\nWhom to ask:  \x1b]0;x\x07\u2028Reference: \u202e\x85\x00\ud800"


def notes(name: bytes, faults: list[Fault]) -> list[str]:
    """Both kinds of note of the same faults."""
    row = replace(make_row(1), name=name, remarks=tuple(faults), skipped=len(faults))
    return [
        error_note(row, faults, profile=PROFILE, rejected_at=NOW),
        skipped_note(row, profile=PROFILE, archived_at=NOW),
    ]


@given(NAMES, FAULTS)
@example(
    b"in/a\nWhom to ask:  me\x1b[2J\xff.pdf",
    [Fault(code="x", message=NASTY, remedy=NASTY, file=NASTY, place=NASTY)] * 2,
)
def test_nothing_from_outside_forges_a_line(name: bytes, faults: list[Fault]) -> None:
    for note in notes(name, faults):
        note.encode()
        lines = note.split("\n")
        assert all(line.isprintable() for line in lines)
        numbered = [line for line in lines if re.match(r"[0-9]+\.", line)]
        # The first line holds the name, which may look like a number.
        assert len([line for line in numbered if line is not lines[0]]) == len(faults)
        for label in ("Whom to ask:", "Reference:", "When:", "Hot folder:"):
            found = [line for line in lines[1:] if line.startswith(label)]
            assert len(found) == 1, label
        assert f"Reference:    {make_row(1).id}" in lines
        assert "Whom to ask:  Ann, 4711" in lines


WORDS = st.lists(
    st.lists(st.sampled_from(["date", "field", "offset", "length", "missing"]), min_size=1),
    min_size=1,
    max_size=30,
)


@given(WORDS)
def test_every_fault_is_named_once_with_its_place_and_remedy(words: list[list[str]]) -> None:
    faults = [
        Fault(
            code="x.y",
            message=f"what{number}x is wrong: {' '.join(text)}",
            remedy=f"do{number}x {' '.join(text)}",
            file=f"file{number}x.json",
            place=f"line{number}x",
        )
        for number, text in enumerate(words)
    ]
    for note in notes(b"letter.pdf", faults):
        for number, fault in enumerate(faults):
            for marker in (f"what{number}x", f"do{number}x", f"file{number}x", f"line{number}x"):
                assert len(re.findall(rf"\b{marker}", note)) == 1
            flat = " ".join(note.split())
            assert f"{number + 1}. {fault.message}. [{fault.file}, {fault.place}]" in flat
            assert f"What to do: {fault.remedy}." in flat


@given(FAULTS)
def test_a_note_says_no_more_than_its_faults(faults: list[Fault]) -> None:
    """Nothing of the spool but its name and its number: metadata stays out."""
    row = make_row(1)
    other = replace(
        row,
        sidecars=(b"secret.json",),
        shared=(b"secret.csv",),
        last_error="secret",
        business_unit="secret",
        sha256="secret",
        remarks=tuple(faults),
    )
    first = error_note(row, faults, profile=PROFILE, rejected_at=NOW)
    assert error_note(other, faults, profile=PROFILE, rejected_at=NOW) == first


def test_lines_are_short_where_words_are() -> None:
    fault = Fault(code="x", message="word " * 200, remedy="word " * 200, file="a", place="b")
    for note in notes(b"letter.pdf", [fault]):
        assert max(len(line) for line in note.split("\n")) <= 76


def test_one_fault_is_one_and_two_are_these() -> None:
    one = Fault(code="x", message="no such day", remedy="write a day")
    assert "One thing is wrong" in notes(b"a", [one])[0]
    assert "These things are wrong" in notes(b"a", [one, one])[0]


def test_somebody_is_always_named() -> None:
    nobody = replace(PROFILE, owner="")
    for note in (
        error_note(make_row(1), [], profile=nobody, rejected_at=NOW),
        skipped_note(make_row(1), profile=nobody, archived_at=NOW),
    ):
        assert "Whom to ask:  whoever runs hotfolder here" in note
        assert "2026-11-23 17:05 UTC" in note


@given(TEXT)
def test_printable_keeps_what_can_be_printed(text: str) -> None:
    found = printable(text)
    assert found.isprintable()
    assert found == text or not text.isprintable()
