"""What makes evidence, put together from a configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import click

from hotfolder import __version__
from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core.duties import Duty
from hotfolder.core.errors import OperatorFault
from hotfolder.core.ports import Clock
from hotfolder.flows.evidence import Bagged, Evidence
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.authority import describe_left_out, require_about, units_of
from hotfolder.service.finding import make_query, page_through
from hotfolder.service.inspecting import opened
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.naming import resolve
from hotfolder.service.parts import SystemClock, make_signing, open_store
from hotfolder.service.settings import Configuration, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes the bags that a command asks for."""

    config_path: str
    configuration: Configuration
    journal: SqliteJournal
    flow: Evidence

    def named(self, text: str) -> tuple[str, ...]:
        """The documents that a name stands for; see ``service.naming.resolve``."""
        return resolve(self.config_path, self.journal, text)

    def make(self, identity: str, path: str, *, reason: str, with_spool: bool | None) -> Bagged:
        """See ``flows.evidence.Evidence.make``. Raises ``OperatorFault`` too for a document
        of a business unit whose documents the person may not have."""
        require_about(self.configuration, self.journal, Duty.RETRIEVE, identity, actor())
        target = os.path.abspath(os.fsencode(path))
        return self.flow.make(identity, target, actor=actor(), reason=reason, with_spool=with_spool)

    def documents_of(self, case: str) -> list[str]:
        """Every document with this reference: of any kind, or ``claim:…`` and the like."""
        seen = units_of(self.configuration, self.journal, Duty.RETRIEVE, actor())
        if seen.left_out:
            click.echo(describe_left_out(seen.left_out), err=True)
        query = make_query(self.journal, case=case, units=seen.units)
        return [row.document.identity for row in page_through(self.journal, query)]


@contextmanager
def opened_maker(config_path: str, *, offline: bool) -> Iterator[Maker]:
    """A maker on the configured journal and store. ArchivesSpace is asked unless
    ``offline``; without its password the bags say that it was not."""
    with opened(config_path) as (configuration, journal):
        configure_logs(configuration.log_format, configuration.log_level)
        clock, emit = SystemClock(), make_emit()
        archive = None if offline else _archive(config_path, clock)
        signing = make_signing(journal, configuration.audit, clock, _ignore)
        has_key = bool(configuration.audit.signing_key)
        try:
            yield Maker(
                config_path=config_path,
                configuration=configuration,
                journal=journal,
                flow=Evidence(
                    journal=journal,
                    store=open_store(configuration, emit, clock=clock),
                    desk=None if archive is None else archive.desk,
                    sign=partial(signing.sign, actor()) if has_key else None,
                    clock=clock,
                    emit=emit,
                    terms=configuration.retrieve,
                    version=__version__,
                    shield=configuration.archive.shield,
                    scratch=os.path.dirname(os.fsencode(configuration.journal_path)),
                ),
            )
        finally:
            if archive is not None:
                archive.close()


def _archive(config_path: str, clock: Clock) -> ArchivesSpace | None:
    try:
        configuration = load(config_path)
    except OperatorFault as error:
        # Whoever makes evidence need not have the service's credentials.
        click.echo(f"ArchivesSpace is not asked: {error.message}", err=True)
        return None
    return ArchivesSpace(
        configuration.archive,
        configuration.password,
        configuration.rules,
        clock=clock,
        version=__version__,
        on_event=_ignore,
    )


def _ignore(_event: str, /, **_fields: object) -> None:
    """A command tells what it did in words of its own."""
