"""Pictures beside one another: a pixel that changed is found where it is."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hotfolder.comparing.findings import Region
from hotfolder.comparing.pictures import compare_pictures, draw_pair

DPI = 72  # a pixel is a point
SIZES = st.tuples(st.integers(1, 70), st.integers(1, 70))


def noise(size: tuple[int, int], seed: int) -> Image.Image:
    return Image.frombytes("RGB", size, random.Random(seed).randbytes(3 * size[0] * size[1]))


def inside(region: Region, x: int, y: int) -> bool:
    return (
        region.left <= x < region.left + region.width
        and region.top <= y < region.top + region.height
    )


@given(SIZES, st.integers(0, 9), st.integers(0, 255), st.integers(0, 2))
def test_a_picture_is_equal_to_itself(
    size: tuple[int, int], seed: int, tolerance: int, shift: int
) -> None:
    picture = noise(size, seed)
    found = compare_pictures(picture, picture.copy(), dpi=DPI, tolerance=tolerance, shift=shift)
    assert (found.pixels, found.greatest, found.regions) == (0, 0, ())


@given(SIZES, st.data())
@settings(max_examples=200)
def test_a_change_of_any_pixel_is_found_in_its_place(
    size: tuple[int, int], data: st.DataObject
) -> None:
    tolerance = data.draw(st.integers(0, 50))
    places = data.draw(
        st.sets(
            st.tuples(st.integers(0, size[0] - 1), st.integers(0, size[1] - 1)),
            min_size=1,
            max_size=5,
        )
    )
    before = Image.new("RGB", size, (100, 100, 100))
    after = before.copy()
    for place in places:
        step = data.draw(st.integers(tolerance + 1, 100)) * data.draw(st.sampled_from((-1, 1)))
        colour = [100, 100, 100]
        colour[data.draw(st.integers(0, 2))] += step
        after.putpixel(place, tuple(colour))
    found = compare_pictures(before, after, dpi=DPI, tolerance=tolerance)
    assert found.pixels == len(places)
    for x, y in places:
        assert any(inside(region, x, y) for region in found.regions)
    assert found == compare_pictures(after, before, dpi=DPI, tolerance=tolerance)
    tolerated = compare_pictures(before, after, dpi=DPI, tolerance=found.greatest)
    assert (tolerated.pixels, tolerated.greatest) == (0, found.greatest)


@given(SIZES, SIZES, st.integers(0, 2))
def test_neither_side_comes_first(one: tuple[int, int], other: tuple[int, int], shift: int) -> None:
    before, after = noise(one, 1), noise(other, 2)
    assert compare_pictures(before, after, dpi=DPI, tolerance=9, shift=shift) == compare_pictures(
        after, before, dpi=DPI, tolerance=9, shift=shift
    )


def ruled(place: int) -> Image.Image:
    picture = Image.new("RGB", (60, 60), "white")
    picture.paste("black", (place, 10, place + 4, 50))
    return picture


@pytest.mark.parametrize(("moved", "shift", "same"), [(1, 0, False), (1, 1, True), (3, 2, False)])
def test_what_moved_is_tolerated_only_when_told(moved: int, shift: int, same: bool) -> None:
    found = compare_pictures(ruled(20), ruled(20 + moved), dpi=DPI, tolerance=8, shift=shift)
    assert (found.pixels == 0) == same


def test_a_dot_is_found_also_where_things_may_move() -> None:
    after = ruled(20)
    after.putpixel((50, 30), (0, 0, 0))
    assert compare_pictures(ruled(20), after, dpi=DPI, tolerance=8, shift=1).pixels == 1


def test_what_is_ignored_is_not_looked_at_and_nothing_else() -> None:
    region = Region(17, 0, 10, 60)
    before, after = ruled(20), Image.new("RGB", (60, 60), "white")
    assert compare_pictures(before, after, dpi=DPI, tolerance=8, ignored=[region]).pixels == 0
    after.putpixel((28, 5), (0, 0, 0))
    found = compare_pictures(before, after, dpi=DPI, tolerance=8, ignored=[region])
    assert found.regions == (Region(28, 5, 1, 1),)


def test_the_rest_of_a_larger_page_is_compared_with_white() -> None:
    before, after = Image.new("RGB", (20, 20), "white"), Image.new("RGB", (20, 40), "white")
    assert compare_pictures(before, after, dpi=DPI, tolerance=0).pixels == 0
    after.putpixel((3, 35), (0, 0, 0))
    assert compare_pictures(before, after, dpi=DPI, tolerance=0).regions == (Region(3, 35, 1, 1),)


def test_a_pair_shows_both_pages_and_marks_what_differs() -> None:
    before, after = ruled(20), ruled(40)
    regions = compare_pictures(before, after, dpi=DPI, tolerance=8).regions
    drawn = draw_pair(before, after, regions, dpi=DPI, titles=("archived", "again"), foot="foot")
    with Image.open(io.BytesIO(drawn)) as sheet:
        colours = {colour for _, colour in sheet.convert("RGB").getcolors(1 << 24) or ()}
    assert {(208, 0, 48), (255, 232, 110), (0, 0, 0)} <= colours


@pytest.mark.parametrize("size", [(1, 1), (5000, 300), (300, 5000)])
def test_a_page_of_any_size_is_shown_and_one_that_is_missing_too(size: tuple[int, int]) -> None:
    page = Image.new("RGB", size, "white")
    for before, after in ((page, None), (None, page), (page, page)):
        drawn = draw_pair(
            before, after, [Region(0, 0, 3, 3)], dpi=DPI, titles=("a" * 300, "b"), foot="x" * 300
        )
        with Image.open(io.BytesIO(drawn)) as sheet:
            assert sheet.width <= 2200
            assert sheet.height <= 1700
