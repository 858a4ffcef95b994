"""What may be given of what was asked for, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hotfolder.core.errors import InputFault, OperatorFault
from hotfolder.core.orders import Fate, Fated
from hotfolder.core.ports import Journal
from hotfolder.core.query import DocumentQuery
from hotfolder.core.records import CatalogueRow, Disposition
from hotfolder.core.requestfile import RequestLine
from hotfolder.flows.gone import DESTROYED, WITHHELD
from hotfolder.flows.naming import NOT_IN_CATALOGUE

Resolve = Callable[[str], Sequence[str]]
"""The identities of the documents that an id of any kind stands for. ``KeyError`` if there
is none, ``InputFault`` if it does not say which, ``OperatorFault`` (``NOT_IN_CATALOGUE``)
if only ArchivesSpace has it; ``Transient`` if that cannot be asked now."""

_WHY = {
    Fate.UNKNOWN: "there is no such document",
    Fate.DESTROYED: "it was destroyed when its retention had ended",
    Fate.FORBIDDEN: "it belongs to a business unit that may not be asked for here",
    Fate.TOO_MANY: "more documents than one answer may have; ask for fewer",
}


# Of what ``retrieve`` refuses.
FATES = {
    "retrieve.form": Fate.FORM,
    DESTROYED: Fate.DESTROYED,
    WITHHELD: Fate.FORBIDDEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A document that may be given, and the line that asks for it."""

    line: RequestLine
    row: CatalogueRow


def refused(line: RequestLine, fate: Fate, identity: str = "", why: str = "") -> Fated:
    """A line, or one document of it, that cannot be given."""
    return Fated(
        line=line.number, asked=line.asked, fate=fate, identity=identity, why=why or _WHY[fate]
    )


def judge(
    journal: Journal, identity: str, units: Sequence[str], line: RequestLine
) -> Wanted | Fated:
    """Whether the document may be given to who asks for documents of ``units``."""
    row = journal.get_document(identity)
    if row is None:
        fate = Fate.DESTROYED if journal.is_destroyed(identity) else Fate.UNKNOWN
        return refused(line, fate, identity)
    if row.business_unit not in units:
        return refused(line, Fate.FORBIDDEN, identity)
    if row.disposition is Disposition.WITHHELD:
        why = "its retention has ended: it is withheld until its spool may go"
        return refused(line, Fate.FORBIDDEN, identity, why)
    return Wanted(line=line, row=row)


def expand(
    journal: Journal,
    resolve: Resolve,
    lines: Sequence[RequestLine],
    units: Sequence[str],
    limit: int,
) -> Iterator[Wanted | Fated]:
    """Every line as the documents that it stands for, in order; of more than ``limit``
    documents, the line that goes beyond is told to be too many, and gives none."""
    room = limit
    for line in lines:
        found = list(_of_line(journal, resolve, line, units, room))
        wanted = sum(isinstance(item, Wanted) for item in found)
        if wanted > room:
            yield refused(line, Fate.TOO_MANY)
            continue
        room -= wanted
        yield from found


def _of_line(
    journal: Journal, resolve: Resolve, line: RequestLine, units: Sequence[str], room: int
) -> Iterator[Wanted | Fated]:
    if line.query is None:
        return _named(journal, resolve, line, units, room)
    return _like(journal, line, line.query, units, room)


def _named(
    journal: Journal, resolve: Resolve, line: RequestLine, units: Sequence[str], room: int
) -> Iterator[Wanted | Fated]:
    if journal.is_destroyed(line.id):
        # ArchivesSpace may have its record still, and is not asked.
        yield judge(journal, line.id, units, line)
        return
    try:
        identities = resolve(line.id)
    except KeyError:
        yield refused(line, Fate.UNKNOWN, line.id)
    except InputFault as error:
        yield refused(line, Fate.UNKNOWN, why=error.message)
    except OperatorFault as error:
        if error.code != NOT_IN_CATALOGUE:
            raise
        yield refused(line, Fate.UNCATALOGUED, why=error.message)
    else:
        for identity in identities[: room + 1]:
            yield judge(journal, identity, units, line)


def _like(
    journal: Journal, line: RequestLine, query: DocumentQuery, units: Sequence[str], room: int
) -> Iterator[Wanted | Fated]:
    rows = journal.find_documents(query, room + 1)
    allowed = [row for row in rows if row.business_unit in units]
    if not rows:
        yield refused(line, Fate.UNKNOWN, why="no document is like that")
    elif len(rows) > room and len(allowed) <= room:
        # Behind these may be more that may be given.
        yield refused(line, Fate.TOO_MANY)
    else:
        if len(allowed) < len(rows):
            yield refused(
                line, Fate.FORBIDDEN, why=f"{len(rows) - len(allowed)} documents of other units"
            )
        yield from (Wanted(line=line, row=row) for row in allowed)
