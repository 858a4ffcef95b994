"""What ``hotfolder report`` does: counts, and shows or writes what was counted."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hotfolder.core.errors import EX_OK, OperatorFault
from hotfolder.core.figures import retention_report
from hotfolder.core.receipts import instant
from hotfolder.core.reportpage import report_html
from hotfolder.core.reports import Report, sheet_csv
from hotfolder.core.volumes import volumes_report
from hotfolder.files.content import write_atomically
from hotfolder.flows.retention import day_of
from hotfolder.service.inspecting import opened
from hotfolder.service.terminal import print_json, print_table


def report_retention(
    config_path: str,
    *,
    as_json: bool,
    by: str,
    overdue_after: int,
    html: str | None,
    csv_folder: str | None,
) -> int:
    """Retention, by unit, series, class or year."""
    now = time.time()
    today = day_of(now)
    with opened(config_path) as (configuration, journal):
        report = retention_report(
            journal.retention_figures(today, overdue_after),
            journal.last_days(),
            configuration.rules.retention_classes,
            by=by,
            at=str(instant(now)),
            today=today,
            overdue_after=overdue_after,
        )
    return give_report(report, as_json=as_json, html=html, csv_folder=csv_folder)


def report_volumes(
    config_path: str,
    *,
    as_json: bool,
    by: str,
    units: Sequence[str],
    html: str | None,
    csv_folder: str | None,
) -> int:
    """Volumes, by unit, series, month or class."""
    with opened(config_path) as (configuration, journal):
        # A unit that was taken out of the configuration has its documents still.
        known = list(
            dict.fromkeys(
                [unit.code for unit in configuration.rules.business_units]
                + journal.business_units()
            )
        )
        strange = [unit for unit in units if unit not in known]
        if strange:
            raise OperatorFault(
                f"there is no business unit {strange[0]!r}",
                hint=f"there are: {', '.join(known)}",
                code="report.unit",
            )
        chosen = list(units) or None
        rows, spools = journal.volume_figures(chosen), journal.spool_counts(chosen)
        counted = {row.business_unit for row in rows} | {spool.business_unit for spool in spools}
        report = volumes_report(
            rows,
            spools,
            journal.status().rejected_by_reason,
            by=by,
            at=str(instant(time.time())),
            business_units=chosen or [*known, *(counted - set(known))],
        )
    return give_report(report, as_json=as_json, html=html, csv_folder=csv_folder)


def give_report(report: Report, *, as_json: bool, html: str | None, csv_folder: str | None) -> int:
    """Show a report, and write it where that was asked for. Raises ``OperatorFault``, and
    has written nothing, if one of the files is there already."""
    files: list[tuple[Path, bytes]] = []
    if html is not None:
        files.append((Path(html), b"".join(report_html(report))))
    if csv_folder is not None:
        files += [(Path(csv_folder, f"{s.name}.csv"), sheet_csv(s)) for s in report.sheets]
    check_places(new=[path for path, _ in files])
    for path, data in files:
        # Absolute: the folder of a bare name would be the empty name, which is none.
        write_atomically(os.fsencode(path.absolute()), data)
    if as_json:
        print_json({**_data(report), "files": [str(path) for path, _ in files]})
        return EX_OK
    click.echo(f"{report.title}, {report.at}")
    for name, number in report.totals:
        click.echo(f"  {number:>14,}  {name}")
    for sheet in report.sheets:
        click.echo("")
        rows = [[f"{c:,}" if isinstance(c, int) else c for c in row] for row in sheet.rows]
        print_table(sheet.title, sheet.headers, rows)
    for path, _ in files:
        click.echo(f"written: {path}")
    return EX_OK


def check_places(
    *, new: Sequence[str | Path | None] = (), replaced: Sequence[str | None] = ()
) -> None:
    """Where files are to be written: in folders that are there, the new ones over nothing.
    Raises ``OperatorFault``; to be asked before long work, too."""
    for given in (*new, *replaced):
        path = Path(given or "")
        there = path.exists() and given in new
        if given is not None and (there or path.is_dir() or not path.parent.is_dir()):
            why = "is there already" if path.exists() else "has no folder to lie in"
            raise OperatorFault(
                f"{path} {why}; nothing was written",
                hint="name a file that is not there yet, in a folder that is",
                code="report.file",
            )


def _data(report: Report) -> dict[str, Any]:
    return {
        "title": report.title,
        "at": report.at,
        "totals": dict(report.totals),
        "tables": {
            sheet.name: [dict(zip(sheet.headers, row, strict=True)) for row in sheet.rows]
            for sheet in report.sheets
        },
    }
