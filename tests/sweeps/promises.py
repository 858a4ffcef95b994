"""What hotfolder has acknowledged, looked at while it is not done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from hotfolder.core.lifecycle import SpoolState
from tests.support.line import build_line
from tests.support.serving import server_documents
from tests.sweeps.scenes import Scene

_STORED = (SpoolState.STORED, SpoolState.DELIVERED, SpoolState.DONE)


def check_promises(scene: Scene) -> None:
    """What is acknowledged is true, and nothing is lost."""
    line = build_line(scene.root, scene.sandbox.url, store=scene.store)
    try:
        rows = line.works.journal.spools([])
        for row in rows:
            if row.state in _STORED:
                line.works.store.verify(row.id)
    finally:
        line.works.close()
    there = {item["sha256"] for item in server_documents(scene.sandbox.url)}
    if scene.name != "replay":  # there the server has lost what it had
        for row in rows:
            if row.state in (SpoolState.DELIVERED, SpoolState.DONE):
                assert row.sha256 in there, f"{row.id} is {row.state}, and not on the server"
        for receipt in _receipts(scene):
            confirmed = {item["sha256"] for item in receipt["documents"] if item["confirmed"]}
            assert confirmed <= there, "a receipt says archived, and the server has nothing"
            assert confirmed or receipt["outcome"] == "duplicate", "a receipt of nothing"
    held = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        # Not what lies in the staging folder beside the store.
        for place in (scene.root / "hot", scene.store)
        for path in place.rglob("*")
        if path.is_file()
    }
    for item in scene.expected:
        assert item.sha256 in held, f"{item.name!r} is nowhere"


def _receipts(scene: Scene) -> Sequence[dict[str, Any]]:
    paths = (scene.root / "hot" / "_receipts").glob("*.receipt.json")
    return [json.loads(path.read_text()) for path in paths]
