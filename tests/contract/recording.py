"""The recorded server: its exchanges, and the facts that the sandbox takes from them.

Run as a module, it writes those facts to ``hotfolder/sandbox/data/contract.json``:

    python -m tests.contract.recording
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EXCHANGES = HERE / "exchanges.jsonl.gz"
SHIPPED = HERE.parent.parent / "hotfolder" / "sandbox" / "data" / "contract.json"

_ENUMERATION = re.compile(r"/config/enumerations/names/(\w+)\Z")
_ADDED = {("digital_object_level", "nonsense")}  # by an import during the recording
_SCHEMA = re.compile(r"/schemas/(\w+)\Z")


def read_exchanges() -> list[dict[str, Any]]:
    """Every exchange, in the order in which it was made."""
    with gzip.open(EXCHANGES, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def extract(exchanges: list[dict[str, Any]]) -> dict[str, Any]:
    """Schemas, lists, permissions and standard groups, as they were before any change."""
    facts: dict[str, Any] = {"schemas": {}, "enumerations": {}, "permissions": {}, "groups": []}
    for exchange in exchanges:
        path, status = exchange["request"]["path"], exchange["response"]["status"]
        body = exchange["response"]["body"]
        if status != 200:
            continue
        if (found := _SCHEMA.search(path)) is not None:
            facts["schemas"][found[1]] = body
        elif (found := _ENUMERATION.search(path)) is not None:
            facts["enumerations"].setdefault(found[1], _compact(body))
        elif path == "/users/admin/login" and not facts["permissions"]:
            facts["permissions"] = body["user"]["permissions"]
        elif path == "/repositories/2/groups" and exchange["request"]["method"] == "GET":
            facts["groups"] = [
                _group(group) for group in body if group["group_code"][:11] == "repository-"
            ]
    return facts


def _compact(body: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": int(body["uri"].rsplit("/", 1)[1])}
    for name in ("editable", "relationships", "default_value"):
        if name in body:
            facts[name] = body[name]
    facts["values"] = [
        [v["id"], v["value"], v["position"], v["readonly"], "create_time" in v]
        for v in body["enumeration_values"]
        if (body["name"], v["value"]) not in _ADDED
    ]
    return facts


def _group(group: dict[str, Any]) -> dict[str, Any]:
    return {
        "group_code": group["group_code"],
        "description": group["description"].replace("TEST", "{}"),
        "grants_permissions": group["grants_permissions"],
    }


def write() -> None:
    facts = extract(read_exchanges())
    SHIPPED.write_text(
        json.dumps(facts, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    write()
