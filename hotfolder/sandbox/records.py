"""Records made, changed, deleted, moved: what the server checks beyond the schemas."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from hotfolder.sandbox.answers import (
    Refusal,
    invalid_record,
    missing,
    refused_by_database,
    refused_by_model,
    stale_lock,
)
from hotfolder.sandbox.checks import check_markup, check_parts
from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.enumerations import Enumerations
from hotfolder.sandbox.keys import Key, keys_of
from hotfolder.sandbox.kinds import KINDS, Kind
from hotfolder.sandbox.linking import links_of, relink, unlink_target
from hotfolder.sandbox.nested import stamp_parts
from hotfolder.sandbox.state import State, iso
from hotfolder.sandbox.validation import Validator

_ROOTS = {"archival_object": "resource", "digital_object_component": "digital_object"}
_TREE_RETRIES = 100  # the server tries so often to place a child, and uses a number each time
_PUBLISHED = frozenset(
    {"digital_object", "digital_object_component", "resource", "archival_object", "accession"}
)
_TOP_PARTS = ("jsonmodel_type", "uri", "lock_version")
_TITLE = 8704  # characters
_TEXT = 65_535  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a record: where it is now."""

    kind: Kind
    number: int
    uri: str
    lock_version: int


class Records:
    """All records but repositories, users and groups. Call inside a transaction."""

    def __init__(self, state: State, validator: Validator, enumerations: Enumerations) -> None:
        self._state = state
        self._validator = validator
        self._enumerations = enumerations

    def check(self, kind: Kind, posted: Json, *, importing: bool = False) -> Json:
        """The record cleaned by its schema. Raises ``Refusal`` with every fault.

        While importing, unknown values of lists are added to them.
        """
        new_values: list[tuple[str, str]] | None = [] if importing else None
        cleaned, faults = self._validator.clean(kind.name, posted, new_values=new_values)
        if faults:
            raise invalid_record(kind.name, faults, cleaned)
        for name, value in new_values or ():
            self._enumerations.add(name, value)
        return cleaned

    def create(
        self, kind: Kind, repository: str | None, record: Json, user: str, *, unique: bool = True
    ) -> Kept:
        """Keep a checked record. Raises ``Refusal`` where the model refuses it.

        Not ``unique``: it takes no keys, as the agents that stand for users.
        """
        state = self._state
        record = self._completed(kind, record)
        self._check_texts(kind, record)
        root, parent = _tree(kind, record)
        keys = keys_of(kind, repository, root, record) if unique else []
        early = [key for key in keys if key.early]
        self._check_keys(early, None)
        number = state.next_number(kind.name)
        if root is not None and not self._exists(root):
            state.next_number(kind.name, _TREE_RETRIES - 1)
            raise _no_root(kind)
        if kind.segment.startswith("agents/"):
            state.next_number("event")  # a real server's agents use up numbers of events
        uri = f"{kind.place(repository)}/{number}"
        self._check_keys([key for key in keys if not key.early], None)
        now = state.now()
        body = stamp_parts(state, _stored(record), uri, repository, user)
        state.execute(
            "INSERT INTO record (uri, kind, number, repository, body, root, parent, position,"
            " created_by, last_modified_by, create_time, system_mtime, user_mtime)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(uri, kind.name, number, repository, json.dumps(body), root, parent),
                *(self._position(root, parent, record), user, user, now, now, now),
            ),
        )
        self._take_keys(keys, uri)
        relink(state, uri, repository, links_of(kind.name, body))
        if root is not None:
            state.execute("UPDATE record SET system_mtime = ? WHERE uri = ?", (now, root))
        return Kept(kind=kind, number=number, uri=uri, lock_version=0)

    def update(self, kind: Kind, row: Any, record: Json, user: str) -> Kept:
        """Replace a record by a checked one. Raises ``Refusal`` (409 for its lock)."""
        uri = row["uri"]
        if record.get("lock_version") is None:
            raise Refusal(409, {"error": "You must provide a lock_version in your request"})
        if str(record["lock_version"]) != str(row["lock_version"]):
            raise stale_lock()
        old = json.loads(row["body"])
        record = self._completed(kind, record)
        if kind.name == "archival_object":
            record["ref_id"] = old["ref_id"]  # frozen once made
        self._check_texts(kind, record)
        root, parent = _tree(kind, record)
        if root is not None and not self._exists(root):
            raise _no_root(kind)
        keys = keys_of(kind, row["repository"], root, record)
        self._check_keys(keys, uri)
        now, lock_version = self._state.now(), row["lock_version"] + 1
        body = stamp_parts(self._state, _stored(record), uri, row["repository"], user)
        self._state.execute(
            "UPDATE record SET body = ?, lock_version = ?, last_modified_by = ?,"
            " system_mtime = ?, user_mtime = ?, root = ?, parent = ? WHERE uri = ?",
            (json.dumps(body), lock_version, user, now, now, root, parent, uri),
        )
        self._state.execute("DELETE FROM key WHERE uri = ?", (uri,))
        self._take_keys(keys, uri)
        relink(self._state, uri, row["repository"], links_of(kind.name, body))
        return Kept(kind=kind, number=row["number"], uri=uri, lock_version=lock_version)

    def find(self, kind: Kind, uri: str) -> Any:
        """The row of a record that users may see. Raises ``Refusal`` (404)."""
        row = self._state.row("SELECT * FROM record WHERE uri = ? AND NOT suppressed", (uri,))
        if row is None or row["kind"] != kind.name:
            raise missing(kind.label)
        return row

    def delete(self, uri: str) -> None:
        """Remove a record and what stands under it; links to it vanish."""
        state = self._state
        for row in state.rows("SELECT uri FROM record WHERE root = ? OR parent = ?", (uri, uri)):
            self.delete(row["uri"])
        self._cut_links(uri)
        for table in ("link WHERE source", "key WHERE uri", "record WHERE uri"):
            state.execute(f"DELETE FROM {table} = ?", (uri,))  # noqa: S608  names of our own
        self._bury(uri)

    def suppress(self, kind: Kind, uri: str, *, suppressed: bool) -> int:
        """Hide a record from users, or show it again; with it all that stands under it
        (``set_suppressed`` in ``ASModel_scoping.rb``, ``calculate_object_graph`` in
        ``mixins/trees.rb`` and ``mixins/tree_nodes.rb``), and the events that are about no
        other (``handle_suppressed`` in ``mixins/events.rb``). Returns its number."""
        row = self._state.row("SELECT kind, number FROM record WHERE uri = ?", (uri,))
        if row is None or row["kind"] != kind.name:
            raise missing(kind.label)
        below = self._state.rows(
            "WITH RECURSIVE below (uri) AS (VALUES (?) UNION SELECT r.uri FROM record r"
            " JOIN below b ON b.uri IN (r.parent, r.root)) SELECT uri FROM below",
            (uri,),
        )
        hidden, now = json.dumps([item["uri"] for item in below]), self._state.now()
        self._state.execute(
            "UPDATE record SET suppressed = ?, system_mtime = ?"
            " WHERE uri IN (SELECT value FROM json_each(?))",
            (int(suppressed), now, hidden),
        )
        self._state.execute(
            "UPDATE record SET system_mtime = ?, suppressed = NOT EXISTS"
            " (SELECT 1 FROM link l JOIN record r ON r.uri = l.target"
            "  WHERE l.source = record.uri AND l.kind = 'event' AND NOT r.suppressed)"
            " WHERE uri IN (SELECT source FROM link WHERE kind = 'event'"
            "  AND target IN (SELECT value FROM json_each(?)))",
            (now, hidden),
        )
        number: int = row["number"]
        return number

    def transfer(self, kind: Kind, row: Any, target: str, user: str) -> str:
        """Move a record to another repository and return its new uri.

        Raises ``Refusal`` (409) for a digital object that an instance points to.
        """
        state, old = self._state, row["uri"]
        if state.value("SELECT count(*) FROM link WHERE target = ? AND kind = 'instance'", (old,)):
            error = {"digital_object": ["DIGITAL_OBJECT_HAS_LINK"]}
            raise Refusal(409, {"error": error})
        uri = f"{kind.place(target)}/{row['number']}"
        now = state.now()
        state.execute(
            "UPDATE record SET uri = ?, repository = ?, system_mtime = ? WHERE uri = ?",
            (uri, target, now, old),
        )
        body = json.loads(row["body"])
        state.execute("DELETE FROM key WHERE uri = ?", (old,))
        keys = keys_of(kind, target, row["root"], body)
        self._check_keys(keys, None)
        self._take_keys(keys, uri)
        state.execute("UPDATE link SET source = ? WHERE source = ?", (uri, old))
        self._cut_links(old)
        self._bury(old)
        self._record_transfer(uri, target, user)
        return uri

    def _record_transfer(self, uri: str, target: str, user: str) -> None:
        event = {
            "jsonmodel_type": "event",
            "event_type": "custody_transfer",
            "timestamp": iso(self._state.now()),
            "external_ids": [],
            "external_documents": [],
            "linked_agents": [{"role": "implementer", "ref": "/agents/people/1"}],
            "linked_records": [{"role": "transfer", "ref": uri}],
        }
        made = self.create(KINDS["event"], target, event, user)
        # The server makes this link without raising the lock_version of the moved record.
        self._state.execute(
            "UPDATE record SET lock_version = lock_version - 1 WHERE uri IN"
            " (SELECT target FROM link WHERE source = ? AND kind = 'event')",
            (made.uri,),
        )

    def _cut_links(self, uri: str) -> None:
        state = self._state
        for row in state.rows(
            "SELECT DISTINCT r.uri, r.kind, r.body FROM link l JOIN record r ON r.uri = l.source"
            " WHERE l.target = ?",
            (uri,),
        ):
            body = unlink_target(row["kind"], json.loads(row["body"]), uri)
            state.execute(
                "UPDATE record SET body = ? WHERE uri = ?", (json.dumps(body), row["uri"])
            )
        state.execute("DELETE FROM link WHERE target = ?", (uri,))

    def _bury(self, uri: str) -> None:
        self._state.execute(
            "INSERT INTO tombstone (uri, at) VALUES (?, ?)", (uri, self._state.clock())
        )

    def _exists(self, uri: str) -> bool:
        return self._state.row("SELECT 1 FROM record WHERE uri = ?", (uri,)) is not None

    def _completed(self, kind: Kind, record: Json) -> Json:
        completed = dict(record)
        if kind.name in _PUBLISHED:
            completed.setdefault("publish", False)
        if kind.name == "archival_object" and not completed.get("ref_id"):
            completed["ref_id"] = secrets.token_hex(16)
        return completed

    def _check_texts(self, kind: Kind, record: Json) -> None:
        title = record.get("title")
        if isinstance(title, str) and (fault := check_markup(title)) is not None:
            raise refused_by_model({"title": [fault]})
        if faults := check_parts(record):
            raise refused_by_model(faults)
        for name, value in record.items():
            refuse_unfit(kind.name, name, value)

    def _check_keys(self, keys: list[Key], owner: str | None) -> None:
        for key in keys:
            holder = self._state.value(
                "SELECT uri FROM key WHERE scope = ? AND value = ?", (key.scope, key.value)
            )
            if holder is not None and holder != owner:
                raise key.refusal(holder)

    def _take_keys(self, keys: list[Key], uri: str) -> None:
        for key in keys:
            self._state.execute(
                "INSERT INTO key (scope, value, uri) VALUES (?, ?, ?)", (key.scope, key.value, uri)
            )

    def _position(self, root: str | None, parent: str | None, record: Json) -> int | None:
        if root is None:
            return None
        wanted = record.get("position")
        if isinstance(wanted, int):
            return wanted
        last = self._state.value(
            "SELECT max(position) FROM record WHERE root = ? AND parent IS ?", (root, parent)
        )
        return 0 if last is None else int(last) + 1


