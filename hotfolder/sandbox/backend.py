"""The server without its socket: a request in, an answer out.

Parameters are checked first, then the body, then the permission, as on a real server;
a session that is gone comes before all of them.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hotfolder.sandbox.accounts import Accounts, Caller
from hotfolder.sandbox.answers import (
    Answer,
    Refusal,
    bad_parameters,
    broken,
    denied,
    invalid_record,
)
from hotfolder.sandbox.contract import Contract, Json, load_contract
from hotfolder.sandbox.enumerations import Enumerations
from hotfolder.sandbox.kinds import BY_SEGMENT, KINDS, Kind
from hotfolder.sandbox.listing import Listing, Query
from hotfolder.sandbox.records import Records
from hotfolder.sandbox.rendering import Renderer
from hotfolder.sandbox.repositories import Repositories
from hotfolder.sandbox.state import State
from hotfolder.sandbox.validation import Validator

SHOWN_OF_BODY = 32  # characters of an unreadable body that are quoted back


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, read whole. ``form`` holds the fields of a form body."""

    method: str
    path: str
    query: Query = ()
    form: Query = ()
    body: bytes = b""
    session: str | None = None

    def json(self) -> Json:
        """The body as an object. Raises ``Refusal`` (400, or 500 for no object)."""
        text = self.body.decode("utf-8", "replace")
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            quoted = f"unexpected token at '{text[:SHOWN_OF_BODY]}'"
            reason = f"Had some trouble parsing your request: {quoted}"
            raise Refusal(400, {"error": reason}) from error
        if not isinstance(value, dict):
            raise broken("no implicit conversion of String into Integer", "[]=")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that found its handler: who calls, and the parts of the path."""

    request: Request
    caller: Caller
    parts: dict[str, str]

    def number(self, name: str) -> int:
        """A part of the path as a number. Raises ``Refusal`` (400)."""
        text = self.parts[name]
        if not text.isdecimal():
            raise bad_parameters({name: [f"Wanted type Integer but got '{text}'"]})
        return int(text)

    def kind(self) -> Kind:
        """The kind of record that the path speaks of."""
        return BY_SEGMENT[self.parts["segment"]]

    @property
    def user(self) -> str:
        """The caller's name, for who made what."""
        return self.caller.username or "anonymous"


Handler = Callable[["Backend", Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method and a path, and what answers them. ``writes``: inside one transaction."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    writes: bool


class Backend:
    """The server's records and rules over one state."""

    def __init__(self, state: State, routes: tuple[Route, ...], *, password: str) -> None:
        self.state = state
        self.contract: Contract = load_contract()
        self.enumerations = Enumerations(state, self.contract)
        self.validator = Validator(self.contract.schemas, self.enumerations.values)
        self.records = Records(state, self.validator, self.enumerations)
        self.renderer = Renderer(state)
        self.listing = Listing(state, self.renderer)
        self.accounts = Accounts(state, self.contract)
        self.repositories = Repositories(state, self.records, self.contract)
        self._routes = routes
        if state.value("SELECT count(*) FROM account") == 0:
            self._begin(password)

    def handle(self, request: Request) -> Answer:
        """Answer one request. Never raises for what a client sent."""
        try:
            with self.state.reading():
                caller = self.accounts.caller(request.session)
            route, parts = self._find(request)
            call = Call(request=request, caller=caller, parts=parts)
            if not route.writes:
                with self.state.reading():
                    return route.handler(self, call)
            return route.handler(self, call)
        except Refusal as refusal:
            return refusal.answer()
        except Exception as error:  # noqa: BLE001  a fault of ours: shown, and a 500 as there
            traceback.print_exc()
            return broken(f"{type(error).__name__}: {error}", "handle").answer()

    def check(self, kind: str, posted: Json) -> Json:
        """A record other than ``Records`` keep, cleaned. Raises ``Refusal`` (400)."""
        cleaned, faults = self.validator.clean(kind, posted)
        if faults:
            raise invalid_record(kind, faults, cleaned)
        return cleaned

    def permit(self, call: Call, permission: str, repository: str | None = None) -> None:
        """Raises ``Refusal`` (403) unless the caller holds the permission."""
        if not call.caller.may(permission, repository):
            raise denied()

    def repository(self, call: Call) -> str | None:
        """The repository of the path; None where the kind stands outside any."""
        return self.repositories.uri(call.number("repo_id")) if "repo_id" in call.parts else None

    def create_user(self, username: str, password: str, name: str, by: str) -> int:
        """A user with the agent that stands for them: the user's number. In a transaction.

        Raises ``Refusal`` if the name is taken; the agent's numbers are used up then too.
        """
        agent = {
            "jsonmodel_type": "agent_person",
            "is_user": username,
            "names": [{"jsonmodel_type": "name_person", "primary_name": name}],
        }
        made = self.records.create(KINDS["agent_person"], None, agent, by, unique=False)
        return self.accounts.add_user(username, password, name, made.uri, by)

    def _find(self, request: Request) -> tuple[Route, dict[str, str]]:
        for route in self._routes:
            if route.method == request.method:
                found = route.pattern.fullmatch(request.path)
                if found is not None:
                    return route, found.groupdict()
        raise Refusal(404, {"error": "Sinatra::NotFound"})

    def _begin(self, password: str) -> None:
        with self.state.transaction():
            self.accounts.add_administrator(password)
            for kind, name in (
                ("agent_person", "Administrator"),
                ("agent_software", "ArchivesSpace"),
            ):
                self._first_agent(KINDS[kind], name)

    def _first_agent(self, kind: Kind, name: str) -> None:
        part = "software_name" if kind.name == "agent_software" else "primary_name"
        body = {"names": [{"jsonmodel_type": kind.name.replace("agent", "name"), part: name}]}
        now = self.state.now()
        self.state.execute(
            "INSERT INTO record (uri, kind, number, body, create_time, system_mtime, user_mtime)"
            " VALUES (?, ?, 1, ?, ?, ?, ?)",
            (f"{kind.place(None)}/1", kind.name, json.dumps(body), now, now, now),
        )


def compiled(path: str) -> re.Pattern[str]:
    """A path with ``:names`` as a pattern.

    ``:segment`` is any kind of record in a repository, ``:shared`` any outside of them.
    """

    def part(found: re.Match[str]) -> str:
        name = found[1]
        if name not in {"segment", "shared"}:
            return f"(?P<{name}>[^/]+)"
        wanted = name == "shared"
        kinds = [kind.segment for kind in KINDS.values() if kind.everywhere == wanted]
        return f"(?P<segment>{'|'.join(kinds)})"

    return re.compile(re.sub(r":(\w+)", part, path))


def everything(backend: Backend) -> list[Json]:
    """Every record as the server would show it, in the order of their uris."""
    with backend.state.reading():
        rows: list[Any] = backend.state.rows(
            "SELECT * FROM record WHERE kind NOT IN ('repository', 'group') ORDER BY kind, number"
        )
        return backend.repositories.every() + [backend.renderer.record(row) for row in rows]
