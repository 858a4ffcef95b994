"""The network below httpx, with a time limit for the whole of a request.

httpx limits each single read and write. A server, or a proxy before it, that sends its
headers byte by byte, or takes an upload that way, would hold an importer for hours.
httpcore (1.0, ``_backends/base.py``) lets a network backend be given, and this one
never waits longer than what is left of the request's time.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from hotfolder.core.ports import Clock

DEADLINE = "deadline"  # the request's extension: by ``Clock.monotonic``
_PART = 16_384  # bytes of an upload between two looks at the time


def trust(url: str, *, verify: bool, ca_file: str) -> ssl.SSLContext | bool:
    """Whose certificates a connection to ``url`` trusts: the issuers in ``ca_file``, or those
    of the machine. Over plain http nobody's: reading the machine's takes longer than a
    request does. Raises ``OSError`` if the file holds no certificates."""
    if not verify:
        return False
    if not ca_file and url.lower().startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(cafile=ca_file or None)


class Wire(httpx.HTTPTransport):
    """httpx's own transport, whose requests end at their deadline with
    ``httpx.ReadTimeout`` or ``httpx.WriteTimeout``; ``httpx.ConnectTimeout`` says that
    nothing was sent."""

    def __init__(self, *, verify: ssl.SSLContext | bool, limits: httpx.Limits, clock: Clock):
        context = httpx.create_ssl_context(verify=verify, trust_env=False)
        super().__init__(verify=context, limits=limits, trust_env=False)
        self._times = _Times(clock)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Backend(self._times),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body of its answer is to be read in the same thread."""
        self._times.deadline = request.extensions[DEADLINE]
        return super().handle_request(request)


class _Times(threading.local):
    """What is left of the request that this thread is at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.deadline = clock.monotonic()

    def left(self, timeout: float | None, late: type[Exception]) -> float:
        left = self.deadline - self._clock.monotonic()
        if left <= 0:
            raise late("the total time is over")
        return left if timeout is None else min(left, timeout)


class _Backend(httpcore.SyncBackend):
    def __init__(self, times: _Times) -> None:
        self._times = times

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._times.left(timeout, httpcore.ConnectTimeout)
        stream = super().connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._times)


class _Stream(httpcore.NetworkStream):
    """A connection that outlives requests: each read asks for the deadline anew."""

    def __init__(self, stream: httpcore.NetworkStream, times: _Times) -> None:
        self._stream = stream
        self._times = times

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._times.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In parts: httpcore waits anew for each part that the other side takes.
        for start in range(0, len(buffer), _PART):
            left = self._times.left(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _PART], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._times.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._times)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
