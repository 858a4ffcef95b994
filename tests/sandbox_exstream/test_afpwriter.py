"""The generator's AFP, judged by a reader of the tests' own and by another producer's file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from hotfolder.formats.registry import inspect_spool
from hotfolder.sandbox.afpwriter import AfpShape, afp_chunks, make_field, make_tag, write_afp
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.layout import compose_pages
from tests.support.afpwalk import walk

_COMMUNICATIONS = [make_communication(5, number) for number in range(60)]
_SAMPLES = Path(__file__).parent.parent / "samples"
_SHAPES = [
    AfpShape(grouped=grouped, resources=resources, comment=comment)
    for grouped in (True, False)
    for resources in (True, False)
    for comment in ("", "JOB 4711")
]


@pytest.mark.parametrize("shape", _SHAPES)
def test_walks_cleanly_with_every_shape(shape: AfpShape) -> None:
    data = write_afp(_COMMUNICATIONS, shape)
    found = walk(data)
    pages = sum(len(compose_pages(item)) for item in _COMMUNICATIONS)
    assert found.pages == pages
    assert len(found.groups) == (len(_COMMUNICATIONS) if shape.grouped else 0)
    assert ("BRG" in found.kinds) == shape.resources
    assert (found.kinds[0] == "NOP") == bool(shape.comment)
    assert found.kinds[-1] == "EDT"
    inspection = inspect_spool(io.BytesIO(data), len(data), b"x.afp")
    assert (inspection.format_name, inspection.pages, inspection.fault) == ("afp", pages, None)


def test_tags_say_whose_each_group_is() -> None:
    groups = walk(write_afp(_COMMUNICATIONS)).groups
    assert len({group.name for group in groups}) == len(groups)
    for group, communication in zip(groups, _COMMUNICATIONS, strict=True):
        customer = communication.customer
        assert group.tags == {
            "Customer Number": customer.customer_id,
            "Account": customer.account_number,
            "Name": customer.printed_name,
            "Statement Date": communication.issue_date.isoformat(),
            "Document Type": communication.document_type.upper(),
            "Channel": communication.channel.upper(),
        }
        assert group.pages == len(compose_pages(communication))


def test_pages_carry_the_text() -> None:
    text = walk(write_afp(_COMMUNICATIONS)).text
    for communication in _COMMUNICATIONS:
        for page in compose_pages(communication):
            for line in page:
                assert line.text + "\n" in text


def test_chunks_are_one_for_each_communication() -> None:
    chunks = list(afp_chunks(_COMMUNICATIONS))
    assert len(chunks) == len(_COMMUNICATIONS) + 2
    assert b"".join(chunks) == write_afp(_COMMUNICATIONS)


def test_same_seed_same_bytes() -> None:
    again = [make_communication(5, number) for number in range(60)]
    assert write_afp(again) == write_afp(_COMMUNICATIONS)
    assert write_afp([make_communication(6, 0)]) != write_afp(_COMMUNICATIONS[:1])


def test_names_of_groups_stay_eight_bytes_and_differ() -> None:
    names = [make_tag("Name", "x" * 200)]
    assert len(names[0]) == 1 + 8 + 4 + 4 + 4 + 200
    with pytest.raises(ValueError, match="32768 bytes"):
        make_field(0xD3EEEE, bytes(32760))


def test_has_the_structure_of_another_producer() -> None:
    """Apache FOP wrote the sample: same nesting, same tags, same order of fields."""
    data = (_SAMPLES / "statements-40.afp").read_bytes()
    theirs = walk(data)
    ours = walk(write_afp(_COMMUNICATIONS[:40]))
    with (_SAMPLES / "statements-40.expected.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # FOP fills each statement up with a blank page to an even number
    assert [group.written for group in theirs.groups] == [int(row["pages"]) for row in rows]
    assert [group.tags["Customer Number"] for group in theirs.groups] == [
        row["customer"] for row in rows
    ]
    assert {tuple(group.tags) for group in ours.groups} == {
        tuple(group.tags) for group in theirs.groups
    }
    assert _page_of(ours.kinds) == _page_of(theirs.kinds)
    assert _frame_of(ours.kinds) == _frame_of(theirs.kinds)


def _page_of(kinds: list[str]) -> list[str]:
    """The fields of the first page, runs of the same kind as one."""
    page = kinds[kinds.index("BPG") : kinds.index("EPG") + 1]
    return [kind for place, kind in enumerate(page) if place == 0 or page[place - 1] != kind]


def _frame_of(kinds: list[str]) -> list[str]:
    """The fields before the first page and after the last."""
    last = len(kinds) - 1 - kinds[::-1].index("EPG")
    return kinds[: kinds.index("BPG")] + kinds[last + 1 :]
