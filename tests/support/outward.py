"""The way out again in one thread and one process: orders, request folder, requests in
ArchivesSpace. The sweeps run it as a program and kill it:
``python -m tests.support.outward ROOT URL RECEIVER``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from hotfolder.core.errors import Transient
from hotfolder.core.orders import (
    ORDER_MOVES,
    REQUEST_MOVES,
    OrderState,
    RequestState,
)
from hotfolder.core.profiles import (
    AskedProfile,
    HandedFormat,
    RequestFolder,
    ReturnKind,
    ReturnProfile,
)
from hotfolder.core.records import Drop
from hotfolder.files.layout import make_folders
from hotfolder.service.composition import Works
from tests.support.archivist import SandboxArchivist
from tests.support.line import Line, arm_crash, build_line, look
from tests.support.receiver import Receiver

_PAUSE = 0.02
_PASSES = 200
BAD = b'{"documents": [{"nobody": "knows"}]}'


def profiles(root: Path, receiver: str) -> dict[str, Any]:
    """A return folder, a receiver, a request folder, requests of ArchivesSpace."""
    return {
        "returns": (
            ReturnProfile(
                name="back",
                kind=ReturnKind.FOLDER,
                path=str(root / "back"),
                sidecar=HandedFormat.JSON,
                trigger_suffix=".go",
            ),
            ReturnProfile(
                name="post",
                kind=ReturnKind.HTTP,
                url=receiver,
                read_timeout=2,
                total_timeout=4,
                attempts=50,
            ),
        ),
        "requests": (
            RequestFolder(name="ask", path=str(root / "ask"), business_units=("RETAIL",)),
        ),
        "asked": AskedProfile(enabled=True, to="back", allowed=("post",)),
    }


def build(root: Path, url: str, receiver: str, *, read_timeout: float = 5.0) -> Line:
    """The line with the way out again."""
    for name in ("back", "ask"):
        (root / name).mkdir(exist_ok=True)
    make_folders(os.fsencode(root / "ask"))
    return build_line(root, url, read_timeout=read_timeout, outward=profiles(root, receiver))


def identities(works: Works) -> list[str]:
    """The documents that the server has, in order."""
    found = [
        item for row in works.journal.spools([]) for item in works.journal.documents_of(row.id)
    ]
    return sorted(item.document.identity for item in found if item.record_uri)


def ask_everywhere(works: Works, root: Path, archivist: SandboxArchivist) -> None:
    """Two request files, one of them bad, and three requests in ArchivesSpace."""
    names = identities(works)
    wanted = [{"id": names[0]}, "hf-unknown", {"type": "statement"}, names[0]]
    (root / "ask" / "first.json").write_text(json.dumps({"documents": wanted}))
    (root / "ask" / "bad.json").write_bytes(BAD)
    uris = {name: _uri(works, name) for name in names}
    archivist.ask([uris[names[0]], uris[names[1]]])
    archivist.ask([uris[names[2]]], "for the hearing\nto: post")
    archivist.ask([uris[names[0]], archivist.describe("theirs")])


def _uri(works: Works, identity: str) -> str:
    row = works.journal.get_document(identity)
    assert row is not None
    assert row.record_uri is not None
    return row.record_uri


def run(line: Line, root: Path) -> bool:
    """Order, claim, ask, carry out, answer, until nothing is left; False if that never
    comes."""
    works = line.works
    works.requests.recover("ask")
    _order(works)
    asked = False
    for _ in range(_PASSES):
        works.journal.hasten_orders(works.clock.now())
        works.requests.claim("ask", _drops(root / "ask"))
        works.requests.advance("ask")
        assert works.asking is not None
        try:
            works.asking.poll()
            asked = True
        except Transient:
            asked = False
        while works.returns.advance():
            pass
        works.asking.advance()
        if asked and not works.journal.open_orders() and not works.journal.open_requests():
            return True
        time.sleep(_PAUSE)
    return False


def _order(works: Works) -> None:
    """What a person orders at a terminal: once, however often this is killed."""
    names = identities(works)
    for name, to in ((names[0], "back"), (names[3], "post")):
        ordered = [row for row in works.journal.orders(identity=name) if row.reason == "x"]
        if not ordered:
            works.returns.order(name, to, reason="x", actor="clerk")


def _drops(folder: Path) -> Sequence[Drop]:
    names = sorted(os.fsencode(item.name) for item in os.scandir(folder) if item.is_file())
    return [Drop(folder="ask", spool=look(folder, name, "ask")) for name in names]


class Exstream:
    """Takes what was given with its trigger out of the return folder, at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.taken: Counter[str] = Counter()  # by the number of the order
        self.bytes: dict[str, bytes] = {}

    def take(self) -> None:
        """Every document that has its trigger."""
        for trigger in self._folder.glob("*.go"):
            document = trigger.with_suffix("")
            sidecar = Path(f"{document}.json")
            told = json.loads(sidecar.read_bytes())
            data = document.read_bytes()
            assert len(data) == told["given"]["bytes"]
            order = document.stem.rpartition("-")[2]
            self.taken[order] += 1
            self.bytes[told["identity"]] = data
            for path in (trigger, document, sidecar):
                path.unlink()

    def check_empty(self) -> None:
        """Nothing is left behind: no temporary file, nothing without its trigger."""
        assert list(self._folder.iterdir()) == []


