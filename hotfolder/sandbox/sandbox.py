"""The sandbox as a whole: from Python in a thread, or as a process of its own."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from hotfolder.sandbox.app import App
from hotfolder.sandbox.backend import Backend, everything
from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.control import Control
from hotfolder.sandbox.costs import Costs
from hotfolder.sandbox.faults import Faults
from hotfolder.sandbox.listener import Listener
from hotfolder.sandbox.routes import ROUTES
from hotfolder.sandbox.state import Clock, State

NOTICE = "An ArchivesSpace stand-in for trying out and for tests. Not an archive."
SERVICE = (
    "view_repository",
    "update_digital_object_record",
    "update_event_record",
    "update_resource_record",
)
_WORKERS = 16  # threads: more than any client of ours has connections


class Sandbox:
    """A server on a real socket, in a thread. Use it as a context manager.

    ``stop`` and ``start`` make an outage: the port and the state stay. ``close`` ends
    it; a state in memory is then gone. ``port`` 0 takes a free one.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        state_path: str | None = None,
        admin_password: str = "admin",  # noqa: S107  a sandbox is open to whoever reads this
        control: bool = False,
        costs: Costs | None = None,
        clock: Clock = time.time,
    ) -> None:
        self.faults = Faults()
        self._state = State(state_path, clock)
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="sandbox")
        self._backend = Backend(self._state, ROUTES, password=admin_password)
        self._app = App(
            self._backend,
            self.faults,
            costs or Costs(),
            self._pool,
            Control(self._backend, self.faults, allowed=control),
        )
        self._host = host
        self._listener = Listener(self._app, host, port)
        self._app.listener = self._listener

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where it listens. The port is known after the first start."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._listener.port}"

    @property
    def port(self) -> int:
        """The port, the same after ``stop`` and ``start``."""
        return self._listener.port

    def start(self) -> None:
        """Listen; connections are accepted when it returns. Raises ``OSError``."""
        self._app.begin()
        self._listener.start()

    def stop(self) -> None:
        """Go down: connections are reset, later ones refused."""
        self._listener.stop()

    def refuse(self, seconds: float) -> None:
        """Go down for a while and come back without being asked."""
        self._listener.refuse(seconds)

    def close(self) -> None:
        """End it for good. Requests already read are finished first."""
        self.stop()
        self._pool.shutdown()
        self._state.close()

    def records(self, kind: str | None = None) -> list[Json]:
        """What is in the archive, as it would show it; of one ``jsonmodel_type`` or all."""
        found = everything(self._backend)
        return [item for item in found if kind in {None, item["jsonmodel_type"]}]

    def expire_sessions(self, only: str | None = None) -> None:
        """Every session, or one token, has rested too long: 412 SESSION_EXPIRED at its use."""
        self._backend.accounts.expire_sessions(only)

    def forget_sessions(self) -> None:
        """No session is known any more: the next use answers SESSION_GONE."""
        self._backend.accounts.forget_sessions()

    def snapshot(self, path: str) -> None:
        """Back the whole state up to a file."""
        self._state.snapshot(path)

    def restore(self, path: str) -> None:
        """Go back to a backup, as a server restored from yesterday."""
        self._state.restore(path)

    def add_repository(self, code: str, name: str) -> str:
        """Make an unpublished repository and return its uri."""
        posted = self._backend.check("repository", {"repo_code": code, "name": name})
        with self._state.transaction():
            return self._backend.repositories.create(posted, "admin")[1]

    def add_service_account(
        self,
        username: str,
        password: str,
        repositories: Iterable[str],
        permissions: Iterable[str] = SERVICE,
    ) -> None:
        """A user who holds some permissions in some repositories (uris), by a group in each."""
        group: dict[str, Any] = {
            "group_code": f"{username}-service",
            "description": f"{username} service",
            "member_usernames": [username],
            "grants_permissions": list(permissions),
        }
        with self._state.transaction():
            self._backend.create_user(username, password, username, "admin")
            for repository in repositories:
                self._backend.repositories.add_group(repository, group, "admin")


def run(
    host: str = "127.0.0.1",
    port: int = 8089,
    state_path: str | None = None,
    *,
    admin_password: str = "admin",  # noqa: S107  a sandbox is open to whoever reads this
    control: bool = False,
    costs: Costs | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. Prints one line when it is ready. Raises ``OSError``."""
    over: SimpleQueue[None] = SimpleQueue()  # no Event: a handler may interrupt its wait
    before = {
        number: signal.signal(number, lambda *_: over.put(None))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with Sandbox(
            host=host,
            port=port,
            state_path=state_path,
            admin_password=admin_password,
            control=control,
            costs=costs,
        ) as sandbox:
            kept = state_path or "memory"
            sys.stdout.write(f"{NOTICE} {sandbox.url} (state: {kept})\n")
            sys.stdout.flush()
            over.get()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
