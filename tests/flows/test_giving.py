"""Documents given to somebody: on the record first, whole or not at all, told once."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core import crashpoints
from hotfolder.core.crashpoints import GIVE_POINTS
from hotfolder.core.errors import Corrupt, OperatorFault, Transient
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.profiles import DocumentsProfile, IndexFormat, RetrieveProfile
from hotfolder.core.records import AuditRow, CatalogueRow
from hotfolder.flows.collect import Collected, collect
from hotfolder.flows.give import Giving
from hotfolder.flows.retrieve import Form
from tests.support.flow_world import World

SAMPLE = Path(__file__).parent.parent / "samples" / "statements-40.afp"
EVENTS = RetrieveProfile(archivesspace_events=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(root=tmp_path, documents=DocumentsProfile(index=IndexFormat.AFP))
    made.start()
    shutil.copy(SAMPLE, made.hot / "run.afp")
    made.settle()
    yield made
    crashpoints.arm(None)
    made.stop()


def rows_of(world: World) -> list[CatalogueRow]:
    return list(world.running.journal.iterate_documents(world.rows()[0].id))


def giving(world: World, **given: Any) -> Giving:
    works = world.running
    return Giving(
        journal=works.journal,
        store=works.store,
        clock=world.clock,
        emit=works.emit,
        actor="ann",
        **given,
    )


def audit(world: World) -> list[AuditRow]:
    """The chain, but for what intake and delivery wrote."""
    rows = world.running.journal.audit()
    return [row for row in rows if row.action not in ("spool.stored", "unit.confirmed")]


def exact(row: CatalogueRow) -> bytes:
    place = row.document.range
    return SAMPLE.read_bytes()[place.offset : place.offset + place.length]


def spoil(world: World) -> Path:
    (path,) = (world.root / "store").rglob("run.afp")
    path.chmod(0o600)
    path.write_bytes(SAMPLE.read_bytes()[:-1] + b"x")
    return path


# -- the record ----------------------------------------------------------------------
@pytest.mark.parametrize("form", [None, Form.ALONE, Form.SPOOL])
def test_what_is_given_is_on_the_chain(world: World, form: Form | None, tmp_path: Path) -> None:
    row = rows_of(world)[3]
    path = tmp_path / "given"
    given = giving(world, reason=" complaint 4711 ").to_file(
        row.document.identity, form, os.fsencode(path), force=False
    )
    assert given is not None
    (link,) = audit(world)
    assert (link.actor, link.action, link.subject) == (
        "ann",
        "document.retrieved",
        row.document.identity,
    )
    assert link.details == {
        "form": str(form or "exact"),
        "reason": "complaint 4711",
        "to": "file",
        "derived": form is Form.ALONE,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    assert given.size == path.stat().st_size


@pytest.mark.parametrize("form", [Form.EXACT, Form.ALONE])
def test_a_stream_begins_after_the_row(world: World, form: Form) -> None:
    row = rows_of(world)[3]
    seen: list[int] = []

    class Stream(io.BytesIO):
        def write(self, data: Any) -> int:
            seen.append(len(audit(world)))
            return super().write(data)

        def writelines(self, pieces: Any) -> None:
            for piece in pieces:
                self.write(piece)

    stream = Stream()
    given = giving(world).to_stream(row.document.identity, form, stream)
    assert set(seen) == {1}
    assert given.sha256 == hashlib.sha256(stream.getvalue()).hexdigest()
    assert audit(world)[0].details["sha256"] == given.sha256


@pytest.mark.parametrize("form", [Form.EXACT, Form.ALONE])
def test_a_stream_that_takes_nothing_is_no_fault_of_the_store(world: World, form: Form) -> None:
    row = rows_of(world)[3]
    with open("/dev/full", "wb") as full:
        with pytest.raises(Transient) as caught:
            giving(world).to_stream(row.document.identity, form, full)
        with suppress(OSError):
            full.close()  # what it did not take is in its buffer still
    assert "standard output" in caught.value.message
    assert "store" not in caught.value.message


@pytest.mark.parametrize("way", ["file", "stream"])
def test_without_the_row_nothing_is_given(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    row = rows_of(world)[0]

    def full(*_: object, **__: object) -> AuditRow:
        raise Transient("the journal's disk is full")

    monkeypatch.setattr(world.running.journal, "append_audit", full)
    stream = io.BytesIO()
    folder = tmp_path / "out"
    folder.mkdir()
    ways: dict[str, Callable[[str], object]] = {
        "file": lambda name: giving(world).to_file(
            name, None, os.fsencode(folder / "a"), force=True
        ),
        "stream": lambda name: giving(world).to_stream(name, None, stream),
    }
    with pytest.raises(Transient):
        ways[way](row.document.identity)
    assert stream.getvalue() == b""
    assert list(folder.iterdir()) == []


def test_a_reason_may_be_demanded(world: World, tmp_path: Path) -> None:
    row = rows_of(world)[0]
    path = os.fsencode(tmp_path / "a")
    profile = RetrieveProfile(reason_required=True)
    with pytest.raises(OperatorFault) as caught:
        giving(world, reason="  ", profile=profile).to_file(
            row.document.identity, None, path, force=False
        )
    assert caught.value.code == "retrieve.reason"
    (link,) = audit(world)
    assert (link.action, link.details["code"]) == ("retrieval.refused", "retrieve.reason")
    assert not os.path.exists(path)
    assert giving(world, reason="x", profile=profile).to_file(
        row.document.identity, None, path, force=False
    )


def test_a_form_that_cannot_be_had_is_refused_on_the_record(world: World, tmp_path: Path) -> None:
    row = rows_of(world)[0]
    journal = world.running.journal

    class Plain:
        def __getattr__(self, name: str) -> Any:
            return getattr(journal, name)

        def get_document(self, _identity: str) -> CatalogueRow:
            return replace(row, format_name="txt")

    works = replace(world.running, journal=Plain())  # type: ignore[arg-type]
    world.works = works
    with pytest.raises(OperatorFault) as caught:
        giving(world).to_file(row.document.identity, Form.ALONE, b"/dev/null/x", force=False)
    assert caught.value.code == "retrieve.form"
    assert audit(world)[0].action == "retrieval.refused"
    assert world.rows()[0].state is SpoolState.DONE


# -- damage --------------------------------------------------------------------------
def test_damage_is_refused_and_an_alarm(world: World, tmp_path: Path) -> None:
    row = rows_of(world)[5]
    path = spoil(world)
    target = tmp_path / "a"
    for _ in range(2):
        with pytest.raises(Corrupt):
            giving(world).to_file(row.document.identity, None, os.fsencode(target), force=False)
        assert world.rows()[0].state is SpoolState.CORRUPT
    assert not target.exists()
    assert [link.action for link in audit(world)] == [
        "retrieval.refused",
        "spool.damaged",
        "spool.corrupt",
        "retrieval.refused",
    ]
    assert [name for name, _ in world.events if name == "spool.corrupt"] == ["spool.corrupt"]
    (fault,) = world.rows()[0].faults
    assert "hotfolder release" in fault.remedy
    # Restored from a backup and released, it is given again.
    path.write_bytes(SAMPLE.read_bytes())
    world.running.journal.release(row.spool_id, "restored", 1)
    giving(world).to_file(row.document.identity, None, os.fsencode(target), force=False)
    assert target.read_bytes() == exact(row)


def test_a_lost_object_is_damage_too(world: World, tmp_path: Path) -> None:
    row = rows_of(world)[5]
    world.running.store.withdraw(row.spool_id, "lost")
    with pytest.raises(Corrupt) as caught:
        giving(world).to_file(row.document.identity, None, os.fsencode(tmp_path / "a"), force=True)
    assert caught.value.code == "store.missing"
    assert world.rows()[0].state is SpoolState.CORRUPT


def test_what_is_not_stored_yet_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(root=tmp_path)
    world.start()
    world.drop(b"a one", b'{"customer_id": "a", "document_type": "letter",'
               b' "issue_date": "2026-06-30"}', "letter")  # fmt: skip
    works = world.running
    world.claim(world.waiting_drops())
    monkeypatch.setattr(works.intake, "_store_rows", lambda _rows: None)
    world.advance()
    (spool,) = world.rows()
    assert spool.state is SpoolState.READ
    (row,) = works.journal.documents_of(spool.id)
    with pytest.raises(Transient) as caught:
        giving(world).to_file(row.document.identity, None, os.fsencode(tmp_path / "a"), force=True)
    assert caught.value.code == "retrieve.not_stored"
    assert world.rows()[0].state is SpoolState.READ
    world.stop()


def test_a_spool_on_its_way_is_marked_later(world: World, tmp_path: Path) -> None:
    row = rows_of(world)[0]
    works = world.running
    spoil(world)

    def on_its_way(*_: object) -> None:
        raise ValueError("a document of it is on its way")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(works.journal, "set_aside", on_its_way)
        with pytest.raises(Corrupt):
            giving(world).to_file(
                row.document.identity, None, os.fsencode(tmp_path / "a"), force=True
            )
    assert world.rows()[0].state is SpoolState.DONE
    assert world.events[-1][0] == "spool.damage_noted"


# -- into a folder -------------------------------------------------------------------
def into(world: World, folder: Path, rows: list[CatalogueRow], **given: Any) -> Collected:
    folder.mkdir(exist_ok=True)
    form = given.pop("form", None)
    force = given.pop("force", False)
    return collect(
        giving(world, **given),
        rows,
        os.fsencode(folder),
        form=form,
        clock=world.clock,
        force=force,
    )


def check_folder(folder: Path, rows: list[CatalogueRow]) -> None:
    """Exactly these documents, each with its description, and the manifest of all."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert {item["identity"] for item in manifest["files"]} == {
        row.document.identity for row in rows
    }
    by_identity = {row.document.identity: row for row in rows}
    names = {"manifest.json"}
    for item in manifest["files"]:
        data = (folder / item["file"]).read_bytes()
        description = (folder / item["description"]).read_bytes()
        assert data == exact(by_identity[item["identity"]])
        assert hashlib.sha256(data).hexdigest() == item["sha256"]
        assert hashlib.sha256(description).hexdigest() == item["description_sha256"]
        assert len(data) == item["bytes"]
        told = json.loads(description)
        assert told["given"]["sha256"] == item["sha256"]
        assert told["metadata"]["customer_id"]
        names |= {item["file"], item["description"]}
    assert {path.name for path in folder.iterdir()} == names


