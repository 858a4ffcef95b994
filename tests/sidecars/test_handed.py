"""Metadata that is handed out, as the readers of this house read it back."""

from __future__ import annotations

import io
import json
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from hotfolder.core.profiles import HandedFormat
from hotfolder.indexes.cmod import MAX_GROUP_FIELDS, read_cmod
from hotfolder.sidecars.handed import render_handed
from hotfolder.sidecars.xmlpair import read_xml

TEXTS = st.text(max_size=60)


def record(metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "identity": "hf-" + "0" * 64,
        "title": "Statement",
        "series": "STMT",
        "cycle": "2026-06",
        "record": None,
        "metadata": metadata,
        "given": {"at": "2026-06-30T00:00:00Z", "form": "exact", "derived": False, "bytes": 10},
        "spool": {"format": "pdf"},
    }


METADATA = st.fixed_dictionaries(
    {"document_type": TEXTS, "customer_name": TEXTS, "case_refs": st.lists(TEXTS, max_size=4)},
    optional={"extra": st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2), max_size=10)},
)


@example({"document_type": "", "customer_name": "", "case_refs": [], "extra": {" ": ["x"]}})
@given(METADATA)
def test_xml_is_read_back(metadata: dict[str, Any]) -> None:
    data = render_handed(record(metadata), HandedFormat.XML, "a.pdf")
    found = read_xml(data, "a.pdf.xml")
    told = {(field.name, field.value) for field in found.fields}
    assert ("identity", "hf-" + "0" * 64) in told
    name = metadata["customer_name"]
    if name.strip() and re.fullmatch(r"[ -~]*", name):
        assert ("customer_name", name.strip()) in told


@given(METADATA)
def test_a_generic_index_is_read_back(metadata: dict[str, Any]) -> None:
    data = render_handed(record(metadata), HandedFormat.CMOD, "a-7.pdf")
    (found,) = read_cmod(io.BytesIO(data), "a-7.pdf.ind")
    told = dict(found.fields)
    assert told["identity"] == "hf-" + "0" * 64
    name = metadata["customer_name"]
    if name.strip() and re.fullmatch(r"[ -~]*", name):
        assert told["customer_name"] == name.strip()


def test_a_generic_index_says_what_it_cannot_hold() -> None:
    extra = {f"field {number}": ["x"] for number in range(200)}
    data = render_handed(record({"extra": extra}), HandedFormat.CMOD, "a.pdf")
    (found,) = read_cmod(io.BytesIO(data), "a.pdf.ind")
    assert len(found.fields) == MAX_GROUP_FIELDS
    left = 200 + 8 - MAX_GROUP_FIELDS
    assert f"COMMENT: {left} fields are left out" in data.decode()


@given(METADATA)
def test_json_is_exact(metadata: dict[str, Any]) -> None:
    data = render_handed(record(metadata), HandedFormat.JSON, "a.pdf")
    assert json.loads(data) == record(metadata)
