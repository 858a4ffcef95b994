"""What must be unique, within what, and how the server refuses a second one.

The database compares without case, accents or trailing blanks.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hotfolder.sandbox.answers import Refusal, refused_by_database, refused_by_model
from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.kinds import Kind
from hotfolder.sandbox.nested import bare


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A value that only one record may have in ``scope``.

    ``early`` keys are looked up before the insert, so a refusal uses no number; the
    others are refused by the database, after the number was taken.
    """

    scope: str
    value: str
    refusal: Callable[[str], Refusal]
    early: bool = True


def collate(text: str) -> str:
    """A text as ``utf8mb4_general_ci`` compares it."""
    plain = unicodedata.normalize("NFD", text.rstrip(" "))
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


def keys_of(kind: Kind, repository: str | None, root: str | None, record: Json) -> list[Key]:
    """The keys that a record takes."""
    return list(_keys(kind, repository, root, record))


def _keys(kind: Kind, repository: str | None, root: str | None, record: Json) -> Iterator[Key]:
    match kind.name:
        case "digital_object":
            yield _model(f"do {repository}", record, "digital_object_id", "Must be unique")
        case "archival_object":
            text = "An Archival Object Ref ID must be unique to its resource"
            yield _model(f"ref {root}", record, "ref_id", text)
        case "digital_object_component" if record.get("component_id"):
            yield _database(f"component {repository}", str(record["component_id"]), "component_id")
        case "resource" | "accession":
            value = json.dumps([record.get(f"id_{n}") for n in range(4)])
            refusal = refused_by_model({"id_0": ["That ID is already in use"]})
            scope = f"{kind.name} {repository}"
            yield Key(scope=scope, value=collate(value), refusal=lambda _: refusal)
        case "event" if record.get("refid"):
            yield _database("event", str(record["refid"]), "refid")
        case "top_container" if record.get("barcode"):
            text = "A barcode must be unique within a repository"
            yield _model(f"barcode {repository}", record, "barcode", text)
        case name if name.startswith("agent_"):
            yield _content(name, record, "names", "Agent must be unique")
        case "subject":
            yield _content("subject", record, "subject", "Subject must be unique")
        case _:
            pass


def _model(scope: str, record: Json, name: str, text: str) -> Key:
    refusal = refused_by_model({name: [text]})
    return Key(scope=scope, value=collate(str(record[name])), refusal=lambda _: refusal)


def _database(scope: str, value: str, name: str) -> Key:
    refusal = refused_by_database(
        "Java::JavaSql::SQLIntegrityConstraintViolationException:"
        f" Duplicate entry '{value}' for key '{name}'"
    )
    return Key(scope=scope, value=collate(value), refusal=lambda _: refusal, early=False)


def _content(scope: str, record: Json, name: str, text: str) -> Key:
    digest = hashlib.sha256(json.dumps(bare(record), sort_keys=True).encode()).hexdigest()

    def refuse(holder: str) -> Refusal:
        return Refusal(400, {"error": {name: [text], "conflicting_record": [holder]}})

    return Key(scope=scope, value=digest, refusal=refuse)
