"""``hotfolder retention`` at a terminal and in scripts."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import EX_CONFIG, EX_NOINPUT, EX_OK, EX_USAGE, OperatorFault
from hotfolder.core.records import DocumentMetadata
from hotfolder.flows.retention import Retaining
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.cli import group
from tests.support.flow_world import FixedClock
from tests.support.journals import make_document, store
from tests.support.settings import faults_in, load_text, sound_text

_CLASSES = """
[retention.POL-10Y]
title = "Policies, ten years after the end"
trigger = "event"
event = "contract-end"
of = ["policy"]
period = "P10Y"
cutoff = "year-end"

[[retention.FIN-7Y.versions]]
valid_from = 2022-01-01
business_unit = "RETAIL"
period = "P10Y"
"""
_OTHER = """period = "P10Y"
[[retention.FIN-7Y.versions]]
valid_from = 2022-01-01
jurisdiction = "DE"
"""
POLICY = make_document(
    "p",
    metadata=DocumentMetadata(
        retention_class="POL-10Y", policy_number="P-77", issue_date=date(2020, 1, 1)
    ),
)
BILL = make_document(
    "b", metadata=DocumentMetadata(retention_class="FIN-7Y", issue_date=date(2021, 1, 1))
)


@dataclass
class Desk:
    """A configuration, a journal, and a daemon that computes when it is told to."""

    root: Path

    def write(self, text: str) -> None:
        (self.root / "hotfolder.toml").write_text(text)

    def ask(self, *arguments: str) -> Result:
        config = ["--config", str(self.root / "hotfolder.toml")]
        return CliRunner().invoke(group, ["retention", *arguments, *config], standalone_mode=False)

    def json(self, *arguments: str, code: int = EX_OK) -> Any:
        done = self.ask(*arguments, "--json")
        assert done.return_value == code, done.output
        return json.loads(done.stdout)

    def compute(self) -> None:
        configuration = load_text(self.root, (self.root / "hotfolder.toml").read_text())
        journal = SqliteJournal(os.fsencode(self.root / "journal.db"))
        try:
            retaining = Retaining(
                journal=journal,
                schedule=configuration.rules.retention_classes,
                clock=FixedClock(),
                emit=lambda *_, **__: None,
            )
            retaining.adopt()
            while retaining.step() == 0.0:
                pass
        finally:
            journal.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write(sound_text(tmp_path) + _CLASSES)
    journal = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    store(journal, 1, POLICY)
    store(journal, 2, BILL)
    journal.close()
    desk.compute()
    return desk


def test_an_event_starts_the_clock_and_its_withdrawal_stops_it(desk: Desk) -> None:
    identity = POLICY.identity
    assert desk.json("show", identity)["why"] == "waits for contract-end"
    made = desk.json("event", "--policy", " P-77", "contract-end", "2026-03-31")
    assert made["number"] == 1
    assert not desk.json("show", identity)["computed"]
    desk.compute()
    shown = desk.json("show", identity)
    assert (shown["cutoff"], shown["retain_until"]) == ("2026-12-31", "2036-12-31")
    assert shown["computed"]
    assert [item["event"] for item in shown["events"]] == ["contract-end"]
    assert {item["field"] for item in shown["changes"]} >= {"cutoff", "retain_until"}
    gone = desk.json("event", "--withdraw", "1", "--reason", "it goes on")
    assert gone["withdrawal_reason"] == "it goes on"
    desk.compute()
    assert desk.json("show", identity)["retain_until"] is None
    (row,) = desk.json("events", "--policy", "P-77")
    assert row["withdrawn"]
    assert desk.json("events", "--policy", "P-78") == []
    text = desk.ask("show", identity).output
    assert "keep until no end date: waits for contract-end" in text


def test_the_audit_chain_has_no_customers_data(desk: Desk) -> None:
    desk.json("event", "--policy", "P-77", "contract-end", "2026-03-31", "--reason", "call")
    desk.compute()
    journal = SqliteJournal(os.fsencode(desk.root / "journal.db"))
    rows = [row for row in journal.audit() if row.action.startswith("retention.")]
    journal.close()
    assert {row.action for row in rows} == {"retention.event", "retention.changed"}
    assert "P-77" not in repr(rows)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["event", "contract-end", "2026-03-31"], EX_USAGE),
        (["event", "--policy", "P", "--case", "C", "contract-end", "2026-03-31"], EX_USAGE),
        (["event", "--policy", "P-77", "contract-end", "31.3.2026"], EX_USAGE),
        (["event", "--policy", "P-77", "Contract End", "2026-03-31"], EX_USAGE),
        (["event", "--policy", "P-77", "contract-and", "2026-03-31"], EX_USAGE),
        (["event", "--policy", "P" * 256, "contract-end", "2026-03-31"], EX_USAGE),
        (["event", "--policy", "P\n7", "contract-end", "2026-03-31"], EX_USAGE),
        (["event", "--policy", " ", "contract-end", "2026-03-31"], EX_USAGE),
        (["event", "--document", "hf-0", "contract-end", "2026-03-31"], EX_NOINPUT),
        (["event", "--withdraw", "9"], EX_NOINPUT),
        (["event", "--withdraw", "9", "contract-end"], EX_USAGE),
        (["show", "hf-0"], EX_NOINPUT),
    ],
)
def test_what_is_refused(desk: Desk, arguments: list[str], code: int) -> None:
    assert desk.ask(*arguments).return_value == code
    assert desk.json("events") == []


def test_a_document_is_known_by_the_beginning_of_its_identity(desk: Desk) -> None:
    whole = POLICY.identity
    assert desk.json("show", whole[:15])["identity"] == whole
    assert "'hf-0'" in desk.ask("show", "hf-0").stderr


def test_classes_are_shown_with_their_versions(desk: Desk) -> None:
    found = {item["class"]: item for item in desk.json("classes")}
    assert [item["period"] for item in found["FIN-7Y"]["versions"]] == ["P7Y", "P10Y"]
    assert found["FIN-7Y"]["versions"][1]["business_unit"] == "RETAIL"
    assert found["POL-10Y"]["versions"][0]["event"] == "contract-end"
    assert "contract-end" in desk.ask("classes").output


def test_a_schedule_that_shortens_unsaid_is_refused(desk: Desk) -> None:
    assert desk.json("show", BILL.identity)["retain_until"] == "2028-01-01"
    short = (desk.root / "hotfolder.toml").read_text().replace('"P7Y"', '"P3Y"')
    desk.write(short)
    found = desk.json("plan", code=EX_CONFIG)
    assert found["undeclared"] == [{"class": "FIN-7Y", "old_version": 1, "new_version": 1}]
    (listed,) = found["shortened"]
    assert (listed["from"], listed["to"]) == ("2028-01-01", "2024-01-01")
    (count,) = [item for item in found["classes"] if item["class"] == "FIN-7Y"]
    assert (count["documents"], count["changed"], count["shortened"]) == (1, 1, 1)
    assert (count["earliest"], count["latest"]) == ("2024-01-01", "2024-01-01")
    with pytest.raises(OperatorFault) as caught:
        desk.compute()
    assert caught.value.code == "retention.shortens"
    assert desk.json("show", BILL.identity)["retain_until"] == "2028-01-01"
    desk.write(short.replace('"P3Y"', '"P3Y"\nshortens = true'))
    assert desk.json("plan")["ok"]
    desk.compute()
    assert desk.json("show", BILL.identity)["retain_until"] == "2024-01-01"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"contract-end"', '"Contract End"', "retention.event"),
        ('trigger = "event"\n', "", "retention.event"),
        ('business_unit = "RETAIL"\nperiod', 'business_unit = "RETIAL"\nperiod', "retention.unit"),
        ("valid_from", "business_unit_", "configuration"),
        ('cutoff = "year-end"', 'offset = "7 days"', "retention.period"),
        (
            'period = "P10Y"\n',
            _OTHER,
            "retention.ambiguous",
        ),
    ],
)
def test_faults_of_the_schedule(tmp_path: Path, old: str, new: str, code: str) -> None:
    text = sound_text(tmp_path) + _CLASSES
    head, found, tail = text.rpartition(old)
    assert found
    faults = faults_in(tmp_path, head + new + tail)
    assert any(fault.code.startswith(code) for fault in faults), faults
