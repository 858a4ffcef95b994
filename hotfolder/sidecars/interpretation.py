"""From a claimed drop to documents: everything that is wrong is reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.profiles import FolderProfile, Rules
from hotfolder.core.records import (
    DocumentMetadata,
    DocumentRange,
    Inspection,
    Reading,
    SpoolRow,
)
from hotfolder.sidecars.classification import classify
from hotfolder.sidecars.csvtable import read_csv
from hotfolder.sidecars.fieldmap import FieldMap
from hotfolder.sidecars.jsonpair import read_json
from hotfolder.sidecars.pairing import sidecar_names
from hotfolder.sidecars.raw import RawField, RawMetadata, display
from hotfolder.sidecars.unknowns import Noticed, adapt
from hotfolder.sidecars.xmlpair import read_xml

_RANK_SHARED = 100
_RANK_DEFAULTS = 200


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
    noticed: Noticed | None = None,
) -> Reading:
    """Read the sidecars of a spool (name and bytes each), map, check and classify.

    Raises ``InputFault`` with every fault found: of the spool itself, of each
    sidecar, of each field. ``received_on`` stands in for the issue date in folders
    for manual drops that have no other. ``noticed`` is told of what was said of the document.
    """
    faults: list[Fault] = []
    if inspection.fault is not None:
        faults.append(replace(inspection.fault, file=display(spool.name)))
    layers = read_layers(spool, profile, sidecars, shared, faults)
    metadata, field_faults, warnings = FieldMap(profile.field_map).apply(layers)
    faults += field_faults
    if profile.manual and metadata.issue_date is None:
        metadata = replace(metadata, issue_date=received_on)
    metadata = adapt(metadata, profile, rules, noticed)
    file = display(spool.name)
    check_fixity(metadata, sha256, size, file, faults)
    document = classify(
        metadata,
        DocumentRange(
            ordinal=1,
            offset=0,
            length=size,
            sha256=sha256,
            first_page=1 if inspection.pages else None,
            pages=inspection.pages,
        ),
        business_unit=spool.business_unit,
        rules=rules,
        file=file,
        faults=faults,
    )
    if document is None:
        raise InputFault(faults)
    return Reading(
        spool_id=spool.id,
        sha256=sha256,
        size=size,
        inspection=inspection,
        documents=(document,),
        warnings=(*warnings, *remarks_of(inspection, file)),
    )


def remarks_of(inspection: Inspection, file: str) -> tuple[Fault, ...]:
    """What could not be looked at in the spool called ``file``."""
    return () if inspection.remark is None else (replace(inspection.remark, file=file),)


def read_layers(
    spool: SpoolRow,
    profile: FolderProfile,
    sidecars: Sequence[tuple[bytes, bytes]],
    shared: Sequence[tuple[bytes, bytes]],
    faults: list[Fault],
) -> list[RawMetadata]:
    """What came with a spool, each source by itself; the folder's defaults are the last.
    What is wrong with a source is added to ``faults``."""
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


def check_fixity(
    metadata: DocumentMetadata, sha256: str, size: int, file: str, faults: list[Fault]
) -> None:
    """Compare bytes with what the producer declares of them."""
    if metadata.declared_size is not None and metadata.declared_size != size:
        faults.append(
            Fault(
                code="fixity.size",
                message=f"the file has {size} bytes, its metadata says {metadata.declared_size}",
                remedy="send the whole file again",
                file=file,
            )
        )
    if metadata.declared_sha256 is not None and metadata.declared_sha256 != sha256:
        faults.append(
            Fault(
                code="fixity.checksum",
                message="the file's SHA-256 is not the one in its metadata",
                remedy="the file was changed after it was described: send both again",
                file=file,
            )
        )
