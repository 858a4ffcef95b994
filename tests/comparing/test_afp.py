"""AFP documents beside one another: fields, texts, tags, resources."""

from __future__ import annotations

import io
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.comparing.afp import compare_afp
from hotfolder.comparing.afppages import AfpContent
from hotfolder.comparing.findings import Findings, Outcome, Rules
from hotfolder.core.errors import Fault, InputFault
from hotfolder.formats.window import Window
from hotfolder.indexes.afpgroups import read_afp_groups
from hotfolder.sandbox.afpwriter import (
    BDT,
    BNG,
    BPG,
    BPT,
    EDT,
    ENG,
    EPG,
    EPT,
    MCF,
    NOP,
    PTX,
    AfpShape,
    make_field,
    make_tag,
    write_afp,
)  # fmt: skip
from hotfolder.sandbox.communications import make_communication
from tests.fuzz.mutation import mutate
from tests.support.sides import side

SAMPLES = Path(__file__).parent.parent / "samples"
SPOOL = (SAMPLES / "statements-40.afp").read_bytes()
DOCUMENTS = list(read_afp_groups(io.BytesIO(SPOOL), len(SPOOL), "spool"))
MADE = write_afp([make_communication(1, 3)], AfpShape(resources=True, comment="first"))


def findings(before: bytes, after: bytes, rules: Rules | None = None) -> Findings:
    with side(before, "before.afp") as one, side(after, "after.afp") as other:
        return compare_afp(one, other, rules or Rules())


def exact(number: int) -> bytes:
    place = DOCUMENTS[number]
    assert place.offset is not None
    assert place.length is not None
    return SPOOL[place.offset : place.offset + place.length]


def fields(data: bytes) -> list[tuple[int, int]]:
    """Where each field starts and ends."""
    found, place = [], 0
    while place < len(data):
        end = place + 1 + int.from_bytes(data[place + 1 : place + 3], "big")
        found.append((place, end))
        place = end
    return found


def lines_of(data: bytes, **options: object) -> list[list[str]]:
    content = AfpContent(Window(io.BytesIO(data), len(data)), "x", code_page="500",
                         texts_ignored=False)  # fmt: skip
    return [list(page.lines) for page in content.pages(()) if page.number]


def test_a_document_of_a_spool_is_equal_to_itself_in_a_file_of_its_own() -> None:
    document = SPOOL[:17] + exact(3) + SPOOL[-17:]
    found = findings(exact(3), document)
    assert (found.outcome, found.pages) == (Outcome.EQUAL, (2, 2))
    assert not found.remarks


def test_numbers_of_the_run_in_names_and_comments_are_remarks() -> None:
    first, second = (make_communication(1, number) for number in (3, 4))
    alone = write_afp([second], AfpShape(comment="again"))
    spool = write_afp([first, second])
    place = list(read_afp_groups(io.BytesIO(spool), len(spool), "spool"))[1]
    assert place.offset is not None
    assert place.length is not None
    found = findings(spool[place.offset : place.offset + place.length], alone)
    assert found.outcome is Outcome.EQUAL
    assert [remark.what for remark in found.remarks] == ["names of pages and groups that differ"]


@given(st.data())
@settings(max_examples=60)
def test_a_change_in_any_field_is_found_and_placed(data: st.DataObject) -> None:
    whole = SPOOL[:17] + exact(3) + exact(4) + SPOOL[-17:]
    places = fields(whole)
    index = data.draw(st.integers(1, len(places) - 2))
    start, end = places[index]
    kind = int.from_bytes(whole[start + 3 : start + 6], "big")
    name = 8 if kind & 0xFE00 == 0xA800 else 0  # of a Begin or End field
    if end - start - 9 <= name:
        return
    at = data.draw(st.integers(start + 9 + name, end - 1))
    changed = whole[:at] + bytes((whole[at] ^ data.draw(st.integers(1, 255)),)) + whole[at + 1 :]
    found = findings(whole, changed)
    assert found.outcome is Outcome.DIFFERENT
    first = found.differences[0]
    assert first.what.startswith(f"first differing field, number {index}, ")
    assert f"at byte {start:,}" in first.before
    page = sum(whole[one + 3 : one + 6] == b"\xd3\xa8\xaf" for one, _ in places[: index + 1])
    numbers = [item.number for item in found.different_pages]
    before_a_page = whole[start + 3 : start + 6] in (b"\xd3\xa0\x90", b"\xd3\xa8\xad")
    assert numbers == [page + 1 if before_a_page else page]