def refuse_unfit(table: str, column: str, value: Any) -> None:
    """Refuse what the server's columns do not hold, whatever its schemas say: characters
    beyond the basic plane, titles of more than 8,704 characters (``HalfLongString`` in
    common/db/db_migrator.rb), texts of more than 65,535 bytes (``TextField``)."""
    if isinstance(value, dict):
        for name, inner in value.items():
            refuse_unfit(str(value.get("jsonmodel_type", table)), name, inner)
    elif isinstance(value, list):
        for inner in value:
            refuse_unfit(table, column, inner)
    elif isinstance(value, str):
        if not value.isascii():
            wide = next((char for char in value if ord(char) > 0xFFFF), None)
            if wide is not None:
                quoted = "".join(f"\\x{byte:02X}" for byte in wide.encode())
                raise _truncated(
                    f"Incorrect string value: '{quoted}' for column"
                    f" `archivesspace`.`{table}`.`{column}` at row 1"
                )
        if len(value) > _TITLE if column == "title" else _is_long_text(table, column, value):
            raise _truncated(f"Data too long for column '{column}' at row 1")


def _is_long_text(table: str, column: str, value: str) -> bool:
    is_text = table == "user_defined" and column.startswith("text_")
    return is_text and len(value.encode()) > _TEXT


def _truncated(text: str) -> Refusal:
    kind = "Java::ComMysqlCjJdbcExceptions::MysqlDataTruncation: Data truncation"
    return refused_by_database(f"{kind}: {text}")


def _stored(record: Json) -> Json:
    return {name: value for name, value in record.items() if name not in _TOP_PARTS}


def _tree(kind: Kind, record: Json) -> tuple[str | None, str | None]:
    root = _ROOTS.get(kind.name)
    if root is None:
        return None, None
    # A reference without a ref is one to nothing: the database refuses it.
    parent = (record.get("parent") or {}).get("ref")
    return str(record[root].get("ref", "")), str(parent) if parent else None


def _no_root(kind: Kind) -> Refusal:
    return refused_by_database(
        "Java::JavaSql::SQLIntegrityConstraintViolationException: Cannot add or update a child"
        f" row: a foreign key constraint fails (`archivesspace`.`{kind.name}`, CONSTRAINT"
        f" `{kind.name}_ibfk_4` FOREIGN KEY (`root_record_id`) REFERENCES"
        f" `{_ROOTS[kind.name]}` (`id`))"
    )
