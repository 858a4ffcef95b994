"""The sandbox's own paths, beside the server's: faults, state, sessions.

``GET|POST|DELETE /__sandbox/faults``, ``GET /__sandbox/requests``,
``GET /__sandbox/state``, ``POST /__sandbox/snapshot`` and ``/__sandbox/restore`` with
``{"path": …}``. Refused unless the sandbox was started with control.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from hotfolder.sandbox.answers import Answer, answer
from hotfolder.sandbox.backend import Backend, everything
from hotfolder.sandbox.faults import Faults, from_json, to_json

PREFIX = "/__sandbox/"


class Control:
    """Answers the control paths. Safe from any thread."""

    def __init__(self, backend: Backend, faults: Faults, *, allowed: bool) -> None:
        self._backend = backend
        self._faults = faults
        self._allowed = allowed

    def handle(self, method: str, path: str, body: bytes) -> Answer:
        """One request under ``PREFIX``."""
        if not self._allowed:
            return answer({"error": "The sandbox was started without control"}, status=403)
        try:
            told = self._tell(method, path.removeprefix(PREFIX), body)
        except (ValueError, OSError, sqlite3.Error) as error:
            return answer({"error": str(error)}, status=400)
        if told is None:
            return answer({"error": "No such control"}, status=404)
        return answer(told)

    def _tell(self, method: str, name: str, body: bytes) -> Any:  # noqa: PLR0911  one a path
        match method, name:
            case "GET", "faults":
                return [to_json(fault) for fault in self._faults.waiting()]
            case "POST", "faults":
                self._faults.add(from_json(_object(body)))
                return {"status": "added"}
            case "DELETE", "faults":
                self._faults.clear()
                return {"status": "cleared"}
            case "GET", "requests":
                return [{"method": s.method, "path": s.path} for s in self._faults.seen()]
            case "GET", "state":
                return everything(self._backend)
            case "POST", "snapshot":
                self._backend.state.snapshot(_path(body))
                return {"status": "saved"}
            case "POST", "restore":
                self._backend.state.restore(_path(body))
                return {"status": "restored"}
            case _:
                return None


def _object(body: bytes) -> dict[str, Any]:
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("an object is wanted")  # noqa: TRY004  what was sent, not how called
    return value


def _path(body: bytes) -> str:
    path = _object(body).get("path")
    if not isinstance(path, str) or not path:
        raise ValueError("a path is wanted")
    return path
