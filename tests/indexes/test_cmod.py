"""The generic index: groups, inheritance, code pages, and files it may not name."""

from __future__ import annotations

import pytest

from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.cmod import read_cmod
from tests.support.indexes import fault_of, read_all, skipping

GROUP = (
    "GROUP_FIELD_NAME:customer\nGROUP_FIELD_VALUE:{customer}\n"
    "GROUP_FIELD_NAME:date\nGROUP_FIELD_VALUE:2026-10-01\n"
    "GROUP_OFFSET:{offset}\nGROUP_LENGTH:{length}\nGROUP_FILENAME:{name}\n"
)


def group(customer: str = "C-1", offset: object = 0, length: object = 10, name: str = "") -> str:
    return GROUP.format(customer=customer, offset=offset, length=length, name=name)


def index(*groups: str, page: str = "CODEPAGE:1208\n") -> bytes:
    return (page + "".join(groups)).encode()


def test_groups_become_documents() -> None:
    first, second, third = read_all(
        read_cmod,
        index(
            "COMMENT:          first\n",
            group("Müller", 0, 100, "run.afp"),
            "\n",
            group("C: 2", 100, 50),
            group("C-3", 0, 0, "letter.tif"),
        ),
    )
    assert first == IndexedDocument(
        ordinal=1,
        place="line 3",
        fields=(("customer", "Müller"), ("date", "2026-10-01")),
        offset=0,
        length=100,
        file=b"run.afp",
    )
    assert (second.fields[0], second.file, second.place) == (
        ("customer", "C: 2"),
        b"run.afp",
        "line 11",
    )
    assert (third.offset, third.length, third.file) == (None, None, b"letter.tif")


def test_the_first_blank_name_is_the_spool() -> None:
    assert [item.file for item in read_all(read_cmod, index(group(), group(offset=10)))] == [
        None,
        None,
    ]


def test_what_is_said_to_the_loader_is_nothing_of_a_document() -> None:
    # As publishing tools write it for arsload.
    head = "COMMENT: OnDemand Generic Index File Format\r\nCOMMENT:\r\n"
    told = "IGNORE_PREPROCESSING:1\r\nIGNORE_DATA_EVAL:1\r\nCOMMENT:\r\n"
    for text in (f"{head}CODEPAGE:1208\r\n{told}", f"{told}{head}CODEPAGE:1208\r\n"):
        (found,) = read_all(read_cmod, index(group(), page=text))
        assert found.fields == (("customer", "C-1"), ("date", "2026-10-01"))


def test_a_field_may_come_twice_and_be_empty() -> None:
    text = (
        "GROUP_FIELD_NAME:case\nGROUP_FIELD_VALUE:1\nGROUP_FIELD_NAME:case\n"
        "GROUP_FIELD_VALUE:\nGROUP_LENGTH:2\nGROUP_OFFSET:1\nGROUP_FILENAME:\n"
    )
    (found,) = read_all(read_cmod, text.encode())
    assert found.fields == (("case", "1"), ("case", ""))
    assert (found.offset, found.length) == (1, 2)


@pytest.mark.parametrize(
    ("page", "codec"),
    [
        ("819", "latin-1"),
        ("923", "iso8859-15"),
        ("850", "cp850"),
        ("1252", "cp1252"),
        ("1208", "utf-8"),
    ],
)
def test_code_pages_beyond_ascii(page: str, codec: str) -> None:
    text = f"CODEPAGE:{page}\r\n" + group("Jürgen Höß").replace("\n", "\r\n")
    (found,) = read_all(read_cmod, text.encode(codec))
    assert found.fields[0] == ("customer", "Jürgen Höß")


@pytest.mark.parametrize(
    ("page", "codec"),
    [("500", "cp500"), ("37", "cp037"), ("037", "cp037"), ("273", "cp273"), ("1140", "cp1140")],
)
@pytest.mark.parametrize("newline", [b"\x15", b"\x25", b"\x0d\x25"])
def test_ebcdic(page: str, codec: str, newline: bytes) -> None:
    text = f"CODEPAGE:{page}\n{group('Jürgen Höß [1]', name='RUN.OUT')}"
    data = newline.join(line.encode(codec) for line in text.split("\n"))
    (found,) = read_all(read_cmod, data)
    assert found.fields[0] == ("customer", "Jürgen Höß [1]")
    assert found.file == b"RUN.OUT"


def test_code_pages_that_python_lacks() -> None:
    """1047 keeps the brackets at AD and BD, the euro pages the sign at 9F."""
    for page, codec, raw, text in (
        ("1047", "cp037", b"\xad\xbd\x5f\xb0", "[]^¬"),
        ("1141", "cp273", b"\x9f", "€"),
        ("1148", "cp500", b"\x9f", "€"),
    ):
        lines = f"CODEPAGE:{page}\n{group('@@')}".encode(codec).replace(b"\x25", b"\x15")
        (found,) = read_all(read_cmod, lines.replace("@@".encode(codec), raw))
        assert found.fields[0] == ("customer", text)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
