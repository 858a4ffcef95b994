"""``hotfolder templates``: versions of templates, and the documents that were made by them."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command

_UNIT = click.option("--unit", help="Of this business unit, if several have the template.")


@click.group
def templates() -> None:
    """Versions of templates: who approved them, when they are in force, what they made.

    docs/templates.md explains packages, manifests and versions.
    """


@templates.command("list", cls=Command, epilog="hotfolder templates list")
@CONFIG
@JSON
@click.option("--unit", help="Only of this business unit.")
@click.option("--on", "day", help="What is in force on this day; today if it is left out.")
def list_names(config_path: str, as_json: bool, unit: str | None, day: str | None) -> int:
    """Every template, with its versions and the one that is in force."""
    from hotfolder.service import templating  # noqa: PLC0415  see cli.py

    return templating.list_names(config_path, as_json=as_json, unit=unit, day=day)


@templates.command(cls=Command, epilog="hotfolder templates show statement-letter 2")
@CONFIG
@JSON
@_UNIT
@click.argument("name")
@click.argument("version", required=False)
def show(config_path: str, as_json: bool, **options: Any) -> int:
    """One version of a template, the latest if none is named: all that is known of it."""
    from hotfolder.service import templating  # noqa: PLC0415  see cli.py

    return templating.show(config_path, as_json=as_json, **options)


@templates.command(cls=Command, epilog="hotfolder templates history statement-letter")
@CONFIG
@JSON
@_UNIT
@click.argument("name")
def history(config_path: str, as_json: bool, **options: Any) -> int:
    """The versions of a template as a chain, and what is irregular in it."""
    from hotfolder.service import templating  # noqa: PLC0415  see cli.py

    return templating.show_history(config_path, as_json=as_json, **options)


@templates.command(
    "in-force",
    cls=Command,
    epilog="hotfolder templates in-force statement-letter --on 2025-03-01",
)
@CONFIG
@JSON
@_UNIT
@click.option("--on", "day", help="The day; today (UTC) if it is left out.")
@click.argument("name")
def in_force(config_path: str, as_json: bool, **options: Any) -> int:
    """The version that was in force on a day: the latest that is approved, is effective
    from that day or earlier, and not until that day or earlier. Exit code 66 if none was.
    """
    from hotfolder.service import templating  # noqa: PLC0415  see cli.py

    return templating.show_in_force(config_path, as_json=as_json, **options)


@templates.command(cls=Command, epilog="hotfolder templates diff statement-letter 1 2 --text")
@CONFIG
@JSON
@_UNIT
@click.option("--text", is_flag=True, help="What changed in files that are text.")
@click.option("--reason", default="", help="Why you look into them, for the audit chain.")
@click.argument("name")
@click.argument("old")
@click.argument("new")
def diff(config_path: str, as_json: bool, **options: Any) -> int:
    """The files that were added, removed or changed between two versions.

    With --text the terms of `hotfolder retrieve` hold, and both versions are on the audit
    chain as given out.
    """
    from hotfolder.service import templatediff  # noqa: PLC0415  see cli.py

    return templatediff.show_diff(config_path, as_json=as_json, **options)


@templates.command(cls=Command, epilog="hotfolder templates documents statement-letter 2")
@CONFIG
@JSON
@_UNIT
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--after", help="Go on after the document with this identity.")
@click.option("--count", is_flag=True, help="Only how many there are.")
@click.argument("name")
@click.argument("version")
def documents(config_path: str, as_json: bool, **options: Any) -> int:
    """The documents that were made with a version of a template, newest first.

    By what the documents say themselves, so that it does not matter which came first, nor
    whether the template is archived at all.
    """
    from hotfolder.service import templating  # noqa: PLC0415  see cli.py

    return templating.list_documents(config_path, as_json=as_json, **options)
