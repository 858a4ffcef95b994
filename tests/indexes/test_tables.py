"""CSV, StreamServe's index and JSON lines: places, fields, and what is wrong."""

from __future__ import annotations

import json

import pytest

from hotfolder.core.errors import InputFault, OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.csvranges import read_csv_ranges
from hotfolder.indexes.jsonlines import read_json_lines
from hotfolder.indexes.streamserve import parse_separator, read_streamserve
from tests.support.indexes import Reader, fault_of, read_all, skipping

BYTES = b"Customer,Offset,Length,Case,Case\nC-1,0,100,a,b\nC-2,100,50,,\n"


def test_csv_with_bytes() -> None:
    first, second = read_all(read_csv_ranges, BYTES)
    assert first == IndexedDocument(
        ordinal=1,
        place="line 2",
        fields=(("Customer", "C-1"), ("Case", "a"), ("Case", "b")),
        offset=0,
        length=100,
    )
    assert second.fields == (("Customer", "C-2"),)


@pytest.mark.parametrize(
    ("header", "row", "first", "pages"),
    [
        ("first_page,last_page", "3,7", 3, 5),
        ("From Page;To Page", "3;3", 3, 1),
        ("Start Page\tPage Count", "3\t5", 3, 5),
        ("first page|last page|pages", "3|7|5", 3, 5),
        ("Page Range,x", "3-7,y", 3, 5),
        ("page-range,x", " 12 ,y", 12, 1),
        ("FirstPage,Number of Pages", "0003,5", 3, 5),
    ],
)
def test_csv_with_pages(header: str, row: str, first: int, pages: int) -> None:
    (found,) = read_all(read_csv_ranges, f"{header}\n{row}\n".encode())
    assert (found.first_page, found.pages, found.offset) == (first, pages, None)


def test_columns_can_be_configured() -> None:
    data = b"von;bis;Offset;Datei\n3;7;mark;a.pdf\n"
    (found,) = read_all(
        read_csv_ranges,
        data,
        columns={"first_page": "Von", "last_page": "Bis", "offset": "byte", "file": "datei"},
    )
    assert (found.first_page, found.pages, found.file) == (3, 5, b"a.pdf")
    assert found.fields == (("Offset", "mark"),)
    with pytest.raises(OperatorFault):
        read_all(read_csv_ranges, data, columns={"colour": "x"})


def test_what_places_nothing_describes() -> None:
    (found,) = read_all(read_csv_ranges, b"offset,length,pages,size\n0,10,4,99\n")
    assert found.fields == (("pages", "4"), ("size", "99"))
    assert found.pages is None


def test_whole_files() -> None:
    found = read_all(read_csv_ranges, b"file,offset,length,n\na.pdf,,,1\nb.pdf,5,6,2\n")
    assert [(item.file, item.offset, item.length) for item in found] == [
        (b"a.pdf", None, None),
        (b"b.pdf", 5, 6),
    ]


def test_quotes_lines_in_values_and_trailing_separators() -> None:
    data = b'offset;length;name;\r\n0;5;"a;""b""\r\nc";\r\n5;5;d;;\r\n'
    first, second = read_all(read_csv_ranges, data)
    assert first.fields == (("name", 'a;"b"\r\nc'),)
    assert (second.place, second.fields) == ("line 4", (("name", "d"),))


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_csv_in_unicode(codec: str) -> None:
    (found,) = read_all(read_csv_ranges, "offset,length,Straße\n0,5,Höß\n".encode(codec))
    assert found.fields == (("Straße", "Höß"),)


def test_csv_in_other_code_pages() -> None:
    text = "offset,length,name\n0,5,Höß\n"
    for page, codec in (("1252", "cp1252"), ("819", "latin-1")):
        (found,) = read_all(read_csv_ranges, text.encode(codec), code_page=page)
        assert found.fields == (("name", "Höß"),)
    data = text.encode("cp273").replace(b"\x25", b"\x15")
    (found,) = read_all(read_csv_ranges, data * 1, code_page="273")
    assert found.fields == (("name", "Höß"),)
    with pytest.raises(OperatorFault):
        read_all(read_csv_ranges, text.encode(), code_page="nonsense")


