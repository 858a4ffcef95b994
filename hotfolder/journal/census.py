"""How many documents have which controlled values."""

from __future__ import annotations

from hotfolder.core.drift import Counted
from hotfolder.core.governance import CONTROLLED
from hotfolder.journal.connection import Connection

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
        it. Goes through the whole catalogue, in one statement."""
        fields = ", ".join(_COLUMNS[name] for name in CONTROLLED)
        places = ", ".join(str(place) for place in range(1, len(CONTROLLED) + 3))
        with self._db.reading() as conn:
            rows = conn.execute(
                f"SELECT d.business_unit, d.series, {fields}, count(*) FROM documents AS d"
                f" WHERE d.live = 1 AND d.role <> 'carrier' GROUP BY {places} ORDER BY {places}"
            ).fetchall()
        return [
            Counted(
                series=row[1],
                facts={"business_unit": row[0], **dict(zip(CONTROLLED, row[2:-1], strict=True))},
                count=row[-1],
            )
            for row in rows
        ]
