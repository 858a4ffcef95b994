"""Request folders: every line of a request is accounted for in its answer."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.orders import RequestState
from hotfolder.core.profiles import (
    DocumentsProfile,
    HandedFormat,
    IndexFormat,
    RequestFolder,
    RetrieveProfile,
)
from hotfolder.core.records import Drop
from hotfolder.files.layout import make_folders
from hotfolder.store.ocfl import OcflStore
from tests.support.flow_world import World, content_of, sidecar_of
from tests.support.line import look

FREE = RetrieveProfile()
FOLDER = RequestFolder(name="ask", path="", business_units=("RETAIL",))


def made(root: Path, terms: RetrieveProfile = FREE, **changes: Any) -> World:
    (root / "ask").mkdir(exist_ok=True)
    make_folders(os.fsencode(root / "ask"))
    profile = replace(FOLDER, path=str(root / "ask"), **changes)
    world = World(root=root, outward={"requests": (profile,), "terms": terms})
    world.start()
    for number in range(4):
        content = content_of(f"c{number}", "text")
        world.drop(content, sidecar_of(content), "letter")
    world.settle()
    return world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = made(tmp_path)
    yield found
    found.stop()


def identities(world: World) -> list[str]:
    journal = world.running.journal
    return [row.document.identity for item in world.rows() for row in journal.documents_of(item.id)]


def ask(world: World, name: str, data: bytes) -> None:
    """Put a request into the folder, and let it be answered."""
    folder = world.root / "ask"
    (folder / name).write_bytes(data)
    drop = Drop(folder="ask", spool=look(folder, os.fsencode(name), "ask"))
    assert world.running.requests.claim("ask", [drop]) == 1
    world.running.requests.advance("ask")


def answer(world: World, name: str) -> tuple[Path, list[dict[str, Any]]]:
    place = world.root / "ask" / f"{name}.answer"
    lines: list[dict[str, Any]] = json.loads((place / "manifest.json").read_bytes())["lines"]
    rows = list(csv.DictReader(io.StringIO((place / "manifest.csv").read_text(), newline="")))
    assert [row["outcome"] for row in rows] == [line["fate"] for line in lines]
    named = {file for line in lines for file in line["files"]}
    assert {path.name for path in place.iterdir()} == named | {"manifest.json", "manifest.csv"}
    assert list((world.root / "ask" / "_working").iterdir()) == []
    return place, lines


def outcomes(lines: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(line["line"], line["fate"]) for line in lines]


def test_ids_and_criteria_are_answered(world: World) -> None:
    names = identities(world)
    wanted = [names[0], {"customer": "c1"}, {"type": "LETTER"}, "hf-nobody", {"case": "K"}]
    ask(world, "first.json", json.dumps(wanted).encode())
    place, lines = answer(world, "first")
    told = Counter(outcomes(lines))
    assert told == {
        (1, "given"): 1,
        (2, "given"): 1,
        (3, "given"): 4,
        (4, "unknown"): 1,
        (5, "unknown"): 1,
    }
    documents = sorted(path.read_bytes() for path in place.glob("*.txt"))
    assert documents == [content_of(f"c{number}", "text") for number in range(4)], "each once"
    chain = [row for row in world.running.journal.audit() if row.action == "document.returned"]
    assert Counter(row.subject for row in chain) == Counter(names)
    assert {row.details["to"] for row in chain} == {"requests.ask"}
    actions = [row.action for row in world.running.journal.audit()]
    assert actions.count("request.received") == actions.count("request.answered") == 1


def test_a_second_request_of_a_name_has_an_answer_of_its_own(world: World) -> None:
    for _ in range(2):
        ask(world, "first.csv", f"id\n{identities(world)[0]}\n".encode())
    assert (world.root / "ask" / "first.answer").is_dir()
    assert (world.root / "ask" / "first.1.answer").is_dir()


def test_documents_of_other_units_are_forbidden(tmp_path: Path) -> None:
    world = made(tmp_path, business_units=("CARDS",))
    ask(world, "a.json", json.dumps([identities(world)[0], {"type": "letter"}]).encode())
    place, lines = answer(world, "a")
    assert outcomes(lines) == [(1, "forbidden"), (2, "forbidden")]
    assert list(place.glob("*.txt")) == []
    world.stop()


def test_more_than_the_limit_is_too_many(tmp_path: Path) -> None:
    world = made(tmp_path, limit=3)
    ask(world, "a.json", json.dumps([{"type": "letter"}, *identities(world)]).encode())
    _, lines = answer(world, "a")
    assert outcomes(lines) == [
        (1, "too many"),
        (2, "given"),
        (3, "given"),
        (4, "given"),
        (5, "too many"),
    ]
    world.stop()


def test_what_was_destroyed_is_told_so(world: World) -> None:
    gone = "hf-" + "7" * 64
    world.running.journal.append_audit("keeper", "document.destroyed", gone, {}, 1)
    ask(world, "a.json", json.dumps([gone]).encode())
    assert outcomes(answer(world, "a")[1]) == [(1, "destroyed")]


def test_what_is_damaged_is_not_given(world: World) -> None:
    for path in (world.root / "store").rglob("*.txt"):
        if path.read_bytes() == content_of("c2", "text"):
            path.chmod(0o600)
            path.write_bytes(content_of("c2", "tExt"))
    ask(world, "a.json", json.dumps([{"type": "letter"}]).encode())
    place, lines = answer(world, "a")
    assert Counter(fate for _, fate in outcomes(lines)) == {"given": 3, "corrupt": 1}
    assert len(list(place.glob("*.txt"))) == 3
    assert [row.state for row in world.rows()].count(SpoolState.CORRUPT) == 1
    assert [event for event, _ in world.events].count("spool.corrupt") == 1


SAMPLE = Path(__file__).parent.parent / "samples" / "statements-40.afp"


@pytest.mark.parametrize("damaged", [False, True])
def test_a_spool_is_verified_once_for_all_that_is_asked_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, damaged: bool
) -> None:
    (tmp_path / "ask").mkdir()
    make_folders(os.fsencode(tmp_path / "ask"))
    world = World(
        root=tmp_path,
        documents=DocumentsProfile(index=IndexFormat.AFP),
        outward={"requests": (replace(FOLDER, path=str(tmp_path / "ask")),)},
    )
    world.start()
    for number in range(2):
        mine = SAMPLE.read_bytes().replace("C101".encode("cp500"), f"C10{number}".encode("cp500"))
        (world.hot / f"run{number}.afp").write_bytes(mine)
        world.settle()
    first, second = ([*world.running.journal.iterate_documents(row.id)] for row in world.rows())
    assert len(first) == len(second) == 40
    mixed = [row.document.identity for pair in zip(first, second, strict=True) for row in pair]
    if damaged:
        (path,) = (tmp_path / "store").rglob("run0.afp")
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    opened: list[str] = []
    read = OcflStore.open_content

    def count(store: OcflStore, spool_id: str, **more: Any) -> Any:
        opened.append(spool_id)
        return read(store, spool_id, **more)

    monkeypatch.setattr(OcflStore, "open_content", count)
    ask(world, "a.json", json.dumps(mixed).encode())
    assert len(opened) == 2
    _, lines = answer(world, "a")
    assert [line["identity"] for line in lines] == mixed
    wanted = {"given": 40, "corrupt": 40} if damaged else {"given": 80}
    assert Counter(fate for _, fate in outcomes(lines)) == wanted
    world.stop()


def test_what_only_archivesspace_knows(world: World) -> None:
    theirs = "hf-" + "5" * 64
    uri = world.server.save_stranger(theirs).uri
    world.server.up = False
    ask(world, "a.json", json.dumps([identities(world)[0], uri]).encode())
    (row,) = world.running.journal.open_requests("ask")
    assert (row.state, row.attempts) == (RequestState.RECEIVED, 1), "all of it waits"
    assert not (world.root / "ask" / "a.answer").exists()
    world.server.up = True
    world.clock.at += 3600
    assert world.running.requests.advance("ask") == 1
    _, lines = answer(world, "a")
    assert outcomes(lines) == [(1, "given"), (2, "not in the catalogue")]
    assert theirs in lines[1]["why"]


def test_a_reason_may_be_demanded(tmp_path: Path) -> None:
    world = made(tmp_path, terms=RetrieveProfile(reason_required=True))
    name = identities(world)[0]
    ask(world, "a.json", json.dumps([name]).encode())
    (note,) = (tmp_path / "ask" / "_failed").rglob("*.ERROR.txt")
    assert "does not say why" in note.read_text()
    assert not (tmp_path / "ask" / "a.answer").exists()
    ask(world, "b.csv", f"id;reason\n{name};dispute 4711\n".encode())
    assert outcomes(answer(world, "b")[1]) == [(2, "given")]
    (link,) = (row for row in world.running.journal.audit() if row.action == "document.returned")
    assert link.details["reason"] == "dispute 4711"
    world.stop()


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.json", b"["), ("a.csv", b"nobody\nx\n"), ("a.txt", b"hf-1"), ("a.json", b'["=1+1"')],
)
def test_what_is_no_request_goes_to_failed_with_a_note(
    world: World, name: str, data: bytes
) -> None:
    ask(world, name, data)
    folder = world.root / "ask"
    (file,) = (path for path in (folder / "_failed").rglob("a.*") if path.name == name)
    assert file.read_bytes() == data
    note = (file.parent / f"{name}.ERROR.txt").read_text()
    assert "What to do" in note
    assert list((folder / "_working").iterdir()) == []
    (row,) = world.running.journal.requests()
    assert row.state is RequestState.REJECTED
    assert row.id in note


def test_a_formula_stays_a_text_in_a_spreadsheet(world: World) -> None:
    ask(world, "a.json", json.dumps(["=HYPERLINK(1)"]).encode())
    text = (world.root / "ask" / "a.answer" / "manifest.csv").read_text()
    assert "'=HYPERLINK(1)" in text


def test_a_claim_whose_row_is_lost_goes_back(world: World) -> None:
    folder = world.root / "ask"
    (folder / "_working" / ("f" * 32)).mkdir()
    (folder / "_working" / ("f" * 32) / "old.json").write_bytes(b"[]")
    world.running.requests.recover("ask")
    assert (folder / "old.json").read_bytes() == b"[]"
    assert list((folder / "_working").iterdir()) == []


def test_the_sidecar_is_in_the_form_of_the_folder(tmp_path: Path) -> None:
    world = made(tmp_path, sidecar=HandedFormat.XML)
    ask(world, "a.json", json.dumps([identities(world)[0]]).encode())
    place, lines = answer(world, "a")
    assert [name.rpartition(".")[2] for name in lines[0]["files"]] == ["txt", "xml"]
    assert b"<entity>letter</entity>" in next(place.glob("*.xml")).read_bytes()
    world.stop()
