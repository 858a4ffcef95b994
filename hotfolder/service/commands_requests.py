"""``hotfolder requests``: what was asked for, and what became of it."""

from __future__ import annotations

import json
from typing import Any

import click

from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE
from hotfolder.core.orders import Fate, RequestRow, RequestState
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.inspecting import opened
from hotfolder.service.options import CONFIG, JSON, Command
from hotfolder.service.story import moment, readable
from hotfolder.service.terminal import print_json, print_table, printable


@click.command(
    "requests",
    cls=Command,
    epilog="hotfolder requests show 0193f2a4b6c1\nhotfolder requests --open",
)
@CONFIG
@JSON
@click.argument("words", nargs=-1, metavar="[show REQUEST]")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not answered yet.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def requests(
    config_path: str, as_json: bool, words: tuple[str, ...], only_open: bool, limit: int
) -> int:
    """Requests for documents, from request folders and from ArchivesSpace, newest first.

    With show REQUEST, one of them: what was asked, what became of each document, its
    history. REQUEST is its id (or the beginning of it), or the uri of its event.
    """
    if words:
        request = words[1:] if words[0] == "show" else words
        if len(request) != 1:
            click.echo("name one request: hotfolder requests show REQUEST", err=True)
            return EX_USAGE
        return _show(config_path, request[0], as_json=as_json)
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


def _show(config_path: str, request: str, *, as_json: bool) -> int:
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
