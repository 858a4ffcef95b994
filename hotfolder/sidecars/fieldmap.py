"""From the producer's field names to the canonical ones, with types.

Names are compared without case, blanks, dots, hyphens and underscores. A folder's
own ``field_map`` comes first, then the canonical names themselves, then what the
field is usually called. What nobody knows is kept verbatim in ``extra``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from typing import Any

from hotfolder.core.errors import Fault
from hotfolder.core.records import DocumentMetadata
from hotfolder.sidecars.raw import RawField, RawMetadata
from hotfolder.sidecars.values import UnreadableValueError, read_value

_REMEMBERED = 1024  # names; a producer has a few dozen
CANONICAL = tuple(item.name for item in dataclass_fields(DocumentMetadata) if item.name != "extra")

_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "customer_id": ("customer", "customer number", "customer no", "cust no", "cust id",
                    "client id"),
    "customer_name": ("name", "recipient", "recipient name", "receiver"),
    "account_number": ("account", "account no", "account id", "iban"),
    "policy_number": ("policy", "policy no", "policy id", "contract number"),
    "document_type": ("doc type", "type", "communication type", "form type"),
    "issue_date": ("statement date", "document date", "doc date", "date", "issued", "letter date"),
    "channel": ("delivery channel", "output channel", "medium"),
    "title": ("subject", "document title", "description"),
    "language": ("lang", "locale"),
    "period": ("statement period", "billing period"),
    "version": ("document version",),
    "content_type": ("mime type", "media type"),
    "case_refs": ("case", "case reference", "case ref", "case id", "case number"),
    "claim_refs": ("claim", "claim reference", "claim ref", "claim id", "claim number"),
    "dispute_refs": ("dispute", "dispute reference", "dispute ref", "dispute id",
                     "dispute number"),
    "change_refs": ("policy change", "policy change id", "policy change number",
                    "policy change reference", "change reference", "change ref"),
    "jurisdiction": ("country", "legal entity country"),
    "application": ("application domain", "domain"),
    "template": ("template name", "template id"),
    "job_number": ("job", "job no", "job id"),
    "external_job_id": ("external job",),
    "tracker_id": ("tracker",),
    "queue": ("output queue",),
    "retention_class": ("retention", "retention code", "record class", "retention schedule"),
    "trigger_date": ("retention trigger date", "event date"),
    "sensitivity": ("classification", "confidentiality"),
    "access": ("acl", "access list"),
    "declared_sha256": ("sha256", "sha 256", "checksum", "digest"),
    "declared_size": ("size", "file size", "bytes"),
}  # fmt: skip


@lru_cache(maxsize=_REMEMBERED)
def fold(name: str) -> str:
    """A field name without what people vary in it."""
    return re.sub(r"[\s._\-:/]+", "", unicodedata.normalize("NFKC", name)).casefold()


_KNOWN: dict[str, str] = {fold(name): name for name in CANONICAL}
for _canonical, _names in _SYNONYMS.items():
    for _name in _names:
        _KNOWN.setdefault(fold(_name), _canonical)


class FieldMap:
    """The map of one folder."""

    def __init__(self, own: Mapping[str, str]) -> None:
        """``own`` maps the producer's names to canonical ones, or to ``-`` for names
        that are to be kept in ``extra`` although they look known."""
        self._own = {fold(theirs): ours for theirs, ours in own.items()}

    def canonical(self, name: str) -> str | None:
        """The canonical name of a producer's field, or None if nobody knows it."""
        folded = fold(name)
        if folded in self._own:
            return None if self._own[folded] == "-" else self._own[folded]
        return _KNOWN.get(folded)

    def apply(
        self, layers: Sequence[RawMetadata]
    ) -> tuple[DocumentMetadata, list[Fault], list[Fault]]:
        """Merge sources, best rank first, and type them: (metadata, faults, warnings)."""
        faults: list[Fault] = []
        warnings: list[Fault] = []
        chosen: dict[str, tuple[RawMetadata, list[RawField]]] = {}
        extra: dict[str, tuple[str, ...]] = {}
        for layer in sorted(layers, key=lambda item: item.rank):
            known, unknown = self._split(layer)
            for name, values in unknown.items():
                extra.setdefault(name, tuple(values))
            for name, found in known.items():
                if name not in chosen:
                    chosen[name] = (layer, found)
                    continue
                above, kept = chosen[name]
                if layer.yields:
                    continue
                if [item.value for item in kept] != [item.value for item in found]:
                    warnings.append(
                        Fault(
                            code="sidecar.conflict",
                            message=f"{name} differs from the one in {above.source}, which counts",
                            remedy="leave it out in one of the two",
                            file=layer.source,
                            place=found[0].place,
                        )
                    )
        typed: dict[str, Any] = {}
        for name, (layer, found) in chosen.items():
            try:
                typed[name] = read_value(name, [item.value for item in found])
            except UnreadableValueError as error:
                faults.append(
                    Fault(
                        code=error.code,
                        message=error.message,
                        remedy=error.remedy,
                        file=layer.source,
                        place=found[0].place,
                    )
                )
        return DocumentMetadata(**typed, extra=extra), faults, warnings

    def _split(self, layer: RawMetadata) -> tuple[dict[str, list[RawField]], dict[str, list[str]]]:
        known: dict[str, list[RawField]] = {}
        unknown: dict[str, list[str]] = {}
        for item in layer.fields:
            name = self.canonical(item.name)
            if name is None:
                unknown.setdefault(item.name, []).append(item.value)
            elif item.value.strip():
                known.setdefault(name, []).append(item)
        return known, unknown
