"""ArchivesSpace is told what was decided about the versions of templates that it has."""

from __future__ import annotations

from hotfolder.core.crashpoints import crashpoint
from hotfolder.core.ports import Clock, Emit, Journal
from hotfolder.core.profiles import TemplateEvents
from hotfolder.core.templateevents import make_events

_IDLE = 5.0  # seconds
_PAGE = 50  # versions in one step


class TemplateTelling:
    """Puts the events of versions that ArchivesSpace has into the outbox, each once."""

    def __init__(
        self, *, journal: Journal, events: TemplateEvents, clock: Clock, emit: Emit
    ) -> None:
        self._journal = journal
        self._events = events
        self._clock = clock
        self._emit = emit

    def pending(self) -> bool:
        """Whether a version is there whose events were not made."""
        return bool(self._journal.templates_untold(1))

    def step(self) -> float:
        """Put the events of some versions into the outbox; seconds to the next step."""
        rows = self._journal.templates_untold(_PAGE)
        for row in rows:
            events = make_events(row, self._events)
            self._journal.tell_template(row.identity, row.business_unit, events, self._clock.now())
            # survives: killed here, its events wait in the outbox and are not made again
            crashpoint("template.told")
            self._emit("template.told", spool=row.spool_id, count=len(events))
        return 0.0 if rows else _IDLE
