"""``hotfolder migrate`` at the command line."""

from __future__ import annotations

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.group
def migrate() -> None:
    """Move an old archive in: look at it, take it, prove that nothing is missing.

    NAME is a [migrations.NAME] of the configuration. The export is never written.
    """


@migrate.command(
    cls=Command,
    epilog="hotfolder migrate plan mobius\n"
    "hotfolder migrate plan mobius --html plan.html --csv figures/",
)
@CONFIG
@JSON
@click.argument("name")
@click.option("--html", type=click.Path(), help="Write a page with charts into this new file.")
@click.option(
    "--csv", "csv_folder", type=click.Path(), help="Write each table as CSV into this folder."
)
def plan(
    config_path: str, as_json: bool, name: str, html: str | None, csv_folder: str | None
) -> int:
    """Read everything and move nothing; say what would become of it.

    May be stopped and given again. Exits with 0, 65 (something would be rejected) or 75
    (stopped).
    """
    from hotfolder.service import migrating  # noqa: PLC0415  see cli

    return migrating.plan(config_path, name, as_json=as_json, html=html, csv_folder=csv_folder)


@migrate.command(
    cls=Command,
    epilog="hotfolder migrate run mobius\nhotfolder migrate run mobius --again",
)
@CONFIG
@JSON
@click.argument("name")
@click.option("--again", is_flag=True, help="Take what was rejected once more.")
@click.option("--limit", type=click.IntRange(1), help="Take so many items, then stop.")
def run(config_path: str, as_json: bool, name: str, again: bool, limit: int | None) -> int:
    """Move it in, beside a running daemon or without one.

    May be killed and given again: nothing is lost and nothing comes twice. Live intake goes
    first. Exits with 0, 65 (something was rejected) or 75 (there is more to do).
    """
    from hotfolder.service import migrating  # noqa: PLC0415  see cli

    return migrating.run(config_path, name, as_json=as_json, again=again, limit=limit)


@migrate.command(
    cls=Command,
    epilog="hotfolder migrate reconcile mobius --report proof.json --html proof.html",
)
@CONFIG
@JSON
@click.argument("name")
@click.option("--report", type=click.Path(), help="Write the signed proof into this file.")
@click.option("--html", type=click.Path(), help="Write it as a page.")
@click.option("--list", "item_list", type=click.Path(), help="Write every item into a new file.")
def reconcile(
    config_path: str,
    as_json: bool,
    name: str,
    report: str | None,
    html: str | None,
    item_list: str | None,
) -> int:
    """Read the export again and prove that every item of it is accounted for.

    May be stopped and given again. Exits with 0 (proven), 74 (something differs) or 75
    (stopped).
    """
    from hotfolder.service import reconciling  # noqa: PLC0415  see cli

    return reconciling.reconcile(
        config_path, name, as_json=as_json, report=report, html=html, item_list=item_list
    )


@migrate.command(cls=Command, epilog="hotfolder migrate status")
@CONFIG
@JSON
def status(config_path: str, as_json: bool) -> int:
    """How far each migration is."""
    from hotfolder.service import migrating  # noqa: PLC0415  see cli

    return migrating.status(config_path, as_json=as_json)


@migrate.command(cls=Command, epilog="hotfolder migrate verify proof.json --key 3f9c")
@JSON
@click.argument("path", type=click.Path())
@click.option("--key", help="The beginning of the key's name that it must be signed with.")
def verify(as_json: bool, path: str, key: str | None) -> int:
    """Whether a proof is as it was signed; needs no journal. Exits with 0 or 65."""
    from hotfolder.service import reconciling  # noqa: PLC0415  see cli

    return reconciling.verify_report(path, key=key, as_json=as_json)
