"""Values of an old archive: translated where the configuration says into what, and settled
where a vocabulary does not have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hotfolder.core.governance import find_spelling
from hotfolder.core.profiles import FolderProfile, OnUnknown, Rules
from hotfolder.core.records import DocumentMetadata

Noticed = Callable[[DocumentMetadata], None]  # what was said of a document
CONTROLLED = (
    "document_type", "retention_class", "channel", "jurisdiction", "sensitivity", "language",
)  # fmt: skip
ORIGINAL = "original "  # begins the name under which a value is kept that was not


def adapt(
    metadata: DocumentMetadata, profile: FolderProfile, rules: Rules, noticed: Noticed | None
) -> DocumentMetadata:
    """What counts of ``metadata``. ``noticed`` sees it with its values translated, and the
    unknown ones still in it. What was replaced is in ``extra``, verbatim."""
    if profile.values:
        metadata = _changed(metadata, _translations(metadata, profile))
    if noticed is not None:
        noticed(metadata)
    if profile.on_unknown is OnUnknown.DEFAULT:
        unit, defaults = profile.business_unit, profile.defaults
        unknown = {
            name: defaults[name] if _is_known(name, defaults.get(name, ""), unit, rules) else None
            for name, _ in unknown_values(metadata, unit, rules)
        }
        metadata = _changed(metadata, unknown)
    return metadata


def unknown_values(
    metadata: DocumentMetadata, business_unit: str, rules: Rules
) -> Iterator[tuple[str, str]]:
    """(field, value) of each value that a list does not have, by which documents of
    ``business_unit`` are judged."""
    for name in CONTROLLED:
        value = getattr(metadata, name)
        if value is not None and not _is_known(name, value, business_unit, rules):
            yield name, value


def _is_known(name: str, value: str, business_unit: str, rules: Rules) -> bool:
    """As ``classification`` decides it. A type is in a series besides, a class in the schedule."""
    listed = rules.values_for(business_unit, name)
    if listed and find_spelling(value, listed) is None:
        return False
    if name == "document_type":
        types = tuple(kind for series in rules.series for kind in series.document_types)
        return find_spelling(value, types) is not None
    if name == "retention_class":
        return find_spelling(value, tuple(rules.retention_classes)) is not None
    return True


def _translations(metadata: DocumentMetadata, profile: FolderProfile) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, table in profile.values.items():
        value = getattr(metadata, name)
        if not isinstance(value, str):
            continue
        for theirs, ours in table.items():
            if theirs.strip().casefold() == value.casefold() and ours != value:
                found[name] = ours
    return found


def _changed(metadata: DocumentMetadata, changes: dict[str, Any]) -> DocumentMetadata:
    if not changes:
        return metadata
    kept = {ORIGINAL + name: (str(getattr(metadata, name)),) for name in changes}
    return replace(metadata, **changes, extra={**kept, **metadata.extra})
