"""``hotfolder disposal resume``: a person has seen to what a rebuilt journal lacks."""

from __future__ import annotations

import time

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_OK, EX_USAGE
from hotfolder.service.actor import actor
from hotfolder.service.authority import require
from hotfolder.service.inspecting import opened
from hotfolder.service.terminal import print_json


def resume(config_path: str, *, reason: str, as_json: bool) -> int:
    """Let disposals go on; to whoever may approve them in every business unit."""
    if not reason.strip():
        click.echo("--reason is empty: say what was seen to", err=True)
        return EX_USAGE
    with opened(config_path) as (configuration, journal):
        require(configuration, journal, Duty.APPROVE, None, actor())
        resumed = journal.resume_disposals(actor(), reason, time.time())
    if as_json:
        print_json({"resumed": resumed})
    else:
        click.echo("disposals may go on" if resumed else "nothing was in their way")
    return EX_OK
