"""``hotfolder migrate plan``, ``run`` and ``status``: an old archive is looked at, and moved in."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hotfolder.core.errors import EX_DATAERR, EX_OK, EX_TEMPFAIL, OperatorFault
from hotfolder.core.legacy import MigrationCounts, MigrationProfile
from hotfolder.core.migrationplan import Findings, plan_report
from hotfolder.core.receipts import instant
from hotfolder.flows.migrating import Migrated, Migrating
from hotfolder.flows.surveying import Surveying, days_of
from hotfolder.journal.daemonlock import DaemonLock, acquire_daemon_lock
from hotfolder.journal.surveys import Survey, count_surveyed, remove_survey
from hotfolder.service.actor import actor
from hotfolder.service.composition import Works, assemble
from hotfolder.service.importers import Importers
from hotfolder.service.inspecting import opened
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.migrationlock import migrating_alone, survey_path
from hotfolder.service.migrationsurvey import profile_of, surveyed, surveying
from hotfolder.service.parts import SpoolIds, SystemClock
from hotfolder.service.priority import give_way
from hotfolder.service.reporting import check_places, give_report
from hotfolder.service.settings import Configuration, load
from hotfolder.service.signals import SignalFlag, stop_on_signals
from hotfolder.service.terminal import Progress, print_json, print_table

_BUSY_PAUSE = 0.02  # seconds; importers are at work


def _scratch(configuration: Configuration) -> bytes:
    return os.path.dirname(os.fsencode(configuration.journal_path))


# -- plan --------------------------------------------------------------------------------
def plan(
    config_path: str, name: str, *, as_json: bool, html: str | None, csv_folder: str | None
) -> int:
    """Read everything and move nothing; 65 if something would be rejected, 75 if it was
    stopped."""
    check_places(new=[html, csv_folder and Path(csv_folder, "figures.csv")])
    with (
        stop_on_signals() as stopping,
        surveying(config_path, name, "plan") as (configuration, journal, profile, survey, source),
    ):
        with Progress("items read", as_json=as_json) as progress:
            done = Surveying(
                profile=profile,
                source=source,
                survey=survey,
                journal=journal,
                rules=configuration.rules,
                clock=SystemClock(),
                emit=make_emit(),
                scratch=_scratch(configuration),
                stopped=stopping.is_set,
                progress=progress.reached,
            ).run()
        if not done.finished:
            click.echo("stopped; give it again, and it goes on from here", err=True)
            return EX_TEMPFAIL
        found = _findings(survey, journal.migration_rate(name))
    report = plan_report(profile, found, str(instant(time.time())))
    give_report(report, as_json=as_json, html=html, csv_folder=csv_folder)
    if not as_json:
        for note in report.notes[:2]:
            click.echo(note)
        if done.seconds > 0 and done.read:
            click.echo(
                f"Read at {done.read / done.seconds:,.0f} items and"
                f" {done.size / done.seconds / 1e6:,.1f} MB a second."
            )
    return EX_DATAERR if found.faults else EX_OK


def _findings(survey: Survey, rate: float | None) -> Findings:
    items, size, documents = survey.totals()
    return Findings(
        items=items,
        size=size,
        documents=documents,
        would_be=survey.counts("would_be"),
        faults=survey.counts("fault"),
        missing=survey.counts("missing"),
        unknown=survey.counts("unknown"),
        formats=survey.counts("format"),
        years=survey.counts("year"),
        series=survey.counts("series"),
        twice=sum(count for _, count, _ in survey.counts("twice")),
        archived=sum(count for _, count, _ in survey.counts("archived")),
        days=days_of(survey),
        examples=survey.examples(),
        rate=rate,
    )


# -- run ---------------------------------------------------------------------------------
def run(config_path: str, name: str, *, as_json: bool, again: bool, limit: int | None) -> int:
    """Move it in; 65 if something was rejected, 75 if there is more to do."""
    configuration = load(config_path)
    profile = profile_of(configuration, name)
    configure_logs(configuration.log_format, configuration.log_level)
    with migrating_alone(configuration, name), stop_on_signals() as stopping:
        lock = _try_lock(configuration)
        works = assemble(configuration, make_emit())
        try:
            total = count_surveyed(survey_path(configuration, name, "plan"))
            with Progress("items moved in", as_json=as_json, total=total, time_left=True) as bar:
                done = _migrate(
                    configuration, profile, works, lock is not None, stopping, bar,
                    again=again, limit=limit,
                )  # fmt: skip
            works.journal.append_audit(
                actor(),
                "operator.migrate",
                name,
                {"taken": done.taken, "refused": done.refused, "finished": done.finished},
                works.clock.now(),
            )
        finally:
            works.close()
            if lock is not None:
                lock.release()
    _tell_run(done, as_json=as_json)
    if not done.finished:
        return EX_TEMPFAIL
    return EX_DATAERR if done.counts.items.get("rejected") else EX_OK


def _migrate(
    configuration: Configuration,
    profile: MigrationProfile,
    works: Works,
    alone: bool,
    stopping: SignalFlag,
    bar: Progress,
    *,
    again: bool,
    limit: int | None,
) -> Migrated:
    with (
        surveyed(configuration, profile, "run") as (_, source),
        _driving(configuration, works, alone=alone) as drive,
    ):
        done = Migrating(
            profile=profile,
            source=source,
            journal=works.journal,
            intake=works.intake,
            finisher=works.finisher,
            clock=works.clock,
            emit=works.emit,
            new_id=SpoolIds(),
            minute_of_day=_local_minute,
            pause=stopping.wait,
            stopped=stopping.is_set,
            drive=drive,
            progress=bar.reached,
            again=again,
            limit=limit,
        ).run()
    remove_survey(survey_path(configuration, profile.name, "run"))
    return done


@contextmanager
def _driving(
    configuration: Configuration, works: Works, *, alone: bool
) -> Iterator[Callable[[], bool] | None]:
    """What the daemon's loops would do, one step at a time; None beside a daemon."""
    if not alone:
        give_way()
        yield None
        return
    works.finisher.recover()
    importers = Importers(
        journal=works.journal,
        delivery=works.delivery,
        clock=works.clock,
        emit=works.emit,
        threads=configuration.archive.importers,
    )

    def step() -> bool:
        moved = works.intake.advance() + works.finisher.finish() + works.tell.step()
        importers.step()
        if not moved and not importers.idle():
            time.sleep(_BUSY_PAUSE)
            return True
        return moved > 0

    try:
        yield step
        while works.tell.step():
            pass
    finally:
        importers.close(configuration.stop_timeout)


