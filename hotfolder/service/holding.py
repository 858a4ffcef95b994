"""What ``hotfolder holds`` does."""

from __future__ import annotations

import json
from typing import Any

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE, HotfolderError
from hotfolder.core.holds import Criteria, HoldRow, dump_criteria
from hotfolder.core.ports import Journal
from hotfolder.flows.holding import Holding
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.authority import require
from hotfolder.service.holdcriteria import (
    WrongError,
    criteria_of,
    identities_of,
    unit_of,
)
from hotfolder.service.inspecting import opened
from hotfolder.service.parts import SystemClock, make_holding, open_store
from hotfolder.service.settings import Configuration
from hotfolder.service.story import moment
from hotfolder.service.terminal import Progress, print_json, print_table, printable


def place(
    config_path: str,
    *,
    as_json: bool,
    matter: str,
    mandate: str,
    originator: str,
    reason: str,
    only_now: bool,
    dry_run: bool,
    **options: Any,
) -> int:
    """Place a hold, or say what it would hold."""
    if not matter.strip():
        return _misused("--matter is empty: a hold is about something")
    with opened(config_path) as (configuration, journal):
        try:
            criteria = criteria_of(
                config_path, journal, configuration, only_now=only_now, **options
            )
        except WrongError as error:
            click.echo(str(error), err=True)
            return error.exit_code
        if not criteria.selects:
            return _misused("say what is to be held: --customer, --policy, --document …")
        person = actor()
        require(configuration, journal, Duty.HOLD, unit_of(journal, criteria), person)
        if dry_run:
            return _show_coverage(journal, criteria, as_json=as_json)
        flow = _flow(configuration, journal)
        journalled: list[HoldRow] = []
        try:
            with Progress("documents held", as_json=as_json) as bar:
                row = flow.place(
                    matter=matter.strip(),
                    mandate=mandate,
                    originator=originator,
                    reason=reason,
                    criteria=criteria,
                    actor=person,
                    on_journalled=journalled.append,
                    progress=lambda now: bar.reached(now.documents),
                )
        except HotfolderError:
            if journalled:
                click.echo(
                    f"{journalled[0].id} is in force; the daemon goes on with marking the stores",
                    err=True,
                )
            raise
        if as_json:
            print_json(hold_data(row))
        else:
            click.echo(
                f"{row.id}: {row.documents:,} documents in {row.spools:,} spools are held,"
                " in the journal and in every store"
            )
            if not row.documents:
                click.echo("nothing that is archived matches it now", err=True)
        _finish_others(flow, journal)
    return EX_OK


def release(config_path: str, hold: str, reason: str, *, as_json: bool) -> int:
    """Release a hold."""
    if not reason.strip():
        return _misused("--reason is empty: why is it released?")
    with opened(config_path) as (configuration, journal):
        row = journal.get_hold(hold)
        if row is None:
            return _unknown(hold)
        person = actor()
        require(configuration, journal, Duty.RELEASE, unit_of(journal, row.criteria), person)
        if not row.in_force:
            click.echo(f"{row.id} was released before, by {row.released_by}", err=True)
        flow = _flow(configuration, journal)
        with Progress("documents released", as_json=as_json) as bar:
            row = flow.release(
                hold,
                actor=person,
                reason=reason.strip(),
                progress=lambda now: bar.reached(now.documents),
            )
        if as_json:
            print_json(hold_data(row))
        else:
            click.echo(
                f"{row.id} is released: {row.documents:,} documents in {row.spools:,} spools."
                " Their dates of retention were never changed"
            )
        _finish_others(flow, journal)
    return EX_OK


def _flow(configuration: Configuration, journal: SqliteJournal) -> Holding:
    return make_holding(
        journal=journal,
        store=open_store(configuration, _say_nothing),
        clock=SystemClock(),
        emit=_say_nothing,
    )


def _finish_others(flow: Holding, journal: Journal) -> None:
    """What another command that was interrupted left unfinished."""
    for row in journal.unfinished_holds():
        try:
            flow.finish(row.id)
        except HotfolderError as error:
            click.echo(f"{row.id} is unfinished: {error.message}", err=True)


def _say_nothing(_event: str, /, **_fields: object) -> None:
    """The command tells what it did by itself."""


