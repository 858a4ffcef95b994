"""The time that a real server takes, for measuring clients against. Off by default."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds added to requests.

    ``document`` for each digital object of an import, ``post`` for each other POST,
    ``get`` for each GET. With ``whole_seconds`` an import's answer ends at the next
    whole second after its beginning, as the server polls its progress once a second.
    ``at_once`` is how many requests are worked on at a time (0: all).
    """

    document: float = 0.0
    post: float = 0.0
    get: float = 0.0
    whole_seconds: bool = False
    at_once: int = 0

    def of(self, method: str, path: str, documents: int) -> float:
        """Seconds of work that a request takes."""
        if method == "GET":
            return self.get
        if path.endswith("/batch_imports"):
            return self.document * documents
        return self.post if method == "POST" and not path.endswith("/login") else 0.0

    def rest(self, path: str, taken: float) -> float:
        """Seconds between the end of the work and the end of the answer."""
        if not self.whole_seconds or not path.endswith("/batch_imports"):
            return 0.0
        return max(1.0, math.ceil(taken)) - taken
