"""The shape of the configuration file: names, types, defaults, one line on each.

Only shape is checked here (pydantic); what contradicts what is ``settings_checks``.
Long, because it is one list: the keys are looked up here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from hotfolder.core.disposals import MOST
from hotfolder.core.legacy import SourceKind
from hotfolder.core.profiles import (
    CompletionRule,
    Describe,
    FolderKind,
    HandedFormat,
    IndexFormat,
    OnBadDocument,
    OnUnknown,
    ReturnKind,
    SidecarFormat,
)

Seconds = Annotated[float, Field(ge=0, le=31_536_000)]
PositiveSeconds = Annotated[float, Field(gt=0, le=31_536_000)]
Person = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^@?[^@\s:,][^\s:,]*$")]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Section(BaseModel):
    """A table of the file; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SlotsSection(Section):
    """Which user_defined slot of a digital object carries what; empty leaves it out."""

    document_type: str = Field("string_1", description="the document type")
    channel: str = Field("string_2", description="the channel")
    retention_class: str = Field("string_3", description="the retention class")
    retain_until: str = Field("date_1", description="the last day of retention")
    hold: str = Field("boolean_1", description="whether a legal hold is in force")


class FieldsSection(Section):
    """Fields that ArchivesSpace is not to have as they are; docs/governance.md."""

    withhold: list[str] = Field(
        default_factory=list, description="canonical fields that are not sent at all"
    )
    pseudonyms: list[str] = Field(
        default_factory=list, description="canonical fields that are sent as keyed pseudonyms"
    )
    key_file: str = Field(
        "", description="keys, the newest first; the credential pseudonym-key comes first"
    )


class AskedSection(Section):
    """Requests that archivists make in ArchivesSpace."""

    enabled: bool = Field(False, description="answer pending request events there")
    poll: PositiveSeconds = Field(60, description="seconds between looks")
    overlap: int = Field(
        900, ge=0, le=86_400, description="seconds that each look goes back behind the last"
    )
    to: str = Field("", description="the return profile that answers, if a request names none")
    allowed: list[str] = Field(
        default_factory=list, description="return profiles that a request may name besides"
    )


class ChangesSection(Section):
    """What happens to documents that are archived: how ArchivesSpace is told."""

    rate: int = Field(10, ge=0, le=1000, description="records changed in a second; 0: no bound")
    hold: str = Field("legal_hold_applied", description="type of the event of a hold; empty: none")
    release: str = Field("legal_hold_released", description="of a hold that is released")
    destruction: str = Field("destruction", description="of documents that were destroyed")
    retention: str = Field("policy assignment", description="of a last day that was decided anew")


class FeedbackSection(Section):
    """What archivists decide in ArchivesSpace."""

    enabled: bool = Field(False, description="look for holds, decisions and dates there")
    poll: PositiveSeconds = Field(60, description="seconds between looks")
    overlap: int = Field(
        900, ge=0, le=86_400, description="seconds that each look goes back behind the last"
    )
    sweep: Seconds = Field(
        86_400, description="seconds between two looks at every record; 0: never"
    )
    hold_events: list[str] = Field(
        default_factory=lambda: ["legal_hold_applied"],
        description="types of events that place a hold on what they are linked to",
    )
    release_events: list[str] = Field(
        default_factory=lambda: ["legal_hold_released"],
        description="types of events that release what such an event has placed",
    )
    decision_events: list[str] = Field(
        default_factory=lambda: ["appraisal"],
        description="types of events that approve (pass) or refuse (fail) a disposal",
    )


class CallbackSection(Section):
    """Somebody who is told of each change set over HTTP."""

    url: str = Field("", description="where change sets are posted to; empty: nowhere")
    username: str = Field("", description="with a secret; without a name it is a token")
    secret_file: str = Field("", description="password or token; else the credential feed-callback")
    signing_key_file: str = Field(
        "", description="key of the signature header; else the credential feed-signing-key"
    )
    connect_timeout: PositiveSeconds = Field(10, description="seconds to connect")
    read_timeout: PositiveSeconds = Field(60, description="seconds between two bytes")
    total_timeout: PositiveSeconds = Field(120, description="seconds for one change set")
    verify_tls: bool = Field(True, description="check the receiver's certificate")
    ca_file: str = Field("", description="authorities to trust instead of the system's")


