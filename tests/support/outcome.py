"""After a sweep: what must be true of store, server, journal and folders.

Asked from the outside: the server's own state, the files on disk, the rows.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from hotfolder.core.lifecycle import SPOOL_MOVES, UNIT_MOVES, SpoolState, UnitState
from hotfolder.flows.auditing import verify_audit
from hotfolder.sandbox.exstream import Expected, Outcome
from hotfolder.service.signingkey import verify_signature
from tests.support.line import Line
from tests.support.serving import server_documents, server_events, server_units


def check_outcome(line: Line, root: Path, url: str, expected: Sequence[Expected]) -> None:
    """Each document once in the store and once on the server with its checksum, each
    unit with one event, the hot folder empty, every rejected drop in ``_failed`` with a
    note, history legal."""
    archived = [item for item in expected if item.outcome in (Outcome.ARCHIVED, Outcome.VERSION)]
    rejected = [item for item in expected if item.outcome is Outcome.REJECTED]
    resent = [item for item in expected if item.outcome is Outcome.DUPLICATE]
    wanted = Counter(item.sha256 for item in archived)

    stored = Counter(item.content_sha256 for item in line.works.store.iterate())
    assert stored == wanted, "each spool once in the store"
    for item in line.works.store.iterate():
        line.works.store.verify(item.spool_id)

    documents = server_documents(url)
    assert Counter(item["sha256"] for item in documents) == wanted, "each document once there"
    identities = [item["identity"] for item in documents]
    assert len(set(identities)) == len(identities)

    units = server_units(url)
    listed = Counter(uri for unit in units for uri in unit["documents"])
    assert listed == Counter(item["uri"] for item in documents), "each document in one unit"
    events = Counter(item["refid"] for item in server_events(url))
    assert events == Counter(f"hf:{unit['ref_id']}:ingestion" for unit in units)

    _check_folders(root, archived, resent, rejected)
    _check_history(line)
    _check_audit(line, root, Counter(item["sha256"] for item in documents))


def _check_audit(line: Line, root: Path, archived: Counter[str]) -> None:
    """The chain is whole, tells of each spool once, and what was signed lies outside."""
    journal = line.works.journal
    report = verify_audit(journal, [str(root / "heads")], verify_signature)
    assert report.faults == ()
    if (root / "heads").is_dir():
        assert report.heads == report.copies
    told = [row for row in journal.audit(limit=100_000) if row.action == "spool.stored"]
    assert Counter(row.details["sha256"] for row in told) == archived
    for row in told:
        inventory = line.works.store.verify(row.subject).inventory_sha256
        assert row.details["inventory_sha256"] == inventory


def _check_folders(
    root: Path,
    archived: Sequence[Expected],
    resent: Sequence[Expected],
    rejected: Sequence[Expected],
) -> None:
    hot = root / "hot"
    left = [name for name in os.listdir(os.fsencode(hot)) if not name.startswith(b"_")]
    assert left == [], "nothing is left in the hot folder"
    assert os.listdir(hot / "_working") == []
    receipts = [json.loads(path.read_text()) for path in (hot / "_receipts").glob("*.json")]
    for outcome, items in (("archived", archived), ("duplicate", resent)):
        told = Counter(item["spool"]["sha256"] for item in receipts if item["outcome"] == outcome)
        assert told == Counter(item.sha256 for item in items), f"a receipt for each {outcome}"
    # A duplicate's receipt may be written while the first is still on its way.
    assert all(
        document["confirmed"]
        for item in receipts
        if item["outcome"] == "archived"
        for document in item["documents"]
    )
    failed = [path.name for path in (hot / "_failed").rglob("*") if path.is_file()]
    for item in rejected:
        name = item.name.decode()
        assert failed.count(name) == 1, "the rejected drop is kept"
        assert failed.count(name + ".ERROR.txt") == 1, "with one note"


def _check_history(line: Line) -> None:
    journal = line.works.journal
    for spool in journal.spools([]):
        steps = [step.new for step in journal.history(spool.id)]
        assert steps[0] == SpoolState.CLAIMING or steps[0] == SpoolState.STORED
        for old, new in pairwise(steps):
            assert SpoolState(new) in SPOOL_MOVES[SpoolState(old)], f"{old} to {new}"
    for state in UnitState:
        for unit in journal.units([state]):
            steps = [step.new for step in journal.history(unit.ref_id)]
            # A ref_id may have been planned again after a refusal: that begins anew.
            for old, new in pairwise(steps):
                fresh = (old, new) == (UnitState.REFUSED, UnitState.PLANNED)
                assert fresh or UnitState(new) in UNIT_MOVES[UnitState(old)], f"{old} to {new}"
