"""The generator's sidecars say what the communication says, and the readers agree."""

from __future__ import annotations

import json

import pytest

from hotfolder.sandbox.communications import DOCUMENT_TYPES, make_communication
from hotfolder.sandbox.sidecarwriter import (
    Fields,
    SidecarKind,
    fields_of,
    write_csv,
    write_json,
    write_sidecar,
    write_xml,
)
from hotfolder.sidecars.csvtable import read_csv
from hotfolder.sidecars.jsonpair import read_json
from hotfolder.sidecars.raw import RawMetadata
from hotfolder.sidecars.xmlpair import read_xml

_NUMBERS = range(40)


def _expected(fields: Fields) -> dict[str, list[str]]:
    return {
        name: [str(item) for item in (value if isinstance(value, list) else [value])]
        for name, value in fields.items()
        if value != ""
    }


def _read(found: RawMetadata) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for item in found.fields:
        values.setdefault(item.name, []).append(item.value)
    return values


@pytest.mark.parametrize("number", _NUMBERS)
def test_json_says_what_the_communication_says(number: int) -> None:
    fields = fields_of(make_communication(3, number))
    data = write_json(fields)
    assert json.loads(data) == fields
    assert _read(read_json(data, "x.pdf.json")) == _expected(fields)


@pytest.mark.parametrize("kind", [SidecarKind.XML, SidecarKind.XML_PAIRS])
@pytest.mark.parametrize("number", _NUMBERS)
def test_descriptor_says_what_the_communication_says(number: int, kind: SidecarKind) -> None:
    fields = fields_of(make_communication(3, number))
    found = _read(read_xml(write_sidecar(kind, fields), "x.pdf.xml"))
    assert found.pop("entity") == [fields["document_type"].capitalize()]
    assert found.pop("access")[0].startswith("CustomerOutput")
    assert found == _expected(fields)


def test_descriptor_survives_what_people_write_into_titles() -> None:
    title = 'a <b>&amp; "c" ]]> d'
    found = _read(read_xml(write_xml({"title": title, "channel": "print"}), "x.xml"))
    assert found["title"] == [title]


def test_descriptor_refuses_a_name_that_is_no_element() -> None:
    with pytest.raises(ValueError, match="element"):
        write_xml({"customer id": "C1"})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_table_has_a_row_for_each_file(delimiter: str) -> None:
    rows = [(f"doc-{number}.pdf", fields_of(make_communication(3, number))) for number in _NUMBERS]
    assert max(len(fields.get("case_refs", [])) for _, fields in rows) == 2
    table = write_csv(rows, delimiter=delimiter)
    for filename, fields in rows:
        row = read_csv(table, "metadata.csv", filename.encode())
        assert row is not None
        assert _read(row) == _expected(fields)
    assert read_csv(table, "metadata.csv", b"doc-99.pdf") is None


def test_every_type_of_document_is_described() -> None:
    kinds = {fields_of(make_communication(3, number))["document_type"] for number in range(200)}
    assert kinds == set(DOCUMENT_TYPES)
