"""What the configuration says, as plain records that any room may take.

``service.settings`` reads and checks the TOML and makes these. Long, because it is one list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hotfolder.core.disposals import MOST
from hotfolder.core.governance import Governance
from hotfolder.core.retention import RetentionClass
from hotfolder.core.shielding import Shield


class CompletionRule(StrEnum):
    """How a folder's producer shows that a file is finished (DESIGN section 4.2)."""

    TRIGGER = "trigger"  # a trigger file is written last
    RENAME = "rename"  # written under a temporary name, renamed into place
    MANIFEST = "manifest"  # a list of names and sizes is written last
    QUIET = "quiet"  # unchanged for a time, trailer whole, no writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A folder's completion rule with its parameters; times in seconds."""

    rule: CompletionRule = CompletionRule.QUIET
    quiet: float = 5.0  # unchanged for so long
    looks: int = 2  # and seen unchanged so often
    quiet_without_trailer: float = 60.0  # where the format cannot show its own end
    trigger_suffix: str = ".done"  # name.pdf.done or name.done
    manifest_suffix: str = ".manifest"  # lines: sha256-or-minus SP size SP name, or "name,size"
    temporary: tuple[str, ...] = ("*.tmp", "*.part", "*.filepart", "~$*", ".*")
    sidecar_wait: float = 900.0  # for a required sidecar, or a sidecar's spool
    writer_check: bool = True  # ask the kernel whether a writer holds it


class SidecarFormat(StrEnum):
    """Where a folder's metadata comes from; ``AUTO`` tries all, in this order."""

    AUTO = "auto"
    JSON = "json"
    XML = "xml"
    CSV = "csv"
    NONE = "none"


class IndexFormat(StrEnum):
    """What tells the documents of a spool that holds many."""

    NONE = "none"  # a spool is one document
    AFP = "afp"  # page groups and tags of the spool itself
    CMOD = "cmod"  # IBM Content Manager OnDemand generic index
    STREAMSERVE = "streamserve"  # an index line for each document
    CSV = "csv"  # a row for each document
    XML = "xml"  # an element for each document
    JSON = "json"  # a JSON object in each line
    BOOKMARKS = "bookmarks"  # the outline of a PDF
    MARKER = "marker"  # a text on the first page of each document of a PDF


_INSIDE = frozenset({IndexFormat.NONE, IndexFormat.AFP, IndexFormat.BOOKMARKS, IndexFormat.MARKER})


class OnBadDocument(StrEnum):
    """What one bad document does to the others of its spool."""

    REJECT = "reject"  # the whole drop goes back
    SKIP = "skip"  # the others are archived; it is named in receipt and error note


class Describe(StrEnum):
    """What becomes a digital object in ArchivesSpace."""

    DOCUMENTS = "documents"  # each document
    SPOOL = "spool"  # the spool; its documents are in our catalogue only
    AUTO = "auto"  # each document, up to a limit; above it the spool


class OnUnknown(StrEnum):
    """What becomes of a value that a vocabulary does not have."""

    REJECT = "reject"  # the document is rejected
    DEFAULT = "default"  # the default counts, or nothing; the value is kept verbatim


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsProfile:
    """How the documents of a folder's spools are told from one another."""

    index: IndexFormat = IndexFormat.NONE
    suffix: str = ".ind"  # of index files: name.afp.ind or name.ind
    code_page: str = ""  # empty: 500 for AFP, what the index says or UTF-8 for files
    columns: Mapping[str, str] = field(default_factory=dict)  # role -> the producer's name
    separator: str = ""  # CSV: a character; StreamServe: hexadecimal
    line_separator: str = "0A"  # StreamServe, hexadecimal
    attributes: tuple[str, ...] = ()  # StreamServe: names, if the first line has none
    elements: tuple[str, ...] = ("document",)  # XML: what a document is called
    level: int = 1  # of the bookmarks that begin documents
    marker: str = ""  # regular expression; named groups are fields
    allow_overlap: bool = False
    on_bad_document: OnBadDocument = OnBadDocument.REJECT
    describe: Describe = Describe.DOCUMENTS
    describe_limit: int = 10_000  # documents, for AUTO

    @property
    def many(self) -> bool:
        """Whether a spool may hold many documents."""
        return self.index is not IndexFormat.NONE

    @property
    def index_suffix(self) -> bytes:
        """How the names of index files end; empty if the spool tells by itself."""
        return b"" if self.index in _INSIDE else self.suffix.encode("utf-8", "surrogateescape")


