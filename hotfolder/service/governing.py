"""What ``hotfolder governance`` does: looks for drift and tells it."""

from __future__ import annotations

import time

import click

from hotfolder import __version__
from hotfolder.archivesspace.archive import ArchivesSpace
from hotfolder.core.drift import Survey, drift_report, find_drift
from hotfolder.core.errors import EX_OK, HotfolderError
from hotfolder.core.receipts import instant
from hotfolder.service.inspecting import opened
from hotfolder.service.parts import SystemClock
from hotfolder.service.reporting import give_report
from hotfolder.service.settings import Configuration, load

EX_DRIFT = 1


def check_governance(
    config_path: str, *, as_json: bool, offline: bool, html: str | None, csv_folder: str | None
) -> int:
    """0 if nothing has drifted, 1 if something has. With a server that does not answer the
    code is that of the fault, after the rest was told."""
    with opened(config_path) as (configuration, journal):
        counted = journal.count_values()
    surveyed: Survey | None = None
    error: HotfolderError | None = None
    if not offline:
        try:
            surveyed = _survey(load(config_path))
        except HotfolderError as caught:
            error = caught
            click.echo(f"ArchivesSpace is not asked: {caught.message}", err=True)
    found = find_drift(configuration.rules, configuration.folders, counted, surveyed)
    report = drift_report(
        found,
        at=str(instant(time.time())),
        documents=sum(item.count for item in counted),
        asked=surveyed is not None,
    )
    give_report(report, as_json=as_json, html=html, csv_folder=csv_folder)
    if error is not None:
        return error.exit_code
    return EX_DRIFT if found else EX_OK


def _survey(configuration: Configuration) -> Survey:
    archive = ArchivesSpace(
        configuration.archive,
        configuration.password,
        configuration.rules,
        clock=SystemClock(),
        version=__version__,
        on_event=_ignore,
    )
    try:
        return archive.survey()
    finally:
        archive.close()


def _ignore(_event: str, /, **_fields: object) -> None:
    """The command tells what it found in words of its own."""
