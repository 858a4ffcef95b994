"""References of a document to the business: cases, claims, disputes, policy changes.

One list of the kinds, from which the field map, the journal, the records in
ArchivesSpace and the commands take their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hotfolder.core.records import DocumentMetadata

# kind -> canonical field; the kind is also the prefix of the external id in ArchivesSpace
REFERENCE_FIELDS: Mapping[str, str] = {
    "case": "case_refs",
    "claim": "claim_refs",
    "dispute": "dispute_refs",
    "change": "change_refs",
}


def references_of(metadata: DocumentMetadata) -> Iterator[tuple[str, str]]:
    """(kind, reference), each pair once: cases first, then claims, disputes, changes."""
    for kind, name in REFERENCE_FIELDS.items():
        for reference in dict.fromkeys(getattr(metadata, name)):
            yield kind, reference


def all_references(metadata: DocumentMetadata) -> tuple[str, ...]:
    """The references of every kind, each once."""
    return tuple(dict.fromkeys(reference for _, reference in references_of(metadata)))


def split_reference(text: str) -> tuple[str | None, str]:
    """(kind, reference) of what a person asks for: ``claim:C-7`` is a claim, ``C-7`` may
    be of any kind (None). A reference that itself begins like a kind is asked for with
    its kind before it (``case:claim:7``)."""
    kind, colon, rest = text.partition(":")
    if colon and rest and kind.lower() in REFERENCE_FIELDS:
        return kind.lower(), rest.strip()
    return None, text
