"""Evidence: what goes into a bag, what must not, and that judges of all kinds accept it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import tracemalloc
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import bagit
import pytest

from hotfolder.core.documenttree import root_of
from hotfolder.core.errors import Corrupt, OperatorFault, Transient
from hotfolder.core.evidence import EvidenceForm
from hotfolder.core.ports import Desk
from hotfolder.core.profiles import Describe
from tests.support import bags
from tests.support.flow_world import World


@pytest.fixture
def afp(tmp_path: Path) -> Iterator[World]:
    world = bags.afp_world(tmp_path)
    yield world
    world.stop()


@pytest.fixture
def letter(tmp_path: Path) -> Iterator[World]:
    world = bags.letter_world(tmp_path)
    yield world
    world.stop()


def holds(path: Path, *arguments: str) -> str:
    """What verify.py says of a bag that it must accept."""
    done = bags.judge(path, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    return done.stdout


def names_in(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name.partition("/")[2] for name in archive.namelist()}


def read(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        (full,) = (item for item in archive.namelist() if item.endswith(f"/{name}"))
        return archive.read(full)


def read_json(path: Path, name: str) -> Any:
    return json.loads(read(path, name))


def test_a_document_of_many_is_proved_without_the_others(afp: World, tmp_path: Path) -> None:
    rows = bags.documents(afp)
    row = rows[7]
    path = tmp_path / "evidence.zip"
    made = bags.make(afp, row.document.identity, path)
    assert (made.form, made.shared, made.size) == (EvidenceForm.PROOF, True, path.stat().st_size)
    words = holds(path, "--key", bags.fingerprint(bags.KEY))
    assert "number 8 of the 40" in words
    place = row.document.range
    whole = (bags.SAMPLES / "statements-40.afp").read_bytes()
    exact = whole[place.offset : place.offset + place.length]
    assert read(path, "data/document/document.afp") == exact
    assert exact in read(path, "data/document/derived.afp")
    assert json.loads(read(path, "data/metadata/document.json"))["identity"] == made.identity


def test_nothing_of_the_other_customers_is_in_it(afp: World, tmp_path: Path) -> None:
    rows = bags.documents(afp)
    path = tmp_path / "evidence.zip"
    bags.make(afp, rows[7].document.identity, path)
    data = path.read_bytes()
    mine = rows[7].document.metadata
    for row in rows:
        other = row.document.metadata
        for value in (other.customer_id, other.account_number, other.customer_name):
            if value and value not in (mine.customer_id, mine.account_number, mine.customer_name):
                assert value.encode() not in data
                assert value.encode("cp500", "replace") not in data
        if row is not rows[7]:
            assert row.document.identity.encode() not in data
            assert row.document.range.sha256.encode() not in data
    assert not {name for name in names_in(path) if "spool" in name or "jsonl" in name}
    assert mine.customer_id is not None
    assert mine.customer_id.encode() in data  # the search would find what is there
    assert mine.customer_id.encode("cp500") in data


def test_the_whole_spool_only_when_asked_for_and_with_a_warning(afp: World, tmp_path: Path) -> None:
    row = bags.documents(afp)[7]
    path = tmp_path / "evidence.zip"
    made = bags.make(afp, row.document.identity, path, with_spool=True)
    assert (made.form, made.shared) == (EvidenceForm.SPOOL, True)
    assert "that range of the spool, which is here" in holds(path)
    spool = (bags.SAMPLES / "statements-40.afp").read_bytes()
    assert read(path, "data/store/spool.afp") == spool
    assert read(path, "data/store/documents.jsonl").count(b"\n") == 40
    assert "CUSTOMERS OTHER THAN" in read(path, "data/summary.html").decode()
    assert "CUSTOMERS OTHER THAN" in read(path, "bag-info.txt").decode()


def test_a_spool_of_one_document_is_the_document(letter: World, tmp_path: Path) -> None:
    (row,) = bags.documents(letter)
    path = tmp_path / "evidence.zip"
    made = bags.make(letter, row.document.identity, path)
    assert (made.form, made.shared) == (EvidenceForm.DOCUMENT, False)
    holds(path)
    assert read(path, "data/document/document.txt") == b"c1 a letter"
    assert json.loads(read(path, "data/store/sidecar-1.json"))["customer_id"] == "c1"
    assert not {name for name in names_in(path) if "derived" in name or "proof" in name}
    # Without the spool there is still the document, which is the spool.
    made = bags.make(letter, row.document.identity, path, with_spool=False)
    assert made.form is EvidenceForm.DOCUMENT


def test_a_withheld_document_does_not_go_in_with_another_of_its_customer(tmp_path: Path) -> None:
    world = two_letters(tmp_path, "c1", "c1")
    withheld, stays = bags.documents(world)
    with closing(sqlite3.connect(world.root / "journal.db")) as conn, conn:
        conn.execute(
            "UPDATE documents SET disposition = 'withheld' WHERE identity = ?",
            (withheld.document.identity,),
        )
    path = tmp_path / "evidence.zip"
    made = bags.make(world, stays.document.identity, path)
    assert made.form is EvidenceForm.PROOF
    holds(path)
    assert not {name for name in names_in(path) if "spool" in name}


def test_a_spool_whose_documents_are_all_of_one_customer_goes_in(tmp_path: Path) -> None:
    world = two_letters(tmp_path, "c1", "c1")
    path = tmp_path / "evidence.zip"
    made = bags.make(world, bags.documents(world)[0].document.identity, path)
    assert (made.form, made.shared) == (EvidenceForm.SPOOL, False)
    holds(path)
    assert read(path, "data/store/sidecar-1.json").count(b"customer") == 2
    world.stop()


@pytest.mark.parametrize("customers", [("c1", "c2"), ("", "")])
def test_one_that_may_be_of_several_does_not(tmp_path: Path, customers: tuple[str, str]) -> None:
    world = two_letters(tmp_path, *customers)
    path = tmp_path / "evidence.zip"
    made = bags.make(world, bags.documents(world)[0].document.identity, path)
    assert (made.form, made.shared) == (EvidenceForm.PROOF, True)
    holds(path)
    # The index names the other document, too; it is in the bag only with the spool.
    assert not {name for name in names_in(path) if "sidecar" in name}
    assert b'"n1"' not in path.read_bytes()
    bags.make(world, made.identity, path, with_spool=True)
    assert b'"n1"' in read(path, "data/store/sidecar-1.json")
    world.stop()


def two_letters(root: Path, first: str, second: str) -> World:
    from hotfolder.core.profiles import DocumentsProfile, IndexFormat

    world = bags.Samples(
        root=root, documents=DocumentsProfile(index=IndexFormat.JSON, suffix=".json")
    )
    world.start()
    lines = [
        json.dumps({"offset": place * 4, "length": 4, "date": "2026-06-30", "title": f"n{place}"}
                   | ({"customer": customer} if customer else {"account_number": f"a{place}"}))
        for place, customer in enumerate((first, second))
    ]  # fmt: skip
    world.drop(b"one\ntwo\n", "\n".join(lines).encode() + b"\n", "text")
    world.settle()
    return world


def test_after_a_rebuild_nobody_knows_who_else_is_in_a_spool(tmp_path: Path) -> None:
    world = two_letters(tmp_path, "c1", "c1")
    world.lose_journal()
    world.rebuild()
    path = tmp_path / "evidence.zip"
    made = bags.make(world, bags.documents(world)[1].document.identity, path)
    assert (made.form, made.shared) == (EvidenceForm.PROOF, True)
    assert "number 2 of the 2" in holds(path)
    world.stop()


def test_pages_of_a_pdf_say_that_they_are_derived(tmp_path: Path) -> None:
    world = bags.pdf_world(tmp_path)
    row = bags.documents(world)[2]
    path = tmp_path / "evidence.zip"
    for with_spool, form in ((None, EvidenceForm.PROOF), (True, EvidenceForm.SPOOL)):
        made = bags.make(world, row.document.identity, path, with_spool=with_spool)
        assert made.form is form
        assert [gap["code"] for gap in made.gaps] == ["pages", "archivesspace"]
        assert "were taken out of it by hotfolder" in holds(path)
        assert read(path, "data/document/derived.pdf").startswith(b"%PDF")
        assert "data/document/document.pdf" not in names_in(path)
    world.stop()


def test_the_record_of_a_whole_spool_is_nobodys_evidence(tmp_path: Path) -> None:
    world = bags.afp_world(tmp_path, describe=Describe.SPOOL)
    *documents, carrier = bags.documents(world)
    path = tmp_path / "evidence.zip"
    with pytest.raises(OperatorFault, match="several customers"):
        bags.make(world, carrier.document.identity, path)
    assert not path.exists()
    bags.make(world, carrier.document.identity, path, with_spool=True)
    holds(path)
    bags.make(world, documents[3].document.identity, path)
    assert "number 4 of the 41" in holds(path)
    world.stop()


def test_libraries_of_others_accept_the_bag(afp: World, tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    bags.make(afp, bags.documents(afp)[0].document.identity, path, with_spool=True)
    folder = bags.unpack(path, tmp_path / "unpacked")
    bag = bagit.Bag(str(folder))
    assert bag.validate(completeness_only=False)
    assert bag.version_info == (1, 0)
    assert set(bag.algorithms) == {"sha256", "sha512"}
    assert bag.info["External-Identifier"] == bags.documents(afp)[0].document.identity
    holds(folder)


def test_a_second_bag_tells_of_the_first(letter: World, tmp_path: Path) -> None:
    (row,) = bags.documents(letter)
    first = bags.make(letter, row.document.identity, tmp_path / "first.zip")
    bags.make(letter, row.document.identity, tmp_path / "second.zip")
    audit = read(tmp_path / "second.zip", "data/custody/audit.json").decode()
    assert first.sha256 in audit
    assert b"evidence.made" not in read(tmp_path / "first.zip", "data/custody/audit.json")
    holds(tmp_path / "second.zip")


def test_memory_does_not_grow_with_the_spool(tmp_path: Path) -> None:
    size = 64 << 20
    world = bags.letter_world(tmp_path, b"c1 " + bytes(size))
    (row,) = bags.documents(world)
    tracemalloc.start()
    bags.make(world, row.document.identity, tmp_path / "evidence.zip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "evidence.zip").stat().st_size > size
    assert peak < 24 << 20
    holds(tmp_path / "evidence.zip")
    world.stop()


def test_storing_commits_to_each_document(afp: World) -> None:
    (spool,) = afp.rows()
    (row,) = (
        item for item in afp.running.journal.audit_of([spool.id]) if item.action == "spool.stored"
    )
    lines = afp.running.store.read_documents(spool.id)
    assert row.details["documents_root"] == root_of(lines)
    assert row.details["documents"] == 40


def test_making_it_is_on_the_audit_chain(letter: World, tmp_path: Path) -> None:
    (row,) = bags.documents(letter)
    made = bags.make(letter, row.document.identity, tmp_path / "evidence.zip")
    (audited,) = (
        item
        for item in letter.running.journal.audit_of([row.document.identity])
        if item.action == "evidence.made"
    )
    assert audited.actor == "anna"
    assert audited.details == {
        "sha256": made.sha256,
        "size": made.size,
        "form": "document",
        "reason": "",
    }


def test_a_bag_that_cannot_be_written_leaves_nothing(letter: World, tmp_path: Path) -> None:
    (row,) = bags.documents(letter)
    place = tmp_path / "missing" / "evidence.zip"
    with pytest.raises(OperatorFault):
        bags.make(letter, row.document.identity, place)
    actions = [item.action for item in letter.running.journal.audit_of([row.document.identity])]
    assert "evidence.made" not in actions


def test_without_a_key_the_bag_says_so(letter: World, tmp_path: Path) -> None:
    (row,) = bags.documents(letter)
    path = tmp_path / "evidence.zip"
    made = bags.make(letter, row.document.identity, path, key=None)
    assert [gap["code"] for gap in made.gaps] == ["signature", "archivesspace"]
    assert "nobody's signature" in holds(path)
    assert read_json(path, "data/evidence.json")["unsigned"] == "no signing key is configured"
    assert bags.judge(path, "--strict").returncode == 1
    assert "nobody&#x27;s signature" in read(path, "data/summary.html").decode()


def test_a_row_is_proved_in_the_first_signed_tree_that_has_it(
    letter: World, tmp_path: Path
) -> None:
    (row,) = bags.documents(letter)
    journal = letter.running.journal
    bags.sign_now(journal, letter.clock.now())
    first = journal.audit_size() - 1
    journal.append_audit("x", "other.thing", "somewhere", {}, letter.clock.now())
    bags.sign_now(journal, letter.clock.now())
    path = tmp_path / "evidence.zip"
    bags.make(letter, row.document.identity, path)
    heads = read_json(path, "data/custody/heads.json")["heads"]
    assert next(item["head"]["tree_size"] for item in heads) == first
    for item in read_json(path, "data/custody/audit.json")["rows"]:
        assert len(item["proofs"]) == 2
    assert "(heads: 2)" in holds(path)


def test_nothing_is_made_of_what_is_damaged(afp: World, tmp_path: Path) -> None:
    rows = bags.documents(afp)
    (path,) = (afp.root / "store").rglob("statements.afp")
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(Corrupt):
        bags.make(afp, rows[0].document.identity, tmp_path / "evidence.zip")
    assert not (tmp_path / "evidence.zip").exists()


def test_nor_of_what_there_is_not(letter: World, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        bags.make(letter, "hf-" + "0" * 64, tmp_path / "evidence.zip")


# -- ArchivesSpace ---------------------------------------------------------------------
class Counter:
    """The part of a ``Desk`` that evidence asks: what the server would answer."""

    def __init__(self, answer: Mapping[str, object] | Exception | None) -> None:
        self.answer = answer

    def read_records(self, business_unit: str, identity: str) -> Mapping[str, object] | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def asked(world: World, path: Path, answer: Mapping[str, object] | Exception | None) -> Any:
    desk = cast("Desk", Counter(answer))
    (row, *_) = bags.documents(world)
    bags.make(world, row.document.identity, path, desk=desk)
    holds(path)
    return read_json(path, "data/evidence.json")["archivesspace"]


def record_of(world: World) -> dict[str, Any]:
    (row, *_) = bags.documents(world)
    return {
        "digital_object": {
            "uri": "/repositories/2/digital_objects/7",
            "digital_object_id": row.document.identity,
            "title": row.document.title,
            "dates": [{"label": "issued", "begin": str(row.document.metadata.issue_date)}],
            "external_ids": [{"external_id": f"cust:{row.document.metadata.customer_id}"}],
            "file_versions": [
                {
                    "checksum": row.file_fixity[0],
                    "checksum_method": "sha-256",
                    "file_size_bytes": row.file_fixity[1],
                }
            ],
        },
        "archival_objects": [{"uri": "/repositories/2/archival_objects/1", "notes": ["of all"]}],
        "events": [
            {
                "uri": "/repositories/2/events/1",
                "outcome_note": "about this",
                "linked_records": [{"ref": "/repositories/2/digital_objects/7"}],
            },
            {
                "uri": "/repositories/2/events/2",
                "outcome_note": "about Mr Other",
                "linked_records": [
                    {"ref": "/repositories/2/digital_objects/7"},
                    {"ref": "/repositories/2/digital_objects/8"},
                ],
            },
        ],
    }


def test_the_records_are_in_it_as_they_are_now(letter: World, tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    records = record_of(letter)
    told = asked(letter, path, records)
    assert (told["asked"], told["found"], told["differences"]) == (True, True, 0)
    assert read_json(path, "data/archivesspace/records.json") == records
    records["digital_object"]["title"] = "<b>edited</b>"
    records["digital_object"]["file_versions"][0]["checksum"] = "0" * 64
    told = asked(letter, tmp_path / "second.zip", records)
    assert told["differences"] == 2
    listed = read_json(tmp_path / "second.zip", "data/archivesspace/differences.json")
    assert [item["field"] for item in listed["differences"]] == ["title", "checksum"]


def test_notes_about_others_are_left_out_where_there_are_others(afp: World, tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    asked(afp, path, record_of(afp))
    data = path.read_bytes()
    assert b"about this" in data
    assert b"Mr Other" not in data
    assert b"of all" not in data
    left_out = read_json(path, "data/archivesspace/differences.json")["left_out"]
    assert [item["field"] for item in left_out] == ["outcome_note", "notes"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Transient("ArchivesSpace does not answer"), "not asked: ArchivesSpace does not answer"),
        (OperatorFault("the login is refused"), "not asked: the login is refused"),
        (None, "asked: it has no record"),
    ],
)
def test_what_could_not_be_asked_is_said(
    letter: World, tmp_path: Path, answer: Exception | None, words: str
) -> None:
    path = tmp_path / "evidence.zip"
    told = asked(letter, path, answer)
    assert told["words"].startswith(words)
    assert not told["found"]
    assert not {name for name in names_in(path) if "archivesspace" in name}
    assert words in read(path, "data/summary.html").decode()
    assert "What ArchivesSpace holds of the document is not here" in holds(path)


def test_the_summary_fits_on_a_page(afp: World, tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    asked(afp, path, record_of(afp))
    page = read(path, "data/summary.html").decode().partition("<body>")[2]
    blocks = re.split(r"</(?:tr|li|p|h1|h2)>", page)
    texts = [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", block)).strip() for block in blocks]
    # 8 pt on 190 mm: some 130 characters a line; 1.25 lines each on 277 mm, with headings.
    lines = sum(-(-len(text) // 130) for text in texts)
    assert 30 < lines < 68
    assert texts[0] == "Evidence of a document that was sent"  # it is text without its tags


# -- hostile input -----------------------------------------------------------------------
def test_hostile_metadata_is_text_in_the_summary(tmp_path: Path) -> None:
    title = "<script>alert(1)</script>\u202egnp.exe&amp;\"'"
    world = bags.letter_world(tmp_path, title=title, template="</td></table><img src=x>")
    (row,) = bags.documents(world)
    path = tmp_path / "evidence.zip"
    bags.make(world, row.document.identity, path)
    holds(path)
    page = read(path, "data/summary.html").decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "\\u202egnp" in page
    tags = re.findall(r"<[^>]*>", page)
    assert not [tag for tag in tags if re.search(r"\s(?:src|href|on\w+)\s*=", tag)]
    world.stop()


@pytest.mark.parametrize(
    "name",
    [b"..\\..\\x.txt", b"a%2Fb\nc.txt", b"-rf.txt", b"\xff\xfe.txt", b"CON.t<x>t", b"=1+1.txt"],
)
def test_no_name_from_outside_gets_into_a_bag(tmp_path: Path, name: bytes) -> None:
    world = World(root=tmp_path)
    world.start()
    sidecar = b'{"customer_id": "c1", "document_type": "letter", "issue_date": "2026-06-30"}'
    hot = os.fsencode(world.hot)
    with open(os.path.join(hot, name + b".json"), "wb") as stream:
        stream.write(sidecar)
    with open(os.path.join(hot, name), "wb") as stream:
        stream.write(b"c1 hello")
    world.settle()
    (row,) = bags.documents(world)
    path = tmp_path / "evidence.zip"
    bags.make(world, row.document.identity, path)
    holds(path)
    plain = re.compile(r"evidence-hf-[0-9a-f]{16}/[a-z0-9./-]+")
    with zipfile.ZipFile(path) as archive:
        assert all(plain.fullmatch(item) for item in archive.namelist())
    bagit.Bag(str(bags.unpack(path, tmp_path / "unpacked"))).validate()
    world.stop()
