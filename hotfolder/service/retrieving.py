"""``hotfolder retrieve``: documents back, out of the spools that hold them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE, HotfolderError, OperatorFault
from hotfolder.core.records import CatalogueRow
from hotfolder.files.tree import make_directory
from hotfolder.flows.collect import Collected, collect
from hotfolder.flows.give import Given, Giving
from hotfolder.flows.gone import require_given
from hotfolder.flows.retrieve import Form
from hotfolder.flows.terms import record_refusal
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.authority import describe_left_out, require, require_about, units_of
from hotfolder.service.finding import UnknownSpoolError, make_query, page_through
from hotfolder.service.giving import opened_giving
from hotfolder.service.inspecting import opened
from hotfolder.service.logs import make_emit
from hotfolder.service.naming import UnknownNameError, resolve
from hotfolder.service.parts import SystemClock
from hotfolder.service.settings import Configuration
from hotfolder.service.story import readable
from hotfolder.service.terminal import Progress, print_json, print_table

_STDOUT = "-"


def retrieve_documents(
    config_path: str,
    names: Sequence[str],
    *,
    as_json: bool,
    form: str | None,
    output: str | None,
    out: str | None,
    force: bool,
    reason: str,
    limit: int,
    filters: Mapping[str, Any],
) -> int:
    """One document to a file or standard output, or any number into a folder."""
    wanted = None if form is None else Form(form)
    try:
        _check_usage(names, filters, output=output, out=out, as_json=as_json)
        with opened(config_path) as (configuration, journal):
            seen = units_of(
                configuration, journal, Duty.RETRIEVE, actor(), filters.get("units") or ()
            )
            if not names and seen.left_out:
                click.echo(describe_left_out(seen.left_out), err=True)
            total, rows = _choose(
                config_path,
                configuration,
                journal,
                names,
                {**filters, "units": seen.units},
                limit,
                reason,
                several=out is not None,
            )
            if names:
                rows = _allowed(configuration, journal, list(rows))
            with opened_giving(configuration, journal, reason) as giving:
                if out is None:
                    _one(giving, next(rows), wanted, output, force=force, as_json=as_json)
                    return EX_OK
                return _into_folder(
                    giving, rows, out, wanted, total=total, force=force, as_json=as_json
                )
    except _StopError as error:
        for line in error.lines:
            click.echo(line, err=True)
        return error.exit_code


def _allowed(
    configuration: Configuration, journal: SqliteJournal, rows: Sequence[CatalogueRow]
) -> Iterator[CatalogueRow]:
    """The documents, each of which the person asked for and may have."""
    for unit in dict.fromkeys(row.business_unit for row in rows):
        require(configuration, journal, Duty.RETRIEVE, unit, actor())
    return iter(rows)


class _StopError(Exception):
    """Nothing is done; why, in words."""

    def __init__(self, exit_code: int, *lines: str) -> None:
        super().__init__(*lines)
        self.exit_code = exit_code
        self.lines = tuple(line for line in lines if line)


def _choose(
    config_path: str,
    configuration: Configuration,
    journal: SqliteJournal,
    names: Sequence[str],
    filters: Mapping[str, Any],
    limit: int,
    reason: str,
    *,
    several: bool,
) -> tuple[int, Iterator[CatalogueRow]]:
    """How many documents are meant, and which."""
    try:
        if names:
            identities = _resolve_all(config_path, configuration, journal, names, limit, reason)
            total, rows = len(identities), _rows_of(journal, identities)
        else:
            query = make_query(journal, **filters)
            total, rows = journal.count_documents(query), page_through(journal, query)
    except UnknownNameError as error:
        raise _StopError(EX_NOINPUT, error.told()) from error
    except UnknownSpoolError as error:
        raise _StopError(EX_NOINPUT, f"no spool {str(error)!r}") from error
    if not total:
        raise _StopError(EX_NOINPUT, "nothing found")
    if total > 1 and not several:
        raise _StopError(EX_USAGE, f"{total:,} documents: name a folder with --out")
    if total > limit:
        raise _StopError(
            EX_USAGE,
            f"more documents than --limit {limit} allows; give a higher one to have them all"
            if names
            else f"{total:,} documents are more than --limit {limit} allows;"
            f" --limit {total} gives them all",
        )
    return total, rows


def _check_usage(
    names: Sequence[str],
    filters: Mapping[str, Any],
    *,
    output: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    filtered = any(value not in (None, ()) for value in filters.values())
    complaints = {
        "name documents, or say which with --customer, --case and the like": bool(names)
        == filtered,
        "--output is for one document, --out for a folder: say one of them": output is not None
        and out is not None,
        "--json needs standard output for itself: name a file": output == _STDOUT and as_json,
        "name a folder with --out": filtered and out is None,
    }
    for complaint, is_so in complaints.items():
        if is_so:
            raise _StopError(EX_USAGE, complaint)


def _resolve_all(
    config_path: str,
    configuration: Configuration,
    journal: SqliteJournal,
    names: Sequence[str],
    limit: int,
    reason: str,
) -> list[str]:
    """The documents that these names stand for, each once; one more than the limit shows
    that there are more."""
    found: dict[str, None] = {}
    for name in names:
        for identity in resolve(config_path, journal, name, limit=limit + 1):
            found[identity] = None
    for identity in found:
        if journal.is_destroyed(identity):
            require_about(configuration, journal, Duty.RETRIEVE, identity, actor())
            _refuse(journal, identity, reason)
    return list(found)


def _refuse(journal: SqliteJournal, identity: str, reason: str) -> None:
    """What was destroyed is not given, and that it was asked for is on the audit chain."""
    try:
        require_given(journal, identity)
    except HotfolderError as error:
        record_refusal(
            journal,
            identity,
            error,
            actor=actor(),
            reason=reason.strip(),
            form="",
            now=time.time(),
            emit=make_emit(),
        )
        raise


def _rows_of(journal: SqliteJournal, identities: Sequence[str]) -> Iterator[CatalogueRow]:
    for identity in identities:
        row = journal.get_document(identity)
        if row is not None:
            yield row


# -- one ------------------------------------------------------------------------------
def _one(
    giving: Giving,
    row: CatalogueRow,
    form: Form | None,
    output: str | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    identity = row.document.identity
    if output == _STDOUT:
        giving.to_stream(identity, form, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = output or _suggest(row, form)
    given = None
    if force or not os.path.lexists(path):
        given = giving.to_file(identity, form, os.path.abspath(os.fsencode(path)), force=force)
    if given is None:
        raise _StopError(EX_USAGE, f"{path} is there already; --force replaces it")
    _tell_one(given, path, as_json=as_json)


def _suggest(row: CatalogueRow, form: Form | None) -> str:
    """A name in the current folder: of the spool, or made of the document's identity."""
    name = readable(os.path.basename(row.spool_name))
    if form is Form.SPOOL:
        return name.replace("\\", "_")
    suffix = os.path.splitext(name)[1]
    return row.document.identity[:19] + (suffix if suffix.isascii() else "")


