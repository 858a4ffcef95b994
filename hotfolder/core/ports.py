"""What the flows need from the outside, as protocols.

Each has a conformance suite in ``tests/conformance/`` that every implementation
must pass. Errors are those of ``core.errors``; an implementation lets no
exception of its own library through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from hotfolder.core.clocks import (
    EventRow,
    NewEvent,
    RetainedDocument,
    RetentionChange,
    WorkDone,
)
from hotfolder.core.errors import Fault
from hotfolder.core.fixity import FixityResult, FixityRound, FixityTarget
from hotfolder.core.lifecycle import SpoolState, UnitState
from hotfolder.core.orders import (
    Fate,
    Fated,
    NewAsked,
    NewOrder,
    OrderRow,
    RequestRow,
    Sent,
    Staged,
)
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import (
    ArchivedDocument,
    ArchivedUnit,
    ArchiveEvent,
    ArchiveRequest,
    AuditRow,
    Backlog,
    CatalogueRow,
    CorrespondenceRow,
    Drop,
    HistoryRow,
    JournalStatus,
    OutboxRow,
    Reading,
    ReadResult,
    RecomputedChain,
    SignedHead,
    SpoolRow,
    StoredObject,
    StoreRequest,
    UnitAnswer,
    UnitRequest,
    UnitRow,
)
from hotfolder.core.retention import Schedule, Subject


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


class Journal(Protocol):
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

    # -- documents by other names -----------------------------------------------
    def documents_by_record(self, uri: str, limit: int) -> list[str]:
        """The identities of up to ``limit`` live documents that the record at ``uri`` in
        ArchivesSpace describes (a digital object) or lists (an archival object); the
        repository may be missing in it."""

    def documents_by_prefix(self, prefix: str, limit: int) -> list[str]:
        """Up to ``limit`` identities that begin like this: of live documents, failing
        that of CORRUPT spools."""

    def documents_of_unit(self, ref_id: str, limit: int) -> list[str]:
        """The identities of up to ``limit`` documents of a unit, in its order, with those
        that its members carry in their stead."""

    def correspondence(
        self,
        reference: str,
        *,
        kind: str | None = None,
        customer_id: str | None = None,
        business_unit: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> list[CorrespondenceRow]:
        """Live documents with this reference (as ``kind``, or as any), by issue date, then
        as they came in; page with ``after``, an identity (``KeyError`` if unknown)."""

    def correspondents(
        self, reference: str, *, kind: str | None = None
    ) -> list[tuple[str, str | None, int]]:
        """(business unit, customer, documents) of all who have this reference."""

    # -- what ArchivesSpace is to be told ---------------------------------------
    def add_events(self, business_unit: str, events: Sequence[ArchiveEvent], now: float) -> int:
        """Let events wait for the server, each once by its ``refid``; how many are new."""

    def waiting_events(self, *, due_at: float | None = None, limit: int = 100) -> list[OutboxRow]:
        """Events that wait, oldest first; with ``due_at`` those whose time has come."""

    def count_waiting_events(self) -> int:
        """How many events wait."""

    def record_event_sent(self, number: int, record_uri: str, now: float) -> None:
        """The server has it."""

    def defer_event(self, number: int, error: str, next_at: float) -> None:
        """Count an attempt and note when to try again."""

    def history(self, subject: str) -> list[HistoryRow]:
        """Every step of a spool (by id) or unit (by ref_id), oldest first."""

    def status(self) -> JournalStatus:
        """Counts, from counters or indexes; fast on ten million documents."""

    # -- the server's health --------------------------------------------------
    def server_state(self) -> tuple[int, float | None, str | None]:
        """(failures in a row, when to probe next, last error) of ArchivesSpace."""

    def record_server(
        self, failures: int, next_at: float | None, error: str | None, now: float
    ) -> None:
        """Journal the above, so that a restart does not forget the backoff."""

    # -- retention ------------------------------------------------------------
    def record_events(self, events: Sequence[NewEvent], now: float) -> list[int]:
        """Journal what happened; their numbers. One with a source comes once."""

    def withdraw_event(self, number: int, actor: str, reason: str, now: float) -> EventRow | None:
        """The event counts no more; None if there is none of this number. One that was
        withdrawn before stays as it is."""

    def retention_events(
        self, *, subject: tuple[Subject, str] | None = None, after: int = 0, limit: int = 1000
    ) -> list[EventRow]:
        """Events, withdrawn ones too, in order; all, or those of one policy, case …"""

    def note_schedule(self, schedule: Schedule, now: float) -> bool:
        """Journal the schedule, unless it decides as the last one did; True if it is
        another, whose dates are then to be computed."""

    def noted_schedules(self) -> list[str]:
        """Every schedule that was in force, as ``core.schedules.dump_schedule`` wrote it,
        oldest first."""

    def compute_retention(self, schedule: Schedule, limit: int, now: float) -> WorkDone | None:
        """Compute a page of what is to be computed, ``limit`` documents at most; None if
        nothing is. All of it is one transaction."""

    def retention_backlog(self) -> int:
        """How many pieces of work are not done."""

    def retained_documents(self, after: int, limit: int) -> tuple[list[RetainedDocument], int]:
        """A page of the documents with a class that are kept, and the number after which
        the next page begins; that of the last page is ``after``."""

    def retained_document(self, identity: str) -> RetainedDocument | None:
        """What retention depends on of one document, with the events in force."""

    def retention_changes(self, identity: str) -> list[RetentionChange]:
        """Every change of a document's class, dates and disposition, in order."""

    # -- audit ----------------------------------------------------------------
    def append_audit(
        self, actor: str, action: str, subject: str, details: Mapping[str, object], now: float
    ) -> AuditRow:
        """Add a link to the chain."""

    def audit(self, *, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        """Links with a number greater than ``after``."""

    def audit_of(self, subjects: Sequence[str]) -> list[AuditRow]:
        """All links about these subjects, in order."""

    def audit_size(self) -> int:
        """How many links there are."""

    def audit_entry(self, number: int) -> bytes:
        """The bytes that a link's leaf is the hash of. ``KeyError`` if there is no such link."""

    def recompute_chain(
        self,
        sizes: Collection[int] = (),
        *,
        after: int = 0,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> RecomputedChain:
        """Recompute every link and node (behind ``after``), and the roots at ``sizes``.
        ``BrokenChain`` with the first link that is wrong."""

    # -- the Merkle tree over it (``core.merkle``); one proof never reads the whole chain ------
    def log_id(self) -> str:
        """What this log is called in its heads: made at random with the journal."""

    def tree_root(self, size: int) -> bytes:
        """The root over the first ``size`` links. ``BrokenChain`` if one is missing."""

    def inclusion_proof(self, number: int, size: int) -> list[bytes]:
        """That link ``number`` (from 1) is in the tree of ``size`` links."""

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """That the tree of ``new`` links begins with that of ``old``."""

    def add_tree_head(self, signed: SignedHead, now: float, *, actor: str = "hotfolder") -> bool:
        """Keep a signed head, and add the link ``tree.signed``; False, and nothing changed,
        if there is one of that size. ``ValueError`` if it is not of this log as it is, or
        smaller than the last."""

    def tree_heads(self, *, after: int = 0, limit: int = 1000) -> list[SignedHead]:
        """Heads of more than ``after`` links, smallest first."""

    def last_tree_head(self) -> SignedHead | None:
        """The newest head, or None."""

    # -- out again ------------------------------------------------------------
    def add_order(self, order: NewOrder, now: float) -> None:
        """A new order to give a document back, ORDERED."""

    def stage_order(self, order_id: str, staged: Staged, now: float) -> None:
        """ORDERED to STAGED: its files are durable under temporary names, or it is about
        to be sent."""

    def give_order(self, order_id: str, reason: str, now: float) -> None:
        """STAGED to GIVEN, and `document.returned` on the audit chain, in one transaction."""

    def fail_order(self, order_id: str, fate: Fate, reason: str, now: float) -> None:
        """An open order to FAILED, and `retrieval.refused` on the audit chain."""

    def defer_order(
        self, order_id: str, error: str, next_at: float, now: float, *, unknown: bool = False
    ) -> None:
        """Count an attempt of an open order and note when to try again; ``unknown`` says
        that the receiver may have it."""

    def hasten_orders(self, now: float) -> int:
        """Make every open order due now; returns how many had waited."""

    def open_orders(self, *, due_at: float | None = None, limit: int = 1000) -> list[OrderRow]:
        """Orders that are not at their end, oldest first; with ``due_at`` those due."""

    def orders(
        self, *, request: str | None = None, identity: str | None = None, limit: int = 1000
    ) -> list[OrderRow]:
        """Orders of a request or document, oldest first; of all, newest first."""

    def get_order(self, order_id: str) -> OrderRow | None:
        """One order, by its id or a unique prefix of it, or None."""

    def steps(self, subject: str) -> list[HistoryRow]:
        """Every step of an order or a request, oldest first."""

    def begin_requests(self, source: str, claims: Sequence[tuple[str, Drop]], now: float) -> None:
        """Journal the intent to claim request files of a folder: (request id, drop)."""

    def receive_request(self, request_id: str, now: float) -> None:
        """CLAIMING to RECEIVED, and `request.received` on the audit chain."""

    def abandon_request(self, request_id: str, reason: str, now: float) -> None:
        """CLAIMING to ABANDONED: the file had gone, nothing was taken."""

    def reject_request(self, request_id: str, reason: str, now: float) -> None:
        """RECEIVED to REJECTED: the file is no request."""

    def ask_request(self, asked: NewAsked, now: float) -> bool:
        """A request from ArchivesSpace with its orders, in one transaction; False if its
        event is known already and was not changed since its answer."""

    def asked_until(self, business_unit: str) -> int:
        """How far the server has been asked for requests of a unit; 0 if never."""

    def record_asked(self, business_unit: str, until: int) -> None:
        """Journal how far; never back."""

    def stage_request(
        self, request_id: str, fates: Sequence[Fated], answer: str, now: float, *, note: str = ""
    ) -> None:
        """RECEIVED to STAGED: the answer is decided, and of a file it is durable. ``note``
        is the reason that a file gives."""

    def close_request(self, request_id: str, reason: str, now: float) -> None:
        """STAGED to ANSWERED, and all that was given on the audit chain."""

    def defer_request(self, request_id: str, error: str, next_at: float, now: float) -> None:
        """Count an attempt of an open request and note when to try again."""

    def open_requests(
        self, source: str | None = None, *, due_at: float | None = None, limit: int = 1000
    ) -> list[RequestRow]:
        """Requests that are not at their end, oldest first: of all, of one request folder,
        or of ArchivesSpace (empty)."""

    def requests(self, *, limit: int = 1000) -> list[RequestRow]:
        """Requests, newest first."""

    def get_request(self, request_id: str) -> RequestRow | None:
        """One request, by its id, a unique prefix of it, or its event's uri; or None."""

    def is_destroyed(self, identity: str) -> bool:
        """Whether the audit chain says that this document was destroyed."""

    def find_documents(self, query: DocumentQuery, limit: int) -> list[CatalogueRow]:
        """Up to ``limit`` live documents for a question, newest first."""

    # -- fixity -------------------------------------------------------------------
    def open_round(self) -> FixityRound | None:
        """The round of the scrub that is not at its end, if there is one."""

    def begin_round(self, now: float) -> FixityRound:
        """A new round over all that is stored now; one that was open ends unfinished."""

    def fixity_fresh(self, number: int, *, after: int, limit: int) -> list[FixityTarget]:
        """Spools of a round that were never verified, by number; page with ``after``."""

    def fixity_stale(self, number: int, *, limit: int) -> list[FixityTarget]:
        """Spools that were verified in earlier rounds and not in this one, the longest ago
        first."""

    def fixity_left(self, number: int) -> int:
        """How many spools a round has still to verify."""

    def fixity_chosen(
        self,
        *,
        spool_id: str | None = None,
        folder: str | None = None,
        since: float | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[FixityTarget]:
        """Spools of the store that were asked for, by number; page with ``after``."""

    def is_in_store(self, spool_id: str) -> bool:
        """Whether the store has to have this spool now."""

    def record_fixity(self, results: Sequence[FixityResult]) -> None:
        """Results of the open round (or of the last, if none is), each in the place of the
        one before; what is not whole goes into a history that is only added to."""

    def record_walk(
        self, number: int, root: int, position: str, unknown: Sequence[FixityResult]
    ) -> None:
        """The walk for unknown objects has come to ``position`` in a root."""

    def round_totals(self, number: int) -> dict[str, object]:
        """What a round found, with the SHA-256 over all results."""

    def units_verified(self, number: int) -> Iterator[tuple[str, str, bool]]:
        """(business unit, uri, passed) of every confirmed unit whose spools a round has
        verified."""

    def finish_round(
        self,
        number: int,
        totals: Mapping[str, object],
        events: Mapping[str, Sequence[ArchiveEvent]],
        now: float,
        actor: str,
    ) -> None:
        """The round is at its end, with its link of the audit chain and the events that
        ArchivesSpace is to be told. ``ValueError`` if it had ended already."""

    # -- after a loss ---------------------------------------------------------
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

    def place_of(self, spool_id: str) -> bytes:
        """The directory in which the object of ``spool_id`` lies, if there is one."""

    def take_over(self, spool_id: str, source: bytes, *, replacing: bool = False) -> StoredObject:
        """Make the object from the one at ``source``; on disk and compared on return. With
        ``replacing`` one that is there is kept aside first."""


class Store(Protocol):
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
        if the object has no such file. Raises ``Corrupt`` or ``KeyError``."""

    def read_inventory(self, spool_id: str) -> bytes:
        """The object's OCFL inventory (JSON, UTF-8) as it lies there, checked by its
        sidecar. Raises ``Corrupt`` or ``KeyError``."""

    def open_part(self, spool_id: str, path: str) -> BinaryIO:
        """A file of the object, by its logical path in the inventory, verified in full
        before the first byte is returned. Raises ``Corrupt``, or ``KeyError`` if there is
        no such object or path."""

    def verify(self, spool_id: str) -> StoredObject:
        """Re-hash everything in the object against its inventory."""

    def withdraw(self, spool_id: str, reason: str) -> bool:
        """Remove an object that was never archived (its spool was refused); False
        if there is none. Durable when it returns."""

    def iterate(self) -> Iterator[StoredObject]:
        """Every object, in flat memory, from the inventories (content not re-hashed)."""

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

    def find_requests(self, business_unit: str, since: int) -> list[ArchiveRequest]:
        """Pending requests whose event was changed at or after ``since`` (whole seconds
        since the epoch, by the server's clock), oldest first."""

    def read_request(self, business_unit: str, uri: str) -> ArchiveRequest | None:
        """A request as it stands now; None if its event is no more."""

    def answer_request(self, business_unit: str, uri: str, outcome: str, note: str) -> bool:
        """Set the outcome of a request and add ``note`` below what the archivist wrote,
        keeping every other edit; harmless to repeat. False if it is pending no more
        (answered by us or by somebody else) or is gone."""

    def record_event(self, business_unit: str, event: ArchiveEvent) -> str:
        """Record an event; the uri of it, or of the one that has its ``refid`` already."""