def _try_lock(configuration: Configuration) -> DaemonLock | None:
    try:
        return acquire_daemon_lock(os.fsencode(configuration.journal_path))
    except OperatorFault as error:
        if error.code != "journal.in_use":
            raise
        return None


def _local_minute() -> int:
    now = time.localtime()
    return now.tm_hour * 60 + now.tm_min


def _tell_run(done: Migrated, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "finished": done.finished,
                "taken": done.taken,
                "refused": done.refused,
                "known": done.known,
                **_counts_data(done.counts),
            }
        )
        return
    _show_counts(done.counts)
    click.echo(
        "every item of the export has come to its end"
        if done.finished
        else "not finished: give it again, and it goes on from here"
    )


def _counts_data(counts: MigrationCounts) -> dict[str, Any]:
    return {
        "items": {name or "under_way": number for name, number in counts.items.items()},
        "bytes": {name or "under_way": number for name, number in counts.size.items()},
        "documents": {name or "under_way": number for name, number in counts.documents.items()},
    }


def _show_counts(counts: MigrationCounts) -> None:
    print_table(
        "",
        ("", "items", "documents", "bytes"),
        [
            (
                name or "under way",
                f"{counts.items[name]:,}",
                f"{counts.documents.get(name, 0):,}",
                f"{counts.size.get(name, 0):,}",
            )
            for name in sorted(counts.items)
        ],
    )


# -- status ------------------------------------------------------------------------------
def status(config_path: str, *, as_json: bool) -> int:
    """How far each migration is."""
    with opened(config_path) as (configuration, journal):
        found = {
            profile.name: journal.migration_counts(profile.name)
            for profile in configuration.migrations
        }
    if as_json:
        print_json({name: _counts_data(counts) for name, counts in found.items()})
        return EX_OK
    for name, counts in found.items():
        click.echo(f"{name}:")
        _show_counts(counts)
    if not found:
        click.echo("no migration is configured")
    return EX_OK
