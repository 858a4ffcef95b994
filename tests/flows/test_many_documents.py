"""Spools that hold many documents, from the hot folder to the receipt and after losses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.errors import Fault
from hotfolder.core.holds import Criteria, HoldPhase
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.profiles import (
    Describe,
    DocumentsProfile,
    IndexFormat,
    OnBadDocument,
)
from hotfolder.core.query import DocumentQuery
from hotfolder.core.receipts import MOST_INLINE
from hotfolder.core.records import CatalogueRow, Role, SpoolRow
from hotfolder.flows.reading import SpoolReader
from hotfolder.store.ocfl import OcflStore
from tests.support.flow_world import POISON, World
from tests.support.server_model import Records

# The harness pairs ``x`` with ``x.json``: here that is the index.
INDEX = DocumentsProfile(index=IndexFormat.JSON, suffix=".json")
Entry = dict[str, object]


def made(root: Path, **documents: Any) -> World:
    world = World(root=root, unit_size=2, documents=replace(INDEX, **documents))
    world.start()
    return world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = made(tmp_path)
    yield world
    world.stop()


def entries_of(texts: Sequence[str]) -> tuple[bytes, list[Entry]]:
    """A spool of these texts, and a document of the index for each."""
    entries: list[Entry] = []
    place = 0
    for text in texts:
        length = len(text.encode())
        entries.append(
            {
                "offset": place,
                "length": length,
                "customer_id": text.split()[0],
                "document_type": "letter" if text.startswith("c") else "statement",
                "issue_date": "2026-06-30",
            }
        )
        place += length
    return "".join(texts).encode(), entries


def drop(world: World, *texts: str, name: str = "run", change: Entry | None = None) -> bytes:
    """Write a spool with its index; ``change`` alters the second document's entry."""
    content, entries = entries_of(texts)
    if change:
        entries[1].update(change)
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    world.drop(content, lines.encode(), name)
    return content


def take_in(world: World) -> None:
    world.claim(world.waiting_drops())
    while world.running.intake.advance():
        pass


def the_row(world: World, number: int = -1) -> SpoolRow:
    return sorted(world.rows(), key=lambda row: row.id)[number]


def documents(world: World, row: SpoolRow) -> list[CatalogueRow]:
    return list(world.running.journal.iterate_documents(row.id))


def check_archived(world: World, row: SpoolRow, content: bytes, texts: Sequence[str]) -> None:
    """Each text is a document of its own: found, described, and the bytes of its range."""
    rows = documents(world, row)
    assert [item.document.role for item in rows] == [Role.OWN] * len(texts)
    for item, text in zip(rows, texts, strict=True):
        place = item.document.range
        assert content[place.offset : place.offset + place.length] == text.encode()
        assert place.sha256 == hashlib.sha256(text.encode()).hexdigest()
        assert item.document.metadata.customer_id == text.split()[0]
        assert item.record_uri == world.server.records.documents[item.document.identity].uri
    assert len({item.document.identity for item in rows}) == len(texts)


def test_each_document_is_described_and_the_spool_is_kept_once(world: World) -> None:
    texts = ["a1 one,", "a2 two,", "c3 three,", "a4 four,", "a5 five"]
    content = drop(world, *texts)
    take_in(world)
    row = the_row(world)
    assert (row.state, row.documents, row.left_out) == (SpoolState.STORED, 5, 0)
    store = world.running.store
    with store.open_content(row.id) as stream:
        assert stream.read() == content
    lines = list(store.read_documents(row.id))
    assert [json.loads(line)["range"]["ordinal"] for line in lines] == [1, 2, 3, 4, 5]
    assert json.loads(store.read_metadata(row.id))["documents"] == 5
    world.settle()
    row = the_row(world)
    assert row.state is SpoolState.DONE
    check_archived(world, row, content, texts)
    (receipt,) = world.receipts()
    assert receipt["counts"] == {"archived": 5, "archived_before": 0, "skipped": 0, "refused": 0}
    assert [item["offset"] for item in receipt["documents"]] == [0, 7, 14, 23, 31]  # type: ignore[attr-defined]


def test_a_spool_is_delivered_when_its_last_unit_is_confirmed(world: World) -> None:
    drop(world, *(f"a{n} text," for n in range(7)))
    take_in(world)
    journal = world.running.journal
    row = the_row(world)
    left = []
    while journal.backlogs():
        assert the_row(world).state is SpoolState.STORED
        world.deliver(0)
        left.append(journal.unconfirmed([row.id])[row.id])
    assert left == [5, 3, 1, 0]
    assert the_row(world).state is SpoolState.DELIVERED


