"""Request files: what they ask for, and what is wrong with them."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.errors import InputFault
from hotfolder.core.query import DocumentQuery
from hotfolder.core.requestfile import MAX_BYTES, MAX_LINES, is_whole, read_request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["id", "documents", "reason", "customer", "from", "text"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def codes(data: bytes, name: bytes = b"a.json") -> list[str]:
    with pytest.raises(InputFault) as caught:
        read_request(data, name)
    assert all(fault.remedy for fault in caught.value.faults)
    return [fault.code for fault in caught.value.faults]


def test_ids_and_criteria() -> None:
    data = json.dumps(
        {
            "reason": "dispute 7",
            "documents": [
                "hf-1",
                {"id": " hf-2 "},
                {"customer": "C1", "from": "2026-01-01", "to": "2026-06-30", "text": "two words"},
                {"account": "A", "type": "bill", "case": "Claim:K-1"},
            ],
        }
    ).encode()
    found = read_request(b"\xef\xbb\xbf" + data, b"x/Ask.JSON")
    assert found.reason == "dispute 7"
    assert [line.id for line in found.lines] == ["hf-1", "hf-2", "", ""]
    assert found.lines[2].query == DocumentQuery(
        customer_id="C1",
        issued_from=date(2026, 1, 1),
        issued_to=date(2026, 6, 30),
        words=("two", "words"),
    )
    assert found.lines[2].asked == "customer, from, to, text", "names, never values"
    assert found.lines[3].query == DocumentQuery(
        account_number="A", document_type="bill", case_ref="K-1", case_kind="claim"
    )


def test_the_same_as_csv() -> None:
    data = b'ID;Customer;from\r\nhf-1;;\r\n;"C;1";2026-01-01\r\n;;\r\n'
    found = read_request(data, b"a.csv")
    assert [(line.number, line.id) for line in found.lines] == [(2, "hf-1"), (3, "")]
    assert found.lines[1].query == DocumentQuery(customer_id="C;1", issued_from=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "request.json"),
        (b"{", "request.json"),
        (b"[" * 100_000, "request.json"),
        (b"7" * 500_000, "request.shape"),
        (b'"hf-1"', "request.shape"),
        (b"{}", "request.shape"),
        (b"[]", "request.empty"),
        (b"[1]", "request.line"),
        (b"[{}]", "request.line"),
        (b'[""]', "request.line"),
        (b'["a\\nb"]', "request.line"),
        (b'["\\ud800"]', "request.line"),
        (b'[{"id": "a", "customer": "b"}]', "request.line"),
        (b'[{"name": "a"}]', "request.line"),
        (b'[{"from": "30.6.2026"}]', "request.date"),
        (b'[{"id": "a", "id": "b"}]', "request.key"),
        (b'{"documents": ["a"], "to": "x"}', "request.key"),
        (b'{"documents": ["a"], "reason": 7}', "request.reason"),
        (b"\xff\xfe[", "request.encoding"),
        (b" " * (MAX_BYTES + 1), "request.size"),
        (b"[" + b'"a",' * MAX_LINES + b'"a"]', "request.lines"),
    ],
)
def test_what_is_wrong_with_json(data: bytes, code: str) -> None:
    assert code in codes(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "request.empty"),
        (b"id\n", "request.empty"),
        (b"name\nx\n", "request.columns"),
        (b"id,id\nx,y\n", "request.columns"),
        (b"id\nx,y\n", "request.csv"),
        (b'id\n"x\n', "request.csv"),
        (b"id\n\0\n", "request.csv"),
        (b"id,customer\nx,y\n", "request.line"),
        (b"from\nyesterday\n", "request.date"),
        (b"id\n" + b"x\n" * (MAX_LINES + 1), "request.lines"),
    ],
)
def test_what_is_wrong_with_csv(data: bytes, code: str) -> None:
    assert code in codes(data, b"a.csv")


def test_another_name_is_no_request() -> None:
    assert codes(b'["a"]', b"a.txt") == ["request.name"]


def test_faults_quote_no_value() -> None:
    secret = "C-4711-secret"
    for data, name in (
        (json.dumps([{"from": secret}]).encode(), b"a.json"),
        (json.dumps([{"customer": secret + "\n"}]).encode(), b"a.json"),
        (f"from\n{secret}\n".encode(), b"a.csv"),
        (f"id\n{secret},{secret}\n".encode(), b"a.csv"),
    ):
        with pytest.raises(InputFault) as caught:
            read_request(data, name)
        assert secret not in repr(caught.value.faults)


@given(JSON)
def test_any_json_is_a_request_or_has_faults(value: object) -> None:
    data = json.dumps(value).encode()
    assert is_whole(data, b"a.json")
    with suppress(InputFault):
        found = read_request(data, b"a.json")
        assert all(bool(line.id) != (line.query is not None) for line in found.lines)


@given(st.binary(max_size=300), st.sampled_from([b"a.json", b"a.csv"]))
def test_any_bytes_are_a_request_or_have_faults(data: bytes, name: bytes) -> None:
    is_whole(data, name)
    with suppress(InputFault):
        read_request(data, name)


def test_json_shows_its_end_and_csv_does_not() -> None:
    data = b'{"documents": ["a"]}'
    assert is_whole(data, b"a.json")
    assert not any(is_whole(data[:cut], b"a.json") for cut in range(len(data)))
    assert not is_whole(b"id\nx\n", b"a.csv")
