"""An ArchivesSpace server as a few dictionaries: what it has, and what happens to it.

It outlives the daemons that talk to it (``archive_model``). One import is one
transaction. It keeps unique what the real one does: the identity of a document, the
``ref_id`` of a unit. Troubles are given to it beforehand, one for each request to come.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from threading import RLock
from typing import Any

from hotfolder.archivesspace.statements import hold_statement, retention_statement
from hotfolder.core.holdmark import HoldMark
from hotfolder.core.records import (
    ArchivedDocument,
    CatalogueRow,
    UnitAnswer,
    UnitRequest,
)


class Trouble(Enum):
    """What becomes of one request."""

    NONE = "none"
    DOWN = "nobody answers: nothing was sent"
    CUT = "the server has not done it, and the answer is lost"
    LOST = "the server has done it, and the answer is lost"
    LATE = "no answer, and an import is done only some time later"
    PASSING = "refused for once: the database was busy"
    DENIED = "the operator has to act, while a series is prepared"
    KILLED_BEFORE = "the daemon dies before the server has it"
    KILLED_AFTER = "the daemon dies when the server has done it"


class ProcessKilledError(BaseException):
    """The daemon is dead. No ``except`` of the product catches it, and what its
    ``finally`` clauses do (closing descriptors) the kernel would do."""


@dataclass(slots=True, kw_only=True)
class ServerDocument:
    """A digital object."""

    identity: str
    uri: str
    sha256: str | None
    size: int | None
    record: dict[str, Any] = field(default_factory=dict)  # of ours: its JSON


@dataclass(slots=True, kw_only=True)
class ServerUnit:
    """An archival object, the documents that it lists, and whether it has its event."""

    ref_id: str
    uri: str
    documents: list[str]
    event: bool


@dataclass(slots=True)
class Records:
    """What is in the database; a copy of it is a backup."""

    documents: dict[str, ServerDocument] = field(default_factory=dict)
    units: dict[str, ServerUnit] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)  # by uri; not ingestions
    last_uri: int = 0


class ModelServer:
    """The server. ``refuses`` gives its words about a document that it will not have;
    ``requests`` counts what was asked to be saved."""

    def __init__(self, refuses: Callable[[CatalogueRow], str | None] = lambda _row: None) -> None:
        self.records = Records()
        self.up = True
        self.troubles: deque[Trouble] = deque()
        self.late: list[UnitRequest] = []
        self.feed: bool = True  # whether the account may read what was deleted
        self.deleted: list[tuple[int, str]] = []
        self.lost: set[str] = set()  # identities that it had once and has no more
        self.committed: set[str] = set()  # identities that it has had at any time
        self.requests = 0
        self.meanwhile: deque[Callable[[], None]] = deque()  # before each request to come
        self.refuses = refuses
        self.now = 1_790_000_000  # the server's clock, whole seconds
        self._lock = RLock()  # of events: several daemons record them side by side

    # -- what happens to it --------------------------------------------------------
    def back_up(self) -> Records:
        """A copy of everything, for ``restore``."""
        return deepcopy(self.records)

    def restore(self, backup: Records) -> None:
        """As it was then; uris are given again, and imports under way are gone."""
        before = set(self.records.documents)
        self.records = deepcopy(backup)
        self.late.clear()
        self.lost = (self.lost | before) - set(self.records.documents)

    def lose(self, identity: str) -> None:
        """Somebody deletes a document; no unit lists it any more."""
        self.deleted.append((self.now, self.records.documents[identity].uri))
        del self.records.documents[identity]
        for unit in self.records.units.values():
            unit.documents = [name for name in unit.documents if name != identity]
        self.lost.add(identity)

    def commit_late(self) -> None:
        """The imports that nobody waits for any more are done now, or refused."""
        for request in self.late:
            self.save_import(request)
        self.late.clear()

    # -- saving --------------------------------------------------------------------
    def save_import(self, request: UnitRequest) -> str:
        """All of a unit or nothing; returns why not, or an empty text."""
        ref_id = request.unit.ref_id
        for row in request.documents:
            if row.document.identity in self.records.documents:
                return "digital_object_id: must be unique"
            words = self.refuses(row)
            if words is not None:
                return words
        if ref_id in self.records.units:
            return "ref_id: must be unique"
        for row in request.documents:
            self.save_document(row, request.holds.get(row.document.identity, ()))
        self.save_unit(ref_id, [row.document.identity for row in request.documents])
        self.records.units[ref_id].event = True
        return ""

    def save_document(self, row: CatalogueRow, holds: Sequence[HoldMark] = ()) -> str | None:
        """One digital object; None if it was saved, else the server's words."""
        words = self.refuses(row)
        if words is not None:
            return words
        identity, (sha256, size) = row.document.identity, row.file_fixity
        if identity in self.records.documents:
            return "digital_object_id: must be unique"
        self.records.documents[identity] = ServerDocument(
            identity=identity,
            uri=self._next_uri("digital_objects"),
            sha256=sha256,
            size=size,
        )
        found = self.records.documents[identity]
        found.record = {**_record(row, found.uri, holds), **self._saved("hotfolder")}
        self.lost.discard(identity)
        self.committed.add(identity)
        return None

    def save_stranger(self, digital_object_id: str) -> ServerDocument:
        """A digital object that somebody else describes."""
        made = ServerDocument(
            identity=digital_object_id,
            uri=self._next_uri("digital_objects"),
            sha256=None,
            size=None,
        )
        made.record = {
            "uri": made.uri,
            "digital_object_id": digital_object_id,
            "lock_version": 0,
            "rights_statements": [],
            "file_versions": [],
            **self._saved("archivist"),
        }
        self.records.documents[digital_object_id] = made
        return made

    def save_unit(self, ref_id: str, identities: Sequence[str]) -> str | None:
        """One archival object without its event; None if it was saved."""
        if ref_id in self.records.units:
            return "ref_id: must be unique"
        self.records.units[ref_id] = ServerUnit(
            ref_id=ref_id,
            uri=self._next_uri("archival_objects"),
            documents=list(identities),
            event=False,
        )
        return None

    def replace_document(self, record: dict[str, Any], author: str) -> bool:
        """A digital object as it shall be; False if it was changed since it was read."""
        with self._lock:
            kept = self.records.documents.get(record["digital_object_id"])
            if kept is None or kept.record["lock_version"] != record["lock_version"]:
                return False
            version = {"lock_version": record["lock_version"] + 1}
            kept.record = {**deepcopy(record), **version, **self._saved(author)}
            checksums = [item["checksum"] for item in record["file_versions"] if "checksum" in item]
            kept.sha256 = checksums[0] if checksums else None
            return True

    # -- events --------------------------------------------------------------------
    def save_event(self, event: dict[str, Any], author: str) -> str | None:
        """One event: its uri, or None if it is refused (its ``refid`` is taken, or one of
        its records is not there)."""
        with self._lock:
            events = self.records.events
            refid = event.get("refid")
            taken = refid and any(other.get("refid") == refid for other in events.values())
            if taken or not {item["ref"] for item in event["linked_records"]} <= self.uris():
                return None
            uri = self._next_uri("events")
            made = {"uri": uri, "lock_version": 0, "created_by": author, "user_mtime": self.now,
                    "last_modified_by": author}  # fmt: skip
            events[uri] = {**deepcopy(event), **made}
            return uri

    def replace_event(self, event: dict[str, Any], author: str) -> bool:
        """An event as it shall be; False if it was changed since it was read."""
        with self._lock:
            kept = self.records.events.get(event["uri"])
            if kept is None or kept["lock_version"] != event["lock_version"]:
                return False
            changed = {"lock_version": kept["lock_version"] + 1, "user_mtime": self.now,
                       "last_modified_by": author}  # fmt: skip
            self.records.events[event["uri"]] = {**deepcopy(event), **changed}
            return True

    def _saved(self, author: str) -> dict[str, Any]:
        return {"user_mtime": self.now, "last_modified_by": author, "suppressed": False}

    def uris(self) -> set[str]:
        """Of every document and unit."""
        return {item.uri for item in self.records.documents.values()} | {
            item.uri for item in self.records.units.values()
        }

    def _next_uri(self, kind: str) -> str:
        self.records.last_uri += 1
        return f"/repositories/2/{kind}/{self.records.last_uri}"

    # -- looking -------------------------------------------------------------------
    def listing(self, identity: str) -> tuple[str, ...]:
        """The ``ref_id`` of every unit that lists a document."""
        return tuple(
            unit.ref_id for unit in self.records.units.values() if identity in unit.documents
        )

    def describe(self, identity: str) -> ArchivedDocument:
        """A document as the port shows it."""
        found = self.records.documents[identity]
        return ArchivedDocument(
            identity=identity,
            uri=found.uri,
            sha256=found.sha256,
            size=found.size,
            lock_version=0,
            unit_ref_ids=self.listing(identity),
        )

    def answer_to(self, request: UnitRequest) -> UnitAnswer:
        """What a confirmation of this unit says."""
        return UnitAnswer(
            outcome="confirmed",
            unit_uri=self.records.units[request.unit.ref_id].uri,
            uris={
                row.document.identity: self.records.documents[row.document.identity].uri
                for row in request.documents
            },
        )


def _record(row: CatalogueRow, uri: str, holds: Sequence[HoldMark]) -> dict[str, Any]:
    """What of a digital object may change later."""
    document = row.document
    statements = [hold_statement(mark) for mark in holds]
    until = document.retain_until
    if document.metadata.retention_class is not None:
        start = document.metadata.issue_date or date(2026, 1, 1)
        statements.insert(0, retention_statement(start, until))
    return {
        "uri": uri,
        "digital_object_id": document.identity,
        "lock_version": 0,
        "title": document.title,
        "rights_statements": statements,
        "user_defined": {
            "jsonmodel_type": "user_defined",
            "string_3": document.metadata.retention_class or "",
            **({"date_1": until.isoformat()} if until else {}),
            "boolean_1": bool(holds),
        },
        "file_versions": [
            {"file_uri": f"hotfolder:{document.identity}", "checksum": row.file_fixity[0]}
        ],
    }
