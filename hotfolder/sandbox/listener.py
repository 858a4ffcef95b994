"""The socket: listens, can stop listening for a while, and can cut connections.

uvicorn speaks HTTP on each connection; listening is done here, because a server that
is down must be down: no connection is accepted and none is left open.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

TRANSPORT = "hotfolder.transport"  # where an app finds the connection, in the scope
_KEEP_ALIVE = 30  # seconds
_BACKLOG = 128
_PORTS = (20_000, 32_000)
_TRIES = 50
_NO_LINGER = struct.pack("ii", 1, 0)


class Protocol(H11Protocol):
    """HTTP on one connection; the app sees the connection too."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = cast("App", self.app)

        async def app(scope: Message, receive: Receive, send: Send) -> None:
            await inner({**scope, TRANSPORT: transport}, receive, send)

        self.app = cast("Any", app)


def reset(transport: asyncio.BaseTransport) -> None:
    """End a connection with RST: what was not yet sent is lost."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    cast("asyncio.Transport", transport).abort()


class Listener:
    """Serves an app on one port from a thread of its own.

    ``start`` after ``stop`` takes the same port. Neither may be called from the app.
    """

    def __init__(self, app: App, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._wanted = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._listening: socket.socket | None = None
        self._accepting: set[asyncio.Task[None]] = set()
        self._reopening: asyncio.TimerHandle | None = None
        self._failures: list[BaseException] = []
        self._state = ServerState()
        self._make: Callable[[], asyncio.Protocol] | None = None

    @property
    def port(self) -> int:
        """The port; 0 before the first start if a free one was asked for."""
        return self._wanted

    def start(self) -> None:
        """Listen. When it returns, connections are accepted. Raises ``OSError``."""
        if self._thread is not None:
            return
        listening = self._bind()
        ready = threading.Event()
        self._failures.clear()
        self._thread = threading.Thread(
            target=self._run, args=(listening, ready), name="sandbox", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self._failures:
            self._thread.join()
            self._thread = None
            raise self._failures[0]

    def stop(self) -> None:
        """Stop listening and reset every connection. Work in hand may still be done."""
        if self._thread is None or self._loop is None or self._ending is None:
            return
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        self._thread = None

    def refuse(self, seconds: float) -> None:
        """Go away for a while: no connection stays, none is accepted. From any thread."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self.refuse_here, seconds)

    def refuse_here(self, seconds: float) -> None:
        """As ``refuse``, from the listener's own thread."""
        assert self._loop is not None
        self._go_away()
        if self._reopening is not None:
            self._reopening.cancel()
        self._reopening = self._loop.call_later(seconds, self._reopen)

    def _go_away(self) -> None:
        if self._loop is not None and self._listening is not None:
            self._loop.remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        for connection in list(self._state.connections):
            if connection.transport is not None:
                reset(connection.transport)

    def _reopen(self) -> None:
        self._reopening = None
        self._listen(self._bind())

    def _bind(self) -> socket.socket:
        # A free port is taken below those that the system gives to clients: during an
        # outage no client may sit on it, nor connect to itself.
        for _ in range(_TRIES if self._wanted == 0 else 0):
            try:
                return self._bind_to(random.SystemRandom().randrange(*_PORTS))
            except OSError:
                continue
        return self._bind_to(self._wanted)

    def _bind_to(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Named as TCP, so that asyncio sends small answers at once (TCP_NODELAY).
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, port))
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            raise
        self._wanted = listening.getsockname()[1]
        return listening

    def _run(self, listening: socket.socket, ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(listening, ready))
        except BaseException as error:  # noqa: BLE001  handed to the thread that started this one
            self._failures.append(error)
        finally:
            ready.set()

    async def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        config = uvicorn.Config(
            cast("Any", self._app),
            interface="asgi3",
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        config.load()
        self._state = ServerState()
        self._state.default_headers = [(b"server", b"hotfolder sandbox")]
        state = self._state
        self._make = lambda: Protocol(config=config, server_state=state, app_state={})
        self._listen(listening)
        ready.set()
        await self._ending.wait()
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None
        self._go_away()
        await asyncio.gather(*self._accepting)
        await asyncio.sleep(0)  # the connections reset are closed in the next turn

    def _listen(self, listening: socket.socket) -> None:
        # By hand, not by asyncio's server: that one loses a connection which it is just
        # accepting while it is closed.
        assert self._loop is not None
        listening.setblocking(False)
        self._listening = listening
        self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        assert self._loop is not None
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._connect(connection))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    async def _connect(self, connection: socket.socket) -> None:
        assert self._loop is not None
        assert self._make is not None
        transport, _ = await self._loop.connect_accepted_socket(self._make, connection)
        if self._listening is None:  # gone away meanwhile
            reset(transport)
