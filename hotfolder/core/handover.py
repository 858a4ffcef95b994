"""What goes with a document that is given back: who it is, whose, what it was checked
against. JSON types only; the caller writes it beside the bytes.

``metadata`` has the canonical names, so a hot folder reads the file as a sidecar again
(docs/formats.md). What the producer declared of the bytes is left out where the bytes
given are not those.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hotfolder.core.canonical import metadata_to_dict
from hotfolder.core.records import CatalogueRow

FORMAT = "hotfolder-document/1"
_OF_BYTES = ("declared_sha256", "declared_size")


def handover_record(
    row: CatalogueRow, *, form: str, derived: bool, sha256: str, size: int, given_at: float
) -> dict[str, Any]:
    """The description of bytes that are given out of the archive.

    ``form`` is exact, alone or spool; ``derived`` says that the bytes were made of those
    that were sent; ``sha256`` and ``size`` (bytes) are of the bytes given; ``given_at`` is
    in seconds since the epoch.
    """
    document, place = row.document, row.document.range
    metadata = metadata_to_dict(document.metadata)
    if form != "exact":
        metadata = {name: value for name, value in metadata.items() if name not in _OF_BYTES}
    return {
        "format": FORMAT,
        "identity": document.identity,
        "title": document.title,
        "business_unit": row.business_unit,
        "series": document.series,
        "cycle": document.cycle,
        "version": document.version,
        "supersedes": document.supersedes,
        "metadata": metadata,
        "retention": {
            "class": document.metadata.retention_class,
            "retain_until": document.retain_until.isoformat() if document.retain_until else None,
        },
        "record": row.record_uri,
        "unit": row.unit_ref_id,
        "archived": _moment(row.archived_at),
        "given": {
            "at": _moment(given_at),
            "form": form,
            "derived": derived,
            "sha256": sha256,
            "bytes": size,
        },
        "spool": {
            "id": row.spool_id,
            "name": row.spool_name.decode("utf-8", "backslashreplace"),
            "sha256": row.spool_sha256,
            "bytes": row.spool_size,
            "format": row.format_name,
            "offset": None if place.by_pages else place.offset,
            "length": None if place.by_pages else place.length,
            "document_sha256": None if place.by_pages else place.sha256,
            "first_page": place.first_page,
            "pages": place.pages,
        },
    }


def _moment(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
