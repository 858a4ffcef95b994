"""Files of events: taken whole or not at all, and every fault is named."""

from __future__ import annotations

import csv
import io
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.clocks import NewEvent
from hotfolder.core.errors import InputFault
from hotfolder.core.eventfile import MAX_BYTES, read_events
from hotfolder.core.retention import Subject

KNOWN = ("contract-end", "case-closed")


def read(text: str | bytes, name: bytes = b"events.csv") -> list[NewEvent]:
    data = text.encode() if isinstance(text, str) else text
    return read_events(data, name, source="f1", actor="me", known=KNOWN)


def faults(text: str | bytes, name: bytes = b"events.csv") -> list[tuple[str, str | None]]:
    with pytest.raises(InputFault) as caught:
        read(text, name)
    return [(fault.code, fault.place) for fault in caught.value.faults]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_columns_in_any_order(separator: str, mark: str) -> None:
    lines = [
        ["Day", "KIND", "reason", "event", "subject"],
        ["2026-03-31", "Policy", "it ended", "contract-end", "P-77"],
        [],
        ["2024-02-29", "case", "", "case-closed", "C 1"],
    ]
    found = read(mark + "\r\n".join(separator.join(line) for line in lines))
    assert found == [
        NewEvent(
            kind=Subject.POLICY,
            subject="P-77",
            event="contract-end",
            day=date(2026, 3, 31),
            actor="me",
            reason="it ended",
            source="f1:2",
        ),
        NewEvent(
            kind=Subject.CASE,
            subject="C 1",
            event="case-closed",
            day=date(2024, 2, 29),
            actor="me",
            source="f1:4",
        ),
    ]


def test_every_faulty_line_is_named() -> None:
    text = "kind,subject,event,day\n" + "\n".join(
        [
            "policy,P-77,contract-end,2026-03-31",
            "police,P-77,contract-end,2026-03-31",
            "policy,,contract-end,2026-03-31",
            "policy,P-77,Contract End,2026-03-31",
            "policy,P-77,divorce,2026-03-31",
            "policy,P-77,contract-end,2026-02-29",
            "policy,P-77,contract-end,20260331",
            f"policy,{'P' * 256},contract-end,2026-03-31",
            "policy,P-\u202e77,contract-end,2026-03-31",
            "policy,P-77,contract-end,2026-03-31,more",
        ]
    )
    assert sorted(faults(text), key=lambda item: int(str(item[1])[5:])) == [
        ("events.kind", "line 3"),
        ("events.missing", "line 4"),
        ("events.event", "line 5"),
        ("events.unknown", "line 6"),
        ("events.day", "line 7"),
        ("events.day", "line 8"),
        ("events.subject", "line 9"),
        ("events.subject", "line 10"),
        ("events.csv", "line 11"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "events.empty"),
        (b"kind,subject,event,day\n", "events.empty"),
        (b"kind,subject,event,date\n", "events.columns"),
        (b"kind,subject,event,day,day\n", "events.columns"),
        (b"kind,subject\0\n", "events.csv"),
        (b'kind,subject,event,day\n"policy,P', "events.csv"),
        (b"kind,subject,event,day\npolicy,M\xfcller,contract-end,2026-03-31", "events.encoding"),
        (b"k" * (MAX_BYTES + 1), "events.size"),
        (b"kind,subject,event,day\n" + b"a,b,c,d\n" * 200_001, "events.lines"),
    ],
)
def test_what_cannot_be_read(text: bytes, code: str) -> None:
    assert [found for found, _ in faults(text)] == [code]


def test_a_name_of_another_kind() -> None:
    assert faults("x", b"events.xlsx") == [("events.name", "")]


def test_no_more_than_a_hundred_faults() -> None:
    assert len(faults("kind,subject,event,day\n" + "a,b,c,d\n" * 1000)) == 100


_TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(st.sampled_from(Subject), _TEXT, st.dates()), min_size=1, max_size=20))
def test_what_is_written_is_read(rows: list[tuple[Subject, str, date]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["kind", "subject", "event", "day"])
    for kind, subject, day in rows:
        writer.writerow([kind.value, subject, KNOWN[0], day.isoformat()])
    found = read(out.getvalue())
    assert [(event.kind, event.subject, event.day) for event in found] == [
        (kind, unicodedata.normalize("NFC", subject), day) for kind, subject, day in rows
    ]
    assert len({event.source for event in found}) == len(rows)


def test_subjects_are_spelled_as_in_the_metadata() -> None:
    (event,) = read("kind;subject;event;day\ncase;  Mu\u0308ller 7 ;case-closed;2026-03-31\n")
    assert event.subject == "M\u00fcller 7"