@pytest.mark.parametrize("describe", [Describe.DOCUMENTS, Describe.SPOOL])
def test_killed_at_every_point_each_document_is_archived_once(
    tmp_path: Path, describe: Describe
) -> None:
    texts = [f"a{n} text," for n in range(5)]
    for countdown in range(1, 60):
        root = tmp_path / str(countdown)
        root.mkdir()
        world = made(root, describe=describe)
        drop(world, *texts)
        world.arm(countdown)
        for _ in range(12):  # more steps than it takes
            if world.works is None:
                break
            world.claim(world.waiting_drops())
            if world.works is not None:
                world.advance()
            if world.works is not None:
                world.deliver(0)
            if world.works is not None:
                world.finish()
        died = world.works is None
        world.settle()
        records = world.server.records.documents
        assert len(records) == (len(texts) if describe is Describe.DOCUMENTS else 1)
        row = the_row(world)
        assert row.state is SpoolState.DONE
        assert all(
            item.record_uri in {there.uri for there in records.values()}
            for item in documents(world, row)
        )
        assert len(world.receipts()) == 1
        world.stop()
        if not died:
            assert countdown > 8, "the crash points were not reached"
            return
    raise AssertionError("it never got through")


def test_the_same_spool_again_is_a_duplicate(world: World) -> None:
    drop(world, "a1 one,", "a2 two,")
    world.settle()
    drop(world, "a1 one,", "a2 two,", name="again")
    world.settle()
    assert [row.state for row in world.rows()] == [SpoolState.DONE, SpoolState.DUPLICATE]
    assert len(world.server.records.documents) == 2


def test_of_a_run_sent_again_only_what_is_new_is_added(world: World) -> None:
    drop(world, "a1 one,", "a2 two,", "a3 three")
    world.settle()
    drop(world, "a1 one,", "a2 new,", "a4 four,", name="again")
    world.settle()
    row = the_row(world)
    assert (row.state, row.documents, row.left_out) == (SpoolState.DONE, 2, 1)
    found = documents(world, row)
    assert [item.document.range.ordinal for item in found] == [2, 3]
    assert [item.document.version for item in found] == [2, 1]
    assert len(world.server.records.documents) == 5
    assert world.receipts()[0]["counts"] == {
        "archived": 2,
        "archived_before": 1,
        "skipped": 0,
        "refused": 0,
    }


BAD = {
    "a date that is none": ({"issue_date": "2026-13-45"}, "field.date"),
    "no type": ({"document_type": None}, "field.missing"),
    "past the end": ({"length": 10_000}, "ranges.outside"),
    "over another": ({"offset": 3}, "ranges.overlap"),
    "another file": ({"file": "other.txt"}, "ranges.file"),
    "a path": ({"file": "../other.txt"}, "index.path"),
    "other bytes": ({"sha256": "ab" * 32}, "fixity.checksum"),
    "no length": ({"length": None}, "index.columns"),
}


@pytest.mark.parametrize(("change", "code"), BAD.values(), ids=BAD)
def test_one_bad_document_rejects_the_drop(world: World, change: Entry, code: str) -> None:
    content = drop(world, "a1 one,", "a2 two,", "a3 three", change=change)
    world.settle()
    row = the_row(world)
    assert row.state is SpoolState.REJECTED
    assert [fault.code for fault in row.faults] == [code]
    assert "line 2" in row.faults[0].place
    assert row.faults[0].file == "run.txt.json"
    (path,) = world.failed()
    assert path.read_bytes() == content
    assert not world.server.records.documents


@pytest.mark.parametrize(("change", "code"), BAD.values(), ids=BAD)
def test_or_it_is_skipped_and_named(tmp_path: Path, change: Entry, code: str) -> None:
    world = made(tmp_path, on_bad_document=OnBadDocument.SKIP)
    drop(world, "a1 one,", "a2 two,", "a3 three", change=change)
    world.settle()
    row = the_row(world)
    assert (row.state, row.documents, row.skipped) == (SpoolState.DONE, 2, 1)
    assert row.remarks[0].code == code
    assert len(world.server.records.documents) == 2
    (receipt,) = world.receipts()
    assert receipt["counts"] == {"archived": 2, "archived_before": 0, "skipped": 1, "refused": 0}
    assert receipt["remarks"][0]["code"] == code  # type: ignore[index]
    note = (world.hot / "_receipts" / "run.txt.ERROR.txt").read_text()
    assert "but for 1 of its documents" in note
    assert "line 2" in note
    assert ("spool.skipped", {"spool": row.id, "documents": 1}) in world.events
    world.stop()


