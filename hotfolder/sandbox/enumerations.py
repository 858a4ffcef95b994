"""The server's controlled lists. A list that was not recorded takes any value.

A suppressed value is shown as such and is not among ``values``; records may still have it,
and an update of the list leaves it as it is (backend/app/model/enumeration.rb, its
controller's spec, and backend_enum_source.rb, which knows no suppression). An update that
does not name it is denied where the list is fixed or the value read-only: ``apply_values`` of
enumeration.rb compares with all values before it deletes those that are not suppressed.
"""

from __future__ import annotations

import json
from typing import Any

from hotfolder.sandbox.answers import Refusal, denied, missing, stale_lock
from hotfolder.sandbox.contract import Contract, Json
from hotfolder.sandbox.state import State, iso

# Lists that every server has but nobody recorded, with the few values that clients of
# a sandbox need (ISO 639-2, ISO 15924); a real server has all of them. The lists of the enum
# slots come with one value (common/db/migrations/007_add_enums_to_user_defined.rb).
_NOT_RECORDED: dict[str, tuple[str, ...]] = {
    "language_iso639_2": ("dut", "eng", "fre", "ger", "ita", "mul", "spa", "und", "zxx"),
    **{f"user_defined_enum_{number}": ("novalue",) for number in range(1, 5)},
    "script_iso15924": ("Cyrl", "Grek", "Hans", "Latn", "Zyyy"),
}
_RECORDED_AT = 1_795_423_128  # when the recorded server made its lists


class Enumerations:
    """Lists as they are now; the values are kept in memory for checking records."""

    def __init__(self, state: State, contract: Contract) -> None:
        self._state = state
        self._values: dict[str, tuple[str, ...]] | None = None
        state.on_rollback(self._forget)
        if state.value("SELECT count(*) FROM enumeration") == 0:
            with state.transaction():
                for name, facts in contract.enumerations.items():
                    self._save(name, facts["id"], _fresh(facts))
                for number, (name, values) in enumerate(_NOT_RECORDED.items(), 900):
                    first = number * 1000
                    fresh = [[first + i, value, i, 1, True] for i, value in enumerate(values)]
                    facts = {"editable": True, "relationships": [], "values": fresh}
                    self._save(name, number, _fresh(facts))

    def values(self, name: str) -> tuple[str, ...] | None:
        """The values of a list; None if the list is not known here."""
        if self._values is None:
            rows = self._state.rows("SELECT name, body FROM enumeration")
            self._values = {
                row["name"]: tuple(v["value"] for v in json.loads(row["body"])["values"])
                for row in rows
            }
        return self._values.get(name)

    def add(self, name: str, value: str) -> None:
        """Add a value, as an import does without asking, to fixed lists too."""
        row = self._state.row("SELECT * FROM enumeration WHERE name = ?", (name,))
        if row is None:
            return
        body = json.loads(row["body"])
        if value not in [item["value"] for item in body["values"]]:
            body["values"].append(self._new_value(body, value, timed=False))
            self._save(name, row["number"], body)

    def update(self, number: int, posted: Json) -> Json:
        """Change a list to the posted values. Raises ``Refusal`` (404, 409, 403)."""
        row = self._row("number", number)
        body = json.loads(row["body"])
        if posted.get("lock_version") is None:
            raise Refusal(409, {"error": "You must provide a lock_version in your request"})
        if int(posted["lock_version"]) != body["lock_version"]:
            raise stale_lock()
        wanted = [str(value) for value in posted.get("values", []) if value]
        have = [item["value"] for item in body["values"]]
        lost = set(have) - set(wanted)
        if not body["editable"] and (lost or set(wanted) - set(have)):
            raise denied()
        if any(item["readonly"] and item["value"] in lost for item in body["values"]):
            raise denied()
        body["values"] = [
            item for item in body["values"] if item["value"] not in lost or item.get("suppressed")
        ]
        for value in wanted:
            if value not in have:
                body["values"].append(self._new_value(body, value, timed=True))
        body["lock_version"] += 1
        self._save(row["name"], number, body)
        return self._rendered(row["name"], number, body)

    def suppress(self, value: int, *, hide: bool) -> None:
        """Hide a value by its number, or show it again. Raises ``Refusal`` (404)."""
        for row in self._state.rows("SELECT * FROM enumeration"):
            body = json.loads(row["body"])
            for item in body["values"]:
                if item["id"] == value:
                    item["suppressed"] = hide
                    self._save(row["name"], row["number"], body)
                    return
        raise missing("EnumerationValue")

    def named(self, name: str) -> Json:
        """A list by its name. Raises ``Refusal`` (404)."""
        return self._render(self._row("name", name))

    def numbered(self, number: int) -> Json:
        """A list by its number. Raises ``Refusal`` (404)."""
        return self._render(self._row("number", number))

    def every(self) -> list[Json]:
        """All lists."""
        return [self._render(row) for row in self._state.rows("SELECT * FROM enumeration")]

    def _row(self, column: str, value: str | int) -> Any:
        query = {
            "name": "SELECT * FROM enumeration WHERE name = ?",
            "number": "SELECT * FROM enumeration WHERE number = ?",
        }[column]
        row = self._state.row(query, (value,))
        if row is None:
            raise missing("Enumeration")
        return row

    def _render(self, row: Any) -> Json:
        return self._rendered(row["name"], row["number"], json.loads(row["body"]))

    def _rendered(self, name: str, number: int, body: Json) -> Json:
        made = {key: iso(_RECORDED_AT) for key in ("create_time", "system_mtime", "user_mtime")}
        values = [
            {
                "id": item["id"],
                "enumeration_id": number,
                "value": item["value"],
                "readonly": item["readonly"],
                "position": item["position"],
                "suppressed": bool(item.get("suppressed")),
                "lock_version": 0,
                "json_schema_version": 1,
                **({key: iso(item["at"]) for key in made} if item["at"] is not None else {}),
                "jsonmodel_type": "enumeration_value",
                "uri": f"/config/enumeration_values/{item['id']}",
            }
            for item in body["values"]
        ]
        usable = [item for item in body["values"] if not item.get("suppressed")]
        shown = {
            "lock_version": body["lock_version"],
            "name": name,
            "editable": body["editable"],
            **made,
            "jsonmodel_type": "enumeration",
            "relationships": body["relationships"],
            "enumeration_values": values,
            "values": [item["value"] for item in usable],
            "readonly_values": [item["value"] for item in usable if item["readonly"]],
            "uri": f"/config/enumerations/{number}",
        }
        if body.get("default_value") is not None:
            shown["default_value"] = body["default_value"]
        return shown

    def _new_value(self, body: Json, value: str, *, timed: bool) -> Json:
        last = max((item["position"] for item in body["values"]), default=-1)
        return {
            "id": self._state.next_number("enumeration_value"),
            "value": value,
            "position": last + 1,
            "readonly": 0,
            "at": self._state.now() if timed else None,
        }

    def _save(self, name: str, number: int, body: Json) -> None:
        self._state.execute(
            "INSERT INTO enumeration (name, number, body) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            (name, number, json.dumps(body)),
        )
        self._forget()

    def _forget(self) -> None:
        self._values = None


def _fresh(facts: Json) -> Json:
    values = [
        {
            "id": number,
            "value": value,
            "position": position,
            "readonly": readonly,
            "at": _RECORDED_AT if timed else None,
        }
        for number, value, position, readonly, timed in facts["values"]
    ]
    return {
        "lock_version": 0,
        "editable": facts["editable"],
        "relationships": facts["relationships"],
        "default_value": facts.get("default_value"),
        "values": values,
    }