def test_old_line_ends() -> None:
    assert len(read_all(read_csv_ranges, BYTES.replace(b"\n", b"\r"))) == 2
    assert (
        len(read_all(read_json_lines, b'{"offset":0,"length":1}\r{"offset":1,"length":1}\r')) == 2
    )


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"name,x\na,b\n", "index.columns", "line 1"),
        (b"offset,name\n0,b\n", "index.columns", "line 1"),
        (b"first page,name\n0,b\n", "index.columns", "line 1"),
        (b"offset,byte offset,length\n0,0,5\n", "index.columns", "line 1"),
        (b"\n\n\n", "index.columns", "line 1"),
        ("offset,length,n\n0,5,Höß\n".encode("latin-1"), "index.encoding", "line 2"),
        ("offset,length,Höß\n0,5,a\n".encode("latin-1"), "index.encoding", "line 1"),
        ("offset,length,n\n0,5,a\n".encode("cp500") * 3, "index.codepage", "byte 0"),
        (b"offset,length\n-5,5\n", "index.number", "line 2"),
        (b"offset,length\n5,0\n", "index.number", "line 2"),
        (b"offset,length\n5,\n", "index.number", "line 2"),
        (b"offset,length\n1.5,5\n", "index.number", "line 2"),
        (b"offset,length\n1e5,5\n", "index.number", "line 2"),
        (b"first_page,last_page\n0,5\n", "index.number", "line 2"),
        (b"first_page,last_page\n5,4\n", "index.number", "line 2"),
        (b"first_page,last_page,pages\n5,6,7\n", "index.number", "line 2"),
        (b"page range,x\n1-2-3,b\n", "index.number", "line 2"),
        (b"file,x\n../a,b\n", "index.path", "line 2"),
        (b"file,x\n,b\n", "index.place", "line 2"),
        (b"offset,length,n\n0,5\n6,7,n\n", "index.row", "line 2"),
        (b"offset,length,n\n0,5,a,b\n", "index.row", "line 2"),
        (b"offset,length,n\n0,5,a\n5,5", "index.truncated", "line 3"),
        (b'offset,length,n\n0,5,a\n0,5,"a\n5,5,b\n', "index.csv", "line 3"),
        (b'offset,length,n\n0,5,"a"b\n', "index.csv", "line 2"),
        (b"offset,length,n\n0,5," + b"x" * 65_001 + b"\n", "index.value", "line 2"),
        (b"offset,length,n\n0,5,a\0b\n", "index.characters", "line 2"),
        (b"offset,length" + b",n" * 2000 + b"\n", "index.columns", "line 1"),
        (b"offset,length,n\n" + b'0,1,"\n",' * 300_000, "index.line", "line 2"),
        (b"offset,length,n\n" + b"0,1," * 300_000, "index.line", "line 2"),
    ],
)
def test_csv_faults(data: bytes, code: str, place: str) -> None:
    fault = fault_of(read_csv_ranges, data)
    assert (fault.code, fault.place) == (code, place)


def test_bad_rows_are_skipped() -> None:
    data = "offset,length,n\n0,5,a\n5,x,b\n5,5,ö\n10,5\n10,5,c\n".encode("latin-1")
    found, skipped = skipping(read_csv_ranges, data)
    assert [(item.ordinal, item.place) for item in found] == [(1, "line 2"), (5, "line 6")]
    assert [(fault.code, fault.place) for fault in skipped] == [
        ("index.number", "line 3"),
        ("index.encoding", "line 4"),
        ("index.row", "line 5"),
    ]
    with pytest.raises(InputFault):
        skipping(read_csv_ranges, b"offset,length,n\n0,5,a\n5,")


def test_streamserve_with_configured_names() -> None:
    data = b"run.pdf\xa6C-1\xa60\xa6100\r\n.\\run.pdf\xa6C-2\xa6100\xa650\r\n\r\n"
    found = read_all(
        read_streamserve,
        data,
        attributes=("Document File", "CustomerNo", "offset", "length"),
        attribute_separator="A6",
        line_separator="0D 0A",
        code_page="819",
    )
    assert found[1] == IndexedDocument(
        ordinal=2,
        place="line 2",
        fields=(("CustomerNo", "C-2"),),
        offset=100,
        length=50,
        file=b"run.pdf",
    )
    assert found[0].file == b"run.pdf"


def test_streamserve_with_names_in_the_first_line() -> None:
    data = b"file\tname\r\na.pdf\tA\r\n./b.pdf\tB\t\r\n"
    found = read_all(read_streamserve, data)
    assert [(item.ordinal, item.file, item.fields) for item in found] == [
        (1, b"a.pdf", (("name", "A"),)),
        (2, b"b.pdf", (("name", "B"),)),
    ]


def test_streamserve_with_odd_separators() -> None:
    found = read_all(
        read_streamserve,
        b"a.pdf<>A||b.pdf<>line\nbreak||",
        attributes=("file", "name"),
        attribute_separator="0x3C 0x3e",
        line_separator="7c7c",
    )
    assert found[1].fields == (("name", "line\nbreak"),)


@pytest.mark.parametrize("reader", [read_csv_ranges, read_streamserve])
def test_a_last_line_without_its_end_is_marked(reader: Reader) -> None:
    ended = read_all(reader, b"file\tname\nrun\tA\nrun\tB\n")
    assert [item.cut for item in ended] == [False, False]
    unended = read_all(reader, b"file\tname\nrun\tA\nrun\tB")
    assert [item.cut for item in unended] == [False, True]


@pytest.mark.parametrize("text", ["", "0", "GG", "09" * 17, "tab", "\n"])
def test_separators_that_are_none(text: str) -> None:
    with pytest.raises(OperatorFault):
        parse_separator(text)


