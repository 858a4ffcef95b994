"""Typed calls of the ArchivesSpace API: what is asked, and the shape of what comes back.

``Unanswered`` where an answer has another shape than the server's: nothing may be
concluded from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hotfolder.archivesspace.answer import Reply, Unanswered
from hotfolder.archivesspace.transport import Transport

MAX_IDS = 100  # ids in one GET, and
MAX_QUERY = 6000  # bytes of query in one GET: common proxies stop at 8 KiB
ID_SET = 250  # the server's page limit (reference 2.5)
# Archival objects in one answer. Of each document that one lists the server tells some 350
# bytes (exchange 147), and a unit may list a thousand: 250 of them pass what we read.
UNIT_SET = 50
_NUMBER = re.compile(r"/(\d+)\Z")

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository as listed; ``uri`` like ``/repositories/2``."""

    code: str
    uri: str
    published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A single POST that was carried out."""

    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """A record that was replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A single POST that was not carried out.

    ``words`` are the server's own and may quote the record: for the owner of the
    drop, never for a log. ``fields`` are the names of the fields complained of;
    empty when the complaint is of no field (``db_error``, 409, plain text).
    """

    status: int
    words: str
    fields: frozenset[str]
    conflicting: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Refusal(status={self.status}, fields={sorted(self.fields)})"


class Calls:
    """The requests that hotfolder makes."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    # -- the server ---------------------------------------------------------------
    def read_version(self) -> str | None:
        """``archivesSpaceVersion`` of ``GET /`` (since 4.0.0), or None."""
        reply = self.transport.get_public("/")
        try:
            found = as_record(reply.decode()).get("archivesSpaceVersion")
        except Unanswered:
            return None
        return found if isinstance(found, str) else None

    def list_repositories(self) -> list[Repository]:
        """Every repository that the server shows."""
        return [
            Repository(
                code=text_of(item, "repo_code"),
                uri=text_of(item, "uri"),
                published=item.get("publish") is True,
            )
            for item in as_records(self._read("/repositories"))
        ]

    def read_enumeration(self, name: str) -> frozenset[str] | None:
        """The values of a controlled list, or None if the server has no such list."""
        reply = self.transport.get(f"/config/enumerations/names/{name}")
        if reply.status == 404:
            return None
        values = as_record(_good(reply)).get("values")
        if not isinstance(values, list):
            raise Unanswered("the server's answer about a controlled list has no values")
        return frozenset(value for value in values if isinstance(value, str))

    def read_schema(self, name: str) -> Record:
        """The properties of a record type."""
        properties = as_record(self._read(f"/schemas/{name}")).get("properties")
        return as_record(properties)

    # -- finding --------------------------------------------------------------------
    def find_by_id(self, repository: str, kind: str, key: str, ids: Sequence[str]) -> list[Record]:
        """Records of ``kind`` whose ``key`` is one of ``ids``, read from the database
        (no index lag). The server compares by collation: compare again."""
        found: list[Record] = []
        for chunk in _chunks(ids, len(key) + len("%5B%5D=&")):
            params = [(f"{key}[]", name) for name in chunk] + [("resolve[]", kind)]
            answer = self._read(f"{repository}/find_by_id/{kind}", params)
            for item in as_records(as_record(answer).get(kind)):
                resolved = item.get("_resolved")
                found.append(as_record(resolved or self._read(text_of(item, "ref"))))
        return found

    def read_set(self, repository: str, kind: str, uris: Iterable[str]) -> list[Record]:
        """The records at those of ``uris`` that are of ``kind`` in ``repository``."""
        start = f"{repository}/{kind}/"
        numbers = sorted(
            {int(uri[len(start) :]) for uri in uris if re.fullmatch(re.escape(start) + r"\d+", uri)}
        )
        found: list[Record] = []
        size = UNIT_SET if kind == "archival_objects" else ID_SET
        for first in range(0, len(numbers), size):
            chosen = ",".join(str(number) for number in numbers[first : first + size])
            found += as_records(self._read(f"{repository}/{kind}", [("id_set", chosen)]))
        return found

    def read_record(self, uri: str, *, resolve: str = "") -> Record | None:
        """The record at ``uri``, or None if there is none (or it is suppressed)."""
        reply = self.transport.get(uri, [("resolve[]", resolve)] if resolve else ())
        return None if reply.status == 404 else as_record(_good(reply))

    def list_ids(self, path: str, *, modified_since: int = 0) -> list[int]:
        """All ids of a list, as the server orders them; of records that were touched at
        or after ``modified_since`` (``system_mtime``, seconds since the epoch)."""
        since = [("modified_since", str(modified_since))] if modified_since > 0 else []
        answer = self._read(path, [("all_ids", "true"), *since])
        if not isinstance(answer, list) or not all(type(item) is int for item in answer):
            raise Unanswered("the server's answer is no list of ids")
        return answer

    def read_deleted(self, page: int, since: int) -> Any:
        """A page of the delete feed, as it was answered; without a size it would be one of
        ten (``default_page_size``), and the feed has whatever was ever deleted."""
        return self._read(
            "/delete-feed",
            [("page", str(page)), ("page_size", str(ID_SET)), ("modified_since", str(since))],
        )

    def list_groups(self, repository: str) -> list[Record]:
        """The groups of a repository; the list does not name their members."""
        return as_records(self._read(f"{repository}/groups"))

    def read_list(self, name: str) -> Record:
        """A controlled list as a record, to be changed."""
        return as_record(self._read(f"/config/enumerations/names/{name}"))

    # -- making -----------------------------------------------------------------------
    def create(self, path: str, record: Record) -> Created | Refusal:
        """One record by a single POST. ``Unanswered`` if it may or may not be there."""
        reply = self.transport.post(path, encode(record))
        if not reply.ok:
            return _refusal(reply)
        uri = as_record(reply.decode()).get("uri")
        if not isinstance(uri, str) or not uri.startswith(path + "/") or not _NUMBER.search(uri):
            raise Unanswered("the server's answer names no record of the kind that was sent")
        return Created(uri=uri)

    def create_user(self, username: str, name: str, password: str) -> Created | Refusal:
        """A user; an administrator may. The server takes the password as a parameter."""
        record = {"jsonmodel_type": "user", "username": username, "name": name}
        reply = self.transport.post("/users", encode(record), [("password", password)])
        if not reply.ok:
            return _refusal(reply)
        return Created(uri=text_of(as_record(reply.decode()), "uri"))

    def update(self, uri: str, record: Record) -> Updated | Refusal:
        """Replace the record at ``uri``: what ``record`` omits is emptied, and its
        ``lock_version`` must be the current one (409 otherwise, reference 2.3).
        ``Unanswered`` if it may or may not have been replaced."""
        reply = self.transport.post(uri, encode(record))
        if not reply.ok:
            return _refusal(reply)
        if as_record(reply.decode()).get("uri") != uri:
            raise Unanswered("the server's answer names another record than was sent")
        return Updated()

    def import_records(self, repository: str, body: bytes) -> Reply:
        """One import, as it was answered."""
        return self.transport.post(f"{repository}/batch_imports", body)

    def _read(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Any:
        return _good(self.transport.get(path, params))


def encode(value: object) -> bytes:
    """JSON in UTF-8; the same value always gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def number_of(uri: str) -> int:
    """The id at the end of ``uri``."""
    match = _NUMBER.search(uri)
    if match is None:
        raise Unanswered("the server names a record without an id")
    return int(match.group(1))


def _good(reply: Reply) -> Any:
    if reply.ok:
        return reply.decode()
    raise Unanswered(f"the server answered {reply.status} to a question")


def as_record(value: object) -> Record:
    """``value``, if it is a JSON object."""
    if not isinstance(value, dict):
        raise Unanswered("the server's answer has an unknown shape")
    return value


def as_records(value: object) -> list[Record]:
    """``value``, if it is a list of JSON objects."""
    if not isinstance(value, list):
        raise Unanswered("the server's answer has an unknown shape")
    return [as_record(item) for item in value]


def text_of(record: Record, name: str) -> str:
    """The text at ``name``, which must be there."""
    value = record.get(name)
    if not isinstance(value, str):
        raise Unanswered(f"the server's answer has no {name}")
    return value


def _chunks(ids: Sequence[str], overhead: int) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for name in dict.fromkeys(ids):
        cost = len(quote(name, safe="")) + overhead
        if chunk and (len(chunk) == MAX_IDS or size + cost > MAX_QUERY):
            yield chunk
            chunk, size = [], 0
        chunk.append(name)
        size += cost
    if chunk:
        yield chunk


def _refusal(reply: Reply) -> Refusal:
    """What a 400, 404, 409 or 413 says. ``invalid_object``, a print of the whole
    record, is left out."""
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        answer = {}
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        words = error if isinstance(error, str) else f"status {reply.status}"
        return Refusal(status=reply.status, words=words[:2000], fields=frozenset())
    complaints = {
        str(name): [str(text) for text in texts] if isinstance(texts, list) else [str(texts)]
        for name, texts in error.items()
    }
    conflicting = tuple(complaints.pop("conflicting_record", ()))
    words = "; ".join(f"{name}: {', '.join(texts)}" for name, texts in complaints.items())
    fields = frozenset(complaints) - {"db_error"} if reply.status == 400 else frozenset()
    return Refusal(status=reply.status, words=words[:2000], fields=fields, conflicting=conflicting)
