"""From a claimed drop to documents: everything that is wrong is reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.identity import business_key_of, document_identity, source_of
from hotfolder.core.profiles import FolderProfile, Rules, SeriesProfile
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Inspection,
    Reading,
    SpoolRow,
)
from hotfolder.core.retention import RetentionTrigger
from hotfolder.sidecars.csvtable import read_csv
from hotfolder.sidecars.fieldmap import FieldMap
from hotfolder.sidecars.jsonpair import read_json
from hotfolder.sidecars.pairing import sidecar_names
from hotfolder.sidecars.raw import RawField, RawMetadata, display
from hotfolder.sidecars.xmlpair import read_xml

_RANK_SHARED = 100
_RANK_DEFAULTS = 200
_COMMON = ("document_type", "issue_date")  # shared by many documents of a day
_CONTROLLED = ("channel", "jurisdiction", "sensitivity", "language")


def interpret(
    *,
    spool: SpoolRow,
    profile: FolderProfile,
    rules: Rules,
    sha256: str,
    size: int,
    inspection: Inspection,
    sidecars: Sequence[tuple[bytes, bytes]],
    shared: Sequence[tuple[bytes, bytes]],
    received_on: date,
) -> Reading:
    """Read the sidecars of a spool (name and bytes each), map, check and classify.

    Raises ``InputFault`` with every fault found: of the spool itself, of each
    sidecar, of each field. ``received_on`` stands in for the issue date in folders
    for manual drops that have no other.
    """
    faults: list[Fault] = []
    if inspection.fault is not None:
        faults.append(replace(inspection.fault, file=display(spool.name)))
    layers = _read_layers(spool, profile, sidecars, shared, faults)
    metadata, field_faults, warnings = FieldMap(profile.field_map).apply(layers)
    faults += field_faults
    if profile.manual and metadata.issue_date is None:
        metadata = replace(metadata, issue_date=received_on)
    metadata = _check_vocabularies(metadata, rules, spool, faults)
    _check_fixity(metadata, sha256, size, spool, faults)
    series = _find_series(metadata, rules, spool, faults)
    retain_until: date | None = None
    if series is not None:
        _check_required(metadata, series, spool, faults)
        metadata = _classify(metadata, series, rules, spool, faults)
        retain_until = _find_retention(metadata, rules, spool, faults)
    if faults or series is None or metadata.issue_date is None:
        raise InputFault(faults)
    document = replace(
        _describe(metadata, series, spool, sha256, size, inspection), retain_until=retain_until
    )
    return Reading(
        spool_id=spool.id,
        sha256=sha256,
        size=size,
        inspection=inspection,
        documents=(document,),
        warnings=tuple(warnings),
    )


def _read_layers(
    spool: SpoolRow,
    profile: FolderProfile,
    sidecars: Sequence[tuple[bytes, bytes]],
    shared: Sequence[tuple[bytes, bytes]],
    faults: list[Fault],
) -> list[RawMetadata]:
    ranks = {name: rank for rank, name in enumerate(sidecar_names(spool.name))}
    layers: list[RawMetadata] = []
    for name, data in sidecars:
        read = read_xml if name.lower().endswith(b".xml") else read_json
        try:
            layers.append(read(data, display(name), ranks.get(name, len(ranks))))
        except InputFault as error:
            faults += error.faults
    for name, data in shared:
        try:
            row = read_csv(data, display(name), spool.name, _RANK_SHARED)
        except InputFault as error:
            faults += error.faults
            continue
        if row is not None:
            layers.append(row)
    if not layers and not faults and profile.sidecar_required and not profile.manual:
        faults.append(
            Fault(
                code="sidecar.missing",
                message="no metadata came with this file",
                remedy="write a metadata file beside it, for example "
                + display(spool.name)
                + ".json",
                file=display(spool.name),
            )
        )
    layers.append(
        RawMetadata(
            source=f"defaults of hot folder {profile.name}",
            rank=_RANK_DEFAULTS,
            fields=tuple(RawField(name, value, name) for name, value in profile.defaults.items()),
            yields=True,
        )
    )
    return layers


def _check_vocabularies(
    metadata: DocumentMetadata, rules: Rules, spool: SpoolRow, faults: list[Fault]
) -> DocumentMetadata:
    changes: dict[str, Any] = {}
    for name in _CONTROLLED:
        value = getattr(metadata, name)
        allowed: tuple[str, ...] = getattr(rules.vocabularies, name)
        if value is None or not allowed:
            continue
        spelling = next((item for item in allowed if item.casefold() == value.casefold()), None)
        if spelling is None:
            faults.append(
                Fault(
                    code=f"vocabulary.{name}",
                    message=f"{name} is {value[:60]!r}, which is not in the list",
                    remedy="one of: " + ", ".join(allowed),
                    file=display(spool.name),
                    place=name,
                )
            )
        else:
            changes[name] = spelling
    return replace(metadata, **changes)


def _check_fixity(
    metadata: DocumentMetadata, sha256: str, size: int, spool: SpoolRow, faults: list[Fault]
) -> None:
    if metadata.declared_size is not None and metadata.declared_size != size:
        faults.append(
            Fault(
                code="fixity.size",
                message=f"the file has {size} bytes, its metadata says {metadata.declared_size}",
                remedy="send the whole file again",
                file=display(spool.name),
            )
        )
    if metadata.declared_sha256 is not None and metadata.declared_sha256 != sha256:
        faults.append(
            Fault(
                code="fixity.checksum",
                message="the file's SHA-256 is not the one in its metadata",
                remedy="the file was changed after it was described: send both again",
                file=display(spool.name),
            )
        )


def _find_series(
    metadata: DocumentMetadata, rules: Rules, spool: SpoolRow, faults: list[Fault]
) -> SeriesProfile | None:
    known = [name for series in rules.series for name in series.document_types]
    if metadata.document_type is None:
        faults.append(
            Fault(
                code="field.missing",
                message="document_type is missing",
                remedy="one of: " + ", ".join(known),
                file=display(spool.name),
                place="document_type",
            )
        )
        return None
    wanted = metadata.document_type.casefold()
    for series in rules.series:
        if wanted in (name.casefold() for name in series.document_types):
            return series
    faults.append(
        Fault(
            code="vocabulary.document_type",
            message=f"document_type is {metadata.document_type[:60]!r}, which no series takes",
            remedy="one of: " + ", ".join(known),
            file=display(spool.name),
            place="document_type",
        )
    )
    return None


def _check_required(
    metadata: DocumentMetadata, series: SeriesProfile, spool: SpoolRow, faults: list[Fault]
) -> None:
    # The issue date carries the cycle and the retention, whatever the series says.
    for name in dict.fromkeys((*series.required, "issue_date")):
        if getattr(metadata, name) in (None, (), ""):
            already = any(fault.place.endswith(name) for fault in faults)
            if not already and not any(name in fault.message for fault in faults):
                faults.append(
                    Fault(
                        code="field.missing",
                        message=f"{name} is missing; series {series.code} needs it",
                        remedy=f"add {name} to the metadata file",
                        file=display(spool.name),
                        place=name,
                    )
                )


def _classify(
    metadata: DocumentMetadata,
    series: SeriesProfile,
    rules: Rules,
    spool: SpoolRow,
    faults: list[Fault],
) -> DocumentMetadata:
    """The series' spelling of the type, and the retention class of the document, or
    else of its series."""
    spelling = next(
        name
        for name in series.document_types
        if name.casefold() == (metadata.document_type or "").casefold()
    )
    code = metadata.retention_class or series.retention_class
    found = next(
        (name for name in rules.retention_classes if code and name.casefold() == code.casefold()),
        None,
    )
    if code is not None and found is None:
        faults.append(
            Fault(
                code="vocabulary.retention_class",
                message=f"retention_class is {code[:60]!r}, which is not in the schedule",
                remedy="one of: " + ", ".join(rules.retention_classes),
                file=display(spool.name),
                place="retention_class",
            )
        )
    return replace(metadata, document_type=spelling, retention_class=found)


def _describe(
    metadata: DocumentMetadata,
    series: SeriesProfile,
    spool: SpoolRow,
    sha256: str,
    size: int,
    inspection: Inspection,
) -> Document:
    issued = metadata.issue_date
    if issued is None:
        raise ValueError("a document without issue date is rejected before this")
    source = source_of(spool.business_unit, series.code)
    key = business_key_of(_key_values(metadata, series, sha256))
    return Document(
        identity=document_identity(source, key, sha256),
        source=source,
        business_key=key,
        series=series.code,
        cycle=cycle_of(issued, series.cycle),
        range=DocumentRange(
            ordinal=1,
            offset=0,
            length=size,
            sha256=sha256,
            first_page=1 if inspection.pages else None,
            pages=inspection.pages,
        ),
        metadata=metadata,
        retain_until=None,
        title=metadata.title or f"{(metadata.document_type or '').capitalize()} {issued}",
    )


def _key_values(
    metadata: DocumentMetadata, series: SeriesProfile, sha256: str
) -> list[tuple[str, str]]:
    """The key fields with their texts. Where all that would tell one communication from
    another is absent (a letter dropped by hand without metadata), nothing says that two
    files of the same type and day are one: the bytes become part of the key."""
    values = [(name, _key_text(metadata, name)) for name in series.key]
    telling = [text for name, text in values if name not in _COMMON]
    return values if any(telling) or not telling else [*values, ("sha256", sha256)]


def _key_text(metadata: DocumentMetadata, name: str) -> str:
    value = getattr(metadata, name)
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "\x1f".join(sorted(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _find_retention(
    metadata: DocumentMetadata, rules: Rules, spool: SpoolRow, faults: list[Fault]
) -> date | None:
    if metadata.retention_class is None or metadata.issue_date is None:
        return None
    found = rules.retention_classes[metadata.retention_class]
    on_event = found.trigger is RetentionTrigger.EVENT
    try:
        return found.retain_until(
            issue_date=metadata.issue_date,
            event_date=metadata.trigger_date if on_event else None,
        )
    except ValueError:
        name = "trigger_date" if on_event else "issue_date"
        faults.append(
            Fault(
                code="field.date",
                message=f"counted from {name}, class {found.code} would end after the year 9999",
                remedy=f"correct {name}; a document that is kept for ever has a class of its own",
                file=display(spool.name),
                place=name,
            )
        )
        return None


def cycle_of(issued: date, cycle: str) -> str:
    """The name of the period that a document belongs to: ``2026``, ``2026-Q2``,
    ``2026-06`` or ``2026-06-30``."""
    if cycle == "year":
        return f"{issued.year:04}"
    if cycle == "quarter":
        return f"{issued.year:04}-Q{(issued.month + 2) // 3}"
    if cycle == "day":
        return issued.isoformat()
    return f"{issued.year:04}-{issued.month:02}"
