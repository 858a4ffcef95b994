"""From a package in a hot folder to what is known of it, through a daemon and a server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_CONFIG, EX_IOERR, EX_NOINPUT
from tests.support.serving import call, log_in, records, serving
from tests.support.templates import (
    APPROVED,
    FILES,
    TemplatePlace,
    make_manifest,
    make_package,
    pack,
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TemplatePlace]:
    with serving() as sandbox:
        yield TemplatePlace(tmp_path, sandbox.url)


def test_a_package_is_archived_described_and_shown(place: TemplatePlace) -> None:
    place.drop("letter.zip", make_package())
    place.work()
    receipt = place.receipt("letter.zip")
    assert (receipt["outcome"], receipt["documents"][0]["version"]) == ("archived", 1)

    shown = place.ask("templates", "show", "statement-letter")
    assert (shown["version"], shown["standing"], shown["files"]) == ("1", "approved", 3)
    assert [item["name"] for item in shown["members"]] == [
        "letter.txt",
        "logo.bin",
        "manifest.json",
    ]
    assert shown["retention_class"] == "TPL"
    assert shown["approvals"] == [{**APPROVED, "note": ""}]
    (document,) = place.documents()
    assert document["identity"] == shown["identity"]
    (unit,) = place.units()
    assert unit["documents"] == [document["uri"]]
    (record,) = list(records(place.url, "/repositories/2/resources"))
    assert (record["id_0"], record["title"]) == ("template:statements", "Templates: statements")

    (approval,) = place.events("agreement_signed")
    assert approval["linked_agents"][0]["role"] == "authorizer"
    assert "approved by Jana Ito (legal) on 2024-12-01" in approval["outcome_note"]
    assert {item["ref"] for item in approval["linked_records"]} == {document["uri"], unit["uri"]}
    (publication,) = place.events("publication")
    assert publication["timestamp"].startswith("2025-01-01")

    # A folder is a package too. Nothing is told twice.
    place.lay("letter-2", {"größe/letter.txt": b"2\n"}, version="2", parent="1")
    place.work()
    second = place.ask("templates", "show", "statement-letter", "2")
    assert [item["name"] for item in second["members"]] == ["größe/letter.txt", "manifest.json"]
    assert place.receipt("letter-2.zip")["outcome"] == "archived"
    assert not (place.packages / "letter-2").exists()
    assert len(place.events("agreement_signed")) == len(place.events("publication")) == 2


def test_a_family_may_have_a_long_name(place: TemplatePlace) -> None:
    for version in ("1", "2"):
        place.drop(f"letter-{version}.zip", make_package(family="f" * 100, version=version))
    place.work()
    for version in ("1", "2"):
        assert place.receipt(f"letter-{version}.zip")["outcome"] == "archived"
    (record,) = list(records(place.url, "/repositories/2/resources"))
    assert record["id_0"].startswith("template:ffffffff~")
    assert record["title"] == "Templates: " + "f" * 100


def test_versions_their_documents_and_what_is_refused(place: TemplatePlace) -> None:
    # The statement comes before the template that made it.
    place.drop_document("early.txt")
    place.pass_once()
    (early,) = place.ask("templates", "documents", "statement-letter", "2")["documents"]
    assert place.ask("show", early["spool"])["documents"][0]["template"] == {
        "name": "statement-letter",
        "version": "2",
        "archived_as": None,
        "standing": None,
        "in_force_when_issued": None,
    }

    one = make_package(effective_until="2025-03-01")
    two_files = {"letter.txt": b"Dear client,\n", "footer.txt": b"Page 1\n"}
    two = pack(two_files)
    manifest = make_manifest(
        version=2, parent="1", effective_from="2025-04-01", title="With a footer"
    )
    three = make_package(version="3", parent="2", effective_from="2025-07-01", approvals=None)
    place.drop("v1.zip", one)
    place.drop("v2.zip", two, manifest)
    place.drop("v3.zip", three)
    place.drop("again.zip", one)
    place.drop_document("late.txt", b"another\n", customer_id="C-2")
    place.drop_document("old.txt", b"old\n", customer_id="C-3", template_version="1")
    place.pass_once()

    versions = {
        record["uri"]
        for record in records(place.url, "/repositories/2/archival_objects")
        if record["title"] in ("statement-letter 1", "With a footer", "statement-letter 3")
    }
    # Those of one night too have an archival object each.
    assert {len(unit["documents"]) for unit in place.units() if unit["uri"] in versions} == {1}
    assert len(versions) == 3
    history = place.ask("templates", "history", "statement-letter")
    assert [(row["version"], row["parent"], row["standing"]) for row in history["versions"]] == [
        ("1", None, "approved"),
        ("2", "1", "approved"),
        ("3", "2", "unapproved"),
    ]
    (gap,) = history["irregular"]
    assert (gap["kind"], gap["first"], gap["last"]) == ("gap", "2025-03-01", "2025-03-31")
    remark = place.receipt("v2.zip")["remarks"][0]
    assert remark["code"] == "template.gap"
    assert "2025-03-01 to 2025-03-31" in remark["message"]
    assert place.receipt("again.zip")["outcome"] == "duplicate"

    def in_force(day: str, code: int = 0) -> str | None:
        answer = place.ask("templates", "in-force", "statement-letter", "--on", day, code=code)
        return None if answer["in_force"] is None else str(answer["in_force"]["version"])

    assert in_force("2024-12-31", EX_NOINPUT) is None
    assert in_force("2025-02-28") == "1"
    assert in_force("2025-03-01", EX_NOINPUT) is None
    assert in_force("2025-12-31") == "2"  # the third is not approved

    made = place.ask("templates", "documents", "statement-letter", "2")["documents"]
    assert {item["file"] for item in made} == {"early.txt", "late.txt"}
    found = place.ask("find", "--template", "statement-letter", "--template-version", "1")
    assert [item["file"] for item in found["documents"]] == ["old.txt"]
    assert place.ask("templates", "show", "statement-letter", "2")["documents"] == 2
    told = place.ask("show", early["spool"])["documents"][0]["template"]
    assert (told["standing"], told["in_force_when_issued"]) == ("approved", "2")
    second = place.ask("templates", "show", "statement-letter", "2")
    assert told["archived_as"] == second["identity"]

    changes = place.ask("templates", "diff", "statement-letter", "1", "2", "--text")["changes"]
    assert [(item["member"], item["what"]) for item in changes] == [
        ("footer.txt", "added"),
        ("letter.txt", "changed"),
        ("logo.bin", "removed"),
        ("manifest.json", "removed"),
    ]
    assert changes[1]["text"][-2:] == ["-Dear customer,", "+Dear client,"]
    assert changes[1]["new"]["size"] == len(two_files["letter.txt"])

    given = [row for row in place.links() if row.action == "document.retrieved"]
    assert [row.details["form"] for row in given] == ["text", "text"]
    assert given[1].subject == second["identity"]
    place.config.write_text(place.config.read_text() + "[retrieve]\nreason_required = true\n")
    place.ask("templates", "diff", "statement-letter", "1", "2", "--text", code=EX_CONFIG)
    refused = [row for row in place.links() if row.action == "retrieval.refused"]
    assert [row.subject for row in refused] == [row.subject for row in given]
    assert refused[0].details["code"] == "retrieve.reason"
    place.ask("templates", "diff", "statement-letter", "1", "2")
    assert len(given) == len([row for row in place.links() if row.action == "document.retrieved"])

    # A number that is there keeps its bytes and its manifest.
    place.drop("other.zip", make_package({**FILES, "new.txt": b"x"}, effective_until="2025-03-01"))
    place.drop("spelt.zip", make_package(version="01"))
    place.drop("named.zip", make_package(name="Statement-Letter", version="9"))
    place.drop("beside.zip", two, {**manifest, "approvals": []})
    place.pass_once()
    assert "with other bytes: a version is never changed" in place.note("other.zip")
    assert "version 01 is there already, as 1" in place.note("spelt.zip")
    assert "is called 'statement-letter' already" in place.note("named.zip")
    assert "its manifest said something else" in place.note("beside.zip")
    assert len(place.documents()) == 6
    assert len(place.events("publication")) == 2
    (listed,) = place.ask("templates", "list", "--on", "2025-12-31")["templates"]
    assert (listed["versions"], listed["in_force"]) == (["1", "2", "3"], "2")

    # All of it comes back from the store and the server.
    for left in place.root.glob("journal.db*"):
        left.unlink()
    assert place.ask("rebuild")["spools"] == 6
    again = place.ask("templates", "history", "statement-letter")
    assert [{**row, "archived": None} for row in again["versions"]] == [
        {**row, "archived": None} for row in history["versions"]
    ]
    assert place.ask("templates", "show", "statement-letter", "2")["members"] == second["members"]
    place.pass_once()
    assert len(place.events("publication")) == 2
    assert len(place.documents()) == 6


def test_hostile_packages_leave_nothing_but_a_note(place: TemplatePlace) -> None:
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    hostile = {
        "up.zip": {"../../escaped.txt": b"x"},
        "twice.zip": {"Letter.txt": b"1", "letter.TXT": b"2"},
        "bomb.zip": {"zeros": bytes(101 << 20)},
        "many.zip": {f"{number}": b"" for number in range(10_001)},
        "deep.zip": {"/".join("a" * 20): b""},
    }
    for name, files in hostile.items():
        place.drop(name, pack(files, make_manifest()))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr(link, "/etc/passwd")
        package.writestr("manifest.json", json.dumps(make_manifest()))
    place.drop("link.zip", stream.getvalue())
    place.drop("bare.zip", pack(FILES))
    place.drop("cut.zip", make_package()[:-40])
    place.drop("listed.zip", make_package(members=[{"name": "letter.txt", "size": 1}]))
    place.pass_once()
    for name, words in {
        "up.zip": "leads out of its folder",
        "twice.zip": "the same file elsewhere",
        "bomb.zip": "more than 200 times its size",
        "many.zip": "10,002 members; 10,000 are the most",
        "deep.zip": "more than 15 folders",
        "link.zip": "a link, a device",
        "bare.zip": "no manifest came with the package",
        "cut.zip": "its directory is missing",
        "listed.zip": "the manifest says 1",
    }.items():
        assert words in place.note(name), (name, place.note(name))
    assert place.documents() == []
    assert place.ask("templates", "list", code=EX_NOINPUT)["templates"] == []
    assert list(place.root.rglob("escaped.txt")) == []
    assert list((place.packages / "_working").iterdir()) == []


def test_single_posts_describe_a_version_alike_and_its_package_comes_back(
    tmp_path: Path,
) -> None:
    agents = '[templates]\nagents = { "Jana Ito" = "AGENT" }\n'
    with serving() as sandbox:
        person = {"names": [{"primary_name": "Ito", "name_order": "inverted", "source": "local"}]}
        uri = call(sandbox.url, "/agents/people", log_in(sandbox.url), person)["uri"]
        place = TemplatePlace(
            tmp_path, sandbox.url, agents.replace("AGENT", uri), least_privilege=True
        )
        data = make_package(title="The first letter")
        place.drop("letter.zip", data)
        place.pass_once()
        titles = {
            record["level"]: record["title"]
            for record in records(sandbox.url, "/repositories/2/archival_objects")
        }
        assert titles == {"subseries": "statement-letter", "file": "The first letter"}
        (approval,) = place.events("agreement_signed")
        roles = {item["role"]: item["ref"] for item in approval["linked_agents"]}
        assert roles["authorizer"] == uri
        assert roles["executing_program"].startswith("/agents/software/")
        identity = place.ask("templates", "show", "statement-letter", "1")["identity"]
        given = tmp_path / "given.zip"
        given_back = place.run("retrieve", identity, "--output", str(given))
        assert given_back.returncode == 0, given_back.stderr
        assert given.read_bytes() == data


def test_whoever_asks_what_was_in_force_is_told_what_speaks_against_it(
    place: TemplatePlace,
) -> None:
    place.drop("1.zip", make_package(version="1"))
    late = {**APPROVED, "date": "2025-06-01"}
    place.drop("2.zip", make_package(version="2", effective_from="2025-03-01", approvals=[late]))
    place.pass_once()
    spool = place.ask("templates", "show", "statement-letter", "2")["spool"]
    (package,) = place.root.glob("store/*/*/v1/content/2.zip")
    assert spool in str(package)
    package.parent.chmod(0o700)
    package.unlink()
    assert place.run("verify").returncode == EX_IOERR

    def answer(day: str) -> list[str]:
        told = place.run("templates", "in-force", "statement-letter", "--on", day)
        assert told.returncode == 0
        return told.stdout.splitlines()

    first, approved, damaged = answer("2025-05-31")
    assert "version 2 was in force" in first
    assert "approved on 2025-06-01" in approved
    assert "damaged" in damaged
    assert len(answer("2025-06-01")) == 2
    assert len(answer("2025-02-28")) == 1
    (shown,) = place.ask("templates", "list", "--on", "2025-06-01")["templates"]
    assert (shown["versions"], shown["in_force"]) == (["1", "2"], "2")
    assert place.ask("templates", "show", "statement-letter", "2")["package"] == "damaged"
