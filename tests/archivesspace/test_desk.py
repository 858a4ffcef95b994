"""``ArchivesSpaceDesk`` against the sandbox, over a real socket: the conformance suite,
then every fault at every request, judged by what the server has in the end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core.errors import HotfolderError, OperatorFault, Transient
from hotfolder.core.ports import Archive, Desk
from hotfolder.core.profiles import BusinessUnit
from hotfolder.sandbox import Action, Fault, Sandbox
from hotfolder.sandbox.answers import Answer
from hotfolder.sandbox.backend import Request
from tests.archivesspace.test_delivery import PASSWORD, Connect, administrator, call, clients
from tests.conformance.desk_suite import DeskSuite, Delivered, make_event
from tests.support.archivist import Archivist, SandboxArchivist
from tests.support.units import BUSINESS_UNIT, RULES
from tests.sweeps.network import DELAY, FAULTS, READ_TIMEOUT

PATHS = re.compile(
    r"/users/[a-z]+(/login)?|/users/current-user|/repositories|/agents/software(/\d+)?"
    r"|/config/enumerations/names/\w+|/repositories/2/(batch_imports|find_by_id/\w+)"
    r"|/repositories/2/(digital_objects|archival_objects|resources|events)(/\d+)?"
)


class SandboxWorld:
    """A sandbox whose clock stands still until it is told otherwise."""

    def __init__(self, sandbox: Sandbox, connect: Connect, archivist: Archivist) -> None:
        self.sandbox = sandbox
        self.connect_archive = connect
        self.archivist = archivist
        self.time = [1_790_000_000.0]
        sandbox._state.clock = lambda: self.time[0]

    def connect(self) -> Desk:
        return self.connect_archive().desk

    def deliver(self) -> Archive:
        return self.connect_archive()

    def now(self) -> int:
        return int(self.time[0])

    def advance(self, seconds: int) -> None:
        self.time[0] += seconds

    def meanwhile(self, action: Callable[[], None]) -> None:
        backend = self.sandbox._backend
        handle, left = backend.handle, [action]

        def handle_after(request: Request) -> Answer:
            if left and request.method == "POST" and "/events/" in request.path:
                left.pop()()  # its own requests find nothing left to do
            return handle(request)

        backend.handle = handle_after  # type: ignore[method-assign]


@contextmanager
def working(*, least_privilege: bool = False) -> Iterator[SandboxWorld]:
    with (
        Sandbox() as sandbox,
        clients(sandbox, least_privilege=least_privilege) as connect,
        SandboxArchivist(sandbox) as archivist,
    ):
        yield SandboxWorld(sandbox, connect, archivist)


class TestDesk(DeskSuite):
    @pytest.fixture
    def world(self) -> Iterator[SandboxWorld]:
        with working() as world:
            yield world
            # Whatever was pasted or passed as a uri: no path but those that we make.
            seen = {request.path for request in world.sandbox.faults.seen()}
            assert [path for path in seen if not PATHS.fullmatch(path)] == []
