"""The records that rooms pass to one another. Frozen; nothing here does anything.

Times are seconds since the epoch as ``float`` (UTC); sizes are bytes; names that
come from a directory are ``bytes``, because Linux names are. Long, because it is one
list: which records there are is asked more often than any one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from hotfolder.core.errors import Fault
from hotfolder.core.holdmark import HoldMark
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.templates import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One look at one directory entry of a hot folder.

    ``name`` is relative to the folder, with ``/`` between parts when the folder
    is recursive. ``regular`` is false for links, fifos, devices and sockets,
    which are never opened. ``closed`` says that the kernel has just reported a
    close-after-write or a rename into place; it is a hint, never a proof.
    """

    folder: str
    name: bytes
    size: int
    mtime_ns: int
    inode: int
    device: int
    regular: bool = True
    closed: bool = False
    writer: bool = False  # somebody holds it open for writing (only where that can be told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A spool with what came with it, ready to be claimed together."""

    folder: str
    spool: Sighting
    sidecars: tuple[Sighting, ...] = ()
    trigger: Sighting | None = None
    settled_by: str = "quiet"  # trigger | rename | manifest | quiet
    shared: tuple[
        bytes, ...
    ] = ()  # sidecars that serve other drops too (metadata.csv): copied, not moved
    faults: tuple[Fault, ...] = ()  # known before the claim, such as a sidecar that never came


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentMetadata:
    """What is known of a document, under the canonical names of the design.

    Absent values are ``None`` or empty. ``extra`` keeps, verbatim, every field
    of the sidecar that the field map does not know.
    """

    # party
    customer_id: str | None = None
    customer_name: str | None = None
    account_number: str | None = None
    policy_number: str | None = None
    segment: str | None = None
    # document
    document_type: str | None = None
    issue_date: date | None = None
    channel: str | None = None
    title: str | None = None
    language: str | None = None
    period: str | None = None
    version: str | None = None
    content_type: str | None = None
    # business
    case_refs: tuple[str, ...] = ()
    claim_refs: tuple[str, ...] = ()
    dispute_refs: tuple[str, ...] = ()
    change_refs: tuple[str, ...] = ()  # of a policy or contract
    campaign: str | None = None
    jurisdiction: str | None = None
    # production
    application: str | None = None
    template: str | None = None
    template_version: str | None = None
    job_number: str | None = None
    external_job_id: str | None = None
    tracker_id: str | None = None
    queue: str | None = None
    # records
    retention_class: str | None = None
    trigger_date: date | None = None
    sensitivity: str | None = None
    access: tuple[str, ...] = ()
    # the archive that it was moved in from
    legacy_system: str | None = None
    legacy_id: str | None = None
    legacy_date: date | None = None  # on which it was archived there
    # fixity, as the producer declares it; checked against the bytes
    declared_sha256: str | None = None
    declared_size: int | None = None
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a format reader found in a spool.

    ``format_name`` is short and lower case (``pdf``, ``afp``, ``txt``,
    ``unknown``); ``fault`` is set when the bytes are not a whole file of that
    format. ``pages`` is None where it cannot be told.
    """

    format_name: str
    format_version: str = ""
    media_type: str = "application/octet-stream"
    pages: int | None = None
    fault: Fault | None = None
    has_trailer: bool = True  # false: the format cannot show its own end
    remark: Fault | None = None  # what could not be looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRange:
    """Where a document lies in its spool: bytes [offset, offset + length).

    One that lies ``by_pages`` has no bytes of its own: its range is the whole spool, its
    SHA-256 is that of ``identity.page_digest``, and ``first_page`` and ``pages`` tell.
    """

    ordinal: int
    offset: int
    length: int
    sha256: str
    first_page: int | None = None
    pages: int | None = None
    by_pages: bool = False


class Role(StrEnum):
    """How a document comes to be described in ArchivesSpace."""

    OWN = "own"  # by a digital object of its own
    CARRIED = "carried"  # by that of its spool
    CARRIER = "carrier"  # it stands for its whole spool, and for those in it
    REFUSED = "refused"  # not at all: ArchivesSpace would not have it


class Disposition(StrEnum):
    """Whether a document is there (docs/disposal.md)."""

    KEPT = "kept"
    WITHHELD = "withheld"  # past its time; given to nobody until its spool goes
    DESTROYING = "destroying"  # from here on it always comes to its end
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One communication to one recipient, as journalled."""

    identity: str
    source: str
    business_key: str
    series: str
    cycle: str
    range: DocumentRange
    metadata: DocumentMetadata
    retain_until: date | None = None
    class_version: int | None = None  # of the retention class, that decided
    cutoff: date | None = None  # day on which the clock of retention started
    title: str = ""
    version: int = 1
    supersedes: str | None = None  # identity of the version before
    role: Role = Role.OWN


