"""A plan and a proof are of the export as it is, and of what is archived as it is."""

from __future__ import annotations

import errno
import io
import os
import subprocess
from collections import Counter
from contextlib import redirect_stderr
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.disposals import Tombstone
from hotfolder.core.errors import EX_CONFIG, EX_IOERR, EX_OK, EX_TEMPFAIL, Fault, Transient
from hotfolder.core.legacy import LegacyItem, Outcome
from hotfolder.core.lifecycle import SpoolState
from hotfolder.flows.reconciling import Reconciling
from hotfolder.flows.surveying import Surveying
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.surveys import SurveyedItem
from hotfolder.sandbox.afpwriter import write_afp
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.legacy import Expected, make_export, write_export
from hotfolder.service.cli import main
from tests.support.migrations import COUNT, Site, migration_site


@pytest.fixture
def site(tmp_path: Path) -> Any:
    with migration_site(tmp_path) as made:
        yield made


def put(site: Site, kind: str) -> Expected:
    export = make_export(kind, 7, COUNT)
    write_export(export, str(site.exports / kind))
    return export.expected


@pytest.mark.parametrize("kind", ["folder", "csv"])
def test_the_sum_can_be_made_with_common_tools(site: Site, kind: str) -> None:
    """Also of names with blanks in them, and of an export that is not as it was."""
    expected = put(site, kind)
    if kind == "folder":
        for name in ("a b  c .txt", "a b  c .txt.json"):
            (site.exports / kind / name).write_text("{}")
        expected.outcomes["rejected"] += 1
    site.json("migrate", "run", kind)
    for proven in (True, False):
        items = site.root / f"items-{proven}.txt"
        if not proven:
            changed, gone = sorted((site.exports / kind).rglob("*.pdf"))[:2]
            changed.write_bytes(b"%PDF-1.7 another")
            gone.unlink()
        found = site.json("migrate", "reconcile", kind, "--list", str(items)).data["statement"]
        assert found["proven"] is proven
        made = subprocess.run(
            f"grep -Ev '^(difference:vanished|gone) ' {items} | cut -d' ' -f3- | sha256sum",
            shell=True, capture_output=True, check=True, text=True,
        ).stdout  # fmt: skip
        assert made.split()[0] == found["source"]["sha256"]
        became = Counter(line.split(" ")[0] for line in items.read_text().splitlines())
        if proven:
            assert became == expected.outcomes


def test_what_is_gone_since_a_reconciliation_was_stopped_is_missed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    read: list[str] = []

    def stopped(self: Reconciling, item: LegacyItem) -> SurveyedItem:
        if len(read) == 12:
            raise Transient("it is stopped")
        read.append(item.source_id)
        return reading(self, item)

    reading = Reconciling._read
    with monkeypatch.context() as patched:
        patched.setattr(Reconciling, "_read", stopped)
        assert site.json("migrate", "reconcile", "folder").code == EX_TEMPFAIL
    (site.exports / "folder" / read[3]).unlink()
    found = site.json("migrate", "reconcile", "folder")
    assert found.code == EX_IOERR
    # Its sidecar is an item now, which nobody has taken.
    assert found.data["statement"]["differences"]["vanished"] == 1