def test_nothing_but_bad_documents_is_a_rejection(tmp_path: Path) -> None:
    world = made(tmp_path, on_bad_document=OnBadDocument.SKIP)
    content, entries = entries_of(["a1 one,"])
    entries[0]["issue_date"] = "soon"
    world.drop(content, json.dumps(entries[0]).encode() + b"\n", "run")
    world.settle()
    assert the_row(world).state is SpoolState.REJECTED
    world.stop()


@pytest.mark.parametrize("on_bad_document", OnBadDocument)
def test_where_all_are_bad_each_is_told(tmp_path: Path, on_bad_document: OnBadDocument) -> None:
    world = made(tmp_path, on_bad_document=on_bad_document)
    world.drop(b"a1 one,", b'{"offset": 0}\n{"offset": "x", "length": 3}\n', "run")
    world.settle()
    row = the_row(world)
    assert row.state is SpoolState.REJECTED
    assert [fault.code for fault in row.faults] == ["index.columns", "index.number"]
    world.stop()


@pytest.mark.parametrize("on_bad_document", OnBadDocument)
def test_what_was_wrong_before_the_index_broke_is_told_too(
    tmp_path: Path, on_bad_document: OnBadDocument
) -> None:
    world = made(tmp_path, on_bad_document=on_bad_document)
    world.drop(b"a1 one,", b'{"offset": 90, "length": 3}\n\n{"offset": 0, "len', "run")
    world.settle()
    row = the_row(world)
    assert row.state is SpoolState.REJECTED
    assert [fault.code for fault in row.faults] == ["ranges.outside", "index.truncated"]
    world.stop()


def test_an_index_cut_off_in_a_number_is_refused(tmp_path: Path) -> None:
    world = made(tmp_path, index=IndexFormat.CSV)
    index = b"customer_id,document_type,issue_date,offset,length\n"
    index += b"a1,statement,2026-06-30,0,4\na2,statement,2026-06-30,4,12\n"
    world.drop(b"one,and much more", index.removesuffix(b"2\n"), "run")
    world.settle()
    row = the_row(world)
    assert row.state is SpoolState.REJECTED
    assert [(fault.code, fault.place) for fault in row.faults] == [("index.truncated", "line 3")]
    world.stop()


def test_an_index_without_its_last_line_end_is_remarked(tmp_path: Path) -> None:
    world = made(tmp_path, index=IndexFormat.CSV)
    index = b"offset,length,document_type,issue_date,customer_id\n0,3,statement,2026-06-30,a1"
    world.drop(b"one", index, "run")
    world.settle()
    (receipt,) = world.receipts()
    assert receipt["remarks"][0]["code"] == "index.unended"  # type: ignore[index]
    world.stop()


def test_of_a_single_document_the_receipt_tells_place_and_gaps(world: World) -> None:
    entry = {"offset": 7, "length": 3, "document_type": "statement", "issue_date": "2026-06-30"}
    world.drop(b"banner one", json.dumps(entry).encode() + b"\n", "run")
    world.settle()
    (receipt,) = world.receipts()
    place = receipt["documents"][0]  # type: ignore[index]
    assert (place["offset"], place["size"]) == (7, 3)
    assert receipt["remarks"][0]["code"] == "ranges.gap"  # type: ignore[index]


@pytest.mark.parametrize(
    ("first", "last", "byte"), [(0, 0, None), (3, 0, 17 * 2 + 3), (0, -1, 17 * 4 - 1)]
)
def test_an_index_that_cuts_fields_of_an_afp_file_is_refused(
    world: World, first: int, last: int, byte: int | None
) -> None:
    kinds = ("a8a8", "a8af", "a9af", "a8af", "a9af", "a9a8")  # two pages in a document
    fields = [b"\x5a\0\x10\xd3%b\0\0\0DOCUMENT" % bytes.fromhex(kind) for kind in kinds]
    # The first page is left to nobody: only the bytes count.
    entry = {
        "offset": 17 * 2 + first,
        "length": 17 * 2 - first + last,
        "document_type": "statement",
        "issue_date": "2026-06-30",
    }
    world.drop(b"".join(fields), json.dumps(entry).encode() + b"\n", "run")
    world.settle()
    row = the_row(world)
    if byte is None:
        assert row.state is SpoolState.DONE
        return
    (fault,) = row.faults
    assert (fault.code, fault.place) == ("ranges.field", "line 1 (document 1)")
    assert f"at byte {byte}," in fault.message