class Documents(Protocol):
    """Documents that can be gone through again and again, in order; a tuple, or a file
    with more than memory should hold."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Document]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that reading a claimed drop yields; nothing of it is journalled yet."""

    spool_id: str
    sha256: str
    size: int
    inspection: Inspection
    documents: Documents
    warnings: tuple[Fault, ...] = ()  # what was noticed, and the first of what was skipped
    skipped: int = 0  # documents that could not be read
    has_carrier: bool = False  # the last document is one, the others are carried by it
    template: Template | None = None  # the version that its only document is


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """What the journal made of a ``Reading``."""

    spool_id: str
    state: SpoolState  # READ or DUPLICATE
    first_spool_id: str | None = None  # for a duplicate: who has it
    superseding: int = 0  # documents that became new versions
    documents: int = 0  # that were journalled


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolRow:
    """A spool as the journal has it."""

    id: str
    folder: str
    business_unit: str
    name: bytes
    sidecars: tuple[bytes, ...]
    trigger: bytes | None
    shared: tuple[bytes, ...]
    state: SpoolState
    size: int
    mtime_ns: int
    inode: int
    sha256: str | None
    format_name: str | None
    pages: int | None
    settled_by: str
    created_at: float
    updated_at: float
    attempts: int
    next_at: float | None
    last_error: str | None
    first_spool_id: str | None
    faults: tuple[Fault, ...]
    held_from: SpoolState | None
    documents: int | None = None  # in it, without a carrier; None until it is read
    left_out: int = 0  # documents that are archived with other spools
    skipped: int = 0  # documents that could not be read
    refused: int = 0  # documents that ArchivesSpace would not have
    remarks: tuple[Fault, ...] = ()  # warnings, and the first of what was skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One step of a spool or unit, written by a trigger."""

    at: float
    subject: str
    old: str | None
    new: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """A unit as the journal has it; membership in ``identities``, in order."""

    ref_id: str
    business_unit: str
    series: str
    cycle: str
    state: UnitState
    identities: tuple[str, ...]
    planned_at: float
    sent_at: float | None
    confirmed_at: float | None
    attempts: int
    next_at: float | None
    last_error: str | None
    archival_object_uri: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueRow:
    """A document as the catalogue has it."""

    document: Document
    spool_id: str
    business_unit: str
    spool_name: bytes
    spool_sha256: str
    spool_size: int
    format_name: str
    archived_at: float | None
    unit_ref_id: str | None
    record_uri: str | None  # in ArchivesSpace, once confirmed
    disposition: Disposition = Disposition.KEPT

    @property
    def file_fixity(self) -> tuple[str, int]:
        """SHA-256 and size of the bytes that are the document, as its record has them: of
        its range, or of the whole spool where it is pages of it."""
        place = self.document.range
        if place.by_pages:
            return self.spool_sha256, self.spool_size
        return place.sha256, place.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Documents of one series and cycle that wait for a unit."""

    business_unit: str
    series: str
    cycle: str
    waiting: int
    oldest_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStatus:
    """Numbers for ``hotfolder status`` and the metrics."""

    spools: Mapping[str, int]  # by state
    units: Mapping[str, int]  # by state
    documents: int
    documents_confirmed: int
    oldest_waiting_at: float | None  # of STORED documents not yet confirmed
    deferred: int
    rejected_by_reason: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """A spool to be stored: the working copies, and what is already known of them."""

    spool_id: str
    content_path: bytes
    content_name: bytes  # the producer's name for it, without folders
    sha256: str
    size: int
    sidecar_paths: tuple[bytes, ...]
    metadata: bytes  # canonical metadata, JSON in UTF-8
    created_at: float
    # Lines of documents.jsonl, if they are not in ``metadata``: the same at every call.
    documents: Callable[[], Iterator[bytes]] | None = None
    encrypted: bool = False  # store it under keys of its own


class Encryption(StrEnum):
    """What of a spool is destroyed by destroying a key."""

    NONE = ""  # nothing: it is stored as it came
    SPOOL = "spool"  # all of it
    DOCUMENTS = "documents"  # each of its documents


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A spool in the store: where it is and what the inventory says of its content.

    Of an encrypted one these are the SHA-256 of what it holds and of the inventory that it
    would have unencrypted; both are empty where there is no key to tell them.
    """

    spool_id: str
    object_path: str  # relative to the storage root
    content_sha256: str
    content_size: int
    inventory_sha256: str = ""  # of inventory.json, which commits to all else; empty if unread
    documents_root: str = ""  # over the lines of documents.jsonl (core.documenttree), if known
    encryption: Encryption = Encryption.NONE
    destroyed: tuple[int, ...] = ()  # ordinals of documents; told by a rebuild alone


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRequest:
    """A unit as it goes to the archive: its row and its documents, in order."""

    unit: UnitRow
    documents: tuple[CatalogueRow, ...]
    holds: Mapping[str, tuple[HoldMark, ...]] = field(default_factory=dict)  # by identity


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedDocument:
    """A digital object as ArchivesSpace has it."""

    identity: str
    uri: str
    sha256: str | None
    size: int | None
    lock_version: int
    unit_ref_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedUnit:
    """A unit as ArchivesSpace has it: found by ``ref_id``, with the documents it lists."""

    ref_id: str
    uri: str
    documents: Mapping[str, ArchivedDocument]  # by identity


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAnswer:
    """What came back for one attempt to deliver a unit.

    ``confirmed``: every member is there and ``uris`` names them.
    ``refused``: the server answered that it saved nothing; ``reason`` in its words.
    ``unknown``: no trustworthy answer; look it up before anything else.
    """

    outcome: str  # confirmed | refused | unknown
    unit_uri: str | None = None
    uris: Mapping[str, str] = field(default_factory=dict)  # identity -> uri
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRequest:
    """An archivist's request for documents: an event of type ``request`` as it stands."""

    uri: str
    business_unit: str
    outcome: str  # pending | fulfilled | fail …
    note: str  # outcome_note, as the archivist wrote it
    identities: tuple[str, ...]  # of the linked digital objects that are ours
    strangers: tuple[str, ...] = ()  # uris of linked records that are no documents of ours
    lock_version: int = 0
    changed_at: float = 0.0  # user_mtime, or system_mtime without one
    changed_by_us: bool = False  # the last change was made by hotfolder's account


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEvent:
    """An event of ours to be recorded: the server has it at most once, by ``refid``."""

    refid: str  # deterministic, unique in the whole instance, at most 255 characters
    event_type: str  # of the list event_event_type
    at: float
    outcome: str  # of the list event_outcome
    note: str
    record_uris: tuple[str, ...]  # of one repository; what it is about
    role: str = "outcome"  # of these records in it
    fallback: str = ""  # a type to take where the list has not the first
    agent: str = ""  # uri of an agent in it besides ours
    agent_role: str = "executing_program"  # of that agent, or without one of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """An event that waits to be told to ArchivesSpace."""

    number: int
    business_unit: str
    event: ArchiveEvent
    created_at: float
    attempts: int
    next_at: float | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrespondenceRow:
    """A document among the others that have the same reference."""

    row: CatalogueRow
    kinds: tuple[str, ...]  # as which it has the reference: case, claim, dispute, change
    superseded_by: str | None  # identity of the version after


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One link of the audit chain."""

    number: int
    at: float
    actor: str
    action: str  # noun.verb
    subject: str
    details: Mapping[str, object]
    previous: str  # sha-256 of the row before, hex
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """What is signed: the Merkle tree over the audit chain as it stood at a time."""

    log: str  # the log's id
    tree_size: int  # links
    root: str  # hex
    at: str  # ISO 8601, UTC, whole seconds: 2026-06-30T00:00:00Z


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """A tree head with its signature (Ed25519, RFC 8032)."""

    head: TreeHead
    key: str  # sha-256 of the raw public key, hex
    public_key: bytes  # 32
    signature: bytes  # 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputedChain:
    """The audit chain as its rows say it is: every link and node was recomputed."""

    size: int
    roots: Mapping[int, str]  # tree size -> root, hex, for the sizes that were asked for
