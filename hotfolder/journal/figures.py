"""Figures for reports, counted over the whole catalogue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta

from hotfolder.core.figures import FigureRow
from hotfolder.core.volumes import SpoolCount, VolumeRow
from hotfolder.journal.connection import Connection

# Every document once: the record of a whole spool stands for those in it. Of what was
# destroyed the row stays.
_COUNTED = "d.role <> 'carrier' AND (d.live = 1 OR d.disposition IN ('destroying', 'destroyed'))"
_HELD = (
    "EXISTS (SELECT 1 FROM hold_members AS m JOIN holds AS h ON h.number = m.hold"
    " WHERE m.document = d.number AND h.released_at IS NULL)"
)


class FiguresOf:
    """The journal's methods about figures."""

    _db: Connection

    def retention_figures(self, today: date, overdue_after: int) -> list[FigureRow]:
        """Documents by unit, series, year, class and how they stand on ``today``; overdue
        are those due for more than ``overdue_after`` days. One pass over the catalogue, of
        one moment; others go on writing."""
        late = today - timedelta(days=overdue_after)
        with self._db.apart() as conn:
            rows = conn.execute(
                "SELECT d.business_unit, d.series, coalesce(substr(d.issue_date, 1, 4), ''),"
                " d.retention_class, d.class_version, d.disposition,"
                " CASE WHEN d.retain_until IS NULL THEN 'open'"
                "  WHEN d.retain_until >= :today THEN 'in-time'"
                "  WHEN d.retain_until >= :late THEN 'due' ELSE 'overdue' END,"
                f" {_HELD}, count(*), sum(d.length)"
                f" FROM documents AS d WHERE {_COUNTED}"
                " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8",
                {"today": today.isoformat(), "late": late.isoformat()},
            ).fetchall()
        return [
            FigureRow(
                business_unit=row[0],
                series=row[1],
                year=row[2],
                retention_class=row[3],
                class_version=row[4],
                disposition=row[5],
                term=row[6],
                held=bool(row[7]),
                documents=row[8],
                size=row[9],
            )
            for row in rows
        ]

    def last_days(self) -> list[tuple[str, int]]:
        """(year, documents that are kept and whose last day is in it), by year."""
        with self._db.apart() as conn:
            rows = conn.execute(
                "SELECT substr(d.retain_until, 1, 4), count(*) FROM documents AS d"
                f" WHERE d.retain_until IS NOT NULL AND d.disposition = 'kept' AND {_COUNTED}"
                " GROUP BY 1 ORDER BY 1"
            ).fetchall()
        return [(year, count) for year, count in rows]

    def volume_figures(self, business_units: Sequence[str] | None) -> list[VolumeRow]:
        """Documents of these units (None: of all) by series, month and class; those of a
        spool that stands aside are left out."""
        with self._db.apart() as conn:
            rows = conn.execute(
                "SELECT d.business_unit, d.series, strftime('%Y-%m', s.created_at, 'unixepoch'),"
                " d.retention_class, count(*), sum(d.record_uri IS NOT NULL),"
                " sum(d.record_uri IS NULL AND d.role <> 'refused'), sum(d.role = 'refused'),"
                f" sum({_HELD}), sum(d.length), sum(coalesce(d.pages, 0))"
                " FROM documents AS d CROSS JOIN spools AS s ON s.number = d.spool"
                f" WHERE {_COUNTED} AND d.disposition <> 'destroyed' AND (:units IS NULL"
                "  OR d.business_unit IN (SELECT value FROM json_each(:units)))"
                " GROUP BY 1, 2, 3, 4",
                {"units": _chosen(business_units)},
            ).fetchall()
        names = tuple(VolumeRow.__dataclass_fields__)
        return [VolumeRow(**dict(zip(names, row, strict=True))) for row in rows]

    def spool_counts(self, business_units: Sequence[str] | None) -> list[SpoolCount]:
        """Spools of these units (None: of all) by the month in which they were taken and
        their state."""
        with self._db.apart() as conn:
            rows = conn.execute(
                "SELECT business_unit, strftime('%Y-%m', created_at, 'unixepoch'), state,"
                " count(*), sum(size) FROM spools"
                " WHERE :units IS NULL OR business_unit IN (SELECT value FROM json_each(:units))"
                " GROUP BY 1, 2, 3",
                {"units": _chosen(business_units)},
            ).fetchall()
        names = tuple(SpoolCount.__dataclass_fields__)
        return [SpoolCount(**dict(zip(names, row, strict=True))) for row in rows]


def _chosen(business_units: Sequence[str] | None) -> str | None:
    return None if business_units is None else json.dumps(list(business_units))
