"""``batch_imports``: many records in one transaction, told as a stream of progress.

Once it has begun the status is always 200; the last element of the stream says what
was saved, or why nothing was. As on a real server, a body that ends between two
records is taken for a whole one, and the second of two records with one temporary uri
is dropped without a word. Records that need each other in a circle are refused here;
a real server cuts such circles.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hotfolder.sandbox.answers import Answer, Refusal, encode
from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.kinds import KINDS
from hotfolder.sandbox.records import Records
from hotfolder.sandbox.state import State

_READING = "Reading JSON records"
_VALIDATING = "Validating records and checking links"
_BEFORE_SAVING = ("Evaluating record relationships", "Looking for cyclic relationships")
_JACKSON = (
    "Java::ComFasterxmlJacksonCoreIo::JsonEOFException: Unexpected end-of-input within/between"
    " Object entries\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION`"
    " disabled); line: {line}, column: {column}]"
)
_DECODER = json.JSONDecoder()


class ImportFault(Exception):
    """Why an import saved nothing, in the server's words."""


class _Progress:
    """The steps of an import as the stream tells them."""

    def __init__(self) -> None:
        self.steps: list[Json] = []
        self._count = 0

    def start(self, label: str) -> None:
        self._count += 1
        self._tell(label, "started")

    def done(self, label: str) -> None:
        self._tell(label, "done")

    def _tell(self, label: str, what: str) -> None:
        self.steps.append({"id": self._count, "label": label, "type": what})


def run_import(state: State, records: Records, repository: str, text: bytes, user: str) -> Answer:
    """Import the records of ``text``. Whatever happens, the answer is a 200."""
    progress = _Progress()
    last: Json
    try:
        with state.transaction():
            saved = _import(records, repository, text, user, progress)
        last = {"saved": saved}
    except ImportFault as fault:
        last = {"saved": [], "errors": [f"Server error: {fault}"]}
    first = encode({"status": progress.steps})
    return Answer(
        parts=(b"[\n" + first.rstrip(b"\n"), b",\n" + encode(last) + b"]"),
        content_type="text/plain",
    )


def count_documents(text: bytes) -> int:
    """How many digital objects a body speaks of, without parsing it: for costs."""
    return text.count(b'"digital_object_id"')


def _import(
    records: Records, repository: str, text: bytes, user: str, progress: _Progress
) -> dict[str, list[Any]]:
    progress.start(_READING)
    progress.done(_READING)
    progress.start(_VALIDATING)
    waiting: dict[str, Json] = {}
    for record in read_records(text):
        kind = KINDS.get(str(record.get("jsonmodel_type")))
        if kind is None:
            raise ImportFault(f"Record type not recognised: {record.get('jsonmodel_type')}")
        if not isinstance(record.get("uri"), str):
            raise ImportFault("No uri in the record")
        try:
            checked = records.check(kind, record, importing=True)
        except Refusal as refusal:
            raise ImportFault(refusal.words) from refusal
        waiting.setdefault(record["uri"], {**checked, "jsonmodel_type": kind.name})
    progress.done(_VALIDATING)
    for label in _BEFORE_SAVING:
        progress.start(label)
        progress.done(label)
    saved: dict[str, list[Any]] = {}
    try:
        _save(records, repository, waiting, user, progress, saved)
    finally:
        progress.start("Cleaning up")
        progress.done("Cleaning up")
    return saved


def _save(
    records: Records,
    repository: str,
    waiting: dict[str, Json],
    user: str,
    progress: _Progress,
    saved: dict[str, list[Any]],
) -> None:
    needs = {
        uri: {text for text in _texts(record) if text in waiting and text != uri}
        for uri, record in waiting.items()
    }
    rounds = 0
    while rounds == 0 or needs:
        rounds += 1
        progress.start(label := f"Saving records: cycle {rounds}")
        before = len(saved)
        for uri in list(needs):
            if needs[uri] <= saved.keys():
                del needs[uri]
                kept = _create(records, repository, waiting[uri], user, saved)
                saved[uri] = kept
        if needs and len(saved) == before:
            raise ImportFault("Records that need each other in a circle")
        progress.done(label)


def _create(
    records: Records, repository: str, record: Json, user: str, saved: dict[str, list[Any]]
) -> list[Any]:
    kind = KINDS[record["jsonmodel_type"]]
    real: Json = _rewrite(record, saved)
    real.pop("position", None)
    try:
        kept = records.create(kind, None if kind.everywhere else repository, real, user)
    except Refusal as refusal:
        name = record.get("title") or kind.name
        text = refusal.body["error"] if isinstance(refusal.body["error"], str) else refusal.words
        raise ImportFault(f"Problem creating '{name}': {text}") from refusal
    return [kept.uri, kept.number]


def read_records(text: bytes) -> Iterator[Json]:
    """The records of an import's body, up to the end of what can be read.

    Raises ``ImportFault`` where the body ends, or breaks, inside a record.
    """
    try:
        body = text.decode()
    except UnicodeDecodeError as error:
        raise ImportFault("Java::JavaIo::CharConversionException: Invalid UTF-8") from error
    position = _skip(body, 1)
    if not body.startswith("["):
        raise ImportFault("The body is not an array of records")
    while position < len(body) and body[position] != "]":
        try:
            record, position = _DECODER.raw_decode(body, position)
        except json.JSONDecodeError as error:
            line = body.count("\n") + 1
            column = len(body) - (body.rfind("\n") + 1)
            raise ImportFault(_JACKSON.format(line=line, column=column)) from error
        if not isinstance(record, dict):
            raise ImportFault("A record is not an object")
        yield record
        position = _skip(body, position)


def _skip(body: str, position: int) -> int:
    while position < len(body) and body[position] in " \t\r\n,":
        position += 1
    return position


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _rewrite(value: Any, saved: dict[str, list[Any]]) -> Any:
    if isinstance(value, str):
        return saved[value][0] if value in saved else value
    if isinstance(value, dict):
        return {name: _rewrite(inner, saved) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rewrite(inner, saved) for inner in value]
    return value
