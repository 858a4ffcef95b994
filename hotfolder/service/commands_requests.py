"""``hotfolder requests``: what was asked for, and what became of it."""

from __future__ import annotations

import json
from typing import Any

import click

from hotfolder.core.errors import EX_NOINPUT, EX_OK
from hotfolder.core.orders import Fate, RequestRow, RequestState
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.inspecting import opened
from hotfolder.service.options import CONFIG, JSON, Command
from hotfolder.service.story import moment, readable
from hotfolder.service.terminal import print_json, print_table, printable


class _Group(click.Group):
    """A group that lists where no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("requests", cls=_Group)
def requests() -> None:
    """Requests for documents: from request folders, and from ArchivesSpace."""


@requests.command("list", cls=Command, epilog="hotfolder requests --open")
@CONFIG
@JSON
@click.option("--open", "only_open", is_flag=True, help="Only those that are not answered yet.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_requests(config_path: str, as_json: bool, only_open: bool, limit: int) -> int:
    """Requests, newest first."""
    with opened(config_path) as (_, journal):
        rows = journal.open_requests(limit=limit) if only_open else journal.requests(limit=limit)
    if as_json:
        print_json([request_data(row) for row in rows])
        return EX_OK
    print_table(
        "",
        ("request", "state", "from", "asked", "given", "of", "why not"),
        [
            (
                row.id[:16],
                row.state,
                _source(row),
                moment(row.created_at),
                sum(item.fate is Fate.GIVEN for item in row.fates),
                len(row.fates),
                row.last_error or "",
            )
            for row in rows
        ],
    )
    return EX_OK


@requests.command("show", cls=Command, epilog="hotfolder requests show 0193f2a4b6c1")
@CONFIG
@JSON
@click.argument("request")
def show_request(config_path: str, as_json: bool, request: str) -> int:
    """One request: what was asked, what became of each document, its history.

    REQUEST is its id (or the beginning of it), or the uri of its event in ArchivesSpace.
    """
    with opened(config_path) as (_, journal):
        row = journal.get_request(request)
        if row is None:
            click.echo(
                f"no request is called {request!r}; `hotfolder requests` shows what there is",
                err=True,
            )
            return EX_NOINPUT
        if as_json:
            print_json({**request_data(row), **_details(journal, row)})
            return EX_OK
        _tell(journal, row)
    return EX_OK


def _source(row: RequestRow) -> str:
    if row.source:
        return f"{row.source}: {readable(row.name)}"
    return f"ArchivesSpace: {row.uri}"


def request_data(row: RequestRow) -> dict[str, Any]:
    """A request for ``--json``."""
    return {
        "request": row.id,
        "state": str(row.state),
        "folder": row.source or None,
        "file": readable(row.name) if row.source else None,
        "event": row.uri,
        "business_unit": row.business_unit or None,
        "to": row.to or None,
        "received": moment(row.created_at),
        "updated": moment(row.updated_at),
        "given": sum(item.fate is Fate.GIVEN for item in row.fates),
        "of": len(row.fates),
        "attempts": row.attempts,
        "next_attempt": moment(row.next_at),
        "last_error": row.last_error,
    }


def _answer(row: RequestRow) -> str | None:
    """The answer folder's name, or the outcome in ArchivesSpace."""
    if not row.answer:
        return None
    if row.source:
        return readable(bytes.fromhex(row.answer))
    return str(json.loads(row.answer)[0])


def _details(journal: SqliteJournal, row: RequestRow) -> dict[str, Any]:
    return {
        "answer": _answer(row),
        "documents": [
            {
                "line": item.line,
                "asked": item.asked,
                "outcome": str(item.fate),
                "identity": item.identity or None,
                "files": list(item.files),
                "sha256": item.sha256 or None,
                "why": item.why or None,
            }
            for item in row.fates
        ],
        "orders": [
            {"order": order.id, "identity": order.identity, "state": str(order.state)}
            for order in journal.orders(request=row.id)
        ],
        "history": [
            {"at": moment(step.at), "from": step.old, "to": step.new, "reason": step.reason}
            for step in journal.steps(row.id)
        ],
    }


def _tell(journal: SqliteJournal, row: RequestRow) -> None:
    details = _details(journal, row)
    click.echo(f"request {row.id}, {row.state}, from {printable(_source(row))}")
    if row.state is RequestState.ANSWERED:
        click.echo(f"  answer {printable(details['answer'])}")
    if row.last_error:
        click.echo(f"  not yet: {printable(row.last_error)}; next attempt {moment(row.next_at)}")
    for item in row.fates:
        what = printable(item.identity or item.asked)
        click.echo(f"  {item.line}. {what}: {item.fate}{', ' + item.why if item.why else ''}")
    for order in details["orders"]:
        click.echo(f"  order {order['order']} {order['state']}")
    for step in details["history"]:
        click.echo(
            f"  {step['at']}  {step['from'] or ''} -> {step['to']}  {step['reason']}".rstrip()
        )
