"""The loops of keeping: dates, and whatever else happens to documents that are archived."""

from __future__ import annotations

from collections.abc import Callable

from hotfolder.service.composition import Works


class KeepingLoops:
    """All of them, as (name, step), in the order in which they start."""

    def __init__(self, works: Works) -> None:
        self._works = works

    def steps(self) -> list[tuple[str, Callable[[], float]]]:
        """Name and step of each loop."""
        return [("retention", self._works.retaining.step)]

    def pending(self) -> bool:
        """Whether something can be done now: what waits for another attempt cannot."""
        return self._works.journal.retention_backlog() > 0

    def waiting(self) -> bool:
        """Whether something is not at its end."""
        return self.pending()
