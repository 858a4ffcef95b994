"""``hotfolder pseudonym``: what stands for a customer in ArchivesSpace."""

from __future__ import annotations

import time

import click

from hotfolder.core.errors import EX_OK
from hotfolder.service.options import CONFIG, JSON, Command
from hotfolder.service.terminal import print_json, print_table


@click.command(cls=Command, epilog="hotfolder pseudonym C0100002 --unit RETAIL")
@CONFIG
@JSON
@click.option("--field", "name", default="customer_id", show_default=True, help="Of this field.")
@click.option("--unit", "units", multiple=True, help="In this business unit (repeatable).")
@click.argument("value")
def pseudonym(
    config_path: str, as_json: bool, name: str, units: tuple[str, ...], value: str
) -> int:
    """The pseudonyms of a customer: search ArchivesSpace for them.

    One for each business unit and key; records that were made before the key was changed
    have an earlier one. That it was asked for goes on the audit chain, the value does not.
    """
    from hotfolder.core.duties import Duty  # noqa: PLC0415  see cli.py
    from hotfolder.core.errors import OperatorFault  # noqa: PLC0415
    from hotfolder.core.shielding import IDENTIFIERS  # noqa: PLC0415
    from hotfolder.core.shielding import pseudonym as make  # noqa: PLC0415
    from hotfolder.service.actor import actor  # noqa: PLC0415
    from hotfolder.service.authority import units_of  # noqa: PLC0415
    from hotfolder.service.inspecting import opened  # noqa: PLC0415

    if name not in IDENTIFIERS:
        raise click.UsageError(f"--field is one of {', '.join(IDENTIFIERS)}")
    with opened(config_path) as (configuration, journal):
        codes = [unit.code for unit in configuration.rules.business_units]
        for unit in units:
            if unit not in codes:
                raise click.UsageError(f"--unit is one of {', '.join(codes)}")
        seen = units_of(configuration, journal, Duty.PSEUDONYM, actor(), units or codes)
        shield = configuration.archive.shield
        if name not in shield.pseudonyms or not shield.keys:
            raise OperatorFault(
                f"{name} has no pseudonyms here",
                hint="[archivesspace.fields] pseudonyms, and a key that you may read",
                code="pseudonym.none",
            )
        made = [
            {
                "business_unit": unit,
                "pseudonym": make(key, unit, name, value),
                "in_force": not number,
            }
            for unit in seen.units or codes
            for number, key in enumerate(shield.keys)
        ]
        # On the chain before anybody reads it.
        journal.append_audit(
            actor(),
            "pseudonym.told",
            str(made[0]["pseudonym"]),
            {"field": name, "business_units": list(seen.units or codes)},
            time.time(),
        )
    if as_json:
        print_json({"field": name, "pseudonyms": made})
    else:
        print_table(
            "",
            ("unit", "pseudonym", "key"),
            [
                (
                    str(item["business_unit"]),
                    str(item["pseudonym"]),
                    "in force" if item["in_force"] else "earlier",
                )
                for item in made
            ],
        )
    return EX_OK
