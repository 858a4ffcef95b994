"""What the journal remembers of documents on their way out again: a part of
``core.ports.Journal``, whose rules hold here too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hotfolder.core.orders import (
    Fate,
    Fated,
    NewAsked,
    NewOrder,
    OrderRow,
    RequestRow,
    Staged,
)
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import (
    ArchiveEvent,
    CatalogueRow,
    CorrespondenceRow,
    Drop,
    HistoryRow,
    JournalStatus,
    OutboxRow,
)


class GivingJournal(Protocol):
    """By what names documents are known, who gets them, and who is told."""

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
        business_units: Sequence[str] | None = None,
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
