"""Ranges against the files they lie in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.ranges import (
    MAX_GAPS,
    CheckedRanges,
    Extent,
    Gap,
    check_ranges,
    describe_end,
    describe_gaps,
)
from tests.support.indexes import check_fault


def documents(*ranges: tuple[int, int], file: bytes | None = None) -> Iterator[IndexedDocument]:
    for number, (offset, length) in enumerate(ranges, 1):
        yield IndexedDocument(
            ordinal=number,
            place=f"line {number}",
            fields=(),
            offset=offset,
            length=length,
            file=file,
        )


def paged(*ranges: tuple[int, int]) -> Iterator[IndexedDocument]:
    for number, (first, pages) in enumerate(ranges, 1):
        yield IndexedDocument(
            ordinal=number, place=f"line {number}", fields=(), first_page=first, pages=pages
        )


def fault_of(checked: CheckedRanges) -> Fault:
    with pytest.raises(InputFault) as caught:
        list(checked)
    (fault,) = caught.value.faults
    check_fault(fault)
    return fault


def test_all_accounted_for() -> None:
    given = list(documents((0, 10), (10, 5), (15, 85)))
    checked = check_ranges(given, 100, None, allow_overlap=False)
    assert list(checked) == given
    assert checked.gaps.count == 0
    assert describe_gaps(checked.gaps) is None


def test_gaps_are_counted() -> None:
    checked = check_ranges(documents((5, 5), (10, 5), (20, 70)), 100, None, allow_overlap=False)
    assert len(list(checked)) == 3
    assert (checked.gaps.count, checked.gaps.bytes, checked.gaps.pages) == (3, 20, 0)
    assert checked.gaps.first == [
        Gap(unit="bytes", start=0, length=5),
        Gap(unit="bytes", start=15, length=5),
        Gap(unit="bytes", start=90, length=10),
    ]
    fault = describe_gaps(checked.gaps)
    assert fault is not None
    check_fault(fault)
    assert fault.place == "byte 0"


def test_gaps_in_pages() -> None:
    checked = check_ranges(paged((1, 2), (4, 1)), 10_000, 6, allow_overlap=False)
    list(checked)
    assert checked.gaps.first == [
        Gap(unit="pages", start=3, length=1),
        Gap(unit="pages", start=5, length=2),
    ]
    assert (checked.gaps.bytes, checked.gaps.pages) == (0, 3)


def test_many_gaps_are_counted_and_few_kept() -> None:
    ranges = [(2 * number + 1, 1) for number in range(5000)]
    checked = check_ranges(documents(*ranges), 10_000, None, allow_overlap=False)
    list(checked)
    assert (checked.gaps.count, checked.gaps.bytes) == (5000, 5000)
    assert len(checked.gaps.first) == MAX_GAPS


@pytest.mark.parametrize(
    ("given", "code", "place"),
    [
        (documents((0, 10), (10, 91)), "ranges.outside", "line 2 (document 2)"),
        (documents((0, 10), (2**63 - 1, 2**63 - 1)), "ranges.outside", "line 2 (document 2)"),
        (documents((0, 10), (9, 5)), "ranges.overlap", "line 2 (document 2)"),
        (documents((20, 10), (10, 5)), "ranges.order", "line 2 (document 2)"),
        (documents((0, 0)), "ranges.empty", "line 1 (document 1)"),
        (documents((-1, 5)), "ranges.empty", "line 1 (document 1)"),
        (documents((5, -1)), "ranges.empty", "line 1 (document 1)"),
        (paged((0, 1)), "ranges.empty", "line 1 (document 1)"),
        (paged((5, 2)), "ranges.outside", "line 1 (document 1)"),
        (paged((1, 2), (2, 1)), "ranges.overlap", "line 2 (document 2)"),
        (documents((0, 1), file=b"x"), "ranges.file", "line 1 (document 1)"),
    ],
)
def test_what_does_not_fit(given: Iterator[IndexedDocument], code: str, place: str) -> None:
    fault = fault_of(check_ranges(given, 100, 5, allow_overlap=False, index="x.ind"))
    assert (fault.code, fault.place, fault.file) == (code, place, "x.ind")


def test_bytes_and_pages_are_not_mixed() -> None:
    given = [*documents((0, 5)), *paged((1, 1))]
    assert fault_of(check_ranges(given, 100, 5, allow_overlap=False)).code == "ranges.mixed"
    half = IndexedDocument(ordinal=1, place="line 1", fields=(), offset=3)
    assert fault_of(check_ranges([half], 100, 5, allow_overlap=False)).code == "ranges.half"


def test_overlap_where_it_is_allowed() -> None:
    checked = check_ranges(
        documents((0, 50), (10, 5), (10, 60), (80, 10)), 100, None, allow_overlap=True
    )
    assert len(list(checked)) == 4
    assert checked.gaps.first == [
        Gap(unit="bytes", start=70, length=10),
        Gap(unit="bytes", start=90, length=10),
    ]
    again = check_ranges(documents((10, 5), (9, 5)), 100, None, allow_overlap=True)
    assert fault_of(again).code == "ranges.order"


def unended(found: Iterator[IndexedDocument]) -> Iterator[IndexedDocument]:
    """As from an index without a line end in its last line."""
    *first, last = found
    yield from first
    yield last._replace(cut=True)


@pytest.mark.parametrize("found", [[*documents((0, 10), (10, 9))], [*paged((1, 2), (3, 2))]])
@pytest.mark.parametrize("skipping", [False, True])
def test_a_number_that_was_cut_off_is_no_range(
    found: list[IndexedDocument], skipping: bool
) -> None:
    skipped: list[Fault] = []
    checked = check_ranges(
        unended(iter(found)),
        100,
        5,
        allow_overlap=False,
        index="x.ind",
        skip=skipped.append if skipping else None,
    )
    fault = fault_of(checked)
    assert (fault.code, fault.place, fault.file) == ("index.truncated", "line 2", "x.ind")


def test_an_index_without_its_last_line_end_is_remarked() -> None:
    given = unended(documents((0, 10), (10, 90)))
    checked = check_ranges(given, 100, None, allow_overlap=False, index="x.ind")
    assert len(list(checked)) == 2
    warning = describe_end(checked)
    assert warning is not None
    check_fault(warning)
    assert (warning.code, warning.place, warning.file) == ("index.unended", "line 2", "x.ind")


def test_an_index_that_ends_well_is_not_remarked() -> None:
    checked = check_ranges(documents((0, 10), (10, 80)), 100, None, allow_overlap=False)
    assert len(list(checked)) == 2
    assert describe_end(checked) is None


def test_whole_files_and_the_spool_by_its_name() -> None:
    given = [
        IndexedDocument(ordinal=1, place="line 1", fields=(), file=b"run.afp"),
        IndexedDocument(ordinal=2, place="line 9", fields=(), file=b"a.tif"),
    ]
    others = {b"a.tif": Extent(size=7), b"b.tif": Extent(size=9)}
    checked = check_ranges(given, 100, None, allow_overlap=False, name=b"run.afp", others=others)
    first, second = checked
    assert (first.file, first.offset, first.length) == (None, 0, 100)
    assert (second.file, second.offset, second.length) == (b"a.tif", 0, 7)
    assert checked.gaps.first == [Gap(unit="bytes", start=0, length=9, file=b"b.tif")]


def test_bytes_count_where_there_are_pages_too() -> None:
    given = [
        IndexedDocument(
            ordinal=number,
            place=f"line {number}",
            fields=(),
            offset=number * 10,
            length=10,
            first_page=number * 2,
            pages=1,
        )
        for number in (1, 2)
    ]
    checked = check_ranges(given, 30, 9, allow_overlap=False)
    assert len(list(checked)) == 2
    assert checked.gaps.first == [Gap(unit="bytes", start=0, length=10)]


def test_misfits_are_skipped_and_leave_a_gap() -> None:
    skipped: list[Fault] = []
    checked = check_ranges(
        documents((0, 10), (5, 10), (200, 10), (20, 80)),
        100,
        None,
        allow_overlap=False,
        skip=skipped.append,
    )
    assert [item.ordinal for item in checked] == [1, 4]
    assert [fault.code for fault in skipped] == ["ranges.overlap", "ranges.outside"]
    assert checked.gaps.first == [Gap(unit="bytes", start=10, length=10)]


@given(
    st.lists(st.tuples(st.integers(-2, 30), st.integers(-2, 12)), min_size=1, max_size=12),
    st.integers(0, 30),
    st.booleans(),
)
def test_every_byte_is_in_a_document_or_in_a_gap(
    ranges: list[tuple[int, int]], size: int, overlap: bool
) -> None:
    skipped: list[Fault] = []
    checked = check_ranges(
        documents(*ranges), size, None, allow_overlap=overlap, skip=skipped.append
    )
    held = [0] * size
    last = 0
    for item in checked:
        assert item.offset is not None
        assert item.length is not None
        assert item.offset >= last
        last = item.offset
        for place in range(item.offset, item.offset + item.length):
            held[place] += 1  # IndexError: outside the file
    assert overlap or max(held, default=0) <= 1
    for gap in checked.gaps.first:
        for place in range(gap.start, gap.start + gap.length):
            assert not held[place]
            held[place] = -1
    assert 0 not in held
    assert checked.gaps.bytes == sum(gap.length for gap in checked.gaps.first)
