"""``hotfolder verify`` at the command line."""

from __future__ import annotations

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.command(
    cls=Command,
    epilog=(
        "hotfolder verify --for 2h --rate 40\n"
        "hotfolder verify --folder statements --since 2026-06-01\n"
        "hotfolder verify --mend 0192f3a4b5c6"
    ),
)
@CONFIG
@JSON
@click.option("--rate", type=click.FloatRange(min=0), help="Read at most so many MB a second.")
@click.option("--files", type=click.FloatRange(min=0), help="At most so many objects a second.")
@click.option("--for", "duration", help="Stop after 90s, 30m or 2h; the next run goes on.")
@click.option("--all", "anew", is_flag=True, help="Begin a new round, also if one is open.")
@click.option("--spool", help="Only this spool (its id, or the beginning of it).")
@click.option("--folder", help="Only spools of this hot folder.")
@click.option("--since", help="Only spools taken on this day or later (2026-06-30).")
@click.option("--mend", help="Make this spool's damaged objects again from a whole one.")
def verify(
    config_path: str,
    as_json: bool,
    rate: float | None,
    files: float | None,
    duration: str | None,
    anew: bool,
    spool: str | None,
    folder: str | None,
    since: str | None,
    mend: str | None,
) -> int:
    """Read the store again and compare it with what was recorded.

    Goes on with the round that is open, what was not looked at for longest first. Beside a
    running daemon; one at a time. Exits with 0 (all whole), 74 (damage was found) or 75
    (there is more to do: give it again).
    """
    from hotfolder.service import verifying  # noqa: PLC0415  the store and its libraries

    if mend is not None:
        return verifying.mend_spool(config_path, mend, as_json=as_json)
    return verifying.verify_store(
        config_path,
        as_json=as_json,
        rate=rate,
        files=files,
        duration=duration,
        anew=anew,
        spool=spool,
        folder=folder,
        since=since,
    )
