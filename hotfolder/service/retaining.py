"""What ``hotfolder retention classes``, ``plan`` and ``show`` do."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date
from typing import Any

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_CONFIG, EX_NOINPUT, EX_OK
from hotfolder.core.retention import ClassVersion, RetentionTrigger, decide
from hotfolder.core.schedules import Shortening
from hotfolder.flows.retention import Planned, day_of, refusal, shortenings
from hotfolder.flows.retention import plan as planned
from hotfolder.service.actor import actor
from hotfolder.service.authority import require
from hotfolder.service.inspecting import opened
from hotfolder.service.naming import UnknownNameError, whole_identity
from hotfolder.service.retentionevents import event_data
from hotfolder.service.story import moment
from hotfolder.service.terminal import print_json, print_table


def list_classes(config_path: str, *, as_json: bool) -> int:
    """The schedule."""
    with opened(config_path) as (configuration, _):
        schedule = configuration.rules.retention_classes
    if as_json:
        print_json(
            [
                {
                    "class": code,
                    "title": found.title,
                    "mandate": found.mandate or None,
                    "versions": [_version_data(version) for version in found.versions],
                }
                for code, found in schedule.items()
            ]
        )
        return EX_OK
    print_table(
        "",
        ("class", "version", "valid from", "for", "clock", "period", "action"),
        [
            (
                code,
                version.number,
                _valid_from(version) or "",
                " ".join(filter(None, (version.business_unit, version.jurisdiction))),
                _clock(version),
                str(version.period or ""),
                version.action,
            )
            for code, found in schedule.items()
            for version in found.versions
        ],
    )
    return EX_OK


def _valid_from(version: ClassVersion) -> str | None:
    return None if version.valid_from == date.min else version.valid_from.isoformat()


def _clock(version: ClassVersion) -> str:
    if version.trigger is not RetentionTrigger.EVENT:
        return version.trigger.value
    return version.event or "trigger_date"


def _version_data(version: ClassVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "valid_from": _valid_from(version),
        "business_unit": version.business_unit,
        "jurisdiction": version.jurisdiction,
        "trigger": version.trigger.value,
        "event": version.event or None,
        "of": [kind.value for kind in version.of],
        "offset": str(version.offset),
        "cutoff": version.cutoff.value,
        "period": str(version.period) if version.period else None,
        "action": version.action,
        "applies": "all" if version.reaches_back else "new",
        "shortens": version.shortens,
    }


def show_plan(config_path: str, *, as_json: bool, limit: int) -> int:
    """What the schedule would make of what is kept."""
    counts: dict[str, Counter[str]] = {}
    days: dict[str, list[date]] = {}
    listed: list[Planned] = []
    with opened(config_path) as (configuration, journal):
        schedule = configuration.rules.retention_classes
        unsaid = shortenings(journal, schedule, day_of(time.time()))
        for item in planned(journal, schedule):
            code = item.document.facts.retention_class or ""
            count = counts.setdefault(code, Counter())
            count["documents"] += 1
            count["changed"] += item.changes
            count["shortened"] += item.shortened
            until = item.decision.retain_until
            if until is None:
                count["never"] += 1
            else:
                earliest, latest = days.setdefault(code, [until, until])
                days[code] = [min(earliest, until), max(latest, until)]
            if item.shortened and len(listed) < limit:
                listed.append(item)
    if as_json:
        print_json(
            {
                "ok": not unsaid,
                "classes": [
                    _class_data(code, counts[code], days.get(code)) for code in sorted(counts)
                ],
                "shortened": [_planned_data(item) for item in listed],
                "undeclared": [_shortening_data(item) for item in unsaid],
            }
        )
    else:
        _tell_plan(counts, days, listed)
        if unsaid:
            error = refusal(unsaid)
            click.echo(f"{error.message}: the daemon will not start with it", err=True)
            click.echo(error.hint, err=True)
    return EX_CONFIG if unsaid else EX_OK


def _class_data(code: str, count: Counter[str], days: list[date] | None) -> dict[str, Any]:
    return {
        "class": code,
        "documents": count["documents"],
        "changed": count["changed"],
        "shortened": count["shortened"],
        "without_end": count["never"],
        "earliest": days[0].isoformat() if days else None,
        "latest": days[1].isoformat() if days else None,
    }


def _planned_data(item: Planned) -> dict[str, Any]:
    old, new = item.document.retain_until, item.decision.retain_until
    return {
        "identity": item.document.identity,
        "class": item.document.facts.retention_class,
        "version": item.decision.version,
        "from": old.isoformat() if old else None,
        "to": new.isoformat() if new else None,
    }


def _shortening_data(item: Shortening) -> dict[str, Any]:
    return {"class": item.code, "old_version": item.old.number, "new_version": item.new.number}


def _tell_plan(
    counts: dict[str, Counter[str]], days: dict[str, list[date]], listed: list[Planned]
) -> None:
    rows = [_class_data(code, counts[code], days.get(code)) for code in sorted(counts)]
    print_table(
        "",
        ("class", "documents", "changed", "shortened", "without end", "earliest", "latest"),
        [tuple("" if value is None else value for value in row.values()) for row in rows],
    )
    for item in listed:
        data = _planned_data(item)
        click.echo(f"  {data['identity']}: {data['from'] or 'no end'} -> {data['to']}")


def show(config_path: str, identity: str, *, as_json: bool) -> int:
    """Why a document is kept until its day."""
    with opened(config_path) as (configuration, journal):
        identity = whole_identity(journal, identity)
        found = journal.retained_document(identity)
        if found is None:
            click.echo(UnknownNameError(identity).told(), err=True)
            return EX_NOINPUT
        require(configuration, journal, Duty.FIND, found.facts.business_unit, actor())
        decision = decide(found.facts, configuration.rules.retention_classes, found.events)
        changes = journal.retention_changes(identity)
        events = [
            row
            for kind, names in found.facts.subjects.items()
            for name in names
            for row in journal.retention_events(subject=(kind, name))
        ]
        waiting = journal.retention_backlog()
    data = {
        "identity": identity,
        "class": found.facts.retention_class,
        "version": found.version,
        "cutoff": found.cutoff.isoformat() if found.cutoff else None,
        "retain_until": found.retain_until.isoformat() if found.retain_until else None,
        "action": decision.action,
        "why": decision.why,
        # By the configuration and the events of now: what the daemon has not computed yet.
        "computed": decision.retain_until == found.retain_until,
        "being_computed": waiting,
        "events": [event_data(row) for row in events],
        "changes": [
            {
                "at": moment(change.at),
                "field": change.field,
                "from": change.old,
                "to": change.new,
                "reason": change.reason,
            }
            for change in changes
        ],
    }
    if as_json:
        print_json(data)
        return EX_OK
    click.echo(identity)
    click.echo(f"  class {data['class'] or 'none'}, version {data['version'] or 'none'}")
    click.echo(f"  keep until {data['retain_until'] or 'no end date'}: {decision.why}")
    if not data["computed"]:
        click.echo(f"  {decision.retain_until or 'no end date'} once the daemon has computed it")
    for row in events:
        gone = ", withdrawn" if row.withdrawn_at is not None else ""
        click.echo(f"  event {row.number}: {row.event} {row.day} of the {row.kind}{gone}")
    for change in changes:
        click.echo(
            f"  {moment(change.at)}  {change.field}: {change.old or '-'} -> {change.new or '-'}"
            f"  {change.reason}".rstrip()
        )
    return EX_OK