def test_an_index_of_nothing_is_called_so(world: World) -> None:
    world.drop(b"a1 one,", b"\n", "run")
    world.settle()
    (fault,) = the_row(world).faults
    assert (fault.code, fault.file) == ("documents.none", "run.txt.json")
    assert fault.message == "the index has no document"


def test_a_spool_that_tells_no_document_is_not_called_an_index(tmp_path: Path) -> None:
    world = made(tmp_path, index=IndexFormat.AFP, suffix="")
    fields = (b"\xd3\xa8\xc6", b"\xd3\xa9\xc6")  # a resource group, and nothing else
    world.drop(b"".join(b"\x5a\0\x10" + kind + b"\0\0\0RESGROUP" for kind in fields), None, "run")
    world.settle()
    (fault,) = the_row(world).faults
    assert (fault.code, fault.file) == ("documents.none", "run.txt")
    assert "index" not in fault.message
    world.stop()


def test_an_index_without_end_of_faults_tells_the_first_hundred(world: World) -> None:
    content, entries = entries_of(["a1 one,"] * 300)
    lines = "".join(json.dumps({**entry, "issue_date": "x"}) + "\n" for entry in entries)
    world.drop(content, lines.encode(), "run")
    world.settle()
    assert len(the_row(world).faults) == 100


# -- one record for the whole spool ------------------------------------------------------
def test_a_spool_may_be_described_as_a_whole(tmp_path: Path) -> None:
    world = made(tmp_path, describe=Describe.SPOOL)
    content = drop(world, "a1 one,", "a2 two,", "a3 three")
    world.settle()
    row = the_row(world)
    (there,) = world.server.records.documents.values()
    assert (there.sha256, there.size) == (hashlib.sha256(content).hexdigest(), len(content))
    rows = documents(world, row)
    assert [item.document.role for item in rows] == [Role.CARRIED] * 3 + [Role.CARRIER]
    assert {item.record_uri for item in rows} == {there.uri}
    assert row.documents == 3
    status = world.running.journal.status()
    assert (status.documents, status.documents_confirmed) == (3, 3)
    (receipt,) = world.receipts()
    assert [item["ordinal"] for item in receipt["documents"]] == [1, 2, 3]  # type: ignore[attr-defined]
    drop(world, "a1 one,", "a2 two,", "a3 three", name="again")
    world.settle()
    assert the_row(world).state is SpoolState.DUPLICATE
    world.stop()


def test_a_lost_record_of_a_spool_is_made_again(tmp_path: Path) -> None:
    world = made(tmp_path, describe=Describe.SPOOL)
    drop(world, "a1 one,", "a2 two,")
    world.settle()
    world.server.restore(Records())
    world.running.replay.compare()
    row = the_row(world)
    assert world.running.journal.unconfirmed([row.id]) == {row.id: 2}
    world.settle()
    assert len(world.server.records.documents) == 1
    assert world.running.journal.unconfirmed([row.id]) == {row.id: 0}
    world.stop()


def test_spools_of_two_series_cannot_be_described_as_a_whole(tmp_path: Path) -> None:
    world = made(tmp_path, describe=Describe.SPOOL)
    drop(world, "a1 one,", "c2 two,")
    world.settle()
    assert [fault.code for fault in the_row(world).faults] == ["documents.series"]
    world.stop()


def test_auto_describes_few_documents_and_many_as_a_spool(tmp_path: Path) -> None:
    world = made(tmp_path, describe=Describe.AUTO, describe_limit=2)
    drop(world, "a1 one,", "a2 two,")
    world.settle()
    assert len(world.server.records.documents) == 2
    drop(world, "b1 one,", "b2 two,", "b3 three", name="more")
    world.settle()
    assert len(world.server.records.documents) == 3
    drop(world, "b4 one,", "c5 two,", "b6 three", name="mixed")
    world.settle()
    assert len(world.server.records.documents) == 6
    world.stop()


