"""One document of an AFP spool, wrapped so that it prints by itself."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import pytest

from hotfolder.core.errors import InputFault
from hotfolder.core.records import Inspection
from hotfolder.formats import afpwrap, inspect_spool
from hotfolder.formats.afpwrap import wrap_document
from hotfolder.formats.window import Window
from hotfolder.indexes.afpgroups import read_afp_groups
from hotfolder.sandbox.afpwriter import AfpShape, make_field, write_afp
from hotfolder.sandbox.communications import make_communication
from tests.support.afpfields import FRAMINGS, Wrapping, framed

SAMPLES = Path(__file__).parent.parent / "samples"
BPF, EPF, BDT, EDT = 0xD3A8A5, 0xD3A9A5, 0xD3A8A8, 0xD3A9A8
BRG, ERG, BDI, EDI = 0xD3A8C6, 0xD3A9C6, 0xD3A8A7, 0xD3A9A7
BNG, ENG, BPG, EPG = 0xD3A8AD, 0xD3A9AD, 0xD3A8AF, 0xD3A9AF
BFM, EFM, IMM, NOP, TLE = 0xD3A8CD, 0xD3A9CD, 0xD3ABCC, 0xD3EEEE, 0xD3A090
FILE, DOC, OTHER, GROUP = b"FILE0001", b"DOC00001", b"DOC00002", b"GROUP001"


def field(kind: int, data: bytes = b"") -> bytes:
    return make_field(kind, data)


def page(text: bytes = b"") -> bytes:
    return field(BPG, b"PAGE0001") + field(NOP, text) + field(EPG, b"PAGE0001")


def group(*inside: bytes, name: bytes = GROUP) -> bytes:
    return field(BNG, name) + b"".join(inside) + field(ENG, name)


def resources(name: bytes) -> bytes:
    return field(BRG, name) + field(NOP, b"font") + field(ERG, name)


def wrap(data: bytes, offset: int, length: int) -> bytes:
    return b"".join(wrap_document(Window(io.BytesIO(data), len(data)), offset, length))


def look(data: bytes) -> Inspection:
    return inspect_spool(io.BytesIO(data), len(data), b"x.afp")


def wrap_part(data: bytes, part: bytes) -> bytes:
    assert data.count(part) == 1
    return wrap(data, data.index(part), len(part))


def test_every_document_of_the_sample_stands_by_itself() -> None:
    data = (SAMPLES / "statements-40.afp").read_bytes()
    documents = list(read_afp_groups(io.BytesIO(data), len(data), "x"))
    for document in documents:
        assert document.offset is not None
        assert document.length is not None
        wrapped = wrap(data, document.offset, document.length)
        assert data[document.offset : document.offset + document.length] in wrapped
        found = look(wrapped)
        assert (found.fault, found.pages) == (None, document.pages)
        (again,) = read_afp_groups(io.BytesIO(wrapped), len(wrapped), "x")
        assert again.fields == document.fields
    assert len(documents) == 40


def test_all_that_a_group_needs_and_nothing_else() -> None:
    first, second, third = (group(page(b"%d" % n), name=b"GROUP%03d" % n) for n in range(3))
    form = field(BFM, b"FORM0001") + field(EFM, b"FORM0001")
    tag, mapping = field(TLE, b"of the document"), field(0xD3ABC3, b"resources")
    used = field(IMM, b"DUPLEX  ")
    head = field(BPF, FILE) + field(NOP, b"hello") + resources(b"RES00001")
    index = field(BDI, b"INDEX001") + field(TLE, b"a customer") + field(EDI, b"INDEX001")
    start, late = field(BDT, DOC) + form, field(NOP, b"behind the index")
    data = (
        head + index + late + start + field(IMM, b"SIMPLEX ") + tag + mapping
        + first + field(IMM, b"OTHER   ") + used + second + field(IMM, b"LATER   ") + third
        + field(EDT, DOC) + field(EPF, FILE)
    )  # fmt: skip
    assert look(data).fault is None
    wrapped = wrap_part(data, second)
    end = field(EDT, DOC) + field(EPF, FILE)
    assert wrapped == head + late + start + tag + mapping + used + second + end
    assert (look(wrapped).fault, look(wrapped).pages) == (None, 1)
    expected = head + late + start + tag + mapping + field(IMM, b"SIMPLEX ") + first + end
    assert wrap_part(data, first) == expected


def test_each_document_has_its_own_environment() -> None:
    """Medium maps and environments of one document are not those of the next;
    resource groups between documents are for all that follow."""
    banner = field(BDT, DOC) + field(IMM, b"BANNER  ") + page(b"banner") + field(EDT, DOC)
    wanted = group(page(b"wanted"))
    between = resources(b"RES00002")
    data = (
        resources(b"RES00001") + banner + field(NOP, b"between") + between
        + field(BDT, OTHER) + field(NOP, b"own") + wanted + field(EDT, OTHER)
    )  # fmt: skip
    assert wrap_part(data, wanted) == (
        resources(b"RES00001") + between
        + field(BDT, OTHER) + field(NOP, b"own") + wanted + field(EDT, OTHER)
    )  # fmt: skip


def test_a_document_that_is_no_group() -> None:
    second = field(BDT, OTHER) + page(b"second") + field(EDT, OTHER)
    first = field(BDT, DOC) + page(b"first") + field(EDT, DOC)
    data = field(BPF, FILE) + resources(b"RES00001") + first + second + field(EPF, FILE)
    head = field(BPF, FILE) + resources(b"RES00001")
    assert wrap_part(data, first) == head + first + field(EPF, FILE)
    assert wrap_part(data, second) == head + second + field(EPF, FILE)


def test_pages_and_nested_groups_can_be_wrapped_too() -> None:
    inner = group(page(b"b"), page(b"c"), name=b"INNER001")
    data = field(BDT, DOC) + group(page(b"a"), inner) + field(EDT, DOC)
    for part in (inner, page(b"a"), page(b"b") + page(b"c")):
        wrapped = wrap_part(data, part)
        assert wrapped == field(BDT, DOC) + part + field(EDT, DOC)
        assert look(wrapped).fault is None


def test_groups_without_a_document_and_unnamed_ones() -> None:
    assert wrap_part(
        field(NOP, b"x") + group(page(b"1")) + group(page(b"2")), group(page(b"2"))
    ) == (field(NOP, b"x") + group(page(b"2")))
    unnamed = field(BDT) + group(page(b"1")) + group(page(b"2")) + field(EDT)
    assert wrap_part(unnamed, group(page(b"2"))) == field(BDT) + group(page(b"2")) + field(EDT)


@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_in_every_framing(framing: Wrapping) -> None:
    plain = write_afp(
        [make_communication(7, number) for number in range(5)], AfpShape(resources=True)
    )
    data = framed(plain, framing)
    documents = list(read_afp_groups(io.BytesIO(data), len(data), "x"))
    for document, sound in zip(
        documents, read_afp_groups(io.BytesIO(plain), len(plain), "x"), strict=True
    ):
        assert document.offset is not None
        assert document.length is not None
        assert sound.offset is not None
        assert sound.length is not None
        wrapped = wrap(data, document.offset, document.length)
        assert data[document.offset : document.offset + document.length] in wrapped
        if not framing.line_ends:  # fields that are written anew have none
            assert wrapped == framed(wrap(plain, sound.offset, sound.length), framing)
        assert (look(wrapped).fault, look(wrapped).pages) == (None, sound.pages)


def test_chunks_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(afpwrap, "_CHUNK", 50)
    data = field(BDT, DOC) + group(page(b"x" * 1000)) + field(EDT, DOC)
    window = Window(io.BytesIO(data), len(data))
    length = len(group(page(b"x" * 1000)))
    chunks = list(wrap_document(window, len(field(BDT, DOC)), length))
    assert max(map(len, chunks)) == 50
    assert b"".join(chunks) == data


def test_ranges_that_are_no_documents_are_refused() -> None:
    """Every range but those of whole documents, groups and pages."""
    parts = [page(b"1"), page(b"2")]
    inner = group(*parts)
    data = field(BDT, DOC) + inner + field(EDT, DOC)
    sound = {data, inner, *parts, parts[0] + parts[1]}
    bounds = range(len(data) + 1)
    for start, end in itertools.product(bounds, [*bounds, len(data) + 100]):
        if data[start:end] in sound and end <= len(data):
            assert look(wrap(data, start, end - start)).fault is None
            continue
        with pytest.raises(InputFault) as caught:
            wrap(data, start, end - start)
        (fault,) = caught.value.faults
        assert fault.code == "afp.range"
        assert fault.place == f"byte {start}"
        assert fault.remedy


def test_a_spool_that_is_damaged_before_it() -> None:
    data = field(BDT, DOC) + b"?" + group(page()) + field(EDT, DOC)
    with pytest.raises(InputFault, match="no field here"):
        wrap(data, data.index(group(page())), len(group(page())))
    ended = field(EDT, DOC) + field(BDT, DOC) + group(page()) + field(EDT, DOC)
    with pytest.raises(InputFault, match="has no Begin"):
        wrap(ended, ended.index(group(page())), len(group(page())))


def test_a_spool_with_very_many_pieces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(afpwrap, "_PIECES", 10)
    data = field(BDT, DOC) + (field(NOP) + field(IMM, b"MAP00001")) * 20 + group(page())
    with pytest.raises(InputFault, match="more than 10 pieces"):
        wrap(data, data.index(group(page())), len(group(page())))
