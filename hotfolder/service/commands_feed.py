"""``hotfolder feed``: what archivists decided, and what went downstream."""

from __future__ import annotations

import click

from hotfolder.core.facts import FactKind
from hotfolder.service.options import CONFIG, JSON, Command


@click.group
def feed() -> None:
    """Facts: what archivists decided in ArchivesSpace and what happened here, and the
    files in which they go downstream.

    docs/feed.md explains each kind of fact and the format.
    """


@feed.command(
    "list", cls=Command, epilog="hotfolder feed list --json\nhotfolder feed list --after 120"
)
@CONFIG
@JSON
@click.option("--after", default=0, help="Go on after the file with this number.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_files(config_path: str, as_json: bool, after: int, limit: int) -> int:
    """The files of the feed: how many facts each has, whether it is written, whether the
    callback has taken it, and what it said if not."""
    from hotfolder.service import feeds  # noqa: PLC0415  see cli.py

    return feeds.list_files(config_path, as_json=as_json, after=after, limit=limit)


@feed.command(
    cls=Command,
    epilog="hotfolder feed facts --kind hold.placed\n"
    "hotfolder feed facts --document hf-3f5c… --json",
)
@CONFIG
@JSON
@click.option("--kind", type=click.Choice([kind.value for kind in FactKind]), help="Only these.")
@click.option("--document", default="", help="Only facts about the document with this identity.")
@click.option("--waiting", is_flag=True, help="Only those whose effect is not carried out.")
@click.option("--after", default=0, help="Go on after the fact with this number.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def facts(
    config_path: str,
    as_json: bool,
    kind: str | None,
    document: str,
    waiting: bool,
    after: int,
    limit: int,
) -> int:
    """Facts, oldest first: what happened, who did it, and what became of it here."""
    from hotfolder.service import feeds  # noqa: PLC0415  see cli.py

    return feeds.list_facts(
        config_path,
        as_json=as_json,
        kind=FactKind(kind) if kind else None,
        identity=document,
        waiting=waiting,
        after=after,
        limit=limit,
    )


@feed.command(cls=Command, epilog="hotfolder feed replay 17\nhotfolder feed replay 17 --settle")
@CONFIG
@JSON
@click.option(
    "--settle", is_flag=True, help="Also a file whose folder was replaced while it was written."
)
@click.argument("number", type=click.IntRange(1))
def replay(config_path: str, as_json: bool, number: int, settle: bool) -> int:
    """Write the file NUMBER of the feed again, for a consumer that has lost it.

    It has the same name and the same facts. A file that is there is left alone.
    """
    from hotfolder.service import feeds  # noqa: PLC0415  see cli.py

    return feeds.replay(config_path, number, as_json=as_json, settle=settle)


@feed.command(cls=Command, epilog="hotfolder feed retry")
@CONFIG
@JSON
def retry(config_path: str, as_json: bool) -> int:
    """Let what waits for another attempt at the callback be posted at once."""
    from hotfolder.service import feeds  # noqa: PLC0415  see cli.py

    return feeds.retry(config_path, as_json=as_json)
