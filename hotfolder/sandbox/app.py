"""HTTP around the backend: lets faults strike, takes its time, answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from hotfolder.sandbox.answers import Answer, answer
from hotfolder.sandbox.backend import Backend, Request
from hotfolder.sandbox.batch import count_documents
from hotfolder.sandbox.connection import Connection
from hotfolder.sandbox.control import PREFIX, Control
from hotfolder.sandbox.costs import Costs
from hotfolder.sandbox.faults import Action, Fault, Faults
from hotfolder.sandbox.listener import Listener

_UNREAD = frozenset({Action.REFUSE, Action.RESET})  # strike before the body is read
_ENDING = _UNREAD | {Action.CLOSE}
_BEGUN = Answer(parts=(b'[\n{"status":[', b""), content_type="text/plain")
_WORDS = {409: "The record you tried to update has been modified since you fetched it."}


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
        """Before a listener starts: what belonged to the loop before is dropped."""
        self._workers = asyncio.Semaphore(self._costs.at_once) if self._costs.at_once else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        connection = Connection(scope, receive, send)
        try:
            if scope["path"].startswith(PREFIX):
                await self._steer(connection)
            else:
                struck = self._faults.strike(scope["method"], scope["path"])
                await self._exchange(connection, struck)
        except ClientDisconnect:  # cut inside the request: a real server saves nothing either
            return

    async def _steer(self, connection: Connection) -> None:
        request = await connection.read()
        loop = asyncio.get_running_loop()
        told = await loop.run_in_executor(
            self._pool, self._control.handle, request.method, request.path, request.body
        )
        await connection.answer(told)

    async def _exchange(self, connection: Connection, struck: list[Fault]) -> None:
        early = [fault for fault in struck if not fault.committed]
        late = [fault for fault in struck if fault.committed]
        if await self._end(connection, early, _UNREAD):
            return
        request = await connection.read()
        if await self._end(connection, early, _ENDING):
            return
        done = await self._before(early)
        if done is None and _cuts(early):
            await connection.cut(_BEGUN)
            return
        if done is None:
            done = await self._work(request)
        done = await _after(late, done)
        if await self._end(connection, late, _ENDING):
            return
        if _cuts(late):
            await connection.cut(done)
        else:
            await connection.answer(done)

    async def _end(
        self, connection: Connection, faults: Iterable[Fault], actions: frozenset[Action]
    ) -> bool:
        for fault in faults:
            if fault.action in actions:
                if fault.action is Action.REFUSE and self.listener is not None:
                    self.listener.refuse_here(fault.seconds)
                await connection.drop(rudely=fault.action is not Action.CLOSE)
                return True
        return False

    async def _before(self, faults: Iterable[Fault]) -> Answer | None:
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


async def _after(faults: Iterable[Fault], done: Answer) -> Answer:
    for fault in faults:
        if fault.action is Action.DELAY:
            await asyncio.sleep(fault.seconds)
        elif fault.action is Action.STATUS:
            done = _other(fault)
    return done


def _cuts(faults: Iterable[Fault]) -> bool:
    return any(fault.action is Action.CUT for fault in faults)


def _other(fault: Fault) -> Answer:
    text = _WORDS.get(fault.status, "The sandbox was told to answer so")
    return answer({"error": text}, status=fault.status)
