"""One drop that nobody expected stops no other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.errors import OperatorFault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.files.layout import make_folders
from hotfolder.flows import reading
from hotfolder.sidecars.interpretation import interpret
from tests.support.drop_mix import write_drops
from tests.support.line import build_line, drops_in


def test_a_fault_of_ours_holds_the_spool_that_meets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hot").mkdir()
    expected = write_drops(tmp_path / "hot", good=3)
    line = build_line(tmp_path, "http://127.0.0.1:9")

    def harmed(**given: Any) -> Any:
        if given["spool"].name == expected[1].name:
            raise RuntimeError("Erika Mustermann")
        return interpret(**given)

    monkeypatch.setattr(reading, "interpret", harmed)
    try:
        line.works.intake.claim(drops_in(line.profile))
        while line.works.intake.advance():
            pass
        states = {row.name: row for row in line.works.journal.spools([])}
        held = states[expected[1].name]
        assert held.state is SpoolState.HELD
        assert [fault.code for fault in held.faults] == ["spool.unreadable"]
        assert states[expected[0].name].state is SpoolState.STORED
        assert states[expected[2].name].state is SpoolState.STORED
        (told,) = [fields for event, fields in line.events if event == "spool.unreadable"]
        assert "RuntimeError" in str(told["error"])
        assert "Mustermann" not in str(line.events)
        # Once it can be read, it goes on.
        monkeypatch.undo()
        assert line.works.journal.release(held.id, "mended", line.works.clock.now())
        while line.works.intake.advance():
            pass
        mended = line.works.journal.get_spool(held.id)
        assert mended is not None
        assert mended.state is SpoolState.STORED
    finally:
        line.works.close()


def test_a_claim_that_fails_is_settled_without_a_restart(tmp_path: Path) -> None:
    (tmp_path / "hot").mkdir()
    expected = write_drops(tmp_path / "hot", good=2)
    line = build_line(tmp_path, "http://127.0.0.1:9")
    try:
        (tmp_path / "hot" / "_working").rmdir()
        with pytest.raises(OperatorFault):
            line.works.intake.claim(drops_in(line.profile))
        make_folders(os.fsencode(tmp_path / "hot"))
        line.works.finisher.settle_claims("hot")
        states = [row.state for row in line.works.journal.spools([])]
        assert states == [SpoolState.ABANDONED] * len(expected)
        assert line.works.intake.claim(drops_in(line.profile)) == len(expected)
        line.works.finisher.settle_claims("hot")
        assert not line.works.journal.spools([SpoolState.CLAIMING])
    finally:
        line.works.close()
