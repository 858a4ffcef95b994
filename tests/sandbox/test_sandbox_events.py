"""Events in the sandbox that are changed after they were made. No such exchange was
recorded: the rules are those that the server has for every record (reference 2.2, 2.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hotfolder.sandbox import Sandbox
from tests.support.archivist import SandboxArchivist, event_of
from tests.support.aspace_client import AspaceClient, digital_object

Json = dict[str, Any]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.add_repository("STMT", "Statements")
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[AspaceClient]:
    with AspaceClient(sandbox.url) as connected:
        yield connected


@pytest.fixture
def documents(client: AspaceClient) -> list[str]:
    return [client.create("digital_objects", digital_object(number)) for number in (1, 2)]


@pytest.fixture
def event(sandbox: Sandbox, documents: list[str]) -> Iterator[str]:
    with SandboxArchivist(sandbox) as archivist:
        yield archivist.ask(documents[:1], "please")


def record(client: AspaceClient, uri: str) -> Json:
    found: Json = client.get(uri).raise_for_status().json()
    return found


def test_an_event_is_changed_with_the_lock_version_that_was_read(
    client: AspaceClient, event: str
) -> None:
    read = record(client, event)
    reply = client.post(event, {**read, "outcome": "fulfilled"})
    assert reply.json() == {
        "status": "Updated",
        "id": int(event.rpartition("/")[2]),
        "lock_version": 1,
        "stale": None,
        "uri": event,
        "warnings": [],
    }
    changed = record(client, event)
    assert changed["outcome"] == "fulfilled"
    assert (changed["created_by"], changed["last_modified_by"]) == ("archivist", "admin")
    assert changed["create_time"] == read["create_time"]
    again = client.post(event, {**read, "outcome": "fail"})
    assert again.status_code == 409
    assert client.post(event, {**read, "lock_version": None}).status_code == 409
    assert record(client, event) == changed


def test_what_a_change_omits_is_emptied(client: AspaceClient, event: str) -> None:
    read = record(client, event)
    kept = ("lock_version", "event_type", "date", "linked_agents", "linked_records")
    assert client.post(event, {name: read[name] for name in kept}).status_code == 200
    changed = record(client, event)
    assert "outcome" not in changed
    assert "outcome_note" not in changed
    assert changed["external_documents"] == []
    assert changed["date"]["begin"] == read["date"]["begin"]


def test_a_change_links_anew_and_raises_the_lock_versions_of_the_targets(
    client: AspaceClient, event: str, documents: list[str]
) -> None:
    first, second = (record(client, uri)["lock_version"] for uri in documents)
    read = record(client, event)
    links = [{"role": "requested", "ref": uri} for uri in documents]
    assert client.post(event, {**read, "linked_records": links}).status_code == 200
    assert record(client, documents[0])["lock_version"] == first + 1
    assert record(client, documents[1])["lock_version"] == second + 1
    read = record(client, event)
    assert client.post(event, {**read, "linked_records": links[1:]}).status_code == 200
    assert record(client, documents[0])["linked_events"] == []
    assert record(client, documents[1])["linked_events"] == [{"ref": event}]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"linked_records": []}, "linked_records"),
        ({"outcome": "splendid"}, "outcome"),
        ({"outcome_note": "x" * 16_385}, "outcome_note"),
        ({"timestamp": "2026-07-01T00:00:00Z"}, "timestamp"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(
    client: AspaceClient, event: str, changes: Json, fault: str
) -> None:
    read = record(client, event)
    reply = client.post(event, {**read, **changes})
    assert reply.status_code == 400
    assert fault in reply.json()["error"]
    assert record(client, event) == read


def test_a_change_of_a_refid_that_is_taken_is_refused_by_the_database(
    client: AspaceClient, event: str, documents: list[str]
) -> None:
    other = event_of(documents, "", "outcome", "validation", "pass", "/agents/people/1")
    client.create("events", {**other, "refid": "hf:test:1"})
    reply = client.post(event, {**record(client, event), "refid": "hf:test:1"})
    assert reply.status_code == 400
    assert "db_error" in reply.json()["error"]


def test_a_link_to_a_suppressed_record_is_not_shown_and_taken_off_by_a_change(
    client: AspaceClient, event: str, documents: list[str]
) -> None:
    links = [{"role": "requested", "ref": uri} for uri in documents]
    client.post(event, {**record(client, event), "linked_records": links})
    assert client.post(f"{documents[0]}/suppressed?suppressed=true", {}).status_code == 200
    read = record(client, event)
    assert [item["ref"] for item in read["linked_records"]] == documents[1:]
    assert client.post(event, read).status_code == 200
    client.post(f"{documents[0]}/suppressed?suppressed=false", {})
    assert [item["ref"] for item in record(client, event)["linked_records"]] == documents[1:]


def test_an_event_is_suppressed_with_the_last_of_its_records(
    client: AspaceClient, event: str, documents: list[str]
) -> None:
    links = [{"role": "requested", "ref": uri} for uri in documents]
    client.post(event, {**record(client, event), "linked_records": links})
    version = record(client, event)["lock_version"]
    for uri in documents:
        assert client.get(event).status_code == 200
        client.post(f"{uri}/suppressed?suppressed=true", {})
    assert client.get(event).status_code == 404
    assert client.get("/repositories/2/events", all_ids="true").json() == []
    client.post(f"{documents[1]}/suppressed?suppressed=false", {})
    read = record(client, event)
    assert ([item["ref"] for item in read["linked_records"]], read["lock_version"]) == (
        documents[1:],
        version,
    )


def test_an_event_is_changed_by_those_who_may(sandbox: Sandbox, event: str) -> None:
    sandbox.add_service_account("reader", "r", ["/repositories/2"], ["view_repository"])
    with AspaceClient(sandbox.url, user="reader", password="r") as reader:
        assert reader.post(event, record(reader, event)).status_code == 403
