"""Documents that are asked for and not given, because their time is over."""

from __future__ import annotations

from itertools import islice

from hotfolder.core.disposals import Tombstone
from hotfolder.core.errors import EX_NOPERM, Destroyed, Fault, OperatorFault
from hotfolder.core.ports import Journal
from hotfolder.core.records import CatalogueRow, Disposition, Documents

DESTROYED = "retrieve.destroyed"
WITHHELD = "retrieve.withheld"
_LOOKED_UP = 1000  # identities at once
_NAMED = 20  # documents that are named to the producer


class Withheld(OperatorFault):
    """The document is there, and is given to nobody any more."""

    exit_code = EX_NOPERM


def require_given(journal: Journal, identity: str) -> CatalogueRow:
    """The document called ``identity``. ``Destroyed`` or ``Withheld`` if its time is over,
    ``KeyError`` if there never was one."""
    row = journal.get_document(identity)
    if row is None:
        left = journal.destroyed_document(identity)
        if left is None:
            raise KeyError(identity)
        raise Destroyed(f"document {identity} {told(left)}", hint="nothing is left", code=DESTROYED)
    if row.disposition is Disposition.WITHHELD:
        raise Withheld(
            "its retention has ended; it is withheld until its whole spool may go",
            hint="a legal hold on it makes it available again: `hotfolder holds place`",
            code=WITHHELD,
        )
    return row


def require_whole(journal: Journal, spool_id: str) -> None:
    """Return if every document of a spool may be given; ``Withheld`` if not."""
    if journal.is_partly_withheld(spool_id):
        raise Withheld(
            "of some documents in the spool the retention has ended: they are withheld",
            hint="ask for the one document, not for the whole spool",
            code=WITHHELD,
        )


def told(left: Tombstone) -> str:
    """What is told of a document that was destroyed."""
    until = f", kept until {left.retain_until}" if left.retain_until else ""
    certificate = (
        f"certificate {left.certificate_sha256}"
        if left.certificate_sha256
        else "the certificate is being made, or was lost with the journal"
    )
    return (
        f"was destroyed on {left.begun_on} under {left.disposal} (class {left.retention_class},"
        f" version {left.class_version or '-'}{until}; sha256 {left.sha256}; {certificate})"
    )


def find_destroyed(journal: Journal, documents: Documents) -> list[Fault]:
    """The faults of a drop that holds documents which were destroyed; of the first of them,
    if there are many. Empty if it holds none."""
    found = iter(documents)
    while chunk := [document.identity for document in islice(found, _LOOKED_UP)]:
        if left := journal.destroyed_among(chunk):
            return [_dropped_again(item) for item in left[:_NAMED]]
    return []


def _dropped_again(left: Tombstone) -> Fault:
    """The fault of a drop with a document that was destroyed."""
    return Fault(
        code="document.destroyed",
        message=f"it is, or holds, a document that {told(left)}",
        remedy="it is not archived anew; if it must be, give it another business key, and say why",
    )
