"""A journal that knows nothing beside a store that is full: it was lost, or is another's."""

from __future__ import annotations

from hotfolder.core.errors import OperatorFault
from hotfolder.core.ports import Journal, Store


def require_known_store(journal: Journal, store: Store) -> None:
    """Raise ``OperatorFault`` (``journal.lost``) if the store has spools and the journal has
    never had one. Working on would lose nothing, but a hold would be acknowledged that holds
    none of them, and nobody would find them. Raises what the store raises if it cannot be
    read."""
    if journal.spools((), limit=1):
        return
    if next(iter(store.iterate()), None) is not None:
        raise OperatorFault(
            "the store has spools, and the journal knows of none",
            hint="`hotfolder rebuild` makes the journal anew, or put back the journal that was"
            " lost; check journal.path and store.path",
            code="journal.lost",
        )
