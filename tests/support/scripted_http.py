"""A socket server that does exactly what a test says, also what no HTTP library would.

    with ScriptedServer(answer) as server: ...

``answer(request)`` returns steps that are carried out in order on the connection:
bytes are sent, ``Wait`` lets time pass, ``RESET`` drops it with a TCP reset, ``CLOSE``
closes it. After the steps of a complete answer the connection serves the next request.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

RESET = "reset"
CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Seconds until the next step; ends early when the server stops."""

    seconds: float


Step = bytes | str | Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came over the wire."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def token(self) -> str | None:
        return self.headers.get("x-archivesspace-session")


Answer = Callable[[Request], Sequence[Step]]


def reply(status: int, body: object, *, kind: str = "application/json") -> list[Step]:
    """A whole answer with a Content-Length."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    return [head.encode() + data]


def chunked(*parts: Step, end: bool = True) -> list[Step]:
    """A 200 with a chunked body; without ``end`` it stops before its last chunk."""
    steps: list[Step] = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
    for part in parts:
        if isinstance(part, bytes):
            steps.append(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        else:
            steps.append(part)
    return [*steps, b"0\r\n\r\n"] if end else [*steps, CLOSE]


def logged_in(token: str, permissions: dict[str, list[str]] | None = None) -> list[Step]:
    """The answer to a good login."""
    return reply(200, {"session": token, "user": {"permissions": permissions or {}}})


class ScriptedServer:
    """Listens on loopback, one thread a connection; ``requests`` has what came."""

    def __init__(self, answer: Answer, *, tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def paths(self) -> list[str]:
        """``METHOD path`` of every request so far."""
        with self._lock:
            return [f"{request.method} {request.path}" for request in self.requests]

    def __enter__(self) -> ScriptedServer:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        with self._lock:
            connections = list(self._connections)
        for connection in [self._listener, *connections]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # was never connected, or is closed
                continue
        for thread in list(self._threads):
            thread.join(10)
            assert not thread.is_alive()
        self._listener.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                while not self._stop.is_set():
                    request = _read_request(reader.readline, reader.read)
                    if request is None:
                        return
                    with self._lock:
                        self.requests.append(request)
                    if not self._carry_out(connection, self._answer(request)):
                        return
        except OSError:
            return  # the client went away, which is its right

    def _carry_out(self, connection: socket.socket, steps: Sequence[Step]) -> bool:
        for step in steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, Wait):
                self._stop.wait(step.seconds)
            else:
                if step == RESET:
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
        return True


def _read_request(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> Request | None:
    first = readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    target = urlsplit(first[1])
    return Request(
        method=first[0],
        path=target.path,
        query=parse_qsl(target.query, keep_blank_values=True),
        headers=headers,
        body=read(int(headers.get("content-length", "0"))),
    )
