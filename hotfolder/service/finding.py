"""``hotfolder find``: which documents are there for a customer, a case, a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import CatalogueRow
from hotfolder.core.references import references_of, split_reference
from hotfolder.journal.journal import SqliteJournal
from hotfolder.service.actor import actor
from hotfolder.service.authority import describe_left_out, units_of
from hotfolder.service.inspecting import opened
from hotfolder.service.story import document_data, held_data, readable, record_words
from hotfolder.service.terminal import print_json, print_table
from hotfolder.sidecars.values import parse_date

_PAGE = 200  # documents


def find(
    config_path: str,
    *,
    as_json: bool,
    count: bool,
    limit: int,
    customer: str | None,
    account: str | None,
    document_type: str | None,
    issued_from: str | None,
    issued_to: str | None,
    case: str | None,
    text: str | None,
    spool: str | None,
    template: str | None,
    template_version: str | None,
    units: Sequence[str],
    after: str | None,
) -> int:
    """Documents, newest first. 66 if there is none."""
    with opened(config_path) as (configuration, journal):
        seen = units_of(configuration, journal, Duty.FIND, actor(), units)
        try:
            query = replace(
                make_query(
                    journal,
                    customer=customer,
                    account=account,
                    document_type=document_type,
                    issued_from=issued_from,
                    issued_to=issued_to,
                    case=case,
                    text=text,
                    spool=spool,
                    template=template,
                    template_version=template_version,
                    units=seen.units,
                ),
                after=after,
            )
        except UnknownSpoolError as error:
            click.echo(f"no spool {str(error)!r}", err=True)
            return EX_NOINPUT
        if count:
            total = journal.count_documents(query)
            if as_json:
                print_json({"count": total, "units_left_out": len(seen.left_out)})
            else:
                click.echo(f"{total:,}")
                _remark(seen.left_out)
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


def _remark(left_out: Sequence[str]) -> None:
    if left_out:
        click.echo(describe_left_out(left_out), err=True)


class UnknownSpoolError(Exception):
    """No spool is called so."""


def make_query(
    journal: SqliteJournal,
    *,
    customer: str | None = None,
    account: str | None = None,
    document_type: str | None = None,
    issued_from: str | None = None,
    issued_to: str | None = None,
    case: str | None = None,
    text: str | None = None,
    spool: str | None = None,
    template: str | None = None,
    template_version: str | None = None,
    units: Sequence[str] | None = None,
) -> DocumentQuery:
    """What the options of a command ask for. Raises ``UnknownSpoolError``, and
    ``click.UsageError`` for what is no day."""
    if template_version is not None and template is None:
        raise click.UsageError("--template-version needs --template: numbers are a template's own")
    kind, reference = (None, None) if case is None else split_reference(case)
    spool_id = None
    if spool is not None:
        row = journal.get_spool(spool)
        if row is None:
            raise UnknownSpoolError(spool)
        spool_id = row.id
    return DocumentQuery(
        customer_id=customer,
        account_number=account,
        document_type=document_type,
        issued_from=_day("--from", issued_from),
        issued_to=_day("--to", issued_to),
        case_ref=reference,
        case_kind=kind,
        words=tuple((text or "").split()),
        spool_id=spool_id,
        template=template,
        template_version=template_version,
        business_units=None if units is None else tuple(units),
    )


def page_through(journal: SqliteJournal, query: DocumentQuery) -> Iterator[CatalogueRow]:
    """Every document that the question finds, newest first."""
    while page := journal.find_documents(query, _PAGE):
        yield from page
        query = replace(query, after=page[-1].document.identity)


def show_documents(
    rows: Sequence[CatalogueRow],
    holds: Mapping[str, Sequence[str]],
    *,
    more: bool,
    as_json: bool,
    left_out: Sequence[str] = (),
) -> int:
    """A page of documents with the holds upon them, and after which the next begins; 66 if
    there is none."""
    following = rows[-1].document.identity if more else None
    if as_json:
        print_json(
            {
                "documents": [
                    {
                        **document_data(row),
                        **held_data(row, holds),
                        "business_unit": row.business_unit,
                        "customer_id": row.document.metadata.customer_id,
                        "account_number": row.document.metadata.account_number,
                        "template": row.document.metadata.template,
                        "template_version": row.document.metadata.template_version,
                        "case_refs": list(row.document.metadata.case_refs),
                        "references": [
                            {"kind": kind, "reference": reference}
                            for kind, reference in references_of(row.document.metadata)
                        ],
                        "spool": row.spool_id,
                        "file": readable(row.spool_name),
                    }
                    for row in rows
                ],
                "next": following,
                "units_left_out": len(left_out),
            }
        )
    elif rows:
        print_table(
            "",
            ("issued", "unit", "type", "customer", "title", "version", "record", "identity"),
            [
                (
                    row.document.metadata.issue_date or "",
                    row.business_unit,
                    row.document.metadata.document_type or "",
                    row.document.metadata.customer_id or "",
                    row.document.title,
                    row.document.version,
                    record_words(row),
                    row.document.identity,
                )
                for row in rows
            ],
        )
        if following is not None:
            click.echo(f"there are more: --after {following}")
    else:
        click.echo("nothing found", err=True)
    if not as_json:
        _remark(left_out)
    return EX_OK if rows else EX_NOINPUT


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    found = parse_date(text)
    if found is None:
        raise click.UsageError(f"{option} is no day: write it like 2026-06-30")
    return found