@pytest.mark.parametrize("gone", [True, False])
def test_a_plan_that_goes_on_counts_the_export_as_it_is(
    site: Site, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    put(site, "folder")
    whole = site.json("migrate", "plan", "folder").data
    read: list[LegacyItem] = []

    def stopped(self: Surveying, item: LegacyItem) -> None:
        if len(read) == 12:
            raise Transient("it is stopped")
        read.append(item)
        examine(self, item)

    examine = Surveying._examine
    with monkeypatch.context() as patched:
        patched.setattr(Surveying, "_examine", stopped)
        assert site.json("migrate", "plan", "folder").code == EX_TEMPFAIL
    path = site.exports / "folder" / next(item.source_id for item in read if not item.faults)
    if gone:
        for each in path.parent.glob(f"{path.stem}*"):
            each.unlink()
    else:
        os.utime(path, (1, 1))
    found = site.json("migrate", "plan", "folder").data
    fresh = site.json("migrate", "plan", "folder").data
    assert found["tables"] == fresh["tables"]
    assert found["totals"] == fresh["totals"]
    assert (found["totals"] != whole["totals"]) is gone


def test_a_duplicate_of_what_is_damaged_is_no_proof(site: Site) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    write_export(make_export("folder", 7, COUNT), str(site.exports / "twin"))
    site.json("migrate", "run", "twin")
    assert site.json("migrate", "reconcile", "twin").code == EX_OK
    with site.journal() as journal:
        spools = [item.spool_id for item in journal.iterate_items("folder") if item.spool_id]
        first = next(one.first_spool_id for one in journal.spools([SpoolState.DUPLICATE]))
        assert first in spools
        why = Fault(code="store.fixity", message="x", remedy="x")
        journal.set_aside(str(first), SpoolState.CORRUPT, [why], 9.0)
    found = site.json("migrate", "reconcile", "twin")
    assert found.code == EX_IOERR
    assert set(found.data["statement"]["differences"]) == {"state"}
    assert "CORRUPT" in found.data["statement"]["named"][0]["what"]


def bury(journal: SqliteJournal, spool_id: str) -> None:
    """What the journal has of a spool with one document that was destroyed."""
    (row,) = journal.documents_of(spool_id)
    left = Tombstone(
        identity=row.document.identity,
        disposal="disposal-0123456789ab",
        spool_id=spool_id,
        business_unit=row.business_unit,
        sha256=row.document.range.sha256,
        retention_class=None,
        class_version=None,
        cutoff=None,
        retain_until=None,
        begun_on=date(2036, 3, 1),
    )
    journal.restore_tombstones([left], 20.0)


def test_a_plan_says_that_what_was_destroyed_is_not_taken_again(site: Site) -> None:
    put(site, "folder")
    site.json("migrate", "run", "folder")
    with site.journal() as journal:
        gone = next(
            item for item in journal.iterate_items("folder") if item.outcome is Outcome.ARCHIVED
        )
        bury(journal, str(gone.spool_id))
    write_export(make_export("folder", 7, COUNT), str(site.exports / "twin"))
    found = site.json("migrate", "plan", "twin").data
    (twice,) = (
        row["documents"] for row in found["tables"]["faults"] if row["why"] == "document.destroyed"
    )
    assert twice >= 1
    site.json("migrate", "run", "twin")
    statement = site.json("migrate", "reconcile", "twin").data["statement"]
    assert statement["rejected_by_reason"]["document.destroyed"] == twice


def test_what_was_destroyed_since_is_not_said_to_be_archived(site: Site) -> None:
    expected = put(site, "folder")
    site.json("migrate", "run", "folder")
    write_export(make_export("folder", 7, COUNT), str(site.exports / "twin"))
    site.json("migrate", "run", "twin")
    with site.journal() as journal:
        gone = next(
            item for item in journal.iterate_items("folder") if item.outcome is Outcome.ARCHIVED
        )
        bury(journal, str(gone.spool_id))
    items, page = site.root / "items.txt", site.root / "proof.html"
    answer = site.json("migrate", "reconcile", "folder", "--list", str(items), "--html", str(page))
    assert answer.code == EX_OK
    found = answer.data["statement"]
    archived = expected.outcomes["archived"]
    twice = found["outcomes"]["destroyed"]["items"]
    became = Counter({name: one["items"] for name, one in found["outcomes"].items()})
    # It, and what the export has of it twice.
    assert became == Counter(
        archived=archived - 1,
        duplicate=expected.outcomes["duplicate"] - (twice - 1),
        rejected=expected.outcomes["rejected"],
        destroyed=twice,
    )
    assert (found["documents_destroyed"], found["taken"]) == (0, found["source"])
    assert f"destroyed disposal-0123456789ab {gone.sha256} " in items.read_text()
    assert "have been destroyed since under disposals" in page.read_text()
    answer = site.json("migrate", "reconcile", "twin")
    assert answer.code == EX_OK
    assert answer.data["statement"]["outcomes"]["destroyed"]["items"] == twice


def test_documents_that_are_looked_for_inside_are_not_said_by_the_export(site: Site) -> None:
    for kind in ("folder", "twin"):
        head = f"[migrations.{kind}.field_map]"
        index = f'[migrations.{kind}.documents]\nindex = "afp"\n'
        site.change(head, f"{index}{head}")
    run = [make_communication(1, number, document_type="statement") for number in range(5)]
    (site.exports / "folder" / "run.afp").write_bytes(write_afp(run))
    (site.exports / "folder" / "run.afp.json").write_text("{}")
    assert site.json("migrate", "run", "folder").code == EX_OK
    found = site.json("migrate", "reconcile", "folder")
    assert found.code == EX_OK
    assert found.data["statement"]["outcomes"]["archived"]["documents"] == 5


def test_documents_that_were_skipped_are_not_among_the_archived(site: Site) -> None:
    site.change('describe = "spool"', 'on_bad_document = "skip"')
    put(site, "cmod")
    (index,) = sorted((site.exports / "cmod").rglob("*.ind"))[:1]
    data = index.read_bytes()
    assert data.count(b"GROUP_OFFSET") > 2
    index.write_bytes(data.replace(b"GROUP_OFFSET", b"GROUP_AWAY", 1))
    site.json("migrate", "run", "cmod")
    found = site.json("migrate", "reconcile", "cmod").data["statement"]
    assert found["documents_skipped"] == 1
    archived = found["outcomes"]["archived"]["documents"]
    said = sum(one["documents"] for one in found["outcomes"].values())
    assert said == found["source"]["documents"] - 1
    assert archived > 0


def test_what_stands_before_a_line_that_cannot_be_read_is_taken(site: Site) -> None:
    """Latin-1, with paths as Windows has them: the line is named, and nothing hangs."""
    lines = ["Datei;CustNo;DocClass;DocDate;Medium;DocId"]
    for number in range(6):
        known = "\u00fc" if number == 4 else str(number)
        lines.append(f".\\v\\{number}.txt;C{number};BRIEF;2017-01-02;EMAIL;{known}")
        path = site.exports / "csv" / "v" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"Letter {number}\n")
    path = site.exports / "csv" / "liste.csv"
    path.write_bytes("\n".join(lines).encode("latin-1"))
    with pytest.raises(SystemExit), redirect_stderr(io.StringIO()) as told:
        main(["migrate", "run", "csv", "--config", str(site.config)])
    assert "it is not UTF-8" in told.getvalue()
    assert "behind line 5" in told.getvalue()
    with site.journal() as journal:
        assert journal.migration_counts("csv").items == {"archived": 4}
    path.write_bytes("\n".join(lines).encode())
    assert site.json("migrate", "run", "csv").code == EX_OK
    found = site.json("migrate", "reconcile", "csv")
    assert found.code == EX_OK
    assert found.data["statement"]["source"]["items"] == 6


