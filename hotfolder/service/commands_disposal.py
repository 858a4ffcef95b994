"""``hotfolder disposal``: what may go, who decides it, and what is left of it."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command

_CLASS = click.option("--class", "retention_class", help="Only documents of this class.")
_UNIT = click.option("--unit", "business_unit", help="... of this business unit.")
_SERIES = click.option("--series", help="... of this series.")


@click.group
def disposal() -> None:
    """Destroying documents whose retention has ended: due, propose, approve, execute.

    docs/disposal.md says what is decided when, and what is left of a document.
    """


@disposal.command(cls=Command, epilog="hotfolder disposal due --class CC-7Y --csv due.csv")
@CONFIG
@JSON
@_CLASS
@_UNIT
@_SERIES
@click.option("--csv", "csv_path", help="Write all of it to this file instead.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--after", default="", help="Go on after this place (`next` of the page before).")
def due(config_path: str, as_json: bool, **options: Any) -> int:
    """Documents whose retention has ended, and what stands in the way of their end.

    due: may be proposed. pending: it may be proposed, and is withheld when that is
    executed, until all of its spool may go. held: a legal hold is on it. listed: on the
    list of an open disposal.
    """
    from hotfolder.service import disposing  # noqa: PLC0415  see cli.py

    return disposing.list_due(config_path, as_json=as_json, **options)


@disposal.command(cls=Command, epilog="hotfolder disposal propose --unit RETAIL --class CC-7Y")
@CONFIG
@JSON
@_CLASS
@_UNIT
@_SERIES
@click.option("--reason", default="", help="Why now; kept with the disposal.")
def propose(config_path: str, as_json: bool, **options: Any) -> int:
    """Freeze a list of what is due, for each business unit, and ask for approval.

    A spool is on a list with all its documents that are due. ArchivesSpace is told with
    an event whose outcome an archivist may set to pass or fail. Exit code 66 if nothing
    may be proposed.
    """
    from hotfolder.service import disposing  # noqa: PLC0415  see cli.py

    return disposing.propose(config_path, as_json=as_json, **options)


@disposal.command(
    cls=Command,
    epilog="hotfolder disposal approve disposal-0123456789ab --authority 'board, 2036-02-01'",
)
@CONFIG
@JSON
@click.argument("disposal")
@click.option("--authority", default="", help="On what it is based; demanded by classes to review.")
def approve(config_path: str, as_json: bool, disposal: str, authority: str) -> int:
    """Approve a list that another person proposed."""
    from hotfolder.service import disposing  # noqa: PLC0415  see cli.py

    return disposing.approve(config_path, disposal, authority=authority, as_json=as_json)


@disposal.command(
    cls=Command, epilog="hotfolder disposal withdraw disposal-0123456789ab --reason 'audit of 2036'"
)
@CONFIG
@JSON
@click.argument("disposal")
@click.option("--reason", required=True, help="Why; on the audit chain.")
def withdraw(config_path: str, as_json: bool, disposal: str, reason: str) -> int:
    """Do not carry it out; its documents may be proposed again."""
    from hotfolder.service import disposing  # noqa: PLC0415  see cli.py

    return disposing.withdraw(config_path, disposal, reason=reason, as_json=as_json)


@disposal.command(cls=Command, epilog="hotfolder disposal execute disposal-0123456789ab")
@CONFIG
@JSON
@click.argument("disposal")
@click.option("--today-is", help="The day, where the clock was stopped or jumped (2036-03-01).")
@click.option(
    "--wait",
    default=60,
    show_default=True,
    type=click.IntRange(0, 86_400),
    help="Seconds for which the daemon is waited for, if one runs.",
)
def execute(config_path: str, as_json: bool, disposal: str, today_is: str | None, wait: int) -> int:
    """Look at every document of an approved list again, and destroy what may go.

    There is no way back. The daemon does the destroying; without one this command does.
    Killed or interrupted, it is completed by the daemon, or by this command once more. Of
    a disposal that is done it purges what a restored backup has brought back. Exit code
    75 if it is not completed yet.
    """
    from hotfolder.service import disposing  # noqa: PLC0415  see cli.py

    return disposing.execute(config_path, disposal, today_is=today_is, wait=wait, as_json=as_json)


@disposal.command(
    cls=Command, epilog="hotfolder disposal resume --reason 'events of 2019 to 2026 given again'"
)
@CONFIG
@JSON
@click.option("--reason", required=True, help="What was seen to; on the audit chain.")
def resume(config_path: str, as_json: bool, reason: str) -> int:
    """Let disposals go on after the journal was rebuilt.

    A rebuilt journal has every document and every hold, but no retention events: give them
    again first. Until then nothing is destroyed.
    """
    from hotfolder.service import resuming  # noqa: PLC0415  see cli.py

    return resuming.resume(config_path, reason=reason, as_json=as_json)


@disposal.command("list", cls=Command, epilog="hotfolder disposal list --state PROPOSED")
@CONFIG
@JSON
@click.option("--state", "states", multiple=True, help="Only those in this state (repeatable).")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_disposals(config_path: str, as_json: bool, states: tuple[str, ...], limit: int) -> int:
    """Disposals, newest first."""
    from hotfolder.service import disposing  # noqa: PLC0415  see cli.py

    return disposing.list_disposals(config_path, states=states, limit=limit, as_json=as_json)


@disposal.command(cls=Command, epilog="hotfolder disposal show disposal-0123456789ab")
@CONFIG
@JSON
@click.argument("disposal")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0, 100_000))
def show(config_path: str, as_json: bool, disposal: str, limit: int) -> int:
    """One disposal, its list, and what became of each document."""
    from hotfolder.service import disposing  # noqa: PLC0415  see cli.py

    return disposing.show(config_path, disposal, limit=limit, as_json=as_json)


@disposal.command(
    cls=Command, epilog="hotfolder disposal certificate disposal-0123456789ab --to /tmp/audit"
)
@CONFIG
@JSON
@click.argument("disposal")
@click.option("--to", "folder", required=True, help="The folder for the JSON and the PDF.")
def certificate(config_path: str, as_json: bool, disposal: str, folder: str) -> int:
    """Write the certificate of a disposal that is done."""
    from hotfolder.service import disposing  # noqa: PLC0415  see cli.py

    return disposing.write_certificate(config_path, disposal, folder=folder, as_json=as_json)
