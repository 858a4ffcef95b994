"""The daemon sees what an archivist decides, and tells it downstream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hotfolder.journal.journal import SqliteJournal
from tests.conformance.desk_suite import hold_statement
from tests.flows.test_feeding import consuming
from tests.support.archivist import SandboxArchivist
from tests.support.commands import ask
from tests.support.serving import serving
from tests.sweeps.scenes import Scene

_MORE = """
[feedback]
enabled = true
poll = 0.2
[feed]
path = "{root}/feed"
every = 0.2
[feed.callback]
url = "{url}"
"""


@pytest.mark.timeout(300)
def test_a_hold_comes_back_and_goes_downstream(tmp_path: Path) -> None:
    folder = tmp_path / "feed"
    folder.mkdir()
    with serving() as sandbox, SandboxArchivist(sandbox) as archivist, consuming() as consumer:
        scene = Scene("daemon", tmp_path, sandbox)
        config = tmp_path / "hotfolder.toml"
        config.write_text(config.read_text() + _MORE.format(root=tmp_path, url=consumer.url))
        scene.complete()
        journal = SqliteJournal.open_existing(bytes(tmp_path / "journal.db"))
        row = next(
            document
            for spool in journal.spools([])
            for document in journal.documents_of(spool.id)
            if document.record_uri
        )
        journal.close()
        uri, identity = str(row.record_uri), row.document.identity
        ours = archivist.read(uri)["rights_statements"]
        archivist.edit(uri, rights_statements=[*ours, hold_statement("hold:M-1")])
        with scene.daemon() as daemon:
            daemon.wait_for(lambda: bool(told(folder, "hold.applied")))
            archivist.edit(uri, rights_statements=ours)
            daemon.wait_for(lambda: bool(told(folder, "hold.released")))
            daemon.wait_for(lambda: len(consumer.bodies) == len(list(folder.glob("*.csv"))))
            assert daemon.stop() == 0
            assert daemon.events("loop.failed") == []
        for kind in ("hold.placed", "hold.applied", "hold.released"):
            (line,) = told(folder, kind)
            assert (line["identity"], line["matter"]) == (identity, "M-1")
            assert line["document_customer_id"]
        facts = ask(scene, "feed", "facts", "--document", identity)
        assert [fact["state"] for fact in facts if fact["source"] == "archivesspace"] == [
            "DONE",
            "DONE",
        ]
        files = ask(scene, "feed", "list")
        assert {file["state"] for file in files} == {"WRITTEN"}
        assert all(file["posted_at"] for file in files)
        first = folder / "hotfolder-facts-0000000001.jsonl"
        before = first.read_bytes()
        assert ask(scene, "feed", "replay", "1", code=78)["error"] == "feed.there"
        assert not [item for item in folder.iterdir() if item.name.startswith(".")]
        for path in folder.iterdir():
            path.unlink()
        assert ask(scene, "feed", "replay", "1")["as_it_was"]
        assert first.read_bytes() == before
        assert ask(scene, "feed", "retry") == {"changed": 0}
        assert ask(scene, "feed", "replay", "99", code=78)["error"] == "feed.unknown"


def told(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The lines of this kind, in the files that are there."""
    lines = [
        json.loads(text)
        for path in sorted(folder.glob("*.jsonl"))
        for text in path.read_text().splitlines()
    ]
    return [line for line in lines if line["kind"] == kind]
