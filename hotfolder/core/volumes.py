"""Figures about what came in: volumes, classes, holds, rejects, backlog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from hotfolder.core.reports import Chart, Report, Sheet

_SHOWN_MONTHS = 36  # newest, in the chart; the tables have all


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRow:
    """Documents that are alike, as the journal counts them."""

    business_unit: str
    series: str
    month: str  # in which their spool was taken: 2026-06
    retention_class: str | None
    documents: int
    archived: int
    waiting: int  # for ArchivesSpace
    refused: int
    held: int
    size: int  # bytes
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolCount:
    """Spools that are alike."""

    business_unit: str
    month: str
    state: str
    spools: int
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Volumes:
    """Sums of ``VolumeRow``."""

    documents: int = 0
    archived: int = 0
    waiting: int = 0
    refused: int = 0
    held: int = 0
    pages: int = 0
    size: int = 0

    def __add__(self, other: Volumes | VolumeRow) -> Volumes:
        return Volumes(
            **{
                item.name: getattr(self, item.name) + getattr(other, item.name)
                for item in fields(self)
            }
        )


VOLUMES_BY: Mapping[str, Callable[[VolumeRow], str]] = {
    "unit": lambda row: row.business_unit,
    "series": lambda row: f"{row.business_unit} {row.series}",
    "month": lambda row: row.month,
    "class": lambda row: row.retention_class or "(none)",
}
_WORDS = {"size": "bytes", "waiting": "backlog"}
_NAMES = tuple(item.name for item in fields(Volumes))
_STATES = ("REJECTED", "CORRUPT", "HELD", "DUPLICATE")  # what an overview asks for besides


def sum_up(rows: Iterable[VolumeRow], name_of: Callable[[VolumeRow], str]) -> dict[str, Volumes]:
    """Sums for each name, in order."""
    found: dict[str, Volumes] = {}
    for row in rows:
        name = name_of(row)
        found[name] = found.get(name, Volumes()) + row
    return dict(sorted(found.items()))


def volumes_report(
    rows: Sequence[VolumeRow],
    spools: Sequence[SpoolCount],
    reasons: Mapping[str, int],
    *,
    by: str,
    at: str,
    business_units: Sequence[str],
) -> Report:
    """The report over ``business_units``, which others are left out of. ``reasons`` are
    counts of rejected spools by the code of their first fault, over all units."""
    groups = sum_up(rows, VOLUMES_BY[by])
    everything = sum(groups.values(), Volumes())
    stuck = {state: sum(s.spools for s in spools if s.state == state) for state in _STATES}
    return Report(
        title="Volumes",
        at=at,
        totals=(
            ("documents", everything.documents),
            ("archived", everything.archived),
            ("backlog", everything.waiting),
            ("held", everything.held),
            ("rejected spools", stuck["REJECTED"]),
            ("spools to look at", stuck["CORRUPT"] + stuck["HELD"]),
        ),
        sheets=(
            Sheet(
                name=f"volumes-by-{by}",
                title=f"By {by}",
                headers=(by, *(_WORDS.get(name, name) for name in _NAMES)),
                rows=tuple(
                    (name, *(getattr(found, item) for item in _NAMES))
                    for name, found in groups.items()
                ),
            ),
            _spools_sheet(spools),
            Sheet(
                name="rejects-by-reason",
                title="Rejected spools by reason, all units",
                headers=("reason", "spools"),
                rows=tuple(_most_first(reasons)),
            ),
        ),
        charts=(_months_chart(rows), _backlog_chart(rows), _rejects_chart(spools)),
        notes=(
            "Business units: " + ", ".join(sorted(business_units)) + ".",
            "A month is that in which hotfolder took the spool.",
            "Backlog: stored, and not in ArchivesSpace yet.",
            "Refused: ArchivesSpace would not have them; they are in the store.",
        ),
    )


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _spools_sheet(spools: Sequence[SpoolCount]) -> Sheet:
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for item in spools:
        states = counts.setdefault((item.business_unit, item.month), {})
        states["all"] = states.get("all", 0) + item.spools
        states[item.state] = states.get(item.state, 0) + item.spools
    return Sheet(
        name="spools-by-month",
        title="Spools by unit and month",
        headers=("unit", "month", "spools", *(state.lower() for state in _STATES)),
        rows=tuple(
            (unit, month, states["all"], *(states.get(state, 0) for state in _STATES))
            for (unit, month), states in sorted(counts.items())
        ),
    )


def _months_chart(rows: Sequence[VolumeRow]) -> Chart:
    units = sorted({row.business_unit for row in rows})
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        month = counts.setdefault(row.month, {})
        month[row.business_unit] = month.get(row.business_unit, 0) + row.documents
    return Chart(
        title="Documents by month and unit",
        parts=tuple(units),
        bars=tuple(
            (month, tuple(counts[month].get(unit, 0) for unit in units))
            for month in sorted(counts)[-_SHOWN_MONTHS:]
        ),
    )


def _backlog_chart(rows: Sequence[VolumeRow]) -> Chart:
    groups = sum_up(rows, VOLUMES_BY["series"])
    return Chart(
        title="Where documents stand, by series",
        parts=("archived", "backlog", "refused"),
        bars=tuple(
            (name, (found.archived, found.waiting, found.refused)) for name, found in groups.items()
        ),
    )


def _rejects_chart(spools: Sequence[SpoolCount]) -> Chart:
    counts: dict[str, list[int]] = {}
    for item in spools:
        if item.state in _STATES[:3]:
            month = counts.setdefault(item.month, [0, 0, 0])
            month[_STATES.index(item.state)] += item.spools
    return Chart(
        title="Spools that stand aside, by month",
        parts=("rejected", "corrupt", "held by an operator"),
        bars=tuple((month, tuple(counts[month])) for month in sorted(counts)[-_SHOWN_MONTHS:]),
    )
