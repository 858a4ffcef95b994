"""Files of any format beside one another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotfolder.comparing import plain
from hotfolder.comparing.findings import Findings, Outcome, Rules
from tests.support.sides import side


def findings(
    before: bytes, after: bytes, names: tuple[str, str] = ("a.png", "b.png"), *ignored: str
) -> Findings:
    with side(before, names[0]) as one, side(after, names[1]) as other:
        return plain.compare_bytes(one, other, Rules(ignored_texts=ignored))


@given(st.binary(max_size=100), st.binary(max_size=100), st.binary(max_size=100))
def test_the_first_byte_that_differs_is_told(same: bytes, left: bytes, right: bytes) -> None:
    before, after = same + b"a" + left, same + b"b" + right
    found = findings(before, after)
    assert found.outcome is Outcome.DIFFERENT
    line = same.count(b"\n") + 1
    first = found.differences[0]
    assert first.what == f"first differing byte, {len(same)} (line {line})"
    assert (first.before[:2], first.after[:2]) == ("61", "62")
    told = [item.what for item in found.differences]
    assert ("bytes" in told) == (len(before) != len(after))


def test_a_file_that_goes_on_where_the_other_ends() -> None:
    first = findings(b"abc" * 900_000, b"abc" * 900_000 + b"d").differences[0]
    assert (first.what, first.before, first.after) == (
        "first differing byte, 2,700,000 (line 1)",
        "the end",
        "64",
    )


def test_lines_of_text_that_have_the_same_words_are_equal() -> None:
    text = ("a.txt", "b.txt")
    assert findings(b"a  b\r\nc\r\n", b"a b\nc\n", text).outcome is Outcome.EQUAL
    found = findings(b"a\nb\nc\n", b"a\nB\nc\n", text)
    assert (found.outcome, found.different_pages[0].text.count) == (Outcome.DIFFERENT, 1)
    dated = findings(b"x\non 1 May\n", b"x\non 2 May\n", text, r"\d May")
    assert dated.outcome is Outcome.EQUAL


def test_bytes_that_are_no_text_still_differ() -> None:
    found = findings(b"caf\xe9\n", b"caf\xe8\n", ("a.txt", "b.txt"))
    assert found.outcome is Outcome.DIFFERENT


def test_other_formats_differ_and_it_is_said() -> None:
    found = findings(b"%PDF", b"Z", ("a.pdf", "b.afp"))
    assert found.differences[-1].what == "format"


def test_long_texts_are_compared_by_bytes(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(plain, "LONGEST_TEXT", 3)
    found = findings(b"a  b", b"a b", ("a.txt", "b.txt"))
    assert (found.outcome, len(found.notes)) == (Outcome.DIFFERENT, 1)
