"""Old archives are moved in: everything is accounted for, and the export stays as it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.legacy import Outcome
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.legacy import KINDS, Expected, make_export, write_export
from tests.support.migrations import COUNT, Site, migration_site, tree_of

DAYS = 1_000_000_000


@pytest.fixture
def site(tmp_path: Path) -> Any:
    with migration_site(tmp_path) as made:
        yield made


def outcomes(site: Site, kind: str) -> tuple[Counter[str], Counter[str]]:
    with site.journal() as journal:
        items = list(journal.iterate_items(kind))
    became = Counter(str(item.outcome) for item in items)
    reasons = Counter(item.faults[0].code for item in items if item.outcome is Outcome.REJECTED)
    return became, reasons


def put(site: Site, kind: str) -> Expected:
    export = make_export(kind, 7, COUNT)
    write_export(export, str(site.exports / kind))
    return export.expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_item_becomes_what_it_must(site: Site, kind: str) -> None:
    expected = put(site, kind)
    before = tree_of(site.exports)
    planned = site.json("migrate", "plan", kind)
    assert planned.code == 65
    assert tree_of(site.exports) == before
    with site.journal() as journal:
        assert list(journal.iterate_items(kind)) == []

    done = site.json("migrate", "run", kind)
    assert (done.code, done.data["finished"]) == (65, True)
    became, reasons = outcomes(site, kind)
    assert became == expected.outcomes
    assert reasons == expected.reasons
    totals = planned.data["totals"]
    assert totals["items"] == became.total()
    assert totals["would be rejected"] == became["rejected"]
    assert totals["twice in the export"] == became["duplicate"]

    proof = site.json("migrate", "reconcile", kind)
    assert proof.code == 0
    statement = proof.data["statement"]
    assert statement["proven"] is True
    assert statement["source"] == statement["taken"]
    assert statement["rejected_by_reason"] == dict(sorted(expected.reasons.items()))
    # Bytes and times; a link or a new file would be seen as well.
    assert tree_of(site.exports) == before


@pytest.mark.parametrize("kind", ["folder", "cmod"])
def test_a_second_run_changes_nothing(site: Site, kind: str) -> None:
    put(site, kind)
    site.json("migrate", "run", kind)
    first = site.json("migrate", "reconcile", kind).data["statement"]
    documents, status = site.server_documents(), site.json("status").data
    again = site.json("migrate", "run", kind)
    assert again.data["taken"] == again.data["refused"] == 0
    assert site.server_documents() == documents
    assert site.json("status").data["spools"] == status["spools"]
    second = site.json("migrate", "reconcile", kind).data["statement"]
    assert {**first, "at": ""} == {**second, "at": ""}


def test_where_a_document_came_from_is_in_every_place(site: Site) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    with site.journal() as journal:
        item = next(
            item
            for item in journal.iterate_items("folder")
            if item.outcome is Outcome.ARCHIVED and item.place.endswith(".pdf")
        )
        assert item.spool_id is not None
        (row,) = journal.documents_of(item.spool_id)
    known = row.document.metadata
    assert known.legacy_system == "Altarchiv folder"
    assert known.legacy_id is not None
    assert known.legacy_id.startswith("OLD-")
    assert known.legacy_date == known.issue_date
    assert known.extra["migration.id"] == (item.source_id,)
    assert known.extra["original channel"][0] in ("PAPIER", "EMAIL", "PORTAL")
    stored = json.loads(site.store.read_metadata(item.spool_id))
    assert stored["documents"][0]["metadata"]["legacy_id"] == known.legacy_id
    assert stored["mtime_ns"] == (site.exports / "folder" / item.source_id).stat().st_mtime_ns
    record = site.record(row.record_uri)
    ids = [found["external_id"] for found in record["external_ids"]]
    assert f"legacy:{known.legacy_id}" in ids


def test_each_unit_has_one_event_of_migration(site: Site) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    site.json("migrate", "run", "folder")
    events = [event for event in site.events() if event["event_type"] == "migration"]
    with site.journal() as journal:
        units = {
            row.unit_ref_id
            for item in journal.iterate_items("folder")
            if item.outcome is Outcome.ARCHIVED and item.spool_id
            for row in journal.documents_of(item.spool_id)
        }
    assert len(events) == len(units) > 0
    assert {event["refid"] for event in events} == {f"hf:{unit}:migration:folder" for unit in units}


def test_what_is_archived_already_is_a_duplicate(site: Site) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    before = site.server_documents()
    copy = make_export("folder", 7, COUNT)
    write_export(copy, str(site.exports / "twin"))
    planned = site.json("migrate", "plan", "twin").data["totals"]
    site.json("migrate", "run", "twin")
    became, _ = outcomes(site, "twin")
    assert became["archived"] == 0
    assert became["duplicate"] == copy.expected.outcomes["archived"] + 1
    assert planned["archived already"] == copy.expected.outcomes["archived"]
    assert site.server_documents() == before


def test_a_reconciliation_names_what_differs(site: Site) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    export = site.exports / "folder"
    names = sorted(path for path in export.rglob("*.pdf") if path.parent.name != "kopie")
    names[0].write_bytes(names[0].read_bytes() + b"x")  # changed
    gone = names[1]
    gone.unlink()
    (export / (gone.name + ".json")).unlink(missing_ok=True)
    Path(f"{gone}.json").unlink()
    new = export / "2030" / "neu.pdf"
    new.parent.mkdir()
    new.write_bytes(b"%PDF-1.4\n")
    Path(f"{new}.json").write_text("{}")
    proof = site.json("migrate", "reconcile", "folder")
    assert proof.code == 74
    statement = proof.data["statement"]
    assert statement["proven"] is False
    assert statement["differences"] == {"changed": 1, "not_taken": 1, "vanished": 1}
    named = {(found["difference"], found["item"]) for found in statement["named"]}
    assert named == {
        ("changed", str(names[0].relative_to(export))),
        ("vanished", str(gone.relative_to(export))),
        ("not_taken", "2030/neu.pdf"),
    }


def test_one_file_exchanged_for_another_of_its_size_is_seen(site: Site) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    path = next((site.exports / "folder").rglob("*.txt"))
    told = path.stat()
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    statement = site.json("migrate", "reconcile", "folder").data["statement"]
    assert statement["differences"] == {"changed": 1}
    assert statement["source"]["sha256"] != statement["taken"]["sha256"]
    assert statement["source"]["bytes"] == statement["taken"]["bytes"]


def test_the_proof_is_signed_and_can_be_checked_alone(site: Site) -> None:
    put(site, "csv")
    site.json("migrate", "run", "csv")
    proof, page, items = (site.root / name for name in ("p.json", "p.html", "items.txt"))
    site.json("migrate", "reconcile", "csv", "--report", str(proof), "--html", str(page),
              "--list", str(items))  # fmt: skip
    good = site.json("migrate", "verify", str(proof), config=False)
    assert (good.code, good.data["signature"], good.data["proven"]) == (0, True, True)
    other = site.json("migrate", "verify", str(proof), "--key", "0" * 16, config=False)
    assert other.code == 65
    data = json.loads(proof.read_text())
    assert hashlib.sha256(items.read_bytes()).hexdigest() == data["statement"]["list_sha256"]
    assert len(items.read_text().splitlines()) == data["statement"]["source"]["items"]
    data["statement"]["source"]["items"] += 1
    proof.write_text(json.dumps(data))
    assert site.json("migrate", "verify", str(proof), config=False).code == 65
    assert b"Every item of the export is archived" in page.read_bytes()


def test_rejected_items_are_taken_once_more_when_that_is_asked(site: Site) -> None:
    expected = put(site, "folder")
    site.json("migrate", "run", "folder")
    site.change('"PORTAL" = "portal"', '"PORTAL" = "portal"\n"TELEX" = "print"')
    assert site.json("migrate", "run", "folder").data["taken"] == 0
    site.json("migrate", "run", "folder", "--again")
    became, reasons = outcomes(site, "folder")
    assert became["archived"] == expected.outcomes["archived"] + 1
    assert "vocabulary.channel" not in reasons
    assert site.json("migrate", "reconcile", "folder").data["statement"]["proven"]


def test_an_unknown_value_may_give_way_to_the_default(site: Site) -> None:
    put(site, "folder")
    site.change(
        'system = "Altarchiv folder"', 'system = "Altarchiv folder"\non_unknown = "default"'
    )
    planned = site.json("migrate", "plan", "folder").data
    assert planned["tables"]["unknown"] == [{"field": "channel", "value": "TELEX", "documents": 1}]
    site.json("migrate", "run", "folder")
    with site.journal() as journal:
        item = journal.taken_items("folder", ["kopie/telex.pdf"])["kopie/telex.pdf"]
        # STMT needs a channel, and there is no default for it; other series do without.
        assert item.faults == () or item.faults[0].code == "field.missing"
        if item.spool_id and item.outcome is Outcome.ARCHIVED:
            (row,) = journal.documents_of(item.spool_id)
            assert row.document.metadata.channel is None
            assert row.document.metadata.extra["original channel"] == ("TELEX",)


def test_a_run_stops_at_its_limit_and_goes_on(site: Site) -> None:
    expected = put(site, "folder")
    first = site.json("migrate", "run", "folder", "--limit", "7")
    assert (first.code, first.data["finished"]) == (75, False)
    assert first.data["taken"] + first.data["refused"] == 7
    unfinished = site.json("migrate", "reconcile", "folder")
    assert unfinished.code == 74
    assert set(unfinished.data["statement"]["differences"]) == {"not_taken"}
    site.json("migrate", "run", "folder")
    assert outcomes(site, "folder") == (expected.outcomes, expected.reasons)


def test_two_at_once_are_refused(site: Site) -> None:
    from hotfolder.service.migrationlock import migrating_alone
    from hotfolder.service.settings import load

    put(site, "folder")
    with migrating_alone(load(str(site.config)), "folder"):
        refused = site.json("migrate", "run", "folder")
    assert (refused.code, refused.data["error"]) == (78, "migration.in_use")


def test_nothing_is_left_over(site: Site) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    inbox = site.root / "inbox" / "folder"
    assert list((inbox / "_incoming").iterdir()) == []
    assert list((inbox / "_working").iterdir()) == []
    assert list((inbox / "_receipts").iterdir()) == []
    failed = [path for path in (inbox / "_failed").rglob("*") if path.is_file()]
    assert {path.name.split(".", 1)[0] for path in failed} == {"ohne-datum", "telex"}
    assert not list(site.root.glob("journal.db.run*"))
    assert not list(site.root.glob(".hotfolder-scratch-*"))
    _ = SqliteJournal