def test_separators_that_contain_each_other() -> None:
    with pytest.raises(OperatorFault):
        read_all(read_streamserve, b"", attribute_separator="0A", line_separator="0D0A")


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"file\tn\n/etc/passwd\tx\n", "index.path", "line 2"),
        (b"file\tn\n./../x\tx\n", "index.path", "line 2"),
        (b"file\tn\n././x\tx\n", "index.path", "line 2"),
        (b"file\tn\n../x\tx\n", "index.path", "line 2"),
        (b"file\tn\n..\\x\tx\n", "index.path", "line 2"),
        (b"file\tn\nx../y\tx\n", "index.path", "line 2"),
        (b"file\tn\nx\n", "index.row", "line 2"),
        (b"file\tn\nx", "index.truncated", "line 2"),
        (b"file\tn\nx\t\xff\n", "index.encoding", "line 2"),
        (b"\xff\n", "index.encoding", "line 1"),
        (b"customer\tn\nx\ty\n", "index.columns", "line 1"),
    ],
)
def test_streamserve_faults(data: bytes, code: str, place: str) -> None:
    fault = fault_of(read_streamserve, data)
    assert (fault.code, fault.place) == (code, place)


def test_json_lines() -> None:
    lines = (
        '{"offset": 0, "length": 100, "customer": "Höß", "n": 007.0e1}'.replace("007", "7"),
        "",
        '{"first_page": 3, "pages": 2, "cases": ["a", "b"], "open": true, "x": null}',
        '{"file": "a.pdf", "fields": {"file": "kept", "account": {"no": 12345678901234567890}}}',
    )
    first, second, third = read_all(read_json_lines, "\r\n".join(lines).encode() + b"\r\n")
    assert first == IndexedDocument(
        ordinal=1,
        place="line 1",
        fields=(("customer", "Höß"), ("n", "7.0e1")),
        offset=0,
        length=100,
    )
    assert second.fields == (("cases", "a"), ("cases", "b"), ("open", "true"))
    assert (second.first_page, second.pages, second.place) == (3, 2, "line 3")
    assert (third.file, third.offset) == (b"a.pdf", None)
    assert third.fields == (("file", "kept"), ("account.no", "12345678901234567890"))


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b'{"offset": 0, "length": 1}\n{"offset": 0,\n', "index.json", "line 2"),
        (b'[{"offset": 0, "length": 1}]\n', "index.json", "line 1"),
        (b'{"offset": 0, "length": 1, "offset": 2}\n', "index.twice", "line 1"),
        (b'{"offset": 0, "byte_offset": 0, "length": 1}\n', "index.columns", "line 1"),
        (b'{"offset": [1, 2], "length": 1}\n', "index.columns", "line 1"),
        (b'{"offset": {"a": 1}, "length": 1}\n', "index.columns", "line 1"),
        (b'{"offset": -1, "length": 1}\n', "index.number", "line 1"),
        (b'{"offset": NaN, "length": 1}\n', "index.number", "line 1"),
        (b'{"offset": 1.0, "length": 1}\n', "index.number", "line 1"),
        (b'{"offset": true, "length": 1}\n', "index.number", "line 1"),
        (b'{"offset": ' + b"9" * 5000 + b', "length": 1}\n', "index.number", "line 1"),
        (b'{"customer": "x"}\n', "index.columns", "line 1"),
        (b'{"offset": 0, "length": 1, "x": "\\ud800"}\n', "index.characters", "line 1"),
        (b'{"file": "\\ud800", "length": 1, "x": "a"}\n', "index.path", "line 1"),
        (b'{"offset": 0, "length": 1, "x": "\\u0000"}\n', "index.characters", "line 1"),
        (b'{"offset": 0, "length": 1, "x": "\xff"}\n', "index.encoding", "line 1"),
        (b"[" * 500_000 + b"\n", "index.json", "line 1"),
        (b'{"a":' * 100_000 + b"\n", "index.json", "line 1"),
        (b'{"a":' * 30 + b"1" + b"}" * 30 + b"\n", "index.json", "line 1"),
        (json.dumps({"offset": 0, "length": 1, "x": list(range(2001))}).encode() + b"\n",
         "index.fields", "line 1"),
        (json.dumps({"offset": 0, "length": 1, "x" * 256: 1}).encode() + b"\n",
         "index.value", "line 1"),
        (b'{"offset": 0, "length": 1}\n{"offset": 1, "len', "index.truncated", "line 2"),
        ('{"offset": 0, "length": 1}\n'.encode("cp500"), "index.codepage", "byte 0"),
    ],
)  # fmt: skip
def test_json_faults(data: bytes, code: str, place: str) -> None:
    fault = fault_of(read_json_lines, data)
    assert (fault.code, fault.place) == (code, place)


def test_bad_json_lines_are_skipped() -> None:
    data = b'{"offset": 0, "length": 1}\n{"offset"\n{"offset": 1, "length": 1}\n'
    found, skipped = skipping(read_json_lines, data)
    assert [item.ordinal for item in found] == [1, 3]
    assert [fault.place for fault in skipped] == ["line 2"]