def test_a_word_that_changed_is_told_with_its_page() -> None:
    words = "Transaction 001".encode("cp500"), "Transaction 00X".encode("cp500")
    found = findings(SPOOL, SPOOL.replace(*words, 1))
    (page,) = found.different_pages
    (change,) = page.text.listed
    assert (page.number, change.before, change.after) == (1, "001", "00X")


def test_tags_that_changed_are_told_by_name() -> None:
    value = "579409818".encode("cp500")
    found = findings(exact(3), exact(3).replace(value, value[::-1], 1))
    (page,) = found.different_pages
    told = page.differences[0]
    assert (told.what, told.before, told.after) == ("tag Account", "579409818", "818904975")


def test_a_page_that_only_one_has() -> None:
    found = findings(SPOOL, SPOOL[:17] + exact(0) + SPOOL[-17:])
    assert found.pages == (101, DOCUMENTS[0].pages)
    assert found.pages_different == 101 - (DOCUMENTS[0].pages or 0)
    assert {page.only_in for page in found.different_pages} == {"archived"}


def test_resources_are_compared_where_both_bring_them_along() -> None:
    other = MADE.replace("STANDARD".encode("cp500"), "CHANGED ".encode("cp500"))
    found = findings(MADE, other)
    assert [item.what for item in found.differences] == ["resource F1HFDEMO"]
    body = MADE[MADE.index(b"\xd3\xa8\xa8") - 3 :]
    found = findings(body, MADE)
    assert (found.outcome, len(found.notes)) == (Outcome.EQUAL, 1)


def test_fonts_that_only_one_names() -> None:
    found = findings(MADE, MADE.replace("C0H20000".encode("cp500"), "C0H20001".encode("cp500")))
    told = {item.what for item in found.differences}
    assert "names the character set" in told


def test_text_that_may_differ_by_pattern() -> None:
    one, other = (f"2026-0{month}-16 Transaction 000".encode("cp500") for month in (2, 3))
    changed = SPOOL.replace(one, other, 1)
    assert findings(SPOOL, changed).outcome is Outcome.DIFFERENT
    dates = Rules(ignored_texts=(r"\d{4}-\d\d-\d\d Transaction",))
    assert findings(SPOOL, changed, dates).outcome is Outcome.EQUAL
    changed = changed.replace("Transaction 001".encode("cp500"), b"\x40" * 15, 1)
    assert findings(SPOOL, changed, dates).outcome is Outcome.DIFFERENT


def font_map(local: int, code_page: str) -> bytes:
    group = b"\x0c\x02\x85\x00" + code_page.encode("cp500") + bytes((4, 0x24, 5, local))
    return make_field(MCF, (2 + len(group)).to_bytes(2, "big") + group)


def page(text: bytes, *before: bytes) -> bytes:
    return b"".join(
        (
            make_field(BDT, b"\xc4" * 8),
            make_field(BPG),
            *before,
            make_field(BPT),
            make_field(PTX, text),
            make_field(EPT),
            make_field(EPG),
            make_field(EDT, b"\xc4" * 8),
        )
    )


