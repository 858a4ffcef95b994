"""What gives documents to the person at the command line, put together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hotfolder.flows.give import Giving
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.parts import SystemClock, open_store
from hotfolder.service.settings import Configuration


@contextmanager
def opened_giving(
    configuration: Configuration, journal: SqliteJournal, reason: str
) -> Iterator[Giving]:
    """Gives out of the store and its copies, on the terms of ``[retrieve]``."""
    configure_logs(configuration.log_format, configuration.log_level)
    emit = make_emit()
    giving = Giving(
        journal=journal,
        store=open_store(configuration, emit),
        clock=SystemClock(),
        emit=emit,
        actor=actor(),
        reason=reason,
        profile=configuration.retrieve,
    )
    try:
        yield giving
    finally:
        giving.close()
