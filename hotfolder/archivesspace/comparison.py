"""What ArchivesSpace holds of a document, beside what hotfolder knows of it.

Pure. Archivists may edit any record, so a difference is no fault: it is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hotfolder.archivesspace.eventids import is_own_id
from hotfolder.archivesspace.mapping import identifiers_of, title_of
from hotfolder.core.records import CatalogueRow
from hotfolder.core.shielding import Shield

_OPEN = Shield()


def differences(
    row: CatalogueRow, record: Mapping[str, Any], shield: Shield = _OPEN
) -> list[dict[str, Any]]:
    """Where the digital object ``record`` is not what would be sent for ``row`` today: a
    field, our value and theirs. Only what identifies, dates or names the document, and its
    fixity; whatever the record has besides is not looked at."""
    sent = shield.document(row.document, row.business_unit)
    sha256, size = row.file_fixity
    issued = row.document.metadata.issue_date
    files = _mappings(record.get("file_versions"))
    # Archivists may add renditions of their own: ours is the one with our checksum.
    ours = next((item for item in files if item.get("checksum") == sha256), None)
    shown = ours or next(iter(files), {})
    pairs: list[tuple[str, Any, Any]] = [
        ("digital_object_id", row.document.identity, record.get("digital_object_id")),
        ("title", title_of(sent), record.get("title")),
        ("dates", issued.isoformat() if issued else None, _issued(record)),
        ("checksum", sha256, shown.get("checksum")),
        ("checksum_method", "sha-256", shown.get("checksum_method")),
        ("file_size_bytes", size, shown.get("file_size_bytes")),
        ("external_ids", sorted(identifiers_of(sent)), sorted(_identifiers(record))),
    ]
    return [
        {"field": field, "hotfolder": mine, "archivesspace": theirs}
        for field, mine, theirs in pairs
        if mine != theirs
    ]


def withhold_notes(
    records: Mapping[str, Any], uri: str
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The records without what was written of several documents at once: the note of an
    event that is about other records than the digital object ``uri``, and the notes of an
    archival object, which stands for a whole unit. Also: what was left out."""
    left_out: list[dict[str, str]] = []

    def without(record: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        left_out.extend(
            {"record": str(record.get("uri")), "field": name} for name in names if record.get(name)
        )
        return {name: value for name, value in record.items() if name not in names}

    events = [
        event
        if all(item.get("ref") == uri for item in _mappings(event.get("linked_records")))
        else without(event, _written_into(event))
        for event in _mappings(records.get("events"))
    ]
    objects = [
        without(item, ("notes", "external_documents", "external_ids"))
        for item in _mappings(records.get("archival_objects"))
    ]
    return {**records, "events": events, "archival_objects": objects}, left_out


def _written_into(event: Mapping[str, Any]) -> Sequence[str]:
    """The fields of an event that somebody may have written into: not an external id of ours
    that says no more than its ``refid``."""
    ids = event.get("external_ids")
    ours = isinstance(ids, list) and all(
        isinstance(item, Mapping)
        and is_own_id(item)
        and item.get("external_id") == event.get("refid")
        for item in ids
    )
    return ("outcome_note", "external_documents", *(() if ours else ("external_ids",)))


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _issued(record: Mapping[str, Any]) -> str | None:
    for item in _mappings(record.get("dates")):
        if item.get("label") == "issued":
            found = item.get("begin") or item.get("expression")
            return None if found is None else str(found)
    return None


def _identifiers(record: Mapping[str, Any]) -> Iterator[str]:
    for item in _mappings(record.get("external_ids")):
        yield str(item.get("external_id"))