@pytest.mark.parametrize(
    "given",
    [
        ("reconcile", "--report", "nowhere/proof.json"),
        ("reconcile", "--html", "nowhere/proof.html"),
        ("reconcile", "--list", "there"),
        ("plan", "--html", "there"),
        ("plan", "--csv", "nowhere"),
    ],
)
def test_where_a_report_cannot_lie_is_told_before_the_export_is_read(
    site: Site, given: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (site.root / "there").touch()
    for reads in (Surveying, Reconciling):
        monkeypatch.setattr(reads, "__init__", None)
    command, option, name = given
    found = site.json("migrate", command, "folder", option, str(site.root / name))
    assert found.code == EX_CONFIG


def test_what_was_rejected_and_is_corrected_in_the_export_is_no_difference(site: Site) -> None:
    put(site, "folder")
    junk = site.exports / "folder" / "junk.doc"
    junk.write_text("nothing describes it")
    site.json("migrate", "run", "folder")
    before = site.json("migrate", "reconcile", "folder").data["statement"]
    junk.unlink()
    items = site.root / "items.txt"
    found = site.json("migrate", "reconcile", "folder", "--list", str(items))
    assert found.code == EX_OK
    statement = found.data["statement"]
    assert (before["rejected_and_gone"], statement["rejected_and_gone"]) == (0, 1)
    assert statement["source"]["items"] == before["source"]["items"] - 1
    assert statement["source"]["sha256"] == statement["taken"]["sha256"]
    assert "\ngone migration.sidecar_missing - 20 junk.doc\n" in items.read_text()


def test_a_folder_that_cannot_be_opened_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(site, "folder")
    (site.exports / "folder" / "zz").mkdir()

    def refuse(path: Any, *args: Any, **more: Any) -> int:
        if path == b"zz":
            raise PermissionError(errno.EACCES, "no")
        return real(path, *args, **more)

    real = os.open
    monkeypatch.setattr(os, "open", refuse)
    found = site.json("migrate", "plan", "folder")
    assert found.code == EX_CONFIG
    assert "opening folder zz of the export" in str(found.data)