def test_byte_order_marks_and_utf16(codec: str) -> None:
    (found,) = read_all(
        read_cmod, index(group("Jürgen"), page="CODEPAGE:819\n").decode().encode(codec)
    )
    assert found.fields[0] == ("customer", "Jürgen")


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (index(group("Höß")).decode().encode("latin-1"), "index.encoding", "line 3"),
        (index(group(), page="CODEPAGE:500\n"), "index.codepage", "line 1"),
        (index(group(), page="CODEPAGE:1200\n"), "index.codepage", "line 1"),
        (index(group(), page="CODEPAGE:99999\n"), "index.codepage", "line 1"),
        (index(group(), "CODEPAGE:819\n"), "index.codepage", "line 9"),
        (index(group("Höß"), group("Höß", 10), group("Höß", 20), page="CODEPAGE:819\n"),
         "index.codepage", "line 17"),
        (index(group(), page="CODEPAGE:819\n").decode().encode("cp500").replace(b"\x25", b"\x15"),
         "index.codepage", "line 1"),
        (index(group()).decode().encode("utf-32"), "index.encoding", "byte 0"),
        (index(group()).decode().encode("utf-16")[:-3], "index.encoding", "byte 318"),
        (index(group())[:-30], "index.truncated", "line 7"),
        (index(group(), "GROUP_FIELD_NAME:x\n"), "index.truncated", "line 9"),
        (b"\x5a\x00\x10\xd3\xa8\xa8" * 50, "index.format", "line 1"),
        (b"%PDF-1.7\nnothing", "index.format", "line 1"),
        (index(group(), "and so on\n", group()), "index.group", "line 9"),
        (index("GROUP_FIELD_VALUE;987\n"), "index.group", "line 2"),
        (index("GROUP_FIELD_VALUE:987\n"), "index.group", "line 2"),
        (index("GROUP_FIELD_NAME:a\nGROUP_FIELD_NAME:b\n"), "index.group", "line 3"),
        (index("GROUP_FIELD_NAME:\n"), "index.group", "line 2"),
        (index("GROUP_OFFSET:0\nGROUP_LENGTH:0\nGROUP_FILENAME:\n"), "index.group", "line 4"),
        (index(group().replace("GROUP_OFFSET:0\n", "")), "index.group", "line 7"),
        (index(group().replace("GROUP_FILENAME:\n", ""), group()), "index.group", "line 8"),
        (index(group().replace("GROUP_OFFSET", "GROUP_LENGTH")), "index.group", "line 7"),
        (index(group(offset=-1)), "index.number", "line 6"),
        (index(group(offset="1,000")), "index.number", "line 6"),
        (index(group(offset="٣")), "index.number", "line 6"),
        (index(group(length="9" * 19)), "index.number", "line 7"),
        (index(group(length="9" * 900_000)), "index.number", "line 7"),
        (index(group(length="")), "index.number", "line 7"),
        (index(group(offset=7, length=0)), "index.number", "line 8"),
        (index(group("a\0b")), "index.characters", "line 3"),
        (index(group("x" * 65_001)), "index.value", "line 3"),
    ],
)  # fmt: skip
def test_faults_name_line_or_byte(data: bytes, code: str, place: str) -> None:
    fault = fault_of(read_cmod, data)
    assert (fault.code, fault.place) == (code, place)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x", "..", ".", "a/b", "a\\b", "C:\\x", "x\x07y", "n" * 256, "\\\\host\\x"],
)
def test_files_elsewhere_may_not_be_named(name: str) -> None:
    assert fault_of(read_cmod, index(group(name=name))).code == "index.path"


def test_a_bad_name_is_not_inherited() -> None:
    found, skipped = skipping(
        read_cmod,
        index(
            group(name="good.afp"),
            group(name="../bad.afp"),
            group(),
            group(name="new.afp"),
            group(offset=10),
        ),
    )
    assert [(item.ordinal, item.file) for item in found] == [
        (1, b"good.afp"),
        (4, b"new.afp"),
        (5, b"new.afp"),
    ]
    assert [(fault.code, fault.place) for fault in skipped] == [
        ("index.path", "line 15"),
        ("index.path", "line 22"),
    ]


def test_bad_groups_are_skipped_one_by_one() -> None:
    found, skipped = skipping(
        read_cmod,
        index(
            group("1"),
            group("2", offset="x").replace("GROUP_FILENAME:\n", ""),
            group("3"),
            group("4").replace("GROUP_FIELD_NAME:date\n", ""),
            group("5"),
        ),
    )
    assert [(item.ordinal, item.fields[0][1]) for item in found] == [(1, "1"), (3, "3"), (5, "5")]
    assert [fault.place for fault in skipped] == ["line 13", "line 24"]


def test_a_cut_index_is_never_skipped() -> None:
    assert fault_of(read_cmod, index(group())[:-30], skip=lambda _: None).code == "index.truncated"


def test_fields_up_to_128() -> None:
    field = "GROUP_FIELD_NAME:f\nGROUP_FIELD_VALUE:v\n"
    end = "GROUP_OFFSET:0\nGROUP_LENGTH:1\nGROUP_FILENAME:\n"
    (found,) = read_all(read_cmod, index(field * 128 + end))
    assert len(found.fields) == 128
    assert fault_of(read_cmod, index(field * 129 + end)).place == "line 259"


def test_the_folder_overrules_the_index() -> None:
    data = index(group("Höß"), page="CODEPAGE:500\n").decode().encode("cp850")
    (found,) = read_all(read_cmod, data, code_page="850")
    assert found.fields[0][1] == "Höß"


def test_latin_text_is_not_taken_for_utf8() -> None:
    """Three groups, two of which happen to be sound UTF-8 as well: real Latin text."""
    data = index(group("AMANHÃ”"), group("NÖ“", 10), group("SÃO", 20), page="CODEPAGE:1252\n")
    found = read_all(read_cmod, data.decode().encode("cp1252"))
    assert [item.fields[0][1] for item in found] == ["AMANHÃ”", "NÖ“", "SÃO"]


def test_faults_keep_customers_out() -> None:
    fault = fault_of(read_cmod, index(group("secret"), "secret\n"))
    assert "secret" not in str(fault)
