"""Every fault, seen from the client's side and then from the server's."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hotfolder.sandbox import Action, Fault, Sandbox
from tests.support.aspace_client import SESSION, AspaceClient, digital_object

DOCUMENTS = "/repositories/2/digital_objects"
IMPORTS = "/repositories/2/batch_imports"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(control=True) as running:
        running.add_repository("STMT", "Statements")
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[AspaceClient]:
    with AspaceClient(sandbox.url) as connected:
        yield connected


def _posts(action: Action, **more: Any) -> Fault:
    return Fault(action=action, method="POST", path="digital_objects$", **more)


def _saved(sandbox: Sandbox) -> int:
    return len(sandbox.records("digital_object"))


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("action", [Action.RESET, Action.CLOSE, Action.REFUSE])
def test_a_request_without_an_answer(
    sandbox: Sandbox, client: AspaceClient, action: Action, committed: bool
) -> None:
    sandbox.faults.add(_posts(action, committed=committed))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.post(DOCUMENTS, digital_object(1))
    assert _saved(sandbox) == committed
    assert sandbox.faults.waiting() == []


def test_a_reset_is_a_reset_and_strikes_before_the_body_is_read(sandbox: Sandbox) -> None:
    sandbox.faults.add(_posts(Action.RESET))
    with _dial(sandbox) as raw:
        raw.sendall(_head(10_000))
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def test_a_close_is_an_orderly_end(sandbox: Sandbox) -> None:
    sandbox.faults.add(_posts(Action.CLOSE))
    with _dial(sandbox) as raw:
        raw.sendall(_head(2) + b"{}")
        assert raw.recv(1) == b""


def test_a_reset_after_the_commit_is_a_reset(sandbox: Sandbox, client: AspaceClient) -> None:
    sandbox.faults.add(_posts(Action.RESET, committed=True))
    token = client.http.headers[SESSION]
    body = b'{"digital_object_id":"a","title":"A"}'
    with _dial(sandbox) as raw:
        raw.sendall(_head(len(body), f"{SESSION}: {token}\r\n") + body)
        with pytest.raises(ConnectionResetError):
            raw.recv(1)
    assert client.find("a") != []


def test_a_refusing_server_is_down_and_comes_back(sandbox: Sandbox, client: AspaceClient) -> None:
    sandbox.faults.add(_posts(Action.REFUSE, seconds=0.4))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.post(DOCUMENTS, digital_object(1))
    with pytest.raises(ConnectionRefusedError), _dial(sandbox):
        pass
    _until_up(sandbox)
    assert client.post(DOCUMENTS, digital_object(1)).status_code == 200


def test_an_outage_keeps_the_state_and_the_port(sandbox: Sandbox, client: AspaceClient) -> None:
    uri, url = client.create("digital_objects", digital_object(1)), sandbox.url
    sandbox.stop()
    with pytest.raises((httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError)):
        client.get(uri)
    with pytest.raises(ConnectionRefusedError), _dial(sandbox):
        pass
    sandbox.start()
    assert sandbox.url == url
    assert client.get(uri).json()["digital_object_id"] == "hf-0001"


def test_starting_twice_and_stopping_twice_is_harmless(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.stop()
    sandbox.stop()
    sandbox.start()
    _until_up(sandbox)


def test_an_outage_of_stated_length_ends_by_itself(sandbox: Sandbox, client: AspaceClient) -> None:
    sandbox.refuse(0.3)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            client.get("/version")
        except httpx.TransportError:
            break
    else:
        pytest.fail("it never went down")
    _until_up(sandbox)
    assert client.get("/version").status_code == 200


@pytest.mark.parametrize("path", [DOCUMENTS, IMPORTS])
def test_a_client_that_gives_up_does_not_stop_the_commit(
    sandbox: Sandbox, client: AspaceClient, path: str
) -> None:
    sandbox.faults.add(Fault(action=Action.DELAY, method="POST", path=path, seconds=0.5))
    document = digital_object(1, uri=f"{DOCUMENTS}/import_01")
    body = [document] if path == IMPORTS else document
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(path, json=body, timeout=0.1)
    deadline = time.monotonic() + 10
    while _saved(sandbox) == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert client.find("hf-0001") != []


def test_a_delay_after_the_commit_holds_the_answer_back(
    sandbox: Sandbox, client: AspaceClient
) -> None:
    sandbox.faults.add(_posts(Action.DELAY, committed=True, seconds=30.0))
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(DOCUMENTS, json=digital_object(1), timeout=2.0)
    assert _saved(sandbox) == 1


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("status", [409, 500, 503])
def test_another_status(
    sandbox: Sandbox, client: AspaceClient, status: int, committed: bool
) -> None:
    sandbox.faults.add(_posts(Action.STATUS, status=status, committed=committed))
    reply = client.post(DOCUMENTS, digital_object(1))
    assert reply.status_code == status
    assert isinstance(reply.json()["error"], str)
    assert _saved(sandbox) == committed
    assert client.post(DOCUMENTS, digital_object(2)).status_code == 200


@pytest.mark.parametrize("committed", [False, True])
def test_a_cut_stream_has_begun_and_does_not_end(
    sandbox: Sandbox, client: AspaceClient, committed: bool
) -> None:
    sandbox.faults.add(Fault(action=Action.CUT, path="batch_imports", committed=committed))
    document = digital_object(1, uri=f"{DOCUMENTS}/import_01")
    pieces: list[bytes] = []
    with client.http.stream("POST", IMPORTS, json=[document]) as reply:
        assert reply.status_code == 200
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            pieces.extend(reply.iter_bytes())
    text = b"".join(pieces)
    assert text.startswith(b'[\n{"status":[')
    assert (b"saved" in text) == committed
    assert not text.rstrip().endswith(b"]")
    assert _saved(sandbox) == committed


@pytest.mark.parametrize(
    ("action", "code"),
    [(Action.EXPIRE, "SESSION_EXPIRED"), (Action.FORGET, "SESSION_GONE")],
)
def test_sessions_end(sandbox: Sandbox, client: AspaceClient, action: Action, code: str) -> None:
    sandbox.faults.add(_posts(action))
    reply = client.post(DOCUMENTS, digital_object(1))
    assert (reply.status_code, reply.json()["code"]) == (412, code)
    assert client.post(DOCUMENTS, digital_object(1)).json()["code"] == "SESSION_GONE"
    client.log_in()
    assert client.post(DOCUMENTS, digital_object(1)).status_code == 200


def test_sessions_end_from_python(sandbox: Sandbox, client: AspaceClient) -> None:
    sandbox.expire_sessions()
    assert client.get("/repositories").json()["code"] == "SESSION_EXPIRED"
    client.log_in()
    sandbox.forget_sessions()
    assert client.get("/repositories").json()["code"] == "SESSION_GONE"


def test_faults_count_the_requests_that_match(sandbox: Sandbox, client: AspaceClient) -> None:
    sandbox.faults.add(_posts(Action.STATUS, nth=2, count=2))
    statuses = []
    for number in range(5):
        statuses.append(client.post(DOCUMENTS, digital_object(number)).status_code)
        client.get("/version")
    assert statuses == [200, 500, 500, 200, 200]
    seen = [(item.method, item.path) for item in sandbox.faults.seen()]
    assert seen.count(("POST", DOCUMENTS)) == 5
    assert seen.count(("GET", "/version")) == 5


def test_a_fault_without_end_lasts_until_it_is_taken_away(
    sandbox: Sandbox, client: AspaceClient
) -> None:
    sandbox.faults.add(Fault(action=Action.STATUS, status=503, count=None))
    assert {client.get("/version").status_code for _ in range(4)} == {503}
    sandbox.faults.clear()
    assert client.get("/version").status_code == 200


def test_a_body_cut_by_the_client_saves_nothing(sandbox: Sandbox, client: AspaceClient) -> None:
    token = client.http.headers[SESSION]
    body = b'{"digital_object_id":"a","title":"A"}'
    with _dial(sandbox) as raw:
        raw.sendall(_head(len(body) + 1, f"{SESSION}: {token}\r\n") + body)
        raw.shutdown(socket.SHUT_WR)
        raw.recv(100)
    assert _saved(sandbox) == 0


def test_faults_over_http(sandbox: Sandbox, client: AspaceClient) -> None:
    fault = {"action": "status", "method": "GET", "path": "version", "status": 503}
    assert client.post("/__sandbox/faults", fault).status_code == 200
    assert client.get("/__sandbox/faults").json()[0]["status"] == 503
    assert client.get("/version").status_code == 503
    assert client.get("/__sandbox/faults").json() == []
    assert client.get("/__sandbox/requests").json()[-1] == {"method": "GET", "path": "/version"}
    client.create("digital_objects", digital_object(1))
    kinds = {item["jsonmodel_type"] for item in client.get("/__sandbox/state").json()}
    assert {"repository", "digital_object", "agent_software"} <= kinds
    assert client.http.delete("/__sandbox/faults").status_code == 200
    assert client.get("/__sandbox/requests").json() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "explode"},
        {"path": "x"},
        {"action": "delay", "path": "("},
        {"action": "delay", "nth": 0},
        {"action": "delay", "seconds": -1},
        {"action": "delay", "colour": 1},
        {"action": "expire_sessions", "committed": True},
        ["delay"],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(client: AspaceClient, fault: Any) -> None:
    assert client.post("/__sandbox/faults", fault).status_code == 400


def test_control_is_refused_unless_asked_for() -> None:
    with Sandbox() as closed, httpx.Client(base_url=closed.url) as http:
        for path in ("faults", "state", "requests"):
            assert http.get(f"/__sandbox/{path}").status_code == 403
        assert http.post("/__sandbox/faults", json={"action": "reset"}).status_code == 403
        assert closed.faults.waiting() == []


def _dial(sandbox: Sandbox) -> socket.socket:
    parts = urlsplit(sandbox.url)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10)


def _head(length: int, more: str = "") -> bytes:
    lines = f"POST {DOCUMENTS} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n"
    return lines.encode()


def _until_up(sandbox: Sandbox) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            _dial(sandbox).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return