class FeedSection(Section):
    """Facts for those downstream."""

    path: str = Field("", description="the folder, absolute; empty: there is no feed")
    formats: Literal["jsonl", "csv", "both"] = Field(
        "both", description="of each change set: JSON lines, CSV, or both"
    )
    fields: list[str] = Field(
        default_factory=lambda: ["source", "business_key", "document_type", "customer_id"],
        description="what is told of a document besides its identity",
    )
    kinds: list[str] = Field(
        default_factory=list, description="kinds of facts that are told; empty: all"
    )
    every: PositiveSeconds = Field(60, description="seconds between two files")
    limit: int = Field(1000, ge=1, le=10_000, description="facts in one file, at most")
    callback: CallbackSection = Field(default_factory=CallbackSection)


class ArchiveSection(Section):
    """How to reach ArchivesSpace and how to describe documents there."""

    url: str = Field("", description="address of the backend, such as http://localhost:8089")
    username: str = Field("", description="the service account")
    password: SecretStr | None = Field(
        None, description="its password; better in the credentials directory or password_file"
    )
    password_file: str = Field("", description="a file with the password and nothing else")
    archivessnake: bool | str = Field(
        False, description="take url, username and password from ~/.archivessnake.yml, or a path"
    )
    least_privilege: bool = Field(
        False, description="single POSTs, for accounts without import_records; slower"
    )
    rights_statements: Literal["always", "exceptions"] = Field(
        "always", description="a rights statement on every document, or only where it differs"
    )
    resolver: str = Field(
        "hotfolder:{identity}", description="file_uri of a document; {identity} is put in"
    )
    unit_size: int = Field(200, ge=1, le=1000, description="documents in one import, at most")
    importers: int = Field(4, ge=1, le=32, description="series delivered side by side")
    connect_timeout: PositiveSeconds = Field(10, description="seconds to connect")
    read_timeout: PositiveSeconds = Field(120, description="seconds between two bytes")
    total_timeout: PositiveSeconds = Field(900, description="seconds for a whole answer")
    verify_tls: bool = Field(True, description="check the server's certificate")
    ca_file: str = Field("", description="certificate authorities to trust, besides the system's")
    slots: SlotsSection = Field(default_factory=SlotsSection)
    fields: FieldsSection = Field(default_factory=FieldsSection)
    requests: AskedSection = Field(default_factory=AskedSection)
    changes: ChangesSection = Field(default_factory=ChangesSection)


class JournalSection(Section):
    """The journal."""

    path: str = Field("/var/lib/hotfolder/journal.db", description="the SQLite file; local disk")


class StoreSection(Section):
    """The store."""

    path: str = Field("/var/lib/hotfolder/store", description="the OCFL storage root")
    copies: list[str] = Field(
        default_factory=list,
        description="further storage roots that hold the same, on other disks",
    )
    master_key: str = Field(
        "",
        description="of encrypted spools: the key's file; the credential store-master-key"
        " comes first",
    )
    old_master_keys: list[str] = Field(
        default_factory=list,
        description="keys before it, while `hotfolder keys rotate` is not done",
    )


class RetrieveSection(Section):
    """What is given back out of the archive."""

    reason_required: bool = Field(
        False, description="nothing is given without `--reason`, which goes on the audit chain"
    )
    archivesspace_events: bool = Field(
        False, description="each document that is given back gets an event in ArchivesSpace"
    )


class AuditSection(Section):
    """Signed tree heads of the audit chain."""

    signing_key: str = Field(
        "", description="the key's file; the credential audit-signing-key comes first"
    )
    heads: list[str] = Field(
        default_factory=list, description="directories that get a copy of each signed head"
    )
    hour: int = Field(0, ge=0, le=23, description="hour of the day (UTC) in which it is signed")


class VerifySection(Section):
    """The scrub of the store."""

    rate: int = Field(
        0, ge=0, le=100_000, description="read at most so many MB a second; 0 is no bound"
    )
    files: int = Field(
        0, ge=0, le=100_000, description="at most so many objects a second; 0 is no bound"
    )
    archivesspace_events: bool = Field(
        False, description="the end of a round gives events fixity_check in ArchivesSpace"
    )


class LogSection(Section):
    """The log."""

    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: JSON unless standard error is a terminal"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least level that is written"
    )


