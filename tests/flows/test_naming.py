"""Whatever a person calls a document, here or in ArchivesSpace."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import InputFault, OperatorFault, Transient
from hotfolder.core.names import may_be_a_name, record_uri_in
from hotfolder.core.profiles import Describe, DocumentsProfile, IndexFormat
from hotfolder.core.records import CatalogueRow, Role
from hotfolder.flows.naming import resolve_document
from tests.support.flow_world import World

SAMPLE = Path(__file__).parent.parent / "samples" / "statements-40.afp"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(root=tmp_path, documents=DocumentsProfile(index=IndexFormat.AFP))
    made.start()
    shutil.copy(SAMPLE, made.hot / "run.afp")
    made.settle()
    yield made
    made.stop()


def rows_of(world: World) -> list[CatalogueRow]:
    return list(world.running.journal.iterate_documents(world.rows()[0].id))


def ask(world: World, text: str, *, limit: int = 100) -> tuple[str, ...]:
    """As a command does that cannot reach ArchivesSpace."""
    return resolve_document(world.running.journal, None, text, limit=limit)


def ask_there(world: World, text: str) -> tuple[str, ...]:
    works = world.running
    return resolve_document(works.journal, works.desk, text, business_units=["RETAIL"])


def test_every_name_leads_to_its_document(world: World) -> None:
    rows = rows_of(world)
    row = rows[7]
    assert row.record_uri is not None
    number = row.record_uri.rsplit("/", 1)[1]
    host = "http://staff.example:8080"
    for name in (
        row.document.identity,
        row.document.identity[:24],
        f"  {row.document.identity}\n",
        row.record_uri,
        f"{host}/digital_objects/{number}",
        f"{host}/digital_objects/{number}#tree::digital_object_{number}",
        f"{host}/resolve/readonly?uri={row.record_uri}",
        f"{host}/resolve/edit?uri={row.record_uri.replace('/', '%2F')}&x=1",
        f"http://public.example{row.record_uri}",
    ):
        assert ask(world, name) == (row.document.identity,), name


def test_units_and_spools_stand_for_all_of_theirs(world: World) -> None:
    rows = rows_of(world)
    everybody = tuple(row.document.identity for row in rows)
    spool = world.rows()[0]
    for name in (spool.id, spool.id[:31]):
        assert ask(world, name) == everybody
        assert ask(world, name, limit=3) == everybody[:3]
    ref_id = rows[0].unit_ref_id
    assert ref_id is not None
    members = tuple(row.document.identity for row in rows if row.unit_ref_id == ref_id)
    unit = world.running.journal.get_unit(ref_id)
    assert unit is not None
    assert unit.archival_object_uri is not None
    number = unit.archival_object_uri.rsplit("/", 1)[1]
    for name in (
        ref_id,
        unit.archival_object_uri,
        f"http://staff.example/resources/1#tree::archival_object_{number}",
    ):
        assert sorted(ask(world, name)) == sorted(members), name


def test_the_record_of_a_spool_stands_for_what_it_carries(tmp_path: Path) -> None:
    profile = DocumentsProfile(index=IndexFormat.AFP, describe=Describe.SPOOL)
    world = World(root=tmp_path, documents=profile)
    world.start()
    shutil.copy(SAMPLE, world.hot / "run.afp")
    world.settle()
    rows = rows_of(world)
    carrier = rows[-1]
    assert carrier.document.role is Role.CARRIER
    assert carrier.record_uri is not None
    wanted = sorted(row.document.identity for row in rows[:-1])
    assert sorted(ask(world, carrier.record_uri)) == wanted
    assert ask(world, carrier.document.identity) == (carrier.document.identity,)
    world.stop()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "hf-",
        "hf-1234",
        "nothing",
        "hf-" + "0" * 64,
        "/repositories/2/digital_objects/999999",
        "/repositories/9/digital_objects/1",
        "http://staff.example/digital_objects/x",
        "' OR 1=1 --",
        "hf-*",
        "\x00",
        "%",
    ],
)
def test_what_nobody_is_called(world: World, name: str) -> None:
    for way in (ask, ask_there):
        with pytest.raises(KeyError):
            way(world, name)


def test_a_beginning_that_several_have(world: World) -> None:
    class Twins:
        def __getattr__(self, name: str) -> object:
            return getattr(world.running.journal, name)

        def documents_by_prefix(self, prefix: str, limit: int) -> list[str]:
            return [prefix + "0", prefix + "1"][:limit]

    with pytest.raises(InputFault) as caught:
        resolve_document(Twins(), None, "hf-123456789")  # type: ignore[arg-type]
    assert caught.value.code == "name.several"


# -- ArchivesSpace is asked ------------------------------------------------------------
def forget(world: World) -> list[CatalogueRow]:
    """The journal is lost; a new, empty one takes its place."""
    rows = rows_of(world)
    world.lose_journal()
    world.start()
    return rows


def test_a_document_that_only_archivesspace_has_is_said_so(world: World) -> None:
    row = forget(world)[0]
    assert row.record_uri is not None
    assert row.unit_ref_id is not None
    for name in (row.document.identity, row.record_uri, row.unit_ref_id):
        with pytest.raises(OperatorFault) as caught:
            ask_there(world, name)
        assert caught.value.code == "name.not_in_catalogue"
        assert "hotfolder rebuild" in caught.value.hint
        with pytest.raises(KeyError):
            ask(world, name)


def test_a_server_that_cannot_be_asked_is_said_so(world: World) -> None:
    rows = rows_of(world)
    world.server.up = False
    # The catalogue knows it: nobody is asked.
    assert ask_there(world, rows[0].document.identity) == (rows[0].document.identity,)
    with pytest.raises(Transient, match="ArchivesSpace"):
        ask_there(world, "hf-" + "0" * 64)


def test_an_address_that_the_catalogue_has_not_noted_is_found_there(world: World) -> None:
    """An archivist has listed a document of ours in an object of their own."""
    row = rows_of(world)[0]

    class Elsewhere:
        def find_identities(self, _unit: str, name: str) -> tuple[str, ...]:
            return (row.document.identity,) * 2 if name == "their-own" else ()

    found = resolve_document(
        world.running.journal,
        Elsewhere(),  # type: ignore[arg-type]
        "their-own",
        business_units=["A", "B"],
    )
    assert found == (row.document.identity,)


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("/repositories/2/digital_objects/5", "/repositories/2/digital_objects/5"),
        ("https://a/b/repositories/2/archival_objects/5?x", "/repositories/2/archival_objects/5"),
        ("/digital_objects/5/edit", "/digital_objects/5"),
        ("/repositories/2/digital_objects/5a", None),
        ("/repositories/2/resources/5", None),
        ("/resources/5#tree::archival_object_7", "/archival_objects/7"),
        ("/repositories/2/digital_objects/" + "9" * 30, None),
        ("hf-123", None),
    ],
)
def test_addresses(text: str, uri: str | None) -> None:
    assert record_uri_in(text) == uri


def test_what_archivesspace_is_not_asked_for() -> None:
    assert not any(may_be_a_name(text) for text in ("", "a b c d e f", "x" * 300, "\x00", "abc"))
    assert may_be_a_name("hf-unit-123456")
