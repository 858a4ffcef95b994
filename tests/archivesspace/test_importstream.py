"""The import's answer: believed only when it says exactly what was sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.archivesspace.importstream import Refused, Saved, Unknown, parse_import
from tests.support import recorded

SAVED = [82, 86, 92, 146, 154]
REFUSED = [83, 85, 87, 109, 149, 150, 152, 153]
ANSWER = recorded.answered(146)
SENT = [record["uri"] for record in recorded.sent(146)]


def encode(answer: object) -> bytes:
    return json.dumps(answer).encode()


@pytest.mark.parametrize("number", SAVED)
def test_recorded_success_is_believed(number: int) -> None:
    answer = recorded.answered(number)
    result = parse_import(encode(answer), [record["uri"] for record in recorded.sent(number)])
    assert isinstance(result, Saved)
    expected = answer[-1]["saved"]
    assert result.uris == {temporary: uri for temporary, (uri, _) in expected.items()}


@pytest.mark.parametrize("number", REFUSED)
def test_recorded_refusal_keeps_the_servers_words(number: int) -> None:
    answer = recorded.answered(number)
    result = parse_import(encode(answer), [record["uri"] for record in recorded.sent(number)])
    assert isinstance(result, Refused)
    assert result.words == answer[-1]["errors"][0]
    assert result.words not in repr(result)


def test_body_cut_at_a_record_boundary_is_not_believed() -> None:
    # Exchange 90: the server saved the first record of two and reports no error.
    answer = recorded.answered(90)
    both = [*answer[-1]["saved"], "/repositories/2/digital_objects/import_627401"]
    assert isinstance(parse_import(encode(answer), both), Unknown)


def test_records_with_the_same_temporary_uri_are_counted_once() -> None:
    # Exchange 88: the server drops the second without a word; so may we not send such.
    uris = [record["uri"] for record in recorded.sent(88)]
    assert len(uris) == 2
    assert isinstance(parse_import(encode(recorded.answered(88)), uris), Saved)


def test_body_that_was_no_json_is_refused_as_a_whole() -> None:
    assert isinstance(parse_import(encode(recorded.answered(89)), SENT), Refused)


def test_every_cut_of_an_answer_is_unknown() -> None:
    body = encode(ANSWER)
    for end in range(len(body)):
        assert isinstance(parse_import(body[:end], SENT), Unknown), end


def changed(**last: object) -> bytes:
    return encode([*ANSWER[:-1], last])


FIRST = SENT[0]
GOOD = ANSWER[-1]["saved"]


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
        encode(ANSWER[:-1]),
        encode([*ANSWER, {"status": []}]),
        encode([*ANSWER, ANSWER[-1]]),
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
        encode(ANSWER).replace(b'{"saved"', b'{"saved": {}, "saved"'),
    ],
)
def test_anything_else_proves_nothing(body: bytes) -> None:
    result = parse_import(body, SENT)
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
    assert not isinstance(parse_import(encode(answer), SENT), Saved)


@given(st.binary())
def test_no_bytes_raise(body: bytes) -> None:
    assert isinstance(parse_import(body, SENT), Unknown)


@given(st.data())
def test_changed_byte_never_makes_another_uri_of_a_record(data: st.DataObject) -> None:
    body = bytearray(encode(ANSWER))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255))
    result = parse_import(bytes(body), SENT)
    if isinstance(result, Saved):
        assert result.uris.keys() == set(SENT)
        for temporary, uri in result.uris.items():
            assert uri.rpartition("/")[0] == temporary.rpartition("/")[0]
