"""Memory does not grow with the index: streams are made as they are read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.cmod import read_cmod
from hotfolder.indexes.csvranges import read_csv_ranges
from hotfolder.indexes.jsonlines import read_json_lines
from hotfolder.indexes.ranges import check_ranges
from hotfolder.indexes.streamserve import read_streamserve
from hotfolder.indexes.xmljob import read_xml_job
from tests.support.indexes import Reader, count, fault_of, made, peak_of

MIB = 1 << 20
GIB = 1 << 30
ENOUGH = 8 * MIB  # for what is read at once, and a line or a row of the longest kind

HEADS = {
    read_cmod: b"CODEPAGE:819\n",
    read_csv_ranges: b"offset,length,customer\n",
    read_streamserve: b"offset\tlength\tcustomer\n",
    read_json_lines: b"",
    read_xml_job: b"<job><run>7</run>",
}
ROWS: dict[Reader, Callable[[int], bytes]] = {
    read_cmod: lambda n: (
        b"GROUP_FIELD_NAME:customer\nGROUP_FIELD_VALUE:C-%d\n"
        b"GROUP_OFFSET:%d\nGROUP_LENGTH:10\nGROUP_FILENAME:\n" % (n, 10 * n)
    ),
    read_csv_ranges: lambda n: b"%d,10,C-%d\n" % (10 * n, n),
    read_streamserve: lambda n: b"%d\t10\tC-%d\n" % (10 * n, n),
    read_json_lines: lambda n: b'{"offset": %d, "length": 10, "customer": "C-%d"}\n' % (10 * n, n),
    read_xml_job: lambda n: (
        b"<document><offset>%d</offset><length>10</length><customer>C-%d</customer></document>"
        % (10 * n, n)
    ),
}
TAILS = {read_xml_job: b"</job>"}
# What has no end: a line, a row, a text, a tag, or many of them.
ENDLESS: dict[str, tuple[Reader, bytes, bytes, str]] = {
    "cmod, a line": (read_cmod, b"COMMENT:", b"x", "index.line"),
    "cmod, a group": (read_cmod, b"", b"GROUP_FIELD_NAME:a\nGROUP_FIELD_VALUE:b\n", "index.fields"),
    "cmod, records without line ends": (read_cmod, b"\xc3\xd6\xc4\xc5" * 20, b"\xf1", "index.line"),
    "csv, a line": (read_csv_ranges, b"offset,length,n\n0,5,", b"x", "index.line"),
    "csv, an open quote": (read_csv_ranges, b'offset,length,n\n0,5,"', b"x\n", "index.csv"),
    "csv, a row in many lines": (read_csv_ranges, b"offset,length,n\n", b'"\n",', "index.line"),
    "csv, the first line": (read_csv_ranges, b"", b"offset,", "index.line"),
    "streamserve, a line": (read_streamserve, b"offset\tlength\n", b"1\t", "index.line"),
    "json, a line": (read_json_lines, b"[", b"[", "index.line"),
    "json, in UTF-16": (read_json_lines, b"\xff\xfe", b"\x01\x02", "index.line"),
    "xml, a text": (read_xml_job, b"<j><document><a>", b"x", "index.value"),
    "xml, a comment": (read_xml_job, b"<j><!--", b"x", "index.line"),
    "xml, an attribute": (read_xml_job, b"<j a='", b"x", "index.line"),
    "xml, elements in elements": (read_xml_job, b"<j>", b"<a>", "index.depth"),
    "xml, fields": (read_xml_job, b"<j><document>", b"<a>1</a>", "index.fields"),
    "xml, fields of the job": (read_xml_job, b"<j>", b"<a>1</a>", "index.fields"),
}


def index(reader: Reader, documents: int) -> Iterator[bytes]:
    """A sound index in pieces of a thousand documents."""
    yield HEADS[reader]
    for first in range(0, documents, 1000):
        yield b"".join(map(ROWS[reader], range(first, min(documents, first + 1000))))
    yield TAILS.get(reader, b"")


def read(reader: Reader, documents: int) -> None:
    checked = check_ranges(
        reader(made(index(reader, documents)), "x.ind"),
        10 * documents,
        None,
        allow_overlap=False,
    )
    assert count(checked) == documents
    assert checked.gaps.count == 0


@pytest.mark.parametrize("reader", ROWS, ids=lambda reader: reader.__name__)
def test_memory_is_the_same_for_few_and_many(reader: Reader) -> None:
    read(reader, 1000)  # what is imported and remembered once
    few, many = (peak_of(partial(read, reader, number)) for number in (6_000, 18_000))
    assert many < ENOUGH
    assert many < few * 1.2 + 50_000


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_refused_soon(name: str) -> None:
    """A gigabyte and more is there to be read; a few megabytes are."""
    reader, head, part, code = ENDLESS[name]
    piece = part * (65536 // len(part))
    given = 0

    def pieces() -> Iterator[bytes]:
        nonlocal given
        yield head
        for _ in range(GIB // len(piece) + 1):
            given += len(piece)
            yield piece

    def run() -> None:
        assert fault_of(reader, made(pieces())).code == code

    assert peak_of(run) < 4 * ENOUGH
    assert given < 16 * MIB


def test_an_index_of_four_gigabytes() -> None:
    """Lines are counted, and the fault behind them all is found."""
    line = b"COMMENT:" + b"x" * 65_527 + b"\n"
    piece = line * 16
    times = 4 * GIB // len(piece) + 1
    parts = itertools.chain(
        [b"CODEPAGE:819\n"], itertools.repeat(piece, times), [b"GROUP_OFFSET:-1\n"]
    )
    fault = fault_of(read_cmod, made(parts))
    assert (fault.code, fault.place) == ("index.number", f"line {times * 16 + 2}")


def test_four_gigabytes_of_bad_groups_are_skipped() -> None:
    """Nothing is held of what is skipped, either."""
    piece = (b"GROUP_FIELD_NAME:a\nGROUP_FIELD_VALUE:" + b"v" * 66_000 + b"\nGROUP_FILENAME:\n") * 8
    skipped = 0

    def skip(_fault: object) -> None:
        nonlocal skipped
        skipped += 1

    def run() -> None:
        parts = itertools.repeat(piece, 500)
        assert list(read_cmod(made(parts), "x.ind", skip=skip)) == []

    assert peak_of(run) < ENOUGH
    assert skipped == 4000


def test_long_names_are_not_remembered() -> None:
    lines = (b'{"' + b"%07d" % n * 100_000 + b'": 1}\n' for n in range(100))

    def run() -> None:
        assert list(read_json_lines(made(lines), "x.ind", skip=lambda _: None)) == []

    assert peak_of(run) < ENOUGH


def test_a_million_ranges_hold_nothing() -> None:
    """Every other one leaves a gap."""

    def documents(number: int) -> Iterator[IndexedDocument]:
        for ordinal in range(1, number + 1):
            yield IndexedDocument(
                ordinal=ordinal, place="line", fields=(), offset=ordinal * 20, length=10
            )

    def run(number: int) -> None:
        checked = check_ranges(documents(number), number * 20 + 10, None, allow_overlap=False)
        assert count(checked) == number
        assert checked.gaps.count == number

    assert peak_of(partial(run, 20_000)) < MIB
    run(1_000_000)
