"""``hotfolder case``: what was written in one matter, in the order in which it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK
from hotfolder.core.records import CorrespondenceRow
from hotfolder.core.references import split_reference
from hotfolder.service.actor import actor
from hotfolder.service.authority import describe_left_out, units_of
from hotfolder.service.inspecting import opened
from hotfolder.service.story import document_data, record_words
from hotfolder.service.terminal import print_json, print_table

_SHORT = 19  # characters of an identity, which name the document to every command


def show_case(
    config_path: str,
    reference: str,
    *,
    as_json: bool,
    customer: str | None,
    business_unit: str | None,
    limit: int,
    after: str | None,
) -> int:
    """Every document with this reference, oldest first. 66 if there is none."""
    kind, wanted = split_reference(reference)
    with opened(config_path) as (configuration, journal):
        asked = () if business_unit is None else (business_unit,)
        seen = units_of(configuration, journal, Duty.FIND, actor(), asked)
        parties = [
            party
            for party in journal.correspondents(wanted, kind=kind)
            if asked or seen.units is None or party[0] in seen.units
        ]
        try:
            rows = journal.correspondence(
                wanted,
                kind=kind,
                customer_id=customer,
                business_units=seen.units,
                after=after,
                limit=limit + 1,
            )
        except KeyError:
            click.echo(f"--after: no document is called {after!r}", err=True)
            return EX_NOINPUT
    following = rows[limit - 1].row.document.identity if len(rows) > limit else None
    rows = rows[:limit]
    if as_json:
        print_json(
            {
                "reference": wanted,
                "kind": kind,
                "parties": [
                    {"business_unit": unit, "customer_id": name, "documents": count}
                    for unit, name, count in parties
                ],
                "documents": [_data(item) for item in rows],
                "next": following,
                "units_left_out": len(seen.left_out),
            }
        )
    elif rows:
        _show(wanted, rows, parties)
        if following is not None:
            click.echo(f"there are more: --after {following}")
    else:
        click.echo("nothing found", err=True)
    if seen.left_out and not as_json:
        click.echo(describe_left_out(seen.left_out), err=True)
    return EX_OK if rows else EX_NOINPUT


def _data(item: CorrespondenceRow) -> dict[str, Any]:
    known = item.row.document.metadata
    return {
        **document_data(item.row),
        "business_unit": item.row.business_unit,
        "customer_id": known.customer_id,
        "channel": known.channel,
        "template": known.template,
        "template_version": known.template_version,
        "kinds": list(item.kinds),
        "superseded_by": item.superseded_by,
        "spool": item.row.spool_id,
    }


def _show(
    reference: str,
    rows: Sequence[CorrespondenceRow],
    parties: Sequence[tuple[str, str | None, int]],
) -> None:
    total = sum(count for _, _, count in parties)
    click.echo(f"{reference}: {total:,} document{'s' if total != 1 else ''}")
    if len(parties) > 1:
        # One reference may have been given twice, by two units or to two customers.
        print_table(
            f"It stands for {len(parties)} parties; --customer and --unit tell them apart",
            ("unit", "customer", "documents"),
            [(unit, name or "", f"{count:,}") for unit, name, count in parties],
        )
    print_table(
        "",
        (
            "issued",
            "unit",
            "customer",
            "type",
            "channel",
            "title",
            "version",
            "template",
            "as",
            "record",
            "identity",
        ),
        [
            (
                item.row.document.metadata.issue_date or "",
                item.row.business_unit,
                item.row.document.metadata.customer_id or "",
                item.row.document.metadata.document_type or "",
                item.row.document.metadata.channel or "",
                item.row.document.title,
                _version(item),
                _template(item),
                ", ".join(item.kinds),
                record_words(item.row),
                item.row.document.identity[:_SHORT],
            )
            for item in rows
        ],
    )


def _version(item: CorrespondenceRow) -> str:
    document = item.row.document
    words = str(document.version)
    if document.supersedes:
        words += f", supersedes {document.supersedes[:_SHORT]}"
    if item.superseded_by:
        words += f", superseded by {item.superseded_by[:_SHORT]}"
    return words


def _template(item: CorrespondenceRow) -> str:
    known = item.row.document.metadata
    return " ".join(part for part in (known.template, known.template_version) if part)
