"""``hotfolder templates diff``: what changed between two versions of a template."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence
from typing import Any

import click

from hotfolder.core.duties import Duty
from hotfolder.core.errors import EX_NOINPUT, EX_OK, Corrupt, OperatorFault
from hotfolder.core.ports import Journal, Store
from hotfolder.core.templates import (
    MemberChange,
    TemplateMember,
    TemplateRow,
    compare_members,
    member_to_dict,
)
from hotfolder.flows.terms import require_reason
from hotfolder.formats.damage import DamageError
from hotfolder.formats.templatepackage import read_member
from hotfolder.service.actor import actor
from hotfolder.service.authority import require
from hotfolder.service.inspecting import opened
from hotfolder.service.parts import open_store
from hotfolder.service.settings import Configuration
from hotfolder.service.templating import version_named, versions_of
from hotfolder.service.terminal import print_json, print_table, printable

_MOST_TEXT = 256 << 10  # bytes of a member that is compared line by line
_MOST_MEMBERS = 20  # members that are
_MOST_LINES = 200  # of what is shown of each
_LONGEST_LINE = 500  # characters


def show_diff(
    config_path: str,
    *,
    as_json: bool,
    name: str,
    old: str,
    new: str,
    unit: str | None,
    text: bool,
    reason: str,
) -> int:
    """The members that differ. 66 if there is no such version.

    With ``text`` something of the packages is given out, so that the terms of retrieval
    hold, and both are on the audit chain first. Raises ``OperatorFault`` if they are not met.
    """
    with opened(config_path) as (configuration, journal):
        rows = versions_of(journal, name, unit)
        found = [version_named(rows, version) for version in (old, new)]
        both = [journal.template_of(row.identity) for row in found if row is not None]
        pair = [row for row in both if row is not None]
        if len(pair) < 2:
            return EX_NOINPUT
        changes = compare_members(pair[0].template.members, pair[1].template.members)
        lines = {}
        if text:
            _admit(configuration, journal, pair, reason)
            lines = _texts(open_store(configuration, _silent), pair, changes)
    if as_json:
        print_json(
            {
                "name": name,
                "old": old,
                "new": new,
                "changes": [
                    {
                        "member": item.name,
                        "what": item.what,
                        "old": _data(item.old),
                        "new": _data(item.new),
                        **({"text": lines.get(item.name)} if text else {}),
                    }
                    for item in changes
                ],
            }
        )
        return EX_OK
    if not changes:
        click.echo("no file differs")
        return EX_OK
    print_table(
        f"{name}, from version {old} to {new}",
        ("", "file", "bytes before", "after", "sha-256 before", "after"),
        [
            (
                item.what,
                item.name,
                "" if item.old is None else f"{item.old.size:,}",
                "" if item.new is None else f"{item.new.size:,}",
                "" if item.old is None else item.old.sha256[:16],
                "" if item.new is None else item.new.sha256[:16],
            )
            for item in changes
        ],
    )
    for member, shown in lines.items():
        click.echo()
        click.echo("\n".join(printable(line) for line in shown or [f"{member} is no text"]))
    return EX_OK


def _admit(
    configuration: Configuration, journal: Journal, pair: Sequence[TemplateRow], reason: str
) -> None:
    """Whether these may be looked into; on the audit chain when this returns."""
    person = actor()
    for row in pair:
        require(configuration, journal, Duty.RETRIEVE, row.business_unit, person)
    try:
        require_reason(configuration.retrieve, reason)
    except OperatorFault as error:
        refused = {"code": error.code, "form": "text", "reason": reason}
        for row in pair:
            journal.append_audit(person, "retrieval.refused", row.identity, refused, time.time())
        raise
    for row, other in (pair, reversed(pair)):
        details = {
            "form": "text",
            "reason": reason,
            "to": "comparison",
            "derived": True,
            "sha256": row.sha256,
            "compared_with": other.sha256,
        }
        journal.append_audit(person, "document.retrieved", row.identity, details, time.time())


def _silent(_event: str, /, **_fields: object) -> None:
    """What the store tells while it is read is the daemon's to log."""


def _data(member: TemplateMember | None) -> dict[str, Any] | None:
    return None if member is None else member_to_dict(member)


def _texts(
    store: Store, pair: Sequence[TemplateRow], changes: Sequence[MemberChange]
) -> dict[str, list[str] | None]:
    """What changed in members that are text in both versions, as a unified diff of bounded
    length; None for one that is no text."""
    changed = [item for item in changes if item.what == "changed"][:_MOST_MEMBERS]
    before = _read(store, pair[0], [item.name for item in changed])
    after = _read(store, pair[1], [item.name for item in changed])
    return {
        item.name: _diff(item.name, before[item.name], after[item.name], pair) for item in changed
    }


def _read(store: Store, row: TemplateRow, names: Sequence[str]) -> dict[str, list[str] | None]:
    if not names:
        return {}
    with store.open_content(row.spool_id, sha256=row.sha256) as stream:
        try:
            return {
                name: _lines(read_member(stream, row.size, name, _MOST_TEXT + 1)) for name in names
            }
        except DamageError as damage:
            raise Corrupt(damage.message, hint=damage.remedy, code=damage.code) from damage


def _lines(data: bytes | None) -> list[str] | None:
    if data is None or len(data) > _MOST_TEXT or b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return None


def _diff(
    name: str, old: list[str] | None, new: list[str] | None, pair: Sequence[TemplateRow]
) -> list[str] | None:
    if old is None or new is None:
        return None
    marks = [f"{name} (version {row.template.version})" for row in pair]
    lines = list(difflib.unified_diff(old, new, marks[0], marks[1], lineterm="", n=2))
    shown = [line[:_LONGEST_LINE] for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append(f"… and {len(lines) - _MOST_LINES:,} lines more")
    return shown or ["(the lines are the same; what ends them differs)"]
