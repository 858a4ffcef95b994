"""Documents in AFP: page groups and their tags."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.core.errors import Fault, InputFault, OperatorFault
from hotfolder.core.indexed import IndexedDocument
from hotfolder.formats import afpfields, inspect_spool
from hotfolder.indexes import afpgroups
from hotfolder.indexes.afpgroups import read_afp_groups
from hotfolder.indexes.afptags import TagReader
from hotfolder.indexes.faults import MAX_FIELDS
from hotfolder.indexes.ranges import check_ranges
from hotfolder.sandbox.afpwriter import AfpShape, make_field, make_tag, write_afp
from hotfolder.sandbox.communications import make_communication
from tests.fuzz.readers import Reader
from tests.fuzz.run import fuzz
from tests.support.afpfields import FRAMINGS, Wrapping, fields, framed
from tests.support.indexes import check_fault, peak_of

SAMPLES = Path(__file__).parent.parent / "samples"
BDT, EDT, BNG, ENG = 0xD3A8A8, 0xD3A9A8, 0xD3A8AD, 0xD3A9AD
BPG, EPG, TLE, NOP = 0xD3A8AF, 0xD3A9AF, 0xD3A090, 0xD3EEEE
BDI, EDI = 0xD3A8A7, 0xD3A9A7
MIB = 1 << 20


def field(kind: int, data: bytes = b"") -> bytes:
    return make_field(kind, data)


def page(*inside: bytes) -> bytes:
    return field(BPG) + b"".join(inside) + field(EPG)


def group(*inside: bytes) -> bytes:
    return field(BNG) + b"".join(inside) + field(ENG)


def document(*inside: bytes) -> bytes:
    return field(BDT) + b"".join(inside) + field(EDT)


def triplet(kind: int, data: bytes) -> bytes:
    return bytes((len(data) + 2, kind)) + data


def tag(name: bytes, value: bytes | None, *more: bytes) -> bytes:
    """A TLE of bytes as they are."""
    parts = [triplet(0x02, b"\x0b\x00" + name)]
    if value is not None:
        parts.append(triplet(0x36, b"\x00\x00" + value))
    return field(TLE, b"".join([*parts, *more]))


def read(data: bytes, **given: object) -> list[IndexedDocument]:
    return list(read_afp_groups(io.BytesIO(data), len(data), "x.afp", **given))  # type: ignore[arg-type]


def fault_of(data: bytes, **given: object) -> Fault:
    with pytest.raises(InputFault) as caught:
        read(data, **given)
    (fault,) = caught.value.faults
    check_fault(fault)
    assert fault.file == "x.afp"
    assert fault.place.startswith("byte ")
    return fault


def fields_of(*tags: bytes, **given: object) -> tuple[tuple[str, str], ...]:
    """What a group with these tags has. It is read twice in one file: the second time
    their names are known."""
    first, second = read(document(group(*tags, page()), group(*tags, page())), **given)
    assert first.fields == second.fields
    return first.fields


# -- samples ------------------------------------------------------------------------
def test_the_sample_of_forty() -> None:
    data = (SAMPLES / "statements-40.afp").read_bytes()
    found = read(data)
    with (SAMPLES / "statements-40.expected.csv").open(encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    assert len(found) == len(expected) == 40
    first_page = 1
    for number, (one, row) in enumerate(zip(found, expected, strict=True), 1):
        tags = dict(one.fields)
        assert one.ordinal == number
        assert one.place == f"byte {one.offset}"
        assert tags["Customer Number"] == row["customer"]
        assert tags["Account"] == row["account"]
        # Code page 500 has no typographic apostrophe: the producer wrote a straight one.
        assert tags["Name"] == row["name"].replace("\u2019", "'")
        assert tags["Statement Date"] == row["date"]
        assert list(tags)[4:] == ["Document Type", "Channel"]
        assert one.offset is not None
        assert one.length is not None
        part = data[one.offset : one.offset + one.length]
        kinds = [int.from_bytes(part[3:6], "big") for part in fields(part)]
        assert (kinds[0], kinds[-1]) == (BNG, ENG)
        assert kinds.count(0xD3A89B) == int(row["pages"])  # pages with text; others are blank
        assert (one.first_page, one.pages) == (first_page, kinds.count(BPG))
        first_page += kinds.count(BPG)
    assert inspect_spool(io.BytesIO(data), len(data), b"x.afp").pages == first_page - 1
    checked = check_ranges(iter(found), len(data), first_page - 1, allow_overlap=False)
    assert list(checked) == found
    assert checked.gaps.bytes == 34  # BDT and EDT


def test_tags_in_other_code_pages_by_another_producer() -> None:
    """FOP writes names in 500 and values in what it says."""
    with (SAMPLES / "tags-6.expected.csv").open(encoding="utf-8") as file:
        expected = list(csv.DictReader(file))
    found = read((SAMPLES / "tags-6.afp").read_bytes())
    assert [(one.fields, one.pages) for one in found] == [
        (
            (
                ("Customer Number", row["customer"]),
                ("Account", row["account"]),
                ("Name", row["name"]),
                ("Statement Date", row["date"]),
                ("Nachname", row["name"]),
                ("Surname", row["name"]),
                *[("Master", "one")] * int(row["pages"]),
            ),
            int(row["pages"]),
        )
        for row in expected
    ]


@pytest.mark.parametrize("chunk", [1, 40, 1000, 5000])
def test_batches_of_any_size_give_the_same(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (SAMPLES / "statements-40.afp").read_bytes()
    data = data[:30_000] if chunk == 1 else data
    data = data[: data.rindex(b"\x5a\x00\x10\xd3\xa9\xad") + 17] + field(EDT)
    whole = read(data)
    monkeypatch.setattr(afpfields, "_CHUNK", chunk)
    assert read(data) == whole


@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_every_framing_gives_the_same_documents(framing: Wrapping) -> None:
    plain = write_afp(
        [make_communication(3, number) for number in range(30)], AfpShape(resources=True)
    )
    data = framed(plain, framing)
    assert inspect_spool(io.BytesIO(data), len(data), b"x.afp").fault is None
    expected, found = read(plain), read(data)
    assert len(expected) == 30
    for sound, one in zip(expected, found, strict=True):
        assert (one.fields, one.first_page, one.pages) == (
            sound.fields,
            sound.first_page,
            sound.pages,
        )
        assert sound.offset is not None
        assert sound.length is not None
        assert one.offset is not None
        assert one.length is not None
        part = framed(plain[sound.offset : sound.offset + sound.length], framing)
        if framing.line_ends:
            part = part.strip(b"\r\n\x15")
        assert data[one.offset : one.offset + one.length] == part


# -- what is a document -------------------------------------------------------------
def test_the_outermost_group_is_the_document() -> None:
    inner = group(make_tag("b", "2"), page(make_tag("c", "3")))
    outer = group(make_tag("a", "1"), inner, page(make_tag("d", "4")))
    data = document(page(make_tag("banner", "x")), make_tag("loose", "x"), outer, group(page()))
    first, second = read(data)
    assert first.fields == (("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"))
    assert first.offset is not None
    assert first.length is not None
    assert data[first.offset : first.offset + first.length] == outer
    assert (first.first_page, first.pages) == (2, 2)
    assert (second.ordinal, second.fields, second.first_page, second.pages) == (2, (), 4, 1)


def test_documents_without_groups() -> None:
    one = document(make_tag("a", "1"), page(make_tag("b", "2")))
    two = document(page(), page())
    first, second = read(field(NOP) + one + two)
    assert first.fields == (("a", "1"), ("b", "2"))
    assert (first.offset, first.length) == (9, len(one))
    assert (second.offset, second.length) == (9 + len(one), len(two))
    assert (second.first_page, second.pages) == (2, 2)
    (only,) = read(field(NOP) + one)
    assert only == first


def test_groups_in_some_documents_are_all_there_is() -> None:
    data = document(page()) + document(group(page())) + document(page())
    (only,) = read(data)
    assert (only.first_page, only.pages) == (2, 1)
    assert only.offset == len(document(page())) + 9


def test_tags_of_an_index_object_are_no_ones() -> None:
    index = field(BDI) + make_tag("a", "1") + field(EDI)
    (only,) = read(index + document(group(page())))
    assert only.fields == ()


def test_groups_outside_of_documents() -> None:
    assert [one.pages for one in read(group(page()) + group(page(), page()))] == [1, 2]


def test_nothing_that_is_a_document() -> None:
    assert read(field(NOP) + page()) == []
    assert read(b"") == []


# -- tags ---------------------------------------------------------------------------
def test_segments_qualifiers_and_values_that_are_absent() -> None:
    qualifier = triplet(0x80, bytes(8))
    segment = triplet(0x02, b"\x0b\x00" + "ber".encode("cp500"))
    more = triplet(0x36, b"\x00\x00" + "23".encode("cp500"))
    assert fields_of(
        tag("Num".encode("cp500"), "1".encode("cp500"), segment, more, qualifier),
        tag("Num".encode("cp500"), None),
        tag("Num".encode("cp500"), b""),
        tag("Num".encode("cp500"), "7".encode("cp500")),
        field(TLE, triplet(0x36, b"\0\0\xf1") + triplet(0x02, b"\x0b\0\x81")),
        field(TLE, triplet(0x02, b"\x01\0\x82") + triplet(0x02, b"\x0b\0\x81")),
    ) == (("Number", "123"), ("Num", ""), ("Num", ""), ("Num", "7"), ("a", "1"), ("a", ""))


def test_flags_of_the_field_are_minded() -> None:
    def flagged(flags: int, data: bytes) -> bytes:
        plain = field(TLE, data)
        return plain[:6] + bytes((flags,)) + plain[7:]

    body = tag(b"\x81", b"\xf1")[9:]
    assert (
        fields_of(
            flagged(0x80, b"\x04abc" + body),
            flagged(0x08, body + b"\0\0\x03"),
            flagged(0x08, body + b"\0" * 300 + (303).to_bytes(2, "big") + b"\0"),
            flagged(0x88, b"\x01" + body + b"\x01"),
        )
        == (("a", "1"),) * 4
    )


def test_names_that_are_identifiers() -> None:
    data = triplet(0x02, b"\x0b\x10\x06\x01\x02") + triplet(0x36, b"\0\0\xf1")
    assert fields_of(field(TLE, data)) == (("060102", "1"),)


@pytest.mark.parametrize(
    ("number", "codec"),
    [("500", "cp500"), ("37", "cp037"), ("273", "cp273"), ("819", "latin-1"), ("1208", "utf-8")],
)
def test_code_pages(number: str, codec: str) -> None:
    name, value = "Straße [!]", "Müller ~ 1"
    text = tag(name.encode(codec), value.encode(codec))
    assert fields_of(text, code_page=number) == ((name, value),)
    said = triplet(0x01, bytes(2) + int(number).to_bytes(2, "big"))
    qualified = triplet(0x01, (697).to_bytes(2, "big") + int(number).to_bytes(2, "big"))
    for page_said in (said, qualified):
        marked = tag(name.encode(codec), value.encode(codec), page_said)
        assert fields_of(marked, make_tag("a", "1"), marked) == (
            (name, value),
            ("a", "1"),
            (name, value),
        )


def test_the_euro_page_and_unicode_and_the_default() -> None:
    euro = tag("ß".encode("cp273"), b"\x9f")
    assert fields_of(euro, code_page="1141") == (("ß", "€"),)
    unicode = tag("ß".encode("utf-16-be"), "€".encode("utf-16-be"), triplet(1, b"\0\0\x34\xb0"))
    default = tag(b"\x81", b"\x82", triplet(1, b"\xff\xff\xff\xff"))
    assert fields_of(unicode, default) == (("ß", "€"), ("a", "b"))


def test_a_code_page_that_nobody_knows() -> None:
    with pytest.raises(OperatorFault, match="code page 9999"):
        read(document(group(page())), code_page="9999")
    with pytest.raises(OperatorFault):
        TagReader("nonsense" * 100)


SOUND = group(make_tag("a", "1"), page())
BAD = {
    "a length of one": (field(TLE, b"\x01\x02"), "afp.triplet"),
    "a length past the end": (field(TLE, b"\x20\x02\x0b\x00"), "afp.triplet"),
    "the length of a value past the end": (
        field(TLE, triplet(2, b"\x0b\0\x81") + b"\x09\x36\0\0\xf1"),
        "afp.triplet",
    ),
    "a value that is too short": (
        field(TLE, triplet(2, b"\x0b\0\x81") + triplet(0x36, b"\0\0") + b"\x01"),
        "afp.triplet",
    ),
    "no name": (field(TLE, triplet(0x36, b"\0\0\xf1")), "afp.name"),
    "nothing": (field(TLE), "afp.name"),
    "an unknown page": (tag(b"\x81", b"\xf1", triplet(1, b"\0\0\x27\x0f")), "afp.codepage"),
    "a page cut off": (tag(b"\x81", b"\xf1", triplet(1, b"\0\0")), "afp.codepage"),
    "not UTF-8": (tag(b"\x81", b"\xff\xfe", triplet(1, b"\0\0\x04\xb8")), "afp.codepage"),
    "ASCII": (tag(b"Customer", b"C-1"), "afp.codepage"),
    "NUL": (tag(b"\x81", b"\xf1\0"), "index.characters"),
    "NUL in a known name's value": (
        make_tag("a", "1") + tag(b"\x81", b"\0"),
        "index.characters",
    ),
    "a long name": (
        field(TLE, triplet(2, b"\x0b\0" + b"\x81" * 200) * 2 + triplet(0x36, b"\0\0")),
        "index.value",
    ),
    "too many": (make_tag("a", "1") * (MAX_FIELDS + 1), "index.fields"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tags(name: str) -> None:
    tags, code = BAD[name]
    data = document(SOUND, group(tags, page()), SOUND)
    fault = fault_of(data)
    # A bad tag is told by its own byte, what concerns all of them by that of the group.
    start = len(field(BDT) + SOUND)
    at = start + len(field(BNG)) if code.startswith("afp.") else start
    assert (fault.code, fault.place) == (code, f"byte {at} (document 2)")
    skipped: list[Fault] = []
    found = read(data, skip=skipped.append)
    assert skipped == [fault]
    assert [(one.ordinal, one.fields) for one in found] == [
        (1, (("a", "1"),)),
        (3, (("a", "1"),)),
    ]
    assert (found[1].first_page, found[1].pages) == (3, 1)


def test_the_first_bad_tag_of_many_is_told() -> None:
    before = make_tag("a", "1") * 500 + page()
    bad = field(TLE, b"\x01\x02")
    fault = fault_of(document(group(before, page(bad), bad)))
    place = len(field(BDT) + field(BNG) + before + field(BPG))
    assert (fault.code, fault.place) == ("afp.triplet", f"byte {place} (document 1)")


def test_ebcdic_that_is_said_to_be_latin() -> None:
    assert fault_of(document(group(make_tag("name", "x"), page())), code_page="819").code == (
        "afp.codepage"
    )


def test_not_in_the_configured_page_although_its_name_is_known() -> None:
    good, bad = tag(b"name", b"x"), tag(b"name", b"\xff")
    data = document(group(good, page()), group(good, bad, page()))
    assert fault_of(data, code_page="1208").code == "afp.codepage"


def test_a_document_without_pages() -> None:
    skipped: list[Fault] = []
    assert len(read(document(group(make_tag("a", "1")), SOUND), skip=skipped.append)) == 1
    assert [fault.code for fault in skipped] == ["afp.empty"]


# -- damage -------------------------------------------------------------------------
def test_cut_anywhere_it_is_an_input_fault() -> None:
    data = write_afp([make_communication(5, number) for number in range(2)])
    whole = read(data)
    skipped: list[Fault] = []
    for length in range(1, len(data)):
        fault = fault_of(data[:length], skip=skipped.append)
        assert fault.code in ("afp.truncated", "afp.damaged"), length
    assert not skipped
    assert read(data) == whole
    assert len(whole) == 2


@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_cut_anywhere_in_any_framing(framing: Wrapping) -> None:
    data = framed(document(SOUND, SOUND), framing)
    end = len(data.rstrip(b"\r\n")) if framing.line_ends else len(data)
    shortest = len(framed(field(BDT) + field(BNG), framing))
    for length in range(shortest, end):
        assert fault_of(data[:length]).code in ("afp.truncated", "afp.damaged"), length
    assert len(read(data)) == 2


@pytest.mark.parametrize("length", [0, 1, 7, 9, 200, 8193, 32767, 32768, 65535])
def test_lengths_that_lie(length: int) -> None:
    """In any field: documents as they were, or a fault with its place."""
    data = document(SOUND, group(page()), SOUND)
    place = 0
    for part in fields(data):
        harmed = data[: place + 1] + length.to_bytes(2, "big") + data[place + 3 :]
        if len(part) != length + 1:
            offset = int(fault_of(harmed).place.split()[1])
            assert 0 <= offset <= len(data)
        place += len(part)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (document(SOUND + field(ENG)), 9 + len(SOUND)),
        (document(field(BNG) + page()), 18 + 18),
        (document(field(BDT) + SOUND + field(EDT)), 9),
        (document(SOUND) + field(EDT), len(document(SOUND))),
        (document(group(field(BDT) + field(EDT))), 18),
        (document(SOUND) + field(BNG), len(document(SOUND)) + 9),
        (field(BDT) + SOUND, 9 + len(SOUND)),
        (document(field(BNG) * 65), 9 + 64 * 9),
        (document(SOUND) + b"\0" * 100, len(document(SOUND))),
        (document(SOUND) + b"rest", len(document(SOUND))),
    ],
    ids=[
        "an end too many",
        "a group that does not end",
        "a document in a document",
        "an end of no document",
        "a document in a group",
        "a group at the end",
        "a document that does not end",
        "deep nesting",
        "zeros behind",
        "text behind",
    ],
)
def test_damage_is_never_skipped(data: bytes, place: int) -> None:
    fault = fault_of(data, skip=lambda _: pytest.fail("skipped"))
    assert fault.place == f"byte {place}"


def test_a_file_that_became_shorter() -> None:
    data = document(SOUND)
    with pytest.raises(InputFault, match="shorter"):
        list(read_afp_groups(io.BytesIO(data[:-20]), len(data), "x.afp"))


def test_text_mode_transfers_are_called_by_their_name() -> None:
    data = document(group(make_tag("a", "1"), page(field(NOP, b"a\nb")), page()))
    ascii_ = data.decode("cp037").encode("latin-1", "replace")
    for harmed in (data.replace(b"\n", b"\r\n"), ascii_, bytes(byte & 127 for byte in data)):
        fault = fault_of(harmed)
        assert (fault.code, fault.remedy) == ("afp.ascii-transfer", "transfer it in binary mode")
    assert fault_of(data.decode("latin-1").encode()).code == "afp.ascii-transfer"


# -- what was put in comes out -----------------------------------------------------
TEXT = st.text(st.characters(codec="cp500", exclude_categories=["Cc"]), max_size=20)
NAME = TEXT.filter(lambda name: bool(name.strip()) and not name.encode("cp500").isascii())
TAG = st.tuples(NAME, TEXT)
Node = list[object]
NODES = st.recursive(
    st.lists(st.one_of(TAG, st.just("page")), max_size=4),
    lambda inner: st.lists(st.one_of(TAG, st.just("page"), inner), max_size=4),
    max_leaves=12,
)


def write(node: object, tags: list[tuple[str, str]]) -> tuple[bytes, int]:
    """A group made of ``node``, and its pages; ``tags`` gets what is in it."""
    data, pages = b"", 0
    for part in node if isinstance(node, list) else ():
        if isinstance(part, tuple):
            tags.append(part)
            data += make_tag(*part)
        elif part == "page":
            data, pages = data + page(field(NOP, data[:50])), pages + 1
        else:
            inner, more = write(part, tags)
            data, pages = data + inner, pages + more
    return field(BNG, b"\xff" * 8) + data + field(ENG), pages


@given(st.lists(NODES, max_size=5), st.sampled_from(FRAMINGS), st.integers(1, 300))
def test_generated_groups(nodes: list[Node], framing: Wrapping, chunk: int) -> None:
    expected, parts, pages = [], [], 1
    for number, node in enumerate(nodes, 1):
        tags: list[tuple[str, str]] = []
        data, count = write([*node, "page"], tags)
        parts.append(data)
        expected.append((number, tuple(tags), pages, count))
        pages += count
    data = framed(document(page(), *parts), framing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(afpfields, "_CHUNK", chunk)
        found = read(data)
    if not nodes:
        assert [(one.pages, one.fields) for one in found] == [(1, ())]
        return
    assert [(one.ordinal, one.fields, one.first_page, one.pages) for one in found] == [
        (number, tags, first + 1, count) for number, tags, first, count in expected
    ]
    for one, part in zip(found, parts, strict=True):
        assert one.offset is not None
        assert one.length is not None
        got = data[one.offset : one.offset + one.length]
        wanted = framed(part, framing)
        assert got == (wanted.strip(b"\r\n\x15") if framing.line_ends else wanted)


# -- large and hostile -----------------------------------------------------------
class Endless(io.RawIOBase):
    """A file that is made where it is read: a head, a part many times over, a tail."""

    def __init__(self, head: bytes, part: bytes, times: int, tail: bytes) -> None:
        self._head, self._part, self._tail = head, part, tail
        self._middle = len(part) * times
        self.size = len(head) + self._middle + len(tail)
        self._place = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        assert whence == io.SEEK_SET
        self._place = offset
        return offset

    def read(self, size: int = -1, /) -> bytes:
        start, end = self._place, min(self._place + size, self.size)
        self._place = end
        if start < len(self._head):
            self._place = min(end, len(self._head))
            return self._head[start : self._place]
        start, end = start - len(self._head), end - len(self._head)
        if start < self._middle:
            end = min(end, self._middle)
            self._place = end + len(self._head)
            skew = start % len(self._part)
            return (self._part * ((end - start + skew) // len(self._part) + 1))[
                skew : skew + end - start
            ]
        return self._tail[start - self._middle : end - self._middle]


def read_endless(head: bytes, part: bytes, times: int, tail: bytes) -> tuple[int, list[Fault]]:
    stream = Endless(head, part, times, tail)
    skipped: list[Fault] = []
    found = read_afp_groups(stream, stream.size, "x.afp", skip=skipped.append)  # type: ignore[arg-type]
    return sum(1 for _ in found), skipped


def test_ten_million_tags_take_no_memory() -> None:
    """In one document, and in none."""
    tags = make_tag("a", "1") * 1000
    head, tail = field(BDT) + field(BNG), page() + field(ENG) + field(EDT)

    def run() -> None:
        found, skipped = read_endless(head, tags, 10_000, tail)
        assert found == 0
        assert [fault.code for fault in skipped] == ["index.fields"]

    # The bound is for what two batches hold: their bytes, and a field each 20 bytes.
    stream = Endless(head, tags, 10_000, tail)
    assert stream.size > 180 * MIB
    run()
    few = peak_of(partial(read_endless, head, tags, 100, tail))
    many = peak_of(partial(read_endless, head, tags, 250, tail))
    assert many < few * 1.1 + 100_000
    assert many < 24 * MIB


def test_long_values_take_no_memory() -> None:
    """Tags within the number that a document may have, of the greatest length."""
    tags = tag(b"\x81", b"\xf1", *[triplet(0x36, b"\0\0" + b"\xf1" * 250)] * 120) * 50
    head, tail = field(BDT) + field(BNG), page() + field(ENG) + field(EDT)

    def run() -> None:
        found, skipped = read_endless(head, tags, 12, tail)
        assert found == 0
        assert [fault.code for fault in skipped] == ["index.fields"]

    assert peak_of(run) < 24 * MIB


def test_many_documents_take_no_memory() -> None:
    names = [make_tag(f"name {number}", "1") for number in range(1500)]
    parts = b"".join(group(name, page()) for name in names)

    def run(times: int) -> None:
        assert read_endless(field(BDT), parts, times, field(EDT)) == (1500 * times, [])

    run(1)
    few, many = peak_of(partial(run, 12)), peak_of(partial(run, 24))
    assert many < few * 1.1 + 100_000


def test_few_names_are_remembered() -> None:
    tags = TagReader("500")
    for number in range(5000):
        data = make_tag(f"name {number}", "1")[9:]
        assert tags.read(data, 0) == (f"name {number}", "1")
        assert 0 < len(tags.names) <= 1024


# -- fuzz ------------------------------------------------------------------------
def check_found(one: IndexedDocument, size: int) -> None:
    assert one.offset is not None
    assert one.length is not None
    assert one.pages is not None
    assert one.first_page is not None
    assert 0 <= one.offset < one.offset + one.length <= size
    assert one.first_page >= 1
    assert one.pages >= 1
    for name, value in one.fields:
        assert name
        assert "\0" not in name + value
        f"{name}{value}".encode()


def read_twice(data: bytes) -> object:
    """With and without skipping; what is sound by both is what ``inspect`` can count."""
    skipped: list[Fault] = []
    patient: list[IndexedDocument] | None = None
    try:
        patient = read(data, skip=skipped.append)
    except InputFault as error:
        found = inspect_spool(io.BytesIO(data), len(data), b"x.afp")
        assert found.fault is not None or found.format_name != "afp" or skipped
        for fault in (*skipped, *error.faults):
            check_fault(fault)
        raise
    for one in patient:
        check_found(one, len(data))
    checked = check_ranges(iter(patient), len(data), None, allow_overlap=False)
    if patient:
        assert list(checked) == patient
    if skipped:
        for fault in skipped:
            check_fault(fault)
        with pytest.raises(InputFault):
            read(data)
    else:
        assert read(data) == patient
    return patient


def samples() -> Iterator[bytes]:
    chance = random.Random(1)
    made = write_afp([make_communication(4, n) for n in range(4)], AfpShape(resources=True))
    yield made
    yield (SAMPLES / "tags-6.afp").read_bytes()
    for framing in chance.sample(FRAMINGS, 4):
        yield framed(document(SOUND, group(SOUND, page())), framing)
    yield document(make_tag("a", "1"), page()) * 2
    yield from (document(group(tags, page())) for tags, code in BAD.values() if code[0] == "a")


def test_harmed_spools_end_in_words() -> None:
    reader = Reader(samples=list(samples()), read=read_twice)
    tally = fuzz(reader, seed=2026, runs=1500, seconds=0)
    assert [(error, data[:300]) for data, error in tally.found] == []
    assert 0 < tally.accepted < tally.runs


def test_there_is_a_bound_on_text() -> None:
    """So that the memory tests prove something: the bound is what stops them."""
    assert afpgroups.MAX_TEXT < 50 * 120 * 250 * 12
