"""Steering: what an operator does to spools and units, and after a loss."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hotfolder.core.errors import (
    EX_NOINPUT,
    EX_OK,
    EX_TEMPFAIL,
    EX_USAGE,
    ArchiveFault,
    Fault,
    OperatorFault,
)
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.ports import Clock
from hotfolder.journal.daemonlock import DaemonLock, acquire_daemon_lock
from hotfolder.journal.rebuilt import BEGUN, REBUILT, SUBJECT
from hotfolder.service.actor import actor
from hotfolder.service.composition import Works, assemble
from hotfolder.service.inspecting import opened
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.parts import SystemClock
from hotfolder.service.settings import Configuration, load
from hotfolder.service.starting import STARTING_CONFIGURATION
from hotfolder.service.terminal import Progress, print_json


def write_configuration(path: Path, *, force: bool, as_json: bool) -> int:
    """Write the commented starting configuration; never over one that is there."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        descriptor = os.open(path, flags, 0o640)
    except FileExistsError as error:
        raise OperatorFault(
            f"{path} is there already",
            hint="name another file, or overwrite it with --force",
            code="init.exists",
        ) from error
    except OSError as error:
        raise OperatorFault(
            f"{path} cannot be written: {error.strerror}",
            hint="make its folder, or name another file",
            code="init.write",
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(STARTING_CONFIGURATION)
    if as_json:
        print_json({"written": str(path)})
    else:
        click.echo(f"{path} written; fill it in, then: hotfolder check --config {path}")
    return EX_OK


def retry(config_path: str, subjects: Sequence[str], *, everything: bool, as_json: bool) -> int:
    """Make spools or units due now."""
    if bool(subjects) == everything:
        click.echo("name spools or units, or say --all", err=True)
        return EX_USAGE
    with opened(config_path) as (_, journal):
        now = SystemClock().now()
        changed = journal.retry_now(subjects, now)
        if everything:
            changed += journal.readmit_changes(now)
        for subject in subjects:
            if (row := journal.get_spool(subject)) is not None:
                changed += journal.readmit_documents(row.id, now)
        journal.append_audit(actor(), "operator.retry", " ".join(subjects) or "all", {}, now)
    if as_json:
        print_json({"changed": changed})
    else:
        click.echo(f"{changed} to be tried again now")
    return EX_OK if changed or everything else EX_NOINPUT


def hold(config_path: str, spool: str, reason: str, *, as_json: bool) -> int:
    """Stop a spool where it is."""
    with opened(config_path) as (_, journal):
        row = journal.get_spool(spool)
        if row is None:
            click.echo(f"no spool {spool!r}", err=True)
            return EX_NOINPUT
        now = SystemClock().now()
        fault = Fault(
            code="operator.hold", message=reason, remedy=f"`hotfolder release {row.id[:12]}`"
        )
        try:
            journal.set_aside(row.id, SpoolState.HELD, [fault], now, actor=actor(), reason=reason)
        except ValueError as error:
            click.echo(f"spool {row.id} is {row.state} and cannot be held now: {error}", err=True)
            click.echo("  documents are kept by a legal hold: `hotfolder holds place`", err=True)
            return EX_TEMPFAIL
    if as_json:
        print_json({"id": row.id, "state": "HELD", "held_from": str(row.state)})
    else:
        click.echo(f"spool {row.id} is held; it was {row.state}")
    return EX_OK


def release(config_path: str, spool: str, reason: str, *, as_json: bool) -> int:
    """Let a held or corrupt spool go on."""
    with opened(config_path) as (_, journal):
        row = journal.get_spool(spool)
        if row is None:
            click.echo(f"no spool {spool!r}", err=True)
            return EX_NOINPUT
        now = SystemClock().now()
        try:
            state = journal.release(row.id, reason, now, actor=actor())
        except ValueError as error:
            click.echo(f"spool {row.id} cannot be released: {error}", err=True)
            return EX_USAGE
    if as_json:
        print_json({"id": row.id, "state": str(state)})
    else:
        click.echo(f"spool {row.id} goes on from {state}")
    return EX_OK


def replay(
    config_path: str, *, since: str | None, folder: str | None, verify: bool, as_json: bool
) -> int:
    """Compare confirmed units with the server, then send what it lost."""
    configuration = load(config_path)
    since_at = None if since is None else instant(since)
    if folder is not None and folder not in configuration.intake_folders:
        raise OperatorFault(
            f"no hot folder is called {folder!r}",
            hint="one of " + ", ".join(configuration.intake_folders),
            code="replay.folder",
        )
    works = _assemble(configuration)
    try:
        with Progress("units compared", as_json=as_json) as progress:
            report = works.replay.compare(
                since=since_at, folder=folder, verify=verify, progress=progress.reached
            )
        sent: int | None = None
        waiting = 0
        if (lock := _try_lock(configuration)) is not None:
            try:
                sent, waiting = send_open(works, works.clock, as_json=as_json)
            finally:
                lock.release()
        works.journal.append_audit(
            actor(),
            "operator.replay",
            folder or "all",
            {"units": report.units, "lost": report.units_lost, "documents": report.documents_lost},
            works.clock.now(),
        )
    finally:
        works.close()
    data = {
        "units_compared": report.units,
        "units_lost": report.units_lost,
        "documents_lost": report.documents_lost,
        "documents_corrupt": report.documents_corrupt,
        "changes_told_again": report.told_again,
        "units_sent_again": sent,
        "units_waiting": waiting,
    }
    if as_json:
        print_json(data)
    else:
        click.echo(f"{report.units} units compared, {report.units_lost} lost by the server")
        if verify:
            click.echo(f"{report.documents_lost} documents lost, {report.documents_corrupt} differ")
        if report.told_again:
            click.echo(
                f"{report.told_again} changes of records, and events, are told again by the daemon"
            )
        if sent is None:
            click.echo("the running daemon sends what was lost")
        else:
            click.echo(f"{sent} units sent again, {waiting} still wait for the server")
    return EX_TEMPFAIL if waiting else EX_OK


def send_open(works: Works, clock: Clock, *, as_json: bool) -> tuple[int, int]:
    """Deliver every open unit and backlog once; (confirmed, still open)."""
    sent = 0
    stopped: set[tuple[str, str]] = set()  # series that wait for the operator
    with Progress("units sent", as_json=as_json) as progress:
        while True:
            due = works.journal.units(
                [UnitState.PLANNED, UnitState.SENT], due_at=clock.now(), limit=100
            )
            due += [
                unit
                for backlog in works.journal.backlogs()
                if (backlog.business_unit, backlog.series) not in stopped
                and (
                    unit := works.delivery.plan(
                        backlog.business_unit, backlog.series, backlog.cycle
                    )
                )
                is not None
            ]
            if not due:
                break
            for unit in due:
                try:
                    answered = works.delivery.deliver(unit)
                except ArchiveFault:
                    raise
                except OperatorFault as error:
                    stopped.add((unit.business_unit, unit.series))
                    works.emit(
                        "unit.stopped", unit=unit.ref_id, reason=error.code, error=error.message
                    )
                    continue
                if not answered:
                    works.delivery.note_failure("no usable answer during a replay")
                    return sent, _count_open(works)
                sent += 1
                progress.reached(sent)
    works.finisher.finish()
    return sent, _count_open(works)


def _count_open(works: Works) -> int:
    return len(works.journal.units([UnitState.PLANNED, UnitState.SENT]))


def rebuild(config_path: str, *, as_json: bool) -> int:
    """A new journal from store and server."""
    configuration = load(config_path)
    lock = acquire_daemon_lock(os.fsencode(configuration.journal_path))
    try:
        works = _assemble(configuration, rebuilding=True)
        try:
            # First of all: one that is killed half way must not let anything be destroyed.
            works.journal.append_audit(actor(), BEGUN, SUBJECT, {}, works.clock.now())
            with Progress("spools read", as_json=as_json) as progress:
                report = works.rebuild.run(progress.reached)
            works.finisher.recover()
            while works.finisher.finish():
                pass
            works.journal.append_audit(
                actor(),
                REBUILT,
                SUBJECT,
                {"spools": report.spools, "confirmed": report.confirmed},
                works.clock.now(),
            )
        finally:
            works.close()
    finally:
        lock.release()
    if as_json:
        print_json(
            {
                "spools": report.spools,
                "documents": report.documents,
                "confirmed": report.confirmed,
                "unreadable": report.unreadable,
                "differing": report.differing,
            }
        )
    else:
        click.echo(
            "nothing is destroyed until `hotfolder disposal resume` is given: the manual says"
            " what to see to first (After a loss)"
        )
        click.echo(
            f"{report.spools} spools with {report.documents} documents;"
            f" {report.confirmed} confirmed by ArchivesSpace,"
            f" {report.documents - report.confirmed} to be delivered"
        )
        if report.unreadable or report.differing:
            click.echo(
                f"{report.unreadable} objects unreadable, {report.differing} records differ:"
                " see the log above"
            )
    return EX_OK


def _assemble(configuration: Configuration, *, rebuilding: bool = False) -> Works:
    configure_logs(configuration.log_format, configuration.log_level)
    return assemble(configuration, make_emit(), rebuilding=rebuilding)


def _try_lock(configuration: Configuration) -> DaemonLock | None:
    try:
        return acquire_daemon_lock(os.fsencode(configuration.journal_path))
    except OperatorFault:
        return None


def instant(text: str) -> float:
    """Seconds since the epoch for an ISO 8601 day or time; UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise OperatorFault(
            f"{text!r} is no day or time",
            hint="write it like 2026-11-22 or 2026-11-22T18:00:00",
            code="replay.since",
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