def control(kind: int, body: bytes) -> bytes:
    return bytes((2 + len(body), kind)) + body


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"\x2b\xd3" + control(0xDB, "Sum".encode("cp500")) + control(0xF8, b""), ["Sum"]),
        # Not chained: the text that follows stands as it is, up to the next escape.
        (b"\x2b\xd3" + control(0xC6, b"\0\1") + "a".encode("cp500")
         + b"\x2b\xd3" + control(0xDA, "b".encode("cp500")), ["ab"]),
        (b"\x2b\xd3" + control(0xDB, b"\xc1") + control(0xC7, b"\0\1") + control(0xDA, b"\xc2"),
         ["A B"]),
        (b"\x2b\xd3" + control(0xDB, b"\xc1") + control(0xD3, b"\0\1") + control(0xDA, b"\xc2"),
         ["A", "B"]),
        (b"\x2b\xd3" + control(0xDB, b"\xc1") + control(0xC9, b"\0\1") + control(0xDA, b"\xc2"),
         ["AB"]),
        (b"\x2b\xd3" + control(0xDB, b"\xc1") + control(0xC9, b"\1\0") + control(0xDA, b"\xc2"),
         ["A B"]),
        (b"\x2b\xd3" + control(0xEE, b"\0\3\xc1\xc2"), ["ABA"]),
        (b"\x2b\xd3" + control(0xEE, b"\0\3"), []),
        (b"\x2b\xd3\xff\xda\xc1", [b"\xff\xda\xc1".decode("cp500")]),
        (b"\x2b\xd3", []),
        # The euro sign of 1141, mapped by the font.
        (b"\x2b\xd3" + control(0xF1, b"\2") + control(0xDA, b"\x9f"), ["\u20ac"]),
        (b"\x2b\xd3" + control(0xF1, b"\3") + control(0xDA, "ü".encode("utf-16-be")), ["ü"]),
    ],
)  # fmt: skip
def test_presentation_text(text: bytes, lines: list[str]) -> None:
    wide = bytes((6, 0x01, 0, 0)) + (1200).to_bytes(2, "big") + bytes((5, 0x02, 0xBE, 0, 3))
    data = page(
        text,
        font_map(2, "T1001141"),
        make_field(0xD3ABC3, (2 + len(wide)).to_bytes(2, "big") + wide),
    )
    assert lines_of(data) == [[line for line in lines if line.strip()]]


def test_pages_without_groups_are_those_of_the_document() -> None:
    text = b"\x2b\xd3" + control(0xDA, b"\xc1")
    found = findings(page(text), make_field(NOP, b"x") + page(text[:-1] + b"\xc2"))
    assert (found.pages, found.different_pages[0].text.count) == ((1, 1), 1)


def test_what_stands_behind_the_last_page_counts() -> None:
    def grouped(last: bytes) -> bytes:
        return b"".join((make_field(BNG, b"\xc1" * 8), make_field(BPG), make_field(EPG), last,
                         make_field(ENG, b"\xc1" * 8)))  # fmt: skip

    found = findings(grouped(make_tag("Sum", "1")), grouped(make_tag("Sum", "2")))
    assert any("behind the last page: tag Sum" in item.what for item in found.differences)


def test_a_broken_chain_is_said_with_its_file() -> None:
    with pytest.raises(InputFault) as caught:
        findings(SPOOL, SPOOL[:5000])
    (fault,) = caught.value.faults
    assert (fault.file, re.match(r"byte \d+", fault.place) is not None) == ("after.afp", True)


def test_a_page_with_text_without_end_is_refused() -> None:
    many = b"\x2b\xd3" + control(0xEF, b"\x7f\xff\xc1") * 40 + control(0xF8, b"")
    with pytest.raises(InputFault, match="characters"):
        findings(page(b"\x2b\xd3"), page(many))


def test_harmed_documents_are_compared_or_refused() -> None:
    choose = random.Random(7)
    whole = SPOOL[:17] + exact(3) + exact(4) + SPOOL[-17:]
    accepted = 0
    faults: list[Fault] = []
    for _ in range(300):
        try:
            found = findings(whole, mutate(choose, [whole, MADE]))
        except InputFault as error:
            faults += [fault for fault in error.faults if not fault.remedy]
        else:
            accepted += 1
            assert found.outcome in Outcome
    assert accepted
    assert faults == []


def test_only_the_name_of_a_begin_field_is_a_number_of_the_run() -> None:
    def group(name: bytes, rest: bytes) -> bytes:
        return b"".join((make_field(BNG, name * 8 + rest), make_field(BPG), make_field(EPG),
                         make_field(ENG, name * 8)))  # fmt: skip

    assert findings(group(b"\xc1", b"x"), group(b"\xc2", b"x")).outcome is Outcome.EQUAL
    assert findings(group(b"\xc1", b"x"), group(b"\xc1", b"y")).outcome is Outcome.DIFFERENT
