"""Records as the server gives them: the body, and what is worked out at each reading."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.kinds import KINDS
from hotfolder.sandbox.linking import EVENT, INSTANCE, sources, visible
from hotfolder.sandbox.state import State, iso

_LISTS = {  # arrays that are always there, worked out or empty
    "digital_object": ("collection",),
    "archival_object": ("accession_links",),
    "resource": ("related_accessions",),
    "accession": ("related_resources", "component_links", "related_accessions"),
}
_WITH_EVENTS = frozenset(
    {"digital_object", "digital_object_component", "resource", "archival_object", "accession"}
)
_SUPPRESSIBLE = _WITH_EVENTS | {"event"}
_DISPLAYED = frozenset({"archival_object", "accession", "digital_object_component"})


class Renderer:
    """Reads records. Call while nobody writes."""

    def __init__(self, state: State) -> None:
        self._state = state

    def record(self, row: Any) -> Json:
        """One record from its row."""
        if row["kind"] == "repository":
            return render_repository(row)
        kind = KINDS[row["kind"]]
        shown: Json = {
            "lock_version": row["lock_version"],
            **json.loads(row["body"]),
            **audit(row),
            "jsonmodel_type": kind.name,
            "uri": row["uri"],
        }
        if row["repository"] is not None:
            shown["repository"] = {"ref": row["repository"]}
        for name in _LISTS.get(kind.name, ()):
            shown.setdefault(name, [])
        if kind.name in _SUPPRESSIBLE:
            shown["suppressed"] = bool(row["suppressed"])
        self._link(row, shown)
        if kind.name in _DISPLAYED:
            shown["display_string"] = _display(shown)
        if kind.name.startswith("agent_"):
            _name_agent(shown)
        if kind.name == "subject":
            shown["title"] = " -- ".join(str(term.get("term")) for term in shown["terms"])
        return shown

    def resolved(self, shown: Json, names: Iterable[str]) -> Json:
        """The record with ``_resolved`` beside the refs named (``a::b`` goes deeper)."""
        for name in names:
            head, _, rest = name.partition("::")
            self._resolve(shown, head, rest)
        return shown

    def _resolve(self, value: Any, head: str, rest: str) -> None:
        if isinstance(value, list):
            for item in value:
                self._resolve(item, head, rest)
        elif isinstance(value, dict):
            for name, inner in list(value.items()):
                if name == head:
                    for ref in inner if isinstance(inner, list) else [inner]:
                        self._fill(ref, rest)
                elif name != "_resolved":
                    self._resolve(inner, head, rest)

    def _fill(self, ref: Any, rest: str) -> None:
        if not isinstance(ref, dict) or not isinstance(ref.get("ref"), str):
            return
        row = self._state.row("SELECT * FROM record WHERE uri = ?", (ref["ref"],))
        if row is not None:
            ref["_resolved"] = self.resolved(self.record(row), [rest] if rest else [])

    def _link(self, row: Any, shown: Json) -> None:
        uri, kind = row["uri"], row["kind"]
        if kind in _WITH_EVENTS:
            shown["linked_events"] = visible(self._state, _refs(sources(self._state, uri, EVENT)))
        if kind == "event":
            shown["linked_records"] = visible(self._state, shown["linked_records"])
        if kind == "digital_object":
            shown["linked_instances"] = _refs(sources(self._state, uri, INSTANCE))
        if kind in {"digital_object", "resource"}:
            shown["tree"] = {"ref": f"{uri}/tree"}
        if kind in {"archival_object", "digital_object_component"}:
            self._place(row, shown)

    def _place(self, row: Any, shown: Json) -> None:
        shown["position"] = self._state.value(
            "SELECT count(*) FROM record WHERE root = ? AND parent IS ?"
            " AND (position < ? OR (position = ? AND number < ?))",
            (row["root"], row["parent"], row["position"], row["position"], row["number"]),
        )
        ancestors, hidden, above = [], False, row["parent"]
        while True:
            uri = above or row["root"]
            found = self._state.row("SELECT kind, body, parent FROM record WHERE uri = ?", (uri,))
            if found is None:
                break
            body = json.loads(found["body"])
            level = {"level": body["level"]} if "level" in body else {}
            ancestors.append({"ref": uri, **level})
            hidden = hidden or not body.get("publish")
            if above is None:
                break
            above = found["parent"]
        shown["ancestors"] = ancestors
        shown["has_unpublished_ancestor"] = hidden


def render_repository(row: Any) -> Json:
    """A repository from its row."""
    body = json.loads(row["body"])
    return {
        "lock_version": row["lock_version"],
        **body,
        **audit(row),
        "position": row["number"] - 1,
        "jsonmodel_type": "repository",
        "uri": row["uri"],
        "display_string": f"{body['name']} ({body['repo_code']})",
    }


def audit(row: Any) -> Json:
    """Who made a record and when, as shown."""
    people = {
        name: row[name] for name in ("created_by", "last_modified_by") if row[name] is not None
    }
    times = {name: iso(row[name]) for name in ("create_time", "system_mtime", "user_mtime")}
    return {**people, **times}


def _refs(uris: list[str]) -> list[Json]:
    return [{"ref": uri} for uri in uris]


def _display(shown: Json) -> str:
    pieces = [shown[name] for name in ("label", "title") if shown.get(name)]
    for part in shown.get("dates", []):
        if part.get("expression"):
            pieces.append(part["expression"])
        elif part.get("begin"):
            pieces.append(" - ".join(part[name] for name in ("begin", "end") if part.get(name)))
    return ", ".join(pieces)


def _name_agent(shown: Json) -> None:
    for number, name in enumerate(shown.get("names", [])):
        if name.get("sort_name_auto_generate", True):
            pieces = [
                name[part]
                for part in ("manufacturer", "software_name", "primary_name", "version")
                if name.get(part)
            ]
            rest = name.get("rest_of_name")
            name["sort_name"] = " ".join(pieces) + (f", {rest}" if rest else "")
        if number == 0:
            name["authorized"] = name["is_display_name"] = True
            shown["display_name"] = name
            shown["title"] = name.get("sort_name", "")
    shown["agent_type"] = shown["jsonmodel_type"]
    shown["is_linked_to_published_record"] = False
    for name in ("linked_agent_roles", "used_within_repositories"):
        shown[name] = []
    shown["used_within_published_repositories"] = []
