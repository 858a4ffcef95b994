"""Naming: which documents a text stands for, wherever an id is taken.

The catalogue is asked first; what it lacks, ArchivesSpace may know.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from hotfolder.core.errors import Fault, HotfolderError, InputFault, OperatorFault, Transient
from hotfolder.core.names import SHORTEST_PREFIX, may_be_a_name, record_uri_in
from hotfolder.core.ports import Desk, Journal
from hotfolder.core.records import Role

MOST = 10_000  # documents that one name stands for, unless more are asked for
NOT_IN_CATALOGUE = "name.not_in_catalogue"
_IDENTITY = "hf-"


def resolve_document(
    journal: Journal,
    desk: Desk | None,
    text: str,
    *,
    business_units: Sequence[str] = (),
    limit: int = MOST,
) -> tuple[str, ...]:
    """The identities of up to ``limit`` documents that ``text`` stands for: the id of a
    spool (or its beginning), an identity (or its beginning, of 12 characters at least),
    the ``ref_id`` of a unit, the uri or an address of a record in ArchivesSpace.

    ``desk`` is asked, in each of ``business_units``, for what the catalogue lacks; None
    leaves it. Raises ``KeyError`` if nothing is called so, ``InputFault`` if several
    documents begin so, ``OperatorFault`` if ArchivesSpace has a document that the
    catalogue lacks, and what ``desk`` raises.
    """
    text = text.strip()
    found = _in_catalogue(journal, text, limit)
    if not found and desk is not None and may_be_a_name(text):
        found = _in_archive(journal, desk, text, business_units)[:limit]
    if not found:
        raise KeyError(text)
    return found


def _in_catalogue(journal: Journal, text: str, limit: int) -> tuple[str, ...]:
    uri = record_uri_in(text)
    if uri is not None:
        return tuple(journal.documents_by_record(uri, limit))
    if journal.get_document(text) is not None or journal.is_destroyed(text):
        return (text,)
    if members := journal.documents_of_unit(text, limit):
        return tuple(members)
    if text.startswith(_IDENTITY):
        return _beginning_with(journal, text)
    spool = journal.get_spool(text) if text else None
    if spool is None:
        return ()
    # A duplicate has no documents of its own: the spool that came first has them.
    rows = journal.iterate_documents(spool.first_spool_id or spool.id)
    named = (row.document.identity for row in rows if row.document.role is not Role.CARRIER)
    return tuple(islice(named, limit))


def _beginning_with(journal: Journal, text: str) -> tuple[str, ...]:
    if len(text) < SHORTEST_PREFIX:
        return ()
    found = journal.documents_by_prefix(text, 2)
    if len(found) > 1:
        raise InputFault(
            [
                Fault(
                    code="name.several",
                    message=f"several documents begin with {text}",
                    remedy="give more of the identity",
                )
            ]
        )
    return tuple(found)


def _in_archive(
    journal: Journal, desk: Desk, text: str, business_units: Sequence[str]
) -> tuple[str, ...]:
    try:
        there = [name for unit in business_units for name in desk.find_identities(unit, text)]
    except (Transient, OperatorFault) as error:
        raise _not_asked(error) from error
    unknown = [
        name
        for name in there
        if journal.get_document(name) is None and not journal.is_destroyed(name)
    ]
    if unknown:
        raise OperatorFault(
            f"ArchivesSpace has the document {unknown[0]}, and the catalogue lacks it",
            hint="`hotfolder rebuild` makes the catalogue anew from the store and ArchivesSpace",
            code=NOT_IN_CATALOGUE,
        )
    return tuple(dict.fromkeys(there))


def _not_asked(error: HotfolderError) -> HotfolderError:
    kind = Transient if isinstance(error, Transient) else OperatorFault
    return kind(
        f"the catalogue has nothing of that name, and ArchivesSpace was not to be asked:"
        f" {error.message}",
        hint=error.hint,
        code=error.code,
    )
