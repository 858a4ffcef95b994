"""ArchivesSnake, unchanged, as a client of the sandbox."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from hotfolder.sandbox import Sandbox
from tests.support.aspace_client import digital_object, series

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from asnake.aspace import ASpace
    from asnake.client import ASnakeClient


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.add_repository("STMT", "Statements")
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Any]:
    snake = ASnakeClient(baseurl=sandbox.url, username="admin", password="admin")
    snake.authorize()
    yield snake
    snake.session.close()


def test_create_find_and_page(client: Any) -> None:
    for number in range(230):
        reply = client.post("repositories/2/digital_objects", json=digital_object(number))
        assert reply.status_code == 200
    found = list(client.get_paged("repositories/2/digital_objects"))
    assert [item["digital_object_id"] for item in found] == [f"hf-{n:04x}" for n in range(230)]

    params = {"digital_object_id": ["hf-0001", "hf-0002"], "resolve": ["digital_objects"]}
    by_id = client.get("repositories/2/find_by_id/digital_objects", params=params).json()
    resolved = [item["_resolved"]["title"] for item in by_id["digital_objects"]]
    assert resolved == ["Statement 1", "Statement 2"]


def test_its_models_read_a_tree(sandbox: Sandbox, client: Any) -> None:
    resource = client.post("repositories/2/resources", json=series()).json()["uri"]
    for name in ("2026-10", "2026-11"):
        listing = {
            "jsonmodel_type": "archival_object",
            "title": name,
            "level": "subseries",
            "resource": {"ref": resource},
        }
        assert client.post("repositories/2/archival_objects", json=listing).status_code == 200
    aspace = ASpace(baseurl=sandbox.url, username="admin", password="admin")
    repositories = list(aspace.repositories)
    assert [repository.repo_code for repository in repositories] == ["STMT"]
    (found,) = list(repositories[0].resources)
    assert found.title == "Statements"
    assert client.get(f"{resource}/tree/root").json()["child_count"] == 2
    aspace.client.session.close()


def test_it_logs_in_again_when_refused(sandbox: Sandbox, client: Any) -> None:
    client.session.headers.pop(client.config["session_header_name"])
    reply = client.post("repositories/2/digital_objects", json=digital_object(1))
    assert reply.status_code == 200
    assert len(sandbox.records("digital_object")) == 1
