"""What a request to ArchivesSpace may end in, for the whole room."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hotfolder.core.errors import OperatorFault, Transient


class Unanswered(Transient):
    """The server may or may not have done what was asked."""


class Denied(OperatorFault):
    """The account may not do this; the server did nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that came in whole: 200 to 299, 400, 404, 409 or 413."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the server did what was asked."""
        return 200 <= self.status < 300

    def __repr__(self) -> str:
        return f"Reply(status={self.status}, {len(self.body)} bytes)"

    def decode(self) -> Any:
        """The body as JSON; ``Unanswered`` if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            failure = Unanswered("the server's answer is not JSON", hint="is a proxy in between?")
        # Raised outside the handler: the decoder's error holds the body.
        raise failure
