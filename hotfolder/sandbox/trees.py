"""The root of a tree, as the server shows it: its first page of children."""

from __future__ import annotations

import json
from typing import Any

from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.linking import INSTANCE
from hotfolder.sandbox.state import State

_PAGE = 200


def tree_root(state: State, row: Any) -> Json:
    """The tree of a resource or a digital object, from its row."""
    body = json.loads(row["body"])
    children = state.rows(
        "SELECT * FROM record WHERE root = ? AND parent IS NULL ORDER BY position, number",
        (row["uri"],),
    )
    pages = -(-len(children) // _PAGE)
    shown = {
        "child_count": len(children),
        "waypoints": pages,
        "waypoint_size": _PAGE,
        "title": body["title"],
        "uri": row["uri"],
        "slugged_url": "",
        "jsonmodel_type": row["kind"],
        "parsed_title": body["title"],
        "suppressed": row["suppressed"],
        "has_digital_instance": _has_instance(state, row["uri"]),
    }
    if row["kind"] == "resource":
        shown["level"] = body["level"]
        shown["identifier"] = "-".join(body[f"id_{n}"] for n in range(4) if body.get(f"id_{n}"))
    else:
        shown["digital_object_type"] = body.get("digital_object_type")
        shown["file_uri_summary"] = ", ".join(
            version["file_uri"] for version in body.get("file_versions", [])
        )
    first = [_child(state, child, n) for n, child in enumerate(children[:_PAGE])]
    shown["precomputed_waypoints"] = {"": {"0": first}} if first else {}
    return shown


def _child(state: State, row: Any, position: int) -> Json:
    body = json.loads(row["body"])
    below = state.value("SELECT count(*) FROM record WHERE parent = ?", (row["uri"],))
    shown = {
        "child_count": below,
        "waypoints": -(-below // _PAGE),
        "waypoint_size": _PAGE,
        "title": body.get("title"),
        "slugged_url": "",
        "parsed_title": body.get("title"),
        "uri": row["uri"],
        "position": position,
        "parent_id": None,
        "suppressed": row["suppressed"],
        "jsonmodel_type": row["kind"],
        "has_digital_instance": _has_instance(state, row["uri"]),
        "identifier": body.get("component_id"),
        "level": body.get("level"),
    }
    kinds = [{"instance_type": part["instance_type"]} for part in body.get("instances", [])]
    if kinds:
        shown["containers"] = kinds
    return shown


def _has_instance(state: State, uri: str) -> bool:
    return bool(
        state.value("SELECT count(*) FROM link WHERE source = ? AND kind = ?", (uri, INSTANCE))
    )
