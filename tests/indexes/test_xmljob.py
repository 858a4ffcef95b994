"""XML at job and document level: what holds for whom, and what is refused."""

from __future__ import annotations

import pytest

from hotfolder.core.indexed import IndexedDocument
from hotfolder.indexes.xmljob import read_xml_job
from tests.support.indexes import fault_of, read_all, skipping

JOB = """<?xml version="1.0" encoding="UTF-8"?>
<job version="2" xmlns="urn:x"><!-- written at job start -->
  <jobNumber>J-1</jobNumber>
  <channel>print</channel>
  <file>run.afp</file>
  <documents kind="statement">
    <document id="1"><offset>0</offset><length>100</length>
      <customer>Höß &amp; Co</customer><Channel>email</Channel>
    </document>
    <document id="2"><offset>100</offset><length>50</length><file>other.afp</file>
      <field name="account">12</field><attr name="case" value="A"/>
      <attr><name>case</name><value>B</value></attr>
      <amount currency="EUR">3.50</amount><empty/>
    </document>
  </documents>
  <documentCount>2</documentCount>
</job>
"""


def one(inner: str, before: str = "", after: str = "") -> bytes:
    return f"<job>\n{before}\n<document>{inner}</document>{after}\n</job>".encode()


WHERE = "<offset>0</offset><length>5</length>"


def test_document_wins_over_job() -> None:
    first, second = read_all(read_xml_job, JOB.encode())
    assert first == IndexedDocument(
        ordinal=1,
        place="line 7",
        fields=(
            ("jobNumber", "J-1"),
            ("documents.kind", "statement"),
            ("id", "1"),
            ("customer", "Höß & Co"),
            ("Channel", "email"),
        ),
        offset=0,
        length=100,
        file=b"run.afp",
    )
    assert second.file == b"other.afp"
    assert second.fields == (
        ("jobNumber", "J-1"),
        ("channel", "print"),
        ("documents.kind", "statement"),
        ("id", "2"),
        ("account", "12"),
        ("case", "A"),
        ("case", "B"),
        ("amount.currency", "EUR"),
        ("amount", "3.50"),
    )


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_encodings(codec: str) -> None:
    text = JOB.replace("UTF-8", codec.removesuffix("-sig"))
    assert read_all(read_xml_job, text.encode(codec))[0].fields[3] == ("customer", "Höß & Co")


def test_names_of_documents_and_columns_can_be_configured() -> None:
    data = b"<run><Brief><von>3</von><bis>4</bis><n>x</n></Brief></run>"
    (found,) = read_all(
        read_xml_job,
        data,
        documents=("letter", "brief"),
        columns={"first_page": "von", "last_page": "bis"},
    )
    assert (found.first_page, found.pages, found.fields) == (3, 2, (("n", "x"),))


def test_what_is_alike_can_be_said() -> None:
    data = one(WHERE + "<account>1</account>", "<accountNumber>2</accountNumber>")
    assert len(read_all(read_xml_job, data)[0].fields) == 2
    (found,) = read_all(read_xml_job, data, alike=lambda name: name[:7])
    assert found.fields == (("account", "1"),)


def test_pages_of_the_job_are_no_place_of_documents() -> None:
    data = one("<firstPage>1</firstPage><lastPage>2</lastPage>", "<pages>900</pages>")
    (found,) = read_all(read_xml_job, data)
    assert (found.first_page, found.pages, found.fields) == (1, 2, (("pages", "900"),))