def test_many_come_with_their_descriptions_and_a_manifest(world: World, tmp_path: Path) -> None:
    rows = rows_of(world)
    folder = tmp_path / "out"
    done = into(world, folder, rows)
    assert (done.given, done.skipped, done.refused) == (40, 0, [])
    check_folder(folder, rows)
    assert len(audit(world)) == 40
    again = into(world, folder, rows)
    assert (again.given, again.skipped, again.bytes) == (0, 40, 0)
    assert len(audit(world)) == 40
    check_folder(folder, rows)


def test_the_spool_is_looked_over_once_for_all_of_its_documents(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    store = world.running.store
    whole = store.open_content

    def count(spool_id: str, **given: Any) -> Any:
        opened.append(spool_id)
        return whole(spool_id, **given)

    monkeypatch.setattr(store, "open_content", count)
    into(world, tmp_path / "out", rows_of(world))
    assert len(opened) == 1


def test_what_was_changed_in_the_folder_is_not_taken_for_whole(
    world: World, tmp_path: Path
) -> None:
    rows = rows_of(world)[:4]
    folder = tmp_path / "out"
    into(world, folder, rows)
    names = [item["file"] for item in json.loads((folder / "manifest.json").read_bytes())["files"]]
    (folder / names[0]).write_bytes(b"changed")
    (folder / f"{names[1]}.json").unlink()
    (folder / f"{names[2]}.json").write_text("{}")
    done = into(world, folder, rows)
    assert (done.given, done.skipped) == (1, 1)
    assert [item.code for item in done.refused] == ["retrieve.exists"] * 2
    done = into(world, folder, rows, force=True)
    assert (done.given, done.skipped, done.refused) == (2, 2, [])
    check_folder(folder, rows)


def test_links_in_the_folder_are_not_followed(world: World, tmp_path: Path) -> None:
    rows = rows_of(world)[:2]
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    into(world, tmp_path / "other", rows)
    folder.mkdir()
    elsewhere.write_bytes(b"mine")
    for path in (tmp_path / "other").iterdir():
        (folder / path.name).symlink_to(elsewhere)
    assert [item.code for item in into(world, folder, rows).refused] == ["retrieve.exists"] * 2
    assert into(world, folder, rows, force=True).given == 2
    assert elsewhere.read_bytes() == b"mine"
    check_folder(folder, rows)


def test_a_damaged_spool_stops_no_other(world: World, tmp_path: Path) -> None:
    rows = rows_of(world)[:3]
    world.running.store.withdraw(rows[0].spool_id, "lost")
    done = into(world, tmp_path / "out", rows)
    assert [item.code for item in done.refused] == ["store.missing"] * 3
    assert {item.exit_code for item in done.refused} == {74}
    assert list((tmp_path / "out").iterdir()) == []


def test_a_spool_is_given_once_for_all_of_its_documents(world: World, tmp_path: Path) -> None:
    done = into(world, tmp_path / "out", rows_of(world), form=Form.SPOOL)
    assert (done.given, len(done.files)) == (1, 1)
    (path,) = (tmp_path / "out").glob("*.afp")
    assert path.read_bytes() == SAMPLE.read_bytes()
    assert into(world, tmp_path / "out", rows_of(world), form=Form.SPOOL).skipped == 1


def test_derived_documents_are_proven_by_their_description(world: World, tmp_path: Path) -> None:
    rows = rows_of(world)[:3]
    done = into(world, tmp_path / "out", rows, form=Form.ALONE)
    assert {item["derived"] for item in done.files} == {True}
    assert into(world, tmp_path / "out", rows, form=Form.ALONE).skipped == 3


class KilledError(Exception):
    """The process is gone."""


@pytest.mark.parametrize("occurrence", [1, 2, 3])
@pytest.mark.parametrize("point", ["give.recorded", "give.put"])
def test_a_collection_goes_on_after_a_kill(
    world: World, tmp_path: Path, point: str, occurrence: int
) -> None:
    assert point in GIVE_POINTS
    rows = rows_of(world)[:3]
    crashpoints.arm(killing(point, occurrence))
    with pytest.raises(KilledError):
        into(world, tmp_path / "out", rows)
    crashpoints.arm(None)
    recorded = {link.subject for link in audit(world)}
    for path in (tmp_path / "out").iterdir():
        # Whatever can be seen is whole and on the chain.
        assert any(name in path.name for name in recorded)
        assert path.name.endswith(".json") or path.read_bytes() in map(exact, rows)
    done = into(world, tmp_path / "out", rows)
    assert (done.given + done.skipped, done.refused) == (3, [])
    check_folder(tmp_path / "out", rows)


def killing(point: str, occurrence: int) -> Callable[[str], None]:
    left = occurrence

    def hook(name: str) -> None:
        nonlocal left
        left -= name == point
        if name == point and left == 0:
            raise KilledError

    return hook


# -- told ----------------------------------------------------------------------------
def told(world: World) -> list[Any]:
    return list(world.server.records.events.values())


def test_archivesspace_is_told_once(world: World, tmp_path: Path) -> None:
    rows = rows_of(world)[:2]
    before = len(told(world))
    into(world, tmp_path / "out", rows, profile=EVENTS)
    works = world.running
    assert works.journal.count_waiting_events() == 2
    world.server.up = False
    assert works.tell.step() == 0
    (first, second) = works.journal.waiting_events()
    assert (first.attempts, second.attempts) == (1, 0)  # what comes next would fail alike
    world.server.up = True
    assert works.tell.step() == 1
    world.clock.at += 3600
    crashpoints.arm(killing("event.told", 1))
    with pytest.raises(KilledError):
        works.tell.step()
    crashpoints.arm(None)
    assert works.tell.step() == 1
    assert works.journal.count_waiting_events() == 0
    assert len(told(world)) == before + 2
    assert works.tell.step() == 0


def test_nothing_is_told_while_the_server_is_known_to_be_down(world: World, tmp_path: Path) -> None:
    into(world, tmp_path / "out", rows_of(world)[:1], profile=EVENTS)
    works = world.running
    works.journal.record_server(3, None, "refused", 1)
    assert works.tell.step() == 0
    assert works.journal.waiting_events()[0].attempts == 0


def test_what_has_no_record_is_not_told(tmp_path: Path) -> None:
    world = World(root=tmp_path)
    world.start()
    world.drop(b"a one", b'{"customer_id": "a", "document_type": "letter",'
               b' "issue_date": "2026-06-30"}', "letter")  # fmt: skip
    world.claim(world.waiting_drops())
    world.advance()
    rows = rows_of(world)
    assert into(world, tmp_path / "out", rows, profile=EVENTS).given == 1
    assert world.running.journal.count_waiting_events() == 0
    world.stop()