def _tell_one(given: Given, path: str, *, as_json: bool) -> None:
    row, place = given.row, given.row.document.range
    data: dict[str, Any] = {
        "identity": row.document.identity,
        "file": path,
        "form": str(given.form),
        "derived": given.derived,
        "bytes": given.size,
        "sha256": None if given.derived else given.sha256,
        "given_sha256": given.sha256,
        "spool": row.spool_id,
        "spool_sha256": row.spool_sha256,
        "offset": None if place.by_pages else place.offset,
        "length": None if place.by_pages else place.length,
        "first_page": place.first_page,
        "pages": place.pages,
    }
    if as_json:
        print_json(data)
        return
    click.echo(f"{path}: {given.size:,} bytes")
    if given.derived:
        click.echo(
            f"  derived by hotfolder from spool {row.spool_id}, whose SHA-256 was checked:"
            f" {row.spool_sha256}"
        )
    else:
        click.echo(f"  as it was sent; SHA-256 checked: {given.sha256}")


# -- many -----------------------------------------------------------------------------
def _into_folder(
    giving: Giving,
    rows: Iterator[CatalogueRow],
    out: str,
    form: Form | None,
    *,
    total: int,
    force: bool,
    as_json: bool,
) -> int:
    folder = os.path.abspath(os.fsencode(out))
    make_directory(folder)
    if not os.path.isdir(folder):
        raise OperatorFault(
            f"{out} is no folder", hint="name a folder with --out", code="retrieve.folder"
        )
    first = next(rows)
    giving.demand_reason(first.document.identity)
    with Progress("documents", as_json=as_json, total=total) as progress:
        collected = collect(
            giving,
            _chain(first, rows),
            folder,
            form=form,
            clock=SystemClock(),
            force=force,
            progress=progress.reached,
        )
    _tell_many(collected, out, as_json=as_json)
    return collected.refused[0].exit_code if collected.refused else EX_OK


def _chain(first: CatalogueRow, rows: Iterator[CatalogueRow]) -> Iterator[CatalogueRow]:
    yield first
    yield from rows


def _tell_many(collected: Collected, out: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "folder": out,
                "given": collected.given,
                "skipped": collected.skipped,
                "bytes": collected.bytes,
                "files": collected.files,
                "refused": [asdict(item) for item in collected.refused],
            }
        )
        return
    noun = "document" if collected.given == 1 else "documents"
    click.echo(f"{out}: {collected.given:,} {noun}, {collected.bytes:,} bytes")
    if collected.skipped:
        click.echo(f"  {collected.skipped:,} were there already, whole")
    if collected.refused:
        print_table(
            "Not given",
            ("identity", "why", ""),
            [(item.identity, item.code, item.message) for item in collected.refused],
        )
