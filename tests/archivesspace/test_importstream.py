"""The import's answer: believed only when it says exactly what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.archivesspace.importstream import Refused, Saved, Unknown, parse_import

RECORDED: Mapping[str, Any] = json.loads(
    (Path(__file__).parent / "recorded.json").read_text("utf-8")
)["imports"]
SAVED = ["82", "86", "92", "146", "154"]
REFUSED = ["83", "85", "87", "89", "109", "149", "150", "152", "153"]
UNIT = RECORDED["146"]


def encode(answer: object) -> bytes:
    return json.dumps(answer).encode()


@pytest.mark.parametrize("number", SAVED)
def test_recorded_success_is_believed(number: str) -> None:
    exchange = RECORDED[number]
    result = parse_import(encode(exchange["answer"]), exchange["sent"])
    assert isinstance(result, Saved)
    expected = exchange["answer"][-1]["saved"]
    assert result.uris == {temporary: uri for temporary, (uri, _) in expected.items()}


@pytest.mark.parametrize("number", REFUSED)
def test_recorded_refusal_keeps_the_servers_words(number: str) -> None:
    exchange = RECORDED[number]
    result = parse_import(encode(exchange["answer"]), exchange["sent"])
    assert isinstance(result, Refused)
    assert result.words == exchange["answer"][-1]["errors"][0]
    assert result.words not in repr(result)


def test_body_cut_at_a_record_boundary_is_not_believed() -> None:
    # Exchange 90: the server saved the first record of two and reports no error.
    answer = RECORDED["90"]["answer"]
    both = [*answer[-1]["saved"], "/repositories/2/digital_objects/import_627401"]
    assert isinstance(parse_import(encode(answer), both), Unknown)


def test_records_with_the_same_temporary_uri_are_counted_once() -> None:
    # Exchange 88: the server drops the second without a word; so may we not send such.
    exchange = RECORDED["88"]
    assert isinstance(parse_import(encode(exchange["answer"]), exchange["sent"]), Saved)


def test_every_cut_of_an_answer_is_unknown() -> None:
    body = encode(UNIT["answer"])
    for end in range(len(body)):
        assert isinstance(parse_import(body[:end], UNIT["sent"]), Unknown), end


def changed(**last: object) -> bytes:
    return encode([*UNIT["answer"][:-1], last])


FIRST = UNIT["sent"][0]
GOOD = UNIT["answer"][-1]["saved"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'[{"saved":NaN}]',
        b'[{"saved":{}}] trailing',
        encode(UNIT["answer"][:-1]),
        encode([*UNIT["answer"], {"status": []}]),
        encode([*UNIT["answer"], UNIT["answer"][-1]]),
        changed(saved=[]),
        changed(saved={}),
        changed(saved=None),
        changed(saved=[], errors=[]),
        changed(saved=[], errors="text"),
        changed(saved=[], errors=[1]),
        changed(saved=False, errors=["Server error: x"]),
        changed(saved=GOOD, errors=["Server error: x"]),
        changed(saved=GOOD, errors=None),
        changed(saved={**GOOD, "/repositories/2/digital_objects/import_ff": ["/x/1", 1]}),
        changed(saved={key: value for key, value in GOOD.items() if key != FIRST}),
        changed(saved={**GOOD, FIRST: None}),
        changed(saved={**GOOD, FIRST: ["/repositories/2/digital_objects/16"]}),
        changed(saved={**GOOD, FIRST: ["/repositories/2/digital_objects/16", "16"]}),
        changed(saved={**GOOD, FIRST: ["/repositories/2/digital_objects/16", 17]}),
        changed(saved={**GOOD, FIRST: ["/repositories/2/digital_objects/0", 0]}),
        changed(saved={**GOOD, FIRST: ["/repositories/2/digital_objects/True", True]}),
        changed(saved={**GOOD, FIRST: ["/repositories/3/digital_objects/16", 16]}),
        changed(saved={**GOOD, FIRST: ["/repositories/2/archival_objects/16", 16]}),
        changed(saved={**GOOD, FIRST: ["/repositories/2/digital_objects/17", 17]}),  # twice
        encode(UNIT["answer"]).replace(b'{"saved"', b'{"saved": {}, "saved"'),
    ],
)
def test_anything_else_proves_nothing(body: bytes) -> None:
    result = parse_import(body, UNIT["sent"])
    assert isinstance(result, Unknown)
    assert result.why


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["saved", "errors"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["saved", "errors", "status", FIRST]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(json_values, max_size=4))
def test_no_json_is_taken_for_success(answer: list[object]) -> None:
    assert not isinstance(parse_import(encode(answer), UNIT["sent"]), Saved)


@given(st.binary())
def test_no_bytes_raise(body: bytes) -> None:
    assert isinstance(parse_import(body, UNIT["sent"]), Unknown)


@given(st.data())
def test_changed_byte_never_makes_another_uri_of_a_record(data: st.DataObject) -> None:
    body = bytearray(encode(UNIT["answer"]))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255))
    result = parse_import(bytes(body), UNIT["sent"])
    if isinstance(result, Saved):
        assert result.uris.keys() == set(UNIT["sent"])
        for temporary, uri in result.uris.items():
            assert uri.rpartition("/")[0] == temporary.rpartition("/")[0]
