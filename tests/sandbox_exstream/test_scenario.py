"""The demo's play: everything is written, in order, and what is expected adds up."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from hotfolder.sandbox.configuration import REPOSITORIES, demo_configuration, hot_folders
from hotfolder.sandbox.exstream import Expected, Outcome
from hotfolder.sandbox.scenario import FOLDERS, DemoScenario, Step, Totals
from hotfolder.sandbox.writers import BEHAVIOURS
from hotfolder.service.settings import Configuration, load


class ManualClock:
    """Time passes only while somebody waits."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.at += seconds
        return False


@pytest.fixture
def places(tmp_path: Path) -> tuple[dict[str, bytes], bytes]:
    folders = hot_folders(str(tmp_path))
    staging = os.path.join(os.fsencode(tmp_path), b"staging")
    for path in (*folders.values(), staging):
        os.makedirs(path)
    return folders, staging


def _configure(tmp_path: Path) -> Configuration:
    for folder in hot_folders(str(tmp_path)).values():
        os.makedirs(folder, exist_ok=True)
    secret = tmp_path / "password"
    secret.write_text("admin")
    path = tmp_path / "hotfolder.toml"
    path.write_text(
        demo_configuration(
            str(tmp_path), "http://127.0.0.1:8089", password_file=str(secret), metrics_port=0
        ),
        encoding="utf-8",
    )
    return load(str(path), {})


def test_configuration_is_accepted_by_the_loader(tmp_path: Path) -> None:
    found = _configure(tmp_path)
    assert [folder.name for folder in found.folders] == list(FOLDERS)
    assert {unit.repository for unit in found.rules.business_units} == set(REPOSITORIES)
    assert {str(folder.completion.rule) for folder in found.folders} == {
        "trigger",
        "rename",
        "quiet",
    }


def test_configuration_bears_awkward_paths(tmp_path: Path) -> None:
    place = tmp_path / 'a "quoted" \\ plåce'
    place.mkdir()
    assert _configure(place).journal_path == str(place / "journal.db")


def test_same_seed_same_steps() -> None:
    assert DemoScenario(7).steps == DemoScenario(7).steps
    assert DemoScenario(7).steps != DemoScenario(8).steps


def test_totals_add_up() -> None:
    scenario = DemoScenario(7)
    totals = scenario.totals()
    assert totals == Totals(
        seen=87,
        archived=75,
        duplicate=4,
        version=2,
        rejected={
            "field.date": 1,
            "pdf.truncated": 2,
            "vocabulary.retention_class": 1,
            "sidecar.xml": 1,
            "sidecar.missing": 1,
        },
    )
    parts = [scenario.totals(folder) for folder in FOLDERS]
    assert sum(part.seen for part in parts) == totals.seen
    assert sum((Counter(part.rejected) for part in parts), Counter()) == totals.rejected


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_every_drop_is_told_apart(scale: float) -> None:
    scenario = DemoScenario(7, scale)
    totals = scenario.totals()
    rejected = sum(totals.rejected.values())
    assert totals.seen == totals.archived + totals.duplicate + totals.version + rejected
    fresh: dict[tuple[object, ...], Expected] = {}
    for step in scenario.steps:
        expected = step.output.expected
        if expected.outcome is Outcome.ARCHIVED and (expected.customer_id or _is_run(step)):
            assert _key(expected) not in fresh
            fresh[_key(expected)] = expected
    for step in scenario.steps:
        expected = step.output.expected
        if expected.outcome in (Outcome.DUPLICATE, Outcome.VERSION):
            same = fresh[_key(expected)].sha256 == expected.sha256
            assert same == (expected.outcome is Outcome.DUPLICATE)


def _is_run(step: Step) -> bool:
    return step.folder == "runs"


def test_the_wanted_customer_is_once_in_the_run() -> None:
    scenario = DemoScenario(7)
    run = next(step.output for step in scenario.steps if _is_run(step))
    assert run.data.count(scenario.wanted.data) == 1
    assert scenario.wanted.customer_id.encode("cp500") in scenario.wanted.data


def _key(expected: Expected) -> tuple[object, ...]:
    return expected.customer_id, expected.document_type, expected.issue_date


def test_every_way_of_writing_is_in_it() -> None:
    used = {step.behaviour for step in DemoScenario(7).steps}
    assert used == set(BEHAVIOURS)


def test_play_writes_everything_in_its_time(places: tuple[dict[str, bytes], bytes]) -> None:
    folders, staging = places
    scenario, clock = DemoScenario(7, 0.2), ManualClock()
    told: list[tuple[float, Step, Expected]] = []
    acted: list[float] = []
    ended = scenario.play(
        folders,
        staging=staging,
        clock=clock,
        wait=clock.wait,
        on_step=lambda step, expected: told.append((clock.at - 1000.0, step, expected)),
        actions=[(at, lambda: acted.append(clock.at - 1000.0)) for at in (6.0, 3.0)],
    )
    assert ended
    assert acted == pytest.approx([3.0, 6.0])
    assert sorted(step.at for _, step, _ in told) == [step.at for step in scenario.steps]
    assert all(at >= step.at - 1e-6 for at, step, _ in told)
    assert [expected for _, step, expected in told] == [step.output.expected for _, step, _ in told]
    assert min(clock.waits) > 0
    for step in scenario.steps:
        path = os.path.join(folders[step.folder], step.output.name)
        assert Path(os.fsdecode(path)).exists()
    assert (Path(os.fsdecode(folders["letters"])) / "metadata.csv").exists()
    assert os.listdir(staging) == []


def test_play_without_waiting(places: tuple[dict[str, bytes], bytes]) -> None:
    folders, staging = places
    clock = ManualClock()
    scenario = DemoScenario(7, 0.2)
    assert scenario.play(folders, staging=staging, clock=clock, wait=clock.wait, pace=0)
    assert clock.waits == []


def test_play_can_be_stopped(places: tuple[dict[str, bytes], bytes]) -> None:
    folders, staging = places
    clock, told = ManualClock(), []
    before = len(os.listdir("/proc/self/fd"))
    scenario = DemoScenario(7, 0.2)
    ended = scenario.play(
        folders,
        staging=staging,
        clock=clock,
        wait=lambda seconds: clock.wait(seconds) or clock.at > 1004.0,
        on_step=lambda step, _: told.append(step),
    )
    assert not ended
    assert 0 < len(told) < len(scenario.steps)
    assert len(os.listdir("/proc/self/fd")) == before
