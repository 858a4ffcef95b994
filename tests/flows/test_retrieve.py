"""One document back, out of the spool that holds it, or nothing at all."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from hotfolder.core.errors import Corrupt, OperatorFault
from hotfolder.core.profiles import Describe, DocumentsProfile, IndexFormat
from hotfolder.core.records import CatalogueRow
from hotfolder.flows.retrieve import Form, retrieve
from hotfolder.formats import inspect_spool
from tests.support.flow_world import World

SAMPLES = Path(__file__).parent.parent / "samples"
DEFAULTS = {"document_type": "statement"}


class Samples(World):
    """A world whose drops are the sample spools."""

    @property
    def profile(self):  # type: ignore[no-untyped-def]
        return replace(super().profile, defaults=DEFAULTS)


def made(root: Path, sample: str, profile: DocumentsProfile, index: bytes | None = None) -> World:
    world = Samples(root=root, documents=profile)
    world.start()
    shutil.copy(SAMPLES / sample, world.hot / sample)
    if index is not None:
        (world.hot / f"{sample}.json").write_bytes(index)
    world.settle()
    return world


def rows_of(world: World) -> list[CatalogueRow]:
    (row,) = world.rows()
    assert not row.faults
    return list(world.running.journal.iterate_documents(row.id))


def take(world: World, row: CatalogueRow, form: Form | None = None) -> tuple[bytes, bool]:
    works = world.running
    with retrieve(works.journal, works.store, row.document.identity, form) as found:
        return b"".join(found.pieces), found.derived


@pytest.fixture
def afp(tmp_path: Path) -> Iterator[World]:
    world = made(tmp_path, "statements-40.afp", DocumentsProfile(index=IndexFormat.AFP))
    yield world
    world.stop()


def expected(sample: str) -> list[dict[str, str]]:
    """What is in the samples. Each statement begins on a front page, so that a blank one
    may end the one before; code page 500 has no curly apostrophe."""
    with (SAMPLES / sample).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        row["name"] = row["name"].replace("\u2019", "'")
        if row is not rows[-1]:
            row["pages"] = str(int(row["pages"]) + int(row["pages"]) % 2)
    return rows


def test_the_documents_of_an_afp_file_are_those_put_into_it(afp: World) -> None:
    rows = rows_of(afp)
    assert [
        (
            row.document.metadata.customer_id,
            row.document.metadata.account_number,
            row.document.metadata.customer_name,
            str(row.document.metadata.issue_date),
            str(row.document.range.pages),
        )
        for row in rows
    ] == [
        (item["customer"], item["account"], item["name"], item["date"], item["pages"])
        for item in expected("statements-40.expected.csv")
    ]


def test_exact_bytes_come_back(afp: World) -> None:
    whole = (SAMPLES / "statements-40.afp").read_bytes()
    rows = rows_of(afp)
    for row in rows:
        place = row.document.range
        assert take(afp, row) == (whole[place.offset : place.offset + place.length], False)
    assert take(afp, rows[3], Form.SPOOL) == (whole, False)


def test_an_afp_document_alone_is_whole_and_has_its_own_bytes_in_it(afp: World) -> None:
    for row in rows_of(afp):
        exact, _ = take(afp, row)
        alone, derived = take(afp, row, Form.ALONE)
        assert derived
        assert exact in alone
        found = inspect_spool(io.BytesIO(alone), len(alone), b"a.afp")
        assert (found.fault, found.pages) == (None, row.document.range.pages)


def test_it_is_found_when_the_spool_has_the_record(tmp_path: Path) -> None:
    profile = DocumentsProfile(index=IndexFormat.AFP, describe=Describe.SPOOL)
    world = made(tmp_path, "statements-40.afp", profile)
    rows = rows_of(world)
    whole = (SAMPLES / "statements-40.afp").read_bytes()
    assert take(world, rows[0])[0] in whole
    assert take(world, rows[-1])[0] == whole  # the carrier is the spool itself
    world.stop()


@pytest.fixture
def pdf(tmp_path: Path) -> Iterator[World]:
    lines: list[str] = []
    page = 1
    for item in expected("statements-8.expected.csv"):
        entry = {"customer": item["customer"], "date": item["date"], "first_page": page,
                 "pages": int(item["pages"])}  # fmt: skip
        lines.append(json.dumps(entry) + "\n")
        page += int(item["pages"])
    profile = DocumentsProfile(index=IndexFormat.JSON, suffix=".json")
    world = made(tmp_path, "statements-8.pdf", profile, "".join(lines).encode())
    yield world
    world.stop()


def test_pages_of_a_pdf_come_back_as_a_pdf_that_is_said_to_be_derived(pdf: World) -> None:
    names = [item["customer"] for item in expected("statements-8.expected.csv")]
    rows = rows_of(pdf)
    for row, name in zip(rows, names, strict=True):
        data, derived = take(pdf, row)
        assert derived
        assert take(pdf, row) == (data, True)
        with pikepdf.open(io.BytesIO(data)) as document:
            assert len(document.pages) == row.document.range.pages
            assert row.spool_sha256 in str(document.docinfo["/Subject"])
        assert row.document.metadata.customer_id == name
    assert take(pdf, rows[0], Form.SPOOL)[0] == (SAMPLES / "statements-8.pdf").read_bytes()
    with pytest.raises(OperatorFault, match="no bytes of its own"):
        take(pdf, rows[0], Form.EXACT)


def test_in_archivesspace_pages_have_the_fixity_of_their_spool(pdf: World) -> None:
    for row in rows_of(pdf):
        there = pdf.server.records.documents[row.document.identity]
        assert (there.sha256, there.size) == (row.spool_sha256, row.spool_size)


def spoil(world: World, offset: int) -> None:
    (path,) = (world.root / "store").rglob("statements-*.afp")
    path.chmod(0o600)
    with path.open("r+b") as stream:
        stream.seek(offset)
        byte = stream.read(1)
        stream.seek(offset)
        stream.write(bytes((byte[0] ^ 1,)))


@pytest.mark.parametrize("form", Form)
def test_nothing_comes_back_of_a_spool_that_changed_anywhere(afp: World, form: Form) -> None:
    rows = rows_of(afp)
    last = rows[-1].document.range
    spoil(afp, last.offset + last.length // 2)
    with pytest.raises(Corrupt):
        take(afp, rows[0], form)


def test_nothing_comes_back_of_a_range_that_is_not_what_was_journalled(afp: World) -> None:
    rows = rows_of(afp)
    journal = afp.running.journal

    class Shifted:
        def get_document(self, identity: str) -> CatalogueRow | None:
            row = journal.get_document(identity)
            assert row is not None
            place = replace(row.document.range, offset=row.document.range.offset + 1)
            return replace(row, document=replace(row.document, range=place))

    with (
        pytest.raises(Corrupt, match="journalled"),
        retrieve(Shifted(), afp.running.store, rows[0].document.identity),  # type: ignore[arg-type]
    ):
        raise AssertionError("it was given out")


def test_what_is_not_there(afp: World) -> None:
    with (
        pytest.raises(KeyError),
        retrieve(afp.running.journal, afp.running.store, "hf-" + "0" * 64),
    ):
        raise AssertionError("it was given out")


def test_a_part_of_plain_text_cannot_stand_alone(tmp_path: Path) -> None:
    profile = DocumentsProfile(index=IndexFormat.JSON, suffix=".json")
    world = Samples(root=tmp_path, documents=profile)
    world.start()
    lines = [
        json.dumps({"offset": n * 4, "length": 4, "customer": f"c{n}", "date": "2026-06-30"})
        for n in range(2)
    ]
    world.drop(b"one\ntwo\n", "\n".join(lines).encode() + b"\n", "text")
    world.settle()
    first, second = rows_of(world)
    assert take(world, second) == (b"two\n", False)
    with pytest.raises(OperatorFault, match="stand alone"):
        take(world, first, Form.ALONE)
    assert os.listdir(world.hot / "_failed") == []
    world.stop()
