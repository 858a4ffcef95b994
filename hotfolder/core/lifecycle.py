"""What may follow what: the states of a spool and of a unit, and when to try again.

The two tables are the whole truth about legal histories; the journal enforces
them with triggers made from these tables, and docs/internals.md prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class SpoolState(StrEnum):
    """Where a spool is on its way (DESIGN section 5)."""

    CLAIMING = "CLAIMING"  # intent journalled; the rename may or may not have happened
    CLAIMED = "CLAIMED"  # in _working, out of the producer's reach
    READ = "READ"  # sidecars parsed, documents and identities journalled
    STORED = "STORED"  # bytes durable in the store and compared
    DELIVERED = "DELIVERED"  # every document confirmed by ArchivesSpace
    DONE = "DONE"  # receipted; working copy removed or about to be
    REJECTED = "REJECTED"  # the input's fault; the untouched drop is in _failed
    HELD = "HELD"  # waits for an operator
    CORRUPT = "CORRUPT"  # bytes or record changed; never deleted
    DUPLICATE = "DUPLICATE"  # already archived; points at the first
    ABANDONED = "ABANDONED"  # gone from the hot folder before it could be claimed


class UnitState(StrEnum):
    """Where one import is on its way (DESIGN section 6)."""

    PLANNED = "PLANNED"  # membership journalled, nothing sent
    SENT = "SENT"  # may or may not have been committed by the server
    CONFIRMED = "CONFIRMED"  # the server has all of it
    REFUSED = "REFUSED"  # the server will not have it; its documents were planned anew or rejected


S = SpoolState
SPOOL_MOVES: Mapping[SpoolState, frozenset[SpoolState]] = {
    S.CLAIMING: frozenset({S.CLAIMED, S.ABANDONED}),
    S.CLAIMED: frozenset({S.READ, S.REJECTED, S.HELD, S.DUPLICATE, S.CORRUPT}),
    S.READ: frozenset({S.STORED, S.REJECTED, S.HELD, S.CORRUPT}),
    S.STORED: frozenset({S.DELIVERED, S.REJECTED, S.HELD, S.CORRUPT}),
    S.DELIVERED: frozenset({S.DONE, S.CORRUPT}),
    S.DONE: frozenset({S.CORRUPT}),
    S.HELD: frozenset({S.CLAIMED, S.READ, S.STORED, S.REJECTED, S.CORRUPT}),
    S.DUPLICATE: frozenset(),
    S.REJECTED: frozenset(),
    # An operator put it right: `hotfolder release`; or has discarded it for a whole copy.
    S.CORRUPT: frozenset({S.CLAIMED, S.READ, S.STORED, S.REJECTED}),
    S.ABANDONED: frozenset(),
}
U = UnitState
UNIT_MOVES: Mapping[UnitState, frozenset[UnitState]] = {
    U.PLANNED: frozenset({U.SENT, U.CONFIRMED, U.REFUSED}),
    U.SENT: frozenset({U.CONFIRMED, U.REFUSED}),
    U.CONFIRMED: frozenset({U.PLANNED}),  # the server lost it (replay)
    U.REFUSED: frozenset(),
}

OPEN_SPOOL_STATES = (S.CLAIMING, S.CLAIMED, S.READ, S.STORED, S.DELIVERED)


def check_move(old: SpoolState | UnitState, new: SpoolState | UnitState) -> None:
    """Raise ``ValueError`` unless ``old`` may be followed by ``new``."""
    allowed: frozenset[SpoolState] | frozenset[UnitState]
    allowed = SPOOL_MOVES[old] if isinstance(old, SpoolState) else UNIT_MOVES[old]
    if new not in allowed:
        raise ValueError(f"{old} may not be followed by {new}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential waiting with full jitter above a floor; all in seconds."""

    first: float = 2.0
    factor: float = 2.0
    ceiling: float = 300.0

    def wait(self, attempts: int, jitter: float) -> float:
        """Seconds to wait after ``attempts`` failures; ``jitter`` is in [0, 1).

        The result lies between half and the whole of the capped exponential, so
        that many importers do not come back in step.
        """
        if attempts < 1 or not 0 <= jitter < 1:
            raise ValueError("attempts starts at 1 and jitter lies in [0, 1)")
        # min() on the exponent: 2.0 ** 5000 overflows a float after a month of retries
        whole = min(self.ceiling, self.first * self.factor ** min(attempts - 1, 64))
        return whole * (0.5 + jitter / 2)
