"""``hotfolder report`` at a terminal and in scripts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hotfolder.core.errors import OperatorFault
from hotfolder.service.cli import group
from tests.journal.test_figures import made
from tests.support.settings import sound_text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    made(tmp_path / "journal.db").close()
    return tmp_path


def ask(root: Path, *arguments: str) -> Result:
    config = ["--config", str(root / "hotfolder.toml")]
    return CliRunner().invoke(group, ["report", *arguments, *config], standalone_mode=False)


def test_it_is_shown_and_written(root: Path) -> None:
    (root / "figures").mkdir()
    arguments = ("--by", "class", "--html", str(root / "r.html"), "--csv", str(root / "figures"))
    done = ask(root, "retention", *arguments, "--json")
    assert done.return_value == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    rows = told["tables"]["retention-by-class"]
    assert {row["class"] for row in rows} == {"FIN", "STAY", "POL", "EVER", "GONE", "(none)"}
    with (root / "figures" / "retention-by-class.csv").open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [row["held"] for row in found] == [str(row["held"]) for row in rows]
    assert "<svg" in (root / "r.html").read_text()
    assert told["files"] == [str(root / "r.html")] + [
        str(root / "figures" / f"{name}.csv") for name in told["tables"]
    ]
    plain = ask(root, "retention", "--by", "unit")
    assert plain.return_value == 0
    assert "retail" in plain.stdout


def test_a_file_may_have_a_bare_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    done = ask(root, "retention", "--html", "retention.html")
    assert done.return_value == 0, done.exception
    assert "<svg" in (root / "retention.html").read_text()


def test_volumes_are_those_of_the_units_that_are_named(root: Path) -> None:
    done = ask(root, "volumes", "--by", "month", "--unit", "RETAIL", "--json")
    assert done.return_value == 0, done.output
    told = json.loads(done.stdout)
    assert told["totals"]["documents"] == 0  # those of the test are of another unit
    assert isinstance(ask(root, "volumes", "--unit", "nobody").exception, OperatorFault)


def test_documents_of_a_unit_that_is_configured_no_more_are_counted(root: Path) -> None:
    whole = json.loads(ask(root, "volumes", "--json").stdout)
    retention = json.loads(ask(root, "retention", "--json").stdout)
    assert whole["totals"]["documents"] == retention["totals"]["documents"] > 0
    assert [row["unit"] for row in whole["tables"]["spools-by-month"]] == ["retail"]
    alone = json.loads(ask(root, "volumes", "--unit", "retail", "--json").stdout)
    assert alone["totals"] == whole["totals"]


def test_nothing_is_overwritten(root: Path) -> None:
    (root / "r.html").write_text("mine")
    done = ask(root, "retention", "--html", str(root / "r.html"), "--csv", str(root))
    assert isinstance(done.exception, OperatorFault)
    assert (root / "r.html").read_text() == "mine"
    assert not list(root.glob("*.csv"))
