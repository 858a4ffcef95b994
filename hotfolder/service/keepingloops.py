"""The loops of keeping: dates, and whatever else happens to documents that are archived."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import BinaryIO

from hotfolder.core.disposals import DisposalState
from hotfolder.core.records import Inspection, Sighting
from hotfolder.service.composition import Works
from hotfolder.service.dropfolders import DropFolderLoop


def _never_whole(_sighting: Sighting, _stream: BinaryIO) -> Inspection:
    # CSV does not show that it has ended: the completion rule alone decides.
    return Inspection(format_name="events", has_trailer=False)


class KeepingLoops:
    """All of them, as (name, step), in the order in which they start."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self._folders = [
            DropFolderLoop(f"events.{name}", profile, works.event_files, works, whole=_never_whole)
            for name, profile in sorted(works.event_files.folders.items())
        ]

    def steps(self) -> list[tuple[str, Callable[[], float]]]:
        """Name and step of each loop."""
        found: list[tuple[str, Callable[[], float]]] = [
            ("retention", self._works.retaining.step),
            ("holds", self._works.holding.step),
            ("disposal", self._works.disposing.step),
            ("amend", self._works.amend.step),
            ("templates", self._works.templates.step),
        ]
        found += [(folder.name.replace(".", ":", 1), folder.step) for folder in self._folders]
        if self._works.feedback is not None:
            found.append(("feedback", self._works.feedback.step))
        if self._works.feeding.enabled:
            found.append(("feed", self._works.feeding.step))
        if self._works.feeding.calls:
            found.append(("callback", self._works.feeding.step_post))
        return found

    def pending(self) -> bool:
        """Whether something can be done now: what waits for another attempt cannot."""
        journal = self._works.journal
        if any(folder.pending() for folder in self._folders) or journal.retention_backlog() > 0:
            return True
        if self._works.templates.pending():
            return True
        if not self._works.holding.stuck() and self._holds_left():
            return True
        if self._told_back() or (self._destroying() and not self._works.disposing.waits):
            return True
        failures, _, _ = journal.server_state()
        return not failures and journal.has_changes_due(self._works.clock.now())

    def waiting(self) -> bool:
        """Whether something is not at its end."""
        feedback = self._works.feedback
        return (
            self.pending()
            or self._holds_left()
            or self._destroying()
            or self._works.journal.has_changes_due(inf)
            or (feedback is not None and feedback.waiting())
            or self._works.feeding.waiting()
        )

    def _holds_left(self) -> bool:
        return bool(self._works.journal.unfinished_holds(limit=1))

    def _told_back(self) -> bool:
        """Whether ArchivesSpace is to be looked at, or somebody downstream to be told."""
        feedback = self._works.feedback
        return (feedback is not None and feedback.pending()) or self._works.feeding.pending()

    def _destroying(self) -> bool:
        return bool(self._works.journal.disposals([DisposalState.EXECUTING], limit=1))

    def stop(self) -> None:
        """Stop watching; the threads have ended."""
        for folder in self._folders:
            folder.stop()
