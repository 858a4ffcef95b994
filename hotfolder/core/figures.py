"""Figures about retention: what is in time, due, overdue, held, without class.

``FigureRow`` is what the journal counts; ``retention_report`` sums it up by business unit,
series, class or year, as people ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date

from hotfolder.core.reports import Chart, Report, Sheet
from hotfolder.core.retention import RetentionTrigger, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Numbers of documents. All but ``held`` and ``held_due`` exclude each other."""

    in_time: int = 0  # their last day is still to come
    due: int = 0  # past their last day, free to go
    overdue: int = 0  # due for longer than is allowed
    held_due: int = 0  # past their last day, kept by a hold
    kept_on: int = 0  # past their last day, kept by their class, whose action is keep
    waiting: int = 0  # their clock has not started
    permanent: int = 0
    without_class: int = 0
    unknown_class: int = 0  # the schedule has it no more
    withheld: int = 0  # past their time, in a spool that has to stay
    destroyed: int = 0

    @property
    def total(self) -> int:
        """All documents that are there or were."""
        return sum(getattr(self, item.name) for item in fields(self))

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            **{
                item.name: getattr(self, item.name) + getattr(other, item.name)
                for item in fields(self)
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """Documents that are alike, as the journal counts them."""

    business_unit: str
    series: str
    year: str  # of issue; empty without a date
    retention_class: str | None
    class_version: int | None
    disposition: str
    term: str  # open (no last day), in-time, due, overdue
    held: bool
    documents: int
    size: int  # bytes


BY: Mapping[str, Callable[[FigureRow], str]] = {
    "unit": lambda row: row.business_unit,
    "series": lambda row: f"{row.business_unit} {row.series}",
    "class": lambda row: row.retention_class or "(none)",
    "year": lambda row: row.year or "(no date)",
}
_PARTS = tuple(item.name for item in fields(Figures))
_WORDS = {name: name.replace("_", " ").replace("held due", "due, held") for name in _PARTS}


def place(row: FigureRow, schedule: Schedule) -> str:
    """Which of ``Figures`` these documents count in. What forbids to destroy comes first."""
    if row.disposition != "kept":
        return "withheld" if row.disposition == "withheld" else "destroyed"
    if row.retention_class is None:
        return "without_class"
    if row.retention_class not in schedule:
        return "unknown_class"
    if row.term == "open":
        return _unending(row, schedule)
    if row.term == "in-time":
        return "in_time"
    return _ended(row, schedule)


def _ended(row: FigureRow, schedule: Schedule) -> str:
    version = schedule[str(row.retention_class)].numbered(row.class_version)
    if version is not None and version.action == "keep":
        return "kept_on"
    return "held_due" if row.held else row.term


def _unending(row: FigureRow, schedule: Schedule) -> str:
    version = schedule[str(row.retention_class)].numbered(row.class_version)
    permanent = version is not None and version.trigger is RetentionTrigger.PERMANENT
    return "permanent" if permanent else "waiting"


def summarise(
    rows: Iterable[FigureRow], schedule: Schedule, by: str
) -> dict[str, tuple[Figures, int, int]]:
    """(figures, held documents, bytes) for each unit, series, class or year, in order."""
    found: dict[str, tuple[Figures, int, int]] = {}
    for row in rows:
        name = BY[by](row)
        before, held, size = found.get(name, (Figures(), 0, 0))
        found[name] = (
            before + Figures(**{place(row, schedule): row.documents}),
            held + (row.documents if row.held else 0),
            size + (row.size if row.disposition != "destroyed" else 0),
        )
    return dict(sorted(found.items()))


def retention_report(
    rows: Iterable[FigureRow],
    coming: Iterable[tuple[str, int]],
    schedule: Schedule,
    *,
    by: str,
    at: str,
    today: date,
    overdue_after: int,
) -> Report:
    """The report. ``coming`` are (year, documents whose last day is in it)."""
    known = list(rows)
    groups = summarise(known, schedule, by)
    everything = sum((figures for figures, _, _ in groups.values()), Figures())
    held = sum(number for _, number, _ in groups.values())
    years = list(coming)
    return Report(
        title="Retention",
        at=at,
        totals=(
            ("documents", everything.total - everything.destroyed),
            ("held", held),
            ("due", everything.due + everything.overdue),
            ("of them overdue", everything.overdue),
            ("due, but held", everything.held_due),
            ("without class", everything.without_class + everything.unknown_class),
            ("destroyed", everything.destroyed),
        ),
        sheets=(
            Sheet(
                name=f"retention-by-{by}",
                title=f"By {by}",
                headers=(by, *(_WORDS[name] for name in _PARTS), "held", "bytes"),
                rows=tuple(
                    (name, *(getattr(figures, part) for part in _PARTS), number, size)
                    for name, (figures, number, size) in groups.items()
                ),
            ),
            Sheet(
                name="last-days-by-year",
                title="Last days, by year",
                headers=("year", "documents"),
                rows=tuple(years),
            ),
        ),
        charts=(
            Chart(
                title=f"Where documents stand, by {by}",
                parts=tuple(_WORDS[name] for name in _PARTS),
                bars=tuple(
                    (name, tuple(getattr(figures, part) for part in _PARTS))
                    for name, (figures, _, _) in groups.items()
                ),
            ),
            Chart(
                title="Last days of retention, by year",
                parts=("documents",),
                bars=tuple((year, (number,)) for year, number in years),
            ),
        ),
        notes=(
            f"A document is due on the day after its last day of retention; today is {today}.",
            f"Overdue: due for more than {overdue_after} days.",
            "Held documents are counted where they stand as well: a hold stops no clock.",
            "Waiting: the event that starts the clock is not known yet.",
            "Without class, of an unknown class, waiting, permanent, kept on: never due.",
            "Kept on: past their last day, of a class whose action is keep.",
            "Withheld: past their time, in a spool that other documents still need.",
        ),
    )
