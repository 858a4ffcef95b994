"""HTTP around the backend: reads requests whole, lets faults strike, takes its time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.types import Receive, Scope, Send

from hotfolder.sandbox.answers import Answer, answer
from hotfolder.sandbox.backend import Backend, Request
from hotfolder.sandbox.batch import count_documents
from hotfolder.sandbox.control import PREFIX, Control
from hotfolder.sandbox.costs import Costs
from hotfolder.sandbox.faults import Action, Fault, Faults
from hotfolder.sandbox.listener import TRANSPORT, Listener, reset

SESSION_HEADER = "X-ArchivesSpace-Session"
_FORM = "application/x-www-form-urlencoded"
_ENDING = frozenset({Action.REFUSE, Action.CLOSE, Action.RESET})
_PAUSE = 0.05  # seconds for a cut answer to reach the client before the reset
_HEADERS = (
    (b"cache-control", b"private, must-revalidate, max-age=0"),
    (b"x-content-type-options", b"nosniff"),
)
_STATUS_TEXT = {
    409: "The record you tried to update has been modified since you fetched it.",
    412: "No session found",
}


class App:
    """The ASGI application. What a client sent whole is carried out even if it leaves."""

    def __init__(
        self,
        backend: Backend,
        faults: Faults,
        costs: Costs,
        pool: ThreadPoolExecutor,
        control: Control,
    ) -> None:
        self._backend = backend
        self._faults = faults
        self._costs = costs
        self._pool = pool
        self._control = control
        self._workers: asyncio.Semaphore | None = None
        self.listener: Listener | None = None

    def begin(self) -> None:
        """Before a listener's loop starts: what belonged to the loop before is dropped."""
        self._workers = asyncio.Semaphore(self._costs.at_once) if self._costs.at_once else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        path = scope["path"]
        if path.startswith(PREFIX):
            await self._steer(scope, receive, send)
            return
        struck = self._faults.strike(scope["method"], path)
        early = [fault for fault in struck if not fault.committed]
        if await self._end(early, scope, receive):
            return
        try:
            request = await _read(scope, receive)
        except ClientDisconnect:
            return
        done = await self._before(early)
        if done is None:
            if any(fault.action is Action.CUT for fault in early):
                await _cut(scope, receive, send, answer([]))
                return
            done = await self._work(request)
        late = [fault for fault in struck if fault.committed]
        for fault in late:
            if fault.action is Action.DELAY:
                await asyncio.sleep(fault.seconds)
            elif fault.action is Action.STATUS:
                done = _other(fault)
        if await self._end(late, scope, receive):
            return
        if any(fault.action is Action.CUT for fault in late):
            await _cut(scope, receive, send, done)
        else:
            await _send(send, done)

    async def _steer(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        body = await http.body()
        loop = asyncio.get_running_loop()
        told = await loop.run_in_executor(
            self._pool, self._control.handle, http.method, http.url.path, body
        )
        await _send(send, told)

    async def _end(self, faults: list[Fault], scope: Scope, receive: Receive) -> bool:
        for fault in faults:
            if fault.action not in _ENDING:
                continue
            if fault.action is Action.REFUSE and self.listener is not None:
                self.listener.refuse_here(fault.seconds)
            await _drop(scope, receive, rudely=fault.action is not Action.CLOSE)
            return True
        return False

    async def _before(self, faults: list[Fault]) -> Answer | None:
        for fault in faults:
            match fault.action:
                case Action.DELAY:
                    await asyncio.sleep(fault.seconds)
                case Action.STATUS:
                    return _other(fault)
                case Action.EXPIRE:
                    self._backend.accounts.expire_sessions()
                case Action.FORGET:
                    self._backend.accounts.forget_sessions()
                case _:
                    pass
        return None

    async def _work(self, request: Request) -> Answer:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        documents = count_documents(request.body) if self._costs.document else 0
        cost = self._costs.of(request.method, request.path, documents)
        async with self._worker():
            if cost:
                await asyncio.sleep(cost)
            done = await loop.run_in_executor(self._pool, self._backend.handle, request)
        rest = self._costs.rest(request.path, loop.time() - begun)
        if rest:
            await asyncio.sleep(rest)
        return done

    def _worker(self) -> AbstractAsyncContextManager[Any]:
        return self._workers if self._workers is not None else nullcontext()


async def _read(scope: Scope, receive: Receive) -> Request:
    http = HttpRequest(scope, receive)
    body = await http.body()
    form: list[tuple[str, str]] = []
    if http.headers.get("content-type", "").startswith(_FORM):
        form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return Request(
        method=http.method,
        path=scope["path"],
        query=http.query_params.multi_items(),
        form=form,
        body=body,
        session=http.headers.get(SESSION_HEADER),
    )


def _other(fault: Fault) -> Answer:
    text = _STATUS_TEXT.get(fault.status, "The sandbox was told to answer so")
    body = {"error": text}
    if fault.status == 412:
        body["code"] = "SESSION_GONE"
    return answer(body, status=fault.status)


def _start(done: Answer) -> dict[str, Any]:
    headers = [(b"content-type", done.content_type.encode()), *_HEADERS]
    if len(done.parts) == 1:  # what comes in parts goes without a length, in chunks
        headers.append((b"content-length", str(len(done.parts[0])).encode()))
    return {"type": "http.response.start", "status": done.status, "headers": headers}


async def _send(send: Send, done: Answer) -> None:
    await send(_start(done))
    for part in done.parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _cut(scope: Scope, receive: Receive, send: Send, done: Answer) -> None:
    """Everything but the second half of the last part, then a reset."""
    await send(_start(done))
    *whole, last = done.parts
    for part in (*whole, last[: len(last) // 2]):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await asyncio.sleep(_PAUSE)
    await _drop(scope, receive, rudely=True)


async def _drop(scope: Scope, receive: Receive, *, rudely: bool) -> None:
    transport = scope[TRANSPORT]
    if rudely:
        reset(transport)
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
