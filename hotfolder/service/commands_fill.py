"""``hotfolder fill`` at the command line."""

from __future__ import annotations

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.command(cls=Command, epilog="hotfolder fill")
@CONFIG
@JSON
def fill(config_path: str, as_json: bool) -> int:
    """Give every copy of the store what it lacks, verified.

    For a copy that was added, or a root that has lost something. The daemon may run; a
    copy that it does not know yet is filled once before its restart and once after.
    May be interrupted and given again.
    """
    from hotfolder.service import filling  # noqa: PLC0415  the store and its libraries

    return filling.fill_copies(config_path, as_json=as_json)