class MetricsSection(Section):
    """Prometheus metrics, on loopback only."""

    port: int = Field(9188, ge=0, le=65535, description="0 turns them off")


class ServiceSection(Section):
    """The daemon."""

    stop_timeout: PositiveSeconds = Field(
        60, description="seconds for the step in hand when told to stop"
    )


class DutiesSection(Section):
    """Who may do what: user names, and @groups of the system; empty: anybody."""

    find: list[Person] = Field(
        default_factory=list, description="see which documents there are, and their history"
    )
    retrieve: list[Person] = Field(default_factory=list, description="give documents back")
    pseudonym: list[Person] = Field(
        default_factory=list, description="learn the pseudonym of a customer"
    )
    hold: list[Person] = Field(default_factory=list, description="place legal holds")
    release: list[Person] = Field(default_factory=list, description="release legal holds")
    propose: list[Person] = Field(default_factory=list, description="propose disposals")
    approve: list[Person] = Field(
        default_factory=list, description="approve disposals that somebody else has proposed"
    )
    execute: list[Person] = Field(
        default_factory=list, description="execute disposals, discard corrupt spools"
    )


class RolesSection(DutiesSection):
    """The same, with lists of business units in the place of the general ones."""

    units: dict[Name, DutiesSection] = Field(
        default_factory=dict, description="the lists of a business unit"
    )


class DisposalSection(Section):
    """How documents are destroyed when their retention has ended."""

    event: str = Field(
        "appraisal",
        max_length=255,
        description="type of the event by which ArchivesSpace is asked to decide; empty: it is not",
    )
    most: int = Field(
        MOST,
        ge=1,
        le=100_000,
        description="documents on one list: they are decided in one transaction",
    )
    certificates: str = Field(
        "",
        description="folder for certificates of destruction, absolute; empty: certificates,"
        " beside the journal",
    )


class VocabulariesSection(Section):
    """Values that a controlled field may take; a list that is empty leaves it free."""

    channel: list[str] = Field(default_factory=list, description="how it was sent")
    jurisdiction: list[str] = Field(default_factory=list, description="whose law applies")
    sensitivity: list[str] = Field(default_factory=list, description="how confidential it is")
    language: list[str] = Field(default_factory=list, description="its language")


class GovernanceSection(Section):
    """Vocabularies and rules that all business units share."""

    file: str = Field("", description="the governance file, absolute; docs/governance.md")


class RetentionVersionSection(Section):
    """What a class says from a day on; what is left out is as in the class."""

    valid_from: date = Field(description="documents from this day on (the trigger's)")
    business_unit: str = Field("", description="only documents of this unit")
    jurisdiction: str = Field("", description="only documents under this law")
    applies: Literal["new", "all"] = Field(
        "new", description="all reaches back to documents before that day"
    )
    shortens: bool = Field(False, description="it may end the retention of archived documents")
    trigger: Literal["issue_date", "event", "permanent"] | None = Field(
        None, description="what starts the clock"
    )
    event: str | None = Field(None, description="the event that does")
    of: list[Literal["policy", "account", "customer", "case", "document"]] | None = Field(
        None, description="what the event happens to"
    )
    offset: str | None = Field(None, description="from the event to the start of the clock")
    cutoff: Literal["day", "month-end", "year-end"] | None = Field(
        None, description="where the clock starts"
    )
    period: str | None = Field(None, description="P7Y, P18M, P90D")
    action: Literal["keep", "review", "destroy"] | None = Field(
        None, description="what happens at the end"
    )


class RetentionSection(Section):
    """A class of the retention schedule."""

    title: str = Field(description="what it is called")
    trigger: Literal["issue_date", "event", "permanent"] = Field(
        "issue_date", description="what starts the clock; without event no clock"
    )
    event: str = Field("", description="the event that does, such as contract-end")
    of: list[Literal["policy", "account", "customer", "case", "document"]] = Field(
        default_factory=list, description="what the event happens to; empty: anything"
    )
    offset: str = Field("", description="from the trigger to the start of the clock, as period")
    cutoff: Literal["day", "month-end", "year-end"] = Field(
        "day", description="the clock starts that day, or at the end of its month or year"
    )
    period: str = Field("", description="P7Y, P18M, P90D; empty only if permanent")
    mandate: str = Field("", description="the law or policy behind it")
    action: Literal["keep", "review", "destroy"] = Field(
        "review", description="what happens at the end"
    )
    shortens: bool = Field(False, description="an edit of it may let archived documents go earlier")
    versions: list[RetentionVersionSection] = Field(
        default_factory=list, description="what it says from a day on"
    )


