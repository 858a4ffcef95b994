"""``hotfolder verify``: the scrub of the store, and mending what it found."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import (
    EX_IOERR,
    EX_NOINPUT,
    EX_OK,
    EX_TEMPFAIL,
    EX_USAGE,
    OperatorFault,
)
from hotfolder.core.fixity import Outcome
from hotfolder.core.pacing import Pace
from hotfolder.flows.discarding import discard
from hotfolder.flows.mend import mend
from hotfolder.flows.scrub import Scrub, Scrubbed
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.authority import require
from hotfolder.service.inspecting import opened
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.parts import SystemClock, open_store, roots_of
from hotfolder.service.priority import give_way
from hotfolder.service.settings import Configuration
from hotfolder.service.signals import SignalFlag, stop_on_signals
from hotfolder.service.steering import instant
from hotfolder.service.terminal import Progress, print_json, print_table
from hotfolder.store.ocfl import OcflStore

_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SHOWN = 50  # damaged objects on the terminal
_MEGABYTE = 1_000_000


def verify_store(
    config_path: str,
    *,
    as_json: bool,
    rate: float | None,
    files: float | None,
    duration: str | None,
    anew: bool,
    spool: str | None,
    folder: str | None,
    since: str | None,
) -> int:
    """Go on with a round, or verify what is chosen."""
    chosen = spool is not None or folder is not None or since is not None
    if chosen and anew:
        click.echo("--all is for whole rounds: leave it, or the choice of spools", err=True)
        return EX_USAGE
    seconds = None if duration is None else _seconds(duration)
    since_at = None if since is None else instant(since)
    with (
        opened(config_path) as (configuration, journal),
        _alone(configuration),
        stop_on_signals() as stopping,
    ):
        if folder is not None and folder not in configuration.intake_folders:
            raise OperatorFault(
                f"no hot folder is called {folder!r}",
                hint="one of " + ", ".join(configuration.intake_folders),
                code="verify.folder",
            )
        spool_id = None if spool is None else _spool_id(journal, spool)
        if spool is not None and spool_id is None:
            click.echo(f"no spool {spool!r} is in the store", err=True)
            return EX_NOINPUT
        give_way()
        profile = configuration.verify
        with Progress("spools verified", as_json=as_json, time_left=True) as progress:
            scrub = _make(
                configuration,
                journal,
                stopping,
                seconds=seconds,
                pace=Pace(
                    bytes_rate=_MEGABYTE * (profile.rate if rate is None else rate),
                    files_rate=profile.files if files is None else files,
                ),
                progress=progress,
            )
            if chosen:
                done = scrub.run_chosen(spool_id=spool_id, folder=folder, since=since_at)
            else:
                done = scrub.run_round(anew=anew, tell_archive=profile.archivesspace_events)
        found = _found(journal, done)
    _tell(done, found, as_json=as_json)
    if found:
        return EX_IOERR
    return EX_OK if done.finished else EX_TEMPFAIL


def mend_spool(config_path: str, name: str, *, as_json: bool) -> int:
    """Make the damaged objects of a spool again."""
    with opened(config_path) as (configuration, journal), _alone(configuration):
        row = journal.get_spool(name)
        if row is None or not journal.is_in_store(row.id):
            click.echo(f"no spool {name!r} is in the store", err=True)
            return EX_NOINPUT
        configure_logs(configuration.log_format, configuration.log_level)
        emit = make_emit()
        roots = roots_of(open_store(configuration, emit))
        _check_declared(roots)
        try:
            done = mend(journal, roots, row, actor=actor(), clock=SystemClock(), emit=emit)
        except ValueError as error:
            click.echo(f"spool {row.id} is whole, but cannot go on: {error}", err=True)
            return EX_USAGE
    if as_json:
        print_json(
            {
                "id": row.id,
                "from": done.source,
                "mended": list(done.mended),
                "state": str(done.state),
            }
        )
        return EX_OK
    if done.mended:
        where = ", ".join(str(number) for number in done.mended)
        click.echo(
            f"spool {row.id}: root {where} made again from root {done.source}; what was there"
            " is kept in its .damaged folder"
        )
    else:
        click.echo(f"spool {row.id} is whole in every root")
    click.echo(f"  it is {done.state}")
    return EX_OK


def discard_spool(config_path: str, name: str, reason: str, *, as_json: bool) -> int:
    """End a corrupt spool whose documents came again."""
    with opened(config_path) as (configuration, journal), _alone(configuration):
        row = journal.get_spool(name)
        if row is None:
            click.echo(f"no spool {name!r}", err=True)
            return EX_NOINPUT
        # Bytes leave the store, as in a disposal.
        require(configuration, journal, Duty.EXECUTE, row.business_unit, actor())
        configure_logs(configuration.log_format, configuration.log_level)
        emit = make_emit()
        # A daemon that stores a spool beside it may have just made the folder that goes with it.
        lock = acquire_daemon_lock(os.fsencode(configuration.journal_path))
        try:
            copies = discard(
                journal,
                open_store(configuration, emit),
                row.id,
                actor=actor(),
                reason=reason,
                clock=SystemClock(),
                emit=emit,
            )
        except ValueError as error:
            click.echo(f"spool {row.id} cannot be discarded: {error}", err=True)
            return EX_USAGE
        finally:
            lock.release()
    if as_json:
        print_json({"id": row.id, "state": "REJECTED", "copies": list(copies)})
    else:
        click.echo(f"spool {row.id} is out of the store; what it had is in {', '.join(copies)}")
    return EX_OK


def _make(
    configuration: Configuration,
    journal: SqliteJournal,
    stopping: SignalFlag,
    *,
    seconds: float | None,
    pace: Pace,
    progress: Progress,
) -> Scrub:
    configure_logs(configuration.log_format, configuration.log_level)
    emit = make_emit()
    return Scrub(
        journal=journal,
        roots=roots_of(open_store(configuration, emit)),
        clock=SystemClock(),
        emit=emit,
        actor=actor(),
        pace=pace,
        pause=stopping.wait,
        stopped=stopping.is_set,
        seconds=seconds,
        progress=progress.reached,
    )


def _check_declared(roots: Sequence[OcflStore]) -> None:
    for number, root in enumerate(roots, 1):
        if not root.is_declared():
            raise OperatorFault(
                f"root {number} of the store is no storage root now",
                hint="mount its disk; if it is new, `hotfolder fill` makes it",
                code="verify.root",
            )


def _spool_id(journal: SqliteJournal, name: str) -> str | None:
    row = journal.get_spool(name)
    return row.id if row is not None and journal.is_in_store(row.id) else None


def _seconds(text: str) -> float:
    match = _DURATION.match(text.strip())
    if match is None:
        raise OperatorFault(
            f"{text!r} is no duration", hint="write it like 90s, 30m or 2h", code="verify.for"
        )
    return float(match[1]) * _SECONDS[match[2]]


@contextmanager
def _alone(configuration: Configuration) -> Iterator[None]:
    """One scrub or mending at a time; the daemon's own lock is another."""
    try:
        lock = acquire_daemon_lock(os.fsencode(configuration.journal_path) + b".verify")
    except OperatorFault as error:
        if error.code != "journal.in_use":
            raise
        raise OperatorFault(
            "another `hotfolder verify` is at work on this store",
            hint="let it end, or stop it: the next goes on where it was",
            code="verify.in_use",
        ) from error
    try:
        yield
    finally:
        lock.release()