def test_a_document_alone() -> None:
    (found,) = read_all(read_xml_job, f'<document a="b">{WHERE}</document>'.encode())
    assert found.fields == (("a", "b"),)


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"", "index.truncated", "line 1, column 1"),
        (JOB.encode()[:500], "index.truncated", "line 11, column 39"),
        (JOB.encode()[:90], "index.truncated", "line 2, column 32"),
        (b"no xml", "index.xml", "line 1, column 1"),
        (JOB.replace("</length>", "</lenght>", 1).encode(), "index.xml", "line 7, column 53"),
        (JOB.encode("latin-1"), "index.xml", "line 8, column 18"),
        (JOB.encode("cp500"), "index.xml", "line 1, column 3"),
        (JOB.replace("UTF-8", "klingon").encode(), "index.encoding", "line 1"),
        (b'<!DOCTYPE job SYSTEM "file:///etc/passwd"><job/>', "index.doctype", ""),
        (b'<!DOCTYPE j [<!ENTITY a "b">]><j>&a;</j>', "index.doctype", ""),
        (one(WHERE + "<a>&b;</a>"), "index.xml", "line 3, column 50"),
        (b"<job><a>1</a></job>", "index.none", "line 1"),
        (one("<a>1</a>"), "index.columns", "line 3 (document 1)"),
        (one("<offset>-1</offset><length>1</length>"), "index.number", "line 3 (document 1)"),
        (one(WHERE + "<offset>1</offset>"), "index.columns", "line 3 (document 1)"),
        (one("<file>../x</file>"), "index.path", "line 3 (document 1)"),
        (one(WHERE, "<file>/x</file>"), "index.path", "line 3 (document 1)"),
        (one(WHERE + f"<a>{'x' * 65_001}</a>"), "index.value", "line 3 (document 1)"),
        (one(WHERE, f"<a>{'x' * 65_001}</a>"), "index.value", "line 2"),
        (one(WHERE + f"<a>{'x' * 900_000}</a>"), "index.value", "line 3 (document 1)"),
        (one(WHERE + f"<a>{' ' * 900_000}x</a>"), "index.value", "line 3 (document 1)"),
        (one(WHERE + "<a>1</a>" * 2001), "index.fields", "line 3 (document 1)"),
        (one(WHERE, "<a>1</a>" * 2001), "index.fields", "line 2"),
        (one(WHERE + "<a>1</a>" * 1500, "<b>1</b>" * 600), "index.fields", "line 3 (document 1)"),
        (one(f"<document>{WHERE}</document>"), "index.nested", "line 3"),
        (one("<a>" * 60), "index.depth", "line 3"),
        (one(WHERE, after="<a>1</a>"), "index.late", "line 3"),
        (one(WHERE, after="<documentCount>2</documentCount>"), "index.count", "line 3"),
        (one(WHERE, after=f"<a>{'x' * 65_001}</a>"), "index.value", "line 3"),
        (one("".join(f"<a{n}/>" for n in range(5001))), "index.names", "line 3"),
        (one("".join(f'<a xmlns:p{n}="u"/>' for n in range(5001))), "index.names", "line 3"),
        (one("<a" + "n" * 2000 + "/>"), "index.names", "line 3"),
        (b"<job><a x='" + b"x" * 3_000_000 + b"'/></job>", "index.line", "line 1"),
        (b"<job><!--" + b"x" * 3_000_000 + b"--></job>", "index.line", "line 1"),
        (b"<j" + b"o" * 3_000_000 + b"></job>", "index.line", "line 1"),
    ],
)
def test_faults(data: bytes, code: str, place: str) -> None:
    fault = fault_of(read_xml_job, data)
    assert (fault.code, fault.place) == (code, place)


def test_bad_documents_are_skipped() -> None:
    good, bad = f"<document>{WHERE}</document>\n", "<document><offset>x</offset>{}</document>\n"
    found, skipped = skipping(
        read_xml_job,
        f"<job>\n{good}{bad.format('<length>1</length>')}{good}{bad.format('')}{good}</job>".encode(),
    )
    assert [(item.ordinal, item.place) for item in found] == [
        (1, "line 2"),
        (3, "line 4"),
        (5, "line 6"),
    ]
    assert [fault.place for fault in skipped] == ["line 3 (document 2)", "line 5 (document 4)"]


def test_a_bad_document_is_told_once() -> None:
    inner = f"<a>{'x' * 65_001}</a>" * 3
    found, skipped = skipping(read_xml_job, one(WHERE + inner))
    assert (found, len(skipped)) == ([], 1)
