"""Between rows of the database and the records of ``core``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from hotfolder.core.canonical import dump, metadata_from_dict, metadata_to_dict
from hotfolder.core.errors import Fault
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.records import (
    CatalogueRow,
    Disposition,
    Document,
    DocumentRange,
    Role,
    SpoolRow,
    UnitRow,
)

SPOOL_COLUMNS = (
    "number, id, folder, business_unit, name, sidecars, trigger_name, shared, state, size,"
    " mtime_ns, inode, sha256, format_name, pages, settled_by, created_at, updated_at,"
    " attempts, next_at,"
    " last_error, first_spool_id, faults, held_from, documents, left_out, skipped,"
    " refused, remarks"
)
UNIT_COLUMNS = (
    "number, ref_id, business_unit, series, cycle, state, planned_at, sent_at, confirmed_at,"
    " attempts, next_at, last_error, archival_object_uri, members"
)
DOCUMENT_COLUMNS = (
    "d.identity, d.source, d.business_key, d.series, d.cycle, d.title, d.version, d.supersedes,"
    " d.ordinal, d.start, d.length, d.sha256, d.first_page, d.pages, d.retain_until, d.metadata,"
    " d.business_unit, d.record_uri, d.archived_at,"
    " s.id, s.name, s.sha256, s.size, s.format_name, u.ref_id, d.role, d.by_pages,"
    " d.class_version, d.cutoff, d.disposition"
)
DOCUMENTS_JOINED = (
    "documents AS d JOIN spools AS s ON s.number = d.spool"
    " LEFT JOIN units AS u ON u.number = d.unit"
)

# Numbers of the documents with an identity, live or not: by both partial indexes.
OF_IDENTITY = (
    "SELECT number FROM documents WHERE identity = :identity AND live = 1"
    " UNION ALL SELECT number FROM documents WHERE identity = :identity AND live = 0"
)


_TWO_64 = 1 << 64
# Nanoseconds from 1970 to the year 1823: no file system's times are older.
_LEAST_TIME = -(1 << 62)


def fit_time(mtime_ns: int) -> int:
    """A file's time in SQLite's signed 64 bits, where it may lie beyond the year 2262."""
    return _fit(mtime_ns, _LEAST_TIME)


def fit_inode(inode: int) -> int:
    """An inode in SQLite's signed 64 bits; the kernel's are unsigned."""
    return _fit(inode, 0)


def unfit_time(value: int) -> int:
    """The inverse of ``fit_time``."""
    return _unfit(value, _LEAST_TIME)


def unfit_inode(value: int) -> int:
    """The inverse of ``fit_inode``."""
    return _unfit(value, 0)


def _fit(value: int, least: int) -> int:
    value = max(least, min(value, least + _TWO_64 - 1))
    return value - _TWO_64 if value >= _TWO_64 // 2 else value


def _unfit(value: int, least: int) -> int:
    return value + _TWO_64 if value < least else value


def dump_names(names: Sequence[bytes]) -> str:
    """Names of files as JSON; in hexadecimal, because Linux names are bytes."""
    return json.dumps([name.hex() for name in names])


def dump_faults(faults: Sequence[Fault]) -> str:
    """Faults as JSON."""
    return dump([asdict(fault) for fault in faults])


def load_faults(text: str) -> tuple[Fault, ...]:
    """The inverse of ``dump_faults``."""
    return tuple(Fault(**item) for item in json.loads(text))


def _names(text: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(item) for item in json.loads(text))


def spool_from(row: Sequence[Any]) -> SpoolRow:
    """A ``SpoolRow`` from ``SPOOL_COLUMNS``."""
    return SpoolRow(
        id=row[1],
        folder=row[2],
        business_unit=row[3],
        name=row[4],
        sidecars=_names(row[5]),
        trigger=row[6],
        shared=_names(row[7]),
        state=SpoolState(row[8]),
        size=row[9],
        mtime_ns=unfit_time(row[10]),
        inode=unfit_inode(row[11]),
        sha256=row[12],
        format_name=row[13],
        pages=row[14],
        settled_by=row[15],
        created_at=row[16],
        updated_at=row[17],
        attempts=row[18],
        next_at=row[19],
        last_error=row[20],
        first_spool_id=row[21],
        faults=load_faults(row[22]),
        held_from=SpoolState(row[23]) if row[23] else None,
        documents=row[24],
        left_out=row[25],
        skipped=row[26],
        refused=row[27],
        remarks=load_faults(row[28]),
    )


def unit_from(row: Sequence[Any], identities: Sequence[str]) -> UnitRow:
    """A ``UnitRow`` from ``UNIT_COLUMNS`` and its current members."""
    return UnitRow(
        ref_id=row[1],
        business_unit=row[2],
        series=row[3],
        cycle=row[4],
        state=UnitState(row[5]),
        identities=tuple(identities) or tuple(json.loads(row[13])),
        planned_at=row[6],
        sent_at=row[7],
        confirmed_at=row[8],
        attempts=row[9],
        next_at=row[10],
        last_error=row[11],
        archival_object_uri=row[12],
    )


def document_from(row: Sequence[Any]) -> CatalogueRow:
    """A ``CatalogueRow`` from ``DOCUMENT_COLUMNS``."""
    return CatalogueRow(
        document=Document(
            identity=row[0],
            source=row[1],
            business_key=row[2],
            series=row[3],
            cycle=row[4],
            title=row[5],
            version=row[6],
            supersedes=row[7],
            range=DocumentRange(
                ordinal=row[8],
                offset=row[9],
                length=row[10],
                sha256=row[11],
                first_page=row[12],
                pages=row[13],
                by_pages=bool(row[26]),
            ),
            role=Role(row[25]),
            retain_until=date.fromisoformat(row[14]) if row[14] else None,
            class_version=row[27],
            cutoff=date.fromisoformat(row[28]) if row[28] else None,
            metadata=metadata_from_dict(json.loads(row[15])),
        ),
        business_unit=row[16],
        record_uri=row[17],
        archived_at=row[18],
        spool_id=row[19],
        spool_name=row[20],
        spool_sha256=row[21],
        spool_size=row[22],
        format_name=row[23] or "unknown",
        unit_ref_id=row[24],
        disposition=Disposition(row[29]),
    )


INSERT_DOCUMENT = """
INSERT INTO documents (identity, spool, business_unit, source, business_key, series, cycle, title,
  version, supersedes, ordinal, start, length, sha256, first_page, pages, customer_id,
  account_number, policy_number, document_type, issue_date, channel, retention_class, retain_until,
  job_number, metadata, role, by_pages, class_version, cutoff)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def document_values(document: Document, spool: int, business_unit: str) -> tuple[Any, ...]:
    """The values for ``INSERT_DOCUMENT``."""
    place, found = document.range, document.metadata
    return (
        document.identity,
        spool,
        business_unit,
        document.source,
        document.business_key,
        document.series,
        document.cycle,
        document.title,
        document.version,
        document.supersedes,
        place.ordinal,
        place.offset,
        place.length,
        place.sha256,
        place.first_page,
        place.pages,
        found.customer_id,
        found.account_number,
        found.policy_number,
        found.document_type,
        found.issue_date.isoformat() if found.issue_date else None,
        found.channel,
        found.retention_class,
        document.retain_until.isoformat() if document.retain_until else None,
        found.job_number,
        dump(metadata_to_dict(found)),
        document.role,
        place.by_pages,
        document.class_version,
        document.cutoff.isoformat() if document.cutoff else None,
    )
