"""A journal that knows nothing beside a store that is full: it was lost, or is another's."""

from __future__ import annotations

import os

from hotfolder.core.errors import OperatorFault
from hotfolder.core.ports import Store
from hotfolder.journal.journal import SqliteJournal


def open_known(path: bytes, store: Store) -> SqliteJournal:
    """Open the journal of ``store``, or make it where there is neither a journal nor a spool.

    Raises ``OperatorFault`` (``journal.lost``) if the store has spools and the journal has
    never had one. Nothing is made then: an empty journal would let commands find nothing, and
    acknowledge a hold that holds nothing. Raises what journal and store raise, too.
    """
    if not os.path.exists(path):
        _require_empty(store)
    journal = SqliteJournal(path)
    try:
        if not journal.spools((), limit=1):
            _require_empty(store)
    except BaseException:
        journal.close()
        raise
    return journal


def _require_empty(store: Store) -> None:
    if next(iter(store.iterate()), None) is not None:
        raise OperatorFault(
            "the store has spools, and the journal knows of none",
            hint="`hotfolder rebuild` makes the journal anew, or put back the journal that was"
            " lost; check journal.path and store.path",
            code="journal.lost",
        )
