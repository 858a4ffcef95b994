"""A unit as ArchivesSpace records (DESIGN section 7). Pure: the same unit, place and holds
always give the same bytes, so that an import can be repeated word for word.

Field limits and shapes: reference 1.1, 1.3 and 1.5. ``position`` is left out because
it costs several sibling queries a record; nothing is linked per document because
each link is a write to the shared record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from hotfolder.archivesspace.eventids import own_id
from hotfolder.archivesspace.slots import fill_slot
from hotfolder.archivesspace.statements import (
    class_of,
    hold_statement,
    needs_statement,
    retention_statement,
)
from hotfolder.archivesspace.vocabulary import FORMATS
from hotfolder.archivesspace.wording import clean_text, clean_title, clean_value
from hotfolder.core.holdmark import HoldMark
from hotfolder.core.identity import import_uuid, unit_event_refid
from hotfolder.core.legacy import MARK
from hotfolder.core.profiles import ArchiveProfile, ArchiveSlots, Rules
from hotfolder.core.records import CatalogueRow, Document, UnitRequest, UnitRow
from hotfolder.core.references import references_of
from hotfolder.core.templates import is_template_series

_LEGACY_ID = MARK + "id"  # of one whose old archive did not say
MAX_CASES = 50  # references per document in the archive, of all kinds; the catalogue keeps all
MAX_EVENTS = 9  # a unit that was removed and sent again leaves its event behind, each time

# Where addresses are made of titles (``use_human_readable_urls``), a record that does not say
# this gets one of its own: its title and the first number that is free, each number counted in
# every table of records, without an index (``dedupe_slug`` and ``slug_in_use?`` in
# backend/app/lib/slugs/slug_helpers_generate.rb). Documents have the same title by the thousand.
WITHOUT_SLUG = {"is_slug_auto": False}

JsonRecord = dict[str, Any]
Allows = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a unit goes, as uris, and what its series is called."""

    repository: str
    resource: str
    cycle: str
    agent: str
    series_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRecords:
    """The records of one import, each with its temporary uri."""

    documents: Mapping[str, JsonRecord]  # by identity, in membership order
    unit: JsonRecord
    event: JsonRecord

    def listed(self) -> list[JsonRecord]:
        """All of them, in the order in which they are sent."""
        return [*self.documents.values(), self.unit, self.event]


def build_unit(
    request: UnitRequest, place: Place, *, profile: ArchiveProfile, rules: Rules, allows: Allows
) -> UnitRecords:
    """The records of ``request``. ``allows(list, value)`` says which optional
    controlled values (file format, enum slots) the server knows; others are left out."""
    start = datetime.fromtimestamp(request.unit.planned_at, UTC).date()
    documents = {
        row.document.identity: {
            "jsonmodel_type": "digital_object",
            "uri": temporary_uri(place.repository, "digital_objects", row.document.identity),
            **_document(
                row,
                start,
                request.holds.get(row.document.identity, ()),
                profile=profile,
                rules=rules,
                allows=allows,
            ),
        }
        for row in request.documents
    }
    ref_id = request.unit.ref_id
    unit_uri = temporary_uri(place.repository, "archival_objects", ref_id)
    return UnitRecords(
        documents=documents,
        unit={
            "jsonmodel_type": "archival_object",
            "uri": unit_uri,
            **unit_fields(
                request.unit,
                place,
                [item["uri"] for item in documents.values()],
                title=unit_title(request.unit, documents),
            ),
        },
        event={
            "jsonmodel_type": "event",
            "uri": temporary_uri(place.repository, "events", ref_id),
            **event_fields(request.unit, place, unit_uri),
        },
    )


def temporary_uri(repository: str, kind: str, name: str) -> str:
    """The uri that stands for a record within its import."""
    return f"{repository}/{kind}/{import_uuid(kind, name)}"


def unit_title(unit: UnitRow, documents: Mapping[str, JsonRecord]) -> str:
    """What the archival object of a unit is called that is one version of a template: as
    the record of that version, which shows nothing that is kept back; empty for others."""
    if not is_template_series(unit.series) or len(documents) != 1:
        return ""
    (record,) = documents.values()
    return str(record["title"])


def unit_fields(
    unit: UnitRow,
    place: Place,
    document_uris: Sequence[str],
    *,
    ref_id: str = "",
    title: str = "",
) -> JsonRecord:
    """The archival object that lists these digital objects and never grows."""
    count = len(document_uris)
    noun = "document" if count == 1 else "documents"
    title = title or clean_title(f"{place.series_title} {unit.cycle}, {count} {noun}", unit.ref_id)
    return {
        "ref_id": ref_id or unit.ref_id,
        "title": title,
        "level": "file",
        "publish": False,
        **WITHOUT_SLUG,
        "resource": {"ref": place.resource},
        "parent": {"ref": place.cycle},
        "instances": [
            {
                "jsonmodel_type": "instance",
                "instance_type": "digital_object",
                "digital_object": {"ref": uri},
            }
            for uri in document_uris
        ],
    }


def event_fields(unit: UnitRow, place: Place, unit_uri: str, *, refid: str = "") -> JsonRecord:
    """The ingestion event of a unit."""
    refid = refid or unit_event_refid(unit.ref_id)
    return {
        "refid": refid,
        "external_ids": [own_id(refid)],
        "event_type": "ingestion",
        "outcome": "pass",
        "timestamp": datetime.fromtimestamp(int(unit.planned_at), UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        ),
        "linked_agents": [{"role": "executing_program", "ref": place.agent}],
        "linked_records": [{"role": "outcome", "ref": unit_uri}],
    }


