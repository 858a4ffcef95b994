"""Notes as ArchivesSpace takes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotfolder.archivesspace.wording import NOTE_LIMIT, add_note, clean_note


def test_a_note_keeps_its_lines() -> None:
    text = "hotfolder: 1 of 2 given\n  hf-1: given\n\n  hf-2: not known"
    assert clean_note(text) == text
    assert clean_note("\r\na\tb \r\nc\x00\U0001f600\n\n") == "a b\nc\ufffd"
    assert clean_note(" \n\t") == ""


def test_a_note_that_is_cut_says_so() -> None:
    assert clean_note("a long note", 8) == "a long …"
    assert clean_note("a long note", 11) == "a long note"
    assert clean_note("a long note", 2) == ""
    assert clean_note("a long note", -1) == ""


@given(written=st.text(max_size=40), text=st.text(), spare=st.integers(0, 60))
def test_what_is_written_stays_and_what_is_added_fits(written: str, text: str, spare: int) -> None:
    written = "w" * (NOTE_LIMIT - len(written) - spare) + written
    both = add_note(written, text)
    assert both.startswith(written)
    assert len(both) <= NOTE_LIMIT
    added = both[len(written) :]
    assert all(char >= " " or char == "\n" for char in added)
    assert all(ord(char) <= 0xFFFF for char in added)
    added.encode("utf-8")
