"""Drops, readings and short roads through a journal, for its tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

from hotfolder.core.errors import Fault
from hotfolder.core.identity import business_key_of, document_identity, source_of
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.ports import Journal
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Drop,
    Inspection,
    Reading,
    ReadResult,
    Sighting,
    SignedHead,
    SpoolRow,
    StoredObject,
    TreeHead,
    UnitRow,
)

UNIT, SERIES, CYCLE = "retail", "statements", "2026-06"
PLACE = (UNIT, SERIES, CYCLE)
FAULT = Fault(code="sidecar.date", message="no such day", remedy="write a day", file="a.json")


def spool_id(number: int) -> str:
    """An id whose first six characters tell it from others."""
    return f"{number:06x}{'f' * 26}"


def make_sighting(
    name: bytes, *, folder: str = "bills", inode: int = 7, mtime: int = 1
) -> Sighting:
    """A file as it was seen."""
    return Sighting(folder=folder, name=name, size=10, mtime_ns=mtime, inode=inode, device=1)


def make_drop(number: int, *, folder: str = "bills") -> Drop:
    """A spool without sidecar."""
    return Drop(folder=folder, spool=make_sighting(b"bill%d.pdf" % number, folder=folder))


def make_document(
    key: str,
    content: str = "",
    *,
    ordinal: int = 1,
    series: str = SERIES,
    cycle: str = CYCLE,
    metadata: DocumentMetadata | None = None,
) -> Document:
    """Same key and content, same identity."""
    source = source_of(UNIT, series)
    business_key = business_key_of([("account_number", key)])
    sha256 = hashlib.sha256(f"{key}/{content}".encode()).hexdigest()
    return Document(
        identity=document_identity(source, business_key, sha256),
        source=source,
        business_key=business_key,
        series=series,
        cycle=cycle,
        range=DocumentRange(ordinal=ordinal, offset=0, length=10, sha256=sha256),
        metadata=metadata or DocumentMetadata(customer_id=f"C-{key}", issue_date=date(2026, 6, 1)),
        title=f"Statement {key}",
    )


def make_reading(number: int, *documents: Document) -> Reading:
    """What reading spool ``number`` yields."""
    return Reading(
        spool_id=spool_id(number),
        sha256=hashlib.sha256(b"%d" % number).hexdigest(),
        size=10,
        inspection=Inspection(format_name="pdf", pages=2),
        documents=documents,
    )


def make_object(number: int) -> StoredObject:
    """Spool ``number`` in the store."""
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    return StoredObject(
        spool_id=spool_id(number),
        object_path=f"ab/{number}",
        content_sha256=digest,
        content_size=10,
    )


def make_row(number: int) -> SpoolRow:
    """Spool ``number`` as its object in the store tells it."""
    drop = make_drop(number)
    return SpoolRow(
        id=spool_id(number),
        folder=drop.folder,
        business_unit=UNIT,
        name=drop.spool.name,
        sidecars=(),
        trigger=None,
        shared=(),
        state=SpoolState.STORED,
        size=drop.spool.size,
        mtime_ns=drop.spool.mtime_ns,
        inode=0,
        sha256=make_object(number).content_sha256,
        format_name="pdf",
        pages=2,
        settled_by=drop.settled_by,
        created_at=1,
        updated_at=1,
        attempts=0,
        next_at=None,
        last_error=None,
        first_spool_id=None,
        faults=(),
        held_from=None,
    )


def claim(
    journal: Journal,
    *numbers: int,
    at: float = 1.0,
    folder: str = "bills",
    unit: str = UNIT,
) -> None:
    """Bring new spools to CLAIMED."""
    journal.begin_claims(
        [(spool_id(number), unit, make_drop(number, folder=folder)) for number in numbers], at
    )
    journal.finish_claims([spool_id(number) for number in numbers], at)


def read(
    journal: Journal, number: int, *documents: Document, at: float = 2.0, unit: str = UNIT
) -> ReadResult:
    """Bring a new spool to READ (or DUPLICATE)."""
    claim(journal, number, at=at, unit=unit)
    return journal.record_readings([make_reading(number, *documents)], at)[0]


def store(
    journal: Journal, number: int, *documents: Document, at: float = 3.0, unit: str = UNIT
) -> list[str]:
    """Bring a new spool to STORED; returns its identities."""
    read(journal, number, *documents, at=at, unit=unit)
    journal.record_stored([make_object(number)], at)
    return [item.document.identity for item in journal.documents_of(spool_id(number))]


def store_many(journal: Journal, numbers: Sequence[int], at: float = 3.0) -> list[str]:
    """One document in each, under its own key."""
    claim(journal, *numbers, at=at)
    documents = [make_document(f"k{number}") for number in numbers]
    journal.record_readings(
        [make_reading(n, document) for n, document in zip(numbers, documents, strict=True)], at
    )
    journal.record_stored([make_object(number) for number in numbers], at)
    return [document.identity for document in documents]


def plan(journal: Journal, *, limit: int = 100, at: float = 4.0) -> UnitRow:
    """The next unit of ``PLACE``, which must have a backlog."""
    unit = journal.plan_unit(*PLACE, limit, at)
    assert unit is not None
    return unit


def confirm(journal: Journal, unit: UnitRow, *, at: float = 6.0) -> list[str]:
    """Send and confirm a unit with all its members; returns the spools delivered."""
    journal.mark_sent(unit.ref_id, at)
    return journal.confirm_unit(unit.ref_id, f"/ao/{unit.ref_id}", uris(unit.identities), at)


def uris(identities: Sequence[str]) -> dict[str, str]:
    """A record for each."""
    return {identity: f"/do/{identity[-6:]}" for identity in identities}


def make_head(journal: Journal, *, at: str = "2026-06-30T00:00:00Z") -> SignedHead:
    """A head of the chain as it stands, with a signature of nobody's."""
    size = journal.audit_size()
    head = TreeHead(log=journal.log_id(), tree_size=size, root=journal.tree_root(size).hex(), at=at)
    return SignedHead(head=head, key="ab" * 32, public_key=bytes(32), signature=bytes(64))
