"""Names that must come out the same however often they are made.

Lower-case hexadecimal throughout: the server compares without regard to case,
accents or trailing blanks (reference/archivesspace.md 2.4).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from uuid import UUID, uuid5

_DOCUMENT = re.compile(r"hf-[0-9a-f]{64}")
_UNIT = re.compile(r"hf-unit-[0-9a-f]{40}")
_IMPORT_NAMESPACE = UUID("6f0b8f5e-3c1d-5b0e-9a44-0d3c7d1f2a77")


def _digest(parts: Iterable[str]) -> str:
    # Length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def source_of(business_unit: str, series: str) -> str:
    """The source of a document: business unit and series, never a path or folder name."""
    return f"{business_unit}/{series}"


def business_key_of(values: Sequence[tuple[str, str]]) -> str:
    """One string for the configured key fields, unambiguous and stable.

    ``values`` are (canonical field name, text) in configured order; an absent
    field is the empty string.
    """
    return _digest(part for pair in values for part in pair)


def document_identity(source: str, business_key: str, sha256: str) -> str:
    """The ``digital_object_id``: ``hf-`` and 64 hexadecimal digits (DESIGN section 6)."""
    return "hf-" + _digest((source, business_key, sha256))


def is_document_identity(text: object) -> bool:
    """Whether ``text`` is of the form of ``document_identity``."""
    return isinstance(text, str) and _DOCUMENT.fullmatch(text) is not None


def page_digest(spool_sha256: str, first_page: int, pages: int) -> str:
    """What stands for the SHA-256 of a document that is some pages of a spool and has
    no bytes of its own: a function of the whole spool's and of the page numbers."""
    return _digest(("pages", spool_sha256, str(first_page), str(pages)))


def unit_ref_id(identities: Iterable[str]) -> str:
    """``ref_id`` of the archival object of a unit; a function of its members only."""
    return "hf-unit-" + _digest(sorted(identities))[:40]


def is_unit_ref_id(text: object) -> bool:
    """Whether ``text`` is of the form of ``unit_ref_id``."""
    return isinstance(text, str) and _UNIT.fullmatch(text) is not None


def unit_event_refid(ref_id: str) -> str:
    """``refid`` of the ingestion event of a unit; unique in the whole instance."""
    return f"hf:{ref_id}:ingestion"


def cycle_ref_id(series: str, cycle: str) -> str:
    """``ref_id`` of the archival object of a cycle; unique in its resource."""
    return "hf-cycle-" + _digest((series, cycle))[:40]


def import_uuid(kind: str, name: str) -> str:
    """The ``import_…`` part of a temporary uri; matches ``import_[a-f0-9-]+``."""
    return f"import_{uuid5(_IMPORT_NAMESPACE, f'{kind}:{name}')}"
