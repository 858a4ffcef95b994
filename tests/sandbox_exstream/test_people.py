"""Customers and communications: fixed by seed and number, and as awkward as real ones."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from hotfolder.sandbox.communications import (
    CHANNELS,
    POPULATION,
    RETENTION_CLASSES,
    make_communication,
)
from hotfolder.sandbox.draw import Draw
from hotfolder.sandbox.layout import HEIGHT, WIDTH, compose_pages
from hotfolder.sandbox.people import make_customer


def test_same_in_another_process() -> None:
    code = (
        "from hotfolder.sandbox.communications import make_communication as make;"
        "print(ascii([make(9, n) for n in range(5)]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert out.stdout.strip() == ascii([make_communication(9, n) for n in range(5)])


def test_customers_differ() -> None:
    people = [make_customer(1, number) for number in range(3000)]
    assert len({person.customer_id for person in people}) == len(people)
    assert make_customer(1, 5) != make_customer(2, 5)


def test_names_are_as_awkward_as_real_ones() -> None:
    names = "".join(make_customer(1, number).name for number in range(40))
    for sample in ("ß", "é", "Ł", "&", "<b>", "明", "'"):
        assert sample in names
    titles = [make_communication(1, number).title for number in range(40)]
    assert any("\N{PARTY POPPER}" in title for title in titles)
    assert any("<b>" in title and "&" in title for title in titles)


def test_printed_names_can_be_printed() -> None:
    for number in range(200):
        printed = make_customer(1, number).printed_name
        assert printed.encode("cp1252")
        assert printed.encode("cp500")


def test_no_two_communications_share_a_key() -> None:
    keys = set()
    for number in [*range(2000), *range(POPULATION, POPULATION + 2000), 12 * POPULATION]:
        found = make_communication(1, number)
        keys.add((found.customer.customer_id, found.issue_date))
    assert len(keys) == 4001


@given(seed=st.integers(0, 5), number=st.integers(0, 200_000), revision=st.integers(0, 2))
def test_every_communication_fits_its_pages(seed: int, number: int, revision: int) -> None:
    found = make_communication(seed, number, revision=revision)
    assert found.channel in CHANNELS
    assert found.retention_class == RETENTION_CLASSES[found.document_type]
    pages = compose_pages(found)
    assert 1 <= len(pages) <= 4
    for page in pages:
        for line in page:
            assert 0 < line.x < WIDTH
            assert 0 < line.y < HEIGHT
            line.text.encode("cp1252")
            line.text.encode("latin-1")
    rows = [line.text for page in pages for line in page if " EUR" in line.text]
    assert len(rows) == len(found.items) + 1


@given(st.lists(st.integers(1, 2**32), max_size=50))
def test_draws_stay_below_their_limit(limits: list[int]) -> None:
    first, second = Draw("x", 1), Draw("x", 1)
    for limit in limits:
        value = first.below(limit)
        assert 0 <= value < limit
        assert second.below(limit) == value


def test_draws_reach_everything() -> None:
    draw = Draw("reach")
    assert {draw.below(7) for _ in range(500)} == set(range(7))
    assert all(len(draw.digits(5)) == 5 for _ in range(200))
    assert len(draw.bytes(1000)) == 1000
