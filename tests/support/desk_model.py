"""What one daemon has of a ``ModelServer`` beside delivering: the ``Desk`` port.

Looks and writes meet the troubles that are next in the server's row, as those of
``ModelArchive`` do. The server's lists are those of a new ArchivesSpace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hotfolder.archivesspace.merging import merge
from hotfolder.core.changes import CONTENDED, Amended, Amendment
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.facts import (
    ChangeKind,
    ChangePage,
    FactKind,
    Lost,
    SeenEvent,
    SeenObject,
    Statement,
)
from hotfolder.core.identity import is_document_identity, is_unit_ref_id
from hotfolder.core.profiles import ArchiveProfile
from hotfolder.core.records import ArchiveEvent, ArchiveRequest
from tests.support.archive_model import ModelArchive, NoAnswerError
from tests.support.units import RULES

ACCOUNT = "hotfolder"
_ROLES = ("requested", "source", "outcome")
_OUTCOMES = ("pass", "partial pass", "fail", "cancelled", "fulfilled", "pending")
_TYPES = ("ingestion", "fixity_check", "replication", "request", "validation", "deletion",
          "assessment")  # fmt: skip
_ATTEMPTS = 5
_PROFILE = ArchiveProfile(url="http://127.0.0.1", username=ACCOUNT)

Json = dict[str, Any]


class ModelDesk(ModelArchive):
    """``core.ports.Desk`` for one daemon, and ``core.ports.Archive``."""

    @property
    def desk(self) -> ModelDesk:
        """Where ``ArchivesSpace`` has it."""
        return self

    # -- documents -------------------------------------------------------------------
    def find_identities(self, business_unit: str, name: str) -> tuple[str, ...]:
        """By number or key, wherever it stands in a text."""
        with self._lock:
            self._look()
            records, text = self._server.records, name.strip()
            if text in records.documents:
                return tuple(item for item in [text] if is_document_identity(item))
            if text in records.units:
                return self._at(records.units[text].uri)
            text = text.replace("%2F", "/")
            named = set(re.findall(r"(?:digital|archival)_objects/\d+(?!\w)", text))
            places = set(re.findall(r"/repositories/\w+", text))
            if len(named) != 1 or places - {"/repositories/2"}:
                return ()
            return self._at("/repositories/2/" + named.pop())

    def read_records(self, business_unit: str, identity: str) -> Mapping[str, object] | None:
        """In the shape of the server's JSON, with the fields that matter."""
        with self._lock:
            self._look()
            records = self._server.records
            if identity not in records.documents:
                return None
            found = records.documents[identity]
            units = [unit for unit in records.units.values() if identity in unit.documents]
            about = {found.uri, *(unit.uri for unit in units)}
            return {
                "digital_object": {"uri": found.uri, "digital_object_id": identity},
                "archival_objects": [
                    {
                        "uri": unit.uri,
                        "ref_id": unit.ref_id,
                        "instances": [
                            {"digital_object": {"ref": records.documents[item].uri}}
                            for item in unit.documents
                        ],
                    }
                    for unit in units
                ],
                "events": [
                    dict(event)
                    for event in records.events.values()
                    if about & {item["ref"] for item in event["linked_records"]}
                ],
            }

    def amend_record(self, business_unit: str, amendment: Amendment) -> Amended:
        """Look, merge, replace; look again where nothing is known."""
        identity = amendment.row.document.identity
        with self._lock:
            outcome = "unchanged"
            for _ in range(_ATTEMPTS):
                self._look()
                found = self._server.records.documents.get(identity)
                if found is None:
                    return Amended(outcome="gone", reason="it is not there")
                merged = merge(
                    found.record, amendment, profile=_PROFILE, rules=RULES, allows=lambda *_: True
                )
                if merged.record == found.record:
                    return Amended(outcome=outcome, conflicts=merged.conflicts, uri=found.uri)
                saved: list[bool] = []
                try:
                    self._post(lambda: self._replace_record(merged.record, saved))  # noqa: B023  called at once
                except NoAnswerError:
                    outcome = "changed"
                    continue
                if saved == [True]:
                    return Amended(outcome="changed", conflicts=merged.conflicts, uri=found.uri)
            raise Transient("a record could not be changed now", code=CONTENDED)

    # -- requests --------------------------------------------------------------------
    def find_requests(self, business_unit: str, since: int) -> list[ArchiveRequest]:
        """Those that wait, by the time of their last change."""
        with self._lock:
            self._look()
            found = [
                self._request(business_unit, event)
                for event in self._server.records.events.values()
                if event["event_type"] == "request"
                and event["outcome"] == "pending"
                and event["user_mtime"] >= since
                and not (event["created_by"] == ACCOUNT and _refid(event))
            ]
            return sorted(found, key=lambda request: request.changed_at)

    def read_request(self, business_unit: str, uri: str) -> ArchiveRequest | None:
        """As it is now."""
        with self._lock:
            self._look()
            event = self._server.records.events.get(uri)
            if event is None or event["event_type"] != "request":
                return None
            return self._request(business_unit, event)

    def answer_request(self, business_unit: str, uri: str, outcome: str, note: str) -> bool:
        """Look, change, look again where nothing is known."""
        if outcome == "pending":
            raise ValueError("an answer leaves no request pending")
        with self._lock:
            _require(outcome, _OUTCOMES)
            unknown = False
            for _ in range(_ATTEMPTS):
                self._look()
                event = self._server.records.events.get(uri)
                if event is None or event["event_type"] != "request":
                    return False
                if event["outcome"] != "pending":
                    ours = unknown and event["last_modified_by"] == ACCOUNT
                    return ours and event["outcome"] == outcome
                if not event["linked_records"]:
                    return False
                changed = {**event, "outcome": outcome, "outcome_note": _below(event, note)}
                refused: list[bool] = []
                try:
                    self._post(lambda: self._replace(changed, refused))  # noqa: B023  called at once
                except NoAnswerError:
                    unknown = True
                    continue
                if not refused:
                    return True
            raise Transient("a request could not be answered now")

    # -- events ----------------------------------------------------------------------
    def record_event(self, business_unit: str, event: ArchiveEvent) -> str:
        """Once, by its ``refid``."""
        with self._lock:
            _require(event.outcome, _OUTCOMES)
            kind = event.event_type
            if event.fallback and kind not in _TYPES:
                kind = event.fallback
            _require(kind, _TYPES)
            record = {
                "refid": event.refid,
                "external_ids": [{"source": ACCOUNT, "external_id": event.refid}],
                "event_type": kind,
                "outcome": event.outcome,
                "outcome_note": event.note,
                "linked_records": [{"role": event.role, "ref": uri} for uri in event.record_uris],
            }
            for _ in range(_ATTEMPTS):
                try:
                    self._post(lambda: self._save(record))
                except NoAnswerError:
                    self._look()
                found = [
                    uri
                    for uri, kept in self._server.records.events.items()
                    if _refid(kept) == event.refid
                ]
                if found:
                    return found[0]
                left = [uri for uri in event.record_uris if uri in self._server.uris()]
                if not left:
                    raise OperatorFault("its records are gone", code="archive.record")
                gone = [uri for uri in event.record_uris if uri not in left]
                record["linked_records"] = [{"role": event.role, "ref": uri} for uri in left]
                record["outcome_note"] = " ".join(filter(None, (*gone, event.note)))
            raise Transient("the event was not taken now")

    # -- changes ---------------------------------------------------------------------
    def find_changes(
        self, business_unit: str, kind: ChangeKind, since: int, after: int = 0
    ) -> Iterator[ChangePage]:
        """By number, a record on each page: who calls must not count on large ones."""
        with self._lock:
            self._look()
            records = self._server.records
            found: list[tuple[int, int, ChangePage]] = []
            if kind is ChangeKind.OBJECTS:
                for item in records.documents.values():
                    ours = is_document_identity(item.identity) and not item.record["suppressed"]
                    at = item.record["user_mtime"]
                    objects = (_seen(item.identity, item.uri, item.record),) if ours else ()
                    page = ChangePage(reached=_number(item.uri), newest=at, objects=objects)
                    found.append((_number(item.uri), at, page))
            else:
                for event in records.events.values():
                    at, number = event["user_mtime"], _number(event["uri"])
                    page = ChangePage(reached=number, newest=at, events=self._events(event))
                    found.append((number, at, page))
        for number, at, page in sorted(found, key=lambda item: item[0]):
            if at >= since and number > after:
                yield page

    def look_at(
        self, business_unit: str, records: Mapping[str, str]
    ) -> tuple[list[SeenObject], list[Lost]]:
        """In this one repository."""
        with self._lock:
            self._look()
            kept = self._server.records.documents
            buried = {uri for _, uri in self._server.deleted}
            seen, lost = [], []
            for uri, identity in records.items():
                item = kept.get(identity)
                if item is not None and not item.record["suppressed"]:
                    seen.append(_seen(identity, item.uri, item.record))
                    continue
                kind = FactKind.RECORD_DELETED if uri in buried else FactKind.RECORD_SUPPRESSED
                told = kind if self._server.feed else FactKind.RECORD_GONE
                lost.append(Lost(identity=identity, kind=told))
            return seen, sorted(lost, key=lambda item: item.identity)

    def find_deleted(self, since: int) -> list[str] | None:
        """In order."""
        with self._lock:
            self._look()
            if not self._server.feed:
                return None
            return [uri for at, uri in self._server.deleted if at >= since]

    def _events(self, event: Json) -> tuple[SeenEvent, ...]:
        own = event["created_by"] == event["last_modified_by"] == ACCOUNT and _refid(event)
        if event["event_type"] == "request" or own:
            return ()
        linked = [item["ref"] for item in event["linked_records"] if item["role"] in _ROLES]
        ids = [
            item["external_id"]
            for item in event.get("external_ids", ())
            if item["source"] != ACCOUNT
        ]
        papers = event.get("external_documents", ())
        matters = ids + [p["location"] for p in papers if p["title"].casefold() == "matter"]
        texts = [_refid(event), *matters, *(item["title"] for item in papers)]
        names = [name for uri in linked for name in self._at(uri, units_only=True)]
        return (
            SeenEvent(
                uri=event["uri"],
                event_type=event["event_type"],
                outcome=event["outcome"],
                references=tuple(dict.fromkeys(text for text in texts if text)),
                matters=tuple(dict.fromkeys(matters)),
                lock_version=event["lock_version"],
                changed_at=event["user_mtime"],
                changed_by=event["last_modified_by"],
                ours=event["last_modified_by"] == ACCOUNT,
                made=event["created_by"] == ACCOUNT and bool(_refid(event)),
                identities=tuple(dict.fromkeys(names)),
            ),
        )

    # -- inside ----------------------------------------------------------------------
    def _replace(self, event: Json, refused: list[bool]) -> None:
        if not self._server.replace_event(event, ACCOUNT):
            refused.append(True)

    def _replace_record(self, record: Json, saved: list[bool]) -> None:
        saved.append(self._server.replace_document(record, ACCOUNT))

    def _save(self, record: Json) -> None:
        self._server.save_event(record, ACCOUNT)

    def _at(self, uri: str, *, units_only: bool = False) -> tuple[str, ...]:
        records = self._server.records
        listed: Iterable[str] = [
            name for name, item in records.documents.items() if item.uri == uri
        ]
        for unit in records.units.values():
            if unit.uri == uri and (is_unit_ref_id(unit.ref_id) or not units_only):
                listed = unit.documents
        return tuple(name for name in listed if is_document_identity(name))

    def _request(self, business_unit: str, event: Json) -> ArchiveRequest:
        asked = [item["ref"] for item in event["linked_records"] if item["role"] in _ROLES]
        found = {uri: self._at(uri, units_only=True) for uri in asked}
        return ArchiveRequest(
            uri=event["uri"],
            business_unit=business_unit,
            outcome=event["outcome"],
            note=event.get("outcome_note", ""),
            identities=tuple(dict.fromkeys(name for uri in asked for name in found[uri])),
            strangers=tuple(uri for uri in dict.fromkeys(asked) if not found[uri]),
            lock_version=event["lock_version"],
            changed_at=float(event["user_mtime"]),
            changed_by_us=event["last_modified_by"] == ACCOUNT,
        )


