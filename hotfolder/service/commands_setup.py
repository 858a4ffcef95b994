"""``hotfolder setup`` at the command line."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.command(
    cls=Command,
    epilog="hotfolder setup --plan\n"
    "hotfolder setup --password-file /etc/hotfolder/archivesspace-password",
)
@CONFIG
@JSON
@click.option("--plan", "plan_only", is_flag=True, help="Say what would be made, and make nothing.")
@click.option("--yes", is_flag=True, help="Make everything without asking.")
@click.option("--admin", "administrator", default="admin", show_default=True, help="Who logs in.")
@click.option(
    "--admin-password-file",
    "administrator_password_file",
    type=click.Path(),
    help="Where the administrator's password is; else it is asked for.",
)
@click.option(
    "--password-file",
    type=click.Path(),
    help="A new file for the service account's password (only its owner may read it).",
)
def setup(config_path: str, as_json: bool, **options: Any) -> int:
    """Make in ArchivesSpace what the configuration needs, once, as an administrator.

    A repository (unpublished) for each business unit, list values, the service account with
    a group of the least permissions, the software agent, the resources of the series. What
    is there is left as it is: run it again after a change, or when it was interrupted.
    """
    from hotfolder.service import setup as work  # noqa: PLC0415  see cli.py

    return work.set_up(config_path, as_json=as_json, **options)
