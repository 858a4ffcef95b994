"""The receipt that the producer gets back: ``<name>.receipt.json``, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from hotfolder.core.notes import printable, printable_name
from hotfolder.core.profiles import FolderProfile
from hotfolder.core.records import CatalogueRow, Role, SpoolRow

FORMAT = "hotfolder-receipt/1"
MOST_INLINE = 1000  # documents in the receipt itself


def receipt_json(
    row: SpoolRow,
    documents: Sequence[CatalogueRow],
    *,
    outcome: str,
    at: float,
    documents_file: str = "",
) -> dict[str, Any]:
    """The receipt of a spool. ``outcome`` is ``archived`` or ``duplicate``; the
    documents of a duplicate are those of the spool that was first. With more than
    ``MOST_INLINE`` they are lines (``document_receipt``) of ``documents_file``."""
    many: dict[str, Any] = {}
    if documents_file or (row.documents or 0) > 1 or row.left_out or row.skipped or row.refused:
        many["counts"] = {
            "archived": (row.documents or 0) - row.refused,
            "archived_before": row.left_out,
            "skipped": row.skipped,
            "refused": row.refused,
        }
    if many or row.remarks:
        many["remarks"] = [asdict(fault) for fault in row.remarks]
    if documents_file:
        many["documents_file"] = documents_file
    return {
        **many,
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
            "received": instant(row.created_at),
            "duplicate_of": row.first_spool_id,
        },
        "documents": [
            document_receipt(item, placed=len(documents) > 1 or _is_part(item, row))
            for item in documents
            if item.document.role is not Role.CARRIER
        ],
        "receipted": instant(at),
    }


def document_receipt(item: CatalogueRow, *, placed: bool) -> dict[str, Any]:
    """What the receipt says of one document; ``placed``: also where it lies."""
    document, metadata = item.document, item.document.metadata
    place: dict[str, Any] = {}
    if placed:
        place = {"ordinal": document.range.ordinal, "first_page": document.range.first_page}
        if not document.range.by_pages:
            place["offset"] = document.range.offset
    return {
        **place,
        "identity": document.identity,
        "archivesspace": item.record_uri,
        "archived": instant(item.archived_at),
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
    """The same in words, for folders that people use. Of a spool that holds many, the
    documents are only counted."""
    name = printable_name(row.name.rsplit(b"/", 1)[-1])
    lines = [
        f"{name} was archived already; nothing was added."
        if outcome == "duplicate"
        else f"{name} is archived.",
        "",
    ]
    if (row.documents or 0) > 1:
        lines.append(f"Documents in it:          {row.documents}")
        documents = ()
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
        f"Questions:                {printable(profile.owner) or 'whoever runs hotfolder here'}",
        "",
    ]
    return "\n".join(lines)


def _is_part(item: CatalogueRow, row: SpoolRow) -> bool:
    place = item.document.range
    return place.by_pages or (place.offset, place.length) != (0, row.size)


def _readable(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def instant(at: float | None) -> str | None:
    """An instant in ISO 8601, UTC, to the millisecond."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