# -- looking ------------------------------------------------------------------------
def _show_coverage(journal: Journal, criteria: Criteria, *, as_json: bool) -> int:
    covered = journal.hold_coverage(criteria)
    if as_json:
        print_json(
            {
                "dry_run": True,
                "documents": covered.documents,
                "spools": covered.spools,
                "too_late": covered.too_late,
                "criteria": json.loads(dump_criteria(criteria)),
                "newcomers": criteria.last_number is None,
            }
        )
        return EX_OK
    click.echo(
        f"{covered.documents:,} documents in {covered.spools:,} spools would be held;"
        " nothing was done"
    )
    if covered.too_late:
        click.echo(f"{covered.too_late:,} more are being destroyed, or were: it is too late")
    return EX_OK


def list_holds(
    config_path: str, *, as_json: bool, released: bool, document: str | None, limit: int, after: int
) -> int:
    """Holds, oldest first."""
    with opened(config_path) as (_, journal):
        if document is None:
            rows = journal.holds(released=released, after=after, limit=limit)
        else:
            try:
                identities = identities_of(config_path, journal, (document,))
            except WrongError as error:
                click.echo(str(error), err=True)
                return error.exit_code
            found = {
                row.number: row
                for identity in identities
                for row in journal.holds_of(identity, released=released)
            }
            rows = [found[number] for number in sorted(found) if number > after][:limit]
    if as_json:
        print_json([hold_data(row) for row in rows])
        return EX_OK
    print_table(
        "",
        ("id", "matter", "placed", "by", "documents", "spools", "state"),
        [
            (
                row.id,
                printable(row.matter),
                moment(row.placed_at),
                row.placed_by,
                f"{row.documents:,}",
                f"{row.spools:,}",
                _state(row),
            )
            for row in rows
        ],
    )
    return EX_OK


def show(config_path: str, hold: str, *, limit: int, after: int, as_json: bool) -> int:
    """One hold."""
    with opened(config_path) as (_, journal):
        row = journal.get_hold(hold)
        if row is None:
            return _unknown(hold)
        documents = journal.held_documents(hold, after=after, limit=limit)
    if as_json:
        print_json({**hold_data(row), "members": documents})
        return EX_OK
    click.echo(f"{row.id}: {printable(row.matter)}, {_state(row)}")
    click.echo(f"  placed {moment(row.placed_at)} by {row.placed_by}, from {row.source}")
    for label, said in (
        ("mandate", row.mandate),
        ("asked for by", row.originator),
        ("reason", row.reason),
    ):
        if said:
            click.echo(f"  {label}: {printable(said)}")
    for name, value in json.loads(dump_criteria(row.criteria)).items():
        shown = ", ".join(value[:5]) if isinstance(value, list) else value
        more = f" and {len(value) - 5:,} more" if isinstance(value, list) and value[5:] else ""
        click.echo(f"  {name.replace('_', ' ')}: {printable(shown)}{more}")
    if row.released_at is not None:
        click.echo(f"  released {moment(row.released_at)} by {row.released_by}")
        click.echo(f"  because: {printable(row.release_reason)}")
    click.echo(f"  {row.documents:,} documents in {row.spools:,} spools")
    for identity in documents:
        click.echo(f"    {identity}")
    if after + len(documents) < row.documents and limit:
        click.echo(f"    … go on with --after {after + len(documents)}")
    return EX_OK


def _state(row: HoldRow) -> str:
    if row.in_force:
        return "in force" if row.acknowledged_at is not None else "in force, not marked everywhere"
    return "released" if row.acknowledged_at is not None else "released, marks not taken away yet"


def hold_data(row: HoldRow) -> dict[str, Any]:
    """A hold for ``--json``."""
    return {
        "number": row.number,
        "id": row.id,
        "matter": row.matter,
        "mandate": row.mandate or None,
        "originator": row.originator or None,
        "reason": row.reason or None,
        "criteria": json.loads(dump_criteria(row.criteria)),
        "newcomers": row.criteria.last_number is None,
        "source": row.source,
        "placed": moment(row.placed_at),
        "placed_by": row.placed_by,
        "released": moment(row.released_at),
        "released_by": row.released_by,
        "release_reason": row.release_reason or None,
        "in_force": row.in_force,
        "phase": str(row.phase),
        "documents": row.documents,
        "spools": row.spools,
        "acknowledged": moment(row.acknowledged_at),
    }


def _unknown(hold: str) -> int:
    click.echo(f"there is no hold {hold!r}; `hotfolder holds list --all`", err=True)
    return EX_NOINPUT


def _misused(message: str) -> int:
    click.echo(message, err=True)
    return EX_USAGE