def _refid(event: Json) -> str:
    """Of an event of ours, also where the staff interface has lost it."""
    ids = event.get("external_ids", ())
    ours = (item["external_id"] for item in ids if item["source"] == ACCOUNT)
    return str(event.get("refid") or next(ours, ""))


def _number(uri: str) -> int:
    return int(uri.rpartition("/")[2])


def _seen(identity: str, uri: str, record: Json) -> SeenObject:
    return SeenObject(
        uri=uri,
        identity=identity,
        lock_version=record["lock_version"],
        changed_at=record["user_mtime"],
        changed_by=record["last_modified_by"],
        ours=record["last_modified_by"] == ACCOUNT,
        statements=tuple(
            Statement(
                identifier=item["identifier"],
                keeps=any(
                    (act["act_type"], act["restriction"]) == ("delete", "disallow")
                    for act in item["acts"]
                ),
                end=item.get("end_date", ""),
            )
            for item in record["rights_statements"]
        ),
        suppressed=record["suppressed"],
    )


def _below(event: Json, note: str) -> str:
    written = event.get("outcome_note", "")
    clean = "".join("\ufffd" if ord(char) > 0xFFFF else char for char in note)
    added = clean[: max(0, 16_384 - len(written) - 1)]
    return f"{written}\n{added}" if written and added else written or added


def _require(value: str, listed: tuple[str, ...]) -> None:
    if value not in listed:
        raise OperatorFault("a list value is missing", hint="add it", code="archive.vocabulary")
