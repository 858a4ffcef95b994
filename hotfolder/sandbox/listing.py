"""Lists of records, and finding them by their identifiers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hotfolder.sandbox.answers import bad_parameters
from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.keys import collate
from hotfolder.sandbox.kinds import Kind
from hotfolder.sandbox.rendering import Renderer
from hotfolder.sandbox.state import State

PAGE = 10
PAGE_LIMIT = 250
_ABSENT = "Parameter required but no value provided"
_BY_ID = {  # segment: parameter names that may be asked by
    "digital_objects": ("digital_object_id",),
    "digital_object_components": ("component_id",),
    "archival_objects": ("ref_id", "component_id"),
    "resources": ("identifier",),
    "top_containers": ("indicator", "barcode"),
}

Query = Sequence[tuple[str, str]]


def first(query: Query, name: str) -> str | None:
    """The first value of a parameter."""
    return next((value for key, value in query if key == name), None)


def every(query: Query, name: str) -> list[str]:
    """All values of a parameter, with or without brackets after its name."""
    return [value for key, value in query if key in {name, f"{name}[]"}]


def number(query: Query, name: str) -> int | None:
    """A whole number; None if it is not given. Raises ``Refusal`` (400)."""
    text = first(query, name)
    if text is None:
        return None
    if not text.lstrip("-").isdecimal():
        raise bad_parameters({name: [f"Wanted type Integer but got '{text}'"]})
    return int(text)


def page_wanted(query: Query) -> tuple[int, int]:
    """Number and size of the page that is asked for. Raises ``Refusal`` (400)."""
    page = number(query, "page")
    if page is None:
        raise bad_parameters({name: [_ABSENT] for name in ("page", "id_set", "all_ids")})
    return page, max(1, min(number(query, "page_size") or PAGE, PAGE_LIMIT))


class Listing:
    """Reads many records. Call while nobody writes."""

    def __init__(self, state: State, renderer: Renderer) -> None:
        self._state = state
        self._renderer = renderer

    def some(self, kind: Kind, repository: str | None, query: Query) -> Any:
        """One of a page, ``id_set`` or ``all_ids``. Raises ``Refusal`` (400)."""
        where = (
            "kind = ? AND repository IS ? AND NOT suppressed AND system_mtime >= ?",
            [kind.name, repository, number(query, "modified_since") or 0],
        )
        if first(query, "all_ids") is not None:
            return [row["number"] for row in self._rows("number", *where)]
        ids = first(query, "id_set")
        if ids is not None:
            return self._by_numbers(where, ids, query)
        page, size = page_wanted(query)
        total = self._rows("count(*) AS total", *where)[0]["total"]
        rows = self._rows(
            "*",
            f"{where[0]} ORDER BY number LIMIT ? OFFSET ?",
            [*where[1], size, size * (page - 1)],
        )
        return {
            "first_page": 1,
            "last_page": max(1, -(-total // size)),
            "this_page": page,
            "total": total,
            "results": self._render(rows, query),
        }

    def find_by_id(self, kind: Kind, repository: str, query: Query) -> Json:
        """References to the records with the identifiers asked for, resolved on demand."""
        found: dict[str, Any] = {}
        for name in _BY_ID.get(kind.segment, ()):
            wanted = {_comparable(name, value) for value in every(query, name)}
            for row in self._candidates(kind, repository, name, wanted):
                found[row["uri"]] = row
        resolve = kind.segment in every(query, "resolve")
        rows = sorted(found.values(), key=lambda row: int(row["number"]))
        refs: list[Json] = [{"ref": row["uri"]} for row in rows]
        if resolve:
            for ref, row in zip(refs, rows, strict=True):
                ref["_resolved"] = self._renderer.record(row)
        deeper = [
            rest
            for head, _, rest in (n.partition("::") for n in every(query, "resolve"))
            if head == kind.segment and rest
        ]
        for ref in refs:
            if deeper and "_resolved" not in ref:
                ref["_resolved"] = self._renderer.record(found[ref["ref"]])
            if "_resolved" in ref:
                self._renderer.resolved(ref["_resolved"], deeper)
        return {kind.segment: refs}

    def _candidates(self, kind: Kind, repository: str, name: str, wanted: set[str]) -> list[Any]:
        if not wanted:
            return []
        if name == "digital_object_id":
            return self._by_keys(f"do {repository}", wanted)
        if name == "identifier":
            return self._by_keys(f"resource {repository}", wanted)
        if name == "ref_id":
            rows = self._state.rows(
                "SELECT r.* FROM json_each(?) w JOIN key k ON k.value = w.value"
                " JOIN record r ON r.uri = k.uri WHERE k.scope LIKE 'ref %'"
                " AND r.repository = ? AND NOT r.suppressed",
                (json.dumps(sorted(wanted)), repository),
            )
            return list(rows)
        rows = self._state.rows(
            "SELECT * FROM record WHERE kind = ? AND repository = ? AND NOT suppressed"
            " AND json_extract(body, '$.' || ?) IS NOT NULL",
            (kind.name, repository, name),
        )
        return [row for row in rows if collate(str(json.loads(row["body"])[name])) in wanted]

    def _by_keys(self, scope: str, wanted: set[str]) -> list[Any]:
        return self._state.rows(
            "SELECT r.* FROM json_each(?) w JOIN key k ON k.scope = ? AND k.value = w.value"
            " JOIN record r ON r.uri = k.uri WHERE NOT r.suppressed",
            (json.dumps(sorted(wanted)), scope),
        )

    def _by_numbers(self, where: tuple[str, list[Any]], ids: str, query: Query) -> list[Json]:
        numbers = [part.strip() for part in ids.split(",")]
        if len(numbers) > PAGE_LIMIT:
            raise bad_parameters({"id_set": [f"At most {PAGE_LIMIT} ids may be asked for"]})
        if not all(part.isdecimal() for part in numbers):
            raise bad_parameters({"id_set": [f"Wanted type Integer but got '{ids}'"]})
        rows = self._rows(
            "*",
            f"{where[0]} AND number IN (SELECT value FROM json_each(?)) ORDER BY number",  # noqa: S608
            [*where[1], json.dumps([int(part) for part in numbers])],
        )
        return self._render(rows, query)

    def _render(self, rows: Sequence[Any], query: Query) -> list[Json]:
        names = every(query, "resolve")
        return [self._renderer.resolved(self._renderer.record(row), names) for row in rows]

    def _rows(self, columns: str, where: str, values: Sequence[Any]) -> list[Any]:
        return self._state.rows(f"SELECT {columns} FROM record WHERE {where}", values)  # noqa: S608


def _comparable(name: str, value: str) -> str:
    if name != "identifier":
        return collate(value)
    try:
        parts = json.loads(value)
    except json.JSONDecodeError:
        return ""
    parts = parts if isinstance(parts, list) else [parts]
    return collate(json.dumps([*parts, None, None, None, None][:4]))
