"""``ArchivesSpace`` against a scripted server: every way in which an answer can go
wrong, and what is concluded from it. State is the sandbox's matter (test_delivery)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.archivesspace.transport import MAX_ANSWER
from hotfolder.core.errors import Corrupt, HotfolderError, OperatorFault, Transient
from hotfolder.core.identity import cycle_ref_id
from hotfolder.core.profiles import ArchiveProfile, ArchiveSlots
from tests.support import recorded
from tests.support.scripted_http import (
    CLOSE,
    RESET,
    Request,
    ScriptedServer,
    Step,
    chunked,
    logged_in,
    reply,
)
from tests.support.units import (
    BUSINESS_UNIT,
    CYCLE,
    REPOSITORY,
    RULES,
    SERIES,
    make_request,
    make_row,
)

LISTS = recorded.lists()
PASSWORD = "correct horse"
ALL = [
    "view_repository",
    "import_records",
    "update_digital_object_record",
    "update_resource_record",
    "update_event_record",
]


class RealClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class Backend:
    """Answers as the recorded server for everything but what a test puts in ``special``
    (``METHOD path`` to answer). Remembers nothing."""

    special: dict[str, Callable[[Request], Sequence[Step]]] = field(default_factory=dict)
    permissions: dict[str, list[str]] = field(
        default_factory=lambda: {
            "/repositories/2": ALL,
            "_archivesspace": ["update_agent_record", "edit_user_self"],
        }
    )
    lists: dict[str, list[str]] = field(default_factory=lambda: dict(LISTS))

    def __call__(self, request: Request) -> Sequence[Step]:
        chosen = self.special.get(f"{request.method} {request.path}")
        if chosen is not None:
            return chosen(request)
        if request.path.startswith("/config/enumerations/names/"):
            values = self.lists.get(request.path.rpartition("/")[2])
            return reply(404, {}) if values is None else reply(200, {"values": values})
        return reply(*self.steady(request.method, request.path))

    def steady(self, method: str, path: str) -> tuple[int, object]:
        """What a repository in good order answers."""
        cycle = {
            "ref_id": cycle_ref_id(SERIES, CYCLE),
            "uri": "/repositories/2/archival_objects/8",
            "resource": {"ref": "/repositories/2/resources/7"},
        }
        found = {
            "POST /users/hotfolder/login": {
                "session": "a" * 64,
                "user": {"permissions": self.permissions},
            },
            "GET /users/current-user": {"permissions": self.permissions},
            "GET /": {"archivesSpaceVersion": "v4.2.1"},
            "GET /repositories": [
                {"repo_code": REPOSITORY, "uri": "/repositories/2", "publish": False}
            ],
            "GET /schemas/user_defined": {"properties": recorded.schemas()["user_defined"]},
            "GET /repositories/2/find_by_id/resources": {
                "resources": [
                    {
                        "ref": "x",
                        "_resolved": {"id_0": SERIES, "uri": "/repositories/2/resources/7"},
                    }
                ]
            },
            "GET /repositories/2/find_by_id/archival_objects": {
                "archival_objects": [{"ref": cycle["uri"], "_resolved": cycle}]
            },
            "GET /repositories/2/find_by_id/digital_objects": {"digital_objects": []},
            "GET /agents/software": [],
        }
        key = f"{method} {path}"
        if key == "POST /agents/software":
            return 400, {"error": {"names": ["x"], "conflicting_record": ["/agents/software/3"]}}
        return (200, found[key]) if key in found else (404, {"error": "Sinatra::NotFound"})


@contextmanager
def running(
    backend: Backend, profile: ArchiveProfile | None = None
) -> Iterator[tuple[ArchivesSpace, ScriptedServer]]:
    events: list[str] = []

    def emit(event: str, /, **fields: object) -> None:
        events.append(f"{event} {fields}")

    with ScriptedServer(backend) as server:
        archive = ArchivesSpace(
            replace(
                profile or ArchiveProfile(url="", username="hotfolder"),
                url=server.url,
                read_timeout=5.0,
            ),
            PASSWORD,
            RULES,
            clock=RealClock(),
            version="0.test",
            on_event=emit,
        )
        try:
            yield archive, server
        finally:
            archive.close()
    assert "a" * 64 not in repr((archive, events))
    assert PASSWORD not in repr((archive, events))


IMPORT = "POST /repositories/2/batch_imports"
LEAST = ArchiveProfile(url="", username="hotfolder", least_privilege=True)


def saved(request: Request) -> Sequence[Step]:
    """The answer of a server that saved it all."""
    uris = [record["uri"] for record in json.loads(request.body)]
    result = {
        uri: [f"{uri.rpartition('/')[0]}/{number}", number] for number, uri in enumerate(uris, 40)
    }
    return chunked(b'[{"status":[]},', json.dumps({"saved": result}).encode(), b"]")


def test_confirmed_unit_names_every_document() -> None:
    request = make_request(make_row(1), make_row(2))
    with running(Backend({IMPORT: saved})) as (archive, server):
        answer = archive.send_unit(request)
        archive.send_unit(request)
        bodies = [sent.body for sent in server.requests if f"POST {sent.path}" == IMPORT]
    assert answer.outcome == "confirmed"
    assert answer.uris == {
        request.unit.identities[0]: "/repositories/2/digital_objects/40",
        request.unit.identities[1]: "/repositories/2/digital_objects/41",
    }
    assert answer.unit_uri == "/repositories/2/archival_objects/42"
    assert bodies[0] == bodies[1]
    assert bodies[0].startswith(b"[")


REFUSAL = (
    "Server error: Problem creating 'Statement of Ms Secret': digital_object_id Must be unique"
)


def test_refused_unit_has_the_servers_words() -> None:
    result = [{"status": []}, {"saved": [], "errors": [REFUSAL]}]
    with running(Backend({IMPORT: lambda _: reply(200, result)})) as (archive, _):
        answer = archive.send_unit(make_request())
    assert (answer.outcome, answer.reason) == ("refused", REFUSAL)


def test_unit_too_large_for_a_proxy_is_refused() -> None:
    with running(Backend({IMPORT: lambda _: reply(413, b"<html>")})) as (archive, _):
        assert archive.send_unit(make_request()).outcome == "refused"


@pytest.mark.parametrize(
    "steps",
    [
        [RESET],
        [CLOSE],
        chunked(b'[{"saved":', end=False),
        chunked(b'[{"status":[]}]'),
        chunked(b'[{"saved":{}}]'),
        reply(200, {"error": REFUSAL}),
        reply(400, {"error": {"repo_id": [REFUSAL]}}),
        reply(403, {"error": REFUSAL}),
        reply(404, {"error": REFUSAL}),
        reply(409, {"error": REFUSAL}),
        reply(500, {"error": REFUSAL}),
        reply(502, REFUSAL),
    ],
)
def test_everything_else_is_unknown_and_safe_to_log(steps: Sequence[Step]) -> None:
    with running(Backend({IMPORT: lambda _: steps})) as (archive, _):
        answer = archive.send_unit(make_request())
    assert answer.outcome == "unknown"
    assert answer.reason
    assert "Secret" not in answer.reason
    assert not answer.uris


def test_server_that_is_gone_means_that_nothing_was_sent() -> None:
    with running(Backend()) as (archive, server):
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)
        server.__exit__(None, None, None)
        with pytest.raises(Transient):
            archive.send_unit(make_request())


def test_preparation_is_remembered_until_forgotten() -> None:
    with running(Backend()) as (archive, server):
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)
        before = len(server.requests)
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)
        assert len(server.requests) == before
        archive.forget()
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)
        assert len(server.requests) == 2 * before


@pytest.mark.parametrize(
    ("least_privilege", "missing"),
    [(False, "import_records"), (True, "update_event_record"), (True, "view_repository")],
)
def test_missing_permission_is_named_before_anything_is_sent(
    least_privilege: bool, missing: str
) -> None:
    held = [name for name in ALL if name != missing]
    backend = Backend(permissions={"/repositories/2": held, "/repositories/3": ALL})
    profile = replace(LEAST, least_privilege=least_privilege)
    with running(backend, profile) as (archive, server):
        with pytest.raises(OperatorFault, match=missing):
            archive.send_unit(make_request())
        assert not [path for path in server.paths() if path.startswith("POST /rep")]
        backend.permissions["_archivesspace"] = [missing]  # given meanwhile
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)


def test_missing_value_stops_before_anything_is_sent() -> None:
    backend = Backend()
    backend.lists["event_event_type"] = ["validation"]
    with running(backend) as (archive, server):
        with pytest.raises(OperatorFault, match="ingestion"):
            archive.send_unit(make_request())
        assert IMPORT not in server.paths()


def test_missing_repository_names_the_remedy() -> None:
    backend = Backend({"GET /repositories": lambda _: reply(200, [])})
    with (
        running(backend) as (archive, _),
        pytest.raises(OperatorFault, match=f"{REPOSITORY}.*setup` makes it"),
    ):
        archive.find_units(BUSINESS_UNIT, ["hf-unit-1"])
    with running(Backend()) as (archive, _), pytest.raises(OperatorFault):
        archive.find_units("NOBODY", ["hf-unit-1"])


def test_many_ids_are_asked_for_in_bounded_requests() -> None:
    with running(Backend()) as (archive, server):
        wanted = [make_row(number).document.identity for number in range(300)]
        assert archive.find_documents(BUSINESS_UNIT, wanted) == {}
        asked = [
            [value for name, value in request.query if name == "digital_object_id[]"]
            for request in server.requests
            if request.path.endswith("/digital_objects")
        ]
    assert [name for chunk in asked for name in chunk] == wanted
    assert max(len(chunk) for chunk in asked) <= 100


def test_ids_are_compared_exactly() -> None:
    row = make_row()
    other = {
        "digital_object_id": row.document.identity.upper(),
        "uri": "/repositories/2/digital_objects/9",
    }
    path = "GET /repositories/2/find_by_id/digital_objects"
    answer = {"digital_objects": [{"ref": other["uri"], "_resolved": other}]}
    with running(Backend({path: lambda _: reply(200, answer)})) as (archive, _):
        assert archive.find_documents(BUSINESS_UNIT, [row.document.identity]) == {}


@pytest.mark.parametrize("body", [[], {}, {"digital_objects": [1]}, {"digital_objects": {}}, b"x"])
def test_answer_of_another_shape_is_transient(body: object) -> None:
    path = "GET /repositories/2/find_by_id/digital_objects"
    backend = Backend({path: lambda _: reply(200, body)})
    with running(backend) as (archive, _), pytest.raises(Transient):
        archive.find_documents(BUSINESS_UNIT, ["hf-1"])


DOCUMENTS = "POST /repositories/2/digital_objects"
SECRET = {"error": {"title": ["Ms Secret may not"]}, "invalid_object": "#<JSONModel Ms Hidden>"}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, SECRET, "refused"),
        (400, {"error": {"digital_object_id": ["Must be unique"]}}, "refused"),  # suppressed
        (400, {"error": {"db_error": ["Ms Secret"]}}, "unknown"),
        (400, {"error": {"repo_id": ["Ms Secret"]}}, "unknown"),
        (400, {"error": "Ms Secret"}, "unknown"),
        (400, b"<html>Ms Secret", "unknown"),
        (404, {"error": "Ms Secret"}, "unknown"),
        (409, {"error": "Ms Secret"}, "unknown"),
        (413, b"", "unknown"),
        (500, {"error": {"title": ["Ms Secret"]}}, "unknown"),
        (200, {"uri": "/repositories/2/archival_objects/1"}, "unknown"),
        (200, b"<html>", "unknown"),
    ],
)
@pytest.mark.parametrize("least_privilege", [True, False])
def test_single_document(status: int, body: object, outcome: str, least_privilege: bool) -> None:
    backend = Backend({DOCUMENTS: lambda _: reply(status, body)})
    profile = replace(LEAST, least_privilege=least_privilege)
    with running(backend, profile) as (archive, _):
        answer = archive.send_document(make_request())
    assert answer.outcome == outcome
    assert "Hidden" not in answer.reason
    if outcome == "refused":
        assert answer.reason.startswith(next(iter(body["error"])))  # type: ignore[index]
    else:
        assert "Secret" not in answer.reason


@pytest.mark.parametrize("steps", [[RESET], [CLOSE]])
def test_single_document_whose_answer_is_lost_is_unknown(steps: Sequence[Step]) -> None:
    with running(Backend({DOCUMENTS: lambda _: steps})) as (archive, _):
        assert archive.send_document(make_request()).outcome == "unknown"


def test_denied_document_is_the_operators_matter_because_nothing_was_sent() -> None:
    backend = Backend({DOCUMENTS: lambda _: reply(403, {})})
    with running(backend, LEAST) as (archive, _), pytest.raises(OperatorFault):
        archive.send_unit(make_request())


def test_value_taken_out_of_a_list_is_not_the_documents_fault() -> None:
    backend = Backend()

    def refuse(_: Request) -> Sequence[Step]:
        backend.lists["date_label"] = ["creation"]
        return reply(400, {"error": {"dates/0/label": ["Invalid value 'issued'"]}})

    backend.special[DOCUMENTS] = refuse
    with running(backend) as (archive, _):
        assert archive.send_document(make_request()).outcome == "unknown"
        with pytest.raises(OperatorFault, match="issued"):
            archive.send_document(make_request())


def test_record_with_another_checksum_is_never_adopted() -> None:
    row = make_row()
    there = {
        "digital_object_id": row.document.identity,
        "uri": "/repositories/2/digital_objects/9",
        "file_versions": [
            {"checksum": "0" * 64, "checksum_method": "sha-256", "file_size_bytes": 10}
        ],
    }
    path = "GET /repositories/2/find_by_id/digital_objects"
    answer = {"digital_objects": [{"ref": there["uri"], "_resolved": there}]}
    with running(Backend({path: lambda _: reply(200, answer)}), LEAST) as (archive, server):
        with pytest.raises(Corrupt) as caught:
            archive.send_unit(make_request(row))
        assert DOCUMENTS not in server.paths()
    assert caught.value.code == "archive.differs"


def test_send_document_takes_exactly_one() -> None:
    with running(Backend()) as (archive, _), pytest.raises(ValueError, match="one document"):
        archive.send_document(make_request(make_row(1), make_row(2)))


def test_probe_needs_a_session() -> None:
    with running(Backend()) as (archive, server):
        archive.probe()
        assert server.paths() == ["POST /users/hotfolder/login", "GET /users/current-user"]
    broken = Backend({"GET /users/current-user": lambda _: reply(500, {})})
    with running(broken) as (archive, _), pytest.raises(Transient):
        archive.probe()


@pytest.mark.parametrize(
    "profile",
    [
        ArchiveProfile(url="http://x", username="u", resolver="https://x/"),
        ArchiveProfile(url="http://x", username="u", resolver="https://x/{id}"),
        ArchiveProfile(url="http://x", username="u", resolver="https://x/{"),
        ArchiveProfile(url="http://x", username="u", slots=ArchiveSlots(channel="string_9")),
        ArchiveProfile(url="http://x", username="u", slots=ArchiveSlots(channel="string_1")),
        ArchiveProfile(url="http://x", username="u", slots=ArchiveSlots(hold="string_4")),
        ArchiveProfile(url="http://x", username="u", slots=ArchiveSlots(channel="integer_1")),
        ArchiveProfile(url="ftp://x", username="u"),
    ],
)
def test_profile_that_cannot_work_is_refused_at_once(profile: ArchiveProfile) -> None:
    with pytest.raises(OperatorFault) as caught:
        ArchivesSpace(
            profile, PASSWORD, RULES, clock=RealClock(), version="0", on_event=lambda *_, **__: None
        )
    assert caught.value.hint


def test_diagnosis_of_a_server_in_good_order() -> None:
    with running(Backend()) as (archive, _):
        findings = archive.diagnose()
    assert [finding for finding in findings if finding.fault and not finding.advice] == []
    subjects = [finding.subject for finding in findings]
    assert {"version", "login", f"repository {REPOSITORY}", "controlled values"} <= set(subjects)


def test_diagnosis_names_everything_at_once() -> None:
    backend = Backend(permissions={"/repositories/2": ["view_repository"]})
    backend.lists["event_outcome"] = []
    del backend.lists["date_label"]
    published = [{"repo_code": REPOSITORY, "uri": "/repositories/2", "publish": True}]
    backend.special["GET /repositories"] = lambda _: reply(200, published)
    backend.special["GET /schemas/user_defined"] = lambda _: reply(200, {"properties": {}})
    backend.special["GET /"] = lambda _: reply(200, {"archivesSpaceVersion": "v2.8.1"})
    with running(backend) as (archive, _):
        faults = [finding.fault for finding in archive.diagnose() if finding.fault]
    assert sorted({fault.code for fault in faults}) == [
        "archive.agent",
        "archive.permission",
        "archive.published",
        "archive.slot",
        "archive.version",
        "archive.vocabulary",
    ]
    assert all(fault.remedy for fault in faults)


@pytest.mark.parametrize("there", [True, False])
def test_diagnosis_tells_whether_delivery_lacks_the_agent(there: bool) -> None:
    held = {"/repositories/2": ALL, "_archivesspace": ["edit_user_self"]}
    ours = [{**recorded.sent(144)["names"][0], "version": "0.test" if there else "older"}]
    backend = Backend(permissions=held)
    backend.special["GET /agents/software"] = lambda _: reply(200, [3])
    backend.special["GET /agents/software/3"] = lambda _: reply(200, {"names": ours})
    with running(backend) as (archive, _):
        (found,) = (item for item in archive.diagnose() if item.subject == "agent")
    assert found.fault is not None
    assert found.advice is there
    assert "manage_agent_record" in found.fault.message


def test_diagnosis_names_types_of_events_that_would_be_refused() -> None:
    backend = Backend()
    assert "ingestion" in backend.lists["event_event_type"]
    with running(backend) as (archive, _):
        findings = archive.diagnose(made=frozenset({"ingestion", "approved_by_board"}))
    faults = [item.fault for item in findings if item.fault and not item.advice]
    assert [fault.code for fault in faults] == ["archive.vocabulary"]
    assert "'approved_by_board'" in faults[0].message


def test_diagnosis_names_what_answering_requests_needs() -> None:
    backend = Backend()
    backend.lists["event_outcome"] = ["pass", "pending", "fail"]
    with running(backend) as (archive, _):
        assert [item.fault for item in archive.diagnose() if item.fault and not item.advice] == []
        findings = archive.diagnose(requests=True)
    faults = [item.fault for item in findings if item.fault and not item.advice]
    assert [fault.code for fault in faults] == ["archive.vocabulary"]
    assert "'fulfilled'" in faults[0].message


@pytest.mark.parametrize(
    ("ahead", "said", "wrong"),
    [(None, "does not tell", False), (7, "ahead of ours", False), (-3600, "behind ours", True)],
)
def test_diagnosis_compares_the_clocks(ahead: int | None, said: str, *, wrong: bool) -> None:
    backend = Backend()
    (login,) = backend(
        Request(method="POST", path="/users/hotfolder/login", query=(), headers={}, body=b"")
    )
    assert isinstance(login, bytes)
    if ahead is not None:
        date = format_datetime(datetime.fromtimestamp(time.time() + ahead, UTC), usegmt=True)
        login = login.replace(b"\r\n", f"\r\nDate: {date}\r\n".encode(), 1)
    backend.special["POST /users/hotfolder/login"] = lambda _: [login]
    with running(backend) as (archive, _):
        (found,) = (item for item in archive.diagnose(requests=True) if item.subject == "clock")
        assert "clock" not in [item.subject for item in archive.diagnose()]
    assert said in found.said
    assert (found.fault is not None, found.advice) == (wrong, wrong)


EVENT = {
    "uri": "/repositories/2/events/9",
    "lock_version": 3,
    "event_type": "request",
    "outcome": "pending",
    "outcome_note": "Ms Secret asks",
    "user_mtime": "2026-11-23T09:19:18Z",
    "unheard_of": {"by": "a plugin"},
    "linked_records": [{"role": "requested", "ref": "/repositories/2/digital_objects/1"}],
}


def answering(event: object, *answers: Sequence[Step]) -> Backend:
    """A server with one request, which answers changes of it so, one after the other."""
    left = list(answers)
    return Backend(
        {
            "GET /repositories/2/events/9": lambda _: reply(200, event),
            "GET /repositories/2/digital_objects": lambda _: reply(200, []),
            "POST /repositories/2/events/9": lambda _: left.pop(0),
        }
    )


def test_an_answer_sends_back_whatever_was_read() -> None:
    backend = answering(EVENT, reply(200, {"status": "Updated", "uri": EVENT["uri"]}))
    with running(backend) as (archive, server):
        assert archive.desk.answer_request(BUSINESS_UNIT, str(EVENT["uri"]), "fail", "no")
        sent = json.loads(server.requests[-1].body)
    assert sent == {**EVENT, "outcome": "fail", "outcome_note": "Ms Secret asks\nno"}


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (reply(400, {"error": {"linked_agents": ["Ms Secret"]}}), OperatorFault),
        (reply(403, {}), OperatorFault),
        (reply(400, {"error": {"db_error": ["Ms Secret"]}}), Transient),
        (reply(409, {"error": "Ms Secret"}), Transient),
        (reply(500, {"error": "Ms Secret"}), Transient),
        (reply(200, {"uri": "/repositories/2/events/8"}), Transient),
        (reply(200, b"<html>"), Transient),
        ([RESET], Transient),
    ],
)
def test_a_refused_answer_is_said_without_what_it_is_about(
    answer: Sequence[Step], failure: type[HotfolderError]
) -> None:
    backend = answering(EVENT, *[answer] * 10)
    with running(backend) as (archive, server), pytest.raises(failure) as caught:
        archive.desk.answer_request(BUSINESS_UNIT, str(EVENT["uri"]), "fail", "no")
    assert "Secret" not in str(caught.value)
    posts = [path for path in server.paths() if path.startswith("POST /repositories/2/events")]
    assert len(posts) <= 5


def test_a_link_that_is_hidden_is_never_taken_off() -> None:
    event = {**EVENT, "linked_records": [None, *EVENT["linked_records"]]}  # type: ignore[misc]
    with running(answering(event)) as (archive, server):
        found = archive.desk.read_request(BUSINESS_UNIT, str(EVENT["uri"]))
        assert found is not None
        with pytest.raises(OperatorFault, match="suppressed"):
            archive.desk.answer_request(BUSINESS_UNIT, str(EVENT["uri"]), "fail", "no")
        assert "POST /repositories/2/events/9" not in server.paths()


def test_diagnosis_of_a_refused_login_and_of_no_server() -> None:
    backend = Backend({"POST /users/hotfolder/login": lambda _: reply(403, {})})
    with running(backend) as (archive, server):
        assert [finding.fault.code for finding in archive.diagnose() if finding.fault] == [
            "archive.login"
        ]
        server.__exit__(None, None, None)
        (only,) = archive.diagnose()
    assert only.fault is not None
    assert only.fault.code == "archive.unreachable"


def test_agent_that_may_not_be_made_is_looked_for() -> None:
    names = recorded.sent(144)["names"]
    ours = [{**names[0], "version": "0.test"}]
    backend = Backend(
        {
            "POST /agents/software": lambda _: reply(403, {}),
            "GET /agents/software": lambda _: reply(200, [1, 2, 3]),
            "GET /agents/software/3": lambda _: reply(200, {"names": names}),
            "GET /agents/software/2": lambda _: reply(200, {"names": ours}),
        }
    )
    with running(backend) as (archive, server):
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)
        assert "GET /agents/software/1" not in server.paths()
    backend.special["GET /agents/software/2"] = lambda _: reply(404, {})
    with running(backend) as (archive, _), pytest.raises(OperatorFault, match="agent"):
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)


def test_login_without_permissions_is_no_login_failure() -> None:
    backend = Backend({"POST /users/hotfolder/login": lambda _: logged_in("a" * 64)})
    with running(backend) as (archive, _):
        archive.prepare_series(BUSINESS_UNIT, SERIES, CYCLE)  # asked for again, and there


def test_units_are_read_so_few_at_a_time_that_their_answer_is_not_too_long() -> None:
    """Of each document that a unit lists the server tells all that it tells of an instance."""
    found = recorded.answered(147)["archival_objects"][0]["_resolved"]
    listed = len(json.dumps(found["instances"][0], separators=(",", ":"))) + 1
    identities = [f"hf-{number:064x}" for number in range(300)]

    def documents(request: Request) -> Sequence[Step]:
        names = [value for key, value in request.query if key == "digital_object_id[]"]
        records = [
            {
                "uri": f"/repositories/2/digital_objects/{identities.index(name)}",
                "digital_object_id": name,
                "linked_instances": [
                    {"ref": f"/repositories/2/archival_objects/{identities.index(name)}"}
                ],
            }
            for name in names
        ]
        refs = [{"ref": record["uri"], "_resolved": record} for record in records]
        return reply(200, {"digital_objects": refs})

    backend = Backend(
        {
            "GET /repositories/2/find_by_id/digital_objects": documents,
            "GET /repositories/2/archival_objects": lambda _: reply(200, []),
        }
    )
    with running(backend) as (archive, server):
        assert len(archive.find_documents(BUSINESS_UNIT, identities)) == 300
        sets = [
            dict(sent.query)["id_set"].split(",")
            for sent in server.requests
            if sent.path == "/repositories/2/archival_objects"
        ]
    assert sorted(int(name) for numbers in sets for name in numbers) == list(range(300))
    most = 1000  # documents in a unit, as the configuration has it
    assert max(map(len, sets)) * most * listed < MAX_ANSWER
