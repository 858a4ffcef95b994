"""What ArchivesSpace says of a document now, as it goes into a bag of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hotfolder.archivesspace.comparison import differences, withhold_notes
from hotfolder.core import evidence as names
from hotfolder.core.bag import Part, text_part
from hotfolder.core.canonical import dump
from hotfolder.core.errors import OperatorFault, Transient
from hotfolder.core.ports import Desk
from hotfolder.core.records import CatalogueRow, Role
from hotfolder.core.shielding import Shield

NOT_CONFIGURED = "not asked: hotfolder was told not to, or had no password for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What came of asking."""

    asked: bool
    found: bool
    words: str
    differences: int = 0
    parts: Sequence[Part] = ()


def ask(desk: Desk | None, row: CatalogueRow, *, shared: bool, shield: Shield) -> Testimony:
    """The records as the server holds them now, and where they differ from ours.

    ``shield`` says what of ours the server was not given.
    With ``shared``, notes that may be about other documents are left out, and named. A
    server that does not answer is no fault: the bag says that it was not asked.
    """
    if desk is None:
        return Testimony(asked=False, found=False, words=NOT_CONFIGURED)
    if row.document.role is Role.CARRIED:
        return Testimony(
            asked=False,
            found=False,
            words=f"not asked: the document is described by the record of its spool,"
            f" {row.record_uri or 'which is not confirmed yet'}",
        )
    try:
        records = desk.read_records(row.business_unit, row.document.identity)
    except (Transient, OperatorFault) as error:
        return Testimony(asked=False, found=False, words=f"not asked: {error.message}")
    if records is None:
        return Testimony(
            asked=True, found=False, words="asked: it has no record with this document's identity"
        )
    held = records.get("digital_object")
    record = held if isinstance(held, dict) else {}
    left_out: list[dict[str, str]] = []
    if shared:
        records, left_out = withhold_notes(records, str(record.get("uri")))
    found = differences(row, record, shield)
    told = {"differences": found, "left_out": left_out}
    return Testimony(
        asked=True,
        found=True,
        words=f"asked: its record {record.get('uri')} is here, with {len(found)} differences"
        " from what hotfolder knows",
        differences=len(found),
        parts=(
            text_part(names.RECORDS, (dump(dict(records)) + "\n").encode()),
            text_part(names.DIFFERENCES, (dump(told) + "\n").encode()),
        ),
    )
