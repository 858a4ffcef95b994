"""Documents that go out of the archive again: orders to return one, requests for many.

An order is one document for one return profile. A request came as a file into a request
folder, or as an event in ArchivesSpace; it is answered once. The two tables of moves are
the whole truth about legal histories: the journal enforces them with triggers made from
them, and docs/internals.md prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class OrderState(StrEnum):
    """Where one return is on its way."""

    ORDERED = "ORDERED"  # journalled; nothing of it has left the store
    STAGED = "STAGED"  # its files are durable under temporary names, or it may be on the wire
    GIVEN = "GIVEN"  # the receiver has it
    FAILED = "FAILED"  # it cannot be given; the order says why


class RequestState(StrEnum):
    """Where one request is on its way."""

    CLAIMING = "CLAIMING"  # of a file: intent journalled, the rename may have happened
    RECEIVED = "RECEIVED"  # ours to answer
    STAGED = "STAGED"  # the answer is decided, and of a file it is durable in _working
    ANSWERED = "ANSWERED"  # whoever asked has the answer
    REJECTED = "REJECTED"  # the file is no request; it lies in _failed with a note
    ABANDONED = "ABANDONED"  # the file was gone before it could be claimed


ORDER_MOVES: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.ORDERED: frozenset({OrderState.STAGED, OrderState.FAILED}),
    OrderState.STAGED: frozenset({OrderState.GIVEN, OrderState.FAILED}),
    OrderState.GIVEN: frozenset(),
    OrderState.FAILED: frozenset(),
}
REQUEST_MOVES: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.CLAIMING: frozenset({RequestState.RECEIVED, RequestState.ABANDONED}),
    RequestState.RECEIVED: frozenset({RequestState.STAGED, RequestState.REJECTED}),
    RequestState.STAGED: frozenset({RequestState.ANSWERED}),
    RequestState.ANSWERED: frozenset(),
    RequestState.REJECTED: frozenset(),
    RequestState.ABANDONED: frozenset(),
}
OPEN_ORDERS = (OrderState.ORDERED, OrderState.STAGED)
OPEN_REQUESTS = (RequestState.CLAIMING, RequestState.RECEIVED, RequestState.STAGED)


class Fate(StrEnum):
    """What became of one document that was asked for."""

    GIVEN = "given"
    UNKNOWN = "unknown"  # there is no such document, or no longer in a spool that counts
    UNCATALOGUED = "not in the catalogue"  # ArchivesSpace has it, our catalogue lacks it
    DESTROYED = "destroyed"  # its retention ended; only its tombstone is left
    FORBIDDEN = "forbidden"  # it belongs to a business unit that may not be asked for here
    CORRUPT = "corrupt"  # its bytes are not what they were; nothing was given
    TOO_MANY = "too many"  # more documents than one request may have
    FORM = "form"  # it cannot be had in the form that is configured
    REFUSED = "refused"  # the receiver would not have it
    UNANSWERED = "unanswered"  # it was sent, and nobody knows whether it was taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What is ready to be given: of a folder, files (temporary name, final name) in the
    order in which they are renamed; of HTTP, none."""

    form: str
    derived: bool
    sha256: str
    size: int
    folder: str = ""  # absolute; empty for HTTP
    device: int = 0  # which directory it was when the files were written there
    inode: int = 0
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order that is not journalled yet."""

    id: str
    identity: str
    to: str  # a return profile
    reason: str
    actor: str
    request: str | None = None  # the id of the request that it is part of


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """An order as the journal has it."""

    id: str
    identity: str
    to: str
    reason: str
    actor: str
    request: str | None
    state: OrderState
    staged: Staged | None
    fate: Fate | None  # once it is at its end
    unknown: int  # so often it was sent without a clear answer
    created_at: float
    updated_at: float
    attempts: int
    next_at: float | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a receiver answered. Neither taken nor refused: nobody knows."""

    taken: bool = False
    refused: bool = False
    reason: str = ""  # without anything of the answer's body


@dataclass(frozen=True, slots=True, kw_only=True)
class Fated:
    """What became of one document, or of one line, of a request."""

    line: int  # of the request, from 1
    asked: str  # what stands there: an id, or the names of the criteria, never their values
    fate: Fate
    identity: str = ""
    files: tuple[str, ...] = ()  # in the answer folder
    sha256: str = ""
    size: int = 0
    derived: bool = False
    form: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAsked:
    """A request from ArchivesSpace that is not journalled yet, with its orders."""

    id: str
    business_unit: str
    uri: str  # of the event
    note: str
    to: str
    fates: tuple[Fated, ...]  # of what is not ordered
    orders: tuple[NewOrder, ...]
    version: int = 0  # the event's ``lock_version``, as it was read


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request as the journal has it. ``name``, ``size``, ``mtime_ns`` and ``inode`` are
    of the file, ``uri`` is of the event in ArchivesSpace."""

    id: str
    source: str  # a request folder's name, or "" for ArchivesSpace
    business_unit: str  # of the event
    uri: str | None
    name: bytes
    size: int
    mtime_ns: int
    inode: int
    state: RequestState
    note: str  # of the event, as the archivist wrote it; the reason that a file gives
    to: str  # the return profile that answers it
    fates: tuple[Fated, ...]  # what is known already; of STAGED and ANSWERED, all
    answer: str  # name of the answer folder, or outcome and note for the event
    created_at: float
    updated_at: float
    attempts: int
    next_at: float | None
    last_error: str | None
