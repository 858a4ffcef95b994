"""Adopt: documents that the server has already, each in the unit that lists it there.

A replay compares units, so a document that is confirmed outside any unit would never be
missed. What no whole unit lists is therefore left to be sent again: single POSTs then
find the document and make what is missing around it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hotfolder.core.errors import Corrupt
from hotfolder.core.identity import unit_ref_id
from hotfolder.core.ports import Archive
from hotfolder.core.records import ArchivedDocument, ArchivedUnit, CatalogueRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Documents found on the server, sorted by what lists them there.

    ``units`` are whole, each with those of the documents that it lists. ``begun`` are the
    members of units whose event is missing: sending each as a unit finishes it.
    """

    units: tuple[ArchivedUnit, ...]
    begun: tuple[tuple[str, ...], ...]


def sort_present(
    archive: Archive, business_unit: str, present: Mapping[str, ArchivedDocument]
) -> Present:
    """Look up the units that list these documents (by identity, already compared).

    Raises ``Transient`` or ``OperatorFault`` if the server cannot be asked.
    """
    listed: dict[str, list[str]] = defaultdict(list)
    for name, there in present.items():
        for ref_id in there.unit_ref_ids:
            listed[ref_id].append(name)
    whole = archive.find_units(business_unit, sorted(listed)) if listed else {}
    units: list[ArchivedUnit] = []
    taken: set[str] = set()
    for unit in whole.values():
        ours = {name: there for name, there in unit.documents.items() if name in present}
        units.append(replace(unit, documents=ours))
        taken.update(ours)
    begun: list[tuple[str, ...]] = []
    for ref_id, names in listed.items():
        if ref_id not in whole and unit_ref_id(names) == ref_id and taken.isdisjoint(names):
            begun.append(tuple(names))
            taken.update(names)
    return Present(units=tuple(units), begun=tuple(begun))


def differs(row: CatalogueRow, there: ArchivedDocument) -> bool:
    """Whether the record's checksum or size is other than the document's. A record
    without checksum (its file versions were emptied by disposal or by hand) differs."""
    return (there.sha256, there.size) != row.file_fixity


def compare_document(row: CatalogueRow, there: ArchivedDocument) -> None:
    """Raise ``Corrupt`` if the record is not this document."""
    if differs(row, there):
        raise Corrupt(
            f"{there.uri} has the identity of a document of spool {row.spool_id}"
            " but another checksum or size",
            hint="the record is neither adopted nor overwritten",
            code="archive.differs",
        )
