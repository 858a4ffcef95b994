"""``hotfolder report`` at the command line."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.core.figures import BY
from hotfolder.core.volumes import VOLUMES_BY
from hotfolder.service.options import CONFIG, JSON, Command


@click.group
def report() -> None:
    """Figures over the whole catalogue: on the terminal, as CSV, as a page with charts."""


@report.command(
    cls=Command,
    epilog="hotfolder report retention --by series\n"
    "hotfolder report retention --by year --html retention.html --csv figures/",
)
@CONFIG
@JSON
@click.option(
    "--by", default="unit", show_default=True, type=click.Choice(sorted(BY)), help="One row each."
)
@click.option(
    "--overdue-after",
    default=90,
    show_default=True,
    type=click.IntRange(0, 36_500),
    help="Days after which a document that is due counts as overdue.",
)
@click.option("--html", type=click.Path(), help="Write a page with charts into this new file.")
@click.option(
    "--csv", "csv_folder", type=click.Path(), help="Write each table as CSV into this folder."
)
def retention(config_path: str, as_json: bool, **options: Any) -> int:
    """What is in time, due, overdue, held, without class.

    By business unit, series, class or year of issue; and in which years last days fall.
    """
    from hotfolder.service import reporting  # noqa: PLC0415  see cli

    return reporting.report_retention(config_path, as_json=as_json, **options)


@report.command(
    cls=Command,
    epilog="hotfolder report volumes --by month\n"
    "hotfolder report volumes --unit RETAIL --by series --html volumes.html",
)
@CONFIG
@JSON
@click.option(
    "--by",
    default="unit",
    show_default=True,
    type=click.Choice(sorted(VOLUMES_BY)),
    help="One row each.",
)
@click.option("--unit", "units", multiple=True, help="Only this business unit (repeatable).")
@click.option("--html", type=click.Path(), help="Write a page with charts into this new file.")
@click.option(
    "--csv", "csv_folder", type=click.Path(), help="Write each table as CSV into this folder."
)
def volumes(config_path: str, as_json: bool, **options: Any) -> int:
    """Volumes, classes, holds, rejects and backlog, by unit, series, month or class."""
    from hotfolder.service import reporting  # noqa: PLC0415  see cli

    return reporting.report_volumes(config_path, as_json=as_json, **options)
