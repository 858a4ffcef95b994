"""What the flows need from the outside, as protocols.

Each has a conformance suite in ``tests/conformance/`` that every implementation
must pass. Errors are those of ``core.errors``; an implementation lets no
exception of its own library through. Long, because it is one list: what a port promises is
read beside what the others do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from hotfolder.core.changes import Amended, Amendment
from hotfolder.core.changesport import ChangesJournal
from hotfolder.core.disposalport import DisposalJournal
from hotfolder.core.errors import Fault
from hotfolder.core.facts import ChangeKind, ChangePage, Lost, SeenObject
from hotfolder.core.factsport import FactsJournal
from hotfolder.core.givingport import GivingJournal
from hotfolder.core.holdingport import HoldingJournal, HoldingStore
from hotfolder.core.keepingport import KeepingJournal
from hotfolder.core.keysport import KeysJournal, StoreKeys
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.migrationport import MigrationJournal
from hotfolder.core.orders import (
    Sent,
)
from hotfolder.core.records import (
    ArchivedDocument,
    ArchivedUnit,
    ArchiveEvent,
    ArchiveRequest,
    Backlog,
    CatalogueRow,
    Drop,
    Reading,
    ReadResult,
    SpoolRow,
    StoredObject,
    StoreRequest,
    UnitAnswer,
    UnitRequest,
    UnitRow,
)
from hotfolder.core.templatesport import TemplatesJournal


class Clock(Protocol):
    """Time and waiting; tests supply their own."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that nobody sets."""


class Emit(Protocol):
    """Tell what happened: an event name ``noun.verb`` and fields without customers' data.

    The service turns events into log lines and metrics; tests collect them.
    """

    def __call__(self, event: str, /, **fields: object) -> None: ...


