"""The daemon gives documents back, answers a request folder and an archivist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hotfolder.journal.journal import SqliteJournal
from tests.support.archivist import SandboxArchivist
from tests.support.commands import ask
from tests.support.serving import serving
from tests.sweeps.scenes import Scene

_MORE = """
[archivesspace.requests]
enabled = true
poll = 0.2
to = "back"
[return.back]
path = "{root}/back"
trigger_suffix = ".go"
[requests.ask]
path = "{root}/ask"
business_units = ["RETAIL"]
completion = {{ quiet = 0.3, looks = 1, quiet_without_trailer = 0.5 }}
"""


@pytest.mark.timeout(600)
def test_what_is_asked_is_answered(tmp_path: Path) -> None:
    for name in ("back", "ask"):
        (tmp_path / name).mkdir()
    with serving() as sandbox, SandboxArchivist(sandbox) as archivist:
        scene = Scene("daemon", tmp_path, sandbox)
        config = tmp_path / "hotfolder.toml"
        config.write_text(config.read_text() + _MORE.format(root=tmp_path))
        scene.complete()
        journal = SqliteJournal.open_existing(bytes(tmp_path / "journal.db"))
        row = next(
            document
            for spool in journal.spools([])
            for document in journal.documents_of(spool.id)
            if document.record_uri
        )
        journal.close()
        uri = archivist.ask([str(row.record_uri)])
        identity = row.document.identity
        with scene.daemon() as daemon:
            daemon.wait_for(lambda: bool(daemon.events("daemon.started")))
            (tmp_path / "ask" / "one.json").write_text(json.dumps([identity, "hf-nobody"]))
            (tmp_path / "ask" / "two.csv").write_text(f"id\n{identity}\n")
            ordered = ask(scene, "return", identity, "--to", "back", code=75)
            assert ordered["state"] == "ORDERED"
            daemon.wait_for(
                lambda: (
                    archivist.read(uri)["outcome"] == "fulfilled"
                    and (tmp_path / "ask" / "one.answer").is_dir()
                    and (tmp_path / "ask" / "two.answer").is_dir()
                    and len(list((tmp_path / "back").glob("*.go"))) == 2
                )
            )
            daemon.wait_for(lambda: not ask(scene, "requests", "--open"))
            assert daemon.stop() == 0
            assert daemon.events("loop.failed") == []
        states = {order["state"] for order in ask(scene, "orders")}
        assert states == {"GIVEN"}
        told = ask(scene, "requests", "show", uri)
        assert (told["answer"], [item["outcome"] for item in told["documents"]]) == (
            "fulfilled",
            ["given"],
        )
        assert len(list((tmp_path / "back").glob("*.go"))) == 2
        manifest = json.loads((tmp_path / "ask" / "one.answer" / "manifest.json").read_bytes())
        assert manifest["outcomes"] == {"given": 1, "unknown": 1}


@pytest.mark.timeout(600)
def test_a_run_until_idle_carries_out_what_was_ordered(tmp_path: Path) -> None:
    with serving() as sandbox:
        scene = Scene("daemon", tmp_path, sandbox)
        config = tmp_path / "hotfolder.toml"
        (tmp_path / "ask").mkdir()
        config.write_text(config.read_text() + _MORE.format(root=tmp_path))
        scene.complete()
        identity = ask(scene, "find", "--type", "statement")
        documents = identity["documents"] if isinstance(identity, dict) else identity
        name = documents[0]["identity"]
        assert ask(scene, "return", name, "--to", "back", code=75)["attempts"] == 1
        (tmp_path / "back").mkdir()
        assert ask(scene, "orders", "--retry") == {"changed": 1}
        scene.complete()
        assert len(list((tmp_path / "back").glob("*.go"))) == 1
