"""What is moved in from an old archive: its items, where they come from, and the port
through which a source is read.

A source is never written. Its items come in one order, each with an id that stays the
same from run to run: so what was taken is found again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from hotfolder.core.errors import Fault
from hotfolder.core.hours import Hours
from hotfolder.core.lifecycle import SpoolState
from hotfolder.core.profiles import (
    DocumentsProfile,
    FolderKind,
    FolderProfile,
    IndexFormat,
    OnUnknown,
)
from hotfolder.core.records import ArchiveEvent

FOLDER_PREFIX = "migration:"  # no hot folder can be called so
MIGRATION = "migration"  # the type of the event that says where a unit came from
MARK = "migration."  # begins the names of the fields that say where a document came from


class SourceKind(StrEnum):
    """What an old archive has given out."""

    FOLDER = "folder"  # files with a sidecar each
    CMOD = "cmod"  # generic indexes of IBM Content Manager OnDemand, with their files
    CSV = "csv"  # one list of files and their fields
    SIP = "sip"  # packages for OpenText InfoArchive


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationProfile:
    """A table ``[migrations.NAME]``."""

    name: str
    kind: SourceKind
    path: str  # absolute: a folder, or a file
    inbox: str  # absolute: where copies are taken in
    business_unit: str
    system: str = ""  # what the old archive is called
    field_map: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    on_unknown: OnUnknown = OnUnknown.REJECT
    documents: DocumentsProfile = field(default_factory=DocumentsProfile)
    sidecar_required: bool = True
    ignore: tuple[str, ...] = ()
    file_field: str = ""
    id_field: str = ""
    files_per_second: float = 0.0  # 0 is without a bound
    megabytes_per_second: float = 0.0
    hours: tuple[Hours, ...] = ()

    @property
    def folder(self) -> FolderProfile:
        """The folder in which its copies are taken in; nobody watches it."""
        return FolderProfile(
            name=FOLDER_PREFIX + self.name,
            path=self.inbox,
            business_unit=self.business_unit,
            kind=FolderKind.MIGRATION,
            sidecar_required=False,
            field_map=self.field_map,
            defaults=self.defaults,
            documents=self.documents,
            values=self.values,
            on_unknown=self.on_unknown,
        )

    @property
    def counts_documents(self) -> bool:
        """Whether the export says how many documents a file has; where they are looked for
        inside, nobody knows before it is read."""
        return self.documents.index in (IndexFormat.NONE, IndexFormat.CMOD)

    @property
    def old_archive(self) -> str:
        """What the old archive is called in records."""
        return self.system or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyItem:
    """One thing that a source has: a file with what is said of it.

    ``faults`` are known without opening it (its file is missing, nothing names it): it is
    refused. ``documents`` is how many the source says are in it.
    """

    source_id: str
    place: str  # where it lies, for people
    name: bytes  # of its file, without folders
    size: int = 0
    mtime_ns: int = 0
    documents: int = 1
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of an item: the name it gets, and a path at which it can be read just now."""

    name: bytes
    path: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedItem:
    """The files of an item, for as long as it is open."""

    content: Part
    sidecars: tuple[Part, ...] = ()


class LegacySource(Protocol):
    """An old archive's export. Flat memory; nothing in it is changed."""

    def items(self) -> Iterator[LegacyItem]:
        """Every item, always in the same order. Raises ``InputFault`` or ``OperatorFault``
        if the rest cannot be told."""

    def open(self, item: LegacyItem) -> AbstractContextManager[OpenedItem]:
        """The files of an item that has no faults; only until the next one is asked for.
        Raises ``InputFault``, ``OperatorFault`` or ``Transient``."""


class Seen(Protocol):
    """Names that were met, on disk: there may be millions."""

    def add(self, name: bytes) -> bool:
        """Note a name; False if it was noted before."""

    def has(self, name: bytes) -> bool:
        """Whether it was noted."""


class Outcome(StrEnum):
    """What became of an item."""

    ARCHIVED = "archived"
    DUPLICATE = "duplicate"  # all of it was archived already
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenItem:
    """An item as the journal has it, with its spool as that is now."""

    source_id: str
    place: str
    size: int
    sha256: str | None  # of its file, as it was read when it was taken
    documents: int
    spool_id: str | None
    outcome: Outcome | None  # None: under way
    faults: tuple[Fault, ...]
    spool_state: SpoolState | None = None
    spool_sha256: str | None = None
    spool_size: int = 0
    spool_documents: int = 0  # journalled with it, left out and skipped
    skipped: int = 0  # of them: documents that were bad, and are archived nowhere
    first_state: SpoolState | None = None  # of the spool that it is a duplicate of
    unconfirmed: int = 0  # documents of it that ArchivesSpace does not have
    disposal: str = ""  # under which its spool, or the first, was destroyed, or is being
    destroyed: int = 0  # documents that went by their keys; its spool stayed


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """An item that is about to be taken (with a spool), or refused (with faults)."""

    item: LegacyItem
    sha256: str | None = None
    size: int = 0
    spool_id: str | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationCounts:
    """How far a migration is."""

    items: Mapping[str, int]  # by outcome; "" is under way
    size: Mapping[str, int]
    documents: Mapping[str, int]
    states: Mapping[str, int]  # of the spools of those under way

    @property
    def total(self) -> int:
        """All that were taken or refused."""
        return sum(self.items.values())

    @property
    def under_way(self) -> int:
        """Those without an outcome."""
        return self.items.get("", 0)


def migration_event(
    ref_id: str, uri: str, profile_name: str, old_archive: str, at: float
) -> ArchiveEvent:
    """The event that says of a unit that documents in it were moved in: once for each unit
    and migration. The type is native (reference, section 7)."""
    return ArchiveEvent(
        refid=f"hf:{ref_id}:migration:{profile_name}"[:255],
        event_type=MIGRATION,
        at=at,
        outcome="pass",
        note=f"Documents in it were moved in from {old_archive} (migration {profile_name}). Their"
        " ids there are among the external ids, their days of archiving in the store.",
        record_uris=(uri,),
    )


def name_id(name: bytes) -> str:
    """A name as part of an id: UTF-8 as it is, all else, controls and % as %XX."""
    text = name.decode("utf-8", "surrogateescape")
    return "".join(
        letter
        if letter != "%" and letter.isprintable()
        else "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))
        for letter in text
    )


def item_line(sha256: str | None, size: int, source_id: str) -> bytes:
    """An item as a line of the sum: what ``sha256sum`` would be given."""
    return f"{sha256 or '-'} {size} {source_id}\n".encode("utf-8", "backslashreplace")


def mark_fields(profile: MigrationProfile, item: LegacyItem) -> dict[str, Sequence[str]]:
    """The fields that say of a document where it came from."""
    return {
        MARK + "name": [profile.name],
        MARK + "archive": [profile.old_archive],
        MARK + "kind": [profile.kind.value],
        MARK + "id": [item.source_id],
        MARK + "place": [item.place],
    }
