"""``hotfolder governance`` at the command line."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.group
def governance() -> None:
    """Vocabularies and rules that all business units share.

    docs/governance.md explains the file and its rules.
    """


@governance.command(
    cls=Command,
    epilog="hotfolder governance check\nhotfolder governance check --offline --html drift.html",
)
@CONFIG
@JSON
@click.option("--offline", is_flag=True, help="Do not ask ArchivesSpace.")
@click.option("--html", type=click.Path(), help="Write a page into this new file.")
@click.option(
    "--csv", "csv_folder", type=click.Path(), help="Write each table as CSV into this folder."
)
def check(config_path: str, as_json: bool, **options: Any) -> int:
    """Look for drift: what is not as the vocabularies, rules and settings say.

    Values of the catalogue and of ArchivesSpace's lists that the vocabularies lack, series
    without class, classes without series, folders without owner, repositories that are
    missing, published or renamed, permissions beyond or below the least, rules that no
    document met. Nothing is changed. Exit code 1 if something has drifted.
    """
    from hotfolder.service import governing  # noqa: PLC0415  see cli.py

    return governing.check_governance(config_path, as_json=as_json, **options)
