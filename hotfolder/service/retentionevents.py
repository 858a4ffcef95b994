"""What ``hotfolder retention event`` and ``events`` do: events that start clocks are
recorded, withdrawn and listed."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import click

from hotfolder.core.clocks import EventRow, NewEvent
from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE
from hotfolder.core.eventfile import LONGEST_EVENT, LONGEST_SUBJECT
from hotfolder.core.retention import SLUG, Subject
from hotfolder.core.schedules import event_names
from hotfolder.core.spelling import clean_value
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
            click.echo(
                f"no document has the identity {new.subject!r}; `hotfolder find` shows them whole",
                err=True,
            )
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
    if not name.isprintable():
        raise ValueError(f"--{kind} is no short text on one line")
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
        print_json(event_data(row))
    else:
        click.echo(f"event {number} is withdrawn; the daemon computes the dates")
    return EX_OK


def _misused(message: str) -> int:
    click.echo(message, err=True)
    return EX_USAGE


def _subject(subjects: dict[str, str | None]) -> tuple[Subject, str] | None:
    """The one that is named; None if none or several are."""
    named = [(Subject(kind), clean_value(name)) for kind, name in subjects.items() if name]
    if len(named) != 1 or not named[0][1] or len(named[0][1]) > LONGEST_SUBJECT:
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
        print_json([event_data(row) for row in rows])
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


def event_data(row: EventRow) -> dict[str, Any]:
    """For ``--json``."""
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
