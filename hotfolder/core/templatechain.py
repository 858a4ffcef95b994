"""The versions of one template in their order: which is in force, and what is irregular."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Any

from hotfolder.core.templates import Decision, Standing, Template, TemplateRow, version_key


def in_order(rows: Sequence[TemplateRow]) -> list[TemplateRow]:
    """Versions of one template, lowest number first."""
    return sorted(rows, key=lambda row: version_key(row.template.version))


def find_in_force(rows: Sequence[TemplateRow], day: date) -> TemplateRow | None:
    """Of the versions of one template the latest that is approved, and effective on
    ``day``; None if there is none. One that is rejected or unapproved never is."""
    for row in reversed(in_order(rows)):
        template = row.template
        if template.standing is Standing.APPROVED and _is_effective(template, day):
            return row
    return None


def _is_effective(template: Template, day: date) -> bool:
    until = template.effective_until
    return template.effective_from <= day and (until is None or day < until)


class Irregularity(StrEnum):
    """What people want to know of a chain; nothing of it stops a version."""

    OVERLAP = "overlap"  # two approved versions are effective on the same day
    GAP = "gap"  # on some days between two approved versions none is in force
    ORPHAN = "orphan"  # the parent is not there (yet)
    BRANCH = "branch"  # two versions have the same parent
    ROOT = "root"  # a later version names no parent
    LATE = "late"  # the first approval came after the version was effective


@dataclass(frozen=True, slots=True, kw_only=True)
class Irregular:
    """One irregularity of ``version``, with the ``other`` version and the days."""

    kind: Irregularity
    version: str
    other: str = ""
    first: date | None = None  # day
    last: date | None = None  # day, included; None: without end

    def __str__(self) -> str:
        days = f"{self.first} to {self.last or 'no end'}"
        return {
            Irregularity.OVERLAP: f"versions {self.other} and {self.version} are both"
            f" effective from {days}: then {self.version} is in force",
            Irregularity.GAP: f"no version is in force from {days}, between {self.other}"
            f" and {self.version}",
            Irregularity.ORPHAN: f"version {self.version} names {self.other} as its parent,"
            " which is not archived",
            Irregularity.BRANCH: f"versions {self.other} and {self.version} have the same parent",
            Irregularity.ROOT: f"version {self.version} names no parent, and {self.other}"
            " came before",
            Irregularity.LATE: f"version {self.version} was effective from {self.first},"
            f" and approved on {self.last}",
        }[self.kind]


def find_irregular(templates: Sequence[Template]) -> list[Irregular]:
    """Everything irregular in the versions of one template, in the order of their numbers."""
    ordered = sorted(templates, key=lambda item: version_key(item.version))
    return [*_in_chain(ordered), *_in_dates(ordered)]


def _in_chain(ordered: Sequence[Template]) -> Iterator[Irregular]:
    there = {version_key(item.version) for item in ordered}
    children: dict[tuple[Any, ...], str] = {}
    for place, item in enumerate(ordered):
        if item.parent is None:
            if place:
                yield Irregular(
                    kind=Irregularity.ROOT, version=item.version, other=ordered[place - 1].version
                )
            continue
        key = version_key(item.parent)
        if key not in there:
            yield Irregular(kind=Irregularity.ORPHAN, version=item.version, other=item.parent)
        sibling = children.setdefault(key, item.version)
        if sibling != item.version:
            yield Irregular(kind=Irregularity.BRANCH, version=item.version, other=sibling)


def _in_dates(ordered: Sequence[Template]) -> Iterator[Irregular]:
    approved = [item for item in ordered if item.standing is Standing.APPROVED]
    for item in approved:
        first = min(one.day for one in item.approvals if one.decision is Decision.APPROVED)
        if first > item.effective_from:
            yield Irregular(
                kind=Irregularity.LATE,
                version=item.version,
                first=item.effective_from,
                last=first,
            )
    for place, item in enumerate(approved):
        for other in approved[:place]:
            start = max(item.effective_from, other.effective_from)
            ends = [end for end in (item.effective_until, other.effective_until) if end]
            end = min(ends, default=None)
            # A version without an end is meant to last until the next: no overlap to tell of.
            if other.effective_until is None and other.effective_from < item.effective_from:
                continue
            if end is None or start < end:
                yield Irregular(
                    kind=Irregularity.OVERLAP,
                    version=item.version,
                    other=other.version,
                    first=start,
                    last=None if end is None else _before(end),
                )
    yield from _gaps(sorted(approved, key=lambda item: item.effective_from))


def _gaps(by_day: Sequence[Template]) -> Iterator[Irregular]:
    covered: date | None = None  # the day on which nothing is in force any more
    for earlier, later in pairwise(by_day):
        until = earlier.effective_until
        if until is None:
            return  # nothing comes after what has no end
        covered = until if covered is None else max(covered, until)
        if covered < later.effective_from:
            yield Irregular(
                kind=Irregularity.GAP,
                version=later.version,
                other=earlier.version,
                first=covered,
                last=_before(later.effective_from),
            )


def _before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)
