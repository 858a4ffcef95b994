"""One request's connection: what was asked, and the ways to answer, or not to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope, Send

from hotfolder.sandbox.answers import Answer
from hotfolder.sandbox.backend import Request
from hotfolder.sandbox.listener import TRANSPORT, reset

SESSION_HEADER = "X-ArchivesSpace-Session"
_FORM = "application/x-www-form-urlencoded"
_PAUSE = 0.05  # seconds for a cut answer to reach the client before the reset
_HEADERS = (
    (b"cache-control", b"private, must-revalidate, max-age=0"),
    (b"x-content-type-options", b"nosniff"),
)


@dataclass(frozen=True, slots=True)
class Connection:
    """The three parts that ASGI gives."""

    scope: Scope
    receive: Receive
    send: Send

    async def read(self) -> Request:
        """The whole request. Raises starlette's ``ClientDisconnect`` if it was cut."""
        http = HttpRequest(self.scope, self.receive)
        body = await http.body()
        form: list[tuple[str, str]] = []
        if http.headers.get("content-type", "").startswith(_FORM):
            form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return Request(
            method=http.method,
            path=self.scope["path"],
            query=http.query_params.multi_items(),
            form=form,
            body=body,
            session=http.headers.get(SESSION_HEADER),
        )

    async def answer(self, done: Answer) -> None:
        """Send an answer whole. A client that has left is no fault."""
        await self._start(done)
        for part in done.parts:
            await self.send({"type": "http.response.body", "body": part, "more_body": True})
        await self.send({"type": "http.response.body", "body": b""})

    async def cut(self, done: Answer) -> None:
        """Send everything but the second half of the last part, then reset."""
        await self._start(done)
        *whole, last = done.parts
        for part in (*whole, last[: len(last) // 2]):
            await self.send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(_PAUSE)
        await self.drop(rudely=True)

    async def drop(self, *, rudely: bool) -> None:
        """End the connection without (more of) an answer: by RST, or in order."""
        transport = self.scope[TRANSPORT]
        if rudely:
            reset(transport)
        else:
            transport.close()
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _start(self, done: Answer) -> None:
        headers: list[tuple[bytes, bytes]] = [
            (b"content-type", done.content_type.encode()),
            *_HEADERS,
        ]
        if len(done.parts) == 1:  # what comes in parts goes without a length, in chunks
            headers.append((b"content-length", str(len(done.parts[0])).encode()))
        start: dict[str, Any] = {"type": "http.response.start", "status": done.status}
        await self.send({**start, "headers": headers})
