"""Rights statements: how long a document is kept and what holds it, as ArchivesSpace has
it (reference 1.3). Pure.

A statement of ours is known by its identifier, which the server keeps. What else an
archivist writes into a record is theirs.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from hotfolder.archivesspace.wording import SHORT_LIMIT, clean_value
from hotfolder.core.holdmark import HoldMark
from hotfolder.core.profiles import ArchiveProfile, Rules
from hotfolder.core.records import Document
from hotfolder.core.retention import RetentionClass, RetentionTrigger

RETENTION = "retention"  # identifier of the rights statement that carries the schedule
HOLD = "hold:"  # how those of holds begin, an archivist's too
_NO_MARKUP = str.maketrans("<>", "\u2039\u203a")


def retention_statement(start: date, end: date | None) -> dict[str, Any]:
    """Not to be deleted from ``start`` until ``end`` (None: no end is known)."""
    return _statement(RETENTION, start if end is None else min(start, end), end)


def hold_statement(mark: HoldMark) -> dict[str, Any]:
    """Not to be deleted from the day of the hold until that of its release, if there is one."""
    end = mark.released_on
    start = mark.placed_on if end is None else min(mark.placed_on, end)
    return _statement(hold_identifier(mark), start, end)


def hold_identifier(mark: HoldMark) -> str:
    """The matter for people, and the id of the hold, by which the statement is found.

    The staff interface puts it into its page as it is, as if it were HTML (``html_safe`` in
    frontend/app/views/rights_statements/_template.html.erb): no markup may be in it.
    """
    room = SHORT_LIMIT - len(mark.hold) - 1
    matter = mark.matter.translate(_NO_MARKUP)
    return f"{clean_value(matter, prefix=HOLD, limit=room) or HOLD} {mark.hold}"


def is_of_hold(identifier: object, mark: HoldMark) -> bool:
    """Whether a statement with this identifier is that of the hold: ours by the id at its
    end, or an archivist's, which names the matter alone."""
    if not isinstance(identifier, str) or identifier == RETENTION:
        return False
    if identifier.startswith(HOLD) and identifier.endswith(f" {mark.hold}"):
        return True
    return mark.from_archive and identifier.removeprefix(HOLD).strip() == mark.matter


def class_of(document: Document, rules: Rules) -> RetentionClass | None:
    """The class that governs a document: its own, or that of its series."""
    series = rules.series_by_code(document.series)
    code = document.metadata.retention_class or (series.retention_class if series else None)
    return rules.retention_classes.get(code) if code else None


def needs_statement(
    document: Document, retention: RetentionClass | None, profile: ArchiveProfile, rules: Rules
) -> bool:
    """Whether the record of a document carries the schedule itself: always, or where
    ``rights_statements = "exceptions"`` and it differs from what its series says."""
    if retention is None and document.retain_until is None:
        return document.metadata.retention_class is not None
    if profile.rights_statements != "exceptions" or retention is None:
        return True
    series = rules.series_by_code(document.series)
    if series is None or series.retention_class != retention.code:
        return True
    if retention.trigger is RetentionTrigger.EVENT:
        return document.retain_until is not None
    issued = document.metadata.issue_date
    if issued is None:
        return document.retain_until is not None
    return document.retain_until != retention.retain_until(issue_date=issued)


def _statement(identifier: str, start: date, end: date | None) -> dict[str, Any]:
    days = {"start_date": start.isoformat()} | ({"end_date": end.isoformat()} if end else {})
    return {
        "jsonmodel_type": "rights_statement",
        "rights_type": "other",
        "other_rights_basis": "policy",
        "identifier": identifier,
        **days,
        "acts": [
            {
                "jsonmodel_type": "rights_statement_act",
                "act_type": "delete",
                "restriction": "disallow",
                **days,
            }
        ],
    }
