"""What ``hotfolder disposal`` does. Long, because it has eight commands, a function each."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import click

from hotfolder.core.disposals import (
    DisposalMember,
    DisposalRow,
    DisposalState,
    DueDocument,
    DueFilter,
)
from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_TEMPFAIL, EX_USAGE, OperatorFault
from hotfolder.core.reports import csv_cell
from hotfolder.flows.disposing import Disposing
from hotfolder.flows.retention import day_of
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.authority import require
from hotfolder.service.inspecting import opened
from hotfolder.service.logs import configure_logs, make_emit
from hotfolder.service.parts import SystemClock, make_disposing, open_store
from hotfolder.service.settings import Configuration
from hotfolder.service.story import moment
from hotfolder.service.terminal import print_json, print_table, printable

_POLL = 0.5  # seconds
_PAGE = 2000
_DUE_COLUMNS = (
    "identity",
    "retention_class",
    "class_version",
    "retain_until",
    "action",
    "standing",
    "why",
    "business_unit",
    "series",
    "spool",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """What the commands work with."""

    configuration: Configuration
    journal: SqliteJournal
    flow: Disposing

    def row(self, disposal: str) -> DisposalRow:
        """The disposal called so; ``_UnknownError`` if there is none."""
        found = self.journal.get_disposal(disposal)
        if found is None:
            raise _UnknownError(disposal)
        return found

    def demand(self, duty: Duty, business_unit: str) -> None:
        """Raise unless whoever runs this may do it."""
        require(self.configuration, self.journal, duty, business_unit, actor())


class _UnknownError(Exception):
    """There is no such disposal."""


@contextmanager
def _opened(config_path: str) -> Iterator[_Opened]:
    with opened(config_path) as (configuration, journal):
        configure_logs(configuration.log_format, configuration.log_level)
        emit = make_emit()
        clock = SystemClock()
        yield _Opened(
            configuration=configuration,
            journal=journal,
            flow=make_disposing(
                journal=journal,
                store=open_store(configuration, emit, clock=clock),
                schedule=configuration.rules.retention_classes,
                folders={item.name: item for item in configuration.folders},
                clock=clock,
                emit=emit,
                state=os.path.dirname(os.fsencode(configuration.journal_path)),
                audit=configuration.audit,
                profile=configuration.disposal,
            ),
        )


def _unknown(disposal: str) -> int:
    click.echo(f"no disposal {disposal!r}; `hotfolder disposal list`", err=True)
    return EX_NOINPUT


# -- due ------------------------------------------------------------------------------
def list_due(
    config_path: str,
    *,
    as_json: bool,
    retention_class: str | None,
    business_unit: str | None,
    series: str | None,
    csv_path: str | None,
    limit: int,
    after: str,
) -> int:
    """What is due."""
    wanted = DueFilter(retention_class=retention_class, business_unit=business_unit, series=series)
    try:
        place = _place(after)
    except ValueError:
        click.echo(f"{after!r} is no place: give `next` of the page before", err=True)
        return EX_USAGE
    today = day_of(time.time())
    with opened(config_path) as (_, journal):
        if csv_path is not None:
            try:
                count = _write_csv(journal, wanted, today, csv_path)
            except OSError as error:
                click.echo(f"--csv: {csv_path} cannot be written: {error.strerror}", err=True)
                return EX_USAGE
            if as_json:
                print_json({"file": csv_path, "documents": count})
            else:
                click.echo(f"{csv_path}: {count:,} documents")
            return EX_OK
        found, following = journal.due_documents(wanted, today, after=place, limit=limit)
    rest = None if following is None else f"{following[0]}/{following[1]}"
    if as_json:
        print_json({"documents": [_due_data(item) for item in found], "next": rest})
        return EX_OK
    print_table(
        "",
        ("document", "class", "until", "action", "standing", ""),
        [
            (
                item.identity[:19],
                f"{item.retention_class} {item.class_version or '-'}",
                item.retain_until.isoformat(),
                item.action,
                item.standing,
                item.why,
            )
            for item in found
        ],
    )
    if rest:
        click.echo(f"more with --after {rest}")
    return EX_OK


def _place(text: str) -> tuple[str, int]:
    if not text:
        return "", 0
    day, _, number = text.partition("/")
    return date.fromisoformat(day).isoformat(), min(int(number), 2**63 - 1)


def _write_csv(journal: SqliteJournal, wanted: DueFilter, today: date, path: str) -> int:
    count = 0
    after: tuple[str, int] | None = ("", 0)
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(_DUE_COLUMNS)
        while after is not None:
            found, after = journal.due_documents(wanted, today, after=after, limit=_PAGE)
            writer.writerows(
                [csv_cell("" if value is None else value) for value in _due_data(item).values()]
                for item in found
            )
            count += len(found)
    return count


def _due_data(item: DueDocument) -> dict[str, Any]:
    values = (
        item.identity,
        item.retention_class,
        item.class_version,
        item.retain_until.isoformat(),
        item.action,
        item.standing.value,
        item.why,
        item.business_unit,
        item.series,
        item.spool_id,
    )
    return dict(zip(_DUE_COLUMNS, values, strict=True))


# -- lists ----------------------------------------------------------------------------
def propose(
    config_path: str,
    *,
    as_json: bool,
    retention_class: str | None,
    business_unit: str | None,
    series: str | None,
    reason: str,
) -> int:
    """Freeze lists of what is due."""
    wanted = DueFilter(retention_class=retention_class, business_unit=business_unit, series=series)
    with _opened(config_path) as found:
        units = (
            [business_unit]
            if business_unit
            else [unit.code for unit in found.configuration.rules.business_units]
        )
        for unit in units:
            found.demand(Duty.PROPOSE, unit)
        rows = found.flow.propose(wanted, units, actor=actor(), reason=reason)
    if as_json:
        print_json([_data(row) for row in rows])
    for row in () if as_json else rows:
        click.echo(f"{row.id}: {row.documents:,} documents of {row.business_unit} are proposed")
        if row.to_review:
            click.echo(f"  {row.to_review:,} are to be reviewed: the approval names an authority")
    if not rows:
        click.echo("nothing may be proposed; `hotfolder disposal due` says why", err=True)
        return EX_NOINPUT
    return EX_OK


def approve(config_path: str, disposal: str, *, authority: str, as_json: bool) -> int:
    """Approve a list."""
    with _opened(config_path) as found:
        try:
            row = found.row(disposal)
        except _UnknownError:
            return _unknown(disposal)
        found.demand(Duty.APPROVE, row.business_unit)
        found.flow.approve(row.id, actor=actor(), authority=authority)
        return _tell(found.row(row.id), as_json=as_json)


def withdraw(config_path: str, disposal: str, *, reason: str, as_json: bool) -> int:
    """Withdraw a list: whoever may propose or approve may do that."""
    with _opened(config_path) as found:
        try:
            row = found.row(disposal)
        except _UnknownError:
            return _unknown(disposal)
        found.demand(
            Duty.PROPOSE if row.proposed_by == actor() else Duty.APPROVE, row.business_unit
        )
        found.flow.withdraw(row.id, actor=actor(), reason=reason)
        return _tell(found.row(row.id), as_json=as_json)


def execute(
    config_path: str, disposal: str, *, today_is: str | None, wait: int, as_json: bool
) -> int:
    """Decide, and destroy."""
    day = None
    if today_is is not None:
        try:
            day = date.fromisoformat(today_is)
        except ValueError:
            click.echo(f"{today_is!r} is no day; write it like 2036-03-01", err=True)
            return EX_USAGE
    with _opened(config_path) as found:
        try:
            row = found.row(disposal)
        except _UnknownError:
            return _unknown(disposal)
        found.demand(Duty.EXECUTE, row.business_unit)
        if day is not None:
            found.flow.vouch(day, actor=actor())
        if row.state not in (DisposalState.EXECUTING, DisposalState.DONE):
            row = found.flow.begin(row.id, actor=actor())
        row = _carry_out(found, row, wait)
        _tell(row, as_json=as_json)
    return EX_OK if row.state is DisposalState.DONE else EX_TEMPFAIL


def _carry_out(found: _Opened, row: DisposalRow, wait: int) -> DisposalRow:
    """Complete it here, or wait until the daemon has."""
    until = time.monotonic() + wait
    while True:
        try:
            lock = acquire_daemon_lock(os.fsencode(found.configuration.journal_path))
        except OperatorFault as error:
            if error.code != "journal.in_use":
                raise
            if row.state is DisposalState.DONE:
                raise  # to be purged once more: the daemon does not do that
        else:
            try:
                if row.state is DisposalState.DONE:
                    if count := found.flow.repeat(row.id):
                        click.echo(f"{count:,} objects had come back, and are gone", err=True)
                    return row
                return found.flow.complete(row.id)
            finally:
                lock.release()
        row = found.row(row.id)
        if row.state is DisposalState.DONE or time.monotonic() >= until:
            return row
        time.sleep(_POLL)


def _tell(row: DisposalRow, *, as_json: bool) -> int:
    if as_json:
        print_json(_data(row))
    else:
        click.echo(f"{row.id} is {row.state}: {row.documents:,} documents of {row.business_unit}")
        for outcome, count in sorted(row.outcomes.items()):
            click.echo(f"  {count:,} {outcome}")
        if row.state is DisposalState.EXECUTING:
            click.echo("  it is being destroyed; the daemon completes it")
    return EX_OK


# -- looking --------------------------------------------------------------------------
def list_disposals(config_path: str, *, states: Sequence[str], limit: int, as_json: bool) -> int:
    """Disposals, newest first."""
    try:
        wanted = [DisposalState(state.upper()) for state in states]
    except ValueError:
        click.echo(f"a state is one of {', '.join(DisposalState)}", err=True)
        return EX_USAGE
    with opened(config_path) as (_, journal):
        rows = journal.disposals(wanted, limit=limit)
    if as_json:
        print_json([_data(row) for row in rows])
        return EX_OK
    print_table(
        "",
        ("disposal", "unit", "state", "documents", "proposed", "by", "approved by", "done"),
        [
            (
                row.id,
                row.business_unit,
                row.state,
                row.documents,
                moment(row.created_at),
                row.proposed_by,
                row.approved_by or "",
                moment(row.done_at) if row.done_at is not None else "",
            )
            for row in rows
        ],
    )
    return EX_OK


def show(config_path: str, disposal: str, *, limit: int, as_json: bool) -> int:
    """One disposal with its list."""
    with opened(config_path) as (_, journal):
        row = journal.get_disposal(disposal)
        if row is None:
            return _unknown(disposal)
        members: list[DisposalMember] = []
        for member in journal.disposal_members(row.id):
            if len(members) == limit:
                break
            members.append(member)
    if as_json:
        print_json({**_data(row), "members": [_member_data(item) for item in members]})
        return EX_OK
    _tell(row, as_json=False)
    click.echo(f"  proposed by {row.proposed_by}, {moment(row.created_at)}")
    if row.approved_by:
        click.echo(f"  approved by {row.approved_by}, {moment(row.approved_at)}: {row.authority}")
    if row.executed_by:
        click.echo(f"  executed by {row.executed_by}, {moment(row.executed_at)}, as of {row.today}")
    if row.reason:
        click.echo(f"  reason: {printable(row.reason)}")
    click.echo(f"  list {row.list_sha256}")
    if row.certificate_sha256:
        click.echo(f"  certificate {row.certificate_sha256}")
    print_table(
        "",
        ("document", "class", "until", "action", "outcome", ""),
        [
            (
                item.identity[:19],
                f"{item.retention_class} {item.class_version or '-'}",
                item.retain_until.isoformat() if item.retain_until else "",
                item.action,
                item.outcome or "",
                item.reason,
            )
            for item in members
        ],
    )
    return EX_OK


def write_certificate(config_path: str, disposal: str, *, folder: str, as_json: bool) -> int:
    """The certificate as files, in a folder that is there."""
    if not os.path.isdir(folder):
        click.echo(f"--to: there is no folder {folder}", err=True)
        return EX_USAGE
    with _opened(config_path) as found:
        try:
            row = found.row(disposal)
            paths = found.flow.write_certificate(row.id, os.path.abspath(os.fsencode(folder)))
        except _UnknownError:
            return _unknown(disposal)
        except KeyError:
            click.echo(f"{disposal} is not done yet: it has no certificate", err=True)
            return EX_NOINPUT
    names = [os.fsdecode(path) for path in paths]
    if as_json:
        print_json({"disposal": row.id, "files": names, "sha256": row.certificate_sha256})
    else:
        for name in names:
            click.echo(name)
    return EX_OK


def _data(row: DisposalRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "business_unit": row.business_unit,
        "state": row.state.value,
        "documents": row.documents,
        "to_review": row.to_review,
        "outcomes": dict(row.outcomes),
        "proposed_by": row.proposed_by,
        "proposed": moment(row.created_at),
        "approved_by": row.approved_by,
        "approved": moment(row.approved_at),
        "authority": row.authority or None,
        "executed_by": row.executed_by,
        "executed": moment(row.executed_at),
        "today": row.today.isoformat() if row.today else None,
        "done": moment(row.done_at),
        "reason": row.reason or None,
        "list_sha256": row.list_sha256,
        "certificate_sha256": row.certificate_sha256,
    }


def _member_data(item: DisposalMember) -> dict[str, Any]:
    return {
        "identity": item.identity,
        "spool": item.spool_id,
        "series": item.series,
        "sha256": item.sha256,
        "retention_class": item.retention_class,
        "class_version": item.class_version,
        "cutoff": item.cutoff.isoformat() if item.cutoff else None,
        "retain_until": item.retain_until.isoformat() if item.retain_until else None,
        "action": item.action,
        "outcome": item.outcome,
        "reason": item.reason or None,
    }
