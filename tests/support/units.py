"""Units and rules to deliver in tests; deterministic."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

from hotfolder.core.identity import (
    business_key_of,
    document_identity,
    source_of,
    unit_ref_id,
)
from hotfolder.core.lifecycle import UnitState
from hotfolder.core.profiles import BusinessUnit, Rules, SeriesProfile, Vocabularies
from hotfolder.core.records import (
    CatalogueRow,
    Document,
    DocumentMetadata,
    DocumentRange,
    UnitRequest,
    UnitRow,
)
from hotfolder.core.retention import Period, RetentionClass, RetentionTrigger

BUSINESS_UNIT = "RETAIL"
REPOSITORY = "RETAIL-REC"
SERIES = "STMT"
CYCLE = "2026-06"
PLANNED_AT = 1_782_900_000.25

RULES = Rules(
    series=(
        SeriesProfile(
            code=SERIES,
            title="Statements",
            document_types=("statement",),
            retention_class="R7",
        ),
    ),
    business_units=(BusinessUnit(code=BUSINESS_UNIT, name="Retail", repository=REPOSITORY),),
    retention_classes={
        "R7": RetentionClass(
            code="R7",
            title="Seven years",
            trigger=RetentionTrigger.ISSUE_DATE,
            period=Period(years=7),
        ),
        "CLAIM": RetentionClass(
            code="CLAIM",
            title="Ten years after the claim is closed",
            trigger=RetentionTrigger.EVENT,
            period=Period(years=10),
        ),
        "EVER": RetentionClass(
            code="EVER", title="For ever", trigger=RetentionTrigger.PERMANENT, period=None
        ),
    },
    vocabularies=Vocabularies(channel=("email", "post")),
)

METADATA = DocumentMetadata(
    customer_id="C-1",
    account_number="A-1",
    document_type="statement",
    issue_date=date(2026, 6, 30),
    channel="email",
    case_refs=("K-1", "K-2"),
    job_number="J-9",
    retention_class="R7",
)


def make_row(
    number: int = 1,
    *,
    metadata: DocumentMetadata = METADATA,
    title: str | None = None,
    retain_until: date | None = date(2033, 6, 30),
    format_name: str = "pdf",
    content: bytes | None = None,
    supersedes: str | None = None,
    salt: str = "",
) -> CatalogueRow:
    """A catalogued document; other ``number`` or ``salt``, other identity."""
    data = b"document %d" % number if content is None else content
    digest = hashlib.sha256(data).hexdigest()
    source = source_of(BUSINESS_UNIT, SERIES)
    key = business_key_of([("number", str(number)), ("salt", salt)])
    return CatalogueRow(
        document=Document(
            identity=document_identity(source, key, digest),
            source=source,
            business_key=key,
            series=SERIES,
            cycle=CYCLE,
            range=DocumentRange(ordinal=0, offset=0, length=len(data), sha256=digest),
            metadata=metadata,
            retain_until=retain_until,
            title=f"Statement {number}" if title is None else title,
            supersedes=supersedes,
        ),
        spool_id=f"spool-{number}",
        business_unit=BUSINESS_UNIT,
        spool_name=b"statement.pdf",
        spool_sha256=digest,
        spool_size=len(data),
        format_name=format_name,
        archived_at=None,
        unit_ref_id=None,
        record_uri=None,
    )


def make_request(*rows: CatalogueRow, planned_at: float = PLANNED_AT) -> UnitRequest:
    """A unit of these documents, or of one."""
    chosen = rows or (make_row(),)
    identities = tuple(row.document.identity for row in chosen)
    return UnitRequest(
        unit=UnitRow(
            ref_id=unit_ref_id(identities),
            business_unit=BUSINESS_UNIT,
            series=SERIES,
            cycle=CYCLE,
            state=UnitState.SENT,
            identities=identities,
            planned_at=planned_at,
            sent_at=None,
            confirmed_at=None,
            attempts=0,
            next_at=None,
            last_error=None,
            archival_object_uri=None,
        ),
        documents=chosen,
    )


def altered(row: CatalogueRow, content: bytes) -> CatalogueRow:
    """The same identity over other bytes: what must never be adopted."""
    place = replace(
        row.document.range, sha256=hashlib.sha256(content).hexdigest(), length=len(content)
    )
    return replace(row, document=replace(row.document, range=place))
