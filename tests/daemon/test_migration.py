"""An old archive is moved in beside a daemon that runs, by the commands of an operator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_OK
from hotfolder.service.demomigration import run_demo


@pytest.mark.timeout(300)
def test_the_demonstration_accounts_for_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_demo(tmp_path / "demo", seed=3, scale=0.01, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert code == EX_OK, told
    assert all(found["proven"] for found in told["exports"])
    assert sum(found["rejected"] for found in told["exports"]) > 0
    log = (tmp_path / "demo" / "hotfolder.log").read_text()
    assert "spool.stored" in log  # the daemon did it, not the command