class UnitSection(Section):
    """A business unit."""

    name: str = Field(description="what it is called")
    repository: str = Field(description="repo_code of its ArchivesSpace repository")


class SeriesSection(Section):
    """A record series."""

    title: str = Field(description="title of the resource in ArchivesSpace")
    document_types: list[str] = Field(min_length=1, description="which documents belong to it")
    retention_class: str = Field("", description="the class of its documents, if they name none")
    key: list[str] = Field(
        default_factory=lambda: ["customer_id", "account_number", "document_type", "issue_date"],
        min_length=1,
        description="canonical fields that tell one document from another",
    )
    required: list[str] = Field(
        default_factory=lambda: ["document_type", "issue_date"],
        description="canonical fields that must have a value",
    )
    cycle: Literal["day", "month", "quarter", "year"] = Field(
        "month", description="the period of one archival object in the series"
    )


class CompletionSection(Section):
    """How a folder's producer shows that a file is finished."""

    rule: CompletionRule = Field(
        CompletionRule.QUIET, description="trigger, rename, manifest, quiet"
    )
    quiet: Seconds = Field(5, description="seconds without a change")
    looks: int = Field(2, ge=1, le=100, description="and seen unchanged so often")
    quiet_without_trailer: Seconds = Field(
        60, description="seconds for formats that cannot show their own end"
    )
    trigger_suffix: str = Field(".done", description="name.pdf.done or name.done")
    manifest_suffix: str = Field(".manifest", description="a list of names and sizes")
    temporary: list[str] = Field(
        default_factory=lambda: ["*.tmp", "*.part", "*.filepart", "~$*", ".*"],
        description="names of files that are still being written",
    )
    sidecar_wait: Seconds = Field(900, description="seconds to wait for a missing partner")
    writer_check: bool = Field(True, description="ask the kernel whether a writer holds the file")


class DocumentsSection(Section):
    """How the documents of a folder's spools are told from one another."""

    index: IndexFormat = Field(
        IndexFormat.NONE,
        description="none, afp, cmod, streamserve, csv, xml, json, bookmarks, marker",
    )
    suffix: str = Field(".ind", description="index files: name.afp.ind or name.ind")
    code_page: str = Field("", description="of AFP tags (500 if empty) or of the index file")
    columns: dict[str, str] = Field(
        default_factory=dict, description="offset, length, first_page ... to the producer's names"
    )
    separator: str = Field("", description="csv: a character; streamserve: hexadecimal, 09")
    line_separator: str = Field("0A", description="streamserve: hexadecimal")
    attributes: list[str] = Field(
        default_factory=list, description="streamserve: the names, if no first line has them"
    )
    elements: list[str] = Field(
        default_factory=lambda: ["document"], description="xml: what a document is called"
    )
    level: int = Field(1, ge=1, le=10, description="of the bookmarks that begin documents")
    marker: str = Field(
        "",
        description="regular expression for the first page of a document; named groups are fields",
    )
    allow_overlap: bool = Field(False, description="two documents may share bytes or pages")
    on_bad_document: OnBadDocument = Field(
        OnBadDocument.REJECT, description="reject the drop, or skip the document"
    )
    describe: Describe = Field(
        Describe.DOCUMENTS, description="a record for each document, for the spool, or auto"
    )
    describe_limit: int = Field(
        10_000, ge=1, description="auto: the most documents that get a record each"
    )


class PackagesSection(Section):
    """What a template package may be, at most."""

    members: int = Field(10_000, ge=1, le=100_000, description="files in it")
    unpacked: int = Field(
        2_000, ge=1, le=100_000, description="MB (a million bytes), all files together"
    )
    ratio: int = Field(
        200, ge=1, le=1100, description="times its size, if it unpacks to more than 100 MiB"
    )
    depth: int = Field(16, ge=1, le=100, description="parts of a file's name")


class TemplateEventsSection(Section):
    """How decisions about templates are told to ArchivesSpace."""

    approval_event: str = Field(
        "agreement_signed", min_length=1, description="event type of approvals and rejections"
    )
    publication_event: str = Field(
        "publication", min_length=1, description="event type of coming into force"
    )
    agents: dict[str, str] = Field(
        default_factory=dict,
        description="person to the uri of an agent, who then is the authorizer",
    )


