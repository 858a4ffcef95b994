"""The history of a spool, told as a story, and the plain data behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from hotfolder.core.ports import Journal
from hotfolder.core.records import CatalogueRow, HistoryRow, Role, SpoolRow, UnitRow

_SPOOL_SENTENCES = {
    "CLAIMING": "It was finished ({settled_by}); the claim was journalled.",
    "CLAIMED": "It was moved into _working.",
    "READ": "Its metadata was read and checked.",
    "STORED": "Its bytes were stored, read back and compared.",
    "DELIVERED": "ArchivesSpace had confirmed every document in it.",
    "DONE": "The receipt was written.",
    "REJECTED": "It was rejected: {reason}.",
    "HELD": "It was held: {reason}.",
    "CORRUPT": "It was found corrupt: {reason}. Nothing was deleted.",
    "DUPLICATE": "It is archived already, as spool {first}.",
    "ABANDONED": "It had gone or changed before it could be claimed: {reason}.",
}
_UNIT_SENTENCES = {
    "PLANNED": "A unit of {documents} was planned for it: {unit}.",
    "SENT": "The unit was sent to ArchivesSpace.",
    "CONFIRMED": "ArchivesSpace had all of the unit, as {uri}.",
    "REFUSED": "ArchivesSpace refused the unit: {reason}.",
}


def moment(at: float | None) -> str | None:
    """An instant in ISO 8601, UTC, to the millisecond."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def readable(name: bytes) -> str:
    """A file name for people; bytes that are no UTF-8 are shown as escapes."""
    return name.decode("utf-8", "backslashreplace")


def spool_data(row: SpoolRow) -> dict[str, Any]:
    """A spool for ``--json``."""
    return {
        "id": row.id,
        "state": str(row.state),
        "folder": row.folder,
        "business_unit": row.business_unit,
        "name": readable(row.name),
        "sidecars": [readable(name) for name in row.sidecars],
        "size": row.size,
        "sha256": row.sha256,
        "format": row.format_name,
        "pages": row.pages,
        "documents_total": row.documents,
        "documents_archived_before": row.left_out,
        "documents_skipped": row.skipped,
        "documents_refused": row.refused,
        "settled_by": row.settled_by,
        "first_seen": moment(row.created_at),
        "changed": moment(row.updated_at),
        "attempts": row.attempts,
        "next_attempt": moment(row.next_at),
        "last_error": row.last_error,
        "duplicate_of": row.first_spool_id,
        "held_from": str(row.held_from) if row.held_from else None,
        "faults": [asdict(fault) for fault in row.faults],
        "remarks": [asdict(fault) for fault in row.remarks],
    }


def document_data(row: CatalogueRow) -> dict[str, Any]:
    """A document for ``--json``."""
    document = row.document
    return {
        "identity": document.identity,
        "series": document.series,
        "cycle": document.cycle,
        "title": document.title,
        "document_type": document.metadata.document_type,
        "issue_date": str(document.metadata.issue_date) if document.metadata.issue_date else None,
        "retention_class": document.metadata.retention_class,
        "retain_until": str(document.retain_until) if document.retain_until else None,
        "version": document.version,
        "supersedes": document.supersedes,
        "ordinal": document.range.ordinal,
        "role": str(document.role),
        "offset": document.range.offset,
        "length": document.range.length,
        "sha256": document.range.sha256,
        "first_page": document.range.first_page,
        "pages": document.range.pages,
        "unit": row.unit_ref_id,
        "record": row.record_uri,
        "archived": moment(row.archived_at),
    }


