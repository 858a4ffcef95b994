"""What a bag of evidence says of itself, and what it does not show.

The names of the files are fixed; verify.py in the bag knows them, too.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

FORMAT = "hotfolder-evidence/1"
CLAIM = "data/evidence.json"
SUMMARY = "data/summary.html"
DOCUMENT_LINE = "data/metadata/document.json"
INVENTORY = "data/store/inventory.json"
SPOOL_METADATA = "data/store/metadata.json"
DOCUMENT_LINES = "data/store/documents.jsonl"
PROOF = "data/proof/document.json"
RECORDS = "data/archivesspace/records.json"
DIFFERENCES = "data/archivesspace/differences.json"
HISTORY = "data/custody/history.json"
HISTORY_TABLE = "data/custody/history.csv"
AUDIT = "data/custody/audit.json"
HEADS = "data/custody/heads.json"
VERIFIER = "verify.py"


class EvidenceForm(StrEnum):
    """How a bag shows that the document is part of its spool."""

    DOCUMENT = "document"  # the document is the whole spool
    SPOOL = "spool"  # the whole spool is in the bag, with all that is in it
    PROOF = "proof"  # the spool is not in it: a proof from the audit chain stands for it


_CONTENTS = {
    EvidenceForm.DOCUMENT: "The document is the whole file that Exstream wrote. It is here.",
    EvidenceForm.SPOOL: "The document is a part of a larger file. The whole of that file is"
    " here, with everything that is in it and came with it: CUSTOMERS OTHER THAN THE ONE"
    " CONCERNED MAY BE IN IT. Hand it only to who may see them.",
    EvidenceForm.PROOF: "The document is a part of a larger file, which is not here, because"
    " other customers' documents may be in it. In its place stand digests: what was recorded"
    " when the file was stored, and a proof that this document is in that record.",
}

_GAPS = {
    "pages": "The document is some pages of a PDF and has no bytes of its own. The pages that"
    " are here were taken out of it by hotfolder and are no original.",
    "audit": "No row of the audit chain is about this document, its spool or its unit.",
    "signature": "Not every audit row here is covered by a signed tree head: nobody's signature"
    " shows that it was there before this bag was made.",
    "spool-row": "The audit chain has no row about the storing of the spool: it was stored by an"
    " earlier release of hotfolder. What is here of the store is tied to no audit row.",
    "inventory": "The audit row about the storing of the spool does not name its inventory: it"
    " was written by an earlier release of hotfolder.",
    "documents-root": "The audit row about the storing of the spool does not commit to the"
    " documents in it: it is missing or was written by an earlier release of hotfolder. Only the"
    " whole spool can show that the document is part of it.",
    "archivesspace": "What ArchivesSpace holds of the document is not here.",
}


def describe_contents(form: EvidenceForm) -> str:
    """What a bag of this form holds of the spool, in words."""
    return _CONTENTS[form]


def describe_gaps(codes: Collection[str]) -> list[dict[str, str]]:
    """These gaps with their words, in a fixed order. ``KeyError`` if one is unknown."""
    unknown = set(codes) - set(_GAPS)
    if unknown:
        raise KeyError(*unknown)
    return [{"code": code, "words": words} for code, words in _GAPS.items() if code in codes]


def limits(form: EvidenceForm) -> list[str]:
    """What no bag of this form proves."""
    found = [
        (
            "That the document was delivered to the recipient or read: hotfolder sees what Exstream"
            " wrote, not what the post, a printer or a mail server did with it."
        ),
        "That the metadata are true: they are what came with the document.",
        (
            "The history and the times in it: they are from hotfolder's database and carry no"
            " signature. The audit rows do, and their times are those of the server's clock."
        ),
        (
            "That the key which signed is the organisation's: compare its fingerprint with one that"
            " you were given on another way."
        ),
    ]
    if form is EvidenceForm.PROOF:
        found.append(
            "That the document's bytes lie where the record says in that file: here this rests"
            " on what hotfolder recorded when it stored the file. The file itself shows it."
        )
    return found
