"""What the sandbox keeps and refuses, beyond the recorded exchanges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hotfolder.sandbox import Sandbox
from hotfolder.sandbox.accounts import IMPLIED
from hotfolder.sandbox.contract import load_contract
from tests.support.aspace_client import AspaceClient, digital_object, series, unit

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
def resource(client: AspaceClient) -> str:
    return client.create("resources", series())


@pytest.mark.parametrize(
    ("identity", "clash"),
    [("hf-0001", True), ("HF-0001", True), ("hf-0001  ", True), ("hf-0001é", False)],
)
def test_identifiers_are_compared_as_the_database_compares(
    client: AspaceClient, identity: str, clash: bool
) -> None:
    client.create("digital_objects", digital_object(1))
    reply = client.post(
        "/repositories/2/digital_objects", digital_object(1, digital_object_id=identity)
    )
    assert (reply.status_code == 400) == clash
    if clash:
        assert reply.json() == {"error": {"digital_object_id": ["Must be unique"]}}


def test_a_part_of_an_identifier_has_fifty_characters(client: AspaceClient) -> None:
    client.create("resources", series("x" * 50))
    reply = client.post("/repositories/2/resources", series("x" * 51))
    assert reply.status_code == 400
    assert reply.json() == {"error": {"id_0": ["Max length is 50 characters"]}}


def test_accents_do_not_distinguish_identifiers(client: AspaceClient) -> None:
    client.create("digital_objects", digital_object(1, digital_object_id="hf-e"))
    reply = client.post(
        "/repositories/2/digital_objects", digital_object(2, digital_object_id="hf-\u00e9")
    )
    assert reply.status_code == 400


def test_an_identifier_is_unique_in_its_repository_alone(
    sandbox: Sandbox, client: AspaceClient
) -> None:
    other = sandbox.add_repository("TWO", "Two")
    client.create("digital_objects", digital_object(1))
    assert client.post(f"{other}/digital_objects", digital_object(1)).status_code == 200


def test_a_refid_of_an_event_is_unique_everywhere(sandbox: Sandbox, client: AspaceClient) -> None:
    other = sandbox.add_repository("TWO", "Two")
    event = {
        "jsonmodel_type": "event",
        "refid": "hf:1",
        "event_type": "ingestion",
        "timestamp": "2026-11-23T09:00:00Z",
        "linked_agents": [{"role": "executing_program", "ref": "/agents/software/1"}],
    }
    for repository, status in (("/repositories/2", 200), (other, 400)):
        made = client.post(f"{repository}/digital_objects", digital_object(1)).json()["uri"]
        linked = [{"role": "outcome", "ref": made}]
        reply = client.post(f"{repository}/events", {**event, "linked_records": linked})
        assert reply.status_code == status, reply.text
    assert "Duplicate entry 'hf:1'" in reply.json()["error"]["db_error"][0]


def test_a_unit_in_any_order_is_one_transaction(
    sandbox: Sandbox, client: AspaceClient, resource: str
) -> None:
    records = unit("hf-unit-1", [1, 2, 3], resource, "/agents/software/1")
    stream = client.send_batch(records[::-1])
    assert stream[-1]["saved"].keys() == {record["uri"] for record in records}
    labels = [step["label"] for step in stream[0]["status"]]
    assert "Saving records: cycle 2" in labels
    (listing,) = sandbox.records("archival_object")
    refs = [item["digital_object"]["ref"] for item in listing["instances"]]
    assert refs == [stream[-1]["saved"][record["uri"]][0] for record in records[:3]]
    assert len(listing["linked_events"]) == 1
    for document in sandbox.records("digital_object"):
        assert document["lock_version"] == 1
        assert document["linked_instances"] == [{"ref": listing["uri"]}]

    again = client.send_batch(records)
    assert again[-1]["saved"] == []
    assert "digital_object_id Must be unique" in again[-1]["errors"][0]
    assert len(sandbox.records("digital_object")) == 3


def test_an_import_into_a_series_that_is_not_there_saves_nothing(
    sandbox: Sandbox, client: AspaceClient
) -> None:
    records = unit("hf-unit-1", [1], "/repositories/2/resources/77", "/agents/software/1")
    last = client.send_batch(records)[-1]
    assert last["saved"] == []
    assert "foreign key" in last["errors"][0]
    assert sandbox.records("digital_object") == []


def test_an_import_does_not_reach_into_another_repository(
    sandbox: Sandbox, client: AspaceClient, resource: str
) -> None:
    other = sandbox.add_repository("TWO", "Two")
    elsewhere = client.post(f"{other}/digital_objects", digital_object(1)).json()["uri"]
    listing = unit("hf-unit-1", [], resource, "/agents/software/1")[0]
    listing["instances"] = [
        {
            "jsonmodel_type": "instance",
            "instance_type": "digital_object",
            "digital_object": {"ref": elsewhere},
        }
    ]
    last = client.send_batch([listing])[-1]
    assert "Can't relate to non-existent record" in last["errors"][0]


def test_an_import_adds_unknown_values_and_a_refused_one_does_not(
    client: AspaceClient,
) -> None:
    path = "/config/enumerations/names/file_version_file_format_name"
    document = digital_object(1, uri="/repositories/2/digital_objects/import_01")
    document["file_versions"][0]["file_format_name"] = "afp"
    assert client.post("/repositories/2/digital_objects", document).status_code == 400

    refused = [document, {**document, "uri": "/repositories/2/digital_objects/import_02"}]
    assert client.send_batch(refused)[-1]["saved"] == []
    assert "afp" not in client.get(path).json()["values"]

    assert client.send_batch([document])[-1]["saved"]
    assert "afp" in client.get(path).json()["values"]
    assert client.post("/repositories/2/digital_objects", document).json() == {
        "error": {"digital_object_id": ["Must be unique"]}
    }


def test_a_suppressed_value_is_hidden_kept_and_taken(client: AspaceClient) -> None:
    path = "/config/enumerations/names/file_version_file_format_name"
    found = client.get(path).json()
    (pdf,) = (item for item in found["enumeration_values"] if item["value"] == "pdf")
    hidden = client.post(f"{pdf['uri']}/suppressed?suppressed=true", None)
    assert hidden.json() == {"status": "Suppressed", "id": pdf["id"], "suppressed_state": True}
    found = client.get(path).json()
    assert "pdf" not in found["values"]
    found["values"].append("pdf")  # the server answers that it did, and shows it no more
    assert client.post(found["uri"], found).status_code == 200
    found = client.get(path).json()
    assert "pdf" not in found["values"]
    assert "pdf" in [item["value"] for item in found["enumeration_values"] if item["suppressed"]]
    client.create("digital_objects", digital_object(1))  # a PDF

    client.post(f"{pdf['uri']}/suppressed?suppressed=false", None)
    assert "pdf" in client.get(path).json()["values"]


@pytest.mark.parametrize(
    ("fits", "too_long"),
    [
        ({"title": "é" * 8704}, {"title": "e" * 8705}),
        ({"user_defined": {"text_1": "鈴" * 21_845}}, {"user_defined": {"text_1": "鈴" * 21_846}}),
    ],
)
def test_what_its_schema_takes_a_column_may_not_hold(
    client: AspaceClient, fits: dict[str, Any], too_long: dict[str, Any]
) -> None:
    client.create("digital_objects", digital_object(1) | fits)
    reply = client.post("/repositories/2/digital_objects", digital_object(2) | too_long)
    assert reply.status_code == 400
    assert "Data too long" in reply.json()["error"]["db_error"][0]


def test_a_fixed_list_and_a_fixed_value_are_denied(client: AspaceClient) -> None:
    fixed = client.get("/config/enumerations/names/date_type").json()
    fixed["values"].append("moment")
    assert client.post(fixed["uri"], fixed).status_code == 403
    types = client.get("/config/enumerations/names/event_event_type").json()
    types["values"].remove("request")
    assert client.post(types["uri"], types).status_code == 403


def test_a_list_without_its_suppressed_value_is_denied_where_that_is_fixed(
    client: AspaceClient,
) -> None:
    for name, value in (("event_event_type", "request"), ("date_type", "bulk")):
        path = f"/config/enumerations/names/{name}"
        found = client.get(path).json()
        (item,) = (item for item in found["enumeration_values"] if item["value"] == value)
        client.post(f"{item['uri']}/suppressed?suppressed=true", None)
        found = client.get(path).json()
        assert client.post(found["uri"], found).status_code == 403
        found["values"].append(value)
        assert client.post(found["uri"], found).status_code == 200
        assert value not in client.get(path).json()["values"]


def test_a_body_that_ends_inside_a_record_saves_nothing(
    sandbox: Sandbox, client: AspaceClient
) -> None:
    body = b'[{"jsonmodel_type":"digital_object","uri":"/repositories/2/digital_objects/import_1",'
    body += b'"digital_object_id":"a","title":"A"},{"jsonmodel_type":"digital_ob'
    reply = client.http.post("/repositories/2/batch_imports", content=body)
    assert reply.status_code == 200
    assert "JsonEOFException" in reply.json()[-1]["errors"][0]
    assert sandbox.records("digital_object") == []


def test_a_change_needs_the_version_that_links_have_raised(
    client: AspaceClient, resource: str
) -> None:
    records = unit("hf-unit-1", [1], resource, "/agents/software/1")
    saved = client.send_batch(records)[-1]["saved"]
    uri = saved[records[0]["uri"]][0]
    shown = client.get(uri).json()
    assert client.post(uri, {**shown, "lock_version": 0}).status_code == 409
    assert client.post(uri, {**shown, "title": "Changed"}).json()["lock_version"] == 2
    assert client.get(uri).json()["title"] == "Changed"
    assert client.get(uri).json()["linked_instances"] == shown["linked_instances"]


def test_the_ref_id_of_an_archival_object_is_frozen(client: AspaceClient, resource: str) -> None:
    listing = {
        "jsonmodel_type": "archival_object",
        "title": "2026-11",
        "level": "subseries",
        "ref_id": "hf-cycle-1",
        "resource": {"ref": resource},
    }
    uri = client.create("archival_objects", listing)
    shown = client.get(uri).json()
    assert client.post(uri, {**shown, "ref_id": "hf-cycle-2"}).status_code == 200
    assert client.get(uri).json()["ref_id"] == "hf-cycle-1"


def test_references_are_resolved_as_deep_as_asked(client: AspaceClient, resource: str) -> None:
    client.send_batch(unit("hf-unit-1", [1, 2], resource, "/agents/software/1"))
    (uri,) = client.find("hf-0002")
    params = {"resolve[]": ["repository", "linked_instances::linked_events", "nothing"]}
    shown = client.get(uri, **params).json()
    assert shown["repository"]["_resolved"]["repo_code"] == "STMT"
    listing = shown["linked_instances"][0]["_resolved"]
    assert listing["ref_id"] == "hf-unit-1"
    assert listing["linked_events"][0]["_resolved"]["refid"] == "hf:hf-unit-1:ingestion"
    assert "_resolved" not in listing["resource"]
    assert "_resolved" not in client.get(uri).json()["repository"]


def test_lists_by_page_by_number_and_by_time(client: AspaceClient) -> None:
    path = "/repositories/2/digital_objects"
    for number in range(1, 26):
        client.create("digital_objects", digital_object(number))
    page = client.get(path, page=3, page_size=10).json()
    assert (page["last_page"], page["total"], len(page["results"])) == (3, 25, 5)
    assert client.get(path, all_ids="true").json() == list(range(1, 26))
    some = client.get(path, id_set="24,3,99").json()
    assert [item["digital_object_id"] for item in some] == ["hf-0003", "hf-0018"]
    assert client.get(path, all_ids="true", modified_since=4_102_444_800).json() == []
    assert client.get(path, id_set="1,x").status_code == 400
    assert client.get(path, page="x").status_code == 400


def test_deleting_a_series_deletes_what_is_under_it(
    sandbox: Sandbox, client: AspaceClient, resource: str
) -> None:
    client.send_batch(unit("hf-unit-1", [1], resource, "/agents/software/1"))
    assert client.http.delete(resource).status_code == 200
    assert sandbox.records("archival_object") == []
    (event,) = sandbox.records("event")
    assert event["linked_records"] == []
    (document,) = sandbox.records("digital_object")
    assert document["linked_instances"] == []


def test_a_suppressed_record_is_gone_for_users_and_still_unique(client: AspaceClient) -> None:
    uri = client.create("digital_objects", digital_object(1))
    assert client.post(f"{uri}/suppressed?suppressed=true", {}).status_code == 200
    assert client.get(uri).status_code == 404
    assert client.find("hf-0001") == []
    assert client.post("/repositories/2/digital_objects", digital_object(1)).status_code == 400
    assert client.post(f"{uri}/suppressed?suppressed=false", {}).status_code == 200
    assert client.find("hf-0001") == [uri]


def test_what_stands_under_a_suppressed_record_is_suppressed_with_it(
    client: AspaceClient, resource: str
) -> None:
    cycle = client.create(
        "archival_objects",
        {
            "jsonmodel_type": "archival_object",
            "title": "2026-06",
            "level": "subseries",
            "resource": {"ref": resource},
        },
    )
    sent = unit("hf-unit-1", [1], resource, "/agents/software/1")
    sent[1]["parent"] = {"ref": cycle}
    saved = {uri for uri, _ in client.send_batch(sent)[-1]["saved"].values()}
    (document,) = client.find("hf-0001")
    for above in (cycle, resource):
        client.post(f"{above}/suppressed?suppressed=true", {})
        shown = {uri for uri in (*saved, cycle, resource) if client.get(uri).status_code == 200}
        assert shown == {document} | ({resource} - {above})
        client.post(f"{above}/suppressed?suppressed=false", {})
        assert all(client.get(uri).status_code == 200 for uri in (*saved, cycle, resource))


def test_a_document_in_use_is_not_moved(
    sandbox: Sandbox, client: AspaceClient, resource: str
) -> None:
    other = sandbox.add_repository("TWO", "Two")
    client.send_batch(unit("hf-unit-1", [1], resource, "/agents/software/1"))
    (uri,) = client.find("hf-0001")
    assert client.post(f"{uri}/transfer?target_repo={other}", {}).status_code == 409
    assert client.find("hf-0001") == [uri]


def test_a_service_account_may_do_what_it_was_given_and_no_more(sandbox: Sandbox) -> None:
    sandbox.add_service_account("hotfolder", "pw", ["/repositories/2"])
    with AspaceClient(sandbox.url, user="hotfolder", password="pw") as service:
        held = service.http.get("/users/current-user").json()["permissions"]
        assert held["_archivesspace"] == ["edit_user_self"]
        service.create("digital_objects", digital_object(1))
        assert service.post("/repositories/2/batch_imports", []).status_code == 403
        assert service.post("/repositories", {"repo_code": "A", "name": "A"}).status_code == 403
        other = sandbox.add_repository("TWO", "Two")
        assert service.post(f"{other}/digital_objects", digital_object(2)).status_code == 403
        assert service.get(f"{other}/digital_objects", page=1).status_code == 403


def test_names_of_users_are_taken_in_small_letters(sandbox: Sandbox, client: AspaceClient) -> None:
    user = {"username": "HotFolder", "name": "h"}
    assert client.post("/users?password=pw", user).status_code == 200
    refused = client.post("/users?password=pw", {**user, "username": "hotfolder"})
    assert refused.json() == {"error": {"username": ["Username 'hotfolder' is already in use"]}}
    group = {
        "group_code": "Service",
        "description": "d",
        "member_usernames": ["hotfolder"],
        "grants_permissions": ["view_repository"],
    }
    # MySQL would find it; Derby, with which the server comes, does not.
    refused = client.post("/repositories/2/groups", {**group, "member_usernames": ["HOTFOLDER"]})
    assert refused.json()["error"] == {"member_usernames": ["User HOTFOLDER does not exist"]}
    assert client.post("/repositories/2/groups", group).status_code == 200
    with AspaceClient(sandbox.url, user="HOTfolder", password="pw") as service:
        shown = service.http.get("/users/current-user").json()
    assert shown["username"] == "hotfolder"
    assert shown["permissions"]["/repositories/2"] == ["view_repository"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (
            {"group_code": "Repository-Viewers"},
            {"group_code": ["Group code must be unique within a repository"]},
        ),
        ({"member_usernames": ["nobody"]}, {"member_usernames": ["User nobody does not exist"]}),
        (
            {"member_usernames": ["a", "b"]},
            {"member_usernames": ["Users a, b do not exist"]},
        ),
    ],
)
def test_a_group_is_refused_as_the_server_does(
    client: AspaceClient, changes: Json, error: Json
) -> None:
    before = client.get("/repositories/2/groups").json()
    reply = client.post(
        "/repositories/2/groups", {"group_code": "g", "description": "d", **changes}
    )
    assert (reply.status_code, reply.json()) == (400, {"error": error})
    assert client.get("/repositories/2/groups").json() == before


def test_permissions_bring_others_as_the_recorded_administrator_has_them() -> None:
    everywhere = load_contract().permissions["_archivesspace"]
    after = everywhere.index("edit_user_self")
    assert "import_records" in everywhere[:after]
    brought = [extra for name in everywhere[:after] for extra in IMPLIED.get(name, ())]
    assert brought == everywhere[after + 1 :]


@pytest.mark.parametrize("agents", [False, True])
def test_the_permission_to_import_is_none_to_make_agents(sandbox: Sandbox, agents: bool) -> None:
    granted = ("view_repository", "import_records", *(["manage_agent_record"] if agents else []))
    sandbox.add_service_account("importer", "pw", ["/repositories/2"], granted)
    with AspaceClient(sandbox.url, user="importer", password="pw") as importer:
        held = importer.http.get("/users/current-user").json()["permissions"]
        assert ("update_agent_record" in held["_archivesspace"]) == agents
        agent = {
            "jsonmodel_type": "agent_software",
            "names": [{"jsonmodel_type": "name_software", "software_name": "hotfolder"}],
        }
        made = importer.post("/agents/software", agent)
        assert made.status_code == (200 if agents else 403)
        assert (
            importer.post("/repositories/2/digital_objects", digital_object(1)).status_code == 403
        )
        batch = [digital_object(1, uri="/repositories/2/digital_objects/import_01")]
        assert importer.send_batch(batch)[-1]["saved"]


_texts = st.text(st.characters(codec="utf-8", exclude_characters="<"), min_size=1, max_size=40)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(title=_texts)
def test_a_title_comes_back_as_it_was_or_is_refused(client: AspaceClient, title: str) -> None:
    uri = "/repositories/2/digital_objects"
    reply = client.post(uri, digital_object(1, title=title, digital_object_id=title.encode().hex()))
    if any(ord(char) > 0xFFFF for char in title):
        assert reply.status_code == 400
        assert "db_error" in reply.json()["error"]
    elif reply.status_code == 200:
        assert client.get(reply.json()["uri"]).json()["title"] == title
    else:
        assert reply.json()["error"] == {"digital_object_id": ["Must be unique"]}


_SENT: dict[str, Json] = {
    "/repositories/2/digital_objects": digital_object(1),
    "/repositories/2/digital_object_components": {
        "title": "Page",
        "digital_object": {"ref": "/repositories/2/digital_objects/1"},
    },
    "/repositories/2/resources": series("FUZZ"),
    "/repositories/2/archival_objects": {
        "title": "Cycle",
        "level": "file",
        "resource": {"ref": "/repositories/2/resources/1"},
    },
    "/repositories/2/events": {
        "event_type": "ingestion",
        "timestamp": "2026-11-23",
        "linked_agents": [{"role": "validator", "ref": "/agents/software/1"}],
        "linked_records": [{"role": "source", "ref": "/repositories/2/resources/1"}],
    },
    "/repositories/2/accessions": {"id_0": "A", "title": "Accession"},
    "/repositories/2/groups": {"group_code": "g", "description": "g"},
    "/agents/software": {"names": [{"software_name": "a", "sort_name": "a"}]},
    "/agents/people": {"names": [{"primary_name": "a"}]},
    "/subjects": {"terms": [{"term": "a"}]},
    "/repositories": {"repo_code": "X", "name": "X"},
    "/users?password=x": {"username": "u", "name": "n"},
}
_PROPERTIES = sorted(
    {name for record in _SENT.values() for name in record}
    | {"instances", "notes", "extents", "user_defined", "position", "parent", "ref_id"}
    | {"rights_statements", "jsonmodel_type", "lock_version", "uri", "subjects", "date"}
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(path=st.sampled_from(sorted(_SENT)), name=st.sampled_from(_PROPERTIES), value=_json)
@example("/repositories/2/digital_object_components", "digital_object", {})
@example("/repositories/2/digital_object_components", "parent", {"_resolved": {}})
def test_no_property_breaks_the_server(
    client: AspaceClient, path: str, name: str, value: Any
) -> None:
    if not client.get("/repositories/2/resources", all_ids=True).json():
        client.create("resources", series())
    sent = {**_SENT[path], name: value}
    for body in (sent, [sent], value):
        reply = client.post(path, body)
        expected = {200, 400} if isinstance(body, dict) else {200, 400, 500}
        assert reply.status_code in expected, reply.text
        assert "handle" not in reply.text
        if reply.status_code == 200:
            uri = reply.json()["uri"]
            assert client.get(uri).status_code in {200, 404}
            client.http.delete(uri)
    last = client.send_batch([{"uri": f"{path}/import_1", "jsonmodel_type": "event", **sent}])[-1]
    assert last.keys() <= {"saved", "errors"}


@pytest.mark.parametrize("root", [{}, {"ref": "/repositories/2/resources/999"}])
def test_a_record_is_not_moved_below_nothing(
    sandbox: Sandbox, client: AspaceClient, resource: str, root: dict[str, str]
) -> None:
    made = {"title": "A cycle", "level": "subseries", "resource": {"ref": resource}}
    uri = client.create("archival_objects", {"jsonmodel_type": "archival_object", **made})
    before = client.get(uri).json()
    assert client.post(uri, {**before, "resource": root}).status_code == 400
    assert client.get(uri).json() == before
