"""What ``hotfolder retention`` does."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date
from typing import Any

import click

from hotfolder.core.clocks import EventRow, NewEvent
from hotfolder.core.errors import EX_CONFIG, EX_NOINPUT, EX_OK, EX_USAGE
from hotfolder.core.eventfile import LONGEST_EVENT, LONGEST_SUBJECT
from hotfolder.core.retention import SLUG, ClassVersion, RetentionTrigger, Subject, decide
from hotfolder.core.schedules import Shortening, event_names
from hotfolder.flows.retention import Planned, day_of, refusal, shortenings
from hotfolder.flows.retention import plan as planned
from hotfolder.service.actor import actor
from hotfolder.service.inspecting import opened
from hotfolder.service.story import moment
from hotfolder.service.terminal import print_json, print_table, printable


def record(
    config_path: str,
    *,
    as_json: bool,
    withdraw: int | None,
    reason: str,
    event: str | None,
    day: str | None,
    **subjects: str | None,
) -> int:
    """Record an event, or withdraw one."""
    if withdraw is not None:
        if event or any(subjects.values()):
            return _misused("--withdraw takes the number of an event, and nothing else")
        return _withdraw(config_path, withdraw, reason, as_json=as_json)
    try:
        new = _new_event(subjects, event, day, reason)
    except ValueError as error:
        return _misused(str(error))
    with opened(config_path) as (configuration, journal):
        known = event_names(configuration.rules.retention_classes)
        if new.event not in known:
            there = f"there are: {', '.join(sorted(known))}" if known else "none waits for any"
            return _misused(f"no class waits for {new.event!r}; {there}")
        if new.kind is Subject.DOCUMENT and journal.get_document(new.subject) is None:
            click.echo("no document has this identity", err=True)
            return EX_NOINPUT
        (number,) = journal.record_events([new], time.time())
    if as_json:
        print_json(
            {"number": number, "event": new.event, "day": str(new.day), "of": new.kind.value}
        )
    else:
        click.echo(f"event {number}: {new.event} on {new.day}; the daemon computes the dates")
    return EX_OK


def _new_event(
    subjects: dict[str, str | None], event: str | None, day: str | None, reason: str
) -> NewEvent:
    """The event; ``ValueError`` says what is wrong with it."""
    named = _subject(subjects)
    if named is None or not event or not day:
        raise ValueError(
            "name one of --policy, --account, --customer, --case, --document, then the event"
            " and its day: --policy P-77 contract-end 2026-03-31"
        )
    if not SLUG.match(event) or len(event) > LONGEST_EVENT:
        raise ValueError("write the event in small letters and digits: contract-end")
    try:
        happened = date.fromisoformat(day)
    except ValueError as error:
        raise ValueError(f"{day!r} is no day; write it like 2026-03-31") from error
    kind, name = named
    return NewEvent(
        kind=kind, subject=name, event=event, day=happened, actor=actor(), reason=reason
    )


def _withdraw(config_path: str, number: int, reason: str, *, as_json: bool) -> int:
    with opened(config_path) as (_, journal):
        row = journal.withdraw_event(number, actor(), reason, time.time())
    if row is None:
        click.echo(f"there is no event {number}; `hotfolder retention events`", err=True)
        return EX_NOINPUT
    if as_json:
        print_json(_event_data(row))
    else:
        click.echo(f"event {number} is withdrawn; the daemon computes the dates")
    return EX_OK


def _misused(message: str) -> int:
    click.echo(message, err=True)
    return EX_USAGE


def _subject(subjects: dict[str, str | None]) -> tuple[Subject, str] | None:
    """The one that is named; None if none or several are."""
    named = [(Subject(kind), name) for kind, name in subjects.items() if name]
    if len(named) != 1 or len(named[0][1]) > LONGEST_SUBJECT:
        return None
    return named[0]


def list_events(
    config_path: str, *, as_json: bool, limit: int, after: int, **subjects: str | None
) -> int:
    """Events, oldest first."""
    subject = _subject(subjects)
    if subject is None and any(subjects.values()):
        return _misused("name one policy, account, customer, case or document, or none")
    with opened(config_path) as (_, journal):
        rows = journal.retention_events(subject=subject, after=after, limit=limit)
    if as_json:
        print_json([_event_data(row) for row in rows])
        return EX_OK
    print_table(
        "",
        ("number", "event", "day", "of", "", "recorded", "by", "withdrawn"),
        [
            (
                row.number,
                row.event,
                row.day.isoformat(),
                row.kind.value,
                printable(row.subject),
                moment(row.recorded_at),
                row.recorded_by,
                moment(row.withdrawn_at) if row.withdrawn_at is not None else "",
            )
            for row in rows
        ],
    )
    return EX_OK


def _event_data(row: EventRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "event": row.event,
        "day": row.day.isoformat(),
        "of": row.kind.value,
        "subject": row.subject,
        "reason": row.reason or None,
        "recorded": moment(row.recorded_at),
        "recorded_by": row.recorded_by,
        "withdrawn": moment(row.withdrawn_at),
        "withdrawn_by": row.withdrawn_by,
        "withdrawal_reason": row.withdrawal_reason or None,
    }


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
        found = journal.retained_document(identity)
        if found is None:
            click.echo("no document has this identity", err=True)
            return EX_NOINPUT
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
        "events": [_event_data(row) for row in events],
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