class FolderSection(Section):
    """A hot folder."""

    path: str = Field(description="the folder, absolute")
    business_unit: str = Field(description="a [units.…] of this file")
    kind: Literal[FolderKind.DOCUMENTS, FolderKind.TEMPLATES] = Field(
        FolderKind.DOCUMENTS, description="documents, templates"
    )
    completion: CompletionSection = Field(default_factory=CompletionSection)
    recursive: bool = Field(False, description="take files in sub-folders too")
    network: bool = Field(False, description="on a network share: poll instead of events")
    poll: PositiveSeconds = Field(5, description="seconds between looks at a network share")
    rescan: PositiveSeconds = Field(60, description="seconds between full looks at a local folder")
    sidecar: SidecarFormat = Field(SidecarFormat.AUTO, description="auto, json, xml, csv, none")
    sidecar_required: bool = Field(True, description="a file without metadata is a fault")
    include: list[str] = Field(default_factory=lambda: ["*"], description="names to take")
    ignore: list[str] = Field(default_factory=list, description="names to leave alone")
    field_map: dict[str, str] = Field(
        default_factory=dict, description="the producer's field names to canonical ones; - keeps"
    )
    defaults: dict[str, str] = Field(
        default_factory=dict, description="canonical fields for files that do not say"
    )
    documents: DocumentsSection = Field(default_factory=DocumentsSection)
    templates: PackagesSection = Field(default_factory=PackagesSection)
    manual: bool = Field(False, description="people drop files here: receipts in words too")
    owner: str = Field("", description="whom a clerk should ask")
    encrypt_documents: bool = Field(
        False, description="store each document under a key of its own (docs/encryption.md)"
    )


class ReturnSection(Section):
    """Where documents are given back to."""

    kind: ReturnKind = Field(ReturnKind.FOLDER, description="folder, http")
    form: Literal["exact", "alone", "spool"] = Field(
        "exact", description="its exact bytes, made to stand alone, or its whole spool"
    )
    path: str = Field("", description="folder: where it is, absolute")
    pattern: str = Field(
        "{document_type}-{issue_date}-{order}", description="folder: names of documents"
    )
    temporary_suffix: str = Field(".tmp", description="folder: of what is not whole yet")
    sidecar: HandedFormat = Field(HandedFormat.JSON, description="folder: none, json, xml, cmod")
    sidecar_suffix: str = Field("", description="folder: .json, .xml or .ind if it is empty")
    trigger_suffix: str = Field("", description="folder: of the trigger, which comes last")
    url: str = Field("", description="http: where documents are posted to")
    username: str = Field("", description="http: with a secret; without a name it is a token")
    secret_file: str = Field(
        "", description="http: password or token; else the credential return-NAME"
    )
    connect_timeout: PositiveSeconds = Field(10, description="http: seconds to connect")
    read_timeout: PositiveSeconds = Field(60, description="http: seconds between two bytes")
    total_timeout: PositiveSeconds = Field(600, description="http: seconds for one document")
    verify_tls: bool = Field(True, description="http: check the receiver's certificate")
    ca_file: str = Field("", description="http: authorities to trust instead of the system's")
    attempts: int = Field(
        10, ge=1, le=1000, description="http: so often it is sent without a clear answer"
    )


class RequestsSection(Section):
    """A folder into which requests for documents are put."""

    path: str = Field(description="the folder, absolute")
    business_units: list[str] = Field(
        min_length=1, description="whose documents may be asked for here"
    )
    form: Literal["exact", "alone", "spool"] = Field(
        "exact", description="exact bytes, made to stand alone, or whole spools"
    )
    sidecar: HandedFormat = Field(HandedFormat.JSON, description="none, json, xml, cmod")
    limit: int = Field(1000, ge=1, le=100_000, description="documents in one answer, at most")
    completion: CompletionSection = Field(default_factory=CompletionSection)
    network: bool = Field(False, description="on a network share: poll instead of events")
    poll: PositiveSeconds = Field(5, description="seconds between looks at a network share")
    rescan: PositiveSeconds = Field(60, description="seconds between full looks at a local folder")
    owner: str = Field("", description="whom those who ask should ask")


