"""HTTP as it goes wrong: what was sent, what is known, and what must not leak."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from hotfolder.archivesspace import transport as transport_module
from hotfolder.archivesspace.answer import Denied, Unanswered
from hotfolder.archivesspace.transport import Transport
from hotfolder.core.errors import HotfolderError, OperatorFault, Transient
from hotfolder.core.profiles import ArchiveProfile
from tests.support.scripted_http import (
    CLOSE,
    RESET,
    Request,
    ScriptedServer,
    Step,
    Wait,
    chunked,
    logged_in,
    reply,
)

PASSWORD = "pass word&=é"
TOKENS = [f"{digit}" * 64 for digit in "0123456789abcdef"]


class RealClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class _Standing(RealClock):
    """A clock that stands unless it is moved."""

    time = 1000.0

    def monotonic(self) -> float:
        return self.time


class Events:
    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, /, **fields: object) -> None:
        self.seen.append((event, fields))


def steady(answer: Callable[[Request], Sequence[Step]]) -> Callable[[Request], Sequence[Step]]:
    """Logs everyone in with a new token each time; the rest is ``answer``."""
    count = iter(range(len(TOKENS)))
    lock = threading.Lock()

    def respond(request: Request) -> Sequence[Step]:
        if request.path.endswith("/login"):
            with lock:
                return logged_in(TOKENS[next(count)])
        return answer(request)

    return respond


@contextmanager
def connected(
    url: str,
    *,
    connect: float = 2.0,
    read: float = 5.0,
    total: float = 20.0,
    events: Events | None = None,
    ca_file: str = "",
    clock: RealClock | None = None,
) -> Iterator[Transport]:
    transport = Transport(
        ArchiveProfile(
            url=url,
            username="hot folder/svc",
            connect_timeout=connect,
            read_timeout=read,
            total_timeout=total,
            ca_file=ca_file,
        ),
        PASSWORD,
        clock=clock or RealClock(),
        emit=events or Events(),
        version="0.test",
    )
    try:
        yield transport
    finally:
        transport.close()


def fail(
    answer: Callable[[Request], Sequence[Step]], **times: float
) -> tuple[HotfolderError, list[str]]:
    """The error of one POST, and the requests that came."""
    with (
        ScriptedServer(steady(answer)) as server,
        connected(server.url, **times) as transport,  # type: ignore[arg-type]
        pytest.raises(HotfolderError) as caught,
    ):
        transport.post("/repositories/2/batch_imports", b"[]")
    check_no_secret(caught.value)
    return caught.value, server.paths()


def check_no_secret(error: BaseException) -> None:
    """Neither password nor token in the text, the arguments or the chain."""
    text = "".join(traceback.format_exception(error)) + repr(vars(error))
    chain: BaseException | None = error
    while chain is not None:
        text += repr(chain) + str(chain) + repr(chain.args)
        chain = chain.__cause__ or chain.__context__
    assert PASSWORD not in text
    for token in TOKENS:
        assert token not in text


def test_login_sends_the_form_and_later_requests_the_token() -> None:
    with ScriptedServer(steady(lambda _: reply(200, []))) as server:
        with connected(server.url) as transport:
            assert transport.get("/repositories").decode() == []
            transport.post("/repositories/2/batch_imports", b"[1]")
        login, first, second = server.requests
    assert login.path == "/users/hot%20folder%2Fsvc/login"
    assert parse_qs(login.body.decode()) == {"password": [PASSWORD], "expiring": ["false"]}
    assert first.token == second.token == TOKENS[0]
    assert second.headers["content-type"] == "application/json"
    assert second.body == b"[1]"
    assert second.headers["content-length"] == "3"


@pytest.mark.parametrize("code", ["SESSION_GONE", "SESSION_EXPIRED"])
def test_lost_session_is_renewed_and_the_request_repeated(code: str) -> None:
    def answer(request: Request) -> Sequence[Step]:
        if request.token == TOKENS[0]:
            return reply(412, {"code": code, "error": f"No session found for {request.token}"})
        return reply(200, {"status": "Created"})

    events = Events()
    with (
        ScriptedServer(steady(answer)) as server,
        connected(server.url, events=events) as transport,
    ):
        assert transport.post("/repositories/2/events", b"{}").ok
        assert [request.token for request in server.requests] == [None, TOKENS[0], None, TOKENS[1]]
    assert events.seen == [
        ("session.opened", {"renewed": False}),
        ("session.opened", {"renewed": True}),
    ]


def test_session_lost_again_at_once_is_transient_and_nothing_was_done() -> None:
    error, paths = fail(lambda request: reply(412, {"error": f"no {request.token}"}))
    assert isinstance(error, Transient)
    assert not isinstance(error, Unanswered)
    assert len(paths) == 4


def test_denied_twice_is_the_operators_matter() -> None:
    error, paths = fail(lambda _: reply(403, {"error": "Access denied"}))
    assert isinstance(error, Denied)
    assert [path.endswith("/login") for path in paths] == [True, False, True, False]


def test_right_given_since_the_login_is_found_by_logging_in_again() -> None:
    def answer(request: Request) -> Sequence[Step]:
        return reply(403 if request.token == TOKENS[0] else 200, {})

    with ScriptedServer(steady(answer)) as server, connected(server.url) as transport:
        assert transport.get("/repositories").ok


def test_threads_share_one_login() -> None:
    barrier = threading.Barrier(8)
    replies: list[int] = []

    def answer(request: Request) -> Sequence[Step]:
        return reply(412 if request.token == TOKENS[0] else 200, {})

    with ScriptedServer(steady(answer)) as server, connected(server.url) as transport:

        def ask() -> None:
            barrier.wait()
            replies.append(transport.get("/repositories").status)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        logins = [path for path in server.paths() if path.endswith("/login")]
    assert replies == [200] * 8
    assert len(logins) == 2


def test_who_waits_for_a_login_that_nobody_answers_fails_with_it() -> None:
    """Each would else wait anew, one after the other: a silent server would hold up all
    loops for the sum."""
    clock = _Standing()
    failures: list[str] = []

    def answer(_: Request) -> Sequence[Step]:
        clock.time += 120.0
        return [CLOSE]

    with (
        ScriptedServer(answer) as server,
        connected(server.url, total=1000.0, clock=clock) as transport,
    ):
        barrier = threading.Barrier(4)

        def ask() -> None:
            barrier.wait()
            with pytest.raises(Transient) as caught:
                transport.get("/repositories")
            failures.append(caught.value.code)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == ["archive.login"] * 4
        assert len(server.requests) == 1
        clock.time += 11.0
        with pytest.raises(Transient):
            transport.get("/repositories")
        assert len(server.requests) == 2, "after a while it is tried again"


def test_a_login_that_fails_at_once_is_tried_at_once() -> None:
    answers = iter([reply(503, {}), logged_in(TOKENS[0]), reply(200, {})])
    with (
        ScriptedServer(lambda _: next(answers)) as server,
        connected(server.url, clock=_Standing()) as transport,
    ):
        with pytest.raises(Transient):
            transport.get("/repositories")
        assert transport.get("/repositories").status == 200


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (403, OperatorFault, "archive.login"),
        (400, OperatorFault, "archive.login"),
        (404, OperatorFault, "archive.url"),
        (302, OperatorFault, "archive.url"),
        (500, Transient, "archive.login"),
        (503, Transient, "archive.login"),
    ],
)
def test_refused_login(status: int, kind: type[HotfolderError], code: str) -> None:
    with (
        ScriptedServer(lambda _: reply(status, {"error": PASSWORD})) as server,
        connected(server.url) as transport,
        pytest.raises(kind) as caught,
    ):
        transport.post("/repositories/2/batch_imports", b"[]")
    assert caught.value.code == code
    assert not isinstance(caught.value, Unanswered)
    assert len(server.requests) == 1
    check_no_secret(caught.value)


@pytest.mark.parametrize(
    "steps",
    [
        [RESET],
        [CLOSE],
        reply(200, b"<html>maintenance</html>", kind="text/html"),
        reply(200, {"session": "x\r\nEvil: yes", "user": {}}),
        reply(200, {"session": 1, "user": {}}),
        reply(200, []),
    ],
)
def test_login_that_fails_on_the_way_means_that_nothing_was_sent(steps: list[Step]) -> None:
    with (
        ScriptedServer(lambda _: steps) as server,
        connected(server.url) as transport,
        pytest.raises(Transient) as caught,
    ):
        transport.post("/repositories/2/batch_imports", b"[]")
    assert not isinstance(caught.value, Unanswered)


def test_nobody_listening_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with connected(f"http://127.0.0.1:{port}") as transport, pytest.raises(Transient) as caught:
        transport.post("/x", b"")
    assert not isinstance(caught.value, Unanswered)
    assert caught.value.code == "archive.unreachable"
    assert f"127.0.0.1:{port}" in caught.value.message  # a wrong address is seen at once


def test_server_that_goes_away_after_the_login_means_that_nothing_was_sent() -> None:
    def answer(request: Request) -> Sequence[Step]:
        return [*logged_in(TOKENS[0]), CLOSE]

    with ScriptedServer(answer) as server, connected(server.url) as transport:
        transport.permissions()
        server.__exit__(None, None, None)
        with pytest.raises(Transient) as caught:
            transport.post("/x", b"")
    assert not isinstance(caught.value, Unanswered)


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"


@pytest.mark.parametrize(
    "steps",
    [
        [RESET],
        [CLOSE],
        [b"HTTP/1.1 200 OK\r\n", RESET],
        [b"garbage\r\n\r\n", CLOSE],
        [HALF, RESET],
        [HALF, CLOSE],
        chunked(b'[{"saved":', end=False),
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", CLOSE],
        [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab"],
        reply(500, {"error": "secret"}),
        reply(502, b"<html>"),
        reply(504, b""),
        reply(302, b""),
        reply(401, b""),
        reply(408, b""),
    ],
)
def test_failures_after_sending_leave_it_open(steps: list[Step]) -> None:
    error, paths = fail(lambda _: steps)
    assert isinstance(error, Unanswered)
    assert len(paths) == 2  # not repeated


def test_silence_ends_with_the_read_timeout() -> None:
    error, _ = fail(lambda _: [Wait(seconds=30)], read=0.2)
    assert isinstance(error, Unanswered)
    assert "ReadTimeout" in error.message


def test_body_that_dribbles_ends_with_the_total_time() -> None:
    def dribble(_: Request) -> Sequence[Step]:
        parts: list[Step] = []
        for _number in range(400):
            parts += [b" ", Wait(seconds=0.05)]
        return chunked(*parts)

    error, _ = fail(dribble, read=5.0, total=0.4)
    assert isinstance(error, Unanswered)
    assert "total time" in error.message


def test_headers_that_dribble_end_with_the_total_time() -> None:
    def dribble(_: Request) -> Sequence[Step]:
        parts: list[Step] = [b"HTTP/1.1 200 OK\r\nX-Slow: "]
        for _number in range(400):
            parts += [b"x", Wait(seconds=0.05)]
        return parts

    error, paths = fail(dribble, read=5.0, total=0.4)
    assert isinstance(error, Unanswered)
    assert len(paths) == 2


def test_an_upload_that_nobody_reads_ends_with_the_total_time() -> None:
    over = threading.Event()

    def log_in_only(connection: socket.socket) -> None:
        """Answer the login, then take a little of the next request every now and then."""
        with connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            while b"password" not in connection.recv(65536):
                pass
            body = json.dumps({"session": TOKENS[0], "user": {"permissions": {}}}).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            while connection.recv(2048) and not over.wait(0.05):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def accept() -> None:
            connection, _ = listener.accept()
            log_in_only(connection)

        server = threading.Thread(target=accept)
        server.start()
        with (
            connected(f"http://127.0.0.1:{port}", read=5.0, total=0.4) as transport,
            pytest.raises(Unanswered) as caught,
        ):
            transport.post("/repositories/2/batch_imports", b"x" * 64_000_000)
        over.set()
        server.join()
    assert "total time" in caught.value.message
    check_no_secret(caught.value)


def test_endless_body_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "MAX_ANSWER", 100_000)
    error, _ = fail(lambda _: chunked(*[b"x" * 10_000] * 50))
    assert isinstance(error, Unanswered)
    assert "too long" in error.message


@pytest.mark.parametrize("status", [200, 400, 404, 409, 413])
def test_answers_that_can_be_trusted_are_handed_on(status: int) -> None:
    with (
        ScriptedServer(steady(lambda _: reply(status, {"error": "x"}))) as server,
        connected(server.url) as transport,
    ):
        answer = transport.post("/x", b"{}")
    assert answer.status == status
    assert answer.ok is (status == 200)
    assert "error" not in repr(answer)


def test_too_many_requests_is_transient() -> None:
    error, _ = fail(lambda _: reply(429, b""))
    assert isinstance(error, Transient)
    assert not isinstance(error, Unanswered)


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with (
        ScriptedServer(steady(lambda _: reply(200, []))) as server,
        connected(server.url) as transport,
    ):
        assert transport.get("/repositories").ok


def test_permissions_come_from_the_login_and_are_asked_for_again() -> None:
    def answer(request: Request) -> Sequence[Step]:
        if request.path.endswith("/login"):
            return logged_in(TOKENS[0], {"/repositories/2": ["view_repository"]})
        return reply(200, {"permissions": {"/repositories/2": ["import_records"]}})

    with ScriptedServer(answer) as server, connected(server.url) as transport:
        assert transport.permissions() == {"/repositories/2": {"view_repository"}}
        assert transport.permissions(fresh=True) == {"/repositories/2": {"import_records"}}
        assert transport.permissions() == {"/repositories/2": {"import_records"}}
        assert [request.method for request in server.requests] == ["POST", "GET"]


@pytest.mark.parametrize("url", ["not a url", "http://[::1", "http://host:port"])
def test_address_that_is_none(url: str) -> None:
    with pytest.raises(OperatorFault), connected(url) as transport:
        transport.get("/")


def test_certificate_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "absent.pem"):
        with (
            pytest.raises(OperatorFault) as caught,
            connected("https://localhost", ca_file=str(tmp_path / name)),
        ):
            pass
        assert caught.value.code == "archive.certificate"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_certificate_that_nobody_vouches_for_is_the_operators_matter(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext"
        f" subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ScriptedServer(steady(lambda _: reply(200, [])), tls=context) as server:
        with connected(server.url) as transport, pytest.raises(OperatorFault) as caught:
            transport.get("/repositories")
        assert caught.value.code == "archive.certificate"
        with connected(server.url, ca_file=str(certificate)) as transport:
            assert transport.get("/repositories").ok
