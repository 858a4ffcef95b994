"""The parts of a record as the server keeps them: numbered, dated, with their defaults.

The server deletes and makes anew every part of a record at each save.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from hotfolder.sandbox.contract import Json
from hotfolder.sandbox.state import State, iso

_WITHOUT_LOCK = frozenset({"external_id", "rights_statement_act"})
_AUDIT = ("created_by", "last_modified_by", "create_time", "system_mtime", "user_mtime")


def stamp_parts(state: State, body: Json, owner: str, repository: str | None, user: str) -> Json:
    """A cleaned record with its parts as they are read back. ``owner`` is its uri."""
    stamper = _Stamper(state, owner, repository, user)
    return {name: stamper.value(value) for name, value in body.items()}


def bare(body: Any) -> Any:
    """A record without what the server adds: for comparing contents."""
    if isinstance(body, dict):
        return {k: bare(v) for k, v in body.items() if k not in (*_AUDIT, "lock_version")}
    if isinstance(body, list):
        return [bare(item) for item in body]
    return body


class _Stamper:
    def __init__(self, state: State, owner: str, repository: str | None, user: str) -> None:
        self._state = state
        self._owner = owner
        self._repository = repository
        now = iso(state.now())
        self._audit = dict(zip(_AUDIT, (user, user, now, now, now), strict=True))

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("jsonmodel_type")
        inner = {name: self.value(item) for name, item in value.items()}
        if not isinstance(kind, str):
            return inner
        if kind.startswith("note_"):
            return {"persistent_id": secrets.token_hex(16), "publish": False, **inner}
        inner.pop("lock_version", None)
        if kind not in _WITHOUT_LOCK:
            inner["lock_version"] = 0
        inner.update(self._audit)
        return inner | dict(self._extra(kind, inner))

    def _extra(self, kind: str, part: Json) -> Iterator[tuple[str, Any]]:
        if kind in {"file_version", "external_document"} and "publish" not in part:
            yield "publish", False
        if kind == "file_version":
            yield "identifier", str(self._state.next_number("file_version"))
        elif kind == "rights_statement" and "identifier" not in part:
            yield "identifier", secrets.token_hex(16)
        elif kind == "user_defined":
            yield "repository", {"ref": self._repository}
        elif kind == "collection_management":
            number = self._state.next_number("collection_management")
            yield "uri", f"{self._repository}/collection_management/{number}"
            yield "repository", {"ref": self._repository}
            yield "parent", {"ref": self._owner}
