"""The documents of a spool that holds many, and what stands for all of them.

What an index says of a document comes first, then what came with the whole spool, then
the folder's defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from hotfolder.core.errors import Fault, InputFault
from hotfolder.core.identity import business_key_of, document_identity
from hotfolder.core.indexed import IndexedDocument
from hotfolder.core.legacy import MARK
from hotfolder.core.profiles import FolderProfile, Rules
from hotfolder.core.records import (
    Document,
    DocumentMetadata,
    DocumentRange,
    Inspection,
    Role,
    SpoolRow,
)
from hotfolder.core.references import REFERENCE_FIELDS
from hotfolder.sidecars.classification import classify
from hotfolder.sidecars.fieldmap import FieldMap
from hotfolder.sidecars.interpretation import check_fixity, read_layers
from hotfolder.sidecars.raw import RawField, RawMetadata, display
from hotfolder.sidecars.unknowns import Noticed, adapt

_RANK_OWN = -1
_OF_BYTES = ("declared_sha256", "declared_size")
# Of a document alone, however many of its neighbours have the same.
_PERSONAL = frozenset(
    {
        "customer_id",
        "customer_name",
        "account_number",
        "policy_number",
        "title",
        "declared_sha256",
        "declared_size",
        *REFERENCE_FIELDS.values(),
        "trigger_date",
        "legacy_id",
        "legacy_date",
        "extra",
    }
)


class SpoolInterpreter:
    """Makes documents of what an index says of them."""

    def __init__(
        self,
        *,
        spool: SpoolRow,
        profile: FolderProfile,
        rules: Rules,
        sidecars: Sequence[tuple[bytes, bytes]],
        shared: Sequence[tuple[bytes, bytes]],
        received_on: date,
        index: str,
        noticed: Noticed | None = None,
    ) -> None:
        """``index`` is what people call the place that tells the documents: the name of
        the index file, or of the spool. For the others see ``interpret``."""
        self._spool = spool
        self._profile = profile
        self._rules = rules
        self._received_on = received_on
        self._index = index
        self._noticed = noticed
        self._map = FieldMap(profile.field_map)
        self._faults: list[Fault] = []
        self._layers = read_layers(spool, profile, sidecars, shared, self._faults)

    def check_spool(self, sha256: str, size: int, inspection: Inspection) -> list[Fault]:
        """What is wrong with the spool itself and what came with all of it; empty if
        nothing is. To be asked before any document is made."""
        faults = list(self._faults)
        if inspection.fault is not None:
            faults.append(replace(inspection.fault, file=display(self._spool.name)))
        metadata, wrong, _ = self._map.apply(self._layers)
        faults += wrong
        check_fixity(metadata, sha256, size, display(self._spool.name), faults)
        # From here on it is said: what is declared of the spool is not meant of a document,
        # and a document that differs from its spool is no conflict.
        self._layers = [
            replace(
                layer,
                yields=True,
                fields=tuple(
                    item for item in layer.fields if self._map.canonical(item.name) not in _OF_BYTES
                ),
            )
            for layer in self._layers
        ]
        return faults

    def interpret(self, found: IndexedDocument, place: DocumentRange) -> Document:
        """The document that lies at ``place``. Raises ``InputFault`` with everything that
        is wrong with it, each fault with its place in the index."""
        own = RawMetadata(
            source=self._index,
            rank=_RANK_OWN,
            fields=tuple(RawField(name, value, name) for name, value in found.fields),
        )
        metadata, faults, _ = self._map.apply([own, *self._layers])
        if self._profile.manual and metadata.issue_date is None:
            metadata = replace(metadata, issue_date=self._received_on)
        metadata = adapt(metadata, self._profile, self._rules, self._noticed)
        if not place.by_pages:
            check_fixity(metadata, place.sha256, place.length, self._index, faults)
        document = classify(
            metadata,
            place,
            business_unit=self._spool.business_unit,
            rules=self._rules,
            file=self._index,
            faults=faults,
        )
        if document is None:
            where = f"document {found.ordinal}, {found.place}"
            raise InputFault(
                [
                    replace(
                        fault,
                        file=self._index,
                        place=f"{where}: {fault.place}" if fault.place else where,
                    )
                    for fault in faults
                ]
            )
        return document


class Summary:
    """What the documents of a spool have in common, while they go by."""

    def __init__(self) -> None:
        self.count = 0
        self.last = 0  # ordinal of the last
        self.series: set[str] = set()
        self._first: Document | None = None
        self._common: dict[str, Any] = {}
        self._marks: dict[str, tuple[str, ...]] = {}  # of the old archive that it came from
        self._longest: Document | None = None
        self._latest: Document | None = None

    def add(self, document: Document) -> None:
        """One more."""
        self.count += 1
        self.last = max(self.last, document.range.ordinal)
        self.series.add(document.series)
        if self._first is None:
            self._first = self._longest = self._latest = document
            self._common = {
                name: getattr(document.metadata, name)
                for name in DocumentMetadata.__dataclass_fields__
                if name not in _PERSONAL
            }
            self._marks = _marks(document)
            return
        assert self._longest is not None
        assert self._latest is not None
        for name, value in list(self._common.items()):
            if getattr(document.metadata, name) != value:
                del self._common[name]
        self._marks = dict(self._marks.items() & _marks(document).items())
        if _kept_until(document) > _kept_until(self._longest):
            self._longest = document
        if _issued(document) > _issued(self._latest):
            self._latest = document

    def carrier(self, *, name: str, sha256: str, size: int, pages: int | None) -> Document:
        """What stands for the whole spool, called ``name``: it is of the series of all and
        of the latest cycle, and is kept as long as the one of them that is kept longest.

        ``ValueError`` if there was no document, or they are of several series.
        """
        if self._first is None or len(self.series) != 1:
            raise ValueError("one series, and at least one document")
        assert self._longest is not None
        assert self._latest is not None
        first = self._first
        key = business_key_of([("spool", sha256)])
        kind = self._common.get("document_type") or first.series
        metadata = DocumentMetadata(
            **{
                **self._common,
                "issue_date": self._latest.metadata.issue_date,
                "retention_class": self._longest.metadata.retention_class,
                "extra": self._marks,
            }
        )
        return Document(
            identity=document_identity(first.source, key, sha256),
            source=first.source,
            business_key=key,
            series=first.series,
            cycle=self._latest.cycle,
            range=DocumentRange(
                # One after the last: the ordinals of an index may have gaps.
                ordinal=self.last + 1,
                offset=0,
                length=size,
                sha256=sha256,
                first_page=1 if pages else None,
                pages=pages,
            ),
            metadata=metadata,
            retain_until=self._longest.retain_until,
            class_version=self._longest.class_version,
            cutoff=self._longest.cutoff,
            title=f"{str(kind).capitalize()} spool {name}, {self.count} documents",
            role=Role.CARRIER,
        )


def _marks(document: Document) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(values)
        for name, values in document.metadata.extra.items()
        if name.startswith(MARK)
    }


def _kept_until(document: Document) -> date:
    """A document with a class but without an end is kept longer than any with one."""
    if document.retain_until is not None:
        return document.retain_until
    return date.max if document.metadata.retention_class else date.min


def _issued(document: Document) -> date:
    return document.metadata.issue_date or date.min
