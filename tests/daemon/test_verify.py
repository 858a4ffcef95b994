"""The scrub beside a real daemon: what it finds is told to ArchivesSpace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.errors import EX_IOERR
from tests.support.commands import ask, run
from tests.support.serving import server_events, serving
from tests.sweeps.scenes import Scene, add_copy


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with serving() as sandbox:
        made = Scene("daemon", tmp_path, sandbox)
        add_copy(made, "[verify]\narchivesspace_events = true\n")
        yield made


def checks_in(scene: Scene) -> list[dict[str, Any]]:
    """The events of type ``fixity_check`` on the server."""
    events = server_events(scene.sandbox.url)
    return [event for event in events if event["event_type"] == "fixity_check"]


def test_rounds_are_told_and_damage_is_mended(scene: Scene) -> None:
    scene.complete()
    assert ask(scene, "verify")["damaged"] == []
    scene.complete()
    told = checks_in(scene)
    assert {event["outcome"] for event in told} == {"pass"}
    linked = sorted(record["ref"] for event in told for record in event["linked_records"])
    assert linked
    assert all("/archival_objects/" in ref for ref in linked)
    assert len(linked) == len(set(linked))

    (item,) = ask(scene, "find", "--limit", "1")["documents"]
    (place,) = scene.store.rglob(f"*{item['spool']}")
    path = next(path for path in (place / "v1" / "content").iterdir()
                if path.name not in ("metadata.json", "sidecars", "documents.jsonl"))  # fmt: skip
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    done = run(scene, "verify", "--json")
    assert done.returncode == EX_IOERR, done.stderr
    scene.complete()
    assert {event["outcome"] for event in checks_in(scene)[len(told) :]} >= {"fail"}
    # A copy is whole: the document is given all the same.
    given = ask(scene, "retrieve", item["identity"], "--output", str(scene.root / "x"),
                "--as", "spool")  # fmt: skip
    assert given["sha256"] == given["spool_sha256"]
    assert (scene.root / "x").read_bytes() == whole

    assert ask(scene, "verify", "--mend", item["spool"])["mended"] == [1]
    scene.complete()
    assert path.read_bytes() == whole
    assert ask(scene, "verify")["damaged"] == []
    status = ask(scene, "status")
    assert status["spools"].keys() <= {"DONE", "DUPLICATE", "REJECTED"}
    assert status["fixity"]["not_whole"] == 0
    assert ask(scene, "audit", "verify")["links"] > 0
