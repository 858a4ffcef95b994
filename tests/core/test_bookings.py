"""Booked looks: in order of moments, then of names; what has lapsed is passed over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.bookings import Bookings

NAMES = st.sampled_from([b"a", b"b", b"c", b"\xff"])
MOMENTS = st.sampled_from([1.0, 2.0, 2.5, 7.0])


def test_the_longest_overdue_comes_first_and_of_one_moment_the_first_in_order() -> None:
    booked = Bookings(lambda _name, _at: True)
    for name, at in ((b"c", 2.0), (b"z", 1.0), (b"a", 2.0), (b"b", 2.0), (b"later", 9.0)):
        booked.add(name, at)
    assert [booked.pop(5.0) for _ in range(5)] == [b"z", b"a", b"b", b"c", None]
    assert booked.next() == 9.0
    assert len(booked) == 1


def test_what_has_lapsed_is_passed_over_and_forgotten() -> None:
    live = {(b"b", 2.0)}
    booked = Bookings(lambda name, at: (name, at) in live)
    for name, at in ((b"a", 1.0), (b"a", 2.0), (b"b", 2.0), (b"c", 2.0)):
        booked.add(name, at)
    assert booked.next() == 2.0
    assert booked.pop(2.0) == b"b"
    live.clear()
    assert booked.next() is None
    assert len(booked) == 0


@given(st.lists(st.tuples(st.booleans(), NAMES, MOMENTS)))
def test_it_is_a_queue_whatever_comes_when(steps: list[tuple[bool, bytes, float]]) -> None:
    wanted: dict[bytes, float] = {}
    booked = Bookings(lambda name, at: wanted.get(name) == at)
    for adds, name, at in steps:
        if adds:
            wanted[name] = at
            booked.add(name, at)
        else:
            due = [(moment, item) for item, moment in wanted.items() if moment <= at]
            assert booked.next() == min(wanted.values(), default=None)
            found = booked.pop(at)
            # A name that came while its moment was being drawn from may pass others.
            assert (found, wanted.get(found or b"")) in {
                (item, moment) for moment, item in due if moment == min(due)[0]
            } or (found is None and not due)
            if found is not None:
                del wanted[found]
    booked.replace(wanted.items())
    assert len(booked) == len(wanted)
    assert [booked.pop(9.0) for _ in wanted] == [
        name for _, name in sorted((at, name) for name, at in wanted.items())
    ]
