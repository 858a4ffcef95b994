"""A migration waits: for its hours, for live intake, for what it has taken, for its pace."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.hours import Hours
from hotfolder.core.legacy import LegacyItem, MigrationProfile, NewItem, Outcome, SourceKind
from hotfolder.core.lifecycle import SpoolState
from hotfolder.flows import migrating
from hotfolder.flows.migrating import Migrating
from hotfolder.journal.journal import SqliteJournal
from hotfolder.journal.surveys import Survey
from hotfolder.legacy.sources import open_source
from hotfolder.sandbox.writers import write_bulk
from tests.support.journals import FAULT, make_document, read, spool_id
from tests.support.line import Line, build_line, drops_in

_IDS = itertools.count(1)


@dataclass(slots=True)
class Waiting:
    """Counts the pauses; time stands in them and nowhere else."""

    minute: int = 0
    pauses: list[float] = field(default_factory=list)
    most: int = 200

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def stopped(self) -> bool:
        return len(self.pauses) > self.most


def write_pdf_drop(folder: Path, number: int) -> None:
    list(write_bulk(os.fsencode(folder), 1, 1, first=number))


def profile(root: Path, **more: object) -> MigrationProfile:
    return MigrationProfile(
        name="old",
        kind=SourceKind.FOLDER,
        path=str(root / "export"),
        inbox=str(root / "inbox"),
        business_unit="RETAIL",
        **more,  # type: ignore[arg-type]
    )


@contextmanager
def run_of(root: Path, line: Line, waiting: Waiting, **more: object) -> Iterator[Migrating]:
    (root / "inbox").mkdir(exist_ok=True)
    found = profile(root, **more)
    for flow in (line.works.intake, line.works.aside, line.works.finisher):
        flow.use_folders({line.profile.name: line.profile, found.folder.name: found.folder})
    survey = Survey(os.fsencode(root / "survey.db"), "test")
    try:
        with open_source(found, os.fsencode(root / "scratch"), survey) as source:
            yield Migrating(
                profile=found,
                source=source,
                journal=line.works.journal,
                intake=line.works.intake,
                finisher=line.works.finisher,
                clock=line.works.clock,
                emit=line.works.emit,
                new_id=lambda: f"{next(_IDS):032x}",
                minute_of_day=lambda: waiting.minute,
                pause=waiting.pause,
                stopped=waiting.stopped,
            )
    finally:
        survey.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = build_line(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "export").mkdir()
    for number in range(5):
        write_pdf_drop(tmp_path / "export", number)
    yield made
    made.works.close()


def taken(line: Line) -> int:
    return line.works.journal.migration_counts("old").total


def test_nothing_is_taken_outside_its_hours(tmp_path: Path, line: Line) -> None:
    waiting = Waiting(minute=720, most=3)
    with run_of(tmp_path, line, waiting, hours=(Hours.read("20:00-06:00"),)) as run:
        done = run.run()
    assert (done.finished, taken(line)) == (False, 0)
    assert [name for name, _ in line.events if name.startswith("migration.")] == [
        "migration.started",
        "migration.waiting",
        "migration.ended",
    ]


def test_nothing_is_taken_while_a_live_spool_waits(tmp_path: Path, line: Line) -> None:
    write_pdf_drop(tmp_path / "hot", 77)
    line.works.intake.claim(drops_in(line.profile))
    waiting = Waiting(most=5)
    with run_of(tmp_path, line, waiting) as run:
        run.run()
    assert taken(line) == 0
    line.works.intake.advance()  # as the daemon would
    waiting = Waiting(most=5)
    with run_of(tmp_path, line, waiting) as run:
        run.run()
    assert taken(line) == 5


def test_what_it_has_taken_must_go_on_first(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "BATCH", 2)
    monkeypatch.setattr(migrating, "MOST_UNREAD", 2)
    waiting = Waiting(most=5)
    with run_of(tmp_path, line, waiting) as run:
        run.run()
    assert taken(line) == 2
    while line.works.intake.advance():
        pass
    with run_of(tmp_path, line, Waiting(most=5)) as run:
        run.run()
    assert taken(line) == 4


def test_it_goes_no_faster_than_it_may(tmp_path: Path, line: Line) -> None:
    waiting = Waiting(most=50)
    with run_of(tmp_path, line, waiting, files_per_second=0.5) as run:
        run.run()
    # Five files at half a file a second; each but those of the first moment waits.
    assert sum(seconds for seconds in waiting.pauses if seconds > 0.5) >= 4 * 2.0 - 2.0
    assert taken(line) == 5


def test_a_daemon_that_does_not_know_it_is_given_no_more(tmp_path: Path, line: Line) -> None:
    waiting = Waiting(most=50)
    with run_of(tmp_path, line, waiting) as run:
        line.works.intake.use_folders({line.profile.name: line.profile})

        def pause(_seconds: float) -> None:
            line.works.intake.use_folders({line.profile.name: line.profile})
            line.works.intake.advance()
            line.works.intake.use_folders(
                {line.profile.name: line.profile, "migration:old": profile(tmp_path).folder}
            )

        run._pause = pause
        line.works.intake.use_folders(
            {line.profile.name: line.profile, "migration:old": profile(tmp_path).folder}
        )
        with pytest.raises(OperatorFault) as caught:
            run.run()
    assert caught.value.code == "migration.unknown_to_daemon"


def test_an_absent_server_ends_a_run_without_a_daemon(tmp_path: Path, line: Line) -> None:
    line.works.journal.record_server(3, None, "away", 1.0)
    with run_of(tmp_path, line, Waiting()) as run:
        run._drive = lambda: line.works.intake.advance() > 0
        with pytest.raises(Transient) as caught:
            run.run()
    assert caught.value.code == "migration.server"
    counts = line.works.journal.migration_counts("old")
    assert dict(counts.states) == {"STORED": 5}


@pytest.mark.parametrize("state", [SpoolState.REJECTED, SpoolState.HELD, SpoolState.CORRUPT])
def test_what_is_the_same_as_one_that_is_refused_is_not_waited_for(
    tmp_path: Path, state: SpoolState
) -> None:
    """ArchivesSpace refuses a document that the export has twice."""
    journal = SqliteJournal(os.fsencode(tmp_path / "journal.db"))
    document = make_document("a")
    read(journal, 1, document)
    read(journal, 2, document)
    items = [
        NewItem(
            item=LegacyItem(
                source_id=f"{number}.pdf",
                place=f"{number}.pdf",
                name=b"x.pdf",
                size=10,
                mtime_ns=1,
            ),
            sha256="a" * 64,
            size=10,
            spool_id=spool_id(number),
        )
        for number in (1, 2)
    ]
    journal.take_items("old", items, 1.0)
    assert journal.settle_items("old", "Altarchiv", 2.0) == 0
    journal.set_aside(spool_id(1), state, [FAULT], 3.0)
    settled = journal.settle_items("old", "Altarchiv", 4.0)
    counts = journal.migration_counts("old")
    if state is SpoolState.REJECTED:
        assert (settled, counts.under_way) == (2, 0)
        for item in journal.iterate_items("old"):
            assert (item.outcome, item.faults) == (Outcome.REJECTED, (FAULT,))
    else:
        # A run says so, and does not wait for ever.
        assert settled == 0
        assert counts.states == {state.value: 2}
    journal.close()
