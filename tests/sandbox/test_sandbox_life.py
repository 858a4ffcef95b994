"""The sandbox as a server: its state, its process, many clients, its costs."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotfolder.sandbox import Costs, Sandbox
from hotfolder.sandbox.costs import Costs as CostsOfModule
from tests.support.aspace_client import AspaceClient, digital_object, series, unit


def test_a_state_in_a_file_survives_the_sandbox(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    with Sandbox(state_path=path) as first:
        first.add_repository("STMT", "Statements")
        with AspaceClient(first.url) as client:
            uri = client.create("digital_objects", digital_object(1))
            session = dict(client.http.headers)
    with Sandbox(state_path=path) as second, AspaceClient(second.url) as client:
        assert client.find("hf-0001") == [uri]
        reply = client.http.get(uri, headers={"X-ArchivesSpace-Session": _token(session)})
        assert reply.status_code == 200
        assert client.create("digital_objects", digital_object(2)) != uri
        assert client.post("/repositories/2/digital_objects", digital_object(1)).status_code == 400


def test_yesterdays_backup_forgets_today(tmp_path: Path) -> None:
    backup = str(tmp_path / "backup.db")
    with Sandbox() as sandbox:
        sandbox.add_repository("STMT", "Statements")
        with AspaceClient(sandbox.url) as client:
            resource = client.create("resources", series())
            agent = "/agents/software/1"
            client.send_batch(unit("hf-unit-1", [1, 2], resource, agent))
            sandbox.snapshot(backup)
            client.send_batch(unit("hf-unit-2", [3, 4], resource, agent))
            document = digital_object(5, uri="/repositories/2/digital_objects/import_05")
            document["digital_object_type"] = "afp"
            client.send_batch([document])
            assert len(sandbox.records("digital_object")) == 5
            sandbox.restore(backup)
            assert [item["digital_object_id"] for item in sandbox.records("digital_object")] == [
                "hf-0001",
                "hf-0002",
            ]
            name = "/config/enumerations/names/digital_object_digital_object_type"
            assert "afp" not in client.get(name).json()["values"]
            again = client.send_batch(unit("hf-unit-2", [3, 4], resource, agent))
            assert len(again[-1]["saved"]) == 4
            # Numbers given out after the backup are given out again.
            assert again[-1]["saved"]["/repositories/2/digital_objects/import_00000003"][1] == 3


def test_a_session_opened_after_the_backup_is_gone(tmp_path: Path) -> None:
    backup = str(tmp_path / "backup.db")
    with Sandbox() as sandbox:
        sandbox.snapshot(backup)
        with AspaceClient(sandbox.url) as client:
            sandbox.restore(backup)
            assert client.get("/repositories").json()["code"] == "SESSION_GONE"


def test_eight_clients_at_once() -> None:
    with Sandbox() as sandbox:
        sandbox.add_repository("STMT", "Statements")

        def work(number: int) -> list[int]:
            with AspaceClient(sandbox.url) as client:
                numbers = range(number * 100, number * 100 + 20)
                single = [
                    client.post("/repositories/2/digital_objects", digital_object(n)).status_code
                    for n in numbers
                ]
                # All eight fight for these identifiers.
                shared = [
                    client.post("/repositories/2/digital_objects", digital_object(n)).status_code
                    for n in range(9000, 9010)
                ]
                return single + shared

        with ThreadPoolExecutor(8) as pool:
            statuses = [status for part in pool.map(work, range(8)) for status in part]
        assert statuses.count(200) == 8 * 20 + 10
        assert statuses.count(400) == 7 * 10
        identities = [item["digital_object_id"] for item in sandbox.records("digital_object")]
        assert len(identities) == len(set(identities)) == 170


def test_sessions_rest_for_an_hour_or_a_week() -> None:
    now = [1_800_000_000.0]
    with Sandbox(clock=lambda: now[0]) as sandbox, httpx.Client(base_url=sandbox.url) as http:
        tokens = {}
        for expiring in ("true", "false"):
            form = {"password": "admin", "expiring": expiring}
            tokens[expiring] = http.post("/users/admin/login", data=form).json()["session"]

        def use(expiring: str) -> int:
            headers = {"X-ArchivesSpace-Session": tokens[expiring]}
            return http.get("/users/current-user", headers=headers).status_code

        now[0] += 3599
        assert (use("true"), use("false")) == (200, 200)
        now[0] += 3599
        assert (use("true"), use("false")) == (200, 200)
        now[0] += 3602
        assert (use("true"), use("false")) == (412, 200)
        now[0] += 604_802
        assert use("false") == 412


def test_times_are_the_clocks() -> None:
    with Sandbox(clock=lambda: 0.0) as sandbox:
        sandbox.add_repository("STMT", "Statements")
        (repository,) = sandbox.records("repository")
        assert repository["create_time"] == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("method", "path", "documents", "seconds"),
    [
        ("POST", "/repositories/2/batch_imports", 200, 7.0),
        ("POST", "/repositories/2/digital_objects", 1, 0.075),
        ("POST", "/users/admin/login", 0, 0.0),
        ("GET", "/repositories/2/batch_imports", 0, 0.01),
        ("DELETE", "/repositories/2/digital_objects/1", 0, 0.0),
    ],
)
def test_costs(method: str, path: str, documents: int, seconds: float) -> None:
    costs = Costs(document=0.035, post=0.075, get=0.01)
    assert costs.of(method, path, documents) == pytest.approx(seconds)


@pytest.mark.parametrize(("taken", "rest"), [(0.2, 0.8), (1.0, 0.0), (3.25, 0.75)])
def test_imports_take_whole_seconds(taken: float, rest: float) -> None:
    imports = "/repositories/2/batch_imports"
    assert CostsOfModule(whole_seconds=True).rest(imports, taken) == pytest.approx(rest)
    assert CostsOfModule(whole_seconds=True).rest("/repositories", taken) == 0.0
    assert CostsOfModule().rest(imports, taken) == 0.0


def test_requests_with_costs_are_answered_all_the_same() -> None:
    costs = Costs(document=0.001, post=0.001, get=0.001, whole_seconds=True, at_once=2)
    with Sandbox(costs=costs) as sandbox:
        sandbox.add_repository("STMT", "Statements")
        with AspaceClient(sandbox.url) as client:
            batch = [digital_object(1, uri="/repositories/2/digital_objects/import_01")]
            assert client.send_batch(batch)[-1]["saved"]
            sandbox.stop()
            sandbox.start()
            assert len(client.find("hf-0001")) == 1


@contextmanager
def _process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    command = [sys.executable, "-m", "hotfolder.sandbox", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found is not None, line
        try:
            yield process, line, found[0]
        finally:
            if process.poll() is None:
                process.kill()


def test_as_a_process_it_says_what_it_is_and_ends_when_told(tmp_path: Path) -> None:
    with _process("--control", "--admin-password", "other") as (process, line, url):
        assert "Not an archive" in line
        with AspaceClient(url, password="other") as client:
            assert client.get("/__sandbox/faults").json() == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_process_that_is_killed_loses_nothing_it_answered(tmp_path: Path) -> None:
    state = str(tmp_path / "state.db")
    body: dict[str, Any] = {"repo_code": "STMT", "name": "Statements"}
    with _process("--state", state) as (process, _, url), AspaceClient(url) as client:
        assert client.post("/repositories", body).status_code == 200
        for number in range(20):
            client.create("digital_objects", digital_object(number))
        process.kill()
        process.wait(20)
    with Sandbox(state_path=state) as sandbox:
        assert len(sandbox.records("digital_object")) == 20


def test_a_taken_port_is_an_error() -> None:
    with Sandbox() as first:
        second = Sandbox(port=first.port)
        with pytest.raises(OSError, match="in use"):
            second.start()
        second.close()


def _token(headers: dict[str, str]) -> str:
    return next(v for k, v in headers.items() if k.lower() == "x-archivesspace-session")
