"""What is given back is told to ArchivesSpace by the daemon, and a copy of the store is
written by it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.core.errors import EX_CONFIG, EX_NOINPUT, EX_TEMPFAIL
from tests.support.commands import ask, run
from tests.support.serving import server_events, serving
from tests.sweeps.scenes import Scene, add_copy


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with serving() as sandbox:
        made = Scene("daemon", tmp_path, sandbox)
        add_copy(made, "[retrieve]\nreason_required = true\narchivesspace_events = true\n")
        yield made


def requests_in(scene: Scene) -> list[dict[str, Any]]:
    """The events of type ``request`` on the server."""
    events = server_events(scene.sandbox.url)
    return [event for event in events if event["event_type"] == "request"]


def test_from_the_folder_and_back(scene: Scene) -> None:
    scene.complete()
    found = ask(scene, "find", "--limit", "1000")["documents"]
    told = ask(scene, "retrieve", *(item["record"] for item in found[:3]), "--out",
               str(scene.root / "out"), "--reason", "case 4711")  # fmt: skip
    assert (told["given"], told["refused"]) == (3, [])
    for item, entry in zip(found[:3], told["files"], strict=True):
        data = (scene.root / "out" / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == item["sha256"] == entry["sha256"]
    assert ask(scene, "status")["events_waiting"] == 3
    assert requests_in(scene) == []

    scene.complete()
    assert ask(scene, "status")["events_waiting"] == 0
    events = requests_in(scene)
    assert {event["outcome"] for event in events} == {"fulfilled"}
    linked = sorted(record["ref"] for event in events for record in event["linked_records"])
    assert linked == sorted(item["record"] for item in found[:3])
    scene.complete()
    assert len(requests_in(scene)) == 3

    assert run(scene, "show", "/repositories/2/digital_objects/99999").returncode == EX_NOINPUT

    # Both roots have everything: either alone will do.
    (scene.root / "store").rename(scene.root / "away")
    told = ask(scene, "retrieve", *(item["identity"] for item in found[:3]), "--out",
               str(scene.root / "again"), "--reason", "the first root is gone")  # fmt: skip
    assert told["given"] == 3
    (scene.root / "away").rename(scene.root / "store")

    # The catalogue is lost: none is begun beside the store, and it is said what is to be done.
    for path in scene.root.glob("journal.db*"):
        path.rename(path.with_name(f"lost-{path.name}"))
    assert run(scene, "run", "--until-idle").returncode == EX_CONFIG
    done = run(scene, "retrieve", found[0]["record"], "-o", "-", "--reason", "x")
    assert done.returncode == EX_CONFIG
    assert "hotfolder rebuild" in done.stderr


def test_while_the_server_is_away_events_wait(scene: Scene) -> None:
    scene.complete()
    (item,) = ask(scene, "find", "--limit", "1")["documents"]
    scene.sandbox.stop()
    ask(scene, "retrieve", item["identity"], "-o", str(scene.root / "a"), "--reason", "x")
    daemon = run(scene, "run", "--until-idle")
    assert daemon.returncode == EX_TEMPFAIL, daemon.stderr
    told = ask(scene, "status")
    assert told["events_waiting"] == 1
    missing = run(scene, "show", "/repositories/2/digital_objects/99999")
    assert missing.returncode == EX_NOINPUT
    assert "could not be asked" in missing.stderr
