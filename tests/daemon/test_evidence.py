"""Evidence after real deliveries: ArchivesSpace is asked, and everything is shown."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import bags
from tests.support.commands import ask
from tests.support.serving import serving
from tests.sweeps.scenes import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with serving() as sandbox:
        yield Scene("daemon", tmp_path, sandbox)


def read_json(path: Path, name: str) -> Any:
    with zipfile.ZipFile(path) as archive:
        (full,) = (item for item in archive.namelist() if item.endswith(f"/{name}"))
        return json.loads(archive.read(full))


def test_nothing_is_missing_where_everything_is_there(scene: Scene, tmp_path: Path) -> None:
    scene.complete()
    (found,) = ask(scene, "find", "--limit", "1")["documents"]
    path = tmp_path / "evidence.zip"
    ask(scene, "evidence", found["identity"], "--out", str(path))
    told = read_json(path, "data/evidence.json")
    assert told["archivesspace"]["found"]
    assert told["archivesspace"]["differences"] == 0
    assert [gap["code"] for gap in told["gaps"]] == ["signature"]
    records = read_json(path, "data/archivesspace/records.json")
    assert records["digital_object"]["uri"] == found["record"]
    assert [event["event_type"] for event in records["events"]] == ["ingestion"]
    assert len(records["archival_objects"]) == 1
    actions = [row["action"] for row in read_json(path, "data/custody/audit.json")["rows"]]
    assert actions == ["spool.stored", "unit.confirmed"]
    judged = bags.judge(path)
    assert judged.returncode == 0, judged.stdout
    assert "differences listed: 0" in judged.stdout
