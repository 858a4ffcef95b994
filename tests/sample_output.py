"""Makes sample_output/: what hotfolder writes, for whoever wants to see it first.

    python -m tests.sample_output [TARGET]

A part of the demo's scenario goes through the real flows into the sandbox, step by step
in one thread, with an outage in the middle. The clock stands still between the steps and
spool ids are counted, so that two runs differ only in what the caller's machine adds:
the time stamps of log lines, the sandbox's port and the folder it ran in, which are
replaced. ``tests/test_sample_output.py`` compares.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import CliRunner

from hotfolder import __version__
from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.archivesspace.calls import Calls
from hotfolder.core.lifecycle import OPEN_SPOOL_STATES, UnitState
from hotfolder.core.records import Drop, SpoolRow
from hotfolder.files.layout import make_folders
from hotfolder.journal.journal import SqliteJournal
from hotfolder.sandbox.configuration import REPOSITORIES, demo_configuration, hot_folders
from hotfolder.sandbox.sandbox import Sandbox
from hotfolder.sandbox.scenario import DemoScenario, Step
from hotfolder.sandbox.writers import put_file
from hotfolder.service.cli import group as command_line
from hotfolder.service.composition import Works, connect
from hotfolder.service.dispute import REFERENCE
from hotfolder.service.folderloops import make_watcher
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.parts import SystemClock
from hotfolder.service.settings import Configuration, load
from hotfolder.store.ocfl import OcflStore
from tests.support.serving import call, log_in, records

TARGET = Path(__file__).parent.parent / "sample_output"
_CUSTOMERS = 20  # at least, in the run: its unit is no good example
_SEED = 1
_START = 1_790_841_600.0  # 2026-10-01T08:00:00Z
_LETTER = "Answer to Mrs Weiß.pdf".encode()
_PATIENCE = 60.0


class StandingClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = _START

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at - _START


class QuickClock(SystemClock):
    """Ten seconds of quiet in one."""

    def monotonic(self) -> float:
        return super().monotonic() * 10


class Samples:
    """One run, and what it wrote."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root = root
        self.sandbox = sandbox
        self.clock = StandingClock()
        self.config = root / "hotfolder.toml"
        secret = root / "password"
        secret.write_text("admin")
        secret.chmod(0o600)
        self.folders = hot_folders(str(root))
        for folder in self.folders.values():
            os.makedirs(folder)
        for code, title in REPOSITORIES.items():
            sandbox.add_repository(code, title)
        self.config.write_text(
            demo_configuration(str(root), sandbox.url, password_file=str(secret))
        )
        self.configuration = load(str(self.config), {})
        self.log = io.StringIO()
        with redirect_stderr(self.log):
            configure_logs("json", cache=False)
        self.works = _connect(self.configuration, self.clock)
        self.sent: list[Any] = []

    def run(self) -> None:
        """Everything, with the server away while the first drops come."""
        scenario = DemoScenario(_SEED, 0.1)
        steps = [item for item in scenario.steps if item.folder == "statements"]
        steps += [
            item
            for item in scenario.steps
            if item.folder == "letters" and item.output.name == _LETTER
        ][:1]
        seen: set[bytes] = set()
        first = [item for item in steps if not _comes_again(item, seen)]
        with redirect_stderr(self.log), self._recording():
            self.sandbox.stop()
            self._take(first)
            self._deliver()
            self.sandbox.start()
            self.clock.at += 60
            assert self.works.delivery.probe()
            self._deliver()
            self.clock.at += 3600
            self._take([item for item in steps if item not in first])
            self._deliver()
            self.plain_units = len(self.sent)
            self.clock.at += 3600
            self.wanted = scenario.wanted
            self._take([item for item in scenario.steps if item.folder == "runs"][:1])
            self._deliver()
        left = self.works.journal.spools(list(OPEN_SPOOL_STATES), limit=10)
        assert not left, left

    def _take(self, steps: Sequence[Step]) -> None:
        """Write drops, wait until they have settled, claim, read and store them."""
        for profile in self.configuration.folders:
            chosen = [item for item in steps if item.folder == profile.name]
            for step in chosen:
                _write(self.folders[step.folder], step)
            if not chosen:
                continue
            quiet = replace(self.works, clock=QuickClock(), emit=_say_nothing)
            watcher = make_watcher(profile, quiet)
            watcher.start()
            drops: list[Drop] = []
            limit = time.monotonic() + _PATIENCE
            while len(drops) < len(chosen):
                assert time.monotonic() < limit, (profile.name, drops)
                drops += watcher.poll(1.0)
            watcher.stop()
            self.clock.at += 5
            self.works.intake.claim(drops)
            self.clock.at += 1
            while self.works.intake.advance():
                self.clock.at += 1

    def _deliver(self) -> None:
        works = self.works
        due = works.journal.units([UnitState.PLANNED, UnitState.SENT], due_at=self.clock.at)
        for backlog in works.journal.backlogs():
            unit = works.delivery.plan(backlog.business_unit, backlog.series, backlog.cycle)
            assert unit is not None
            due.append(unit)
        for unit in due:
            self.clock.at += 1
            if not works.delivery.deliver(unit):
                works.delivery.note_failure("a unit got no usable answer")
                return
        self.clock.at += 1
        works.finisher.finish()

    def _recording(self) -> Any:
        original = Calls.import_records

        def import_records(calls: Calls, repository: str, body: bytes) -> Any:
            self.sent.append(json.loads(body))
            return original(calls, repository, body)

        return mock.patch.object(Calls, "import_records", import_records)

    # -- what came of it ------------------------------------------------------------
    def files(self) -> Iterator[tuple[str, str]]:
        """Names and texts of the samples."""
        rows = self.works.journal.spools([], limit=1000)
        letter = _row(rows, _LETTER)
        version = next(
            row
            for row in rows
            if row.folder == "statements"
            and any(item.document.version > 1 for item in self.works.journal.documents_of(row.id))
        )
        receipts = sorted((self.root / "exstream").glob("*/_receipts/*"))
        named = {path.name: path.read_text() for path in receipts}
        yield "receipt.json", named[version.name.decode() + f".{version.id[-8:]}.receipt.json"]
        yield "receipt-by-hand.json", named[letter.name.decode() + ".receipt.json"]
        yield "receipt-by-hand.txt", named[letter.name.decode() + ".receipt.txt"]
        duplicate = next(row for row in rows if row.state == "DUPLICATE")
        yield "receipt-duplicate.json", named[duplicate.name.decode() + ".receipt.json"]
        for note in sorted((self.root / "exstream").glob("*/_failed/*/*.ERROR.txt")):
            rejected = _row(rows, os.fsencode(note.name.removesuffix(".ERROR.txt")))
            yield f"error-note-{rejected.faults[0].code}.txt", note.read_text()
        yield "unit-as-sent.json", _pretty(max(self.sent[: self.plain_units], key=len))
        yield from self._run_of_many(rows, named)
        yield from self._dispute()
        yield from self._records()
        yield from self._objects(version)
        yield "log.jsonl", self.log.getvalue()
        for name, arguments in {
            "status.txt": ["status"],
            "status.json": ["status", "--json"],
            "show.txt": ["show", version.id],
            "show.json": ["show", version.id, "--json"],
            "show-rejected.txt": ["show", _rejected(rows).id],
            "list.txt": ["list"],
        }.items():
            yield name, self._command(*arguments)

    def _run_of_many(
        self, rows: Sequence[SpoolRow], named: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        run = next(row for row in rows if row.folder == "runs")
        yield "run/receipt.json", named[run.name.decode() + ".receipt.json"]
        yield "run/show.txt", self._command("show", run.id)
        documents = next((self.root / "store").rglob("documents.jsonl"))
        yield "run/documents.jsonl", documents.read_text()
        found = self._command("find", "--customer", self.wanted.customer_id, "--json")
        yield "run/find.json", found
        identity = json.loads(found)["documents"][0]["identity"]
        target = self.root / "statement.afp"
        yield "run/retrieve.txt", self._command("retrieve", identity, "-o", str(target))
        assert target.read_bytes() == self.wanted.data

    def _dispute(self) -> Iterator[tuple[str, str]]:
        found = self._command("case", REFERENCE, "--json")
        yield "dispute/case.json", found
        yield "dispute/case.txt", self._command("case", REFERENCE)
        identity = json.loads(found)["documents"][0]["identity"]
        folder = self.root / "dispute"
        given = self._command(
            "retrieve", identity, "--out", str(folder), "--reason", "the customer disputes it"
        )
        yield "dispute/retrieve.txt", given
        sidecar = next(folder.glob("*.pdf.json"))
        yield "dispute/document.pdf.json", sidecar.read_text()
        yield "dispute/audit.txt", self._command("audit", "list", identity)
        bag = self.root / "evidence.zip"
        self._command("evidence", identity, "--out", str(bag))
        with zipfile.ZipFile(bag) as stored:
            yield "dispute/evidence-contents.txt", "".join(f"{n}\n" for n in stored.namelist())
            summary = next(name for name in stored.namelist() if name.endswith("summary.html"))
            yield "dispute/summary.html", stored.read(summary).decode()

    def _records(self) -> Iterator[tuple[str, str]]:
        url, repository = self.sandbox.url, "/repositories/2"
        token = log_in(url)
        units = [
            item
            for item in records(url, f"{repository}/archival_objects")
            if item["level"] == "file" and len(item["instances"]) < _CUSTOMERS
        ]
        unit = max(units, key=lambda item: len(item["instances"]))
        reference = unit["instances"][0]["digital_object"]["ref"]
        events = records(url, f"{repository}/events")
        event = next(
            item
            for item in events
            if any(link["ref"] == unit["uri"] for link in item["linked_records"])
        )
        for name, record in (
            ("archival_object", unit),
            ("digital_object", call(url, reference, token)),
            ("event", event),
            ("resource", call(url, unit["resource"]["ref"], token)),
        ):
            yield f"archivesspace/{name}.json", _pretty(record)

    def _objects(self, row: SpoolRow) -> Iterator[tuple[str, str]]:
        store = self.root / "store"
        tree = sorted(
            (path.relative_to(store).as_posix(), path)
            for path in store.rglob("*")
            if path.is_file()
        )
        yield (
            "store/tree.txt",
            "".join(f"{path.stat().st_size:>7}  {name}\n" for name, path in tree),
        )
        place = next(path for name, path in tree if row.id in name).parent
        while not (place / "inventory.json").exists() or place.name.startswith("v"):
            place = place.parent
        yield "store/inventory.json", (place / "inventory.json").read_text()
        metadata = next(place.rglob("metadata.json"))
        yield "store/metadata.json", _pretty(json.loads(metadata.read_text()))

    def _command(self, *arguments: str) -> str:
        with (
            mock.patch.object(SystemClock, "now", return_value=self.clock.at),
            mock.patch("hotfolder.service.actor.LOGIN_UID", os.devnull),
            mock.patch.dict(os.environ, SUDO_USER="case-worker"),
        ):
            done = CliRunner(catch_exceptions=False).invoke(
                command_line, [*arguments, "--config", str(self.config)], standalone_mode=False
            )
        assert done.exit_code == 0, done.output
        return done.stdout

    def normalise(self, text: str) -> str:
        """``text`` without what this machine added."""
        text = text.replace(str(self.root), "/srv/hotfolder")
        text = text.replace(self.sandbox.url, "http://archivesspace.example:8089")
        place = self.sandbox.url.removeprefix("http://")  # as messages name it
        text = text.replace(place, "archivesspace.example:8089")
        text = re.sub(r'"timestamp": "[^"]+"', '"timestamp": "2026-10-01T08:00:00.000000Z"', text)
        return text if text.endswith("\n") else text + "\n"


def make(target: Path) -> list[str]:
    """Write all samples into ``target``; the names written."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(os.path.realpath(place))
        with Sandbox(clock=lambda: _START) as sandbox:
            samples = Samples(root, sandbox)
            try:
                samples.run()
                written = [(name, samples.normalise(text)) for name, text in samples.files()]
            finally:
                samples.works.close()
        _unlock(root / "store")
    for name, text in written:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [name for name, _ in written]


def _connect(configuration: Configuration, clock: StandingClock) -> Works:
    emit = make_emit()
    store = OcflStore(os.fsencode(configuration.store_path), clock=clock)
    store.initialise()
    for profile in configuration.folders:
        make_folders(os.fsencode(profile.path))
    numbers = count(1)
    return connect(
        journal=SqliteJournal(os.fsencode(configuration.journal_path)),
        store=store,
        archive=ArchivesSpace(
            configuration.archive,
            configuration.password,
            configuration.rules,
            clock=clock,
            version=__version__,
            on_event=emit,
        ),
        clock=clock,
        emit=emit,
        folders={profile.name: profile for profile in configuration.folders},
        rules=configuration.rules,
        unit_size=configuration.archive.unit_size,
        new_id=lambda: f"{int(clock.now() * 1000):012x}{next(numbers):020x}",
        jitter=random.Random(_SEED).random,
    )


def _write(folder: bytes, step: Step) -> None:
    """A drop, whole at once, with a modification time that is always the same."""
    output = step.output
    names = [output.name]
    if output.sidecar_name is not None:
        put_file(folder, output.sidecar_name, output.sidecar)
        names.append(output.sidecar_name)
    put_file(folder, output.name, output.data)
    if step.folder in ("statements", "runs"):
        put_file(folder, output.name + b".done", b"")
    for name in names:
        os.utime(os.path.join(folder, name), (_START, _START))


def _comes_again(step: Step, seen: set[bytes]) -> bool:
    """Whether it is sent again, as it was or corrected: then it waits for its first."""
    name = step.output.name
    again = name in seen or name.startswith(b"RESENT_")
    seen.add(name)
    return again


def _row(rows: Iterable[SpoolRow], name: bytes) -> SpoolRow:
    return next(row for row in rows if os.path.basename(row.name) == name)


def _rejected(rows: Iterable[SpoolRow]) -> SpoolRow:
    return min((row for row in rows if row.state == "REJECTED"), key=lambda row: row.name)


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _say_nothing(event: str, /, **fields: object) -> None:
    """What the watcher sees depends on how fast the machine is."""


def _unlock(store: Path) -> None:
    for folder, _, _ in os.walk(store):
        os.chmod(folder, 0o700)


if __name__ == "__main__":
    for written_name in make(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET):
        print(written_name)
