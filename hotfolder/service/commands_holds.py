"""``hotfolder holds``: legal holds, placed and released."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command, Decorated

_CRITERIA = (
    click.option(
        "--document",
        "documents",
        multiple=True,
        help="These documents: identity, spool, unit or record in ArchivesSpace; repeatable.",
    ),
    click.option("--customer", help="Of this customer."),
    click.option("--account", help="... of this account."),
    click.option("--policy", help="... of this policy."),
    click.option("--case", help="... of this case; claim:X, dispute:X, change:X of one kind."),
    click.option("--class", "retention_class", help="... of this retention class."),
    click.option("--type", "document_type", help="... of this document type."),
    click.option("--series", help="... of this series."),
    click.option("--unit", "business_unit", help="... of this business unit."),
    click.option("--from", "issued_from", help="... issued on this day or later (2026-06-30)."),
    click.option("--to", "issued_to", help="... issued on this day or earlier."),
    click.option("--text", help="... with all of these words in the title."),
    click.option("--spool", help="... of this spool."),
)


def _criteria(command: Decorated) -> Decorated:
    for option in reversed(_CRITERIA):
        command = option(command)
    return command


@click.group
def holds() -> None:
    """Legal holds: what is held is not destroyed, whatever its retention says.

    docs/holds.md explains matters, criteria and newcomers.
    """


@holds.command(
    cls=Command,
    epilog="hotfolder holds place --matter 'Doe v. Bank' --customer C-100 --dry-run\n"
    "hotfolder holds place --matter 'Doe v. Bank' --customer C-100 --reason 'claim filed'",
)
@CONFIG
@JSON
@click.option("--matter", required=True, help="What it is about: the file number of the matter.")
@click.option("--mandate", default="", help="The order or law behind it.")
@click.option("--originator", default="", help="Who asked for it.")
@click.option("--reason", default="", help="Why, for the history.")
@click.option("--only-now", is_flag=True, help="Only what is there now; no newcomers.")
@click.option("--dry-run", is_flag=True, help="Say how much would be held, and hold nothing.")
@_criteria
def place(config_path: str, as_json: bool, **options: Any) -> int:
    """Place a hold on all documents of which everything that is given is true.

    It is in force at once, and acknowledged when every store is marked. Documents that
    come later are held too, unless --only-now.
    """
    from hotfolder.service import holding  # noqa: PLC0415  see cli.py

    return holding.place(config_path, as_json=as_json, **options)


@holds.command(
    cls=Command, epilog="hotfolder holds release hold-3f5c0a91be27 --reason 'settled in 2027'"
)
@CONFIG
@JSON
@click.option("--reason", required=True, help="Why, for the history.")
@click.argument("hold")
def release(config_path: str, as_json: bool, hold: str, reason: str) -> int:
    """Release a hold. Dates of retention were never changed: the clock has gone on."""
    from hotfolder.service import holding  # noqa: PLC0415  see cli.py

    return holding.release(config_path, hold, reason, as_json=as_json)


@holds.command("list", cls=Command, epilog="hotfolder holds list --document hf-3f5c…")
@CONFIG
@JSON
@click.option("--all", "released", is_flag=True, help="Those that were released, too.")
@click.option("--document", help="Only those upon this document.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option(
    "--after",
    default=0,
    type=click.IntRange(0, 2**63 - 1),
    help="Go on after the hold with this number.",
)
def list_holds(config_path: str, as_json: bool, **options: Any) -> int:
    """Holds in force, oldest first."""
    from hotfolder.service import holding  # noqa: PLC0415  see cli.py

    return holding.list_holds(config_path, as_json=as_json, **options)


@holds.command(cls=Command, epilog="hotfolder holds show hold-3f5c0a91be27")
@CONFIG
@JSON
@click.option(
    "--limit", default=10, show_default=True, type=click.IntRange(0, 100_000), help="Documents."
)
@click.option(
    "--after", default=0, type=click.IntRange(0, 2**63 - 1), help="Skip so many documents."
)
@click.argument("hold")
def show(config_path: str, as_json: bool, hold: str, limit: int, after: int) -> int:
    """One hold: matter, criteria, how far it has come, and what it holds."""
    from hotfolder.service import holding  # noqa: PLC0415  see cli.py

    return holding.show(config_path, hold, limit=limit, after=after, as_json=as_json)
