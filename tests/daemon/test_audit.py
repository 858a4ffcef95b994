"""The daemon signs the audit chain, and the commands find it whole."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hotfolder.service.signingkey import make_key
from tests.support.commands import ask, expected_states
from tests.support.serving import serving
from tests.sweeps.scenes import Scene


@pytest.mark.timeout(600)
def test_a_running_daemon_signs_and_everything_is_on_the_chain(tmp_path: Path) -> None:
    with serving() as sandbox:
        scene = Scene("daemon", tmp_path, sandbox)
        (tmp_path / "copies").mkdir()
        key = make_key(str(tmp_path / "key"))
        config = tmp_path / "hotfolder.toml"
        section = f'[audit]\nsigning_key = "{tmp_path}/key"\nheads = ["{tmp_path}/copies"]\n'
        config.write_text(config.read_text().replace("[metrics]", section + "[metrics]"))
        with scene.daemon() as daemon:
            daemon.wait_for(daemon.is_finished)
            daemon.wait_for(lambda: bool(daemon.events("audit.signed")))
            (told,) = daemon.events("audit.signed")
            assert daemon.stop() == 0
            said = daemon.text()
        (name,) = os.listdir(tmp_path / "copies")
        assert name == f"tree-head-{told['links']}.json"
        ask(scene, "audit", "sign")  # what came after the first
        report = ask(scene, "audit", "verify")
        assert report["ok"], report
        assert report["keys"] == [json.loads((tmp_path / "copies" / name).read_text())["key"]]
        assert key.public_key.hex() not in said
        stored = [row for row in _all(scene) if row["action"] == "spool.stored"]
        assert len(stored) == expected_states(scene)["DONE"]
        assert {row["actor"] for row in stored} == {"hotfolder"}
        rejected = [row for row in _all(scene) if row["action"] == "spool.rejected"]
        assert len(rejected) == expected_states(scene)["REJECTED"]


def _all(scene: Scene) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = ask(scene, "audit", "list", "--limit", "10000")
    return rows
