"""``hotfolder case`` at the command line."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.command(cls=Command, epilog="hotfolder case CASE-2026-40001")
@CONFIG
@JSON
@click.argument("reference")
@click.option("--customer", help="Only of the customer with this id.")
@click.option("--unit", "business_unit", help="Only of this business unit.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--after", help="Go on after the document with this identity.")
def case(config_path: str, as_json: bool, reference: str, **options: Any) -> int:
    """The whole correspondence of a case, claim, dispute or policy change.

    Oldest first. REFERENCE is of any kind; case:X, claim:X, dispute:X or change:X is of
    one kind.
    """
    from hotfolder.service import corresponding  # noqa: PLC0415  see cli

    return corresponding.show_case(config_path, reference, as_json=as_json, **options)
