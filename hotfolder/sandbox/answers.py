"""What the server answers, and the refusals that end a request early."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.inspection import inspect_record, inspect_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. ``parts`` are sent one by one, as the server streams an import."""

    parts: tuple[bytes, ...]
    status: int = 200
    content_type: str = "application/json"


def encode(value: Any) -> bytes:
    """JSON as the server writes it: compact, in UTF-8, with a newline."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def answer(value: Any, *, status: int = 200, content_type: str = "application/json") -> Answer:
    """An answer in one part."""
    return Answer(parts=(encode(value),), status=status, content_type=content_type)


def saved(action: str, number: int, uri: str, lock_version: int, *, stale: bool) -> Answer:
    """What a POST that was carried out says."""
    body = {
        "status": action,
        "id": number,
        "lock_version": lock_version,
        "stale": True if stale else None,
        "uri": uri,
        "warnings": [],
    }
    return answer(body)


class Refusal(Exception):
    """A request that was not carried out. ``words`` is how an import quotes it."""

    def __init__(self, status: int, body: Json, words: str = "") -> None:
        super().__init__(words or json.dumps(body.get("error")))
        self.status = status
        self.body = body
        self.words = words or str(self)

    def answer(self) -> Answer:
        """The refusal as the server words it."""
        return answer(self.body, status=self.status)


def denied() -> Refusal:
    """No session, or not permitted: the server does not say which."""
    return Refusal(403, {"error": "Access denied"})


def missing(label: str) -> Refusal:
    """No such record, or none that this user may see."""
    return Refusal(404, {"error": f"{label} not found"})


def bad_parameters(faults: Json) -> Refusal:
    """Path or query parameters that are absent or of the wrong type."""
    return Refusal(400, {"error": faults})


def invalid_record(kind: str, faults: Json, shown: Json) -> Refusal:
    """A record that its schema refuses; ``shown`` is quoted back in Ruby's notation."""
    quoted = f"#<JSONModel(:{kind}) {inspect_record(shown)}>"
    return Refusal(
        400,
        {"error": faults, "warning": {}, "invalid_object": quoted},
        f"#<:ValidationException: {{:errors=>{inspect_value(faults)}}}>",
    )


def refused_by_model(faults: dict[str, list[str]]) -> Refusal:
    """A record that its schema accepts and the model does not (uniqueness, markup)."""
    words = ", ".join(f"{name} {text}" for name, texts in faults.items() for text in texts)
    return Refusal(400, {"error": faults}, words)


def refused_by_database(text: str) -> Refusal:
    """An integrity fault of the database, in its own words."""
    error = {"db_error": [f"Database integrity constraint conflict: {text}"]}
    return Refusal(400, {"error": error}, text)


def unrelated(uri: str) -> Refusal:
    """A link to a record that is not there."""
    return Refusal(400, {"error": f"Can't relate to non-existent record: {uri}"})


def stale_lock() -> Refusal:
    """An update of a record that was changed since it was read."""
    text = "The record you tried to update has been modified since you fetched it."
    return Refusal(409, {"error": text})


def broken(text: str, place: str) -> Refusal:
    """A 500: the message and a frame of the stack, as the server prints them."""
    return Refusal(500, {"error": f"{text}: sandbox:0:in `{place}'"})