class EventsSection(Section):
    """A folder into which files of events that start clocks are put."""

    path: str = Field(description="the folder, absolute")
    completion: CompletionSection = Field(default_factory=CompletionSection)
    network: bool = Field(False, description="on a network share: poll instead of events")
    poll: PositiveSeconds = Field(5, description="seconds between looks at a network share")
    rescan: PositiveSeconds = Field(60, description="seconds between full looks at a local folder")
    owner: str = Field("", description="whom those who put files there should ask")


class MigrationSection(Section):
    """An old archive that is moved in."""

    kind: SourceKind = Field(description="what its export is: folder, cmod, csv, sip")
    path: str = Field(description="the export: a folder, or the file of a list; absolute")
    inbox: str = Field(description="a folder for hotfolder alone, where copies are taken in")
    business_unit: str = Field(description="a [units.…] of this file")
    system: str = Field("", description="what the old archive is called; empty: as the table")
    field_map: dict[str, str] = Field(
        default_factory=dict, description="its field names to canonical ones; - keeps"
    )
    defaults: dict[str, str] = Field(
        default_factory=dict, description="canonical fields for documents that do not say"
    )
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="of a field, its values to ours: a table for each field"
    )
    on_unknown: OnUnknown = Field(
        OnUnknown.REJECT,
        description="a value that a list lacks rejects the document, or the default counts",
    )
    sidecar_required: bool = Field(
        True, description="folder: a file that nothing describes is refused"
    )
    ignore: list[str] = Field(
        default_factory=lambda: ["metadata.csv", "Thumbs.db", ".*"],
        description="names that are no part of the archive",
    )
    file_field: str = Field(
        "", description="csv, sip: the column or element that names the file; empty: found"
    )
    id_field: str = Field("", description="csv, sip: the column or element with the id there")
    files_per_second: int = Field(
        0, ge=0, le=100_000, description="take at most so many; 0 is no bound"
    )
    megabytes_per_second: int = Field(
        0, ge=0, le=100_000, description="take at most so many MB; 0 is no bound"
    )
    hours: list[str] = Field(
        default_factory=list, description="only in these hours of the day, local time"
    )
    documents: DocumentsSection = Field(default_factory=DocumentsSection)


class SettingsFile(BaseSettings):
    """The whole file. What it is read from, ``settings`` decides."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    archivesspace: ArchiveSection = Field(default_factory=ArchiveSection)
    journal: JournalSection = Field(default_factory=JournalSection)
    store: StoreSection = Field(default_factory=StoreSection)
    audit: AuditSection = Field(default_factory=AuditSection)
    retrieve: RetrieveSection = Field(default_factory=RetrieveSection)
    verify: VerifySection = Field(default_factory=VerifySection)
    feedback: FeedbackSection = Field(default_factory=FeedbackSection)
    feed: FeedSection = Field(default_factory=FeedSection)
    roles: RolesSection = Field(default_factory=RolesSection)
    disposal: DisposalSection = Field(default_factory=DisposalSection)
    log: LogSection = Field(default_factory=LogSection)
    metrics: MetricsSection = Field(default_factory=MetricsSection)
    service: ServiceSection = Field(default_factory=ServiceSection)
    vocabularies: VocabulariesSection = Field(default_factory=VocabulariesSection)
    governance: GovernanceSection = Field(default_factory=GovernanceSection)
    retention: dict[Name, RetentionSection] = Field(default_factory=dict)
    units: dict[Name, UnitSection] = Field(default_factory=dict)
    series: dict[Name, SeriesSection] = Field(default_factory=dict)
    folders: dict[Name, FolderSection] = Field(default_factory=dict)
    requests: dict[Name, RequestsSection] = Field(default_factory=dict)
    events: dict[Name, EventsSection] = Field(default_factory=dict)
    templates: TemplateEventsSection = Field(default_factory=TemplateEventsSection)
    migrations: dict[Name, MigrationSection] = Field(default_factory=dict)
    # [return.NAME]: a word that Python keeps for itself, so it is named at a distance.
    __annotations__["return"] = "dict[Name, ReturnSection]"
    locals()["return"] = Field(default_factory=dict)

    @property
    def returns(self) -> dict[str, ReturnSection]:
        """The tables [return.NAME]."""
        found: dict[str, ReturnSection] = getattr(self, "return")
        return found
