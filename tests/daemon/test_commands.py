"""Looking and steering: what a script gets, and what an operator may do when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.core.errors import EX_NOINPUT, EX_TEMPFAIL, EX_USAGE
from tests.support.commands import ask, expected_states, run, spool_ids
from tests.support.serving import server_documents, serving
from tests.sweeps.scenes import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with serving() as sandbox:
        yield Scene("daemon", tmp_path, sandbox)


def test_what_is_there_can_be_looked_at(scene: Scene) -> None:
    scene.complete()
    status = ask(scene, "status")
    states = expected_states(scene)
    assert status["spools"] == states
    assert (status["documents"], status["documents_waiting"]) == (states["DONE"], 0)
    assert status["server"]["answering"] is True
    assert sum(status["rejected_by_reason"].values()) == states["REJECTED"]

    done = spool_ids(scene, "DONE")
    story = ask(scene, "show", done[0])
    assert [step["to"] for step in story["history"] if step["to"].isupper()][-1] == "DONE"
    (document,) = story["documents"]
    by_identity = ask(scene, "show", document["identity"])
    assert by_identity["id"] == done[0]
    unit = ask(scene, "show", ask(scene, "show", done[0])["documents"][0]["unit"])
    assert document["identity"] in unit["documents"]
    # A start of the id is enough; words for people say the same.
    told = run(scene, "show", done[0][:16])
    assert told.returncode == 0
    assert "The receipt was written." in told.stdout

    first = ask(scene, "list", "--limit", "2")
    more = ask(scene, "list", "--limit", "100", "--after", first[-1]["id"])
    assert len(first) == 2
    assert len(more) == sum(states.values()) - 2
    assert not {row["id"] for row in first} & {row["id"] for row in more}

    found = ask(scene, "find", "--limit", "3")
    assert len(found["documents"]) == 3
    rest = ask(scene, "find", "--after", found["next"])
    assert (len(rest["documents"]), rest["next"]) == (states["DONE"] - 3, None)
    one = found["documents"][0]
    again = ask(
        scene,
        *("find", "--customer", one["customer_id"], "--type", one["document_type"]),
        *("--from", one["issue_date"], "--to", one["issue_date"], "--spool", one["spool"]),
    )
    assert [item["identity"] for item in again["documents"]] == [one["identity"]]
    assert ask(scene, "find", "--count", "--customer", one["customer_id"])["count"] >= 1
    assert ask(scene, "find", "--customer", "nobody", code=EX_NOINPUT)["documents"] == []

    checked = ask(scene, "check")
    assert checked["ok"], checked
    assert {item["ok"] or item["advice"] for item in checked["checks"]} == {True}
    for arguments, code in (
        (("show", "nothing"), EX_NOINPUT),
        (("list", "--state", "LOST"), EX_USAGE),
        (("hold", "nothing", "--reason", "x"), EX_NOINPUT),
        (("release", "nothing", "--reason", "x"), EX_NOINPUT),
        (("release", done[0], "--reason", "x"), EX_USAGE),
        (("hold", done[0], "--reason", "x"), EX_TEMPFAIL),
        (("discard", "nothing", "--reason", "x"), EX_NOINPUT),
        (("discard", done[0], "--reason", "x"), EX_USAGE),
        (("retry",), EX_USAGE),
        (("find", "--from", "yesterday"), EX_USAGE),
        (("find", "--after", "hf-1"), EX_NOINPUT),
        (("retry", "nothing"), EX_NOINPUT),
        (("replay", "--since", "yesterday"), 78),
        (("replay", "--folder", "nowhere"), 78),
        (("no-such-command",), EX_USAGE),
    ):
        refused = run(scene, *arguments)
        assert refused.returncode == code, (arguments, refused.stderr)
        assert refused.stderr or refused.stdout
        assert "Traceback" not in refused.stderr


def test_a_spool_is_held_and_released_where_it_is(scene: Scene) -> None:
    scene.sandbox.stop()
    waiting = run(scene, "run", "--until-idle")
    assert waiting.returncode == EX_TEMPFAIL, waiting.stderr
    status = ask(scene, "status")
    archived = expected_states(scene)["DONE"]
    assert status["spools"]["STORED"] == archived
    assert status["server"]["answering"] is False
    assert status["server"]["next_probe"]

    held = spool_ids(scene, "STORED")[0]
    assert ask(scene, "hold", held, "--reason", "wrong template")["held_from"] == "STORED"
    scene.sandbox.start()
    assert ask(scene, "retry", "--all")["changed"] >= 1
    assert run(scene, "run", "--until-idle").returncode == 0
    assert len(server_documents(scene.sandbox.url)) == archived - 1
    story = run(scene, "show", held).stdout
    assert "wrong template" in story

    assert ask(scene, "release", held, "--reason", "template confirmed")["state"] == "STORED"
    assert run(scene, "run", "--until-idle").returncode == 0
    scene.check()
    told = run(scene, "show", held).stdout
    assert told.index("wrong template") < told.index("template confirmed")


def test_commands_work_beside_a_running_daemon_that_waits(scene: Scene) -> None:
    scene.sandbox.stop()
    assert run(scene, "run", "--until-idle").returncode == EX_TEMPFAIL
    (unit, *_) = [
        ask(scene, "show", spool)["documents"][0]["unit"]
        for spool in spool_ids(scene, "STORED")
        if ask(scene, "show", spool)["documents"][0]["unit"]
    ]
    assert ask(scene, "show", unit)["state"] in ("PLANNED", "SENT")
    scene.sandbox.start()
    scene.complete()
    scene.check()
    assert ask(scene, "show", unit)["state"] == "CONFIRMED"
