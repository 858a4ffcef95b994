"""Links between records: what points where, and what a link does to its target.

The server keeps a link on both sides, so linking raises the ``lock_version`` of the
record that is linked to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hotfolder.sandbox.answers import unrelated
from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.state import State

INSTANCE, EVENT, AGENT, SUBJECT, CLASSIFICATION = (
    "instance",
    "event",
    "agent",
    "subject",
    "classification",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link out of a record."""

    kind: str
    target: str


def links_of(kind: str, body: Json) -> list[Link]:
    """The links that a record's body holds, in its order."""
    found = [
        Link(kind=INSTANCE, target=instance["digital_object"]["ref"])
        for instance in body.get("instances", [])
        if "digital_object" in instance
    ]
    if kind == "event":
        found += _refs(EVENT, body.get("linked_records", []))
    found += _refs(AGENT, body.get("linked_agents", []))
    found += _refs(SUBJECT, body.get("subjects", []))
    found += _refs(CLASSIFICATION, body.get("classifications", []))
    return found


def _refs(kind: str, items: Iterable[Json]) -> list[Link]:
    return [Link(kind=kind, target=item["ref"]) for item in items if "ref" in item]


def relink(state: State, source: str, repository: str | None, links: list[Link]) -> None:
    """Replace the links of a record. Raises ``Refusal`` if a target is not there.

    A target in another repository counts as not there.
    """
    state.execute("DELETE FROM link WHERE source = ?", (source,))
    now = state.now()
    for link in links:
        row = state.row("SELECT repository FROM record WHERE uri = ?", (link.target,))
        if row is None or row["repository"] not in {None, repository}:
            raise unrelated(link.target)
        state.execute(
            "INSERT INTO link (kind, source, target) VALUES (?, ?, ?)",
            (link.kind, source, link.target),
        )
        state.execute(
            "UPDATE record SET lock_version = lock_version + 1, system_mtime = ? WHERE uri = ?",
            (now, link.target),
        )


def sources(state: State, target: str, kind: str) -> list[str]:
    """The records that link to ``target``, oldest link first."""
    rows = state.rows(
        "SELECT DISTINCT source FROM link WHERE target = ? AND kind = ? ORDER BY rowid",
        (target, kind),
    )
    return [row["source"] for row in rows]


def visible(state: State, refs: list[Json]) -> list[Json]:
    """Those of ``refs`` that lead to a record that users may see: the server leaves the
    others out without a word (``sequel_to_jsonmodel`` in ``mixins/relationships.rb`` gives
    nothing for them, and ``drop_empty_elements`` in ``json_schema_utils.rb`` drops that)."""
    return [
        ref
        for ref in refs
        if not state.value("SELECT suppressed FROM record WHERE uri = ?", (ref.get("ref"),))
    ]


def unlink_target(kind: str, body: Json, target: str) -> Json:
    """The body of a record without what pointed to a record that was deleted."""
    cleaned = dict(body)
    if "instances" in body:
        cleaned["instances"] = [
            item
            for item in body["instances"]
            if item.get("digital_object", {}).get("ref") != target
        ]
    names = ("linked_agents", "subjects", "classifications")
    for name in (*names, "linked_records") if kind == "event" else names:
        if name in body:
            cleaned[name] = [item for item in body[name] if item.get("ref") != target]
    return cleaned
