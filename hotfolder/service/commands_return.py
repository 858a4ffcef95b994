"""``hotfolder return`` and ``hotfolder orders``: documents out of the archive again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import (
    EX_DATAERR,
    EX_NOINPUT,
    EX_OK,
    EX_TEMPFAIL,
    OperatorFault,
)
from hotfolder.core.orders import OPEN_ORDERS, OrderRow, OrderState
from hotfolder.journal.daemonlock import acquire_daemon_lock
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.authority import require_about
from hotfolder.service.inspecting import opened
from hotfolder.service.options import CONFIG, JSON, Command
from hotfolder.service.settings import Configuration, load
from hotfolder.service.story import moment
from hotfolder.service.terminal import print_json, print_table

if TYPE_CHECKING:
    from hotfolder.flows.returning import Returns


@click.command(
    "return",
    cls=Command,
    epilog="hotfolder return hf-2279173966e3… --to reprint --reason 'dispute 4711'",
)
@CONFIG
@JSON
@click.argument("identity")
@click.option("--to", required=True, help="A return profile, [return.NAME].")
@click.option("--reason", default="", help="Why; kept on the audit chain.")
def return_document(config_path: str, as_json: bool, identity: str, to: str, reason: str) -> int:
    """Give one document back to Exstream, as a return profile says.

    The order is journalled first. While a daemon runs, the daemon carries it out; else it
    is done at once, and what could not be done is tried again by the next daemon.
    """
    from hotfolder.flows.returning import unknown_profile  # noqa: PLC0415  see cli.py
    from hotfolder.service.naming import UnknownNameError, resolve_one  # noqa: PLC0415

    with opened(config_path) as (configuration, journal):
        profiles = {profile.name: profile for profile in configuration.returns}
        if to not in profiles:
            raise unknown_profile(to, profiles)
        returns = _returns(configuration, journal)
        try:
            name = resolve_one(config_path, journal, identity)
            require_about(configuration, journal, Duty.RETRIEVE, name, actor())
            order = returns.order(name, to, reason=reason, actor=actor())
        except UnknownNameError as error:
            click.echo(error.told(), err=True)
            return EX_NOINPUT
        finally:
            returns.close()
        order = _carry_out(config_path, journal, order)
    if as_json:
        print_json(order_data(order))
    else:
        _tell(order)
    if order.state is OrderState.FAILED:
        return EX_DATAERR
    return EX_OK if order.state is OrderState.GIVEN else EX_TEMPFAIL


def _carry_out(config_path: str, journal: SqliteJournal, order: OrderRow) -> OrderRow:
    """One attempt, unless a daemon runs: two that carry out one order would give it twice."""
    try:
        configuration = load(config_path)  # with secrets, which looking needs not
        lock = acquire_daemon_lock(os.fsencode(configuration.journal_path))
    except OperatorFault as error:
        if error.code == "journal.in_use":
            return order
        click.echo(f"it waits for the daemon: {error.message}", err=True)
        return order
    try:
        returns = _returns(configuration, journal)
        try:
            # A daemon may have come and gone since the order was journalled.
            fresh = journal.get_order(order.id)
            if fresh is None or fresh.state not in OPEN_ORDERS:
                return fresh or order
            return returns.carry_out(fresh)
        finally:
            returns.close()
    finally:
        lock.release()


def _returns(configuration: Configuration, journal: SqliteJournal) -> Returns:
    from hotfolder.service.logs import configure_logs, make_emit  # noqa: PLC0415
    from hotfolder.service.parts import SystemClock, make_returns, open_store  # noqa: PLC0415

    configure_logs(configuration.log_format, configuration.log_level)
    clock, emit = SystemClock(), make_emit()
    return make_returns(
        journal=journal,
        store=open_store(configuration, emit, clock=clock),
        profiles=configuration.returns,
        terms=configuration.retrieve,
        clock=clock,
        emit=emit,
    )


def _tell(order: OrderRow) -> None:
    if order.state is OrderState.GIVEN:
        assert order.staged is not None
        click.echo(f"given to {order.to}: {order.staged.size:,} bytes")
        click.echo(f"  SHA-256 {order.staged.sha256}" + (" (derived)" * order.staged.derived))
        for _, name in order.staged.files:
            click.echo(f"  {os.path.join(order.staged.folder, name)}")
    elif order.state is OrderState.FAILED:
        click.echo(f"not given to {order.to}: {order.last_error}")
    elif order.last_error:
        click.echo(f"not given to {order.to} yet: {order.last_error}")
        click.echo("  it is journalled, and the daemon tries again")
    else:
        click.echo(f"ordered for {order.to}; the running daemon carries it out")
    click.echo(f"  order {order.id}")


def order_data(order: OrderRow) -> dict[str, Any]:
    """An order for ``--json``."""
    staged = order.staged
    return {
        "order": order.id,
        "identity": order.identity,
        "to": order.to,
        "state": str(order.state),
        "fate": None if order.fate is None else str(order.fate),
        "reason": order.reason,
        "actor": order.actor,
        "request": order.request,
        "ordered": moment(order.created_at),
        "updated": moment(order.updated_at),
        "attempts": order.attempts,
        "next_attempt": moment(order.next_at),
        "error": order.last_error,
        "form": None if staged is None else staged.form,
        "derived": None if staged is None else staged.derived,
        "sha256": None if staged is None else staged.sha256,
        "bytes": None if staged is None else staged.size,
        "files": []
        if staged is None
        else [os.path.join(staged.folder, name) for _, name in staged.files],
    }


@click.command(
    "orders", cls=Command, epilog="hotfolder orders 0193f2a4b6c1\nhotfolder orders --open"
)
@CONFIG
@JSON
@click.argument("order", required=False)
@click.option("--open", "only_open", is_flag=True, help="Only those that are not at their end.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--retry", is_flag=True, help="Try everything that waits now.")
@click.option(
    "--settle",
    type=click.Choice(["given", "failed"]),
    help="Say what became of ORDER where hotfolder cannot; no daemon may run.",
)
@click.option("--reason", default="", help="With --settle: how you know.")
def orders(
    config_path: str,
    as_json: bool,
    order: str | None,
    only_open: bool,
    limit: int,
    retry: bool,
    settle: str | None,
    reason: str,
) -> int:
    """What was ordered to be given back, newest first, or ORDER with its history."""
    with opened(config_path) as (configuration, journal):
        if settle is not None:
            # A daemon might be giving it at this moment.
            lock = acquire_daemon_lock(os.fsencode(configuration.journal_path))
            try:
                return _settle(journal, order, settle, reason, as_json=as_json)
            finally:
                lock.release()
        if retry:
            changed = journal.hasten_orders(_now())
            if as_json:
                print_json({"changed": changed})
            else:
                click.echo(f"{changed} to be tried again now")
            return EX_OK
        if order is not None:
            return _show(journal, order, as_json=as_json)
        rows = journal.open_orders(limit=limit) if only_open else journal.orders(limit=limit)
    if as_json:
        print_json([order_data(row) for row in rows])
        return EX_OK
    print_table(
        "",
        ("order", "state", "to", "document", "ordered", "why not"),
        [
            (row.id[:16], row.state, row.to, row.identity[:19], moment(row.created_at),
             row.last_error or "")
            for row in rows
        ],
    )  # fmt: skip
    return EX_OK


def _show(journal: SqliteJournal, text: str, *, as_json: bool) -> int:
    row = journal.get_order(text)
    if row is None:
        return _missing(text)
    steps = journal.steps(row.id)
    if as_json:
        told = [
            {"at": moment(step.at), "from": step.old, "to": step.new, "reason": step.reason}
            for step in steps
        ]
        print_json({**order_data(row), "history": told})
        return EX_OK
    _tell(row)
    click.echo(f"  document {row.identity}, ordered by {row.actor}")
    for step in steps:
        click.echo(f"  {moment(step.at)}  {step.old or ''} -> {step.new}  {step.reason}".rstrip())
    return EX_OK


def _missing(text: str) -> int:
    click.echo(f"no order is called {text!r}; `hotfolder orders` shows what there is", err=True)
    return EX_NOINPUT


def _now() -> float:
    from hotfolder.service.parts import SystemClock  # noqa: PLC0415

    return SystemClock().now()


def _discard(row: OrderRow) -> None:
    """Temporary files of an order that will not be given."""
    from hotfolder.files.giving import discard_files  # noqa: PLC0415

    if row.staged is not None and row.staged.folder:
        temporary, final = row.staged.files[0]
        suffix = os.fsencode(temporary.removeprefix(final))
        discard_files(os.fsencode(row.staged.folder), row.id, suffix)


def _settle(
    journal: SqliteJournal, text: str | None, settle: str, reason: str, *, as_json: bool
) -> int:
    """An operator has looked where hotfolder cannot."""
    from hotfolder.core.orders import Fate  # noqa: PLC0415

    row = journal.get_order(text) if text else None
    if row is None:
        return _missing(text or "")
    if not reason:
        raise OperatorFault(
            "it is not said how you know", hint="add --reason", code="orders.reason"
        )
    now = _now()
    try:
        if settle == "given":
            journal.give_order(row.id, reason, now)
        else:
            journal.fail_order(row.id, Fate.UNANSWERED, reason, now)
            _discard(row)
    except ValueError as error:
        raise OperatorFault(
            f"an order that is {row.state} cannot be settled like that",
            hint="`hotfolder orders` shows its history",
            code="orders.settle",
        ) from error
    journal.append_audit(
        actor(), "operator.settle", row.identity, {"order": row.id, "reason": reason}, now
    )
    found = journal.get_order(row.id)
    assert found is not None
    if as_json:
        print_json(order_data(found))
    else:
        _tell(found)
    return EX_OK