class FolderKind(StrEnum):
    """What is dropped into a hot folder."""

    DOCUMENTS = "documents"
    TEMPLATES = "templates"  # packages of templates (docs/templates.md)
    MIGRATION = "migration"  # copies out of an old archive; nobody watches it


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesProfile:
    """What a template package may be, at most."""

    members: int = 10_000
    unpacked: int = 2_000  # MB (a million bytes), all members together
    ratio: int = 200  # times its own size, if it unpacks to more than 100 MiB
    depth: int = 16  # parts of a member's name


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderProfile:
    """One hot folder."""

    name: str
    path: str  # absolute
    business_unit: str
    completion: Completion = field(default_factory=Completion)
    recursive: bool = False
    network: bool = False  # poll; no inotify, no writer check
    poll: float = 5.0  # seconds between looks on a network share
    rescan: float = 60.0  # seconds between full looks at a local folder
    sidecar: SidecarFormat = SidecarFormat.AUTO
    sidecar_required: bool = True
    include: tuple[str, ...] = ("*",)
    ignore: tuple[str, ...] = ()
    field_map: Mapping[str, str] = field(default_factory=dict)  # theirs -> canonical
    defaults: Mapping[str, str] = field(default_factory=dict)  # canonical -> text
    documents: DocumentsProfile = field(default_factory=DocumentsProfile)
    manual: bool = False  # people drop files here: friendlier notes, .txt receipts
    kind: FolderKind = FolderKind.DOCUMENTS
    templates: TemplatesProfile = field(default_factory=TemplatesProfile)
    owner: str = ""  # whom a clerk should ask
    encrypt_documents: bool = False  # store each document under a key of its own
    # canonical field -> theirs -> ours: an old archive's values
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    on_unknown: OnUnknown = OnUnknown.REJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesProfile:
    """A record series: which documents belong to it and how they are keyed."""

    code: str
    title: str
    document_types: tuple[str, ...]
    retention_class: str | None = None
    key: tuple[str, ...] = ("customer_id", "account_number", "document_type", "issue_date")
    required: tuple[str, ...] = ("document_type", "issue_date")
    cycle: str = "month"  # day | month | quarter | year


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessUnit:
    """A business unit and the ArchivesSpace repository that holds its records."""

    code: str
    name: str
    repository: str  # repo_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabularies:
    """Values that a controlled field may take; an empty tuple leaves it free."""

    channel: tuple[str, ...] = ()
    jurisdiction: tuple[str, ...] = ()
    sensitivity: tuple[str, ...] = ()
    language: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that turns metadata into a record: one value, passed to the readers."""

    series: tuple[SeriesProfile, ...]
    business_units: tuple[BusinessUnit, ...]
    retention_classes: Mapping[str, RetentionClass]
    vocabularies: Vocabularies = field(default_factory=Vocabularies)
    governance: Governance = field(default_factory=Governance)

    def values_for(self, business_unit: str, name: str) -> tuple[str, ...]:
        """What a controlled field may be in a business unit; empty: anything."""
        governed = self.governance.values_for(business_unit, name)
        return governed or getattr(self.vocabularies, name, ())

    def values_anywhere(self, name: str) -> tuple[str, ...]:
        """What it may be in one business unit or another; empty: anything."""
        return self.governance.values_anywhere(name) or getattr(self.vocabularies, name, ())

    def series_for(self, document_type: str) -> SeriesProfile | None:
        """The series that takes ``document_type``, or None."""
        for series in self.series:
            if document_type in series.document_types:
                return series
        return None

    def series_by_code(self, code: str) -> SeriesProfile | None:
        """The series called ``code``, or None if the configuration has it no more."""
        return next((series for series in self.series if series.code == code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSlots:
    """Which ``user_defined`` slot carries what; an empty name leaves it out."""

    document_type: str = "string_1"
    channel: str = "string_2"
    retention_class: str = "string_3"
    retain_until: str = "date_1"
    hold: str = "boolean_1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesProfile:
    """How ArchivesSpace is told what happens to archived documents: the types of the
    events, of its list ``event_event_type``; an empty name, no event."""

    rate: float = 10.0  # records a second; 0 is without a bound
    hold: str = "legal_hold_applied"
    release: str = "legal_hold_released"
    destruction: str = "destruction"
    retention: str = "policy assignment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveProfile:
    """How to reach ArchivesSpace and how to describe documents there; times in seconds."""

    url: str
    username: str
    least_privilege: bool = False
    rights_statements: str = "always"  # always | exceptions
    resolver: str = "hotfolder:{identity}"  # file_uri of a document
    unit_size: int = 200
    importers: int = 4  # series delivered side by side
    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    total_timeout: float = 900.0
    verify_tls: bool = True
    ca_file: str = ""
    slots: ArchiveSlots = field(default_factory=ArchiveSlots)
    shield: Shield = field(default_factory=Shield)
    changes: ChangesProfile = field(default_factory=ChangesProfile)


class ReturnKind(StrEnum):
    """Where a return profile gives documents to."""

    FOLDER = "folder"  # a folder that Exstream watches
    HTTP = "http"  # a POST with the metadata as headers


class HandedFormat(StrEnum):
    """How the metadata of a document that is given back is written beside it."""

    NONE = "none"
    JSON = "json"
    XML = "xml"  # a descriptor with entity, ACL and attr
    CMOD = "cmod"  # a generic index of IBM Content Manager OnDemand


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnProfile:
    """Where documents are given back to, and how; times in seconds."""

    name: str
    kind: ReturnKind
    form: str = "exact"  # exact | alone | spool
    # a folder
    path: str = ""  # absolute
    pattern: str = "{document_type}-{issue_date}-{order}"
    temporary_suffix: str = ".tmp"
    sidecar: HandedFormat = HandedFormat.JSON
    sidecar_suffix: str = ""  # .json, .xml or .ind where it is empty
    trigger_suffix: str = ""  # empty: no trigger
    # HTTP
    url: str = ""
    username: str = ""
    secret: str = field(default="", repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 600.0
    verify_tls: bool = True
    ca_file: str = ""
    attempts: int = 10  # with an unknown outcome, before the order fails


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFolder:
    """A folder into which people and programs put requests for documents."""

    name: str
    path: str  # absolute
    business_units: tuple[str, ...]
    completion: Completion = field(default_factory=Completion)
    form: str = "exact"
    sidecar: HandedFormat = HandedFormat.JSON
    limit: int = 1000  # documents in one answer
    network: bool = False
    poll: float = 5.0
    rescan: float = 60.0
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFolder:
    """A folder into which files of events that start clocks are put."""

    name: str
    path: str  # absolute
    completion: Completion = field(default_factory=Completion)
    network: bool = False
    poll: float = 5.0
    rescan: float = 60.0
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedProfile:
    """Requests that archivists make in ArchivesSpace; times in seconds."""

    enabled: bool = False
    poll: float = 60.0
    overlap: int = 900
    to: str = ""  # the return profile that answers, if the note names none
    allowed: tuple[str, ...] = ()  # what a note may name besides


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyProfile:
    """How the store is verified; 0 is without a bound."""

    rate: int = 0  # MB (a million bytes) a second
    files: int = 0  # objects a second
    archivesspace_events: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysProfile:
    """Where the master keys are; without one nothing is encrypted."""

    master_key: str = ""  # path
    old_master_keys: tuple[str, ...] = ()  # paths


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditProfile:
    """How the audit chain is signed; without a key it is not."""

    signing_key: str = ""  # path
    heads: tuple[str, ...] = ()  # directories to which each signed head is written
    hour: int = 0  # of the day, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEvents:
    """How decisions about templates are told to ArchivesSpace."""

    approval: str = "agreement_signed"  # of the list event_event_type
    publication: str = "publication"
    agents: Mapping[str, str] = field(default_factory=dict)  # person -> uri of an agent


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalProfile:
    """How documents are destroyed when their retention has ended."""

    event: str = "appraisal"  # of event_event_type; empty: ArchivesSpace is not asked
    most: int = MOST  # documents on one list
    certificates: str = ""  # a folder; empty: beside the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveProfile:
    """On which terms documents are given back."""

    reason_required: bool = False
    archivesspace_events: bool = False
