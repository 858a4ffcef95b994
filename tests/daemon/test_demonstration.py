"""The demonstration, as it is run: a daemon, an outage, a hold, disposals, a dispute."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_OK
from hotfolder.sandbox.scenario import DemoScenario
from hotfolder.service.demonstration import run_demo


@pytest.mark.timeout(300)
def test_every_file_is_accounted_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_demo(tmp_path / "demo", seed=20_260_101, scale=1.0, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert code == EX_OK, told
    assert told["ok"]
    assert {item["became"] == item["expected"] for item in told["files"]} == {True}
    assert (len(told["keeping"]["disposals"]), told["keeping"]["version"]) == (2, "4.2")
    assert told["dispute"]["failed"] == ""


@pytest.mark.timeout(300)
def test_it_ends_when_nothing_more_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bool:
        raise FileNotFoundError("a folder was taken away")

    monkeypatch.setattr(DemoScenario, "play", fail)
    with pytest.raises(FileNotFoundError):
        run_demo(tmp_path / "demo", seed=1, scale=1.0, as_json=True)
