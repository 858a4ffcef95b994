"""The receipt that the producer gets back: ``<name>.receipt.json``, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import CatalogueRow, SpoolRow

FORMAT = "hotfolder-receipt/1"


def receipt_json(
    row: SpoolRow, documents: Sequence[CatalogueRow], *, outcome: str, at: float
) -> dict[str, Any]:
    """The receipt of a spool. ``outcome`` is ``archived`` or ``duplicate``; the
    documents of a duplicate are those of the spool that was first."""
    return {
        "format": FORMAT,
        "outcome": outcome,
        "spool": {
            "id": row.id,
            "name": _readable(row.name),
            "hot_folder": row.folder,
            "business_unit": row.business_unit,
            "size": row.size,
            "sha256": row.sha256,
            "file_format": row.format_name,
            "pages": row.pages,
            "received": _instant(row.created_at),
            "duplicate_of": row.first_spool_id,
        },
        "documents": [_document(item) for item in documents],
        "receipted": _instant(at),
    }


def _document(item: CatalogueRow) -> dict[str, Any]:
    document, metadata = item.document, item.document.metadata
    return {
        "identity": document.identity,
        "archivesspace": item.record_uri,
        "archived": _instant(item.archived_at),
        "confirmed": item.record_uri is not None,
        "sha256": document.range.sha256,
        "size": document.range.length,
        "pages": document.range.pages,
        "series": document.series,
        "cycle": document.cycle,
        "document_type": metadata.document_type,
        "issue_date": metadata.issue_date.isoformat() if metadata.issue_date else None,
        "retention_class": metadata.retention_class,
        "retain_until": document.retain_until.isoformat() if document.retain_until else None,
        "version": document.version,
        "supersedes": document.supersedes,
    }


def receipt_text(
    row: SpoolRow, documents: Sequence[CatalogueRow], *, outcome: str, profile: FolderProfile
) -> str:
    """The same in words, for folders that people use."""
    name = _readable(row.name).rsplit("/", 1)[-1]
    lines = [
        f"{name} was archived already; nothing was added."
        if outcome == "duplicate"
        else f"{name} is archived.",
        "",
    ]
    for item in documents:
        document = item.document
        if document.version > 1 and outcome != "duplicate":
            lines.append(
                f"It is version {document.version} of a document that was archived before;"
                " the earlier version is kept."
            )
        until = f"until {document.retain_until}" if document.retain_until else "without end date"
        lines += [
            f"Record in ArchivesSpace:  {item.record_uri or 'to be confirmed'}",
            f"Kept:                     {until} (class {document.metadata.retention_class})",
            f"Identity:                 {document.identity}",
        ]
    lines += [
        f"Checksum (SHA-256):       {row.sha256}",
        f"Reference:                {row.id}",
        f"Questions:                {profile.owner or 'whoever runs hotfolder here'}",
        "",
    ]
    return "\n".join(lines)


def _readable(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _instant(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
