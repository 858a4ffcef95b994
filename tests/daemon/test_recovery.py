"""A server restored from yesterday, a journal that is gone: everything once again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_CONFIG, EX_TEMPFAIL
from hotfolder.sandbox.writers import put_file
from tests.support.commands import ask, expected_states, hot, run, spool_ids
from tests.support.drop_mix import write_drops
from tests.support.serving import server_documents, serving
from tests.sweeps.scenes import ROOT, Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with serving() as sandbox:
        yield Scene("daemon", tmp_path, sandbox)


def add_drops(scene: Scene, seed: int) -> None:
    """More drops, complete with their triggers."""
    more = write_drops(hot(scene), seed=seed)
    for item in more:
        put_file(bytes(hot(scene)), item.name + b".done", b"")
    scene.expected = [*scene.expected, *more]


def test_a_replay_sends_what_a_restored_server_lost(scene: Scene) -> None:
    older = str(scene.root / "older.db")
    scene.complete()
    scene.sandbox.snapshot(older)
    add_drops(scene, 2)
    scene.complete()
    archived = expected_states(scene)["DONE"]
    assert len(server_documents(scene.sandbox.url)) == archived
    assert ask(scene, "replay", "--verify")["units_lost"] == 0

    scene.sandbox.restore(older)
    assert len(server_documents(scene.sandbox.url)) == archived // 2
    report = ask(scene, "replay", "--verify")
    assert report["units_lost"] >= 1
    assert report["units_sent_again"] >= 1
    assert (report["units_waiting"], report["documents_corrupt"]) == (0, 0)
    scene.check()
    again = ask(scene, "replay", "--verify", "--folder", "hot", "--since", "2020-01-01")
    assert (again["units_lost"], again["units_sent_again"]) == (0, 0)
    assert ask(scene, "replay", "--since", "2999-01-01")["units_compared"] == 0
    scene.check()


def test_a_replay_beside_the_daemon_leaves_the_sending_to_it(scene: Scene) -> None:
    older = str(scene.root / "older.db")
    scene.sandbox.snapshot(older)
    scene.complete()
    scene.sandbox.restore(older)
    daemon = subprocess.Popen(
        [sys.executable, "-m", "hotfolder", "run", "--config", str(scene.root / "hotfolder.toml")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert daemon.stderr is not None
        for line in daemon.stderr:
            if "daemon.started" in line:
                break
        report = ask(scene, "replay")
        assert report["units_lost"] >= 1
        assert report["units_sent_again"] is None
        confirmed = 0
        for line in daemon.stderr:
            confirmed += '"unit.confirmed"' in line
            if confirmed == report["units_lost"]:
                break
        daemon.send_signal(signal.SIGTERM)
        daemon.stderr.read()
        assert daemon.wait(60) == 0
    finally:
        daemon.kill()
        daemon.wait()
        if daemon.stderr is not None:
            daemon.stderr.close()
    scene.check()


def test_a_replay_while_the_server_is_away_waits(scene: Scene) -> None:
    scene.complete()
    scene.sandbox.stop()
    done = run(scene, "replay")
    assert done.returncode == EX_TEMPFAIL
    assert "Traceback" not in done.stderr
    scene.sandbox.start()
    assert run(scene, "replay").returncode == 0
    scene.check()


def lose_journal(scene: Scene) -> None:
    for path in scene.root.glob("journal.db*"):
        path.unlink()


def test_a_rebuild_after_the_journal_is_lost(scene: Scene) -> None:
    scene.complete()
    before = {row["name"]: row["sha256"] for row in ask(scene, "list", "--state", "DONE")}
    lose_journal(scene)
    refused = run(scene, "run", "--until-idle")
    assert refused.returncode == EX_CONFIG
    assert "hotfolder rebuild" in refused.stderr
    assert "the journal knows of none" in run(scene, "check").stdout
    # None was made, in which a hold would be placed on nothing.
    assert not (scene.root / "journal.db").exists()
    hold = run(scene, "holds", "place", "--matter", "M", "--class", "FIN-7Y", "--reason", "x")
    assert hold.returncode == EX_CONFIG
    scene.sandbox.stop()
    assert run(scene, "rebuild").returncode != 0
    scene.sandbox.start()
    done = [row["action"] for row in ask(scene, "audit", "list", "--limit", "10000")]
    assert "operator.rebuild_begun" in done, "half a rebuild destroys nothing either"
    assert "operator.rebuild" not in done
    report = ask(scene, "rebuild")
    archived = expected_states(scene)["DONE"]
    assert report == {
        "spools": archived,
        "documents": archived,
        "confirmed": archived,
        "unreadable": 0,
        "differing": 0,
    }
    assert ask(scene, "disposal", "resume", "--reason", "there were no events")["resumed"]
    after = {row["name"]: row["sha256"] for row in ask(scene, "list", "--state", "DONE")}
    assert after == before
    assert ask(scene, "replay", "--verify")["units_lost"] == 0
    # What comes again is known again.
    add_drops(scene, 1)
    scene.expected = scene.expected[: len(scene.expected) // 2]
    scene.complete()
    assert len(spool_ids(scene, "DUPLICATE")) >= archived
    assert len(server_documents(scene.sandbox.url)) == archived


def test_a_rebuild_in_the_middle_of_the_work(scene: Scene) -> None:
    scene.sandbox.stop()
    assert run(scene, "run", "--until-idle").returncode == EX_TEMPFAIL
    lose_journal(scene)
    scene.sandbox.start()
    report = ask(scene, "rebuild")
    archived = expected_states(scene)["DONE"]
    assert (report["spools"], report["confirmed"]) == (archived, 0)
    scene.complete()
    documents = server_documents(scene.sandbox.url)
    assert len(documents) == archived
    assert not list((hot(scene) / "_working").iterdir())


def test_a_rebuild_into_a_journal_that_is_there_changes_nothing(scene: Scene) -> None:
    scene.complete()
    before = ask(scene, "list")
    run(scene, "rebuild")  # one that was interrupted is simply begun again
    assert ask(scene, "list") == before
    scene.check()
