"""What is seen in ArchivesSpace, what became a fact by it, and what of it goes downstream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hotfolder.core.profiles import ReturnProfile


class FactKind(StrEnum):
    """What happened. The first ones are an archivist's, the last ones hotfolder's own."""

    HOLD_PLACED = "hold.placed"
    HOLD_RELEASED = "hold.released"
    DISPOSAL_APPROVED = "disposal.approved"
    DISPOSAL_REFUSED = "disposal.refused"
    RETENTION_EXTENDED = "retention.extended"  # a later end date, or none: it is held
    RETENTION_CUT = "retention.cut"  # an earlier one: the class decides
    RETENTION_RESTORED = "retention.restored"  # as hotfolder has it, again
    RETENTION_REMOVED = "retention.removed"  # the statement is no more there
    RECORD_DELETED = "record.deleted"
    RECORD_SUPPRESSED = "record.suppressed"
    RECORD_TRANSFERRED = "record.transferred"
    RECORD_GONE = "record.gone"  # deleted or suppressed: this account cannot tell
    RECORD_BACK = "record.back"
    HOLD_APPLIED = "hold.applied"  # to one document
    CLOCK_STARTED = "clock.started"
    DATE_CHANGED = "date.changed"
    DOCUMENT_DUE = "document.due"
    DOCUMENT_WITHHELD = "document.withheld"
    DOCUMENT_DESTROYED = "document.destroyed"


# Those that do something here, once.
EFFECTIVE = frozenset(
    {
        FactKind.HOLD_PLACED,
        FactKind.HOLD_RELEASED,
        FactKind.DISPOSAL_APPROVED,
        FactKind.DISPOSAL_REFUSED,
        FactKind.RETENTION_EXTENDED,
    }
)


class FactState(StrEnum):
    """Whether what a fact asks for was done."""

    WAITING = "WAITING"
    DONE = "DONE"
    REFUSED = "REFUSED"


class ChangeKind(StrEnum):
    """The lists of a repository that are watched, as the server calls them."""

    EVENTS = "events"
    OBJECTS = "digital_objects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A rights statement of a document's record, as far as it matters here."""

    identifier: str
    keeps: bool  # it has an act that forbids deletion
    end: str = ""  # ISO day; empty: none


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenObject:
    """The record of a document as it stands there."""

    uri: str
    identity: str
    lock_version: int
    changed_at: int  # ``user_mtime``, seconds since the epoch, by the server's clock
    changed_by: str  # the user who saved it last
    ours: bool  # that was hotfolder's account
    statements: tuple[Statement, ...] = ()
    suppressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """An event as it stands there, with the documents of ours that it is linked to."""

    uri: str
    event_type: str
    outcome: str
    references: tuple[str, ...]  # its refid, external ids, titles of external documents
    matters: tuple[str, ...]  # of them those that can name a matter: the external ids
    lock_version: int
    changed_at: int
    changed_by: str
    ours: bool
    made: bool = False  # hotfolder has recorded it, whoever changed it since
    identities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """A page of what was changed; ``reached`` is the number of the last record of it."""

    reached: int
    newest: int  # the latest ``system_mtime`` on it, seconds; 0 for an empty page
    objects: tuple[SeenObject, ...] = ()
    events: tuple[SeenEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A record that is not where it was; ``uri`` where it is now, if that could be found."""

    identity: str
    kind: FactKind
    uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenHold:
    """A hold of an archivist's that is in force, and what it is on."""

    number: int
    reference: str  # uri of the record and identifier of the statement, or uri of the event
    matter: str
    identities: frozenset[str]
    hold: str = ""  # its id here, once it was placed
    state: FactState = FactState.DONE  # of the fact that asks for it
    lost: bool = False  # its statement went with the record that it was on: nobody removed it

    @property
    def lost_key(self) -> str:
        """The key of the fact that says so."""
        return f"{FactKind.HOLD_RELEASED}|{self.reference}|lost|{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an event has asked for before, and what became of it."""

    kind: FactKind
    state: FactState
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecord:
    """What the journal knows of a document's record, to compare it with what is seen."""

    identity: str
    uri: str
    business_unit: str
    version: tuple[int, int] | None = None  # lock_version and user_mtime as last seen
    end: str | None = None  # of our retention statement as last seen; None: there was none
    seen_at: str = ""  # its uri when it was looked at last; empty: never
    absent: FactKind | None = None  # where the record was not to be seen last time, how
    holds: tuple[SeenHold, ...] = ()  # of statements on this record
    ours: frozenset[str] = frozenset()  # ids of holds whose statements are hotfolder's
    written: frozenset[str] = frozenset()  # of them, those that must stand there open
    retain_until: str = ""  # as the schedule has it; empty: never due
    history: frozenset[str] = frozenset()  # all that it ever was
    telling: bool = False  # the server is being told another date now


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """A fact that is to be journalled; once, by its ``key``."""

    key: str
    kind: FactKind
    business_unit: str
    actor: str
    at: float  # by the clock of where it happened; 0: nobody knows
    identity: str = ""  # of the document, if it is about one
    uri: str = ""
    body: Mapping[str, object] = field(default_factory=dict)
    refused: str = ""  # why nothing is to be done, although it asks for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a look at one record leaves: facts, and what is remembered of it."""

    identity: str
    uri: str
    lock_version: int
    changed_at: int
    end: str | None
    absent: FactKind | None = None
    facts: tuple[NewFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """A fact as the journal has it."""

    number: int
    key: str
    kind: FactKind
    source: str  # archivesspace | hotfolder
    business_unit: str
    identity: str
    uri: str
    actor: str
    at: float
    recorded_at: float
    body: Mapping[str, object]
    state: FactState
    reason: str = ""
    attempts: int = 0
    file: int | None = None  # of the feed; 0: it was not selected


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFact:
    """A fact with the references by which a consumer finds its document."""

    fact: FactRow
    hold: str = ""  # id of the hold that it placed or released
    references: Mapping[str, str] = field(default_factory=dict)


class FileState(StrEnum):
    """How far a file of the feed is."""

    PLANNED = "PLANNED"  # its facts are chosen
    STAGED = "STAGED"  # written under temporary names
    WRITTEN = "WRITTEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """A change set of the feed."""

    number: int
    state: FileState
    facts: int
    fields: tuple[str, ...]
    created_at: float
    folder: tuple[int, int] | None = None  # device and inode in which it was staged
    sha256: str = ""  # of the JSON lines
    written_at: float | None = None
    posted_at: float | None = None
    attempts: int = 0
    next_at: float | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTypes:
    """Which types of events of archivists mean what."""

    placed: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackProfile:
    """How ArchivesSpace is looked at; times in seconds."""

    enabled: bool = False
    poll: float = 60.0
    overlap: int = 900
    sweep: float = 86_400.0  # between the beginnings of two looks at every record; 0: never
    types: EventTypes = field(default_factory=EventTypes)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedProfile:
    """The feed for those downstream; without a path there is none."""

    path: str = ""  # absolute
    formats: tuple[str, ...] = ("csv", "jsonl")
    fields: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()  # empty: all
    every: float = 60.0  # seconds between two files
    limit: int = 1000  # facts in a file, at most
    callback: ReturnProfile | None = None
    signing_key: str = field(default="", repr=False)
