"""``hotfolder compare``: how an archived document and a re-rendered copy differ."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import click

from hotfolder.comparing.findings import Outcome, PageFinding, Region, Rules, Side
from hotfolder.comparing.report import Compared, report_data, report_html, report_json
from hotfolder.comparing.summary import describe, describe_page
from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK, EX_USAGE
from hotfolder.files.content import open_regular, write_all, write_atomically
from hotfolder.files.tree import list_directory, make_directory
from hotfolder.flows.compare import compare, sides_of_document, sides_of_files
from hotfolder.service.actor import actor
from hotfolder.service.authority import require_about
from hotfolder.service.giving import opened_giving
from hotfolder.service.inspecting import opened
from hotfolder.service.naming import UnknownNameError, resolve_one
from hotfolder.service.story import moment
from hotfolder.service.terminal import print_json, printable

EX_DIFFERENT = 1
_SHOWN = 20  # pages, and changes of a page, on a terminal
_REGION = re.compile(r"(\*|[1-9][0-9]{0,6}):" + ",".join([r"([0-9]{1,6}(?:\.[0-9]{1,3})?)"] * 4))


def compare_documents(
    config_path: str,
    first: str,
    second: str,
    *,
    files: bool,
    rules: Rules,
    out: str | None,
    pictures: int,
    reason: str,
    as_json: bool,
) -> int:
    """Compare and tell. 0 the same bytes or content, 1 not, 66 if one is not there."""
    folder = None if out is None else os.path.abspath(os.fsencode(out))
    if folder is not None and not _is_free(folder):
        click.echo(f"{out} has something in it: name a new folder for the report", err=True)
        return EX_USAGE
    for name in (first, second) if files else (second,):
        if not os.path.lexists(name):
            click.echo(f"there is no such file: {printable(name)}", err=True)
            return EX_NOINPUT
    now = time.time()
    try:
        with _sides(config_path, first, second, files=files, reason=reason) as taken:
            if folder is not None:
                make_directory(folder)
            show = partial(_show, folder, [pictures])
            identity, archived, rerendered = taken
            findings = compare(archived, rerendered, rules, show)
    except UnknownNameError as error:
        click.echo(f"{error.told()}\n--files compares two files", err=True)
        return EX_NOINPUT
    compared = Compared(
        archived=archived,
        rerendered=rerendered,
        rules=rules,
        findings=findings,
        at=moment(now) or "",
        identity=identity,
    )
    if folder is not None:
        _write_report(folder, compared)
    if as_json:
        print_json({**report_data(compared), "report": out})
    else:
        _tell(compared, out)
    return EX_DIFFERENT if findings.outcome is Outcome.DIFFERENT else EX_OK


@contextmanager
def _sides(
    config_path: str, first: str, second: str, *, files: bool, reason: str
) -> Iterator[tuple[str, Side, Side]]:
    """The identity, if there is one, and both sides."""
    path = os.path.abspath(os.fsencode(second))
    if files:
        with sides_of_files(os.path.abspath(os.fsencode(first)), path) as sides:
            yield "", *sides
        return
    with opened(config_path) as (configuration, journal):
        identity = resolve_one(config_path, journal, first)
        require_about(configuration, journal, Duty.RETRIEVE, identity, actor())
        with (
            opened_giving(configuration, journal, reason) as giving,
            sides_of_document(giving, identity, path) as sides,
        ):
            yield identity, *sides


def _is_free(folder: bytes) -> bool:
    """Whether the folder is not there yet, or is empty."""
    if not os.path.lexists(folder):
        return True
    return os.path.isdir(folder) and not list_directory(folder)


def _show(
    folder: bytes | None, left: list[int], page: PageFinding, draw: Callable[[], bytes]
) -> PageFinding:
    """Write the picture of a differing page, while pictures are left."""
    if folder is None or left[0] <= 0:
        return page
    left[0] -= 1
    name = f"page-{page.number:04d}.png"
    write_atomically(os.path.join(folder, name.encode()), draw())
    return replace(page, picture_name=name)


def _write_report(folder: bytes, compared: Compared) -> None:
    """Both reports, after the pictures: where they are, all is there."""

    def read_picture(name: str) -> bytes:
        with open_regular(os.path.join(folder, name.encode())) as stream:
            return stream.read()

    write_all(
        [
            (os.path.join(folder, b"report.html"), report_html(compared, read_picture)),
            (os.path.join(folder, b"report.json"), report_json(compared)),
        ]
    )


def _tell(compared: Compared, out: str | None) -> None:
    findings = compared.findings
    lines = [describe(findings)]
    for label, side in (("archived", compared.archived), ("re-rendered", compared.rerendered)):
        lines.append(f"  {label:<11}  {side.name}, {side.size:,} bytes, SHA-256 {side.sha256}")
    lines += [
        f"  {item.what}: {item.before or '-'} | {item.after or '-'}"
        for item in findings.differences
    ]
    for page in findings.different_pages[:_SHOWN]:
        lines.append(f"  {f'page {page.number}' if page.number else 'text'}: {describe_page(page)}")
        for item in page.differences[:_SHOWN]:
            lines.append(f"    {item.what}: {item.before or '-'} | {item.after or '-'}")
        for change in page.text.listed[:_SHOWN]:
            lines.append(f"    {change.lead} [{change.before} -> {change.after}] {change.trail}")
    left = findings.pages_different - _SHOWN
    if left > 0:
        lines.append(f"  {left:,} more pages differ: --out or --json tells of them")
    lines += [
        f"  (no content) {item.what}: {item.before or '-'} | {item.after or '-'}"
        for item in findings.remarks
    ]
    lines += [f"  {note}" for note in findings.notes]
    if out is not None:
        lines.append(f"  report: {os.path.join(out, 'report.html')}")
    click.echo("\n".join(printable(line) for line in lines))


def read_region(text: str) -> tuple[int, Region]:
    """``page:x,y,w,h``, in points from the upper left corner; page ``*`` is all pages.
    Raises ``ValueError``."""
    match = _REGION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    page, *numbers = match.groups()
    return 0 if page == "*" else int(page), Region(*map(float, numbers))


def check_patterns(texts: Sequence[str]) -> str | None:
    """The first that is no regular expression, or matches nothing at all; None if all do."""
    for text in texts:
        try:
            if re.compile(text).match("") is not None:
                return text
        except re.error:
            return text
    return None