# -- telling --------------------------------------------------------------------------
def _found(journal: SqliteJournal, done: Scrubbed) -> list[tuple[str, int, str]]:
    """(spool id, root, outcome) of what is not whole: of the whole round at its end, which
    may have taken several runs; else of this run."""
    if done.finished and done.round_number is not None:
        return journal.fixity_damage(round_number=done.round_number)
    return [(item.spool_id, item.root, str(item.outcome)) for item in done.found]


def _tell(done: Scrubbed, found: Sequence[tuple[str, int, str]], *, as_json: bool) -> None:
    if as_json:
        data: dict[str, Any] = {
            "round": done.round_number,
            "finished": done.finished,
            "spools": done.spools,
            "bytes": done.read,
            "damaged": [
                {"spool": spool_id, "root": root, "outcome": outcome}
                for spool_id, root, outcome in found
            ],
        }
        print_json(data)
        return
    click.echo(f"{done.spools:,} spools verified, {done.read:,} bytes read")
    if found:
        print_table(
            "Not whole",
            ("spool", "root", "what", "what to do"),
            [(*item, _remedy(item)) for item in found[:_SHOWN]],
        )
        if len(found) > _SHOWN:
            click.echo(f"and {len(found) - _SHOWN:,} more: --json names all")
    if done.finished:
        what = "" if done.round_number is None else f"; round {done.round_number} is finished"
        click.echo(f"{'damage was found' if found else 'all whole'}{what}")
    else:
        click.echo("not finished: give it again, and it goes on from here")


def _remedy(item: tuple[str, int, str]) -> str:
    spool_id, _, outcome = item
    if outcome == Outcome.UNKNOWN:
        return "no journal row knows it: see docs/fixity.md"
    if outcome == Outcome.DESTROYED:
        return "destroyed, and here again: see docs/fixity.md"
    if outcome == Outcome.UNREADABLE:
        return "look at the disk, and at owner and mode"
    return f"hotfolder verify --mend {spool_id[:16]}"