class Journal(
    GivingJournal,
    KeepingJournal,
    HoldingJournal,
    ChangesJournal,
    FactsJournal,
    KeysJournal,
    TemplatesJournal,
    DisposalJournal,
    MigrationJournal,
    Protocol,
):
    """The durable memory. Every method that changes something is one transaction
    and has been synced to disk when it returns. Safe to call from any thread.

    Raises ``Transient`` when the disk is full or the database is locked by
    another program, ``Corrupt`` when SQLite finds the file damaged. An illegal
    move of state raises ``ValueError`` and changes nothing.
    """

    # -- claims ---------------------------------------------------------------
    def begin_claims(self, claims: Sequence[tuple[str, str, Drop]], now: float) -> None:
        """Journal the intent to claim: (spool id, business unit, drop). State CLAIMING."""

    def finish_claims(self, spool_ids: Sequence[str], now: float) -> None:
        """CLAIMING to CLAIMED, after the renames are durable."""

    def abandon_claims(self, spool_ids: Sequence[str], reason: str, now: float) -> None:
        """CLAIMING to ABANDONED: the spool had gone, nothing was taken."""

    # -- reading and storing --------------------------------------------------
    def record_readings(self, readings: Sequence[Reading], now: float) -> list[ReadResult]:
        """Journal documents and identities; decide duplicate and version.

        A reading all of whose identities are already live (in a spool that is
        READ, STORED, DELIVERED, DONE or HELD) makes the spool a DUPLICATE of the
        first such spool. Otherwise it becomes READ; a document whose (source,
        business key) is live under another identity gets the next version number
        and ``supersedes``. Readings of one call see each other, in order. Of a spool
        that becomes READ, documents that are live elsewhere are left out. All spools
        must be CLAIMED (one may have been held meanwhile).
        """

    def record_stored(self, objects: Sequence[StoredObject], now: float) -> None:
        """READ to STORED; from here the documents wait for a unit. The audit chain says
        so of each spool (``spool.stored``) in the same transaction."""

    # -- aside ----------------------------------------------------------------
    def set_aside(
        self,
        spool_id: str,
        state: SpoolState,
        faults: Sequence[Fault],
        now: float,
        *,
        actor: str = "hotfolder",
        reason: str = "",
    ) -> None:
        """To REJECTED, HELD or CORRUPT, with every fault; the audit chain has the codes of
        the faults, who did it and the ``reason`` that a person gave. From REJECTED on, the
        spool's identities are no longer live. HELD remembers the state it left;
        a STORED spool that leaves takes its documents out of any PLANNED unit."""

    def release(
        self, spool_id: str, reason: str, now: float, *, actor: str = "hotfolder"
    ) -> SpoolState:
        """HELD or CORRUPT back to the state it left; clears attempts. Returns the state
        it is in then: what left DELIVERED or DONE is DELIVERED if all its documents are
        confirmed still, else STORED. ``ValueError`` if one of its documents has become
        live in another spool."""

    def refuse_document(self, identity: str, fault: Fault, now: float) -> list[str]:
        """A live document that waits, of a spool with others, will not be delivered: it
        stays in the catalogue as REFUSED, and ``fault`` among the remarks of its spool.
        Returns the spools that became DELIVERED by that."""

    def add_remark(self, spool_id: str, fault: Fault, now: float) -> None:
        """Something to know of a spool, for its receipt and for `show`; up to a hundred."""

    def readmit_documents(self, spool_id: str, now: float) -> int:
        """The refused documents of a spool wait again; returns how many."""

    def defer_spools(
        self, spool_ids: Sequence[str], error: str, next_at: float, now: float
    ) -> None:
        """Count an attempt and note when to try again; the state stays. Spools that
        stand aside or are done are left alone."""

    def retry_now(self, subjects: Sequence[str], now: float) -> int:
        """Clear ``next_at`` and attempts of these spools or units (all of them if
        empty); returns how many changed."""

    # -- units ----------------------------------------------------------------
    def backlogs(self) -> list[Backlog]:
        """Series and cycles with STORED documents in no open or confirmed unit, oldest first."""

    def plan_unit(
        self, business_unit: str, series: str, cycle: str, limit: int, now: float
    ) -> UnitRow | None:
        """Take up to ``limit`` waiting documents, oldest first, into a new PLANNED unit."""

    def plan_units_of(
        self, groups: Sequence[Sequence[str]], refused: str, reason: str, now: float
    ) -> list[UnitRow]:
        """In one transaction: mark unit ``refused`` REFUSED and plan one unit for
        each group of its identities. Identities in no group wait again, or have
        been dealt with by the caller."""

    def mark_sent(self, ref_id: str, now: float) -> None:
        """PLANNED to SENT (or still SENT: a further attempt), before the first byte goes out."""

    def confirm_unit(
        self, ref_id: str, unit_uri: str | None, uris: Mapping[str, str], now: float
    ) -> list[str]:
        """To CONFIRMED; stores the record uris; the audit chain commits to them
        (``unit.confirmed``); every spool all of whose documents
        are confirmed moves from STORED to DELIVERED in the same transaction. Members
        that ``uris`` does not name leave the unit and wait for another. Returns the
        delivered spools' ids."""

    def confirm_documents(self, uris: Mapping[str, str], now: float) -> list[str]:
        """Documents found on the server outside any unit of ours: record their
        uris (identity to uri) and move complete spools to DELIVERED. A PLANNED unit
        with one of them becomes REFUSED (its ``ref_id`` is a function of all members)
        and the others wait again; a SENT unit keeps them until it is answered.
        Returns the delivered spools' ids."""

    def lose_unit(self, ref_id: str, reason: str, now: float) -> None:
        """CONFIRMED to PLANNED: the server has it no more, it is to be sent again. If a
        member stands aside or has left the unit, on to REFUSED: the others wait again."""

    def lose_documents(self, identities: Sequence[str]) -> None:
        """Confirmed documents that the server has no more although it has their
        unit: they leave the unit, lose their uri and wait for another; their
        spools keep their state. Others are left alone."""

    def defer_unit(self, ref_id: str, error: str, next_at: float, now: float) -> None:
        """Count an attempt of an open unit and note when to try again."""

    def hasten(self, ref_ids: Sequence[str], now: float) -> int:
        """Make these units due at once, attempts kept; returns how many changed."""

    def units(
        self, states: Sequence[UnitState], *, due_at: float | None = None, limit: int = 1000
    ) -> list[UnitRow]:
        """Units in these states, oldest first; with ``due_at`` only those whose
        ``next_at`` has come."""

    def iterate_units(
        self, state: UnitState, *, since: float | None = None, folder: str | None = None
    ) -> Iterator[UnitRow]:
        """All units in ``state``, oldest first, in flat memory; ``since`` by
        ``confirmed_at``, ``folder`` where any member's spool came from it."""

    def get_unit(self, ref_id: str) -> UnitRow | None:
        """One unit, or None."""

    def unit_request(self, ref_id: str) -> UnitRequest:
        """The unit with its documents, in membership order. ``KeyError`` if unknown."""

    # -- receipts -------------------------------------------------------------
    def record_receipted(self, spool_ids: Sequence[str], now: float) -> None:
        """DELIVERED to DONE, after the receipts are durable."""

    # -- looking --------------------------------------------------------------
    def spools(
        self,
        states: Sequence[SpoolState],
        *,
        folder: str | None = None,
        due_at: float | None = None,
        after: str | None = None,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> list[SpoolRow]:
        """Spools in these states (all if empty), oldest first; page with ``after``."""

    def get_spool(self, spool_id: str) -> SpoolRow | None:
        """One spool, or None. A unique prefix of at least six characters will do."""

    def states_of(self, spool_ids: Sequence[str]) -> Mapping[str, SpoolState]:
        """The state of each of these spools, by whole id; those unknown are left out."""

    def documents_of(self, spool_id: str) -> list[CatalogueRow]:
        """The documents of a spool, by ordinal."""

    def iterate_documents(self, spool_id: str) -> Iterator[CatalogueRow]:
        """The same in flat memory; each page is of one moment."""

    def unconfirmed(self, spool_ids: Sequence[str]) -> Mapping[str, int]:
        """How many documents of each of these spools have no record yet."""

    def get_document(self, identity: str) -> CatalogueRow | None:
        """The live document with this identity; failing that, that of a CORRUPT spool;
        or None."""

    # -- the server's health --------------------------------------------------
    def server_state(self) -> tuple[int, float | None, str | None]:
        """(failures in a row, when to probe next, last error) of ArchivesSpace."""

    def record_server(
        self, failures: int, next_at: float | None, error: str | None, now: float
    ) -> None:
        """Journal the above, so that a restart does not forget the backoff."""

    def whole_copies(self, spool_id: str) -> tuple[str, ...]:
        """The spools, all DONE, in which the documents of a CORRUPT spool are live, and what
        stands for it as a whole. ``ValueError`` if it is not CORRUPT, one is in no such spool,
        or one is under a legal hold."""

    def end_corrupt(self, spool_id: str, reason: str, now: float, *, actor: str) -> None:
        """CORRUPT to REJECTED: the store does not have it any more. Raises as
        ``whole_copies``."""

    # -- after a loss ---------------------------------------------------------
    def spools_with(self, reading: Reading) -> list[str]:
        """The spools in which documents of this reading, which was found in the store, are
        live already; its own is left out."""

    def restore_spool(
        self, spool: SpoolRow, reading: Reading, stored: StoredObject, now: float
    ) -> bool:
        """Insert a spool found in the store as STORED; False if it is already there."""

    def restore_unit(
        self, unit: ArchivedUnit, business_unit: str, series: str, cycle: str, now: float
    ) -> list[str]:
        """Insert a unit found on the server as CONFIRMED and confirm its documents;
        returns the spools that became DELIVERED. Idempotent."""

    def close(self) -> None:
        """Checkpoint and close."""


class StoreRoot(Protocol):
    """One storage root of the store, looked at by itself."""

    def verify(
        self, spool_id: str, *, reached: Callable[[int], None] | None = None
    ) -> StoredObject:
        """Re-hash everything in an object. With ``reached``, which is told of the bytes of
        each piece, files are read from the disk, not from the kernel's memory of them.
        Raises ``Corrupt`` or ``KeyError``."""

    def is_declared(self) -> bool:
        """Whether the root is there: a disk that is not mounted has none."""

    def places(self, after: str = "") -> Iterator[tuple[str, str]]:
        """(path, spool id) of every object whose path comes after ``after``, in order."""

    def has(self, spool_id: str) -> bool:
        """Whether an object of ``spool_id`` is here, whole or not."""

    def keys_left(self, spool_id: str, ordinals: Collection[int]) -> frozenset[int]:
        """Which of these documents have their own keys here still. Raises ``Corrupt``."""

    def place_of(self, spool_id: str) -> bytes:
        """The directory in which the object of ``spool_id`` lies, if there is one."""

    def take_over(self, spool_id: str, source: bytes, *, replacing: bool = False) -> StoredObject:
        """Make the object from the one at ``source``; on disk and compared on return. With
        ``replacing`` one that is there is kept aside first."""


class Store(HoldingStore, StoreKeys, Protocol):
    """Where the bytes live. What a method acknowledges is durable."""

    def write_spools(self, requests: Sequence[StoreRequest]) -> list[StoredObject]:
        """Write each spool as an OCFL object, re-read it, compare, sync.

        Repeating a request is harmless: an object already there is compared and
        acknowledged. Raises ``Corrupt`` if what is there or was re-read differs,
        ``Transient`` when the disk is full or fails; nothing is acknowledged then
        and half-written objects are removed or left where the next call cleans them.
        """

    def open_content(self, spool_id: str, *, sha256: str | None = None) -> BinaryIO:
        """The spool's bytes, verified in full before the first is returned; with
        ``sha256`` also against that. Raises ``Corrupt`` or ``KeyError``."""

    def read_metadata(self, spool_id: str) -> bytes:
        """The canonical metadata (JSON, UTF-8), verified."""

    def read_documents(self, spool_id: str) -> Iterator[bytes]:
        """The lines of documents.jsonl, all verified before the first is returned; none
        if the object has no such file. Of a document whose key is destroyed it is the
        ``core.canonical.bare_line``. Raises ``Corrupt`` or ``KeyError``."""

    def read_leaves(self, spool_id: str) -> Iterator[bytes]:
        """The leaf of each line of documents.jsonl (``core.documenttree``), also of one
        that is destroyed. Raises ``Corrupt`` or ``KeyError``."""

    def read_inventory(self, spool_id: str) -> bytes:
        """The object's OCFL inventory (JSON, UTF-8) as it lies there, checked by its
        sidecar; of an encrypted object that which it would have without encryption. Raises
        ``Corrupt`` or ``KeyError``."""

    def open_part(self, spool_id: str, path: str) -> BinaryIO:
        """A file of the object, by its logical path in the inventory, verified in full
        before the first byte is returned. Raises ``Corrupt``, or ``KeyError`` if there is
        no such object or path."""

    def verify(self, spool_id: str) -> StoredObject:
        """Re-hash everything in the object against its inventory."""

    def withdraw(self, spool_id: str, reason: str) -> bool:
        """Remove an object that was never archived (its spool was refused); False
        if there is none. Durable when it returns."""

    def discard(self, spool_id: str) -> bool:
        """Remove the object of a spool whose documents are whole in others, or were destroyed
        with one, and what was kept aside of it as damaged, from every root; False if there was
        none. Durable when it returns, and harmless to repeat.

        Raises ``OperatorFault``: ``store.held``, ``store.copy_missing`` (as ``purge``)."""

    def purge(self, spool_id: str, tombstone: bytes) -> bool:
        """Destroy the object of a spool in every root: the tombstone is on disk in all of
        them first, then each object leaves by one rename and its files are removed. False
        if there was none. Durable when it returns, and harmless to repeat.

        Raises ``OperatorFault``: ``store.held`` while a hold is marked on the spool,
        ``store.copy_missing`` while a root is away; ``Corrupt`` if it has another
        tombstone; ``Transient`` if the disk fails.
        """

    def tombstone(self, spool_id: str) -> bytes | None:
        """The tombstone of a spool that was, or is being, purged; None without."""

    def tombstones(self) -> Iterator[tuple[str, bytes]]:
        """(spool id, tombstone) of all of them."""

    def iterate(self) -> Iterator[StoredObject]:
        """Every object that was not purged, in flat memory, from the inventories (content
        not re-hashed)."""

    def clean(self) -> int:
        """Remove what a crash left half-written; returns how many objects."""


class Archive(Protocol):
    """ArchivesSpace, as the flows see it. All methods may raise ``Transient``
    (server down, timeout) or ``OperatorFault`` (login, permission, missing list value)."""

    def prepare_series(self, business_unit: str, series: str, cycle: str) -> None:
        """Find or make the agent, series and cycle; remembered until ``forget``."""

    def forget(self) -> None:
        """Drop everything remembered of the server (it may have been restored)."""

    def send_unit(self, request: UnitRequest) -> UnitAnswer:
        """One import (or single POSTs under ``least_privilege``). Raises only
        before anything was sent; afterwards every failure is ``unknown``."""

    def send_document(self, request: UnitRequest) -> UnitAnswer:
        """A unit of one, by single POSTs, whose refusal has the server's own words."""

    def find_units(self, business_unit: str, ref_ids: Sequence[str]) -> Mapping[str, ArchivedUnit]:
        """Which of these units the server has, with the documents each lists."""

    def find_documents(
        self, business_unit: str, identities: Sequence[str]
    ) -> Mapping[str, ArchivedDocument]:
        """Which of these documents the server has; compared exactly, not by collation."""

    def probe(self) -> None:
        """The cheapest request that proves server and session work."""


class Receiver(Protocol):
    """Who takes documents over a network."""

    def send(self, key: str, record: Mapping[str, Any], content: BinaryIO, size: int) -> Sent:
        """Send ``size`` bytes and what is known of them (``core.handover``). ``key`` is
        the same for every attempt at one order. Raises ``Transient`` if nothing was sent,
        ``OperatorFault`` if nothing can be sent until somebody acts."""

    def close(self) -> None:
        """Close every connection."""


class Desk(Protocol):
    """ArchivesSpace as the place where archivists work: what they ask for there, what they
    are told, what they see. Raises as ``Archive`` does."""

    def find_identities(self, business_unit: str, name: str) -> tuple[str, ...]:
        """The documents of ours that ``name`` stands for there: the uri of a digital object
        or archival object, a ``digital_object_id``, or a ``ref_id``; as pasted from the
        staff interface. In the order of the record; empty if there is none."""

    def read_records(self, business_unit: str, identity: str) -> Mapping[str, object] | None:
        """All that the server holds of a document now: ``digital_object``,
        ``archival_objects`` that list it, ``events`` of both, as its JSON; None without it."""

    def amend_record(self, business_unit: str, amendment: Amendment) -> Amended:
        """Bring what there is to tell of a document into its record, keeping all that
        archivists edited; harmless to repeat. Raises ``Transient`` if it may or may not be
        there."""

    def find_requests(self, business_unit: str, since: int) -> list[ArchiveRequest]:
        """Pending requests whose event was changed at or after ``since`` (whole seconds
        since the epoch, by the server's clock), oldest first."""

    def read_request(self, business_unit: str, uri: str) -> ArchiveRequest | None:
        """A request as it stands now; None if its event is no more."""

    def answer_request(self, business_unit: str, uri: str, outcome: str, note: str) -> bool:
        """Set the outcome of a request and add ``note`` below what the archivist wrote,
        keeping every other edit; harmless to repeat. False if it is pending no more
        (answered by us or by somebody else), is gone, or all its records are."""

    def record_event(self, business_unit: str, event: ArchiveEvent) -> str:
        """Record an event; the uri of it, or of the one that has its ``refid`` already. It is
        about those of its records that are there, and names the others in its note."""

    def find_changes(
        self, business_unit: str, kind: ChangeKind, since: int, after: int = 0
    ) -> Iterator[ChangePage]:
        """Records touched at or after ``since`` (whole seconds, by the server's clock), by
        number, those after ``after``, in pages. Links and reindexing touch records too.
        Of digital objects those that have an identity of ours; of events all but requests
        and those that nobody but us has touched."""

    def look_at(
        self, business_unit: str, records: Mapping[str, str]
    ) -> tuple[list[SeenObject], list[Lost]]:
        """Records of documents (identity by uri), 250 at most, as they stand now, wherever
        they are; and those that are not to be seen."""

    def find_deleted(self, since: int) -> list[str] | None:
        """Uris of digital objects that were deleted or moved away at or after ``since``;
        None if the account may not know."""