def test_bytes_that_have_a_record_already_are_described_one_by_one(tmp_path: Path) -> None:
    world = made(tmp_path, describe=Describe.SPOOL)
    content = drop(world, "a1 one,", "a2 two,")
    world.settle()
    # The same bytes, but the index says otherwise whose they are.
    entries = entries_of(["a1 one,", "a2 two,"])[1]
    lines = "".join(json.dumps({**item, "customer_id": "z"}) + "\n" for item in entries)
    world.drop(content, lines.encode(), "again")
    world.settle()
    row = the_row(world)
    assert row.state is SpoolState.DONE
    assert [item.document.role for item in documents(world, row)] == [Role.OWN] * 2
    world.stop()


# -- many ------------------------------------------------------------------------------
def test_the_receipt_of_very_many_is_a_file_of_lines(tmp_path: Path) -> None:
    world = made(tmp_path, describe=Describe.SPOOL)
    count = MOST_INLINE + 1
    drop(world, *(f"a{n} text," for n in range(count)))
    world.settle()
    (receipt,) = world.receipts()
    assert receipt["documents"] == []
    listed = world.hot / "_receipts" / str(receipt["documents_file"])
    lines = [json.loads(line) for line in listed.read_bytes().splitlines()]
    assert [line["ordinal"] for line in lines] == list(range(1, count + 1))
    assert all(line["confirmed"] for line in lines)
    world.stop()


@pytest.mark.parametrize("describe", [Describe.DOCUMENTS, Describe.SPOOL])
def test_a_lost_journal_is_rebuilt_with_every_document(tmp_path: Path, describe: Describe) -> None:
    world = made(tmp_path, describe=describe)
    drop(world, *(f"a{n} text," for n in range(5)))
    drop(world, "a1 new,", "b one,", name="more")
    world.settle()
    before = {row.id: [item.document for item in documents(world, row)] for row in world.rows()}
    uris = {
        item.document.identity: item.record_uri
        for row in world.rows()
        for item in documents(world, row)
    }
    world.lose_journal()
    world.rebuild()
    after = {row.id: [item.document for item in documents(world, row)] for row in world.rows()}
    assert after == before
    world.settle()
    assert uris == {
        item.document.identity: item.record_uri
        for row in world.rows()
        for item in documents(world, row)
    }
    assert len(world.server.records.documents) == (7 if describe is Describe.DOCUMENTS else 2)
    world.stop()


@pytest.mark.parametrize("describe", [Describe.DOCUMENTS, Describe.SPOOL])
def test_a_rebuilt_journal_knows_the_holds(tmp_path: Path, describe: Describe) -> None:
    world = made(tmp_path, describe=describe)
    drop(world, *(f"a{n} text," for n in range(5)))
    world.settle()
    (row,) = world.rows()
    chosen = documents(world, row)[2].document.identity
    hold = world.running.holding.place(
        matter="M-1", criteria=Criteria(identities=(chosen,)), actor="anna", mandate="ZPO"
    )
    gone = world.running.holding.place(
        matter="M-2", criteria=Criteria(identities=(chosen,)), actor="anna"
    )
    world.running.holding.release(gone.id, actor="anna", reason="a mistake")
    world.lose_journal()
    world.rebuild()
    while world.running.holding.step() == 0.0:
        pass
    journal = world.running.journal
    (known,) = journal.holds(released=True)
    assert (known.id, known.matter, known.placed_at) == (hold.id, "M-1", hold.placed_at)
    assert known.phase is HoldPhase.PLACED
    assert journal.held_documents(hold.id) == [chosen]
    assert world.running.store.holds_on(row.id) == (hold.id,)
    world.stop()


def test_a_daemon_that_is_to_stop_gives_up_the_reading_and_does_it_anew(world: World) -> None:
    texts = [f"a{n} text," for n in range(5)]
    content = drop(world, *texts)
    world.claim(world.waiting_drops())
    world.running.intake.interrupt()
    world.advance()
    row = the_row(world)
    assert (row.state, row.last_error) == (SpoolState.CLAIMED, "daemon.stopping")
    world.stop()
    world.start()
    world.settle()
    check_archived(world, the_row(world), content, texts)


