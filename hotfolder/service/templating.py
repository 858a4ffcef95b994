"""``hotfolder templates``: what is known of versions. Nothing here changes anything."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK
from hotfolder.core.query import COUNT_LIMIT, DocumentQuery
from hotfolder.core.templatechain import (
    Irregularity,
    find_in_force,
    find_irregular,
    in_order,
)
from hotfolder.core.templates import TemplateRow, member_to_dict, template_to_dict
from hotfolder.flows.retention import day_of
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.authority import units_of
from hotfolder.service.finding import show_documents
from hotfolder.service.inspecting import opened
from hotfolder.service.story import moment
from hotfolder.service.terminal import print_json, print_table, printable
from hotfolder.sidecars.values import parse_date

_SHOWN = 50  # members of a version; --json has all


def read_day(text: str | None) -> date:
    """The day of an option ``--on``; today without one. ``click.UsageError`` if it is none."""
    if text is None:
        return day_of(time.time())
    day = parse_date(text)
    if day is None:
        raise click.UsageError("--on is no day: write it like 2025-03-01")
    return day


def versions_of(journal: SqliteJournal, name: str, unit: str | None) -> list[TemplateRow]:
    """The versions of a template, lowest number first; empty, and told, if there are none.
    ``click.UsageError`` if several business units have it and none is named."""
    rows = journal.template_versions(name, unit)
    units = sorted({row.business_unit for row in rows})
    if len(units) > 1:
        raise click.UsageError(f"several units have it: say --unit, one of {', '.join(units)}")
    if not rows:
        where = f" in business unit {unit}" if unit else ""
        click.echo(f"no template is called {name!r}{where}; `hotfolder templates list`", err=True)
    return in_order(rows)


def version_named(rows: Sequence[TemplateRow], version: str | None) -> TemplateRow | None:
    """That version, the latest without a name; None, and told, if there is none."""
    if version is None and rows:
        return rows[-1]
    found = next((row for row in rows if row.template.version == version), None)
    if found is None and rows:
        known = ", ".join(row.template.version for row in rows)
        click.echo(f"there is no version {version!r}; there are {known}", err=True)
    return found


def row_data(row: TemplateRow) -> dict[str, Any]:
    """A version for ``--json``, without members."""
    template = template_to_dict(row.template)
    del template["members"]
    return {
        **template,
        "standing": str(row.template.standing),
        "business_unit": row.business_unit,
        "identity": row.identity,
        "spool": row.spool_id,
        "sha256": row.sha256,
        "size": row.size,
        "files": row.members,
        "package": row.package,
        "record": row.record_uri,
        "archival_object": row.unit_uri,
        "archived": moment(row.archived_at),
    }


def list_names(config_path: str, *, as_json: bool, unit: str | None, day: str | None) -> int:
    """Every template. 66 if there is none."""
    on = read_day(day)
    with opened(config_path) as (_, journal):
        rows = journal.template_names(unit)
    found = []
    for (owner, name), group in groupby(
        rows, key=lambda row: (row.business_unit, row.template.name)
    ):
        versions = in_order(list(group))
        force = find_in_force(versions, on)
        found.append(
            {
                "business_unit": owner,
                "family": versions[0].template.family,
                "name": name,
                "versions": [row.template.version for row in versions],
                "in_force": None if force is None else force.template.version,
                "irregular": len(find_irregular([row.template for row in versions])),
            }
        )
    if as_json:
        print_json({"on": str(on), "templates": found})
    elif found:
        print_table(
            "",
            ("unit", "family", "template", "versions", f"in force on {on}", "irregular"),
            [
                (
                    item["business_unit"],
                    item["family"],
                    item["name"],
                    ", ".join(map(str, _few(item["versions"]))),
                    item["in_force"] or "none",
                    item["irregular"] or "",
                )
                for item in found
            ],
        )
    else:
        click.echo("no template is archived", err=True)
    return EX_OK if found else EX_NOINPUT


def _few(versions: object) -> list[object]:
    assert isinstance(versions, list)
    return versions if len(versions) <= 6 else [versions[0], "…", *versions[-4:]]


def show(
    config_path: str, *, as_json: bool, name: str, version: str | None, unit: str | None
) -> int:
    """One version. 66 if there is none."""
    with opened(config_path) as (_, journal):
        found = version_named(versions_of(journal, name, unit), version)
        row = None if found is None else journal.template_of(found.identity)
        if row is None:
            return EX_NOINPUT
        template = row.template
        count, first, last = journal.template_documents_days(
            row.business_unit, template.name, template.version
        )
    if as_json:
        print_json(
            {
                **row_data(row),
                "members": [member_to_dict(item) for item in template.members],
                "documents": count,
                "first_issued": str(first) if first else None,
                "last_issued": str(last) if last else None,
            }
        )
        return EX_OK
    lines = [
        f"{template.name} version {template.version}, {template.standing}",
        f"  {template.title or 'no title'}; family {template.family}, {row.business_unit}",
        f"  {_force_words(row)}",
        f"  by {template.author or 'nobody named'}; parent {template.parent or 'none'}",
    ]
    if template.change_note:
        lines.append(f"  {template.change_note}")
    lines += [
        f"  {item.decision} by {item.person} ({item.role}) on {item.day}"
        + (f": {item.note}" if item.note else "")
        for item in template.approvals
    ]
    lines += [
        f"  document {row.identity}, spool {row.spool_id}",
        f"  {row.size:,} bytes, sha-256 {row.sha256}",
        f"  record {row.record_uri or 'not confirmed yet'}",
        *([] if row.live else [f"  its package is {_package_words(row)}"]),
        (f"  more than {COUNT_LIMIT:,}" if count > COUNT_LIMIT else f"  {count:,}")
        + " documents name it"
        + (f", issued from {first} to {last}" if first is not None else ""),
        f"  {row.members:,} files:",
    ]
    lines += [
        f"    {item.size:>12,}  {item.sha256[:16]}…  {item.name}"
        for item in template.members[:_SHOWN]
    ]
    if row.members > _SHOWN:
        lines.append(f"    and {row.members - _SHOWN:,} more; --json has all")
    click.echo("\n".join(printable(line) for line in lines))
    return EX_OK


def _package_words(row: TemplateRow) -> str:
    if row.destroyed:
        return "destroyed: `hotfolder show` says when and why"
    return "damaged: `hotfolder verify --mend` makes it again from a whole copy"


def _force_words(row: TemplateRow) -> str:
    template = row.template
    until = template.effective_until
    return f"effective from {template.effective_from}" + (f", until {until}" if until else "")


def show_history(config_path: str, *, as_json: bool, name: str, unit: str | None) -> int:
    """The chain. 66 if there is no such template."""
    with opened(config_path) as (_, journal):
        rows = versions_of(journal, name, unit)
    if not rows:
        return EX_NOINPUT
    irregular = find_irregular([row.template for row in rows])
    if as_json:
        print_json(
            {
                "name": name,
                "business_unit": rows[0].business_unit,
                "versions": [row_data(row) for row in rows],
                "irregular": [
                    {
                        "kind": item.kind.value,
                        "version": item.version,
                        "other": item.other or None,
                        "first": str(item.first) if item.first else None,
                        "last": str(item.last) if item.last else None,
                        "message": str(item),
                    }
                    for item in irregular
                ],
            }
        )
        return EX_OK
    print_table(
        name,
        (
            "version",
            "parent",
            "effective from",
            "until",
            "decision",
            "by",
            "author",
            "change",
            "package",
        ),
        [
            (
                row.template.version,
                row.template.parent or "",
                row.template.effective_from,
                row.template.effective_until or "",
                str(row.template.standing),
                ", ".join(f"{item.person} ({item.role})" for item in row.template.approvals),
                row.template.author,
                row.template.change_note,
                row.package,
            )
            for row in rows
        ],
    )
    for item in irregular:
        click.echo(printable(str(item)))
    return EX_OK


def show_in_force(
    config_path: str, *, as_json: bool, name: str, unit: str | None, day: str | None
) -> int:
    """The version in force on a day. 66 if there is none."""
    on = read_day(day)
    with opened(config_path) as (_, journal):
        rows = versions_of(journal, name, unit)
    row = find_in_force(rows, on)
    if as_json:
        print_json(
            {"name": name, "on": str(on), "in_force": None if row is None else row_data(row)}
        )
    elif row is not None:
        click.echo(
            printable(
                f"{name} version {row.template.version} was in force on {on}"
                f" ({_force_words(row)}); document {row.identity}"
            )
        )
        for remark in _remarks(row, on):
            click.echo(printable(remark))
    elif rows:
        click.echo(printable(f"no version of {name} was in force on {on}"), err=True)
    return EX_NOINPUT if row is None else EX_OK


def _remarks(row: TemplateRow, on: date) -> list[str]:
    """What somebody who relies upon a version that was in force must know."""
    late = [
        str(item)
        for item in find_irregular([row.template])
        if item.kind is Irregularity.LATE and item.last is not None and on < item.last
    ]
    return late + ([] if row.live else [f"its package is {_package_words(row)}"])


def list_documents(
    config_path: str,
    *,
    as_json: bool,
    name: str,
    version: str,
    unit: str | None,
    limit: int,
    after: str | None,
    count: bool,
) -> int:
    """Documents that name a version. 66 if there is none."""
    with opened(config_path) as (configuration, journal):
        asked = () if unit is None else (unit,)
        seen = units_of(configuration, journal, Duty.FIND, actor(), asked)
        query = DocumentQuery(
            template=name, template_version=version, business_units=seen.units, after=after
        )
        if count:
            total = journal.count_documents(query)
            if as_json:
                print_json({"count": total})
            else:
                click.echo(f"{total:,}")
            return EX_OK
        try:
            rows = journal.find_documents(query, limit + 1)
        except KeyError:
            click.echo(f"--after: no document is called {after!r}", err=True)
            return EX_NOINPUT
        holds = journal.holds_upon_documents([row.document.identity for row in rows[:limit]])
    return show_documents(
        rows[:limit], holds, more=len(rows) > limit, as_json=as_json, left_out=seen.left_out
    )
