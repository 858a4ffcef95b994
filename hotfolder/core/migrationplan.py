"""The report of a survey: what is in an old archive, and what would become of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from hotfolder.core.cadence import gaps
from hotfolder.core.hours import share_of_day
from hotfolder.core.legacy import MigrationProfile
from hotfolder.core.reports import Cell, Chart, Report, Sheet

ASSUMED_RATE = 25.0  # documents a second that ArchivesSpace takes at least (DESIGN section 8)
_MOST_VALUES = 500
_MOST_GAPS = 500
_OF_GAPS = (
    "Gaps are told of series with documents in four of five months, or on four of five working"
    " days; holidays look like gaps."
)

Counted = Sequence[tuple[str, int, int]]  # name, count, bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a survey found."""

    items: int
    size: int
    documents: int
    would_be: Counted
    faults: Counted
    missing: Counted
    unknown: Counted  # field, tab, value
    formats: Counted
    years: Counted
    series: Counted
    twice: int
    archived: int
    days: Mapping[str, Mapping[date, int]]
    examples: Sequence[tuple[str, str, str]]
    rate: float | None  # documents a second, measured; None if nothing was


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long it will take."""

    seconds: float
    by: str  # what it comes from


def estimate(profile: MigrationProfile, found: Findings) -> Estimate:
    """The longest of what each bound takes, stretched over the hours of the day. What is
    archived already, or would be rejected, takes no time of ArchivesSpace's."""
    taken = sum(count for name, count, _ in found.would_be if name == "taken")
    new = max(0, taken - found.archived - found.twice)
    rate = found.rate or ASSUMED_RATE
    measured = "measured" if found.rate else "assumed"
    ways = [(new / rate, f"{rate:.0f} documents a second, {measured}")]
    if profile.files_per_second:
        ways.append((found.items / profile.files_per_second, "files_per_second"))
    if profile.megabytes_per_second:
        ways.append(
            (found.size / (profile.megabytes_per_second * 1_000_000), "megabytes_per_second")
        )
    seconds, by = max(ways)
    return Estimate(seconds=seconds / share_of_day(profile.hours), by=by)


def duration(seconds: float) -> str:
    """For people."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "less than a minute"
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "days"), (hours, "hours"), (minutes, "minutes")]
    return ", ".join(f"{count:,} {name}" for count, name in parts if count)


def plan_report(profile: MigrationProfile, found: Findings, at: str) -> Report:
    """The survey as a report."""
    needed = estimate(profile, found)
    rejected = sum(count for name, count, _ in found.would_be if name == "rejected")
    dated = [day for days in found.days.values() for day in days]
    sheets = [
        _sheet("faults", "Would be rejected", ("why", "documents", "bytes"), found.faults),
        _unknown(found.unknown),
        _sheet("missing", "Required fields that are missing", ("field", "documents"),
               [(name, count) for name, count, _ in found.missing]),
        _sheet("years", "By year of issue", ("year", "documents", "bytes"), found.years),
        _sheet("series", "By series", ("series", "documents", "bytes"), found.series),
        _sheet("formats", "By format", ("format", "files", "bytes"), found.formats),
        _gaps(found.days),
        _sheet("examples", "Examples", ("why", "item", "what"), found.examples),
    ]  # fmt: skip
    covered = f"{min(dated)} to {max(dated)}" if dated else "no day"
    return Report(
        title=f"Plan of migration {profile.name} ({profile.kind.value}, {profile.old_archive})",
        at=at,
        totals=(
            ("items", found.items),
            ("bytes", found.size),
            ("documents", found.documents),
            ("would be rejected", rejected),
            ("twice in the export", found.twice),
            ("archived already", found.archived),
        ),
        sheets=tuple(sheets),
        charts=(
            Chart(
                title="Documents by year of issue",
                parts=("documents",),
                bars=tuple((name, (count,)) for name, count, _ in found.years),
            ),
            Chart(
                title="Why documents would be rejected",
                parts=("documents",),
                bars=tuple((name, (count,)) for name, count, _ in found.faults),
            ),
        ),
        notes=(
            f"Issued from {covered}.",
            f"It will take about {duration(needed.seconds)} ({needed.by}).",
            "Nothing was moved. An item with several faults is counted under each of them.",
            _OF_GAPS,
        ),
    )


def _sheet(
    name: str, title: str, headers: tuple[str, ...], rows: Sequence[Sequence[Cell]]
) -> Sheet:
    return Sheet(
        name=name,
        title=title,
        headers=headers,
        rows=tuple(tuple(row[: len(headers)]) for row in rows),
    )


def _unknown(values: Counted) -> Sheet:
    rows: list[tuple[Cell, ...]] = []
    for name, count, _ in sorted(values, key=lambda item: -item[1])[:_MOST_VALUES]:
        field, _, value = name.partition("\t")
        rows.append((field, value, count))
    return Sheet(
        name="unknown",
        title="Values that no list has",
        headers=("field", "value", "documents"),
        rows=tuple(rows),
    )


def _gaps(days: Mapping[str, Mapping[date, int]]) -> Sheet:
    rows: list[tuple[Cell, ...]] = []
    for series, found in sorted(days.items()):
        cadence, missing = gaps(found)
        rows += [(series, cadence, gap) for gap in missing]
    return Sheet(
        name="gaps",
        title="Gaps",
        headers=("series", "each", "missing"),
        rows=tuple(rows[:_MOST_GAPS]),
    )
