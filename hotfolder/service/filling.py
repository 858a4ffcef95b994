"""``hotfolder fill``: copies of the store get what they lack."""

from __future__ import annotations

import click

from hotfolder.core.errors import EX_IOERR, EX_OK, OperatorFault
from hotfolder.service.actor import actor
from hotfolder.service.inspecting import opened
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.parts import SystemClock, open_store
from hotfolder.service.terminal import Progress, print_json
from hotfolder.store.copies import CopiesStore


def fill_copies(config_path: str, *, as_json: bool) -> int:
    """Copy what is missing; 74 if something is whole nowhere."""
    with opened(config_path) as (configuration, journal):
        configure_logs(configuration.log_format, configuration.log_level)
        store = open_store(configuration, make_emit())
        if not isinstance(store, CopiesStore):
            raise OperatorFault(
                "the store has no copies",
                hint="name their roots in the configuration: copies, under [store]",
                code="store.no_copies",
            )

        def journalled(spool_id: str) -> str | None:
            row = journal.get_spool(spool_id)
            return None if row is None else row.sha256

        store.initialise(adding=True)
        with Progress("spools looked at", as_json=as_json) as progress:
            filled = store.fill(journalled, progress.reached)
        journal.append_audit(
            actor(),
            "operator.store_fill",
            "store",
            {
                "copied": filled.copied,
                "damaged": filled.damaged,
                "destroyed": filled.destroyed,
            },
            SystemClock().now(),
        )
    if as_json:
        print_json(
            {
                "present": filled.present,
                "copied": filled.copied,
                "damaged": filled.damaged,
                "destroyed": filled.destroyed,
            }
        )
    else:
        click.echo(f"{filled.copied:,} copied; {filled.present:,} spools were in every root")
        if filled.destroyed:
            click.echo(f"{filled.destroyed:,} destroyed ones had come back, and are gone")
        if filled.damaged:
            click.echo(f"{filled.damaged:,} spools are whole in no root: see the log above")
    return EX_IOERR if filled.damaged else EX_OK
