"""How many documents have which controlled values."""

from __future__ import annotations

from collections import Counter

from hotfolder.core.drift import Counted
from hotfolder.core.governance import CONTROLLED
from hotfolder.journal.connection import Connection

_PIECE = 50_000  # documents
_COLUMNS = {
    "document_type": "d.document_type",
    "retention_class": "d.retention_class",
    **{
        name: f"json_extract(d.metadata, '$.{name}')"
        for name in ("channel", "jurisdiction", "sensitivity", "language")
    },
}


class Census:
    """The journal's methods that count values."""

    _db: Connection

    def count_values(self) -> list[Counted]:
        """Every combination of controlled values that documents have, with how many have
        it. Goes through the whole catalogue, a piece at a time: in flat memory, and no
        reader keeps the write-ahead log from being emptied."""
        fields = ", ".join(_COLUMNS[name] for name in CONTROLLED)
        places = ", ".join(str(place) for place in range(1, len(CONTROLLED) + 3))
        total: Counter[tuple[str | None, ...]] = Counter()
        with self._db.reading() as conn:
            last = conn.execute("SELECT coalesce(max(number), 0) FROM documents").fetchone()[0]
        for first in range(0, last, _PIECE):
            with self._db.reading() as conn:
                for *values, count in conn.execute(
                    f"SELECT d.business_unit, d.series, {fields}, count(*) FROM documents AS d"
                    " WHERE d.number > ? AND d.number <= ? AND d.live = 1"
                    f" AND d.role <> 'carrier' GROUP BY {places}",
                    (first, first + _PIECE),
                ):
                    total[tuple(values)] += count
        return [
            Counted(
                series=str(values[1]),
                facts={
                    "business_unit": values[0],
                    **dict(zip(CONTROLLED, values[2:], strict=True)),
                },
                count=count,
            )
            for values, count in sorted(total.items(), key=lambda item: tuple(map(str, item[0])))
        ]
