"""Metadata as headers: nothing in it can end one, and all of it can be read again."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from hotfolder.returns.headers import KEY, LEFT_OUT, encode_value, headers_of

TEXTS = st.text(max_size=400)
NAMES = st.text(max_size=60)


def record(metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "identity": "hf-" + "0" * 64,
        "business_unit": "RETAIL",
        "metadata": metadata,
        "given": {"bytes": 10, "sha256": "0" * 64, "derived": False, "form": "exact"},
        "spool": {"format": "pdf"},
    }


@given(st.text().filter(lambda text: not re.search("[\ud800-\udfff]", text)))
def test_a_value_comes_back(text: str) -> None:
    sent = encode_value(text)
    assert re.fullmatch(r"[!-~]*", sent)
    assert unquote(sent) == text


@given(
    st.dictionaries(st.sampled_from(["document_type", "customer_id", "tracker_id"]), TEXTS),
    st.lists(TEXTS, max_size=5),
    st.dictionaries(NAMES, st.lists(TEXTS, max_size=3), max_size=100),
)
def test_headers_are_headers(
    fields: dict[str, str], cases: list[str], extra: dict[str, list[str]]
) -> None:
    metadata = {**fields, "case_refs": cases, "extra": extra}
    found = headers_of("k1", record(metadata))
    for name, value in found:
        # RFC 9110, sections 5.1 and 5.5
        assert re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name)
        assert re.fullmatch(r"[!-~]*", value)
    names = [name for name, _ in found]
    assert len(set(names)) == len(names)
    assert found[0] == (KEY, "k1")
    assert sum(len(name) + len(value) + 4 for name, value in found) < 17_000
    told = dict(found)
    if fields.get("document_type") and LEFT_OUT not in told:
        assert unquote(told["strs-document-type"]) == fields["document_type"] or re.search(
            "[\ud800-\udfff]", fields["document_type"]
        )


def test_what_communications_server_takes() -> None:
    metadata = {
        "document_type": "statement",
        "customer_id": "C1\r\nX-Evil: 1",
        "tracker_id": "T 7",
        "case_refs": ["K,1", "K2"],
        "extra": {"Kunden Nr\r\n": ["ä"]},
    }
    told = dict(headers_of("k", record(metadata)))
    assert told["strs-document-type"] == "statement"
    assert told["FixedMetaData.Receiver"] == "C1%0D%0AX-Evil:%201"
    assert told["Part.TrackerID"] == "T%207"
    assert told["strs-document-metadata-case_refs"] == "K%2C1,K2"
    assert told["strs-document-metadata-kunden-nr"] == "%C3%A4"
    assert told["FixedMetaData.ExternalID"].startswith("hf-")


def test_what_does_not_fit_is_counted() -> None:
    extra = {f"n{number}": ["x" * 1900] for number in range(20)} | {"long": ["y" * 3000]}
    told = dict(headers_of("k", record({"document_type": "bill", "extra": extra})))
    assert told["strs-document-type"] == "bill"
    kept = [name for name in told if name.startswith("strs-document-metadata-n")]
    assert int(told[LEFT_OUT]) == 21 - len(kept)
