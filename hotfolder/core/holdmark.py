"""A legal hold as the record of a document shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldMark:
    """A hold as it stands in a record."""

    hold: str  # its id
    matter: str
    placed_on: date
    released_on: date | None = None
    is_new: bool = True  # False: ArchivesSpace was told that it was placed
    from_archive: bool = False  # an archivist placed it there, with a statement of their own