def check(
    works: Works,
    root: Path,
    exstream: Exstream,
    receiver: Receiver,
    archivist: SandboxArchivist,
) -> None:
    """Every document given once, every request answered once, all of it on the chain."""
    exstream.take()
    exstream.check_empty()
    journal = works.journal
    orders = journal.orders()
    assert len(orders) == 6, [(row.to, row.request) for row in orders]
    assert {row.state for row in orders} == {OrderState.GIVEN}
    back = {row.id for row in orders if row.to == "back"}
    assert exstream.taken == Counter(back), "each order once in the return folder"
    assert set(receiver.taken) == {row.id for row in orders if row.to == "post"}
    _check_answers(works, root)
    _check_events(archivist)
    _check_chain(works)
    for kind, moves, rows in (
        (OrderState, ORDER_MOVES, [row.id for row in orders]),
        (RequestState, REQUEST_MOVES, [row.id for row in journal.requests()]),
    ):
        for subject in rows:
            steps = [kind(step.new) for step in journal.steps(subject)]
            for old, new in pairwise(steps):
                assert new in moves[old], f"{old} to {new}"  # type: ignore[index]


def _check_answers(works: Works, root: Path) -> None:
    folder = root / "ask"
    left = sorted(item.name for item in folder.iterdir() if item.name[0] != "_")
    assert left == ["first.answer"], "one answer, and no request is left"
    assert list((folder / "_working").iterdir()) == []
    failed = sorted(item.name for item in (folder / "_failed").rglob("*") if item.is_file())
    assert failed == ["bad.json", "bad.json.ERROR.txt"]
    manifest = json.loads((folder / "first.answer" / "manifest.json").read_bytes())
    outcomes = {item["line"]: item["fate"] for item in manifest["lines"]}
    assert outcomes == {1: "given", 2: "unknown", 3: "given", 4: "given"}
    named = {name for item in manifest["lines"] for name in item["files"]}
    there = {item.name for item in (folder / "first.answer").iterdir()}
    assert there == named | {"manifest.json", "manifest.csv"}
    states = Counter(row.state for row in works.journal.requests())
    del states[RequestState.ABANDONED]  # killed between intent and rename: claimed anew
    assert states == {RequestState.ANSWERED: 4, RequestState.REJECTED: 1}


def _check_events(archivist: SandboxArchivist) -> None:
    events = [item for item in archivist.events() if item["event_type"] == "request"]
    assert [item["outcome"] for item in events] == ["fulfilled", "fulfilled", "fail"]
    for event in events:
        assert event["outcome_note"].count("hotfolder:") == 1, "answered once"
    assert events[1]["outcome_note"].startswith("for the hearing")
    assert "no document of hotfolder" in events[2]["outcome_note"]


def _check_chain(works: Works) -> None:
    works.journal.verify_chain()
    chain = works.journal.audit(limit=100_000)
    returned = Counter(
        (row.details["order"], row.subject) for row in chain if row.action == "document.returned"
    )
    assert set(returned.values()) == {1}, "each return once on the chain"
    orders = {(row.id, row.identity) for row in works.journal.orders()}
    answers = {
        (row.id, item.identity)
        for row in works.journal.requests()
        if row.source
        for item in row.fates
        if item.fate == "given"
    }
    assert set(returned) == orders | answers
    answered = Counter(row.subject for row in chain if row.action == "request.answered")
    asked = [row for row in works.journal.requests() if row.state is not RequestState.ABANDONED]
    assert answered == Counter(row.id for row in asked)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("url")
    parser.add_argument("receiver")
    parser.add_argument("--crash", default="")
    parser.add_argument("--occurrence", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.crash:
        arm_crash(options.crash, options.occurrence)
    line = build(options.root, options.url, options.receiver)
    try:
        return 0 if run(line, options.root) else 75
    finally:
        line.works.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
