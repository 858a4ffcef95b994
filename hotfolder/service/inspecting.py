"""Looking: status, list, show. Nothing here changes anything."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import click

from hotfolder.core.disposals import Tombstone
from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.records import SpoolRow, UnitRow
from hotfolder.flows.gone import told
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.fixity import LATELY, fixity_data, fixity_lines
from hotfolder.service.provenance import made_by
from hotfolder.service.settings import Configuration, load
from hotfolder.service.story import (
    document_data,
    held_data,
    moment,
    readable,
    spool_data,
    story_lines,
    tell,
)
from hotfolder.service.terminal import print_json, print_table, printable

_SHOWN = 5  # documents of a spool with many; `find --spool` pages through all
_LOOKED_AT = 1000  # spools among which `status` looks for those with many documents
_DELIVERING = 10  # of them that it shows


@contextmanager
def opened(config_path: str) -> Iterator[tuple[Configuration, SqliteJournal]]:
    """The configuration and its journal, closed again afterwards."""
    configuration = load(config_path, only_looking=True)
    journal = SqliteJournal(os.fsencode(configuration.journal_path), must_exist=True)
    try:
        yield configuration, journal
    finally:
        journal.close()


def show_status(config_path: str, *, as_json: bool) -> int:
    """How much is where."""
    with opened(config_path) as (_, journal):
        status = journal.status()
        delivering = _find_delivering(journal)
        failures, next_probe, error = journal.server_state()
        untold = journal.count_waiting_events()
        oldest_untold = journal.waiting_events(limit=1)
        changes, changes_aside = journal.count_changes()
        aside = journal.changes_aside(limit=_LOOKED_AT) if changes_aside else []
        now = time.time()
        fixity = journal.fixity_status(now - LATELY * 86_400)
    waiting = None if status.oldest_waiting_at is None else now - status.oldest_waiting_at
    data = {
        "spools": dict(status.spools),
        "units": dict(status.units),
        "documents": status.documents,
        "documents_confirmed": status.documents_confirmed,
        "documents_waiting": status.documents - status.documents_confirmed,
        "oldest_waiting_seconds": None if waiting is None else round(waiting, 1),
        "delivering": [
            {"spool": row.id, "documents": row.documents, "unconfirmed": left}
            for row, left in delivering
        ],
        "deferred": status.deferred,
        "rejected_by_reason": dict(status.rejected_by_reason),
        "events_waiting": untold,
        "oldest_event_waiting": moment(oldest_untold[0].created_at) if oldest_untold else None,
        "changes_waiting": changes,
        "changes_aside": changes_aside,
        "records_aside": [
            {
                "document": row.identity,
                "business_unit": row.business_unit,
                "since": moment(row.since),
                "reason": row.reason,
            }
            for row in aside
        ],
        "fixity": fixity_data(fixity),
        "server": {
            "answering": failures == 0,
            "failures_in_a_row": failures,
            "next_probe": moment(next_probe),
            "last_error": error,
        },
    }
    if as_json:
        print_json(data)
        return EX_OK
    print_table("Spools", ("state", "count"), sorted(status.spools.items()))
    print_table("Units", ("state", "count"), sorted(status.units.items()))
    click.echo(
        f"{status.documents_confirmed:,} of {status.documents:,} documents"
        " confirmed by ArchivesSpace"
    )
    if delivering:
        print_table(
            "Spools with many documents, on their way",
            ("id", "folder", "name", "confirmed", "of"),
            [
                (row.id, row.folder, readable(row.name), f"{total - left:,}", f"{total:,}")
                for row, left in delivering
                if (total := row.documents or 0)
            ],
        )
    if waiting is not None:
        click.echo(f"the oldest document waits since {waiting:,.0f} s")
    if status.rejected_by_reason:
        print_table("Rejected", ("reason", "count"), sorted(status.rejected_by_reason.items()))
    if untold:
        why = oldest_untold[0].last_error if oldest_untold else None
        click.echo(
            f"{untold:,} events wait to be told to ArchivesSpace" + (f" ({why})" if why else "")
        )
    if changes:
        click.echo(f"{changes:,} changes of archived documents wait to be told to ArchivesSpace")
    if aside:
        print_table(
            "Records in ArchivesSpace that cannot be changed",
            ("document", "unit", "since", "why"),
            [(row.identity, row.business_unit, moment(row.since), row.reason) for row in aside],
        )
    for line in fixity_lines(fixity):
        click.echo(line)
    if failures:
        click.echo(f"ArchivesSpace does not answer ({error}); next look {moment(next_probe)}")
    return EX_OK


def _find_delivering(journal: SqliteJournal) -> list[tuple[SpoolRow, int]]:
    """The oldest stored spools with many documents, and how many are not confirmed."""
    rows = [
        row
        for row in journal.spools([SpoolState.STORED], limit=_LOOKED_AT)
        if (row.documents or 0) > 1
    ][:_DELIVERING]
    left = journal.unconfirmed([row.id for row in rows])
    return [(row, left[row.id]) for row in rows]


def list_spools(
    config_path: str,
    *,
    as_json: bool,
    states: Sequence[str],
    folder: str | None,
    limit: int,
    after: str | None,
    oldest_first: bool,
) -> int:
    """Spools, newest first."""
    unknown = [name for name in states if name.upper() not in SpoolState.__members__]
    if unknown:
        click.echo(
            f"no such state: {', '.join(unknown)} (one of {', '.join(SpoolState)})", err=True
        )
        return EX_USAGE
    with opened(config_path) as (_, journal):
        rows = journal.spools(
            [SpoolState[name.upper()] for name in states],
            folder=folder,
            after=after,
            limit=limit,
            newest_first=not oldest_first,
        )
    if as_json:
        print_json([spool_data(row) for row in rows])
        return EX_OK
    print_table(
        "",
        ("id", "state", "folder", "name", "bytes", "documents", "first seen", "why"),
        [
            (
                row.id,
                row.state,
                row.folder,
                readable(row.name),
                f"{row.size:,}",
                "" if row.documents is None else f"{row.documents:,}",
                moment(row.created_at),
                "; ".join(fault.code for fault in row.faults) or row.last_error or "",
            )
            for row in rows
        ],
    )
    return EX_OK


def show_subject(config_path: str, subject: str, *, as_json: bool) -> int:
    """One spool, document or unit, with its history."""
    from hotfolder.service.authority import require  # noqa: PLC0415  it reads the users

    with opened(config_path) as (configuration, journal):
        unit = journal.get_unit(subject)
        if unit is not None:
            require(configuration, journal, Duty.FIND, unit.business_unit, actor())
            return _show_unit(journal, unit, as_json=as_json)
        row = journal.get_spool(subject)
        note = ""
        if row is None:
            from hotfolder.service.naming import (  # noqa: PLC0415  the transport and its libraries
                UnknownNameError,
                resolve,
            )

            try:
                (identity,) = resolve(config_path, journal, subject, limit=1)
                document = journal.get_document(identity)
                left = journal.destroyed_document(identity)
                if left is not None:
                    require(configuration, journal, Duty.FIND, left.business_unit, actor())
                    return _show_destroyed(left, as_json=as_json)
                row = None if document is None else journal.get_spool(document.spool_id)
            except UnknownNameError as error:
                note = error.note
        if row is None:
            click.echo(
                f"nothing here is called {subject!r}; `hotfolder list` shows what there is",
                err=True,
            )
            if note:
                click.echo(note, err=True)
            return EX_NOINPUT
        require(configuration, journal, Duty.FIND, row.business_unit, actor())
        owner = row.first_spool_id or row.id
        documents = list(islice(journal.iterate_documents(owner), _SHOWN))
        unconfirmed = journal.unconfirmed([owner]).get(owner, 0)
        steps = tell(journal, row, documents if owner == row.id else ())
        holds = journal.holds_upon_documents([item.document.identity for item in documents])
        made = {item.document.identity: made_by(journal, item) for item in documents}
    if as_json:
        print_json(
            {
                **spool_data(row),
                "documents_unconfirmed": unconfirmed,
                "documents": [
                    {
                        **document_data(item),
                        **held_data(item, holds),
                        "template": made[item.document.identity],
                    }
                    for item in documents
                ],
                "history": [
                    {key: value for key, value in step.items() if key != "seconds"}
                    for step in steps
                ],
            }
        )
    else:
        lines = story_lines(row, documents, steps, unconfirmed=unconfirmed, holds=holds, made=made)
        click.echo("\n".join(printable(line) for line in lines))
    return EX_OK


def _show_destroyed(left: Tombstone, *, as_json: bool) -> int:
    """What is left of a document that was destroyed."""
    if as_json:
        print_json(
            {
                "identity": left.identity,
                "destroyed": left.begun_on.isoformat(),
                "disposal": left.disposal,
                "spool": left.spool_id,
                "business_unit": left.business_unit,
                "sha256": left.sha256,
                "retention_class": left.retention_class,
                "class_version": left.class_version,
                "cutoff": left.cutoff.isoformat() if left.cutoff else None,
                "retain_until": left.retain_until.isoformat() if left.retain_until else None,
                "certificate_sha256": left.certificate_sha256,
            }
        )
    else:
        click.echo(f"document {left.identity}\n  {told(left)}")
    return EX_OK


def unit_data(unit: UnitRow) -> dict[str, Any]:
    """A unit for ``--json``."""
    return {
        "ref_id": unit.ref_id,
        "state": str(unit.state),
        "business_unit": unit.business_unit,
        "series": unit.series,
        "cycle": unit.cycle,
        "documents": list(unit.identities),
        "planned": moment(unit.planned_at),
        "sent": moment(unit.sent_at),
        "confirmed": moment(unit.confirmed_at),
        "attempts": unit.attempts,
        "next_attempt": moment(unit.next_at),
        "last_error": unit.last_error,
        "record": unit.archival_object_uri,
    }


def _show_unit(journal: SqliteJournal, unit: UnitRow, *, as_json: bool) -> int:
    history = journal.history(unit.ref_id)
    if as_json:
        steps = [
            {"at": moment(step.at), "from": step.old, "to": step.new, "reason": step.reason}
            for step in history
        ]
        print_json({**unit_data(unit), "history": steps})
        return EX_OK
    click.echo(f"unit {unit.ref_id}, {unit.state}")
    click.echo(f"  {len(unit.identities)} documents of {unit.series}, {unit.cycle}")
    click.echo(f"  record {unit.archival_object_uri or 'not confirmed yet'}")
    for step in history:
        click.echo(f"  {moment(step.at)}  {step.old or ''} -> {step.new}  {step.reason}".rstrip())
    return EX_OK
