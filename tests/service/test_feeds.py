"""``hotfolder feed``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from hotfolder.core.facts import FactKind, NewFact
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.cli import group
from tests.support.settings import sound_text


def waiting(number: int, kind: FactKind, body: dict[str, object]) -> NewFact:
    return NewFact(
        key=f"{kind}|{number}",
        kind=kind,
        business_unit="RETAIL",
        actor="archivesspace:anna",
        at=1_782_000_000.0 + number,
        uri=f"/repositories/2/events/{number}",
        body=body,
    )


def test_what_waits_is_chosen_before_it_is_cut_and_goes_on_after_a_number(tmp_path: Path) -> None:
    (tmp_path / "hotfolder.toml").write_text(sound_text(tmp_path))
    journal = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    facts = [
        waiting(number, FactKind.HOLD_PLACED, {"matter": "m", "reference": f"r{number}"})
        for number in (1, 2, 3)
    ]
    facts.append(waiting(4, FactKind.DISPOSAL_APPROVED, {"disposal": "disposal-1"}))
    journal.record_look("test", {}, 1_782_000_000.0, facts=facts)
    journal.close()

    def ask(*options: str) -> list[Any]:
        config = ["--config", str(tmp_path / "hotfolder.toml")]
        arguments = ["feed", "facts", "--waiting", "--json", *options, *config]
        done = CliRunner().invoke(group, arguments, standalone_mode=False)
        assert done.exception is None
        return [row["fact"] for row in json.loads(done.stdout)]

    assert ask("--kind", "disposal.approved", "--limit", "2") == [4]
    assert ask("--after", "2") == [3, 4]
    assert ask("--limit", "2") == [1, 2]
