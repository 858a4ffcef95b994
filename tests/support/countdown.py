"""A daemon in this process that dies at one of its crash points."""

from __future__ import annotations

from hotfolder.core import crashpoints
from tests.support.server_model import ProcessKilledError


def arm(countdown: int) -> list[str]:
    """Die at the so many-th crash point from now; the names of those that are reached, which
    grow while the daemon lives."""
    reached: list[str] = []

    def hook(name: str) -> None:
        reached.append(name)
        if len(reached) >= countdown:
            crashpoints.arm(None)
            raise ProcessKilledError

    crashpoints.arm(hook)
    return reached