# -- what the server will not have -------------------------------------------------------
def test_a_document_that_is_refused_is_left_out_and_named(world: World) -> None:
    """The others have records by then: the spool cannot go back for one of them."""
    texts = [f"a{n} text," for n in range(5)]
    drop(world, *texts, change={"title": POISON})
    world.settle()
    row = the_row(world)
    assert (row.state, row.documents, row.refused) == (SpoolState.DONE, 5, 1)
    rows = documents(world, row)
    assert [item.document.role for item in rows] == [
        Role.REFUSED if n == 1 else Role.OWN for n in range(5)
    ]
    assert [item.record_uri is None for item in rows] == [n == 1 for n in range(5)]
    assert len(world.server.records.documents) == 4
    (receipt,) = world.receipts()
    assert receipt["counts"] == {
        "archived": 4,
        "archived_before": 0,
        "skipped": 0,
        "refused": 1,
    }
    assert [item["confirmed"] for item in receipt["documents"]] == [  # type: ignore[attr-defined]
        n != 1 for n in range(5)
    ]
    note = (world.hot / "_receipts" / "run.txt.ERROR.txt").read_text()
    assert "document 2" in note
    # It is found, and given back, all the same.
    journal = world.running.journal
    found = journal.find_documents(DocumentQuery(customer_id="a1"), 10)
    assert [item.document.identity for item in found] == [rows[1].document.identity]


def test_once_the_server_has_been_put_right_it_is_tried_again(world: World) -> None:
    drop(world, *(f"a{n} text," for n in range(5)), change={"title": POISON})
    world.settle()
    row = the_row(world)
    journal = world.running.journal
    world.server.refuses = lambda _row: None
    assert journal.readmit_documents(row.id, world.clock.now()) == 1
    assert journal.unconfirmed([row.id]) == {row.id: 1}
    world.settle()
    assert len(world.server.records.documents) == 5
    assert journal.unconfirmed([row.id]) == {row.id: 0}
    assert the_row(world).refused == 0


def test_a_spool_whose_only_record_is_refused_goes_back(tmp_path: Path) -> None:
    world = made(tmp_path, describe=Describe.SPOOL)
    world.server.refuses = lambda _row: "title: no"
    content = drop(world, "a1 one,", "a2 two,")
    world.settle()
    assert the_row(world).state is SpoolState.REJECTED
    (path,) = world.failed()
    assert path.read_bytes() == content
    world.stop()


def test_a_forged_record_concerns_its_own_document(world: World) -> None:
    texts = [f"a{n} text," for n in range(5)]
    drop(world, *texts)
    world.settle()
    row = the_row(world)
    forged = documents(world, row)[2].document.identity
    there = world.server.records.documents[forged]
    world.server.records.documents[forged] = replace(there, sha256="0" * 64)
    world.running.replay.compare(verify=True)
    row = the_row(world)
    assert row.state is SpoolState.DONE
    assert [fault.code for fault in row.remarks] == ["archive.differs"]
    world.running.replay.compare(verify=True)
    assert len(the_row(world).remarks) == 1


def test_a_record_of_somebody_else_is_not_overwritten(world: World) -> None:
    drop(world, *(f"a{n} text," for n in range(5)))
    take_in(world)
    row = the_row(world)
    taken = documents(world, row)[3].document.identity
    world.deliver(0)
    foreign = next(iter(world.server.records.documents.values()))
    world.server.records.documents[taken] = replace(foreign, identity=taken, sha256="0" * 64)
    world.settle()
    row = the_row(world)
    assert (row.state, row.refused) == (SpoolState.DONE, 1)
    assert world.server.records.documents[taken].sha256 == "0" * 64


@pytest.mark.parametrize("while_it_is", ["read", "stored"])
def test_what_is_held_meanwhile_stays_held(world: World, while_it_is: str) -> None:
    texts = [f"a{n} text," for n in range(5)]
    content = drop(world, *texts)
    world.claim(world.waiting_drops())
    works = world.running
    fault = Fault(code="operator.hold", message="wait", remedy="release it")

    def hold() -> None:
        works.journal.set_aside(the_row(world).id, SpoolState.HELD, [fault], 5)

    owner: type = SpoolReader if while_it_is == "read" else OcflStore
    name = "read" if while_it_is == "read" else "write_spools"
    original = getattr(owner, name)

    def held(self: object, *given: object, **named: object) -> object:
        hold()
        return original(self, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, held)
        while works.intake.advance():
            pass
    assert the_row(world).state is SpoolState.HELD
    world.settle()
    check_archived(world, the_row(world), content, texts)
