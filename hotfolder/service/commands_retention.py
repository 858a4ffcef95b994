"""``hotfolder retention``: how long documents are kept, and why."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.service.options import CONFIG, JSON, Command


@click.group
def retention() -> None:
    """How long documents are kept: classes, events that start clocks, dates and reasons.

    docs/retention.md explains classes, versions and events.
    """


@retention.command(
    cls=Command,
    epilog="hotfolder retention event --policy P-77 contract-end 2026-03-31\n"
    'hotfolder retention event --withdraw 4 --reason "the contract goes on"',
)
@CONFIG
@JSON
@click.option("--policy", help="The event is one of this policy.")
@click.option("--account", help="... of this account.")
@click.option("--customer", help="... of this customer.")
@click.option("--case", help="... of this case.")
@click.option("--document", help="... of the document with this identity.")
@click.option("--withdraw", type=click.IntRange(1, 2**63 - 1), help="This event did not happen.")
@click.option("--reason", default="", help="Why, for the history.")
@click.argument("event", required=False)
@click.argument("day", required=False)
def event(config_path: str, as_json: bool, **options: Any) -> int:
    """Record that EVENT happened on DAY (2026-03-31), or withdraw one that did not.

    The clocks of all documents of the policy, account, customer or case start with it. A
    correction is another event of the same name: the last one counts. The daemon computes
    the dates; documents that come later are counted in.
    """
    from hotfolder.service import retentionevents  # noqa: PLC0415  see cli.py

    return retentionevents.record(config_path, as_json=as_json, **options)


@retention.command(cls=Command, epilog="hotfolder retention events --policy P-77")
@CONFIG
@JSON
@click.option("--policy", help="Only events of this policy.")
@click.option("--account", help="... of this account.")
@click.option("--customer", help="... of this customer.")
@click.option("--case", help="... of this case.")
@click.option("--document", help="... of the document with this identity.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option(
    "--after",
    default=0,
    type=click.IntRange(0, 2**63 - 1),
    help="Go on after the event with this number.",
)
def events(config_path: str, as_json: bool, **options: Any) -> int:
    """Events, oldest first, those that were withdrawn too."""
    from hotfolder.service import retentionevents  # noqa: PLC0415  see cli.py

    return retentionevents.list_events(config_path, as_json=as_json, **options)


@retention.command(cls=Command, epilog="hotfolder retention classes")
@CONFIG
@JSON
def classes(config_path: str, as_json: bool) -> int:
    """The schedule: every class with its versions."""
    from hotfolder.service import retaining  # noqa: PLC0415  see cli.py

    return retaining.list_classes(config_path, as_json=as_json)


@retention.command(cls=Command, epilog="hotfolder retention plan --config new.toml")
@CONFIG
@JSON
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="Documents that are listed, at most.",
)
def plan(config_path: str, as_json: bool, limit: int) -> int:
    """What the schedule of the configuration would make of the documents that are kept.

    Nothing is changed. Exit code 78 if it shortens and does not say so: the daemon would
    not start with it.
    """
    from hotfolder.service import retaining  # noqa: PLC0415  see cli.py

    return retaining.show_plan(config_path, as_json=as_json, limit=limit)


@retention.command(cls=Command, epilog="hotfolder retention show hf-3f5c…")
@CONFIG
@JSON
@click.argument("identity")
def show(config_path: str, as_json: bool, identity: str) -> int:
    """Why a document is kept until its day: class, version, trigger, events, changes."""
    from hotfolder.service import retaining  # noqa: PLC0415  see cli.py

    return retaining.show(config_path, identity, as_json=as_json)
