"""Sidecars: what they say, which one counts, and everything that is wrong, at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.profiles import FolderProfile, Rules, SeriesProfile, Vocabularies
from hotfolder.core.records import Document, Inspection, Reading
from hotfolder.core.references import references_of
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger
from hotfolder.sidecars.interpretation import interpret
from tests.support.journals import make_row

NAME = b"Q_STATEMENT_1.pdf"
SHA = "ab" * 32
GOOD = {
    "customer_id": "C-1",
    "document_type": "statement",
    "issue_date": "2024-02-29",
    "retention_class": "FIN-7Y",
}
RULES = Rules(
    series=(
        SeriesProfile(
            code="STMT",
            title="Statements",
            document_types=("statement", "Bill"),
            required=("customer_id", "document_type", "issue_date"),
            key=("customer_id", "document_type", "issue_date"),
        ),
        SeriesProfile(code="POL", title="Policies", document_types=("policy",), cycle="quarter"),
    ),
    business_units=(),
    retention_classes={
        "FIN-7Y": RetentionClass(
            code="FIN-7Y",
            title="Finance",
            trigger=RetentionTrigger.ISSUE_DATE,
            period=Period(years=7),
        ),
        "POL-10Y": RetentionClass(
            code="POL-10Y",
            title="Policies",
            trigger=RetentionTrigger.EVENT,
            period=Period(years=10),
        ),
    },
    vocabularies=Vocabularies(channel=("print", "email")),
)
PROFILE = FolderProfile(name="hot", path="/hot", business_unit="RETAIL")
WHOLE = Inspection(format_name="pdf", media_type="application/pdf", pages=2)


def read(
    *sidecars: tuple[bytes, bytes],
    shared: Sequence[tuple[bytes, bytes]] = (),
    profile: FolderProfile = PROFILE,
    inspection: Inspection = WHOLE,
    name: bytes = NAME,
    rules: Rules = RULES,
) -> Reading:
    row = replace(make_row(1), name=name, folder="hot", business_unit="RETAIL")
    return interpret(
        spool=row,
        profile=profile,
        rules=rules,
        sha256=SHA,
        size=1000,
        inspection=inspection,
        sidecars=sidecars,
        shared=shared,
        received_on=date(2026, 10, 1),
    )


def document(*sidecars: tuple[bytes, bytes], **given: object) -> Document:
    (found,) = read(*sidecars, **given).documents  # type: ignore[arg-type]
    return found


def faults(*sidecars: tuple[bytes, bytes], **given: object) -> list[Fault]:
    with pytest.raises(InputFault) as caught:
        read(*sidecars, **given)  # type: ignore[arg-type]
    for fault in caught.value.faults:
        assert fault.code
        assert fault.message
        assert fault.remedy
        assert fault.file
    return list(caught.value.faults)


def codes(*sidecars: tuple[bytes, bytes], **given: object) -> list[str]:
    return [fault.code for fault in faults(*sidecars, **given)]


def as_json(**fields: object) -> tuple[bytes, bytes]:
    return NAME + b".json", json.dumps({**GOOD, **fields}).encode()


def as_xml(body: str) -> tuple[bytes, bytes]:
    return NAME + b".xml", body.encode()


# -- what they say --------------------------------------------------------------------
def test_json_becomes_a_document() -> None:
    found = document(as_json(case_refs=["A", "B", "A"], Channel="EMAIL", branch="12", n=[1, 2.50]))
    metadata = found.metadata
    assert (metadata.customer_id, metadata.channel) == ("C-1", "email")
    assert metadata.case_refs == ("A", "B")
    assert metadata.issue_date == date(2024, 2, 29)
    # What nobody knows is kept as it was written, numbers too.
    assert metadata.extra == {"branch": ("12",), "n": ("1", "2.5")}
    assert (found.series, found.cycle) == ("STMT", "2024-02")
    assert found.retain_until == date(2031, 2, 28)
    assert found.title == "Statement 2024-02-29"
    assert (found.range.length, found.range.pages, found.range.sha256) == (1000, 2, SHA)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Case Number", "case_refs"),
        ("claimId", "claim_refs"),
        ("Dispute", "dispute_refs"),
        ("policy-change", "change_refs"),
        ("change_refs", "change_refs"),
    ],
)
def test_references_are_of_several_kinds(name: str, field: str) -> None:
    metadata = document(as_json(**{name: ["R-1; R-2", "R-3"]})).metadata
    assert getattr(metadata, field) == ("R-1", "R-2", "R-3")
    assert list(references_of(metadata)) == [
        (field.removesuffix("_refs"), reference) for reference in ("R-1", "R-2", "R-3")
    ]


def test_a_claim_makes_the_key_that_it_made_as_a_case_reference() -> None:
    """What came again after an upgrade must not be another document."""
    rules = replace(
        RULES, series=(replace(RULES.series[0], key=("case_refs",), required=("case_refs",)),)
    )
    as_case = document(as_json(case_refs=["K-2", "K-1"]), rules=rules)
    mixed = document(as_json(claim="K-1", dispute="K-2"), rules=rules)
    assert mixed.identity == as_case.identity
    assert mixed.metadata.case_refs == ()


@pytest.mark.parametrize(
    "name", ["CustomerID", "customer-id", "CUSTOMER_ID", "customer id", "Customer", "customerId"]
)
def test_names_are_known_however_they_are_written(name: str) -> None:
    fields = {**GOOD, name: "C-9"}
    if name != "customer_id":
        del fields["customer_id"]
    found = document((NAME + b".json", json.dumps(fields).encode()))
    assert found.metadata.customer_id == "C-9"


@pytest.mark.parametrize(
    "body",
    [
        (
            "<r><entity>E</entity><ACL>all</ACL><attrs>"
            "<attr name='customer_id' value='C-1'/><attr name='document_type' value='statement'/>"
            "<attr name='issue_date' value='2024-02-29'/></attrs></r>"
        ),
        (
            "<r><entity>E</entity><ACL>all</ACL><attr><customer_id>C-1</customer_id>"
            "<document_type>statement</document_type><issue_date>2024-02-29</issue_date></attr></r>"
        ),
        (
            "<r><entity>E</entity><ACL>all</ACL>"
            "<attr><name>customer_id</name><value>C-1</value></attr>"
            "<attr><name>document_type</name><value>statement</value></attr>"
            "<attr><name>issue_date</name><value>2024-02-29</value></attr></r>"
        ),
        (
            "<d:doc xmlns:d='urn:x'><d:customer_id>C-1</d:customer_id>"
            "<d:document_type>statement</d:document_type><d:issue_date>2024-02-29</d:issue_date></d:doc>"
        ),
        (
            "<doc customer_id='C-1'><document_type>statement</document_type>"
            "<issue_date>2024-02-29</issue_date></doc>"
        ),
    ],
    ids=["named", "children", "name and value", "namespace", "attributes"],
)
def test_xml_of_every_shape_says_the_same(body: str) -> None:
    found = document(as_xml(body)).metadata
    assert (found.customer_id, found.document_type) == ("C-1", "statement")
    assert found.issue_date == date(2024, 2, 29)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_has_a_row_for_the_spool(separator: str, end: str) -> None:
    lines = [
        ["filename", "customer_id", "document_type", "issue_date", "note"],
        ["other.pdf", "C-2", "statement", "2024-01-01", ""],
        [NAME.decode(), "C-1", "statement", "2024-02-29", '"a, b; c"'],
    ]
    table = end.join(separator.join(line) for line in lines) + end
    found = document(shared=[(b"metadata.csv", b"\xef\xbb\xbf" + table.encode())])
    assert found.metadata.customer_id == "C-1"
    assert found.metadata.extra == {"note": ("a, b; c",)}


def test_manual_drops_need_no_sidecar() -> None:
    profile = replace(
        PROFILE,
        manual=True,
        sidecar_required=False,
        defaults={"document_type": "policy", "retention_class": "POL-10Y"},
    )
    found = document(profile=profile)
    assert found.metadata.issue_date == date(2026, 10, 1)
    assert found.cycle == "2026-Q4"
    assert found.retain_until is None  # no event, no clock


# -- which one counts -------------------------------------------------------------------
def test_the_sidecar_counts_more_than_the_table_and_the_table_more_than_defaults() -> None:
    table = f"filename,customer_id,channel\n{NAME.decode()},C-2,print\n".encode()
    profile = replace(PROFILE, defaults={"channel": "email", "language": "deu"})
    reading = read(as_json(), shared=[(b"metadata.csv", table)], profile=profile)
    metadata = next(iter(reading.documents)).metadata
    assert (metadata.customer_id, metadata.channel, metadata.language) == ("C-1", "print", "deu")
    # A contradiction between two who describe is told; overriding a default is not.
    assert [warning.code for warning in reading.warnings] == ["sidecar.conflict"]


def test_a_folders_own_map_comes_first() -> None:
    profile = replace(PROFILE, field_map={"KdNr": "customer_id", "channel": "-"})
    fields = {**GOOD, "KDNR": "C-7", "channel": "pigeon"}
    del fields["customer_id"]
    found = document((NAME + b".json", json.dumps(fields).encode()), profile=profile).metadata
    assert found.customer_id == "C-7"
    assert found.channel is None
    assert found.extra == {"channel": ("pigeon",)}


# -- what is wrong ------------------------------------------------------------------------
def test_everything_that_is_wrong_is_told_at_once() -> None:
    broken = replace(WHOLE, fault=Fault(code="pdf.truncated", message="cut", remedy="again"))
    found = faults(
        as_json(
            customer_id="",
            issue_date="31.02.2024",
            channel="pigeon",
            retention_class="FOREVER",
            size=999,
            sha256="cd" * 32,
            title="a\u0007b",
        ),
        inspection=broken,
    )
    assert {fault.code for fault in found} == {
        "pdf.truncated",
        "field.date",
        "field.control",
        "field.missing",
        "vocabulary.channel",
        "vocabulary.retention_class",
        "fixity.size",
        "fixity.checksum",
    }


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b'{"a": 1,}', "sidecar.json", "line 1, column 9"),
        (b'{"a": 1\n', "sidecar.json", "line 2, column 1"),
        (b'{"a": 1, "a": 2}', "sidecar.twice", "a"),
        (b'{"o": {"b": 1, "b": 2}}', "sidecar.twice", "b"),
        (b"[1, 2]", "sidecar.json", ""),
        (b"", "sidecar.json", "line 1, column 1"),
        (b'{"a": "\xff"}', "sidecar.encoding", "byte 7"),
        ('{"a": "b"}'.encode("utf-16"), "sidecar.encoding", "byte 0"),
        (b"[" * 100_000, "sidecar.depth", ""),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "sidecar.depth", ""),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "sidecar.value", "a"),
        (json.dumps({f"f{n}": n for n in range(3000)}).encode(), "sidecar.fields", ""),
        (b" " * (17 << 20), "sidecar.size", ""),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_json_that_is_none(data: bytes, code: str, place: str) -> None:
    fault = faults((NAME + b".json", data))[0]
    assert (fault.code, fault.place) == (code, place)
    assert fault.file == NAME.decode() + ".json"


@pytest.mark.parametrize("number", ["1e400", "NaN", "-Infinity", "9" * 5000])
def test_numbers_are_kept_as_they_are_written(number: str) -> None:
    name, data = as_json()
    found = document((name, data[:-1] + f', "amount": {number}}}'.encode()))
    assert found.metadata.extra["amount"] == (number,)


_BOMB = (
    "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><x><customer_id>&c;</customer_id></x>"
)
_OUTSIDE = (
    "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x><customer_id>&a;</customer_id></x>"
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<x><a></x>", "sidecar.xml"),
        ("", "sidecar.xml"),
        (_BOMB, "sidecar.doctype"),
        (_OUTSIDE, "sidecar.doctype"),
        ("<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'><x/>", "sidecar.doctype"),
        ("<a>" * 3000 + "</a>" * 3000, "sidecar.depth"),
        ("<x>" + "<a/>" * 30_000 + "</x>", "sidecar.depth"),
        ("<x><attr name='a' value='b'/></x>", "sidecar.element"),
        ("<x><entity>E</entity><ACL>a</ACL><attr><value>b</value></attr></x>", "sidecar.element"),
        ("<?xml version='1.0' encoding='no-such'?><x/>", "sidecar.xml"),
    ],
    ids=lambda value: value[:24],
)
def test_xml_that_is_none(body: str, code: str) -> None:
    assert faults(as_xml(body))[0].code == code


def test_both_mandatory_elements_are_asked_for_at_once() -> None:
    found = faults(as_xml("<x><attr name='a' value='b'/></x>"))
    assert [fault.place for fault in found if fault.code == "sidecar.element"] == ["entity", "ACL"]


@pytest.mark.parametrize(
    ("table", "code", "place"),
    [
        ("name,customer_id\na,b\n", "sidecar.csv", "line 1"),
        ('filename,a\nx.pdf,"b\n', "sidecar.csv", "line 2"),
        (f"filename,a\n{NAME.decode()},1\nx,2\n{NAME.decode()},3\n", "sidecar.twice", "line 4"),
        (f"filename,a\n{NAME.decode()},1,2\n", "sidecar.csv", "line 2"),
        ("", "sidecar.csv", "line 1"),
        ("filename\n" + "x" * 200_000 + "\n", "sidecar.csv", "line 2"),
    ],
    ids=["no column", "open quote", "two rows", "too many values", "empty", "huge field"],
)
def test_tables_that_are_none(table: str, code: str, place: str) -> None:
    fault = faults(shared=[(b"metadata.csv", table.encode())])[0]
    assert (fault.code, fault.place, fault.file) == (code, place, "metadata.csv")


def test_a_table_without_a_row_for_it_describes_nothing() -> None:
    assert codes(shared=[(b"metadata.csv", b"filename,a\nother.pdf,1\n")]) == [
        "sidecar.missing",
        "field.missing",
    ]


def test_no_sidecar_is_told_with_the_name_that_it_should_have() -> None:
    found = faults()
    assert [fault.code for fault in found] == ["sidecar.missing", "field.missing"]
    assert NAME.decode() + ".json" in found[0].remedy


@pytest.mark.parametrize(
    "text", ["2024-02-30", "30.02.2024", "01/02/2024", "yesterday", "2024-2", "00000000", "1e9"]
)
def test_dates_that_cannot_be_read_in_one_way(text: str) -> None:
    assert codes(as_json(issue_date=text)) == ["field.date"]


@pytest.mark.parametrize("text", ["2024-02-29", "20240229", "2024-02-29T23:59:59Z"])
def test_dates_that_can(text: str) -> None:
    assert document(as_json(issue_date=text)).metadata.issue_date == date(2024, 2, 29)


def test_a_retention_past_all_calendars_is_told() -> None:
    (fault,) = faults(as_json(issue_date="9999-12-31"))
    assert (fault.code, fault.place) == ("field.date", "issue_date")


def test_faults_quote_no_customer() -> None:
    values = {
        "customer_id": "SECRET-ID" * 60,
        "customer_name": "SECRET-NAME\u0000",
        "account_number": ["SECRET-1", "SECRET-2"],
        "issue_date": "SECRET-DATE",
        "size": "SECRET-SIZE",
        "sha256": "SECRET-SUM",
    }
    for fault in faults(as_json(**values)):
        assert "SECRET" not in str(fault), fault
    for data in (b'{"customer_id": "SECRET', b'{"customer_id": SECRET}'):
        assert "SECRET" not in str(faults((NAME + b".json", data))[0])
    assert "SECRET" not in str(faults(as_xml("<x><customer_id>SECRET</x>"))[0])


# -- same, again, changed -------------------------------------------------------------------
def test_the_key_tells_a_version_from_another_document() -> None:
    one, changed = document(as_json()), document(as_json(title="Corrected"))
    assert one.identity == changed.identity
    other = document(as_json(customer_id="C-2"))
    assert other.business_key != one.business_key
    # Whatever the folder or the file is called.
    moved = document((b"other.pdf.json", as_json()[1]), name=b"other.pdf")
    assert moved.identity == one.identity


def test_without_a_telling_key_the_bytes_are_part_of_it() -> None:
    profile = replace(PROFILE, manual=True, sidecar_required=False)
    profile = replace(profile, defaults={"document_type": "policy"})
    row = replace(make_row(1), name=NAME, folder="hot")
    keys = {
        document.business_key
        for sha256 in ("ab" * 32, "cd" * 32)
        for document in interpret(
            spool=row,
            profile=profile,
            rules=RULES,
            sha256=sha256,
            size=1000,
            inspection=WHOLE,
            sidecars=(),
            shared=(),
            received_on=date(2026, 10, 1),
        ).documents
    }
    assert len(keys) == 2