def event_refids(ref_id: str) -> list[str]:
    """The refids that the ingestion event of a unit may have, first choice first.

    An event outlives the archival object that it was about, and its refid stays taken
    in the whole instance: a unit that is sent again after a loss needs the next one.
    """
    refid = unit_event_refid(ref_id)
    return [refid, *(f"{refid}:{number}" for number in range(2, MAX_EVENTS + 1))]


def file_uri(profile: ArchiveProfile, identity: str) -> str:
    """The resolver's address of a document, as in its file version."""
    return profile.resolver.format(identity=identity)


def slot_values(
    slots: ArchiveSlots, values: Mapping[str, str | bool | None], allows: Allows
) -> JsonRecord:
    """``user_defined`` for these values (by field of ``ArchiveSlots``); empty if none fits."""
    filled: JsonRecord = {}
    for name, value in values.items():
        slot = getattr(slots, name)
        if slot and value is not None:
            content = fill_slot(slot, value, allows)
            if content is not None:
                filled[slot] = content
    return {"jsonmodel_type": "user_defined", **filled} if filled else {}


def title_of(document: Document) -> str:
    """The title of a document's record, after what is kept back was taken out."""
    title = document.title or document.metadata.title or ""
    return clean_title(title, _fallback_title(document))


def identifiers_of(document: Document) -> list[str]:
    """The external ids of a document's record, each with its prefix, likewise."""
    return [item["external_id"] for item in _external_ids(document)]


# -- one document ----------------------------------------------------------------------
def _document(
    row: CatalogueRow,
    planned: date,
    holds: Sequence[HoldMark],
    *,
    profile: ArchiveProfile,
    rules: Rules,
    allows: Allows,
) -> JsonRecord:
    document = profile.shield.document(row.document, row.business_unit)
    known = document.metadata
    record: JsonRecord = {
        "digital_object_id": document.identity,
        "title": title_of(document),
        "digital_object_type": "text",
        "publish": False,
        **WITHOUT_SLUG,
    }
    if known.issue_date is not None:
        record["dates"] = [
            {
                "jsonmodel_type": "date",
                "label": "issued",
                "date_type": "single",
                "begin": known.issue_date.isoformat(),
            }
        ]
    external_ids = list(_external_ids(document))
    if external_ids:
        record["external_ids"] = external_ids
    record["file_versions"] = [_file_version(row, profile, allows)]
    retention = class_of(document, rules)
    statements = [hold_statement(profile.shield.mark(mark, row.document)) for mark in holds]
    if needs_statement(document, retention, profile, rules):
        start = known.issue_date or planned
        statements.insert(0, retention_statement(start, document.retain_until))
    if statements:
        record["rights_statements"] = statements
    until = document.retain_until
    user_defined = slot_values(
        profile.slots,
        {
            "document_type": known.document_type,
            "channel": known.channel,
            "retention_class": retention.code if retention else known.retention_class,
            "retain_until": until.isoformat() if until else None,
            "hold": bool(holds),
        },
        allows,
    )
    if user_defined:
        record["user_defined"] = user_defined
    return record


def _fallback_title(document: Document) -> str:
    known = document.metadata
    day = known.issue_date.isoformat() if known.issue_date else document.cycle
    return f"{known.document_type or document.series} {day}"


def _external_ids(document: Document) -> Iterator[JsonRecord]:
    """One for each identifier; prefixed, because the server indexes the value but not
    its source (reference 1.1)."""
    known = document.metadata
    pairs: list[tuple[str, str, str | None]] = [
        ("customer", "cust:", known.customer_id),
        ("account", "acct:", known.account_number),
        ("policy", "pol:", known.policy_number),
        *(
            (kind, f"{kind}:", reference)
            for kind, reference in islice(references_of(known), MAX_CASES)
        ),
        ("job", "job:", known.job_number),
        ("external job", "xjob:", known.external_job_id),
        ("tracker", "track:", known.tracker_id),
        ("old archive", "legacy:", known.legacy_id or known.extra.get(_LEGACY_ID, ("",))[0]),
        ("supersedes", "supersedes:", document.supersedes),
    ]
    seen: set[str] = set()
    for source, prefix, value in pairs:
        text = clean_value(value or "", prefix=prefix)
        if text and text not in seen:
            seen.add(text)
            yield {"jsonmodel_type": "external_id", "source": source, "external_id": text}


def _file_version(row: CatalogueRow, profile: ArchiveProfile, allows: Allows) -> JsonRecord:
    sha256, size = row.file_fixity
    version: JsonRecord = {
        "jsonmodel_type": "file_version",
        "file_uri": file_uri(profile, row.document.identity),
        "publish": False,
        "checksum": sha256,
        "checksum_method": "sha-256",
        "file_size_bytes": size,
    }
    name = clean_text(row.format_name)
    if name and name != "unknown":
        if allows(FORMATS, name):
            version["file_format_name"] = name
        else:
            # The stock list lacks AFP; a caption is free text and survives.
            version["caption"] = clean_value(name, prefix="format: ")
    return version
