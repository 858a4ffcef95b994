"""Replays the recorded exchanges against a sandbox, and says where it answers otherwise.

Ignored, because they differ between two runs of one server: tokens, times, versions of
users, generated identifiers, the database's own words, the frames of a stack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

from hotfolder.sandbox import Sandbox

Json = dict[str, Any]

SESSION = "X-ArchivesSpace-Session"
# Titles after which the recorder named the session that a login had opened.
_NAMES = {
    "Login, good password, expiring=false": "ADMIN",
    "A second login, to be expired": "OLD",
    "Third login, to be logged out": "BYE",
    "Log in as that user": "READER",
    "Log in": "SERVICE",
}
_TIMES = frozenset({"create_time", "system_mtime", "user_mtime"})
_CLOCK = frozenset({"sequence", "timestamp"})
_FRAME = re.compile(r":? ?[^\s:]+:\d+:in `[^']*'")
_HEX = re.compile(r"[0-9a-f]{32,64}\Z")
_TOKEN = re.compile(r"[0-9a-f]{64}|\$[A-Z]+")
_DATABASE = re.compile(r"(Java::[A-Za-z:]+Exception|Java::[A-Za-z:]+Truncation).*", re.DOTALL)


class Replay:
    """One pass over the exchanges, in order, over a real socket."""

    def __init__(self, sandbox: Sandbox, client: httpx.Client) -> None:
        self._sandbox = sandbox
        self._client = client
        self._sessions: dict[str, str] = {}

    def run(self, exchanges: list[Json]) -> Iterator[tuple[int, str]]:
        """Yield the number of each exchange that differs, and how."""
        for number, exchange in enumerate(exchanges):
            if exchange["request"]["session"] == "OLD" and "OLD" in self._sessions:
                self._age(exchange)
            answered = self._send(exchange["request"])
            if exchange["title"] in _NAMES and answered.status_code == 200:
                self._sessions[_NAMES[exchange["title"]]] = answered.json()["session"]
            difference = compare(exchange["response"], answered)
            if difference:
                yield number, difference

    def _age(self, exchange: Json) -> None:
        # The recorder aged this one session by an hour in the server's database.
        if exchange["response"]["body"]["code"] == "SESSION_EXPIRED":
            self._sandbox.expire_sessions(only=self._sessions["OLD"])

    def _send(self, request: Json) -> httpx.Response:
        headers = dict(line.split(": ", 1) for line in request["headers"])
        if request["session"] is not None:
            headers[SESSION] = self._sessions.get(request["session"], request["session"])
        content: bytes | None = None
        if request["json"] is not None:
            content = json.dumps(request["json"]).encode()
        elif request["raw"] is not None:
            content = request["raw"].encode()
        elif request["form"]:
            content = "&".join(request["form"]).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._client.request(
            request["method"], request["path"], content=content, headers=headers
        )


def compare(recorded: Json, answered: httpx.Response) -> str:
    """How an answer differs from the recorded one; empty if it does not."""
    if answered.status_code != recorded["status"]:
        return f"status {answered.status_code}, recorded {recorded['status']}: {answered.text}"
    kind = answered.headers["Content-Type"]
    if kind != recorded["headers"]["Content-Type"]:
        return f"type {kind}, recorded {recorded['headers']['Content-Type']}"
    try:
        body = answered.json()
    except json.JSONDecodeError:
        body = answered.text
    return "; ".join(differences("", normalise(recorded["body"]), normalise(body)))


def normalise(value: Any, name: str = "") -> Any:
    """A body without what differs between two runs of one server."""
    if isinstance(value, dict):
        is_user = value.get("jsonmodel_type") == "user" or "is_system_user" in value
        return {
            key: normalise(inner, key)
            for key, inner in value.items()
            if not (is_user and key == "lock_version")
        }
    if isinstance(value, list):
        return [normalise(inner, name) for inner in value]
    if name in _TIMES or (name in _CLOCK and isinstance(value, int)):
        return "TIME"
    if isinstance(value, str):
        return _normalise_text(value, name)
    return value


def _normalise_text(text: str, name: str) -> str:
    if name in {"ref_id", "identifier", "session", "persistent_id"} and _HEX.match(text):
        return "GENERATED"
    if name == "db_error":
        return _DATABASE.sub("DATABASE", text)
    if name == "error":
        text = _TOKEN.sub("TOKEN", text)
        head, frame, _ = _parted(text)
        return f"{head} STACK" if frame else head
    return text


def _parted(text: str) -> tuple[str, str, str]:
    found = _FRAME.search(text)
    if found is None:
        return text, "", ""
    return text[: found.start()], found[0], text[found.end() :]


def differences(path: str, wanted: Any, got: Any) -> Iterator[str]:
    """Where two bodies differ."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(wanted.keys() | got.keys()):
            if key not in got:
                yield f"{path}/{key} absent, recorded {wanted[key]!r}"
            elif key not in wanted:
                yield f"{path}/{key} is {got[key]!r}, recorded none"
            else:
                yield from differences(f"{path}/{key}", wanted[key], got[key])
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for number, (left, right) in enumerate(zip(wanted, got, strict=True)):
            yield from differences(f"{path}/{number}", left, right)
    elif type(wanted) is not type(got) or wanted != got:
        yield f"{path} is {got!r}, recorded {wanted!r}"
