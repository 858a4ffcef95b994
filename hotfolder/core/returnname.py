"""Names for documents that are given back: made of safe fields, and never used twice."""

from __future__ import annotations

import re
import string

from hotfolder.core.records import CatalogueRow

FIELDS = (
    "order",
    "identity",
    "document_type",
    "issue_date",
    "channel",
    "business_unit",
    "series",
    "cycle",
    "version",
)  # nothing of a customer: names of files are seen by more people than files
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_PATTERN = 100  # so that with the shortest values a name always fits
_LIMITS = (67, 40, 20, 5)  # characters of a value; an order's number is never cut
_LONGEST_NAME = 180  # what is left of 255 is for suffixes
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}\Z")


def check_pattern(pattern: str) -> str | None:
    """What is wrong with a pattern, or None. It must have ``{order}`` in it: no two
    returns have the same number, so no name is ever given twice."""
    if len(pattern) > _LONGEST_PATTERN:
        return f"it is longer than {_LONGEST_PATTERN} characters"
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError:
        return "braces do not match"
    for text, name, spec, conversion in parts:
        if _UNSAFE.search(text.replace(".", "")):
            return "letters, digits, _ - and . only, besides fields"
        if name is not None and (name not in FIELDS or spec or conversion):
            return f"{{{name}}} is no field; there are {', '.join(FIELDS)}"
    if sum(name == "order" for _, name, _, _ in parts) != 1:
        return "{order} must be in it, once: it keeps names from ever being the same"
    return None


def returned_name(pattern: str, order: str, row: CatalogueRow) -> str:
    """The name, with the suffix of the spool's name or format; ASCII, without a ``/``,
    and never beginning with a dot."""
    found = row.document.metadata
    values: dict[str, object] = {
        "identity": row.document.identity,
        "document_type": found.document_type,
        "issue_date": found.issue_date,
        "channel": found.channel,
        "business_unit": row.business_unit,
        "series": row.document.series,
        "cycle": row.document.cycle,
        "version": row.document.version,
    }
    name = ""
    for limit in _LIMITS:
        safe = {field: _safe(value, limit) for field, value in values.items()}
        name = pattern.format_map(safe | {"order": order})
        if len(name) <= _LONGEST_NAME:
            break
    return (name if name[0] != "." else "_" + name) + suffix_of(row)


def suffix_of(row: CatalogueRow) -> str:
    """How names of the spool end, if that is a plain suffix; else its format."""
    base = row.spool_name.rsplit(b"/", 1)[-1].decode("ascii", "replace").lower()
    at = base.rfind(".")
    if at > 0 and _SUFFIX.match(base[at:]):
        return base[at:]
    return "." + (_UNSAFE.sub("", row.format_name.lower())[:8] or "bin")


def _safe(value: object, limit: int) -> str:
    text = "" if value is None else str(value)
    return _UNSAFE.sub("_", text)[:limit] or "none"
