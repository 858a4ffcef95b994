"""One drop that nobody expected stops no other."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.errors import Fault, OperatorFault
from hotfolder.core.lifecycle import SpoolState
from hotfolder.files.layout import make_folders
from hotfolder.flows import reading
from hotfolder.formats import inspect_trailer
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


_FIELD = b"\x5a\0\x10\xd3%b\0\0\0DOCUMENT"
_BEGUN, _ENDED = _FIELD % b"\xa8\xa8", _FIELD % b"\xa9\xa8"
UNFINISHED = {
    "a length that lies": (
        _BEGUN + b"\x5a\x7f\xff" + _ENDED[3:] + _ENDED[:-2],
        "the last field is cut off: it should end at byte 32785, the file at 49",
        "byte 17",
    ),
    "a field that was overwritten": (
        _BEGUN + b"spoilt" + _ENDED + bytes(99),
        "there is no field here (byte 73 instead of 5A), 122 bytes before the end",
        "byte 17",
    ),
}


@pytest.mark.parametrize(("data", "message", "place"), UNFINISHED.values(), ids=UNFINISHED)
def test_what_never_ended_is_told_by_the_byte_that_broke(
    tmp_path: Path, data: bytes, message: str, place: str
) -> None:
    (tmp_path / "hot").mkdir()
    (tmp_path / "hot" / "run.afp").write_bytes(data)
    glance = inspect_trailer(io.BytesIO(data), len(data), b"run.afp").fault
    assert glance is not None
    assert glance.place == f"byte {len(data)}"
    line = build_line(tmp_path, "http://127.0.0.1:9")
    try:
        other = Fault(code="sidecar.missing", message="none came", remedy="write one")
        (drop,) = drops_in(line.profile)
        line.works.intake.claim([replace(drop, faults=(glance, other))])
        line.works.intake.advance()
        (row,) = line.works.journal.spools([])
        assert row.state is SpoolState.REJECTED
        told, kept = row.faults
        assert (told.message, told.place) == (message, place)
        assert kept == other
    finally:
        line.works.close()


def test_what_is_whole_after_all_keeps_its_faults(tmp_path: Path) -> None:
    (tmp_path / "hot").mkdir()
    (tmp_path / "hot" / "run.txt").write_text("a letter")
    line = build_line(tmp_path, "http://127.0.0.1:9")
    try:
        fault = Fault(code="spool.still_open", message="it is open", remedy="close it")
        (drop,) = drops_in(line.profile)
        line.works.intake.claim([replace(drop, faults=(fault,))])
        line.works.intake.advance()
        (row,) = line.works.journal.spools([])
        assert row.faults == (fault,)
    finally:
        line.works.close()
