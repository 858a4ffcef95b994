"""What ``hotfolder feed`` does."""

from __future__ import annotations

import time
from typing import Any

import click

from hotfolder.core.errors import EX_OK, OperatorFault
from hotfolder.core.facts import FactKind, FactRow, FeedFile
from hotfolder.service.inspecting import opened
from hotfolder.service.naming import whole_identity
from hotfolder.service.parts import SystemClock, make_feeding
from hotfolder.service.story import moment
from hotfolder.service.terminal import print_json, print_table


def list_files(config_path: str, *, as_json: bool, after: int, limit: int) -> int:
    """Files of the feed, by number."""
    with opened(config_path) as (_, journal):
        files = journal.feed_files(after=after, limit=limit)
    if as_json:
        print_json([_file_data(file) for file in files])
        return EX_OK
    print_table(
        "",
        ("file", "facts", "state", "written", "posted", "attempts", "said"),
        [
            (
                file.number,
                file.facts,
                file.state,
                _moment(file.written_at),
                _moment(file.posted_at),
                file.attempts,
                file.last_error,
            )
            for file in files
        ],
    )
    return EX_OK


def list_facts(
    config_path: str,
    *,
    as_json: bool,
    kind: FactKind | None,
    identity: str,
    waiting: bool,
    after: int,
    limit: int,
) -> int:
    """Facts, oldest first."""
    with opened(config_path) as (_, journal):
        identity = whole_identity(journal, identity) if identity else ""
        rows = journal.facts(
            after=after, limit=limit, identity=identity, kind=kind, waiting=waiting
        )
    if as_json:
        print_json([_fact_data(row) for row in rows])
        return EX_OK
    print_table(
        "",
        ("fact", "at", "kind", "document", "by", "state", "why"),
        [
            (
                row.number,
                moment(row.at),
                row.kind,
                row.identity or row.body.get("disposal") or row.body.get("hold") or row.uri,
                row.actor,
                row.state,
                row.reason,
            )
            for row in rows
        ],
    )
    return EX_OK


def replay(config_path: str, number: int, *, as_json: bool, settle: bool) -> int:
    """Write a file again."""
    differs: list[str] = []

    def emit(event: str, /, **_fields: object) -> None:
        differs.append(event)

    with opened(config_path) as (configuration, journal):
        if not configuration.feed.path:
            raise OperatorFault(
                "the configuration has no feed", hint="[feed] path = …", code="feed.none"
            )
        feeding = make_feeding(
            journal=journal, profile=configuration.feed, clock=SystemClock(), emit=emit
        )
        try:
            file = feeding.replay(number, settle=settle)
        finally:
            feeding.close()
    if as_json:
        print_json({"file": number, "facts": file.facts, "as_it_was": not differs})
    else:
        click.echo(f"file {number} is there again, with {file.facts} facts")
        if differs:
            click.echo("it is not as it was: fields of a document went since", err=True)
    return EX_OK


def retry(config_path: str, *, as_json: bool) -> int:
    """Post at once what waits."""
    with opened(config_path) as (_, journal):
        changed = journal.hasten_posts(time.time())
    if as_json:
        print_json({"changed": changed})
    else:
        click.echo(f"{changed} change sets are due now")
    return EX_OK


def _file_data(file: FeedFile) -> dict[str, Any]:
    return {
        "file": file.number,
        "state": file.state.value,
        "facts": file.facts,
        "sha256": file.sha256 or None,
        "created_at": file.created_at,
        "written_at": file.written_at,
        "posted_at": file.posted_at,
        "attempts": file.attempts,
        "next_at": file.next_at,
        "last_error": file.last_error or None,
    }


def _fact_data(row: FactRow) -> dict[str, Any]:
    return {
        "fact": row.number,
        "kind": row.kind.value,
        "source": row.source,
        "at": row.at,
        "recorded_at": row.recorded_at,
        "actor": row.actor,
        "business_unit": row.business_unit or None,
        "identity": row.identity or None,
        "uri": row.uri or None,
        "state": row.state.value,
        "reason": row.reason or None,
        "attempts": row.attempts,
        "file": row.file,
        **row.body,
    }


def _moment(at: float | None) -> str:
    return moment(at) or ""