def held_data(row: CatalogueRow, holds: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The legal holds upon a document for ``--json``; nothing without any."""
    upon = holds.get(row.document.identity)
    return {"holds": list(upon)} if upon else {}


def record_words(row: CatalogueRow) -> str:
    """Where a document's record is, or why there is none."""
    if row.document.role is Role.REFUSED:
        return "refused by ArchivesSpace"
    return row.record_uri or "not confirmed yet"


def tell(
    journal: Journal, row: SpoolRow, documents: Sequence[CatalogueRow]
) -> list[dict[str, Any]]:
    """Every step of the spool and of the units that these of its documents were in, by
    time."""
    units = [
        unit
        for ref_id in sorted({item.unit_ref_id for item in documents if item.unit_ref_id})
        if (unit := journal.get_unit(ref_id)) is not None
    ]
    # Units first: where both move in one commit, the unit's answer is the cause.
    steps = [_unit_step(step, unit) for unit in units for step in journal.history(unit.ref_id)]
    steps += [_spool_step(step, row) for step in journal.history(row.id)]
    return sorted(steps, key=lambda step: step["seconds"])


def _spool_step(step: HistoryRow, row: SpoolRow) -> dict[str, Any]:
    faults = "; ".join(fault.message for fault in row.faults)
    sentence = _SPOOL_SENTENCES[step.new].format(
        settled_by=row.settled_by,
        reason=step.reason or faults or "no reason given",
        first=row.first_spool_id,
    )
    if step.old in ("HELD", "CORRUPT"):
        sentence = f"It was released, back to {step.new}. {step.reason}".strip()
    return _step(step, sentence)


def _unit_step(step: HistoryRow, unit: UnitRow) -> dict[str, Any]:
    count = len(unit.identities)
    sentence = _UNIT_SENTENCES[step.new].format(
        documents=f"{count} document" + ("s" if count != 1 else ""),
        unit=unit.ref_id,
        uri=unit.archival_object_uri,
        reason=step.reason or unit.last_error or "no reason given",
    )
    if step.old == "CONFIRMED":
        sentence = f"The server had lost the unit; it was to be sent again. {step.reason}".strip()
    return _step(step, sentence)


def _step(step: HistoryRow, sentence: str) -> dict[str, Any]:
    return {
        "seconds": step.at,
        "at": moment(step.at),
        "subject": step.subject,
        "from": step.old,
        "to": step.new,
        "sentence": sentence,
    }


def _count_lines(row: SpoolRow, unconfirmed: int) -> list[str]:
    total = row.documents or 0
    lines: list[str] = []
    if total > 1:
        confirmed = total - unconfirmed - row.refused
        lines.append(f"  {total:,} documents, {confirmed:,} of them confirmed")
    if row.left_out:
        lines.append(f"  {row.left_out:,} more were archived before with other spools")
    if row.skipped:
        lines.append(f"  {row.skipped:,} documents could not be read and were skipped")
    if row.refused:
        lines.append(f"  {row.refused:,} documents are not in ArchivesSpace: it refused them")
    return lines


def _template_lines(made: Mapping[str, Any] | None) -> list[str]:
    if made is None:
        return []
    number = f" version {made['version']}" if made["version"] else ", no version said"
    archived = (
        f"{made['standing']}, document {made['archived_as']}"
        if made["archived_as"]
        else "not archived here"
    )
    lines = [f"    made with template {made['name']}{number}: {archived}"]
    force = made["in_force_when_issued"]
    if force is not None and force != made["version"]:
        lines.append(f"    version {force} was in force when it was issued")
    return lines


def story_lines(
    row: SpoolRow,
    documents: Sequence[CatalogueRow],
    steps: Sequence[dict[str, Any]],
    *,
    unconfirmed: int = 0,
    holds: Mapping[str, Sequence[str]],
    made: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> list[str]:
    """The same for a person at a terminal. ``documents`` may be the first of many;
    ``unconfirmed`` of all are not. ``holds``: those upon a document, by identity; ``made``:
    by which template (``provenance.made_by``)."""
    lines = [
        f"{readable(row.name)}  from hot folder {row.folder}",
        f"  spool {row.id}, {row.state}",
        f"  {row.size:,} bytes, {row.format_name or 'not read yet'}"
        + (f", {row.pages} pages" if row.pages is not None else ""),
    ]
    if row.sha256:
        lines.append(f"  sha-256 {row.sha256}")
    if row.last_error and row.next_at is not None:
        lines.append(f"  waiting to try again at {moment(row.next_at)}: {row.last_error}")
    total = row.documents or 0
    lines += _count_lines(row, unconfirmed)
    lines.append("")
    lines += [f"  {step['at']}  {step['sentence']}" for step in steps]
    for item in documents:
        document = item.document
        lines += ["", f"  document {document.identity}", f"    {document.title}"]
        if document.version > 1:
            lines.append(f"    version {document.version}, supersedes {document.supersedes}")
        until = str(document.retain_until) if document.retain_until else "no end date"
        lines.append(f"    class {document.metadata.retention_class}, keep until: {until}")
        if document.identity in holds:
            lines.append(f"    under legal hold: {', '.join(holds[document.identity])}")
        lines.append(f"    record {record_words(item)}")
        lines += _template_lines((made or {}).get(document.identity))
    if len(documents) < total:
        lines += ["", f"  and {total - len(documents):,} more: hotfolder find --spool {row.id}"]
    for fault in (*row.faults, *row.remarks):
        where = ", ".join(part for part in (fault.file, fault.place) if part)
        kind = "fault" if fault in row.faults else "remark"
        lines += ["", f"  {kind} {fault.code}" + (f" in {where}" if where else "")]
        lines += [f"    {fault.message}", f"    {fault.remedy}"]
    return lines
