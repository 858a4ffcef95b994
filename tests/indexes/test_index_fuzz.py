"""Harmed indexes: documents, or a fault in words, with and without skipping."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress

import pytest

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.cmod import read_cmod
from hotfolder.indexes.csvranges import read_csv_ranges
from hotfolder.indexes.jsonlines import read_json_lines
from hotfolder.indexes.ranges import Extent, check_ranges, describe_gaps
from hotfolder.indexes.streamserve import read_streamserve
from hotfolder.indexes.xmljob import read_xml_job
from tests.fuzz.readers import Reader
from tests.fuzz.run import fuzz
from tests.indexes.test_cmod import group, index
from tests.indexes.test_tables import BYTES
from tests.indexes.test_xmljob import JOB
from tests.support.indexes import Reader as IndexReader
from tests.support.indexes import check_fault

SIZE = 150
OTHERS = {b"run.afp": Extent(size=SIZE), b"other.afp": Extent(size=10**6, pages=50)}
TEXT = index(group("Müller", 0, 100, "run.afp"), "COMMENT:x\n", group("C-2", 100, 50)).decode()
SAMPLES: dict[IndexReader, list[bytes]] = {
    read_cmod: [
        TEXT.encode(),
        TEXT.replace("1208", "819").encode("latin-1"),
        TEXT.replace("1208", "273").encode("cp273").replace(b"\x25", b"\x15"),
        TEXT.encode("utf-16"),
        index(group(offset=0, length=0, name="other.afp")),
    ],
    read_csv_ranges: [
        BYTES,
        'first page;last page;file;"n;"\n1;3;other.afp;ö\n4;5;other.afp;"a\nb"\n'.encode(),
        b"page range|x\n1-2|a\n3|b\n",
    ],
    read_streamserve: [
        b"file\toffset\tlength\tname\r\n./run.afp\t0\t100\ta\r\nrun.afp\t100\t50\tb\r\n"
    ],
    read_json_lines: [
        (
            b'{"offset": 0, "length": 100, "a": [1, 2.5e3, true, null, "\\u00fc"]}\n'
            b'{"offset": 100, "length": 50, "fields": {"a": {"b": "c"}}}\n'
        ),
        b'{"first_page": 1, "last_page": 3, "file": "other.afp"}\n',
    ],
    read_xml_job: [JOB.encode(), JOB.replace("UTF-8", "UTF-16").encode("utf-16")],
}


def reader_of(read_index: IndexReader) -> Reader:
    def documents(data: bytes, skipped: list[Fault] | None) -> list[IndexedDocument]:
        skip = None if skipped is None else skipped.append
        found: Iterator[IndexedDocument] = read_index(io.BytesIO(data), "x.ind", skip=skip)
        checked = check_ranges(
            found, SIZE, 9, allow_overlap=False, others=OTHERS, index="x.ind", skip=skip
        )
        given = list(checked)
        for document in given:
            check_document(document)
        gaps = describe_gaps(checked.gaps)
        if gaps is not None:
            check_fault(gaps)
        return given

    def read(data: bytes) -> object:
        skipped: list[Fault] = []
        with suppress(InputFault):
            patient = documents(data, skipped)
            for fault in skipped:
                check_fault(fault)
            if not skipped:
                assert documents(data, None) == patient
        try:
            given = documents(data, None)
        except InputFault as error:
            for fault in error.faults:
                check_fault(fault)
            raise
        assert not skipped
        return given

    return Reader(samples=SAMPLES[read_index], read=read)


def check_document(document: IndexedDocument) -> None:
    """What is given out lies where it may, and can be kept."""
    assert document.place
    assert document.file is None or b"/" not in document.file
    for number in (document.offset, document.length, document.first_page, document.pages):
        assert number is None or 0 <= number < 2**63
    for name, value in document.fields:
        assert "\0" not in value
        f"{name}{value}".encode()
    if document.offset is not None:
        assert document.length is not None
        size = SIZE if document.file is None else OTHERS[document.file].size
        assert 0 < document.offset + document.length <= size


@pytest.mark.parametrize("read_index", SAMPLES, ids=lambda reader: reader.__name__)
def test_samples_are_sound(read_index: IndexReader) -> None:
    reader = reader_of(read_index)
    for sample in reader.samples:
        assert reader.read(sample)


@pytest.mark.parametrize("read_index", SAMPLES, ids=lambda reader: reader.__name__)
def test_harmed_indexes_end_in_words(read_index: IndexReader) -> None:
    tally = fuzz(reader_of(read_index), seed=2026, runs=1500, seconds=0)
    assert [(error, data[:300]) for data, error in tally.found] == []
    assert 0 < tally.accepted < tally.runs
