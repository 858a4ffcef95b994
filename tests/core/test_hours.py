"""Hours of the day: over midnight, side by side, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.hours import DAY, Hours, is_open, share_of_day

MINUTES = st.integers(0, DAY - 1)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("20:00-06:00", (1200, 1439, 0, 359), (360, 720, 1199)),
        ("06:00-20:00", (360, 1199), (359, 1200)),
        ("22:30-24:00", (1350, 1439), (0, 1349)),
        ("00:00-24:00", (0, 720, 1439), ()),
    ],
)
def test_from_one_minute_to_another(
    text: str, inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    hours = (Hours.read(text),)
    assert all(is_open(hours, minute) for minute in inside)
    assert not any(is_open(hours, minute) for minute in outside)
    assert str(hours[0]) == text


@pytest.mark.parametrize("text", ["", "20-06", "24:30-06:00", "06:00-06:00", "06:00-24:01", "a"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"written|begins"):
        Hours.read(text)


def test_none_at_all_is_always() -> None:
    assert is_open((), 0)
    assert share_of_day(()) == 1.0


@given(st.lists(st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] != pair[1]), max_size=4))
def test_the_share_is_what_is_open(pairs: list[tuple[int, int]]) -> None:
    hours = tuple(Hours(start, end) for start, end in pairs)
    open_minutes = sum(is_open(hours, minute) for minute in range(DAY))
    assert share_of_day(hours) == open_minutes / DAY
